/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/reassembly.h"

#include <errno.h>

#include "flow/flow.h"
#include "tests/unit/reassembling.h"
#include "tests/unit/unit.h"

#define HOLES 10000

static struct reassembling it;

static uint32_t
range_at(uint32_t seq)
{
	return weir_ranges_find(&it.pool.ranges, &it.r->ranges, seq);
}

/* Every byte of [start, end) is held and is that of `copy`. */
static void
check_copy(uint32_t start, uint32_t end, uint32_t copy)
{
	uint32_t idx = range_at(start);

	ck_assert(idx != 0);
	idx = it.pool.ranges.nodes[idx].held.head;
	for (uint32_t seq = start; seq != end; seq++) {
		while (weir_seq_leq(it.held.nodes[idx].seq + it.held.nodes[idx].len, seq))
			idx = it.held.nodes[idx].next;
		ck_assert(idx != 0);
		ck_assert(reassembling_read(&it.held.nodes[idx], seq) == reassembling_byte(seq, copy));
	}
}

START_TEST(sizes_are_checked)
{
	struct weir_reass_pool pool;

	ck_assert_int_eq(weir_reass_pool_open(&pool, 0, 8, NULL, NULL, -1), -EINVAL);
	ck_assert_int_eq(weir_reass_pool_open(&pool, WEIR_NONE, 8, NULL, NULL, -1), -EINVAL);
	ck_assert_int_eq(weir_reass_pool_open(&pool, 8, 1, NULL, NULL, -1), -EINVAL);
	ck_assert_int_eq(weir_reass_pool_open(&pool, 8, 2, NULL, NULL, -1), 0);
	weir_reass_pool_close(&pool);
	weir_reass_pool_close(&pool);
}
END_TEST

START_TEST(takes_each_once_and_empty)
{
	struct weir_reass_pool pool;
	uint32_t a, b;

	ck_assert_int_eq(weir_reass_pool_open(&pool, 2, 8, NULL, NULL, -1), 0);
	a = weir_reass_take(&pool);
	b = weir_reass_take(&pool);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_lt(a | b, 2);
	ck_assert_uint_eq(weir_reass_take(&pool), WEIR_NONE);
	ck_assert_uint_eq(pool.used, 2);
	pool.items[a].dsack[1] = pool.items[a].n_recent = 3;
	weir_reass_give(&pool, a);
	weir_reass_give(&pool, b);
	ck_assert_uint_eq(weir_reass_take(&pool), b);
	ck_assert_uint_eq(weir_reass_take(&pool), a);
	ck_assert(weir_reass_empty(&pool.items[a]));
	ck_assert_uint_eq(pool.items[a].dsack[1] + pool.items[a].n_recent, 0);
	weir_reass_pool_close(&pool);
}
END_TEST

