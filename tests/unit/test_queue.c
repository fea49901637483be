/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/queue.h"

#include <errno.h>
#include <string.h>

#include "flow/flow.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

static struct weir_seg
seg_numbered(uint32_t seq)
{
	struct weir_seg seg;

	memset(&seg, 0, sizeof(seg));
	seg.seq = seq;
	seg.ack = ~seq;
	seg.len = seq * 3;
	seg.ttl = (uint8_t)seq;
	return seg;
}

static void
assert_numbered(const struct weir_seg *seg, uint32_t seq)
{
	struct weir_seg want = seg_numbered(seq);

	ck_assert_mem_eq(seg, &want, sizeof(want));
}

START_TEST(sizes_are_checked)
{
	struct weir_queue_pool pool;

	ck_assert_int_eq(weir_queue_pool_open(&pool, 0, 64, -1), -EINVAL);
	ck_assert_int_eq(weir_queue_pool_open(&pool, 64, 0, -1), -EINVAL);
	ck_assert_int_eq(weir_queue_pool_open(&pool, WEIR_NONE, 64, -1), -EINVAL);
	ck_assert_int_eq(weir_queue_pool_open(&pool, WEIR_NONE - WEIR_QUEUES_LENT, UINT32_MAX, -1), -ENOMEM);
	ck_assert_int_eq(weir_queue_pool_open(&pool, 1, 1, -1), 0);
	weir_queue_pool_close(&pool);
	weir_queue_pool_close(&pool);
}
END_TEST

START_TEST(pool_hands_out_each_queue_once)
{
	enum { SIZE = 300 };
	struct weir_queue_pool pool;
	uint8_t seen[SIZE] = {0};

	ck_assert_int_eq(weir_queue_pool_open(&pool, SIZE, 4, -1), 0);
	for (uint32_t i = 0; i < SIZE; i++) {
		uint32_t idx = weir_queue_take(&pool);

		ck_assert_uint_lt(idx, SIZE);
		ck_assert_uint_eq(seen[idx]++, 0);
		ck_assert_uint_eq(weir_queue_len(&pool.queues[idx]), 0);
	}
	ck_assert_uint_eq(pool.used, SIZE);
	ck_assert_uint_eq(weir_queue_take(&pool), WEIR_NONE);
	ck_assert_uint_eq(pool.used, SIZE);
	weir_queue_give(&pool, 0);
	weir_queue_give(&pool, 299);
	ck_assert_uint_eq(pool.used, SIZE - 2);
	ck_assert_uint_eq(weir_queue_take(&pool), 299);
	ck_assert_uint_eq(weir_queue_take(&pool), 0);
	ck_assert_uint_eq(weir_queue_take(&pool), WEIR_NONE);
	weir_queue_pool_close(&pool);
}
END_TEST

