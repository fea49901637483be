/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/parsing.h"

#define GOOD	RTE_MBUF_F_RX_L4_CKSUM_GOOD
#define BAD	RTE_MBUF_F_RX_L4_CKSUM_BAD
#define NONE	RTE_MBUF_F_RX_L4_CKSUM_NONE
#define UNKNOWN RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN

static struct parsing p;

/* Put one frame through with a claim; drop reason, or WEIR_DROP_COUNT. */
static unsigned int
claim(uint64_t flags)
{
	parsing_flags(&p, flags);
	return p.out.n_rejects != 0 ? p.out.rejects[0].reason : WEIR_DROP_COUNT;
}

static void
open_with_payload(void)
{
	parsing_open(&p);
	p.spec.payload = "thirteen byte";
	p.spec.len = 13;
}

START_TEST(pitfall_10_unknown_is_verified)
{
	open_with_payload();
	for (int i = 0; i < 3000; i++)
		ck_assert_uint_eq(claim(UNKNOWN), WEIR_DROP_COUNT);
	p.spec.bad_tcp_csum = 1;
	for (int i = 0; i < 3000; i++)
		ck_assert_uint_eq(claim(UNKNOWN), WEIR_DROP_TCP_CHECKSUM);
	ck_assert_uint_eq(p.parse.trust.unknown, 6000);
	ck_assert(!p.parse.trust.software); /* no claim was made, so none was wrong */
	ck_assert_uint_eq(p.parse.trust.claims[WEIR_CLAIM_GOOD], 0);
	ck_assert_uint_eq(p.parse.trust.claims[WEIR_CLAIM_BAD], 0);
	parsing_close(&p);
}
END_TEST

/* NONE is not UNKNOWN: the data was verified, the field is not valid. */
START_TEST(pitfall_10_none_is_accepted)
{
	open_with_payload();
	p.spec.partial_csum = 1;
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(claim(NONE), WEIR_DROP_COUNT);
	p.parse.trust.software = true;
	ck_assert_uint_eq(claim(NONE), WEIR_DROP_COUNT);
	ck_assert_uint_eq(p.parse.trust.none, 11);
	ck_assert_uint_eq(p.parse.trust.unknown, 0);
	parsing_close(&p);
}
END_TEST

/* Any byte of header, payload and pseudo header that changes is noticed. */
START_TEST(pitfall_10_every_bit_is_covered)
{
	open_with_payload();
	for (uint32_t bit = 34 * 8; bit < (54 + 13) * 8; bit++) {
		struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);
		uint8_t *bytes = rte_pktmbuf_mtod(buf, uint8_t *);

		if (bit / 8 == 46) { /* data offset: rejected before, or still by the sum */
			weir_buf_free(&p.pool, buf);
			continue;
		}
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		parsing_rejects(&p, buf, WEIR_DROP_TCP_CHECKSUM);
	}
	parsing_close(&p);
}
END_TEST

