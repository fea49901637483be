/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/held.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(sizes_are_checked)
{
	struct weir_held_pool pool;

	ck_assert_int_eq(weir_held_open(&pool, 0, -1), -EINVAL);
	ck_assert_int_eq(weir_held_open(&pool, 1, -1), -EINVAL);
	ck_assert_int_eq(weir_held_open(&pool, 2, -1), 0);
	ck_assert_uint_eq(weir_held_alloc(&pool), 1);
	ck_assert_uint_eq(weir_held_alloc(&pool), 0);
	weir_held_close(&pool);
	weir_held_close(&pool);
}
END_TEST

/* Every index but 0 comes once; then none; given back ones come again, the latest first. */
START_TEST(hands_out_each_node_once)
{
	enum { SIZE = 1000 };
	struct weir_held_pool pool;
	uint8_t seen[SIZE] = {0};

	ck_assert_int_eq(weir_held_open(&pool, SIZE, -1), 0);
	for (uint32_t i = 1; i < SIZE; i++) {
		uint32_t idx = weir_held_alloc(&pool);

		ck_assert_uint_gt(idx, 0);
		ck_assert_uint_lt(idx, SIZE);
		ck_assert_uint_eq(seen[idx]++, 0);
		ck_assert_uint_eq(pool.used, i);
	}
	ck_assert_uint_eq(weir_held_alloc(&pool), 0);
	ck_assert_uint_eq(pool.used, SIZE - 1);
	weir_held_free(&pool, 17);
	weir_held_free(&pool, 500);
	ck_assert_uint_eq(weir_held_alloc(&pool), 500);
	ck_assert_uint_eq(weir_held_alloc(&pool), 17);
	ck_assert_uint_eq(weir_held_alloc(&pool), 0);
	weir_held_close(&pool);
}
END_TEST

/* Alternating use of a few nodes must not walk through the whole array. */
START_TEST(reuse_touches_no_new_memory)
{
	struct weir_held_pool pool;
	uint32_t idx[4];

	ck_assert_int_eq(weir_held_open(&pool, 1 << 20, -1), 0);
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 4; i++)
			idx[i] = weir_held_alloc(&pool);
		for (int i = 0; i < 4; i++)
			weir_held_free(&pool, idx[i]);
	}
	ck_assert_uint_eq(pool.touched, 4);
	ck_assert_uint_eq(pool.used, 0);
	weir_held_close(&pool);
}
END_TEST

/* A lease names a node with its generation, which therefore survives free and alloc. */
START_TEST(generation_survives_reuse)
{
	struct weir_held_pool pool;
	uint32_t idx, again;

	ck_assert_int_eq(weir_held_open(&pool, 8, -1), 0);
	idx = weir_held_alloc(&pool);
	ck_assert_uint_eq(pool.nodes[idx].gen, 0);
	pool.nodes[idx].gen = 41;
	memset(&pool.nodes[idx], 0xff, offsetof(struct weir_held, gen));
	pool.nodes[idx].gen++;
	weir_held_free(&pool, idx);
	again = weir_held_alloc(&pool);
	ck_assert_uint_eq(again, idx);
	ck_assert_uint_eq(pool.nodes[idx].gen, 42);
	weir_held_close(&pool);
}
END_TEST

START_TEST(append_keeps_order)
{
	struct weir_held_pool pool;
	struct weir_held_list list = {0, 0};
	uint32_t at, n = 0;

	ck_assert_int_eq(weir_held_open(&pool, 16, -1), 0);
	for (uint32_t i = 0; i < 10; i++) {
		uint32_t idx = weir_held_alloc(&pool);

		pool.nodes[idx].seq = i;
		weir_held_append(&pool, &list, idx);
		ck_assert_uint_eq(list.tail, idx);
	}
	for (at = list.head; at != 0; at = pool.nodes[at].next)
		ck_assert_uint_eq(pool.nodes[at].seq, n++);
	ck_assert_uint_eq(n, 10);
	weir_held_close(&pool);
}
END_TEST

START_TEST(pitfall_09_more_than_65536_nodes)
{
	enum { N = 200000 };
	struct weir_held_pool pool;

	ck_assert_int_eq(weir_held_open(&pool, N + 1, -1), 0);
	for (uint32_t i = 0; i < N; i++) {
		uint32_t idx = weir_held_alloc(&pool);

		ck_assert_uint_ne(idx, 0);
		ck_assert_uint_eq(pool.nodes[idx].seq, 0); /* never handed out before */
		pool.nodes[idx].seq = idx;
	}
	for (uint32_t idx = 1; idx <= N; idx++)
		ck_assert_uint_eq(pool.nodes[idx].seq, idx);
	ck_assert_uint_eq(weir_held_alloc(&pool), 0);
	weir_held_close(&pool);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, hands_out_each_node_once);
	UNIT_CASE(s, reuse_touches_no_new_memory);
	UNIT_CASE(s, generation_survives_reuse);
	UNIT_CASE(s, append_keeps_order);
	UNIT_CASE(s, pitfall_09_more_than_65536_nodes);
}

UNIT_MAIN("held", add)
