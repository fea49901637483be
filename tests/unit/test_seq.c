/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/unit.h"
#include "wire/seq.h"

/* Model: 64-bit positions around a wrap, of which only the low half travels. */
#define WRAP  (UINT64_C(7) << 32)
#define REACH INT64_C(0x7fffffff) /* two numbers are less than 2^31 apart */

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void
check_pair(uint64_t a, uint64_t b)
{
	uint32_t x = (uint32_t)a, y = (uint32_t)b;
	bool right = weir_seq_diff(x, y) == (int64_t)(a - b) && weir_seq_lt(x, y) == (a < b) &&
		     weir_seq_leq(x, y) == (a <= b) &&
		     weir_seq_max(x, y) == (uint32_t)(a > b ? a : b) &&
		     weir_seq_min(x, y) == (uint32_t)(a < b ? a : b);

	/* An assertion that holds is not free either, and there are a million pairs. */
	if (!right)
		ck_abort_msg("wrong order of %#x and %#x", x, y);
}

START_TEST(pitfall_22_wrap_compare)
{
	for (int64_t i = -300; i <= 300; i++)
		for (int64_t j = -300; j <= 300; j++)
			check_pair(WRAP + (uint64_t)i, WRAP + (uint64_t)j);
}
END_TEST

START_TEST(pitfall_22_wrap_compare_far)
{
	uint64_t state = 22;

	for (int i = 0; i < 1000000; i++) {
		uint64_t a = WRAP + (next_random(&state) & 0x1ffff) - 0x10000;
		int64_t apart = (int64_t)(next_random(&state) % (2 * REACH + 1)) - REACH;

		check_pair(a, a + (uint64_t)apart);
	}
	check_pair(WRAP - 1, WRAP - 1 + REACH);
	check_pair(WRAP + REACH, WRAP);
	check_pair(WRAP + REACH / 2, WRAP - REACH / 2);
}
END_TEST

/* Whatever base the numbers have, the answer is that of the numbers without base. */
START_TEST(order_does_not_depend_on_the_base)
{
	static const uint32_t bases[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, UINT32_MAX};

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
		for (uint32_t d = 1; d < 0x80000000u && d != 0; d = d * 2 + 1) {
			ck_assert(weir_seq_lt(bases[i], bases[i] + d));
			ck_assert(!weir_seq_lt(bases[i] + d, bases[i]));
			ck_assert(!weir_seq_leq(bases[i] + d, bases[i]));
			ck_assert(weir_seq_leq(bases[i], bases[i]));
			ck_assert(!weir_seq_lt(bases[i], bases[i]));
		}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_22_wrap_compare);
	UNIT_CASE(s, pitfall_22_wrap_compare_far);
	UNIT_CASE(s, order_does_not_depend_on_the_base);
}

UNIT_MAIN("seq", add)