/* The same two addresses exchanged sum up alike, but a changed one does not. */
START_TEST(pitfall_10_pseudo_header_is_covered)
{
	open_with_payload();
	for (int bit = 0; bit < 24; bit++) {
		uint8_t bytes[128];
		struct frame_spec other = p.spec;
		struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);

		/* An IP header that is right in itself, before a TCP segment of another source. */
		other.src ^= 1u << bit;
		frame_write(&other, bytes);
		memcpy(rte_pktmbuf_mtod(buf, uint8_t *), bytes, 34);
		parsing_rejects(&p, buf, WEIR_DROP_TCP_CHECKSUM);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(good_is_verified_first_and_then_sampled)
{
	const struct weir_csum_trust *trust = &p.parse.trust;
	struct rte_mbuf *bufs[WEIR_BURST_MAX];
	uint64_t sent = 0;

	open_with_payload();
	for (int i = 0; i < WEIR_BURST_MAX; i++) {
		bufs[i] = frame_build(&p.pool, &p.spec);
		bufs[i]->ol_flags |= GOOD;
	}
	while (sent < 2 * WEIR_CLAIM_EVERY + 5000) {
		uint64_t want;

		weir_parse_burst(&p.parse, bufs, WEIR_BURST_MAX, &p.out);
		sent += WEIR_BURST_MAX;
		want = sent <= WEIR_CLAIM_FIRST
			   ? sent
			   : WEIR_CLAIM_FIRST + (sent - WEIR_CLAIM_FIRST) / WEIR_CLAIM_EVERY;
		ck_assert_uint_eq(trust->verified[WEIR_CLAIM_GOOD], want);
		ck_assert_uint_eq(trust->claims[WEIR_CLAIM_GOOD], sent);
		ck_assert_uint_eq(p.out.n_segs, WEIR_BURST_MAX);
	}
	ck_assert_uint_eq(trust->verified[WEIR_CLAIM_GOOD], WEIR_CLAIM_FIRST + 2);
	ck_assert_uint_eq(trust->contradictions[WEIR_CLAIM_GOOD], 0);
	ck_assert(!trust->software);
	weir_buf_free_bulk(&p.pool, bufs, WEIR_BURST_MAX);
	parsing_close(&p);
}
END_TEST

START_TEST(false_good_ends_all_belief)
{
	const struct weir_csum_trust *trust = &p.parse.trust;

	open_with_payload();
	ck_assert_uint_eq(claim(GOOD), WEIR_DROP_COUNT);
	p.spec.bad_tcp_csum = 1;
	ck_assert_uint_eq(claim(GOOD), WEIR_DROP_TCP_CHECKSUM);
	ck_assert_uint_eq(trust->contradictions[WEIR_CLAIM_GOOD], 1);
	ck_assert(trust->software);
	/* Far beyond the first thousand every claim is still verified. */
	for (int i = 0; i < 3000; i++)
		ck_assert_uint_eq(claim(GOOD), WEIR_DROP_TCP_CHECKSUM);
	p.spec.bad_tcp_csum = 0;
	ck_assert_uint_eq(claim(GOOD), WEIR_DROP_COUNT);
	ck_assert_uint_eq(trust->claims[WEIR_CLAIM_GOOD], 3003);
	ck_assert_uint_eq(trust->verified[WEIR_CLAIM_GOOD], 3003);
	ck_assert_uint_eq(trust->contradictions[WEIR_CLAIM_GOOD], 3001);
	parsing_close(&p);
}
END_TEST

/* A wrong GOOD that is not in the sample goes through: that is what believing means. The sample
 * finds it. */
START_TEST(false_good_is_found_by_the_sample)
{
	const struct weir_csum_trust *trust = &p.parse.trust;

	open_with_payload();
	for (int i = 0; i < WEIR_CLAIM_FIRST; i++)
		claim(GOOD);
	p.spec.bad_tcp_csum = 1;
	for (int i = 1; i < WEIR_CLAIM_EVERY; i++)
		if (claim(GOOD) != WEIR_DROP_COUNT)
			ck_abort_msg("claim %d was verified", i);
	ck_assert(!trust->software);
	ck_assert_uint_eq(claim(GOOD), WEIR_DROP_TCP_CHECKSUM);
	ck_assert(trust->software);
	parsing_close(&p);
}
END_TEST

START_TEST(bad_is_always_verified)
{
	const struct weir_csum_trust *trust = &p.parse.trust;

	open_with_payload();
	p.spec.bad_tcp_csum = 1;
	for (int i = 0; i < 2000; i++)
		ck_assert_uint_eq(claim(BAD), WEIR_DROP_TCP_CHECKSUM);
	ck_assert_uint_eq(trust->claims[WEIR_CLAIM_BAD], 2000);
	ck_assert_uint_eq(trust->verified[WEIR_CLAIM_BAD], 2000);
	ck_assert_uint_eq(trust->contradictions[WEIR_CLAIM_BAD], 0);
	ck_assert(!trust->software);
	p.spec.bad_tcp_csum = 0;
	ck_assert_uint_eq(claim(BAD), WEIR_DROP_COUNT);
	ck_assert_uint_eq(trust->contradictions[WEIR_CLAIM_BAD], 1);
	ck_assert(trust->software);
	/* GOOD of the same port is worth nothing either, then. */
	p.spec.bad_tcp_csum = 1;
	ck_assert_uint_eq(claim(GOOD), WEIR_DROP_TCP_CHECKSUM);
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_13_partial_checksum_has_its_own_name)
{
	open_with_payload();
	p.spec.partial_csum = 1;
	for (p.spec.len = 0; p.spec.len <= 13; p.spec.len++) {
		ck_assert_uint_eq(claim(UNKNOWN), WEIR_DROP_TCP_CHECKSUM_PARTIAL);
		ck_assert_uint_eq(claim(BAD), WEIR_DROP_TCP_CHECKSUM_PARTIAL);
	}
	p.spec.len = 13;
	p.spec.bad_tcp_csum = 1; /* neither whole nor partial */
	ck_assert_uint_eq(claim(UNKNOWN), WEIR_DROP_TCP_CHECKSUM);
	ck_assert(!p.parse.trust.software);
	parsing_close(&p);
}
END_TEST

/* Payload whose last two bytes bring the checksum to 0; 0xffff is the same number and as right. */
START_TEST(pitfall_11_checksum_of_zero)
{
	uint8_t payload[4] = "ab", bytes[128];
	struct rte_mbuf *buf;

	open_with_payload();
	p.spec.payload = payload;
	p.spec.len = sizeof(payload);
	frame_write(&p.spec, bytes);
	memcpy(payload + 2, bytes + 34 + 16, 2);
	buf = frame_build(&p.pool, &p.spec);
	ck_assert_uint_eq(rte_pktmbuf_mtod(buf, uint8_t *)[50], 0);
	ck_assert_uint_eq(rte_pktmbuf_mtod(buf, uint8_t *)[51], 0);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_segs, 1);
	memset(rte_pktmbuf_mtod(buf, uint8_t *) + 50, 0xff, 2);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_segs, 1);
	memset(rte_pktmbuf_mtod(buf, uint8_t *) + 50, 0x01, 2);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_rejects, 1);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

