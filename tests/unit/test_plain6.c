/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plain path of IPv6 against the checked one, as in test_plain.c: two parsers get the same frames,
 * one of them with a stripped tag of 0, which is never plain and means the same to TCP.
 */
#include "tests/unit/parsing.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/plain6.h"

static struct parsing p, checked;
static uint8_t payload[2048];
static uint64_t state = 78;

#define GOOD	 (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define STRIPPED (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN)

/* Two parsers with the same two addresses, that believe GOOD. */
static void
open_both(bool l3)
{
	parsing_open6(&p);
	parsing_listen(&p, l3, FRAME_LOCAL_IP);
	p.parse.own6 = &p.own6;
	p.own6.n = 2;
	memcpy(p.own6.address[1], frame_local_ip6, 16);
	p.own6.address[1][15] = 0x11;
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.payload = payload;
	p.spec.l3 = l3;
	checked.parse = p.parse;
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
}

/* A frame near the plain one: mostly plain, else with one thing changed. */
static void
random_spec(struct frame_spec *s)
{
	static const uint8_t flags[] = {0x10, 0x10, 0x18, 0x11, 0x12, 0x04, 0x50, 0x30};
	static const uint8_t nops[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const uint8_t extension[8] = {6, 0, 1, 4};
	bool l3 = s->l3;

	frame_spec_init(s);
	s->l3 = l3;
	s->ip6 = parsing_below(&state, 8) != 0;
	s->payload = payload;
	s->len = parsing_below(&state, 4) ? parsing_below(&state, 1429) : 0;
	s->src6[15] = (uint8_t)(parsing_below(&state, 16) ? 2 + parsing_below(&state, 2) : 1); /* 1: our own */
	s->src6[0] = parsing_below(&state, 16) ? s->src6[0] : (uint8_t)parsing_random(&state);
	s->dst6[15] = parsing_below(&state, 4) ? 1 : 0x11;
	s->dst6[14] = parsing_below(&state, 16) ? 0 : 1;
	s->sport = (uint16_t)(40000 + parsing_below(&state, 2));
	s->seq = (uint32_t)parsing_random(&state);
	s->ack = (uint32_t)parsing_random(&state);
	s->flags = flags[parsing_below(&state, RTE_DIM(flags))];
	s->win = (uint16_t)parsing_below(&state, 65536);
	s->tos = (uint8_t)parsing_below(&state, 256);
	s->ttl = (uint8_t)parsing_below(&state, 256);
	s->flow_label = parsing_below(&state, 2);
	s->has_ts = (uint8_t)(parsing_below(&state, 4) != 0);
	s->tsval = (uint32_t)parsing_random(&state);
	if (parsing_below(&state, 10) == 0) {
		s->tcp_options = nops;
		s->tcp_options_len = s->has_ts ? 4 : 12;
	}
	if (parsing_below(&state, 10) == 0) {
		s->first_extension = 60;
		s->extensions = extension;
		s->extensions_len = sizeof(extension);
	}
	if (parsing_below(&state, 10) == 0)
		s->data_offset = (uint8_t)parsing_below(&state, 16);
	if (parsing_below(&state, 10) == 0)
		s->split = (uint16_t)(40 + parsing_below(&state, 100));
	s->pad = (uint8_t)(parsing_below(&state, 4) ? 0 : parsing_below(&state, 20));
	s->bad_tcp_csum = parsing_below(&state, 20) == 0;
}

/* Flip a bit of the headers and, every other time, put the sum right again. */
static void
damage(struct rte_mbuf *buf, bool l3)
{
	uint8_t *frame = rte_pktmbuf_mtod(buf, uint8_t *), *ip = frame + (l3 ? 0 : 14);
	uint32_t bit = parsing_below(&state, 8 * RTE_MIN(86u, (uint32_t)buf->data_len));
	uint32_t off = (uint32_t)(ip - frame) + 40, len;
	uint16_t sum;

	frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	len = weir_load_be16(ip + 4);
	if (parsing_below(&state, 2) != 0 || ip[0] >> 4 != 6 || len < 20 || off + len > buf->data_len)
		return;
	memset(ip + 56, 0, 2);
	sum = (uint16_t)~weir_csum_fold(
		weir_csum_add(ip + 40, len, weir_csum_pseudo6(ip + 8, 6, len)));
	memcpy(ip + 56, &sum, sizeof(sum));
}

/* Key of segment `i` of IPv6. */
static const struct weir_key *
key_at(const struct weir_parsed6 *parsed, uint32_t i)
{
	uint32_t run = 0;

	while (run < parsed->n_runs && parsed->run_first[run + 1] <= i)
		run++;
	ck_assert_uint_lt(run, parsed->n_runs);
	return &parsed->keys[run];
}

static void
compare_segments(const struct weir_parsed *a, const struct weir_parsed *b)
{
	ck_assert_uint_eq(a->n_segs, b->n_segs);
	ck_assert_uint_eq(a->ip6.n_segs, b->ip6.n_segs);
	ck_assert_uint_eq(a->ip6.n_runs, b->ip6.n_runs);
	if (a->ip6.n_runs != 0)
		ck_assert_uint_eq(a->ip6.run_first[a->ip6.n_runs], a->ip6.n_segs);
	for (uint32_t i = 0; i < a->ip6.n_segs; i++) {
		struct weir_seg seg = a->ip6.segs[i];

		seg.follows = b->ip6.segs[i].follows; /* nobody has looked */
		ck_assert_mem_eq(&seg, &b->ip6.segs[i], sizeof(seg));
		ck_assert_mem_eq(key_at(&a->ip6, i), key_at(&b->ip6, i), sizeof(struct weir_key));
	}
	for (uint32_t i = 0; i < a->n_segs; i++)
		ck_assert_ptr_eq(a->segs[i].buf, b->segs[i].buf);
}

static void
compare(const struct weir_parsed *a, const struct weir_parsed *b)
{
	ck_assert_uint_eq(a->bytes, b->bytes);
	ck_assert_uint_eq(a->n_rejects, b->n_rejects);
	for (uint32_t i = 0; i < a->n_rejects; i++) {
		ck_assert_ptr_eq(a->rejects[i].buf, b->rejects[i].buf);
		ck_assert_uint_eq(a->rejects[i].reason, b->rejects[i].reason);
	}
	ck_assert_uint_eq(a->n_others, b->n_others);
	compare_segments(a, b);
}

static uint32_t alike; /* segments that a block speaks for */

/* A burst through both parsers; returns the segments of IPv6. */
static uint32_t
parse_both(struct rte_mbuf **bufs, uint32_t n)
{
	weir_parse_burst(&p.parse, bufs, n, &p.out);
	for (uint32_t i = 0; i < n; i++) {
		bufs[i]->ol_flags |= STRIPPED;
		bufs[i]->vlan_tci = 0;
	}
	weir_parse_burst(&checked.parse, bufs, n, &checked.out);
	for (uint32_t i = 0; i < p.out.ip6.n_segs; i += 1u + p.out.ip6.segs[i].alike)
		alike += p.out.ip6.segs[i].alike;
	weir_segs_write(p.out.ip6.segs, p.out.ip6.n_segs);
	compare(&p.out, &checked.out);
	ck_assert_uint_eq(p.parse.frame_max, checked.parse.frame_max);
	return p.out.ip6.n_segs;
}

/* Bursts of every length. What the port claims is drawn from `claims` for each frame. */
static void
run(bool l3, bool damaged, const uint64_t *claims, uint32_t n_claims)
{
	struct rte_mbuf *bufs[WEIR_BURST_MAX];
	uint32_t taken = 0, follow = 0;

	alike = 0;
	open_both(l3);
	for (uint32_t round = 0; round < 2000; round++) {
		uint32_t n = 1 + parsing_below(&state, WEIR_BURST_MAX);

		for (uint32_t i = 0; i < n; i++) {
			if (i == 0 || parsing_below(&state, 3) == 0)
				random_spec(&p.spec);
			else
				p.spec.seq += p.spec.len;
			bufs[i] = frame_build(&p.pool, &p.spec);
			ck_assert_ptr_nonnull(bufs[i]);
			bufs[i]->ol_flags = claims[parsing_below(&state, n_claims)];
			if (damaged && parsing_below(&state, 4) == 0)
				damage(bufs[i], l3);
		}
		taken += parse_both(bufs, n);
		for (uint32_t i = 0; i < p.out.ip6.n_segs; i++)
			follow += p.out.ip6.segs[i].follows;
		weir_buf_free_bulk(&p.pool, bufs, n);
	}
	ck_assert_mem_eq(&p.parse.trust, &checked.parse.trust, sizeof(p.parse.trust));
	ck_assert_uint_gt(taken, 20000);
	ck_assert_uint_gt(follow, 1000); /* it was the plain path */
	ck_assert_uint_gt(alike, 300);
	parsing_close(&p);
}

START_TEST(plain_is_as_checked)
{
	static const uint64_t good[] = {GOOD, RTE_MBUF_F_RX_L4_CKSUM_GOOD};

	for (int l3 = 0; l3 < 2; l3++)
		run(l3 != 0, false, good, RTE_DIM(good));
}
END_TEST

START_TEST(unverified_is_as_checked)
{
	static const uint64_t unknown[] = {0};

	for (int l3 = 0; l3 < 2; l3++)
		run(l3 != 0, true, unknown, RTE_DIM(unknown));
}
END_TEST

START_TEST(every_claim_is_as_checked)
{
	static const uint64_t claims[] = {GOOD, GOOD, 0, RTE_MBUF_F_RX_L4_CKSUM_NONE,
					  RTE_MBUF_F_RX_L4_CKSUM_BAD,
					  RTE_MBUF_F_RX_IP_CKSUM_BAD | RTE_MBUF_F_RX_L4_CKSUM_GOOD,
					  GOOD | RTE_MBUF_F_RX_LRO};

	for (int l3 = 0; l3 < 2; l3++)
		run(l3 != 0, true, claims, RTE_DIM(claims));
}
END_TEST

/* Of GOOD one claim in so many is verified: the one that lies, and with it goes the belief. */
START_TEST(belief_is_tested_now_and_then)
{
	struct rte_mbuf *bufs[8];

	open_both(false);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] += WEIR_CLAIM_EVERY - 5;
	checked.parse.trust = p.parse.trust;
	p.spec.len = 100;
	p.spec.bad_tcp_csum = 1;
	for (uint32_t i = 0; i < RTE_DIM(bufs); i++, p.spec.seq += 100) {
		bufs[i] = frame_build(&p.pool, &p.spec);
		bufs[i]->ol_flags = GOOD;
	}
	ck_assert_uint_eq(parse_both(bufs, RTE_DIM(bufs)), 4);
	ck_assert_uint_eq(p.out.n_rejects, 4);
	ck_assert_uint_eq(p.parse.trust.verified[WEIR_CLAIM_GOOD], 4);
	ck_assert(p.parse.trust.software);
	ck_assert_mem_eq(&p.parse.trust, &checked.parse.trust, sizeof(p.parse.trust));
	weir_buf_free_bulk(&p.pool, bufs, RTE_DIM(bufs));
	parsing_close(&p);
}
END_TEST

