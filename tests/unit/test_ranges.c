/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/ranges.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wire/seq.h"

#define HOLES 10000

static struct weir_range_pool pool;
static struct weir_ranges set;

static void
open_pool(uint32_t size)
{
	memset(&set, 0, sizeof(set));
	ck_assert_int_eq(weir_range_pool_open(&pool, size, -1), 0);
}

/* Height of a subtree; on the way order and balance are checked and nodes counted. */
static uint32_t
walk(uint32_t idx, const uint32_t **after, uint32_t *count)
{
	const struct weir_range *range = &pool.nodes[idx];
	uint32_t left, right, right_level = pool.nodes[range->right].level;

	if (idx == 0)
		return 0;
	ck_assert(range->level == pool.nodes[range->left].level + 1);
	ck_assert(range->level == right_level || range->level == right_level + 1);
	ck_assert(pool.nodes[pool.nodes[range->right].right].level < range->level);
	left = walk(range->left, after, count);
	ck_assert(weir_seq_lt(range->start, range->end));
	ck_assert(*after == NULL || weir_seq_leq(**after, range->start));
	*after = &range->end;
	(*count)++;
	right = walk(range->right, after, count);
	return 1 + (left > right ? left : right);
}

static void
check_tree(void)
{
	const uint32_t *after = NULL;
	uint32_t count = 0, height = walk(set.root, &after, &count), log2 = 0;

	while (count >> log2 > 1)
		log2++;
	ck_assert(count == set.count);
	ck_assert(count == pool.used);
	ck_assert(height <= 2 * log2 + 2);
	/* The one that means none is never written. */
	ck_assert((pool.nodes[0].level | pool.nodes[0].left | pool.nodes[0].right) == 0);
}

START_TEST(sizes_are_checked)
{
	ck_assert_int_eq(weir_range_pool_open(&pool, 0, -1), -EINVAL);
	ck_assert_int_eq(weir_range_pool_open(&pool, 1, -1), -EINVAL);
	open_pool(2);
	ck_assert_uint_eq(weir_ranges_insert(&pool, &set, 5, 9), 1);
	ck_assert_uint_eq(weir_ranges_insert(&pool, &set, 15, 19), 0);
	check_tree();
	weir_range_pool_close(&pool);
	weir_range_pool_close(&pool);
}
END_TEST

START_TEST(empty_set_finds_nothing)
{
	open_pool(8);
	ck_assert_uint_eq(weir_ranges_first(&pool, &set), 0);
	ck_assert_uint_eq(weir_ranges_last(&pool, &set), 0);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 0), 0);
	ck_assert_uint_eq(weir_ranges_after(&pool, &set, 0), 0);
	weir_range_pool_close(&pool);
}
END_TEST

/*        [10      20)      [30  31)
 *      9  10 ... 19  20 ... 30  31 */
START_TEST(intervals_are_half_open)
{
	uint32_t a, b;

	open_pool(8);
	b = weir_ranges_insert(&pool, &set, 30, 31);
	a = weir_ranges_insert(&pool, &set, 10, 20);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 9), 0);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 10), a);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 19), a);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 20), 0);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 30), b);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 31), 0);
	ck_assert_uint_eq(weir_ranges_after(&pool, &set, 9), a);
	ck_assert_uint_eq(weir_ranges_after(&pool, &set, 19), a);
	ck_assert_uint_eq(weir_ranges_after(&pool, &set, 20), b);
	ck_assert_uint_eq(weir_ranges_after(&pool, &set, 31), 0);
	ck_assert_uint_eq(weir_ranges_first(&pool, &set), a);
	ck_assert_uint_eq(weir_ranges_last(&pool, &set), b);
	weir_range_pool_close(&pool);
}
END_TEST

START_TEST(new_range_holds_nothing)
{
	const struct weir_range *range;
	uint32_t idx;

	open_pool(2);
	idx = weir_ranges_insert(&pool, &set, 1, 2);
	pool.nodes[idx].bufs = 7;
	pool.nodes[idx].held.head = pool.nodes[idx].held.tail = 7;
	weir_ranges_remove(&pool, &set, idx);
	ck_assert_uint_eq(weir_ranges_insert(&pool, &set, 3, 4), idx);
	range = &pool.nodes[idx];
	ck_assert_uint_eq(range->bufs | range->held.head | range->held.tail, 0);
	weir_range_pool_close(&pool);
}
END_TEST

/* Alternating use of a few nodes must not walk through the whole array. */
START_TEST(reuse_touches_no_new_memory)
{
	open_pool(1 << 20);
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t a = weir_ranges_insert(&pool, &set, 10 * i, 10 * i + 1);
		uint32_t b = weir_ranges_insert(&pool, &set, 10 * i + 5, 10 * i + 6);

		weir_ranges_remove(&pool, &set, a);
		weir_ranges_remove(&pool, &set, b);
	}
	ck_assert_uint_eq(pool.touched, 2);
	ck_assert_uint_eq(pool.used, 0);
	weir_range_pool_close(&pool);
}
END_TEST

