/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/address4.h"

#include "tests/unit/unit.h"

START_TEST(sources_that_no_packet_has)
{
	static const uint32_t wrong[] = {0,	     1,		 0x00ffffff, 0x7f000000, 0x7f000001,
					 0x7fffffff, 0xe0000000, 0xe0000001, 0xefffffff, 0xffffffff};
	static const uint32_t right[] = {0x01000000, 0x0a000001, 0x7effffff, 0x80000000,
					 0xc0000201, 0xdfffffff, 0xf0000001, 0xfffffffe};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!weir_source_valid(wrong[i]), "%08x", wrong[i]);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		ck_assert_msg(weir_source_valid(right[i]), "%08x", right[i]);
}
END_TEST

START_TEST(loopback_is_a_net)
{
	ck_assert(weir_loopback4(0x7f000000) && weir_loopback4(0x7fffffff));
	ck_assert(!weir_loopback4(0x7effffff) && !weir_loopback4(0x80000000));
}
END_TEST

START_TEST(bits_of_the_host)
{
	ck_assert_uint_eq(weir_host_mask4(0), 0);
	ck_assert_uint_eq(weir_host_mask4(1), 0x7fffffff);
	ck_assert_uint_eq(weir_host_mask4(24), 0xff);
	ck_assert_uint_eq(weir_host_mask4(30), 3);
	ck_assert_uint_eq(weir_host_mask4(31), 0);
	ck_assert_uint_eq(weir_host_mask4(32), 0);
	ck_assert_uint_eq(weir_broadcast4(0xc0000201, 24), 0xc00002ff);
	ck_assert_uint_eq(weir_broadcast4(0xc0000201, 31), 0);
	ck_assert_uint_eq(weir_broadcast4(0xc0000201, 0), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sources_that_no_packet_has);
	UNIT_CASE(s, loopback_is_a_net);
	UNIT_CASE(s, bits_of_the_host);
}

UNIT_MAIN("address4", add)