/* In sequence, ACK and TSval not far off, no PSH before, not without payload. */
START_TEST(followers)
{
	static const struct {
		uint32_t seq, len, ack, tsval;
		uint8_t flags, follows, label, ttl;
	} frames[] = {
		{0, 100, 0, 0, 0x10, 0, 0, 64},	     {100, 100, 0, 0, 0x10, 1, 0, 64},
		{200, 100, 5, 5, 0x10, 1, 0, 64},    {300, 100, 4, 5, 0x10, 0, 0, 64},
		{400, 100, 4, 6, 0x18, 1, 0, 64},    {500, 100, 4, 6, 0x10, 0, 0, 64},
		{700, 100, 4, 6, 0x10, 0, 0, 64},    {800, 0, 4, 6, 0x10, 0, 0, 64},
		{800, 100, 4, 6, 0x10, 0, 0, 64},    {900, 100, 4, 5, 0x10, 0, 0, 64},
		{1000, 100, 4, 5, 0x10, 0, 1, 64},   {1100, 100, 4, 5, 0x10, 1, 1, 64},
		{1200, 100, 4, 5, 0x10, 0, 1, 63},
	};
	struct rte_mbuf *bufs[RTE_DIM(frames)];

	open_both(false);
	p.spec.has_ts = 1;
	for (uint32_t i = 0; i < RTE_DIM(frames); i++) {
		p.spec.seq = frames[i].seq;
		p.spec.len = frames[i].len;
		p.spec.ack = frames[i].ack;
		p.spec.tsval = frames[i].tsval;
		p.spec.flags = frames[i].flags;
		p.spec.flow_label = frames[i].label;
		p.spec.ttl = frames[i].ttl;
		bufs[i] = frame_build(&p.pool, &p.spec);
		bufs[i]->ol_flags = GOOD;
	}
	ck_assert_uint_eq(parse_both(bufs, RTE_DIM(bufs)), RTE_DIM(frames));
	ck_assert_uint_eq(p.out.ip6.n_runs, 1);
	for (uint32_t i = 0; i < RTE_DIM(frames); i++)
		ck_assert_msg(p.out.ip6.segs[i].follows == frames[i].follows, "segment %u", i);
	weir_buf_free_bulk(&p.pool, bufs, RTE_DIM(bufs));
	parsing_close(&p);
}
END_TEST

