/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYNs told at a glance against the checked path: a frame whose port says "a tag of 0 was stripped"
 * means the same to TCP, but is never told so, and both must say the same of every frame.
 */
#include "tests/unit/parsing.h"
#include "wire/bytes.h"

#define GOOD   (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define TAGGED (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN)

static struct parsing p;
static uint8_t payload[256];
static uint64_t state = 78;

/* What Linux sends: MSS, SACK-permitted, timestamp, NOP, window scale. */
static const uint8_t usual[20] = {2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};

static void
open_believed(bool l3)
{
	parsing_open(&p);
	parsing_listen(&p, l3, FRAME_LOCAL_IP);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.l3 = l3;
	p.spec.flags = WEIR_TCP_SYN;
	p.spec.ack = 0;
	p.spec.tcp_options = usual;
	p.spec.tcp_options_len = sizeof(usual);
}

/* A SYN, or mostly: with one thing or another changed. */
static void
random_syn(struct frame_spec *s)
{
	static const uint8_t flags[] = {0x02, 0x02, 0x02, 0x42, 0x82, 0xc2, 0x12, 0x03, 0x06, 0x22, 0x0a, 0x00};
	static uint8_t options[40];

	s->seq = (uint32_t)parsing_random(&state);
	s->src = parsing_below(&state, 8) ? 0xc6336401 + parsing_below(&state, 3) : (uint32_t)parsing_random(&state);
	s->dst = parsing_below(&state, 16) ? FRAME_LOCAL_IP : FRAME_LOCAL_IP + 1;
	s->sport = (uint16_t)parsing_below(&state, 65536);
	s->flags = flags[parsing_below(&state, RTE_DIM(flags))];
	s->tos = (uint8_t)parsing_below(&state, 256);
	s->ttl = (uint8_t)parsing_below(&state, 256);
	s->tcp_options = usual;
	s->tcp_options_len = sizeof(usual);
	if (parsing_below(&state, 3) == 0) {
		for (uint32_t i = 0; i < sizeof(options); i++)
			options[i] = (uint8_t)parsing_below(&state, parsing_below(&state, 2) ? 12 : 256);
		s->tcp_options = options;
		s->tcp_options_len = (uint8_t)parsing_below(&state, sizeof(options) + 1);
	}
	s->has_ts = (uint8_t)(s->tcp_options_len < 20 ? parsing_below(&state, 2) : 0);
	s->payload = payload;
	s->len = parsing_below(&state, 10) ? 0 : parsing_below(&state, sizeof(payload));
	s->data_offset = (uint8_t)(parsing_below(&state, 16) ? 0 : parsing_below(&state, 16));
	s->ip_total_delta = parsing_below(&state, 16) ? 0 : (int32_t)parsing_below(&state, 9) - 4;
	s->ip_frag = (uint16_t)(parsing_below(&state, 16) ? 0x4000 : parsing_below(&state, 65536));
	s->pad = (uint16_t)(parsing_below(&state, 2) ? 0 : parsing_below(&state, 40));
}

/* What the parser said of one frame. */
struct verdict {
	uint32_t syns, segs, others, rejects, reason, malformed, frame_max;
	struct weir_seg seg;
	struct weir_key4 key;
};

static struct verdict
parse_with(struct rte_mbuf *buf, uint64_t ol_flags)
{
	struct verdict v = {0};

	buf->ol_flags = ol_flags;
	buf->vlan_tci = 0;
	p.parse.options_malformed = 0;
	p.parse.frame_max = 0;
	parsing_one(&p, buf);
	v.syns = p.out.syns.n;
	v.segs = p.out.n_segs + v.syns;
	v.others = p.out.n_others;
	v.rejects = p.out.n_rejects;
	v.reason = v.rejects ? p.out.rejects[0].reason : 0;
	v.malformed = (uint32_t)p.parse.options_malformed;
	v.frame_max = p.parse.frame_max;
	if (v.segs != 0) {
		v.seg = v.syns != 0 ? p.out.syns.segs[0] : p.out.segs[0];
		v.key = v.syns != 0 ? p.out.syns.keys[0] : p.out.keys[0];
	}
	return v;
}

