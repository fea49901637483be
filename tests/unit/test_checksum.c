/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_ip.h>

#include "tests/unit/frame.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/checksum.h"

static void
fill(uint8_t *bytes, uint32_t len)
{
	/* Now and then all ones or zeroes, where carries and the two zeroes live. */
	uint32_t kind = random_u32() % 8;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = kind == 0 ? 0xff : kind == 1 ? 0 : (uint8_t)random_u32();
}

/* The sum as it lies, turned into the inverted host-order number of the definition. */
static uint16_t
as_defined(uint64_t sum)
{
	return (uint16_t)~__builtin_bswap16(weir_csum_fold(sum));
}

/* 0 and 0xffff are the same number in one's complement. */
static bool
same(uint16_t a, uint16_t b)
{
	return a % 0xffff == b % 0xffff;
}

START_TEST(flat_sum_is_that_of_the_definition)
{
	uint8_t bytes[1600];

	fill(bytes, sizeof(bytes));
	for (uint32_t len = 0; len < 200; len++)
		for (uint32_t at = 0; at < 9; at++) {
			uint8_t *exact = malloc(len + at + 1);

			memcpy(exact, bytes, len + at);
			ck_assert(same(as_defined(weir_csum_add(exact + at, len, 0)),
				       frame_csum(bytes + at, len, 0)));
			free(exact);
		}
	for (int i = 0; i < 2000; i++) {
		uint32_t len = random_u32() % sizeof(bytes);

		fill(bytes, len);
		ck_assert(
		    same(as_defined(weir_csum_add(bytes, len, 0)), frame_csum(bytes, len, 0)));
	}
}
END_TEST

START_TEST(vectors_of_every_width_agree)
{
	uint8_t bytes[1600];

	for (uint32_t width = 0; width <= weir_csum_widest(); width += 32)
		for (int i = 0; i < 2000; i++) {
			uint32_t at = random_u32() % 64, len = random_u32() % (sizeof(bytes) - at);
			uint8_t *exact = malloc(at + len + 1);

			fill(bytes, sizeof(bytes));
			memcpy(exact, bytes, at + len);
			ck_assert(same(as_defined(weir_csum_add_by(width, exact + at, len, i)),
				       as_defined(weir_csum_add_by(0, bytes + at, len, i))));
			ck_assert(same(as_defined(weir_csum_add_by(width, exact + at, len, 0)),
				       frame_csum(bytes + at, len, 0)));
			free(exact);
		}
}
END_TEST

START_TEST(sums_add_up)
{
	uint8_t bytes[600];

	for (int i = 0; i < 2000; i++) {
		uint32_t cut = random_u32() % 301 * 2;
		uint64_t sum;

		fill(bytes, sizeof(bytes));
		sum = weir_csum_add(bytes, cut, 0);
		sum = weir_csum_add(bytes + cut, sizeof(bytes) - cut, sum);
		ck_assert(same(as_defined(sum), frame_csum(bytes, sizeof(bytes), 0)));
	}
}
END_TEST

START_TEST(fold_keeps_every_carry)
{
	ck_assert_uint_eq(weir_csum_fold(0), 0);
	ck_assert_uint_eq(weir_csum_fold(0xffff), 0xffff);
	ck_assert_uint_eq(weir_csum_fold(0x10000), 1);
	ck_assert_uint_eq(weir_csum_fold(0x1ffff), 1);
	ck_assert_uint_eq(weir_csum_fold(UINT64_MAX), 0xffff);
	for (int i = 0; i < 100000; i++) {
		uint64_t sum = (uint64_t)random_u32() << 32 | random_u32();

		ck_assert_uint_eq(weir_csum_fold(sum) % 0xffff, sum % 0xffff);
		ck_assert_int_eq(weir_csum_fold(sum) == 0, sum == 0);
	}
}
END_TEST