/* The sum in a frame that the port merged is that of no packet; unless the port was caught. */
START_TEST(pitfall_11_stale_sum_of_merged_frames)
{
	const struct weir_csum_trust *trust = &p.parse.trust;

	open_with_payload();
	p.spec.bad_tcp_csum = 1;
	ck_assert_uint_eq(claim(GOOD | RTE_MBUF_F_RX_LRO), WEIR_DROP_COUNT);
	ck_assert_uint_eq(trust->none, 1);
	ck_assert(!trust->software);
	ck_assert_uint_eq(claim(UNKNOWN | RTE_MBUF_F_RX_LRO), WEIR_DROP_TCP_CHECKSUM);
	ck_assert_uint_eq(claim(BAD | RTE_MBUF_F_RX_LRO), WEIR_DROP_TCP_CHECKSUM);
	ck_assert_uint_eq(claim(GOOD), WEIR_DROP_TCP_CHECKSUM);
	ck_assert(trust->software);
	ck_assert_uint_eq(claim(GOOD | RTE_MBUF_F_RX_LRO), WEIR_DROP_TCP_CHECKSUM);
	ck_assert_uint_eq(claim(NONE | RTE_MBUF_F_RX_LRO), WEIR_DROP_COUNT);
	parsing_close(&p);
}
END_TEST

/* Over segments that begin at odd places, with padding behind the last byte that counts. */
START_TEST(pitfall_05_sum_of_split_frames)
{
	uint8_t payload[301];

	open_with_payload();
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 37);
	p.spec.payload = payload;
	for (uint16_t split = 1; split <= 120; split++)
		for (uint32_t len = 290; len <= sizeof(payload); len++) {
			p.spec.split = split;
			p.spec.len = len;
			p.spec.pad = len % 5;
			p.spec.bad_tcp_csum = 0;
			ck_assert_uint_eq(claim(UNKNOWN), WEIR_DROP_COUNT);
			p.spec.bad_tcp_csum = 1;
			ck_assert_uint_eq(claim(UNKNOWN), WEIR_DROP_TCP_CHECKSUM);
		}
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_10_unknown_is_verified);
	UNIT_CASE(s, pitfall_10_none_is_accepted);
	UNIT_CASE(s, pitfall_10_every_bit_is_covered);
	UNIT_CASE(s, pitfall_10_pseudo_header_is_covered);
	UNIT_CASE(s, good_is_verified_first_and_then_sampled);
	UNIT_CASE(s, false_good_ends_all_belief);
	UNIT_CASE(s, false_good_is_found_by_the_sample);
	UNIT_CASE(s, bad_is_always_verified);
	UNIT_CASE(s, pitfall_13_partial_checksum_has_its_own_name);
	UNIT_CASE(s, pitfall_11_checksum_of_zero);
	UNIT_CASE(s, pitfall_11_stale_sum_of_merged_frames);
	UNIT_CASE(s, pitfall_05_sum_of_split_frames);
}

UNIT_MAIN("trust", add)