START_TEST(empty_gives_nothing)
{
	struct weir_held_list list = {0, 0};
	uint32_t bufs = 7, bytes = 7;

	reassembling_open(&it, 4, 4, 4);
	ck_assert_uint_eq(weir_reass_deliver(&it.pool, it.r, 5, &list, &bufs), 0);
	ck_assert_uint_eq(bufs + list.head + list.tail, 0);
	ck_assert_uint_eq(weir_reass_prune(&it.pool, it.r, &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	reassembling_check(&it);
	reassembling_close(&it);
}
END_TEST

START_TEST(duplicate_stays_the_callers)
{
	struct weir_seg seg;

	reassembling_open(&it, 4, 4, 4);
	ck_assert_int_eq(reassembling_insert(&it, 100, 50, 0), WEIR_REASS_HELD);
	seg = reassembling_seg(&it, 110, 40, 1, 100);
	ck_assert_int_eq(weir_reass_insert(&it.pool, it.r, &seg), WEIR_REASS_DUPLICATE);
	ck_assert_uint_eq(rte_mbuf_refcnt_read(seg.buf), 1);
	weir_buf_free(&it.bufs, seg.buf);
	reassembling_check(&it);
	check_copy(100, 150, 0);
	ck_assert_uint_eq(it.r->dsack[0], 110);
	ck_assert_uint_eq(it.r->dsack[1], 150);
	reassembling_close(&it);
}
END_TEST

/* One buffer of three segments behind three pieces: each piece is an owner, each counts them. */
START_TEST(pieces_share_a_chain)
{
	struct weir_seg seg;

	reassembling_open(&it, 4, 8, 16);
	reassembling_insert(&it, 120, 10, 0);
	reassembling_insert(&it, 160, 10, 0);
	seg = reassembling_seg(&it, 100, 100, 1, 60);
	ck_assert_uint_eq(seg.buf->nb_segs, 3);
	ck_assert_int_eq(weir_reass_insert(&it.pool, it.r, &seg), WEIR_REASS_HELD);
	for (struct rte_mbuf *buf = seg.buf; buf != NULL; buf = buf->next)
		ck_assert_uint_eq(rte_mbuf_refcnt_read(buf), 3);
	reassembling_check(&it);
	ck_assert_uint_eq(it.r->bufs, 3 * 3 + 2);
	ck_assert_uint_eq(it.held.used, 5);
	check_copy(100, 120, 1);
	check_copy(120, 130, 0);
	check_copy(130, 160, 1);
	check_copy(160, 170, 0);
	check_copy(170, 200, 1);
	/* The first piece goes, the second is cut; the buffer stays for the rest. */
	ck_assert_uint_eq(reassembling_deliver(&it, 125), 75);
	reassembling_check(&it);
	reassembling_close(&it);
}
END_TEST

/* rcv_nxt   |              |
 *           [60   70)  [80 | 90)   [95 99)    cuts the second, leaves the third */
START_TEST(deliver_cuts_what_came_in_order)
{
	struct weir_held_list list = {0, 0};
	const struct weir_held *piece;
	uint32_t bufs;

	reassembling_open(&it, 4, 8, 8);
	reassembling_insert(&it, 60, 10, 0);
	reassembling_insert(&it, 80, 5, 0);
	reassembling_insert(&it, 85, 5, 0);
	reassembling_insert(&it, 95, 4, 0);
	ck_assert_uint_eq(weir_reass_deliver(&it.pool, it.r, 59, &list, &bufs), 0);
	ck_assert_uint_eq(it.r->ranges.count, 3);
	ck_assert_uint_eq(weir_reass_deliver(&it.pool, it.r, 87, &list, &bufs), 3);
	ck_assert_uint_eq(bufs, 1);
	ck_assert_uint_eq(list.head, list.tail);
	piece = &it.held.nodes[list.head];
	ck_assert_uint_eq(piece->seq, 87);
	ck_assert_uint_eq(piece->len, 3);
	ck_assert_uint_eq(piece->next, 0);
	ck_assert_uint_eq(reassembling_read(piece, 88), reassembling_byte(88, 0));
	ck_assert_uint_eq(it.bufs.freed, 2);
	reassembling_release(&it, &list);
	reassembling_check(&it);
	ck_assert_uint_eq(it.r->ranges.count, 1);
	ck_assert_uint_eq(it.r->bytes, 4);
	reassembling_close(&it);
}
END_TEST

/* rcv_nxt at the very end of a range frees it; at its very start takes it whole. */
START_TEST(deliver_at_the_edges)
{
	reassembling_open(&it, 4, 8, 8);
	reassembling_insert(&it, 60, 10, 0);
	reassembling_insert(&it, 80, 10, 0);
	ck_assert_uint_eq(reassembling_deliver(&it, 70), 0);
	ck_assert_uint_eq(it.r->ranges.count, 1);
	ck_assert_uint_eq(reassembling_deliver(&it, 79), 0);
	ck_assert_uint_eq(reassembling_deliver(&it, 80), 10);
	ck_assert(weir_reass_empty(it.r));
	reassembling_check(&it);
	reassembling_close(&it);
}
END_TEST

/* Delivered nodes go behind what the list holds already. */
START_TEST(deliver_appends)
{
	struct weir_held_list list = {0, 0};
	uint32_t bufs;

	reassembling_open(&it, 4, 8, 8);
	reassembling_insert(&it, 100, 10, 0);
	ck_assert_uint_eq(weir_reass_deliver(&it.pool, it.r, 100, &list, &bufs), 10);
	reassembling_insert(&it, 120, 10, 0);
	reassembling_insert(&it, 110, 10, 0);
	ck_assert_uint_eq(weir_reass_deliver(&it.pool, it.r, 110, &list, &bufs), 20);
	ck_assert_uint_eq(bufs, 2);
	ck_assert_uint_eq(reassembling_check_list(&it, &list, 100, 130, &bufs), 3);
	ck_assert_uint_eq(bufs, 3);
	reassembling_release(&it, &list);
	reassembling_close(&it);
}
END_TEST

START_TEST(prune_takes_the_farthest)
{
	uint32_t bytes;

	reassembling_open(&it, 4, 8, 8);
	reassembling_insert(&it, 0xfffffff0, 8, 0);
	reassembling_insert(&it, 20, 5, 0);
	reassembling_insert(&it, 25, 5, 0);
	reassembling_insert(&it, 4, 5, 0);
	ck_assert_uint_eq(weir_reass_prune(&it.pool, it.r, &bytes), 2);
	ck_assert_uint_eq(bytes, 10);
	ck_assert_uint_eq(weir_reass_end(&it.pool, it.r, 0), 9);
	reassembling_check(&it);
	ck_assert_uint_eq(weir_reass_prune(&it.pool, it.r, &bytes), 1);
	ck_assert_uint_eq(bytes, 5);
	ck_assert_uint_eq(weir_reass_end(&it.pool, it.r, 0), 0xfffffff8);
	reassembling_close(&it);
}
END_TEST

/* ---- pitfalls ---- */

/* Five segments in all 120 orders; the first is the one at rcv_nxt, the last crosses the wrap. */
static void
arrive_in_order(const uint32_t *order, uint32_t base)
{
	static const uint32_t from[] = {0, 7, 8, 20, 33, 60};
	uint32_t rcv_nxt = base, arrived = 0, edge = 0;

	reassembling_open(&it, 8, 8, 8);
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t k = order[i], start = base + from[k], end = base + from[k + 1];

		arrived |= 1u << k;
		while (arrived & (1u << edge))
			edge++;
		if (start == rcv_nxt)
			rcv_nxt = end + reassembling_deliver(&it, end);
		else
			ck_assert(reassembling_insert(&it, start, end - start, 0) == WEIR_REASS_HELD);
		reassembling_check(&it);
		ck_assert(rcv_nxt == base + from[edge]);
	}
	ck_assert(weir_reass_empty(it.r));
	reassembling_close(&it);
}

START_TEST(pitfall_22_all_orders_across_the_wrap)
{
	static const uint32_t bases[] = {1000, 0u - 30, 0u - 33, 0u - 7, 0x80000000u - 10};
	uint32_t n = 0;

	for (uint32_t code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
		uint32_t order[5], seen = 0, rest = code;

		for (int i = 0; i < 5; i++, rest /= 5) {
			order[i] = rest % 5;
			seen |= 1u << order[i];
		}
		if (seen == 31)
			for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++, n++)
				arrive_in_order(order, bases[b]);
	}
	ck_assert_uint_eq(n, 120 * 5);
}
END_TEST

