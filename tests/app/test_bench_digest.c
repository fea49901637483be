/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC32C against the vectors of RFC 3720 B.4 and against itself bit by bit. */
#include "../unit/unit.h"

#include <string.h>

#include "digest.h"

#define MOST 5000

static uint8_t data[MOST], copy[MOST + 16];

static uint32_t
bit_by_bit(const uint8_t *from, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= from[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

static void
setup(bool lanes_only)
{
	uint32_t state = 1;

	digest_init(lanes_only);
	for (size_t i = 0; i < MOST; i++) {
		state = state * 1103515245 + 12345;
		data[i] = (uint8_t)(state >> 16);
	}
}

START_TEST(vectors)
{
	uint8_t block[32];

	setup(false);
	memset(block, 0, sizeof(block));
	ck_assert_uint_eq(digest_crc32c(0, block, 32), 0x8a9136aa);
	memset(block, 0xff, sizeof(block));
	ck_assert_uint_eq(digest_crc32c(0, block, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		block[i] = i;
	ck_assert_uint_eq(digest_crc32c(0, block, 32), 0x46dd794e);
	ck_assert_uint_eq(digest_crc32c(0, "123456789", 9), 0xe3069283);
}
END_TEST

static void
check_length(size_t len)
{
	uint32_t expected = bit_by_bit(data + 1, len);

	ck_assert_uint_eq(digest_crc32c(0, data + 1, len), expected);
	ck_assert_uint_eq(digest_crc32c_lanes(0, data + 1, len), expected);
	memset(copy, 0xa5, sizeof(copy));
	ck_assert_uint_eq(digest_copy_crc32c(0, copy, data + 1, len), expected);
	ck_assert_int_eq(memcmp(copy, data + 1, len), 0);
	ck_assert_uint_eq(copy[len], 0xa5);
}

START_TEST(lengths)
{
	for (int lanes_only = 0; lanes_only < 2; lanes_only++) {
		setup(lanes_only);
		for (size_t len = 0; len < MOST - 1; len += len < 600 ? 1 : 37)
			check_length(len);
		for (size_t len = 4080; len < 4110; len++) /* the most that is folded at once */
			check_length(len);
	}
}
END_TEST

START_TEST(goes_on)
{
	for (int lanes_only = 0; lanes_only < 2; lanes_only++) {
		setup(lanes_only);
		for (size_t cut = 0; cut <= MOST; cut += 311) {
			uint32_t crc = digest_crc32c(0, data, cut);

			ck_assert_uint_eq(digest_crc32c(crc, data + cut, MOST - cut),
					  bit_by_bit(data, MOST));
		}
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, vectors);
	UNIT_CASE(s, lengths);
	UNIT_CASE(s, goes_on);
}

UNIT_MAIN("app_bench_digest", add)