/* Without an address of IPv6 no such frame is ours, and nothing of it is read. */
START_TEST(no_address)
{
	struct rte_mbuf *buf;

	open_both(false);
	p.parse.own6 = checked.parse.own6 = NULL;
	p.spec.len = 100;
	buf = frame_build(&p.pool, &p.spec);
	buf->ol_flags = GOOD;
	ck_assert_uint_eq(parse_both(&buf, 1), 0);
	ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_IP_NOT_OURS);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

/* Nothing is read beyond the frame, whatever its headers promise. */
START_TEST(short_frames)
{
	uint8_t bytes[FRAME_MAX];

	for (int l3 = 0; l3 < 2; l3++)
		for (uint8_t has_ts = 0; has_ts < 2; has_ts++) {
			uint32_t whole;

			open_both(l3 != 0);
			p.spec.has_ts = has_ts;
			p.spec.len = 40;
			whole = frame_write(&p.spec, bytes);
			for (uint32_t len = 1; len <= whole; len++) {
				struct rte_mbuf *buf = frame_exact(bytes, len, 0);

				buf->ol_flags = GOOD;
				ck_assert_uint_eq(parse_both(&buf, 1), len == whole);
				frame_exact_free(buf);
			}
			parsing_close(&p);
		}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, plain_is_as_checked);
	UNIT_CASE(s, unverified_is_as_checked);
	UNIT_CASE(s, every_claim_is_as_checked);
	UNIT_CASE(s, belief_is_tested_now_and_then);
	UNIT_CASE(s, followers);
	UNIT_CASE(s, no_address);
	UNIT_CASE(s, short_frames);
}

UNIT_MAIN("plain6", add)
