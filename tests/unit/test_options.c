/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/unit/unit.h"
#include "wire/options.h"

#define OPTIONS_MAX 40

/* Read from heap memory of exactly `len` bytes, so that a sanitizer sees a read beyond. */
static struct weir_tcp_options
read_exact(const uint8_t *bytes, uint32_t len)
{
	uint8_t *copy = malloc(len != 0 ? len : 1);
	struct weir_tcp_options out;

	if (len != 0)
		memcpy(copy, bytes, len);
	memset(&out, 0xee, sizeof(out));
	weir_tcp_options_read(len != 0 ? copy : NULL, len, &out);
	free(copy);
	return out;
}

#define READ(...) read_exact((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

START_TEST(no_options_leave_nothing)
{
	struct weir_tcp_options out = read_exact(NULL, 0);

	ck_assert(!out.malformed && !out.has_ts && !out.has_wscale && !out.sack_permitted);
	ck_assert_uint_eq(out.mss, 0);
	ck_assert_uint_eq(out.wscale, 0);
	ck_assert_uint_eq(out.tsval, 0);
}
END_TEST

START_TEST(full_syn)
{
	struct weir_tcp_options out = READ(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xde, 0xad, 0xbe, 0xef,
					   0x01, 0x02, 0x03, 0x04, 1, 3, 3, 7);

	ck_assert(!out.malformed);
	ck_assert_uint_eq(out.mss, 1460);
	ck_assert(out.sack_permitted);
	ck_assert(out.has_ts);
	ck_assert_uint_eq(out.tsval, 0xdeadbeef);
	ck_assert_uint_eq(out.tsecr, 0x01020304);
	ck_assert(out.has_wscale);
	ck_assert_uint_eq(out.wscale, 7);
}
END_TEST

/* The layout that is told at a glance, with each of its bytes changed in every way, against the same
 * list walked because more follows. */
START_TEST(usual_syn_is_no_exception)
{
	const uint8_t usual[20] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0xde, 0xad,
				   0xbe, 0xef, 1, 2, 3, 4, 1, 3, 3, 7};

	for (uint32_t at = 0; at < 20; at++)
		for (uint32_t byte = 0; byte < 256; byte++) {
			uint8_t bytes[24] = {0};
			struct weir_tcp_options short_list, long_list;

			memcpy(bytes, usual, sizeof(usual));
			bytes[at] = (uint8_t)byte;
			short_list = read_exact(bytes, 20);
			if (short_list.malformed) /* what follows would be read instead */
				continue;
			long_list = read_exact(bytes, 24);
			ck_assert_int_eq(memcmp(&short_list, &long_list, sizeof(short_list)), 0);
		}
}
END_TEST

START_TEST(end_of_list_ends)
{
	struct weir_tcp_options out = READ(1, 0, 2, 4, 5, 6, 8, 0);

	ck_assert(!out.malformed);
	ck_assert_uint_eq(out.mss, 0);
}
END_TEST

START_TEST(unknown_options_are_skipped)
{
	struct weir_tcp_options out =
	    READ(254, 6, 2, 4, 9, 9, 30, 2, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8, 2, 4, 1, 0);

	ck_assert(!out.malformed);
	ck_assert_uint_eq(out.mss, 256);
}
END_TEST

/* (kind, len) alone, then in front of an MSS option, at every room behind it. */
static void
check_pair(uint8_t kind, uint8_t len, uint32_t room)
{
	uint8_t bytes[OPTIONS_MAX];
	struct weir_tcp_options out;
	bool ends, right;

	memset(bytes, 1, sizeof(bytes));
	bytes[0] = kind;
	if (room > 1)
		bytes[1] = len;
	out = read_exact(bytes, room);
	if (kind == 0) {
		ck_assert(!out.malformed);
		return;
	}
	if (kind == 1) /* len is the next kind then */
		return;
	ends = room < 2 || len < 2 || len > room;
	right = out.malformed == ends && out.has_ts == (!ends && kind == 8 && len == 10) &&
		out.has_wscale == (!ends && kind == 3 && len == 3) &&
		out.sack_permitted == (!ends && kind == 4 && len == 2) &&
		out.mss == (!ends && kind == 2 && len == 4 ? 0x0101 : 0);
	if (!right)
		ck_abort_msg("kind %u, length %u, room %u", kind, len, room);
}

START_TEST(pitfall_01_every_kind_and_length)
{
	for (unsigned int kind = 0; kind < 256; kind++)
		for (unsigned int len = 0; len < 256; len++)
			for (uint32_t room = 1; room <= OPTIONS_MAX; room += room < 12 ? 1 : 7)
				check_pair((uint8_t)kind, (uint8_t)len, room);
}
END_TEST

