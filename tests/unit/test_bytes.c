/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/unit.h"
#include "wire/bytes.h"

START_TEST(big_endian_at_any_address)
{
	for (uint32_t off = 0; off < 9; off++) {
		uint8_t bytes[16] = {0};

		weir_store_be16(bytes + off, 0x1234);
		ck_assert_uint_eq(bytes[off], 0x12);
		ck_assert_uint_eq(bytes[off + 1], 0x34);
		ck_assert_uint_eq(bytes[off + 2], 0);
		ck_assert_uint_eq(weir_load_be16(bytes + off), 0x1234);
		weir_store_be32(bytes + off, 0x89abcdef);
		ck_assert_uint_eq(bytes[off], 0x89);
		ck_assert_uint_eq(bytes[off + 3], 0xef);
		ck_assert_uint_eq(bytes[off + 4], 0);
		ck_assert_uint_eq(weir_load_be32(bytes + off), 0x89abcdef);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, big_endian_at_any_address);
}

UNIT_MAIN("bytes", add)
