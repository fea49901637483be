/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "weir.h"
#include "wire/siphash.h"

_Static_assert(sizeof(struct weir_addr) == 20, "family, scope, 16 bytes");

START_TEST(an_ipv4_address_is_mapped)
{
	static const uint8_t expected[16] = {[10] = 0xff, 0xff, 192, 0, 2, 254};
	struct weir_addr addr;

	memset(&addr, 0x55, sizeof(addr));
	ck_assert_int_eq(weir_addr_parse("192.0.2.254", &addr), 0);
	ck_assert_uint_eq(addr.family, 4);
	ck_assert_uint_eq(addr.scope, 0);
	ck_assert_mem_eq(addr.bytes, expected, sizeof(expected));
}
END_TEST

START_TEST(what_is_no_address_is_refused_and_changes_nothing)
{
	static const char *const wrong[] = {
	    "",		  " ",	       "1",	     "1.2.3",  "1.2.3.4.5", "256.1.1.1",
	    "1.2.3.4 ",	  " 1.2.3.4",  "1.2.3.4/24", "1..2.3", "-1.2.3.4",  "a.b.c.d",
	    "1.2.3.4:80", "0x1.2.3.4", ":",	     ":::",    "fe80::g",   "host.example",
	};
	struct weir_addr addr, before;

	memset(&addr, 0x55, sizeof(addr));
	before = addr;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(weir_addr_parse(wrong[i], &addr) == -EINVAL, "'%s'", wrong[i]);
		ck_assert_mem_eq(&addr, &before, sizeof(addr));
	}
}
END_TEST

START_TEST(an_ipv6_address_is_kept_as_it_is)
{
	static const uint8_t expected[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct weir_addr addr;

	memset(&addr, 0x55, sizeof(addr));
	ck_assert_int_eq(weir_addr_parse("2001:db8::1", &addr), 0);
	ck_assert_uint_eq(addr.family, 6);
	ck_assert_uint_eq(addr.scope, 0);
	ck_assert_mem_eq(addr.bytes, expected, sizeof(expected));
	ck_assert_int_eq(weir_addr_parse("::ffff:192.0.2.1", &addr), 0); /* IPv4 is one thing */
	ck_assert_uint_eq(addr.family, 4);
}
END_TEST

/* RFC 4007 11: of a link-local address which link. */
START_TEST(only_link_local_addresses_have_a_scope)
{
	static const char *const wrong[] = {"fe80::1%",	     "fe80::1%0", "fe80::1%65536", "fe80::1%x",
					    "fe80::1%1%1",   "fe80::1%-1", "2001:db8::1%1",
					    "192.0.2.1%1",   "%1"};
	char text[WEIR_ADDR_TEXT];
	struct weir_addr addr;

	ck_assert_int_eq(weir_addr_parse("fe80::1%7", &addr), 0);
	ck_assert_uint_eq(addr.scope, 7);
	ck_assert_str_eq(weir_addr_format(&addr, text, sizeof(text)), "fe80::1%7");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(weir_addr_parse(wrong[i], &addr) == -EINVAL, "'%s'", wrong[i]);
}
END_TEST

START_TEST(parse_and_format_are_inverse)
{
	uint64_t seed = 1;
	char text[WEIR_ADDR_TEXT], again[WEIR_ADDR_TEXT];
	struct weir_addr addr;

	for (int i = 0; i < 10000; i++) {
		uint32_t ip = (uint32_t)weir_seed_next(&seed);

		snprintf(text, sizeof(text), "%u.%u.%u.%u", ip >> 24, ip >> 16 & 0xff,
			 ip >> 8 & 0xff, ip & 0xff);
		ck_assert_int_eq(weir_addr_parse(text, &addr), 0);
		ck_assert_ptr_eq(weir_addr_format(&addr, again, sizeof(again)), again);
		ck_assert_str_eq(again, text);
	}
}
END_TEST

START_TEST(format_keeps_within_its_room)
{
	static const char full[] = "203.0.113.117";
	struct weir_addr addr;
	char to[WEIR_ADDR_TEXT];

	ck_assert_int_eq(weir_addr_parse(full, &addr), 0);
	for (size_t size = 0; size <= sizeof(full); size++) {
		memset(to, '#', sizeof(to));
		ck_assert_ptr_eq(weir_addr_format(&addr, to, size), to);
		for (size_t i = size; i < sizeof(to); i++)
			ck_assert_int_eq(to[i], '#');
		if (size != 0) {
			ck_assert_uint_eq(strlen(to), size - 1);
			ck_assert_int_eq(strncmp(to, full, size - 1), 0);
		}
	}
}
END_TEST

START_TEST(an_ipv6_address_can_be_printed)
{
	struct weir_addr addr = {.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	char to[WEIR_ADDR_TEXT];

	ck_assert_str_eq(weir_addr_format(&addr, to, sizeof(to)), "2001:db8::1");
	memset(to, '#', sizeof(to));
	ck_assert_str_eq(weir_addr_format(&addr, to, 4), ""); /* half an address misleads */
	ck_assert_int_eq(to[4], '#');
	ck_assert_ptr_eq(weir_addr_format(&addr, to, 0), to);
	addr.scope = 3;
	ck_assert_str_eq(weir_addr_format(&addr, to, 14), "2001:db8::1%3");
	ck_assert_str_eq(weir_addr_format(&addr, to, 13), "");
	addr.scope = 0;
	/* the longest there is fits WEIR_ADDR_TEXT */
	memset(addr.bytes, 0xff, sizeof(addr.bytes));
	ck_assert_uint_eq(strlen(weir_addr_format(&addr, to, sizeof(to))), 39);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, an_ipv4_address_is_mapped);
	UNIT_CASE(s, what_is_no_address_is_refused_and_changes_nothing);
	UNIT_CASE(s, an_ipv6_address_is_kept_as_it_is);
	UNIT_CASE(s, only_link_local_addresses_have_a_scope);
	UNIT_CASE(s, parse_and_format_are_inverse);
	UNIT_CASE(s, format_keeps_within_its_room);
	UNIT_CASE(s, an_ipv6_address_can_be_printed);
}

UNIT_MAIN("address", add)