static void
compare(const struct verdict *a, const struct verdict *b, int round)
{
	if (a->segs != b->segs || a->others != b->others || a->reason != b->reason)
		ck_abort_msg("frame %d: taken %u or %u, reason %u or %u", round, a->segs, b->segs,
			     a->reason, b->reason);
	ck_assert_uint_eq(a->malformed, b->malformed);
	ck_assert_uint_eq(a->frame_max, b->frame_max);
	ck_assert_mem_eq(&a->seg, &b->seg, sizeof(a->seg));
	ck_assert_mem_eq(&a->key, &b->key, sizeof(a->key));
}

static void
check_glances(bool l3)
{
	uint32_t apart = 0, taken = 0;

	open_believed(l3);
	for (int i = 0; i < 20000; i++) {
		struct rte_mbuf *buf;
		struct verdict glance, checked;

		random_syn(&p.spec);
		buf = frame_build(&p.pool, &p.spec);
		ck_assert_ptr_nonnull(buf);
		glance = parse_with(buf, GOOD);
		checked = parse_with(buf, GOOD | TAGGED);
		ck_assert_uint_eq(checked.syns, 0);
		compare(&glance, &checked, i);
		apart += glance.syns;
		taken += glance.segs;
		weir_buf_free(&p.pool, buf);
	}
	ck_assert_uint_gt(apart, 3000);
	ck_assert_uint_gt(taken, apart + 500); /* some are no SYN alone */
	parsing_close(&p);
}

START_TEST(a_glance_is_as_checked)
{
	check_glances(false);
	check_glances(true);
}
END_TEST