/* Full queues side by side: none writes into its neighbour. */
START_TEST(queues_do_not_overlap)
{
	enum { SIZE = 20, CAPACITY = 7 };
	struct weir_queue_pool pool;

	ck_assert_int_eq(weir_queue_pool_open(&pool, SIZE, CAPACITY, -1), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		weir_queue_take(&pool);
	for (uint32_t j = 0; j < CAPACITY; j++)
		for (uint32_t i = 0; i < SIZE; i++) {
			struct weir_seg seg = seg_numbered(i * 100 + j);

			ck_assert_uint_eq(weir_queue_push(&pool.queues[i], CAPACITY, &seg, 1), 1);
		}
	for (uint32_t i = 0; i < SIZE; i++)
		for (uint32_t j = 0; j < CAPACITY; j++)
			assert_numbered(&pool.queues[i].segs[j], i * 100 + j);
	weir_queue_pool_close(&pool);
}
END_TEST

/* Against a counter model: first in, first out, contiguous, refused only when truly full. */
static void
run_model(uint32_t capacity, uint64_t seed)
{
	struct weir_queue_pool pool;
	struct weir_queue *queue;
	uint32_t first = 0, next = 0;

	random_state = seed;
	ck_assert_int_eq(weir_queue_pool_open(&pool, 1, capacity, -1), 0);
	queue = &pool.queues[weir_queue_take(&pool)];
	for (int step = 0; step < 4000; step++) {
		uint32_t n = random_below(capacity + 2);

		if (random_below(2) != 0) {
			uint32_t room = capacity - (next - first);
			struct weir_seg segs[64 + 2];

			for (uint32_t i = 0; i < n; i++)
				segs[i] = seg_numbered(next + i);
			ck_assert_uint_eq(weir_queue_push(queue, capacity, segs, n), n < room ? n : room);
			next += n < room ? n : room;
		} else {
			n = n < next - first ? n : next - first;
			weir_queue_pop(queue, n);
			first += n;
		}
		ck_assert_uint_eq(weir_queue_len(queue), next - first);
		ck_assert_uint_le(queue->tail, capacity);
		for (uint32_t i = 0; i < next - first; i++)
			assert_numbered(&queue->segs[queue->head + i], first + i);
	}
	ck_assert_uint_gt(first, capacity); /* it went round */
	weir_queue_pool_close(&pool);
}

START_TEST(is_first_in_first_out)
{
	static const uint32_t capacities[] = {1, 2, 3, 20, 64};

	for (uint32_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++)
		run_model(capacities[i], i + 1);
}
END_TEST

START_TEST(pitfall_48_queue_full)
{
	enum { CAPACITY = 64 };
	struct weir_queue_pool pool;
	struct weir_queue *queue;
	struct weir_seg seg;

	ck_assert_int_eq(weir_queue_pool_open(&pool, 1, CAPACITY, -1), 0);
	queue = &pool.queues[weir_queue_take(&pool)];
	for (uint32_t i = 0; i < CAPACITY; i++) {
		seg = seg_numbered(i);
		ck_assert_uint_eq(weir_queue_push(queue, CAPACITY, &seg, 1), 1);
	}
	/* Refused, and nothing that is queued has changed. */
	seg = seg_numbered(999);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(weir_queue_push(queue, CAPACITY, &seg, 1), 0);
	ck_assert_uint_eq(weir_queue_len(queue), CAPACITY);
	for (uint32_t i = 0; i < CAPACITY; i++)
		assert_numbered(&queue->segs[queue->head + i], i);
	/* One out, one in, and only one. */
	weir_queue_pop(queue, 1);
	ck_assert_uint_eq(weir_queue_push(queue, CAPACITY, &seg, 1), 1);
	ck_assert_uint_eq(weir_queue_push(queue, CAPACITY, &seg, 1), 0);
	assert_numbered(&queue->segs[queue->head], 1);
	assert_numbered(&queue->segs[queue->tail - 1], 999);
	weir_queue_pool_close(&pool);
}
END_TEST

/* A lent queue is the segments where they lie; what is kept of it is a copy. */
START_TEST(what_is_lent_is_kept_in_time)
{
	struct weir_queue_pool pool;
	struct weir_seg segs[5];
	uint32_t lent, kept;

	memset(segs, 0, sizeof(segs));
	for (uint32_t i = 0; i < 5; i++)
		segs[i].seq = i;
	segs[2].alike = 1; /* what is copied is written out */
	segs[2].len = 1;
	segs[3].seq = 99;
	ck_assert_int_eq(weir_queue_pool_open(&pool, 1, 4, -1), 0);
	ck_assert_uint_eq(weir_queue_lend(&pool, 7, segs, 5), WEIR_NONE); /* more than one takes */
	lent = weir_queue_lend(&pool, 7, segs, 4);
	ck_assert(weir_queue_is_lent(&pool, lent));
	ck_assert_ptr_eq(pool.queues[lent].segs, segs);
	ck_assert_uint_eq(pool.queues[lent].owner, 7);
	weir_queue_pop(&pool.queues[lent], 1);
	kept = weir_queue_keep(&pool, lent);
	ck_assert(!weir_queue_is_lent(&pool, kept));
	ck_assert_uint_eq(pool.lent_out, 0);
	memset(segs, 0xee, sizeof(segs));
	ck_assert_uint_eq(weir_queue_len(&pool.queues[kept]), 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(pool.queues[kept].segs[i].seq, i + 1);
	lent = weir_queue_lend(&pool, 8, segs, 1);
	ck_assert_uint_eq(weir_queue_keep(&pool, lent), WEIR_NONE); /* there is one */
	ck_assert_uint_eq(pool.lent_out, 1);
	weir_queue_give(&pool, lent);
	ck_assert_uint_eq(pool.lent_out, 0);
	for (uint32_t i = pool.lent; i < WEIR_QUEUES_LENT; i++)
		ck_assert_uint_ne(weir_queue_lend(&pool, 9, segs, 1), WEIR_NONE);
	ck_assert_uint_eq(weir_queue_lend(&pool, 9, segs, 1), WEIR_NONE);
	weir_queue_pool_close(&pool);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, pool_hands_out_each_queue_once);
	UNIT_CASE(s, queues_do_not_overlap);
	UNIT_CASE(s, is_first_in_first_out);
	UNIT_CASE(s, pitfall_48_queue_full);
	UNIT_CASE(s, what_is_lent_is_kept_in_time);
}

UNIT_MAIN("queue", add)
