/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plain path against the checked one: a frame whose port says "a tag of 0 was stripped" means the
 * same to TCP, but is never plain, so both must say the same of every frame.
 */
#include "tcp/aggregate.h"
#include "tests/unit/parsing.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/plain.h"

static struct parsing p;
static uint8_t payload[2048];
static uint64_t state = 77;

#define GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/* A frame near the plain one: mostly plain, else with one thing changed. */
static void
random_spec(struct frame_spec *s)
{
	static const uint8_t flags[] = {0x10, 0x10, 0x18, 0x11, 0x12, 0x04, 0x50, 0x30};
	static const uint8_t nops[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	frame_spec_init(s);
	s->payload = payload;
	s->len = parsing_below(&state, 1449);
	s->src = parsing_below(&state, 8) ? 0xc6336401 + parsing_below(&state, 3) : (uint32_t)parsing_random(&state);
	s->dst = parsing_below(&state, 16) ? FRAME_LOCAL_IP : FRAME_LOCAL_IP + 1;
	s->sport = (uint16_t)(40000 + parsing_below(&state, 3));
	s->seq = (uint32_t)parsing_random(&state);
	s->ack = (uint32_t)parsing_random(&state);
	s->flags = flags[parsing_below(&state, RTE_DIM(flags))];
	s->win = (uint16_t)parsing_below(&state, 65536);
	s->tos = (uint8_t)parsing_below(&state, 256);
	s->ttl = (uint8_t)parsing_below(&state, 256);
	s->has_ts = (uint8_t)parsing_below(&state, 2);
	s->tsval = (uint32_t)parsing_random(&state);
	if (parsing_below(&state, 10) == 0) {
		s->tcp_options = nops;
		s->tcp_options_len = s->has_ts ? 4 : 12;
	}
	if (parsing_below(&state, 10) == 0) {
		s->ip_options = nops;
		s->ip_options_len = 4;
	}
	if (parsing_below(&state, 10) == 0)
		s->data_offset = (uint8_t)parsing_below(&state, 16);
	s->pad = (uint8_t)(parsing_below(&state, 4) ? 0 : parsing_below(&state, 20));
}

/* Flip a bit of the headers and, every other time, put both sums right again. */
static void
damage(struct rte_mbuf *buf)
{
	uint8_t *frame = rte_pktmbuf_mtod(buf, uint8_t *), *ip = frame + 14;
	uint32_t bit = parsing_below(&state, 8 * RTE_MIN(66u, (uint32_t)buf->data_len));
	uint16_t sum;

	frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	if (parsing_below(&state, 2) != 0)
		return;
	memset(ip + 10, 0, 2);
	sum = (uint16_t)~weir_csum_fold(weir_csum_add(ip, 20, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
}

/* What the parser said of one frame. */
struct verdict {
	uint32_t segs, rejects, reason;
	struct weir_seg seg;
	struct weir_key4 key;
};

static struct verdict
parse_with(struct rte_mbuf *buf, uint64_t ol_flags)
{
	struct verdict v = {0};

	buf->ol_flags = ol_flags;
	buf->vlan_tci = 0;
	parsing_one(&p, buf);
	v.segs = p.out.n_segs;
	v.rejects = p.out.n_rejects;
	v.reason = v.rejects ? p.out.rejects[0].reason : 0;
	if (v.segs != 0) {
		ck_assert_uint_eq(p.out.n_runs, 1);
		ck_assert_uint_eq(p.out.run_first[0], 0);
		ck_assert_uint_eq(p.out.run_first[1], 1);
		v.seg = p.out.segs[0];
		v.key = p.out.keys[0];
	}
	return v;
}

static void
compare(const struct verdict *a, const struct verdict *b, int round)
{
	if (a->segs != b->segs || a->rejects != b->rejects || a->reason != b->reason)
		ck_abort_msg("frame %d: taken %u or %u, reason %u or %u", round, a->segs, b->segs,
			     a->reason, b->reason);
	if (a->segs == 0)
		return;
	ck_assert_mem_eq(&a->seg, &b->seg, sizeof(a->seg));
	ck_assert_mem_eq(&a->key, &b->key, sizeof(a->key));
}

static void
run(uint64_t claims, bool damaged)
{
	uint32_t taken = 0;

	parsing_open(&p);
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	for (int i = 0; i < 20000; i++) {
		struct rte_mbuf *buf;
		struct verdict plain, checked;

		random_spec(&p.spec);
		buf = frame_build(&p.pool, &p.spec);
		ck_assert_ptr_nonnull(buf);
		if (damaged)
			damage(buf);
		plain = parse_with(buf, claims);
		checked = parse_with(buf, claims | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN);
		compare(&plain, &checked, i);
		taken += plain.segs;
		weir_buf_free(&p.pool, buf);
	}
	ck_assert_uint_gt(taken, damaged ? 1000 : 8000);
	parsing_close(&p);
}

START_TEST(plain_is_as_checked)
{
	run(GOOD, false);
}
END_TEST

START_TEST(damaged_is_as_checked)
{
	run(0, true);
}
END_TEST

/* A buffer that says it holds more than it does: no byte behind data_len is ever handed out. */
START_TEST(pitfall_04_a_length_without_the_bytes)
{
	static const uint64_t claims[] = {0, GOOD, RTE_MBUF_F_RX_L4_CKSUM_NONE};

	parsing_open(&p);
	p.spec.payload = payload;
	p.spec.len = 1000;
	for (uint32_t i = 0; i < RTE_DIM(claims); i++) {
		struct rte_mbuf *buf = parsing_claimed(&p, claims[i]);

		p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
		buf->data_len = 100;
		parsing_rejects(&p, buf, WEIR_DROP_FRAME_TRUNCATED);
	}
	parsing_close(&p);
}
END_TEST

/* All zero, and all ones, are no senders, believed or not. */
START_TEST(nobody_is_no_sender)
{
	static const uint32_t nobody[] = {0,	      UINT32_MAX,     0x7f000001,
					  0xe0000001, FRAME_LOCAL_IP, FRAME_LOCAL_IP | 0xff};

	parsing_open(&p);
	weir_parse_set_ip(&p.parse, FRAME_LOCAL_IP, 24);
	p.spec.payload = payload;
	p.spec.len = 100;
	for (uint32_t i = 0; i < RTE_DIM(nobody); i++)
		for (int ones = 0; ones < 2; ones++) {
			struct rte_mbuf *buf;

			p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
			p.spec.src = nobody[i];
			p.spec.sport = p.spec.dport = ones ? UINT16_MAX : 0;
			buf = parsing_claimed(&p, GOOD);
			parsing_rejects(&p, buf, WEIR_DROP_IP_SOURCE);
		}
	parsing_close(&p);
}
END_TEST

/* What a port calls GOOD nobody adds up: that all its bytes are there is looked at all the same, whatever
 * path the chain takes. */
START_TEST(chains_that_lie_are_found_out)
{
	static const int lies[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, 300}, {2, 5}};

	for (uint32_t i = 0; i < 4 * RTE_DIM(lies); i++) {
		struct rte_mbuf *buf;

		parsing_open(&p);
		if ((i & 1) != 0)
			parsing_listen6(&p);
		p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST; /* believed unseen */
		p.spec.payload = payload;
		p.spec.len = 1200;
		p.spec.split = (i & 2) != 0 ? 500 : 40; /* not even the headers are in one */
		p.spec.ip_total_delta = lies[i / 4][1];
		buf = parsing_claimed(&p, GOOD);
		parsing_one(&p, buf);
		ck_assert_uint_eq(p.out.n_rejects, lies[i / 4][1] != 0);
		buf->nb_segs = (uint16_t)(buf->nb_segs + lies[i / 4][0]);
		buf->pkt_len += (uint32_t)lies[i / 4][1];
		parsing_one(&p, buf);
		ck_assert_uint_eq(p.out.n_rejects, 1);
		ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_FRAME_TRUNCATED);
		weir_buf_free(&p.pool, buf);
		parsing_close(&p);
	}
}
END_TEST

/* A port that calls a damaged IP header GOOD is found out and not believed again. */
START_TEST(pitfall_10_ip_claims_are_observed)
{
	struct rte_mbuf *buf;

	parsing_open(&p);
	p.spec.payload = payload;
	p.spec.len = 100;
	buf = parsing_claimed(&p, GOOD);
	rte_pktmbuf_mtod(buf, uint8_t *)[24] ^= 1;
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST; /* believed unseen from now on */
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_segs, 1);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST + WEIR_CLAIM_EVERY - 1; /* looked at */
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_IP_CHECKSUM);
	ck_assert(p.parse.trust.software);
	ck_assert_uint_eq(p.parse.trust.contradictions[WEIR_CLAIM_GOOD], 1);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_rejects, 1);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