/* A segment that begins before a held range and ends behind it: both new ends stay. The same at
 * rcv_nxt: the bytes behind those that came in order stay. */
START_TEST(pitfall_23_new_bytes_of_old_segments_stay)
{
	reassembling_open(&it, 4, 8, 8);
	reassembling_insert(&it, 100, 20, 0);
	ck_assert_int_eq(reassembling_insert(&it, 90, 40, 1), WEIR_REASS_HELD);
	reassembling_check(&it);
	check_copy(90, 100, 1);
	check_copy(100, 120, 0);
	check_copy(120, 130, 1);
	/* In order up to 95, then up to 140. */
	ck_assert_int_eq(reassembling_insert(&it, 150, 20, 0), WEIR_REASS_HELD);
	ck_assert_uint_eq(reassembling_deliver(&it, 95), 35);
	ck_assert_uint_eq(reassembling_deliver(&it, 151), 19);
	reassembling_check(&it);
	reassembling_close(&it);
}
END_TEST

/* Holes are bounded by the pool alone, and all of them close. */
START_TEST(pitfall_24_many_holes)
{
	enum { N = 500 };
	uint32_t base = 0u - 2500;

	reassembling_open(&it, N, N, N + 1);
	for (uint32_t i = 0; i < N; i++)
		ck_assert(reassembling_insert(&it, base + 10 * i + 5, 5, 0) == WEIR_REASS_HELD);
	reassembling_check(&it);
	ck_assert_uint_eq(it.r->ranges.count, N);
	for (uint32_t i = 0; i < N; i++)
		ck_assert(reassembling_deliver(&it, base + 10 * i + 5) == 5);
	reassembling_check(&it);
	ck_assert(weir_reass_empty(it.r));
	reassembling_close(&it);
}
END_TEST

