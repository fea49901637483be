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

/* ---- blocks ---- */

#define BLOCK 48

static struct weir_seg block[BLOCK];
static struct {
	struct rte_mbuf buf;
	uint8_t data[4];
} bufs[BLOCK];

static void
make_block(void)
{
	memset(bufs, 0, sizeof(bufs));
	for (uint32_t i = 0; i < BLOCK; i++) {
		bufs[i].buf.nb_segs = 1;
		block[i].buf = &bufs[i].buf;
	}
	block[0].len = 4;
	block[0].seq = 0xfffffffa;
	block[0].nb_segs = 1;
}

/* A node that holds as many of the block's first `n` as it can; returns how many. */
static uint32_t
hold(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t n)
{
	uint32_t idx = weir_held_alloc(pool);

	ck_assert_uint_ne(idx, 0);
	weir_held_set(&pool->nodes[idx], block[0].buf, bufs[0].data, block[0].len, block[0].seq, 3);
	weir_held_append(pool, list, idx);
	return weir_held_fold(pool, &pool->nodes[idx], block, n);
}

/* Folded and unfolded, first, between or last in its list. */
START_TEST(a_block_is_folded_and_unfolded)
{
	struct weir_held_pool pool;

	make_block();
	ck_assert_int_eq(weir_held_open(&pool, 300, -1), 0);
	for (uint32_t place = 0; place < 3; place++) {
		struct weir_held_list list = {0, 0};
		uint32_t idx, n = 0;

		for (uint32_t i = 0; i < 3; i++)
			ck_assert_uint_eq(hold(&pool, &list, 5), 5);
		ck_assert_uint_eq(pool.used, 3);
		ck_assert_uint_eq(pool.folded, 12);
		idx = list.head;
		for (uint32_t i = 0; i < place; i++)
			idx = pool.nodes[idx].next;
		ck_assert_uint_eq(weir_held_bytes(&pool.nodes[idx]), 20);
		ck_assert_uint_eq(weir_held_bufs(&pool.nodes[idx]), 5);
		ck_assert_ptr_eq(weir_held_data(&pool.nodes[idx], 4), bufs[4].data);
		weir_held_unfold(&pool, &list, idx);
		ck_assert_uint_eq(pool.used, 7);
		ck_assert_uint_eq(pool.folded, 8);
		for (uint32_t at = list.head; at != 0; at = pool.nodes[at].next) {
			const struct weir_held *held = &pool.nodes[at];

			ck_assert_uint_eq(held->home, 3);
			ck_assert_uint_eq(held->len, 4);
			if (held->packets == 1) {
				ck_assert_ptr_eq(held->buf, &bufs[n - place].buf);
				ck_assert_ptr_eq(held->data, bufs[n - place].data);
				ck_assert_uint_eq(held->seq, 0xfffffffa + 4 * (n - place));
			}
			ck_assert(held->next != 0 || list.tail == at);
			n++;
		}
		ck_assert_uint_eq(n, 7);
		weir_held_close(&pool);
		ck_assert_int_eq(weir_held_open(&pool, 300, -1), 0);
	}
	weir_held_close(&pool);
}
END_TEST

/* A block is as long as a row at most; without rows there are none, and rows come back. */
START_TEST(rows_bound_what_is_folded)
{
	struct weir_held_pool pool;
	struct weir_held_list list = {0, 0};
	uint32_t n = 0;

	make_block();
	ck_assert_int_eq(weir_held_open(&pool, 1000, -1), 0);
	ck_assert_uint_eq(hold(&pool, &list, BLOCK), WEIR_HELD_ROW);
	ck_assert_uint_eq(pool.folded, WEIR_HELD_ROW - 1);
	while (hold(&pool, &list, 2) == 2)
		n++;
	ck_assert_uint_eq(n, pool.n_rows - 1);
	for (uint32_t i = list.head; i != 0; i = pool.nodes[i].next) {
		ck_assert_uint_ge(pool.nodes[i].packets, 1);
		if (pool.nodes[i].packets > 1) {
			ck_assert_ptr_eq(pool.nodes[i].row->bufs[1], &bufs[1].buf);
			weir_held_drop_row(&pool, &pool.nodes[i]);
		}
	}
	ck_assert_uint_eq(pool.folded, 0);
	for (uint32_t i = 0; i <= n; i++)
		ck_assert_uint_eq(hold(&pool, &list, 2), 2);
	ck_assert_uint_eq(hold(&pool, &list, 2), 1);
	weir_held_close(&pool);
}
END_TEST

/* What is folded can always be unfolded: it counts as if it had its nodes. */
START_TEST(folded_packets_count_as_nodes)
{
	struct weir_held_pool pool;
	struct weir_held_list list = {0, 0};

	make_block();
	ck_assert_int_eq(weir_held_open(&pool, 21, -1), 0);
	ck_assert(weir_held_reserve(&pool, 15));
	ck_assert_uint_eq(hold(&pool, &list, 15), 15);
	ck_assert(!weir_held_reserve(&pool, 6));
	ck_assert(weir_held_reserve(&pool, 5));
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_uint_ne(weir_held_alloc(&pool), 0);
	ck_assert_uint_eq(weir_held_alloc(&pool), 0);
	weir_held_unfold(&pool, &list, list.head);
	ck_assert_uint_eq(pool.used, 20);
	ck_assert_uint_eq(pool.folded, 0);
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
	UNIT_CASE(s, a_block_is_folded_and_unfolded);
	UNIT_CASE(s, rows_bound_what_is_folded);
	UNIT_CASE(s, folded_packets_count_as_nodes);
}

UNIT_MAIN("held", add)