/* Only what the port says it has verified is taken unseen, and that is counted. */
START_TEST(claims_count)
{
	struct rte_mbuf *buf;
	struct verdict v;

	open_believed(false);
	buf = frame_build(&p.pool, &p.spec);
	v = parse_with(buf, 0);
	ck_assert_uint_eq(v.syns, 0);
	ck_assert_uint_eq(v.segs, 1);
	v = parse_with(buf, GOOD);
	ck_assert_uint_eq(v.syns, 1);
	ck_assert_uint_eq(p.parse.trust.claims[WEIR_CLAIM_GOOD], WEIR_CLAIM_FIRST + 1);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST - 1; /* still looked at */
	v = parse_with(buf, GOOD);
	ck_assert_uint_eq(v.syns, 0);
	ck_assert_uint_eq(p.parse.trust.verified[WEIR_CLAIM_GOOD], 1);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

/* A frame of sender `port`: a SYN, or data. */
static struct rte_mbuf *
frame_of(uint16_t port, bool syn)
{
	struct rte_mbuf *buf;

	p.spec.sport = port;
	p.spec.flags = syn ? WEIR_TCP_SYN : WEIR_TCP_ACK;
	p.spec.tcp_options_len = syn ? sizeof(usual) : 0;
	p.spec.payload = payload;
	p.spec.len = syn ? 0 : 100;
	buf = frame_build(&p.pool, &p.spec);
	ck_assert_ptr_nonnull(buf);
	buf->ol_flags = GOOD;
	p.spec.seq += p.spec.len;
	return buf;
}

/* A run goes on behind SYNs of others, and who follows is known; one of its own key stays in it. */
START_TEST(syns_do_not_cut_runs)
{
	static const struct {
		uint16_t port;
		bool syn;
	} frames[] = {{9, 1}, {1, 0}, {2, 1}, {1, 0}, {1, 1}, {1, 0}, {1, 0}, {1, 1}, {2, 0}, {1, 1}, {3, 1}};
	static const uint8_t firsts[] = {0, 6, 7}, before[] = {0, 1, 7, 7};
	static const uint16_t ports[] = {9, 2, 1, 3};
	struct rte_mbuf *bufs[RTE_DIM(frames)];

	open_believed(false);
	for (uint32_t i = 0; i < RTE_DIM(frames); i++)
		bufs[i] = frame_of(frames[i].port, frames[i].syn);
	weir_parse_burst(&p.parse, bufs, RTE_DIM(frames), &p.out);
	ck_assert_uint_eq(p.out.n_segs, 7);
	ck_assert_uint_eq(p.out.n_runs, 2);
	for (uint32_t i = 0; i <= 2; i++)
		ck_assert_uint_eq(p.out.run_first[i], firsts[i]);
	ck_assert_uint_eq(p.out.syns.n, RTE_DIM(ports));
	for (uint32_t i = 0; i < RTE_DIM(ports); i++) {
		ck_assert_uint_eq(p.out.syns.keys[i].rport, ports[i]);
		ck_assert_uint_eq(p.out.syns.before[i], before[i]);
	}
	weir_segs_write(p.out.segs, p.out.n_segs);
	ck_assert_uint_eq(p.out.segs[1].follows, 1); /* a SYN of another lay between */
	ck_assert_uint_eq(p.out.segs[3].follows, 0); /* one of its own did */
	ck_assert_uint_eq(p.out.segs[4].follows, 1);
	weir_buf_free_bulk(&p.pool, bufs, RTE_DIM(frames));
	parsing_close(&p);
}
END_TEST

/* The packet that a fragment completes takes its place in the burst: no SYN behind it passes it. */
START_TEST(no_syn_passes_a_fragment)
{
	struct rte_mbuf *bufs[3];

	open_believed(false);
	bufs[0] = frame_of(1, true);
	p.spec.ip_frag = 0x2000;
	bufs[1] = frame_of(2, false);
	p.spec.ip_frag = 0;
	bufs[2] = frame_of(3, true);
	weir_parse_burst(&p.parse, bufs, 3, &p.out);
	ck_assert_uint_eq(p.out.syns.n, 1);
	ck_assert_uint_eq(p.out.n_others, 1);
	ck_assert_uint_eq(p.out.n_segs, 1);
	ck_assert_uint_eq(p.out.keys[0].rport, 3);
	weir_buf_free_bulk(&p.pool, bufs, 3);
	parsing_close(&p);
}
END_TEST

/* However a SYN is told, it counts; what is beyond is rejected by name, and nothing else is. */
START_TEST(too_many_are_a_flood)
{
	struct rte_mbuf *bufs[6];

	open_believed(false);
	parsing_listen6(&p);
	p.spec.ip6 = 0;
	for (uint16_t i = 0; i < 6; i++) {
		p.spec.ip6 = i == 4;
		bufs[i] = frame_of(i, i != 5);
	}
	bufs[1]->ol_flags |= TAGGED;
	bufs[1]->vlan_tci = 0;
	p.parse.syns_left = 2;
	weir_parse_burst(&p.parse, bufs, 6, &p.out);
	ck_assert_uint_eq(p.out.syns.n, 1);
	ck_assert_uint_eq(p.out.n_segs, 2);
	ck_assert_uint_eq(p.out.ip6.n_segs, 0);
	ck_assert_uint_eq(p.out.n_rejects, 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(p.out.rejects[i].reason, WEIR_DROP_SYN_FLOOD);
		ck_assert_ptr_eq(p.out.rejects[i].buf, bufs[2 + i]);
	}
	weir_buf_free_bulk(&p.pool, bufs, 6);
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_glance_is_as_checked);
	UNIT_CASE(s, claims_count);
	UNIT_CASE(s, syns_do_not_cut_runs);
	UNIT_CASE(s, no_syn_passes_a_fragment);
	UNIT_CASE(s, too_many_are_a_flood);
}

UNIT_MAIN("syn", add)