/* The compare, in every width that this machine has, against one byte at a time. Not inlined: clang
 * would put a wide compare into a function that is built for narrow vectors. */
static void __attribute__((noinline))
check_compare(weir_plain_compare *differs)
{
	uint8_t frame[WEIR_PLAIN_BYTES], want[WEIR_PLAIN_BYTES], mask[WEIR_PLAIN_BYTES];
	uint64_t random = 7;

	for (uint32_t i = 0; i < WEIR_PLAIN_BYTES; i++)
		mask[i] = (uint8_t)(parsing_random(&random) & parsing_random(&random));
	for (uint32_t i = 0; i < 8 * WEIR_PLAIN_BYTES; i++) {
		for (uint32_t k = 0; k < WEIR_PLAIN_BYTES; k++) {
			frame[k] = (uint8_t)parsing_random(&random);
			want[k] = frame[k] ^ (uint8_t)(parsing_random(&random) & ~mask[k]);
		}
		ck_assert(!differs(frame, want, mask));
		want[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_eq(differs(frame, want, mask), mask[i / 8] >> i % 8 & 1);
	}
}

START_TEST(compare_in_every_width)
{
	check_compare(weir_plain_differs);
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		check_compare(weir_plain_differs_32);
	if (__builtin_cpu_supports("avx512f"))
		check_compare(weir_plain_differs_64);
#endif
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, compare_in_every_width);
	UNIT_CASE(s, plain_is_as_checked);
	UNIT_CASE(s, damaged_is_as_checked);
	UNIT_CASE(s, pitfall_04_a_length_without_the_bytes);
	UNIT_CASE(s, nobody_is_no_sender);
	UNIT_CASE(s, chains_that_lie_are_found_out);
	UNIT_CASE(s, pitfall_10_ip_claims_are_observed);
}

UNIT_MAIN("plain", add)