static uint32_t
height(uint32_t idx)
{
	const struct weir_range *range = &it.pool.ranges.nodes[idx];
	uint32_t left, right;

	if (idx == 0)
		return 0;
	left = height(range->left);
	right = height(range->right);
	return 1 + (left > right ? left : right);
}

/* Ten thousand single bytes with holes between, in the order that hurts a list most and others;
 * then one segment that overlaps them all. */
START_TEST(pitfall_25_tiny_segments)
{
	static const uint32_t steps[] = {1, HOLES - 1, 7919};
	uint32_t base = 0u - HOLES;

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct weir_seg seg;

		reassembling_open(&it, HOLES, 2 * HOLES, HOLES + 64);
		for (uint32_t i = 0; i < HOLES; i++) {
			uint32_t at = (uint32_t)((uint64_t)(i + 1) * steps[s] % HOLES);

			ck_assert(reassembling_insert(&it, base + 2 * at, 1, 0) == WEIR_REASS_HELD);
		}
		ck_assert_uint_eq(it.r->ranges.count, HOLES);
		ck_assert_uint_le(height(it.r->ranges.root), 2 * 13 + 2);
		reassembling_check(&it);
		/* A node too few for all the gaps: nothing changes. */
		seg = reassembling_seg(&it, base - 1, 2 * HOLES + 1, 1, 384);
		ck_assert_int_eq(weir_reass_insert(&it.pool, it.r, &seg), WEIR_REASS_NO_NODE);
		reassembling_check(&it);
		ck_assert_uint_eq(it.r->ranges.count, HOLES);
		weir_seg_trim_head(&seg, 1);
		ck_assert_int_eq(weir_reass_insert(&it.pool, it.r, &seg), WEIR_REASS_HELD);
		ck_assert_uint_eq(it.r->ranges.count, 1);
		ck_assert_uint_eq(it.held.used, 2 * HOLES);
		ck_assert_uint_eq(rte_mbuf_refcnt_read(seg.buf), HOLES);
		reassembling_check(&it);
		reassembling_close(&it);
	}
}
END_TEST

/* All triples of intervals over seven bytes, each with bytes of its own: the first copy stays. */
static void
overlap(uint32_t (*spans)[2], uint32_t base)
{
	uint32_t owner[8] = {0}, held = 0;

	for (uint32_t k = 0; k < 3; k++) {
		uint32_t start = spans[k][0], end = spans[k][1], fresh = 0;
		enum weir_reass_result result;

		for (uint32_t i = start; i < end; i++)
			if (owner[i] == 0) {
				owner[i] = k + 1;
				fresh++;
			}
		held += fresh;
		result = reassembling_insert(&it, base + start, end - start, k + 1);
		ck_assert(result == (fresh != 0 ? WEIR_REASS_HELD : WEIR_REASS_DUPLICATE));
		reassembling_check(&it);
		ck_assert(it.r->bytes == held);
	}
	for (uint32_t i = 0; i < 8; i++)
		if (owner[i] != 0)
			check_copy(base + i, base + i + 1, owner[i]);
		else
			ck_assert(range_at(base + i) == 0);
	weir_reass_give(&it.pool, it.idx);
	ck_assert(it.bufs.allocated == it.bufs.freed);
	ck_assert(weir_reass_take(&it.pool) == it.idx);
}