/* The longest TCP segment, all ones: nothing overflows. */
START_TEST(longest_segment)
{
	uint8_t *bytes = malloc(65535);

	memset(bytes, 0xff, 65535);
	ck_assert(same(as_defined(weir_csum_add(bytes, 65535, 0xffffffffffff)),
		       frame_csum(bytes, 65535, 0)));
	free(bytes);
}
END_TEST

/* Chains in which segments start at odd places, ranges that start and end anywhere. */
START_TEST(pitfall_05_sum_over_chains)
{
	uint8_t bytes[300];

	for (uint32_t split = 1; split <= 110; split++) {
		struct rte_mbuf *buf;

		fill(bytes, sizeof(bytes));
		buf = frame_exact(bytes, sizeof(bytes), split);
		for (int i = 0; i < 200; i++) {
			uint32_t off = random_u32() % sizeof(bytes);
			uint32_t len = random_u32() % (sizeof(bytes) - off + 1);

			ck_assert(same(as_defined(weir_csum_add_chain(buf, off, len, 0)),
				       frame_csum(bytes + off, len, 0)));
		}
		frame_exact_free(buf);
	}
}
END_TEST

START_TEST(empty_range_adds_nothing)
{
	uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct rte_mbuf *buf = frame_exact(bytes, sizeof(bytes), 3);

	ck_assert_uint_eq(weir_csum_add_chain(buf, 4, 0, 77), 77);
	ck_assert_uint_eq(weir_csum_add(bytes, 0, 77), 77);
	frame_exact_free(buf);
}
END_TEST

START_TEST(pseudo_header_is_that_of_the_definition)
{
	for (int i = 0; i < 1000; i++) {
		uint32_t src = random_u32(), dst = random_u32();
		uint16_t len = (uint16_t)random_u32();
		uint8_t bytes[12] = {0};

		weir_store_be32(bytes, src);
		weir_store_be32(bytes + 4, dst);
		bytes[9] = 6;
		weir_store_be16(bytes + 10, len);
		ck_assert(same(as_defined(weir_csum_pseudo4(src, dst, 6, len)),
			       frame_csum(bytes, sizeof(bytes), 0)));
	}
}
END_TEST

/* The frame builder of the tests, by DPDK's checksum code. */
START_TEST(frame_builder_agrees_with_dpdk)
{
	uint8_t payload[1460], options[8] = {2, 4, 5, 0xb4, 1, 3, 3, 7}, bytes[2000];
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.payload = payload;
	for (int i = 0; i < 500; i++) {
		struct rte_ipv4_hdr ip;
		uint32_t l3, total, sum;

		fill(payload, sizeof(payload));
		spec.len = random_u32() % sizeof(payload);
		spec.n_tags = (uint8_t)(random_u32() % 3);
		spec.seq = random_u32();
		spec.has_ts = random_u32() & 1;
		spec.tcp_options = options;
		spec.tcp_options_len = random_u32() & 1 ? 8 : 0;
		frame_write(&spec, bytes);
		l3 = 14 + spec.n_tags * 4u;
		memcpy(&ip, bytes + l3, sizeof(ip));
		ck_assert(same(rte_raw_cksum(bytes + l3, 20), 0xffff));
		total = weir_load_be16(bytes + l3 + 2);
		sum = rte_ipv4_phdr_cksum(&ip, 0);
		sum += rte_raw_cksum(bytes + l3 + 20, total - 20u);
		ck_assert_uint_eq(sum % 0xffff, 0);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, flat_sum_is_that_of_the_definition);
	UNIT_CASE(s, vectors_of_every_width_agree);
	UNIT_CASE(s, sums_add_up);
	UNIT_CASE(s, fold_keeps_every_carry);
	UNIT_CASE(s, longest_segment);
	UNIT_CASE(s, pitfall_05_sum_over_chains);
	UNIT_CASE(s, empty_range_adds_nothing);
	UNIT_CASE(s, pseudo_header_is_that_of_the_definition);
	UNIT_CASE(s, frame_builder_agrees_with_dpdk);
}

UNIT_MAIN("checksum", add)
