/* SPDX-License-Identifier: BSD-3-Clause */
/* SACK ranges against one flag per byte, around the wrap of the sequence space. */
#include <string.h>

#include "app/generator/scoreboard.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#define SPACE 400

static struct scoreboard board;
static bool arrived[SPACE + 1];
static uint32_t base, una;
static void
model_hole(uint32_t from)
{
	uint32_t start, end, at = from, stop;
	bool found = scoreboard_hole(&board, base + from, &start, &end);

	while (at < SPACE && arrived[at])
		at++;
	for (stop = at; stop < SPACE && !arrived[stop];)
		stop++;
	ck_assert(found == (stop < SPACE));
	ck_assert(!found || (start == base + at && end == base + stop));
}

static void
model_queries(void)
{
	uint32_t from = una + random_below(SPACE - una), at = from, bytes = 0;

	model_hole(from);
	while (at < SPACE && arrived[at])
		at++;
	ck_assert(scoreboard_skip(&board, base + from) == base + at);
	for (uint32_t i = una; i < SPACE; i++)
		bytes += arrived[i];
	ck_assert(scoreboard_bytes(&board) == bytes);
	for (at = from + 1; at < SPACE && !(arrived[at] && !arrived[at - 1]);)
		at++;
	ck_assert(scoreboard_until(&board, base + from, base + SPACE) == base + at);
}

static void
check_shape(void)
{
	for (uint32_t i = 0; i < board.n; i++) {
		ck_assert((int32_t)(board.ranges[i][1] - board.ranges[i][0]) > 0);
		ck_assert(i == 0 || (int32_t)(board.ranges[i][0] - board.ranges[i - 1][1]) > 0);
	}
}

/* Few enough ranges that none is forgotten. */
START_TEST(like_a_flag_per_byte)
{
	for (uint32_t round = 0; round < 2000; round++) {
		base = 0u - random_below(2 * SPACE);
		una = 0;
		scoreboard_reset(&board);
		memset(arrived, 0, sizeof(arrived));
		for (uint32_t i = 0; i < SCOREBOARD_RANGES; i++) {
			uint32_t start = una + random_below(SPACE - una), len = 1 + random_below(20);
			uint32_t end = start + len < SPACE ? start + len : SPACE;

			scoreboard_add(&board, base + start, base + end);
			memset(arrived + start, 1, end - start);
			if (random_below(8) == 0 && una + 30 < SPACE) {
				una += random_below(20);
				scoreboard_advance(&board, base + una);
				memset(arrived, 0, una);
			}
			check_shape();
			model_queries();
		}
	}
}
END_TEST

/* The rightmost go first; what is left is right. */
START_TEST(too_many_ranges)
{
	scoreboard_reset(&board);
	for (uint32_t i = 0; i < 2 * SCOREBOARD_RANGES; i++)
		scoreboard_add(&board, 1000 + 10 * i, 1005 + 10 * i);
	ck_assert_uint_eq(board.n, SCOREBOARD_RANGES);
	ck_assert_uint_eq(board.ranges[SCOREBOARD_RANGES - 1][0],
			  1000 + 10 * (SCOREBOARD_RANGES - 1));
	scoreboard_add(&board, 500, 505);
	ck_assert_uint_eq(board.n, SCOREBOARD_RANGES);
	ck_assert_uint_eq(board.ranges[0][0], 500);
	ck_assert_uint_eq(board.ranges[SCOREBOARD_RANGES - 1][0],
			  1000 + 10 * (SCOREBOARD_RANGES - 2));
	scoreboard_add(&board, 505, 1000); /* joins */
	ck_assert_uint_eq(board.n, SCOREBOARD_RANGES - 1);
	ck_assert_uint_eq(board.ranges[0][0], 500);
	ck_assert_uint_eq(board.ranges[0][1], 1005);
}
END_TEST

START_TEST(nothing_is_no_range)
{
	scoreboard_reset(&board);
	scoreboard_add(&board, 10, 10);
	scoreboard_add(&board, 10, 9);
	ck_assert_uint_eq(board.n, 0);
	ck_assert_uint_eq(scoreboard_skip(&board, 5), 5);
	ck_assert_uint_eq(scoreboard_until(&board, 5, 7), 7);
	ck_assert_uint_eq(scoreboard_bytes(&board), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, like_a_flag_per_byte);
	UNIT_CASE(s, too_many_ranges);
	UNIT_CASE(s, nothing_is_no_range);
}

UNIT_MAIN("scoreboard", add)