START_TEST(pitfall_26_first_copy_wins)
{
	uint32_t spans[28][2], n = 0;

	for (uint32_t start = 0; start < 7; start++)
		for (uint32_t end = start + 1; end <= 7; end++, n++) {
			spans[n][0] = start;
			spans[n][1] = end;
		}
	ck_assert_uint_eq(n, 28);
	reassembling_open(&it, 4, 8, 4);
	for (uint32_t code = 0; code < 28 * 28 * 28; code++) {
		uint32_t three[3][2];

		memcpy(three[0], spans[code % 28], sizeof(three[0]));
		memcpy(three[1], spans[code / 28 % 28], sizeof(three[1]));
		memcpy(three[2], spans[code / 28 / 28], sizeof(three[2]));
		overlap(three, 0u - 3);
	}
	reassembling_close(&it);
}
END_TEST

/* ---- shortage ---- */

/* A reassembly in the middle of its life, and one more segment than nodes are left for. */
static void
refused(uint32_t ranges, uint32_t nodes, uint32_t start, uint32_t end)
{
	struct weir_reassembly before;
	struct weir_seg seg;

	reassembling_open(&it, ranges, nodes, 8);
	reassembling_insert(&it, 100, 10, 0);
	reassembling_insert(&it, 120, 10, 0);
	reassembling_insert(&it, 105, 5, 0);
	before = *it.r;
	seg = reassembling_seg(&it, start, end - start, 1, 384);
	ck_assert_int_eq(weir_reass_insert(&it.pool, it.r, &seg), WEIR_REASS_NO_NODE);
	ck_assert_mem_eq(&before, it.r, sizeof(before));
	ck_assert_uint_eq(rte_mbuf_refcnt_read(seg.buf), 1);
	weir_buf_free(&it.bufs, seg.buf);
	reassembling_check(&it);
	check_copy(100, 110, 0);
	check_copy(120, 130, 0);
	reassembling_close(&it);
}

START_TEST(shortage_changes_nothing)
{
	refused(2, 8, 140, 150); /* no range */
	refused(8, 2, 140, 150); /* no node */
	refused(8, 2, 110, 115); /* no node, no range wanted */
	refused(8, 4, 90, 140);  /* two nodes of three */
}
END_TEST

/* What was refused for want of nodes is taken once some are back. */
START_TEST(shortage_ends)
{
	uint32_t bytes;

	reassembling_open(&it, 2, 8, 8);
	reassembling_insert(&it, 100, 10, 0);
	reassembling_insert(&it, 120, 10, 0);
	ck_assert_int_eq(reassembling_insert(&it, 80, 10, 0), WEIR_REASS_NO_NODE);
	weir_reass_prune(&it.pool, it.r, &bytes);
	ck_assert_int_eq(reassembling_insert(&it, 80, 10, 0), WEIR_REASS_HELD);
	reassembling_check(&it);
	reassembling_close(&it);
}
END_TEST

START_TEST(give_frees_everything)
{
	reassembling_open(&it, 64, 64, 64);
	for (uint32_t i = 0; i < 50; i++)
		reassembling_insert(&it, 10 * i, 5, 0);
	reassembling_insert(&it, 0, 200, 1);
	reassembling_close(&it); /* looks for leaks */
}
END_TEST

#define ROW 6 /* packets of 10 bytes */

