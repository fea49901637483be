/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/frame.h"
#include "tests/unit/parsing.h"
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"

static struct weir_pool pool;

/* AE, CWR and ECE from a number of three bits, as they stand in the header. */
static uint16_t
bits(uint32_t ace)
{
	return (uint16_t)((ace & 3) << 6 | (ace & 4) << 6);
}

/* A SYN as the parser leaves it; its buffer is the caller's. `split`: where the header is cut. */
static struct weir_seg
syn_of(uint32_t ace, uint8_t tos, uint16_t split)
{
	struct frame_spec spec;
	struct weir_seg seg = {.flags = (uint8_t)(WEIR_TCP_SYN | bits(ace)), .tos = tos,
			       .opt_off = 14 + 20 + 20};

	frame_spec_init(&spec);
	spec.flags = WEIR_TCP_SYN | bits(ace);
	spec.split = split;
	seg.buf = frame_build(&pool, &spec);
	return seg;
}

static uint16_t
answer(uint32_t setting, uint32_t ace, uint8_t tos, uint16_t split)
{
	struct weir_seg seg = syn_of(ace, tos, split);
	struct weir_syn syn = {0};

	weir_ecn_agree(&syn, setting, &seg);
	weir_buf_free(&pool, seg.buf);
	return weir_ecn_syn_ack_flags(&syn);
}

