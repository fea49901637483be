/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "tests/unit/unit.h"
#include "wire/address6.h"

struct address {
	uint8_t bytes[WEIR_ADDRESS6_BYTES];
};

static struct address
of(const char *text)
{
	struct address address;

	ck_assert_int_eq(inet_pton(AF_INET6, text, address.bytes), 1);
	return address;
}

START_TEST(sources_that_no_packet_has)
{
	static const char *const wrong[] = {"::",      "::1",	  "ff02::1", "ff0e::1",
					    "ff00::",  "::ffff:192.0.2.1", "::ffff:0.0.0.0"};
	static const char *const right[] = {"::2", "::1:0:0:1", "2001:db8::1", "fe80::1", "fd00::1",
					    "::fffe:c000:201", "1::", "64:ff9b::192.0.2.1"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!weir_source6_valid(of(wrong[i]).bytes), "%s", wrong[i]);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		ck_assert_msg(weir_source6_valid(of(right[i]).bytes), "%s", right[i]);
}
END_TEST

START_TEST(link_local_is_ten_bits)
{
	ck_assert(weir_link_local6(of("fe80::1").bytes));
	ck_assert(weir_link_local6(of("febf::1").bytes));
	ck_assert(!weir_link_local6(of("fec0::1").bytes));
	ck_assert(!weir_link_local6(of("fe7f::1").bytes));
	ck_assert(!weir_link_local6(of("ff80::1").bytes));
}
END_TEST

/* The examples of RFC 4291 2.7.1 and RFC 2464 7. */
START_TEST(groups)
{
	static const uint8_t expected[6] = {0x33, 0x33, 0xff, 0x0e, 0x8c, 0x6c};
	uint8_t group[WEIR_ADDRESS6_BYTES], mac[6];

	weir_solicited_node6(of("4037::01:800:200e:8c6c").bytes, group);
	ck_assert(weir_address6_equal(group, of("ff02::1:ff0e:8c6c").bytes));
	weir_group_mac6(group, mac);
	ck_assert_mem_eq(mac, expected, 6);
	ck_assert(weir_address6_equal(weir_all_nodes6, of("ff02::1").bytes));
	ck_assert(weir_multicast6(weir_all_nodes6));
	ck_assert(weir_unspecified6(of("::").bytes));
	ck_assert(!weir_unspecified6(of("::1").bytes));
}
END_TEST

/* By the bits, one after the other: the address is that of all routers when its host part is 0. */
START_TEST(the_address_of_all_routers)
{
	for (uint32_t prefix_len = 0; prefix_len <= 128; prefix_len++)
		for (uint32_t bit = 0; bit < 128; bit++) {
			struct address address = {{0}};

			address.bytes[bit / 8] = (uint8_t)(0x80 >> bit % 8);
			ck_assert_int_eq(weir_routers6(address.bytes, prefix_len),
					 prefix_len != 0 && prefix_len <= 126 && bit < prefix_len);
		}
	ck_assert(weir_routers6(of("2001:db8::").bytes, 64));
	ck_assert(!weir_routers6(of("2001:db8::1").bytes, 64));
	ck_assert(!weir_routers6(of("2001:db8::").bytes, 127));
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sources_that_no_packet_has);
	UNIT_CASE(s, link_local_is_ten_bits);
	UNIT_CASE(s, groups);
	UNIT_CASE(s, the_address_of_all_routers);
}

UNIT_MAIN("address6", add)
