/* SPDX-License-Identifier: BSD-3-Clause */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/unit.h"
#include "weir.h"
#include "wire/drop.h"

START_TEST(every_reason_has_a_name_and_a_sentence)
{
	for (unsigned int i = 0; i < WEIR_DROP_COUNT; i++) {
		ck_assert_ptr_nonnull(weir_drop_name(i));
		ck_assert_ptr_nonnull(weir_drop_text(i));
		ck_assert_uint_gt(strlen(weir_drop_text(i)), strlen("a b"));
	}
}
END_TEST

START_TEST(names_differ_and_suit_a_counter)
{
	for (unsigned int i = 0; i < WEIR_DROP_COUNT; i++) {
		for (const char *c = weir_drop_name(i); *c != '\0'; c++)
			ck_assert(islower((unsigned char)*c) || isdigit((unsigned char)*c) ||
				  *c == '_');
		for (unsigned int j = 0; j < i; j++) {
			ck_assert_str_ne(weir_drop_name(i), weir_drop_name(j));
			ck_assert_str_ne(weir_drop_text(i), weir_drop_text(j));
		}
	}
}
END_TEST

START_TEST(name_is_the_identifier)
{
#define DROP(id, name, text) check_name(#id, name, WEIR_DROP_##id);
#define check_name(id, name, value)                                                                \
	do {                                                                                       \
		ck_assert_int_eq(strcasecmp(id, name), 0);                                         \
		ck_assert_str_eq(weir_drop_name(value), name);                                     \
	} while (0)
#include "wire/drop.def"
#undef check_name
#undef DROP
}
END_TEST

START_TEST(out_of_range_is_null)
{
	ck_assert_ptr_null(weir_drop_name(WEIR_DROP_COUNT));
	ck_assert_ptr_null(weir_drop_text(WEIR_DROP_COUNT));
	ck_assert_ptr_null(weir_drop_name((unsigned int)-1));
	ck_assert_ptr_null(weir_drop_text((unsigned int)-1));
}
END_TEST

START_TEST(public_counters_have_room_for_all)
{
	ck_assert_uint_le(WEIR_DROP_COUNT, WEIR_STATS_DROPS);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, every_reason_has_a_name_and_a_sentence);
	UNIT_CASE(s, names_differ_and_suit_a_counter);
	UNIT_CASE(s, name_is_the_identifier);
	UNIT_CASE(s, out_of_range_is_null);
	UNIT_CASE(s, public_counters_have_room_for_all);
}

UNIT_MAIN("drop", add)