/* RFC 9768 table 2, RFC 3168 6.1.1: every request, every field that it may arrive with. */
START_TEST(every_request)
{
	static const uint16_t fed_back[] = {0x080, 0x0c0, 0x100, 0x180}; /* by IP ECN field */

	ck_assert_int_eq(weir_pool_open_heap(&pool, 128, 2176), 0);
	for (uint32_t ace = 0; ace < 8; ace++)
		for (uint8_t tos = 0; tos < 4; tos++)
			for (uint16_t split = 0; split < 54; split++) {
				bool classic = (ace & 3) == 3;

				ck_assert_uint_eq(answer(WEIR_ECN_OFF, ace, tos, split), 0);
				ck_assert_uint_eq(answer(WEIR_ECN_ON, ace, tos, split),
						  classic ? WEIR_TCP_ECE : 0);
				ck_assert_uint_eq(answer(WEIR_ECN_ACCURATE, ace, tos, split),
						  ace == 0   ? 0
						  : ace == 3 ? WEIR_TCP_ECE
							     : fed_back[tos]);
			}
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

/* RFC 9768 3.1.5: only the two kinds in one handshake cannot be; a later SYN feeds back anew. */
START_TEST(every_second_request)
{
	ck_assert_int_eq(weir_pool_open_heap(&pool, 128, 2176), 0);
	for (uint32_t i = 0; i < 64; i++) {
		struct weir_seg first = syn_of(i / 8, 0, 0), second = syn_of(i % 8, WEIR_ECN_CE, 0);
		bool accurate = i / 8 != 0 && i / 8 != 3, mixed;
		struct weir_syn syn = {0};
		uint8_t opts;

		mixed = accurate ? i % 8 == 3 : i / 8 == 3 && i % 8 != 0 && i % 8 != 3;
		weir_ecn_agree(&syn, WEIR_ECN_ACCURATE, &first);
		opts = syn.opts;
		ck_assert_int_eq(weir_ecn_agree_again(&syn, WEIR_ECN_ACCURATE, &second), !mixed);
		ck_assert_uint_eq(syn.opts, opts);
		if (accurate)
			ck_assert_uint_eq(weir_ecn_syn_ack_flags(&syn), WEIR_TCP_AE | WEIR_TCP_CWR);
		weir_buf_free(&pool, first.buf);
		weir_buf_free(&pool, second.buf);
	}
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

/* The third SYN-ACK says nothing of it any more (RFC 9768 3.2.3.2.2). */
START_TEST(lost_syn_acks)
{
	struct weir_syn syn = {.opts = WEIR_FLOW_ACCECN, .ecn = WEIR_ECN_ECT0};

	for (; syn.retries < 5; syn.retries++)
		ck_assert_uint_eq(weir_ecn_syn_ack_flags(&syn),
				  syn.retries < 2 ? WEIR_TCP_AE : 0);
	ck_assert_uint_eq(weir_ecn_syn_received_flags(&syn), WEIR_TCP_ACK | bits(5));
	syn.opts = WEIR_FLOW_ECN;
	ck_assert_uint_eq(weir_ecn_syn_ack_flags(&syn), WEIR_TCP_ECE);
	ck_assert_uint_eq(weir_ecn_syn_received_flags(&syn), WEIR_TCP_ACK);
}
END_TEST

/* A count for each mark; at once where it begins a run, or where ACKs are few. */
START_TEST(marks_are_counted)
{
	static struct weir_tcp tcp;
	struct weir_flow flow = {.opts = WEIR_FLOW_ACCECN, .rcv_nxt = UINT32_MAX - 20};
	struct weir_seg seg = {.flags = WEIR_TCP_ACK, .len = 10, .seq = UINT32_MAX - 20};

	weir_ecn_open(&flow);
	for (uint32_t i = 0; i < 40; i++, seg.seq += seg.len) {
		bool ce = i % 8 < 4;

		seg.tos = ce ? WEIR_ECN_CE : WEIR_ECN_ECT0;
		flow.ack_policy = i < 24 ? WEIR_ACK_TRAIN : WEIR_ACK_STRETCH;
		ck_assert_uint_eq(weir_ecn_ack_flags(&flow),
				  WEIR_TCP_ACK | bits(5 + i / 8 * 4 + (i % 8 < 4 ? i % 8 : 4)));
		ck_assert_int_eq(weir_ecn_segment(&tcp, &flow, &seg), ce && (i % 8 == 0 || i >= 24));
		ck_assert_uint_eq(flow.marks, WEIR_FLOW_ECE);
	}
}
END_TEST

/* RFC 3168 6.1.3: from a mark until a CWR on data. */
START_TEST(echo_until_reduced)
{
	static struct weir_tcp tcp;
	struct weir_flow flow = {.opts = WEIR_FLOW_ECN};
	struct weir_seg seg = {.flags = WEIR_TCP_ACK, .len = 10, .tos = WEIR_ECN_ECT0};

	weir_ecn_open(&flow);
	ck_assert(!weir_ecn_segment(&tcp, &flow, &seg));
	ck_assert_uint_eq(weir_ecn_ack_flags(&flow), WEIR_TCP_ACK);
	seg.tos = WEIR_ECN_CE;
	ck_assert(weir_ecn_segment(&tcp, &flow, &seg));
	ck_assert(!weir_ecn_segment(&tcp, &flow, &seg));
	seg.tos = WEIR_ECN_ECT0;
	ck_assert(weir_ecn_segment(&tcp, &flow, &seg));
	ck_assert_uint_eq(weir_ecn_ack_flags(&flow), WEIR_TCP_ACK | WEIR_TCP_ECE);
	seg.flags |= WEIR_TCP_CWR;
	seg.len = 0;
	ck_assert(!weir_ecn_segment(&tcp, &flow, &seg));
	ck_assert_uint_eq(weir_ecn_ack_flags(&flow), WEIR_TCP_ACK | WEIR_TCP_ECE);
	seg.len = 10;
	ck_assert(!weir_ecn_segment(&tcp, &flow, &seg));
	ck_assert_uint_eq(weir_ecn_ack_flags(&flow), WEIR_TCP_ACK);
}
END_TEST

/* RFC 9768 3.2.1: AE with ECE alone is the count's beginning, which says nothing of what we sent; any
 * other count, and the request of a SYN, stay as they are. */
START_TEST(count_of_no_marks_says_nothing)
{
	static const uint8_t base[] = {WEIR_TCP_ACK, WEIR_TCP_ACK | WEIR_TCP_PSH, WEIR_TCP_SYN,
				       WEIR_TCP_FIN | WEIR_TCP_ACK};
	static struct parsing p;

	parsing_open(&p);
	for (uint32_t i = 0; i < 4 * 8; i++) {
		uint32_t ace = i % 8, want = base[i / 8] | (ace & 3) << 6;

		p.spec.flags = (uint16_t)(base[i / 8] | (ace & 3) << 6 | (ace & 4) << 6);
		if (ace == 5 && base[i / 8] != WEIR_TCP_SYN)
			want &= ~(uint32_t)WEIR_TCP_ECE;
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.segs[0].flags, want);
	}
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, every_request);
	UNIT_CASE(s, every_second_request);
	UNIT_CASE(s, lost_syn_acks);
	UNIT_CASE(s, marks_are_counted);
	UNIT_CASE(s, echo_until_reduced);
	UNIT_CASE(s, count_of_no_marks_says_nothing);
}

UNIT_MAIN("ecn", add)