/* All forty bytes the same pair: lengths 0 and 1 must stop the walk at once. */
START_TEST(pitfall_01_repeated_pairs_end)
{
	uint8_t bytes[OPTIONS_MAX];

	for (unsigned int kind = 0; kind < 256; kind++)
		for (unsigned int len = 0; len < 256; len++) {
			struct weir_tcp_options out;

			for (uint32_t i = 0; i < OPTIONS_MAX; i++)
				bytes[i] = (uint8_t)(i & 1 ? len : kind);
			out = read_exact(bytes, OPTIONS_MAX);
			if (kind > 1 && len < 2 && !out.malformed)
				ck_abort_msg("kind %u, length %u", kind, len);
		}
}
END_TEST

START_TEST(pitfall_02_option_past_the_end)
{
	static const uint8_t syn[] = {2, 4, 5, 0xb4, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 3, 3, 7};
	/* Where the walk stands between two options: the end of each. */
	for (uint32_t len = 0; len <= sizeof(syn); len++) {
		struct weir_tcp_options out = read_exact(syn, len);

		ck_assert_int_eq(out.malformed, len != 0 && len != 4 && len != 14 && len != 17);
		ck_assert_uint_eq(out.mss, len >= 4 ? 1460 : 0);
		ck_assert_int_eq(out.has_ts, len >= 14);
		ck_assert_int_eq(out.has_wscale, len >= 17);
	}
}
END_TEST

START_TEST(pitfall_02_lone_kind_at_the_end)
{
	for (unsigned int kind = 2; kind < 256; kind++) {
		struct weir_tcp_options out = READ(1, 1, 1, (uint8_t)kind);

		ck_assert(out.malformed);
	}
	ck_assert(!READ(1, 1, 1, 0).malformed);
	ck_assert(!READ(1, 1, 1, 1).malformed);
}
END_TEST

START_TEST(pitfall_07_window_scale)
{
	for (unsigned int shift = 0; shift < 256; shift++) {
		struct weir_tcp_options out = READ(3, 3, (uint8_t)shift);

		ck_assert(out.has_wscale);
		ck_assert_uint_eq(out.wscale, shift > 14 ? 14 : shift);
	}
	ck_assert(!READ(2, 4, 5, 0xb4).has_wscale);
	ck_assert(!READ(3, 4, 7, 1).has_wscale);
	ck_assert(!READ(3, 2, 7, 2).has_wscale);
}
END_TEST

START_TEST(pitfall_07_mss)
{
	ck_assert_uint_eq(READ(2, 4, 0, 0).mss, 0);
	ck_assert(!READ(2, 4, 0, 0).malformed);
	ck_assert_uint_eq(READ(2, 4, 0, 1).mss, 1);
	ck_assert_uint_eq(READ(2, 4, 0xff, 0xff).mss, 65535);
	ck_assert_uint_eq(READ(2, 3, 5).mss, 0);
	ck_assert_uint_eq(READ(2, 5, 5, 0xb4, 0).mss, 0);
}
END_TEST

START_TEST(pitfall_07_wrong_lengths_are_skipped)
{
	struct weir_tcp_options out = READ(4, 3, 0, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 12, 1, 2, 3, 4, 5,
					   6, 7, 8, 9, 10, 2, 4, 0x10, 0);

	ck_assert(!out.malformed && !out.sack_permitted && !out.has_ts);
	ck_assert_uint_eq(out.mss, 4096);
}
END_TEST

/* What stood before the damage counts. */
START_TEST(malformed_keeps_what_was_read)
{
	struct weir_tcp_options out = READ(2, 4, 5, 0xb4, 4, 2, 8, 1, 9, 9);

	ck_assert(out.malformed);
	ck_assert_uint_eq(out.mss, 1460);
	ck_assert(out.sack_permitted);
	ck_assert(!out.has_ts);
}
END_TEST

/* Random bytes: the walk ends and never reads outside (the copy is exact). */
START_TEST(random_bytes_end)
{
	uint64_t state = 88172645463325252ull;
	uint8_t bytes[OPTIONS_MAX];

	for (int i = 0; i < 300000; i++) {
		for (int j = 0; j < OPTIONS_MAX; j++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			/* Small numbers are where the walk makes decisions. */
			bytes[j] = (uint8_t)(state & 0x100 ? state & 0x0f : state >> 24);
		}
		if (read_exact(bytes, (uint32_t)(state % 41)).wscale > 14)
			ck_abort_msg("window scale in round %d", i);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, no_options_leave_nothing);
	UNIT_CASE(s, full_syn);
	UNIT_CASE(s, usual_syn_is_no_exception);
	UNIT_CASE(s, end_of_list_ends);
	UNIT_CASE(s, unknown_options_are_skipped);
	UNIT_CASE(s, pitfall_01_every_kind_and_length);
	UNIT_CASE(s, pitfall_01_repeated_pairs_end);
	UNIT_CASE(s, pitfall_02_option_past_the_end);
	UNIT_CASE(s, pitfall_02_lone_kind_at_the_end);
	UNIT_CASE(s, pitfall_07_window_scale);
	UNIT_CASE(s, pitfall_07_mss);
	UNIT_CASE(s, pitfall_07_wrong_lengths_are_skipped);
	UNIT_CASE(s, malformed_keeps_what_was_read);
	UNIT_CASE(s, random_bytes_end);
}

UNIT_MAIN("options", add)