START_TEST(empty_pool_changes_nothing)
{
	enum { SIZE = 64 };

	open_pool(SIZE);
	for (uint32_t i = 1; i < SIZE; i++)
		ck_assert_uint_ne(weir_ranges_insert(&pool, &set, 10 * i, 10 * i + 5), 0);
	ck_assert_uint_eq(weir_ranges_insert(&pool, &set, 7, 8), 0);
	check_tree();
	ck_assert_uint_eq(set.count, SIZE - 1);
	ck_assert_uint_eq(weir_ranges_find(&pool, &set, 7), 0);
	weir_ranges_remove(&pool, &set, weir_ranges_first(&pool, &set));
	ck_assert_uint_ne(weir_ranges_insert(&pool, &set, 7, 8), 0);
	check_tree();
	weir_range_pool_close(&pool);
}
END_TEST

/* ---- against a plain array ---- */

enum { SLOTS = 96, SLOT = 64 };

/* Slot i of the model covers [base + i * SLOT, + SLOT) and holds at most one range. */
static uint32_t slots[SLOTS], starts[SLOTS], ends[SLOTS], base;

static uint32_t
model_after(uint32_t seq)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		if (slots[i] != 0 && (int32_t)(ends[i] - seq) > 0)
			return i;
	return SLOTS;
}

static void
check_lookups(uint32_t seq)
{
	uint32_t i = model_after(seq);
	uint32_t after = i < SLOTS ? slots[i] : 0;

	ck_assert(weir_ranges_after(&pool, &set, seq) == after);
	if (after != 0 && (int32_t)(starts[i] - seq) > 0)
		after = 0;
	ck_assert(weir_ranges_find(&pool, &set, seq) == after);
}

static void
check_ends(void)
{
	uint32_t first = 0, last = 0;

	for (uint32_t i = 0; i < SLOTS; i++) {
		if (slots[i] == 0)
			continue;
		ck_assert(pool.nodes[slots[i]].start == starts[i]);
		ck_assert(pool.nodes[slots[i]].end == ends[i]);
		first = first != 0 ? first : slots[i];
		last = slots[i];
	}
	ck_assert(weir_ranges_first(&pool, &set) == first);
	ck_assert(weir_ranges_last(&pool, &set) == last);
}

/* A range comes where there is none; one that is there goes, or moves its edges in place. */
static void
change_slot(uint32_t i)
{
	uint32_t from = base + i * SLOT;

	if (slots[i] != 0 && random_below(2) == 0) {
		weir_ranges_remove(&pool, &set, slots[i]);
		slots[i] = 0;
		return;
	}
	starts[i] = from + random_below(SLOT);
	ends[i] = starts[i] + 1 + random_below(from + SLOT - starts[i]);
	if (slots[i] == 0)
		slots[i] = weir_ranges_insert(&pool, &set, starts[i], ends[i]);
	ck_assert(slots[i] != 0);
	pool.nodes[slots[i]].start = starts[i];
	pool.nodes[slots[i]].end = ends[i];
}

static void
run_model(uint32_t at, uint64_t seed)
{
	open_pool(SLOTS + 1);
	memset(slots, 0, sizeof(slots));
	base = at;
	random_state = seed;
	for (uint32_t op = 0; op < 20000; op++) {
		change_slot(random_below(op & 4096 ? 12 : SLOTS));
		check_tree();
		check_ends();
		for (int i = 0; i < 4; i++)
			check_lookups(base - 8 + random_below(SLOTS * SLOT + 16));
	}
	weir_range_pool_close(&pool);
}

START_TEST(agrees_with_a_model)
{
	run_model(1000, 1);
	run_model(0x80000000u - SLOTS * SLOT / 2, 2);
}
END_TEST

START_TEST(pitfall_22_ranges_across_the_wrap)
{
	run_model(0u - SLOTS * SLOT / 2, 3);
	run_model(0u - SLOT / 2, 4);
}
END_TEST

/* ---- many holes ---- */

/* The i-th of HOLES to come, each once: 7919 is prime. */
static uint32_t
nth(uint32_t order, uint32_t i)
{
	switch (order) {
	case 0:
		return i;
	case 1:
		return HOLES - 1 - i;
	default:
		return (uint32_t)((uint64_t)i * 7919 % HOLES);
	}
}

static void
fill_and_empty(uint32_t order)
{
	open_pool(HOLES + 1);
	for (uint32_t i = 0; i < HOLES; i++) {
		uint32_t seq = 0u - HOLES + 2 * nth(order, i);

		ck_assert(weir_ranges_insert(&pool, &set, seq, seq + 1) != 0);
		if ((i & (i + 1)) == 0)
			check_tree();
	}
	check_tree();
	ck_assert(set.count == HOLES);
	for (uint32_t i = 0; i < HOLES; i++) {
		uint32_t seq = 0u - HOLES + 2 * nth((order + 1) % 3, i);

		weir_ranges_remove(&pool, &set, weir_ranges_find(&pool, &set, seq));
		if (i % 97 == 0)
			check_tree();
	}
	check_tree();
	ck_assert(set.root == 0);
	weir_range_pool_close(&pool);
}

START_TEST(pitfall_25_height_is_logarithmic)
{
	for (uint32_t order = 0; order < 3; order++)
		fill_and_empty(order);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, empty_set_finds_nothing);
	UNIT_CASE(s, intervals_are_half_open);
	UNIT_CASE(s, new_range_holds_nothing);
	UNIT_CASE(s, reuse_touches_no_new_memory);
	UNIT_CASE(s, empty_pool_changes_nothing);
	UNIT_CASE(s, agrees_with_a_model);
	UNIT_CASE(s, pitfall_22_ranges_across_the_wrap);
	UNIT_CASE(s, pitfall_25_height_is_logarithmic);
}

UNIT_MAIN("ranges", add)
