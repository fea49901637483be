/* SPDX-License-Identifier: BSD-3-Clause */
/* Medians, spreads, and whose turn it is. */
#include "../unit/unit.h"

#include <string.h>

#include "rounds.h"

static char turns[64];
static double fails_at; /* turn that fails; 0: none */

static double
take_turn(void *context)
{
	size_t n = strlen(turns);

	turns[n] = *(const char *)context;
	turns[n + 1] = '\0';
	return fails_at != 0 && (double)(n + 1) == fails_at ? -1 : (double)n;
}

START_TEST(median_of_few)
{
	struct sample sample = {0};

	ck_assert_double_eq(sample_median(&sample), 0);
	ck_assert_double_eq(sample_spread(&sample), 0);
	sample_add(&sample, 7);
	ck_assert_double_eq(sample_median(&sample), 7);
	ck_assert_double_eq(sample_spread(&sample), 0);
	sample_add(&sample, 1);
	ck_assert_double_eq(sample_median(&sample), 4);
	sample_add(&sample, 100);
	ck_assert_double_eq(sample_median(&sample), 7);
}
END_TEST

START_TEST(spread_is_of_quartiles)
{
	struct sample sample = {0};

	for (int i = 9; i > 0; i--)
		sample_add(&sample, i * 10);
	sample.values[0] = 1e9; /* an outlier moves neither */
	ck_assert_double_eq_tol(sample_median(&sample), 50, 1e-9);
	ck_assert_double_eq_tol(sample_spread(&sample), (70.0 - 30.0) / 50.0, 1e-9);
}
END_TEST

START_TEST(sample_is_bounded)
{
	struct sample sample = {0};

	for (int i = 0; i < 2 * ROUNDS_MOST; i++)
		sample_add(&sample, i);
	ck_assert_uint_eq(sample.n, ROUNDS_MOST);
	ck_assert_double_eq(sample_median(&sample), (ROUNDS_MOST - 1) / 2);
}
END_TEST

START_TEST(turns_are_abba)
{
	struct subject subjects[] = {{.round = take_turn, .context = (char[]){'a'}},
				     {.round = take_turn, .context = (char[]){'b'}},
				     {.round = take_turn, .context = (char[]){'c'}}};

	turns[0] = '\0';
	fails_at = 0;
	ck_assert(rounds_run(subjects, 3, 3));
	ck_assert_str_eq(turns, "abcabccbaabc");
	ck_assert_uint_eq(subjects[0].sample.n, 3);
	/* The first of each is not counted. */
	ck_assert_double_eq(subjects[0].sample.values[0], 3);
	ck_assert_double_eq(subjects[0].sample.values[1], 8);
	ck_assert_double_eq(subjects[2].sample.values[1], 6);
}
END_TEST

START_TEST(failure_ends_it)
{
	struct subject subjects[] = {{.round = take_turn, .context = (char[]){'a'}},
				     {.round = take_turn, .context = (char[]){'b'}}};

	turns[0] = '\0';
	fails_at = 4;
	ck_assert(!rounds_run(subjects, 2, 5));
	ck_assert_str_eq(turns, "abab");
	turns[0] = '\0';
	fails_at = 1;
	ck_assert(!rounds_run(subjects, 2, 5));
	ck_assert_str_eq(turns, "a");
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, median_of_few);
	UNIT_CASE(s, spread_is_of_quartiles);
	UNIT_CASE(s, sample_is_bounded);
	UNIT_CASE(s, turns_are_abba);
	UNIT_CASE(s, failure_ends_it);
}

UNIT_MAIN("app_bench_rounds", add)
