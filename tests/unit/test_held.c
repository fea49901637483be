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

/* ---- blocks behind others ---- */

#define HOME 3 /* of what hold() holds, too */

/* All of them continue one another, each as if it began a block. */
static void
make_blocks(struct weir_held_pool *pool)
{
	static int home;

	make_block();
	pool->homes.pools[HOME] = (struct rte_mempool *)(void *)&home;
	for (uint32_t i = 0; i < BLOCK; i++) {
		bufs[i].buf.pool = pool->homes.pools[HOME];
		bufs[i].buf.buf_addr = bufs[i].data;
		bufs[i].buf.data_len = 4;
		rte_mbuf_refcnt_set(&bufs[i].buf, 1);
		block[i] = block[0];
		block[i].buf = &bufs[i].buf;
		block[i].seq += 4 * i;
		block[i].port = HOME - 1;
	}
}

static void
add_block(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t from, uint32_t n)
{
	ck_assert(weir_held_reserve(pool, n));
	weir_held_add_block(pool, list, &block[from], n);
}

/* Packets [from, to) of the blocks in `nodes` nodes, each with one home and its own buffers. */
static void
check_list(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t from, uint32_t to,
	   uint32_t nodes)
{
	uint32_t n = 0, last = 0;

	for (uint32_t at = list->head; at != 0; at = pool->nodes[at].next, n++) {
		const struct weir_held *held = &pool->nodes[at];

		ck_assert_uint_eq(held->seq, block[from].seq);
		ck_assert_uint_eq(held->home, HOME);
		ck_assert_uint_eq(held->len, 4);
		for (uint32_t i = 0; i < held->packets; i++, from++)
			ck_assert_ptr_eq(weir_held_data(held, i), bufs[from].data);
		last = at;
	}
	ck_assert_uint_eq(from, to);
	ck_assert_uint_eq(n, nodes);
	ck_assert_uint_eq(list->tail, last);
}

/* Blocks of any length, single segments among them, become one node as long as its row has room. */
START_TEST(blocks_continue_the_last_node)
{
	struct weir_held_list list = {0, 0};
	struct weir_held_pool pool;

	ck_assert_int_eq(weir_held_open(&pool, 300, -1), 0);
	make_blocks(&pool);
	add_block(&pool, &list, 0, 1);
	add_block(&pool, &list, 1, 5);
	add_block(&pool, &list, 6, 1);
	check_list(&pool, &list, 0, 7, 1);
	add_block(&pool, &list, 7, WEIR_HELD_ROW - 7);
	check_list(&pool, &list, 0, WEIR_HELD_ROW, 1);
	add_block(&pool, &list, WEIR_HELD_ROW, 1);
	check_list(&pool, &list, 0, WEIR_HELD_ROW + 1, 2);
	ck_assert_uint_eq(pool.used, 2);
	ck_assert_uint_eq(pool.folded, WEIR_HELD_ROW - 1);
	weir_held_unfold(&pool, &list, list.head);
	check_list(&pool, &list, 0, WEIR_HELD_ROW + 1, WEIR_HELD_ROW + 1);
	ck_assert_uint_eq(pool.folded, 0);
	weir_held_close(&pool);
}
END_TEST

/* One thing that keeps the block at `i` from being held together with what lies before it. */
static void
spoil(struct weir_seg *seg, int what)
{
	switch (what) {
	case 0: seg->seq++; break;
	case 1: seg->len++; break;
	case 2: seg->data_off++; break;
	case 3: seg->port++; break;
	case 4: rte_mbuf_refcnt_set(seg->buf, 2); break;
	default: break;
	}
}

START_TEST(other_blocks_get_nodes_of_their_own)
{
	for (int what = 0; what < 6; what++)
		for (uint32_t had = 1; had <= 3; had += 2) {
			struct weir_held_list list = {0, 0};
			struct weir_held_pool pool;

			ck_assert_int_eq(weir_held_open(&pool, 300, -1), 0);
			make_blocks(&pool);
			pool.homes.pools[HOME + 1] = pool.homes.pools[HOME];
			add_block(&pool, &list, 0, had);
			if (what == 5)
				pool.touched_rows = pool.n_rows; /* no row */
			spoil(&block[had], what);
			add_block(&pool, &list, had, 1);
			ck_assert_uint_eq(pool.used, what == 5 && had != 1 ? 1 : 2);
			ck_assert_uint_eq(pool.nodes[list.head].packets + pool.nodes[list.tail].packets,
					  what == 5 && had != 1 ? 8 : had + 1);
			weir_held_close(&pool);
		}
}
END_TEST

/* Lists behind one another: what meets in the middle becomes one node where it suits. */
START_TEST(lists_are_joined)
{
	for (uint32_t had = 0; had < 4; had++)
		for (uint32_t more = 0; more < 4; more++)
			for (uint32_t rest = 0; rest < 2 && rest <= more; rest++) {
				struct weir_held_list list = {0, 0}, next = {0, 0};
				uint32_t n = had + more + rest, nodes = (n != 0) + rest;
				struct weir_held_pool pool;

				ck_assert_int_eq(weir_held_open(&pool, 300, -1), 0);
				make_blocks(&pool);
				if (had != 0)
					add_block(&pool, &list, 0, had);
				if (more != 0)
					add_block(&pool, &next, had, more);
				if (rest != 0) {
					bufs[n - 1].buf.pool = NULL; /* stands alone */
					add_block(&pool, &next, n - 1, 1);
					pool.nodes[next.tail].home = HOME;
				}
				weir_held_join(&pool, &list, &next);
				check_list(&pool, &list, 0, n, nodes);
				ck_assert_uint_eq(pool.used, nodes);
				ck_assert_uint_eq(pool.used + pool.folded, n);
				if (had > 1 && more > 1) /* one of two rows is back */
					ck_assert_ptr_nonnull(pool.free_row);
				weir_held_close(&pool);
			}
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
	UNIT_CASE(s, blocks_continue_the_last_node);
	UNIT_CASE(s, other_blocks_get_nodes_of_their_own);
	UNIT_CASE(s, lists_are_joined);
}

UNIT_MAIN("held", add)