/* A range whose packets one node holds, from `seq` on, as the path of holes leaves it. */
static void
insert_row(uint32_t seq)
{
	uint32_t idx = weir_ranges_insert(&it.pool.ranges, &it.r->ranges, seq, seq + 10 * ROW);
	struct weir_seg block[ROW];

	ck_assert_uint_ne(idx, 0);
	for (uint32_t i = 0; i < ROW; i++) {
		block[i] = reassembling_seg(&it, seq + 10 * i, 10, 0, 200);
		block[i].nb_segs = 1;
	}
	ck_assert(weir_held_reserve(&it.held, ROW));
	weir_held_add_block(&it.held, &it.pool.ranges.nodes[idx].held, block, ROW);
	it.pool.ranges.nodes[idx].bufs = ROW;
	it.r->bufs += ROW;
	it.r->bytes += 10 * ROW;
	ck_assert_uint_eq(it.held.folded, ROW - 1);
}

/* rcv_nxt anywhere in a row: what lies left of it is freed, one packet is cut, the rest moves. */
START_TEST(deliver_cuts_a_row)
{
	for (uint32_t at = 0; at <= 10 * ROW; at++) {
		struct weir_held_list list = {0, 0};
		uint32_t bufs, freed = at / 10, seq = 100 + at;

		reassembling_open(&it, 4, 8, 16);
		insert_row(100);
		ck_assert_uint_eq(weir_reass_deliver(&it.pool, it.r, seq, &list, &bufs),
				  10 * ROW - at);
		ck_assert_uint_eq(bufs, ROW - freed);
		ck_assert_uint_eq(it.bufs.freed, freed);
		ck_assert(weir_reass_empty(it.r));
		ck_assert_uint_eq(it.r->bufs + it.r->bytes, 0);
		for (uint32_t i = list.head; i != 0; i = it.held.nodes[i].next) {
			const struct weir_held *held = &it.held.nodes[i];

			for (uint32_t k = 0; k < held->packets; k++)
				for (uint32_t b = 0; b < held->len; b++, seq++)
					ck_assert_uint_eq(weir_held_data(held, k)[b],
							  reassembling_byte(seq, 0));
			ck_assert(held->next != 0 || list.tail == i);
		}
		ck_assert_uint_eq(seq, 100 + 10 * ROW);
		if (at == 0)
			weir_held_unfold(&it.held, &list, list.head);
		reassembling_release(&it, &list);
		ck_assert_uint_eq(it.held.folded, 0);
		reassembling_close(&it);
	}
}
END_TEST

/* Pruned or given back, a row is freed with all that it holds. */
START_TEST(rows_are_freed)
{
	uint32_t bytes;

	reassembling_open(&it, 4, 16, 16);
	insert_row(100);
	ck_assert_uint_eq(weir_reass_prune(&it.pool, it.r, &bytes), ROW);
	ck_assert_uint_eq(bytes, 10 * ROW);
	ck_assert_uint_eq(it.held.used + it.held.folded, 0);
	insert_row(200);
	ck_assert_ptr_null(it.held.free_row); /* the one that came back is in use */
	reassembling_close(&it);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, takes_each_once_and_empty);
	UNIT_CASE(s, empty_gives_nothing);
	UNIT_CASE(s, duplicate_stays_the_callers);
	UNIT_CASE(s, pieces_share_a_chain);
	UNIT_CASE(s, deliver_cuts_what_came_in_order);
	UNIT_CASE(s, deliver_at_the_edges);
	UNIT_CASE(s, deliver_appends);
	UNIT_CASE(s, prune_takes_the_farthest);
	UNIT_CASE(s, pitfall_22_all_orders_across_the_wrap);
	UNIT_CASE(s, pitfall_23_new_bytes_of_old_segments_stay);
	UNIT_CASE(s, pitfall_24_many_holes);
	UNIT_CASE(s, pitfall_25_tiny_segments);
	UNIT_CASE(s, pitfall_26_first_copy_wins);
	UNIT_CASE(s, shortage_changes_nothing);
	UNIT_CASE(s, shortage_ends);
	UNIT_CASE(s, give_frees_everything);
	UNIT_CASE(s, deliver_cuts_a_row);
	UNIT_CASE(s, rows_are_freed);
}

UNIT_MAIN("reassembly", add)
