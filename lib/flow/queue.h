/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive queues (TCPServers 3.1): fixed arrays of segment descriptors, taken from a pool only while
 * something is queued. Producer and consumer are the same thread, the engine's. Contents are always
 * contiguous, so a run of segments is a plain array.
 *
 * What is received and served in one poll need not be copied: a queue may be lent, its segments lying
 * where the parser wrote them. Before these are overwritten what is left of it moves to a queue of its
 * own.
 */
#ifndef WEIR_FLOW_QUEUE_H
#define WEIR_FLOW_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/seg.h"

#define WEIR_QUEUES_LENT 64 /* at the same time */

struct weir_queue {
	uint32_t head; /* first queued segment */
	uint32_t tail; /* one past the last; tail - head segments are queued */
	uint32_t next_free;
	uint32_t owner; /* flow of a queue that is lent */
	struct weir_seg *segs; /* capacity of them */
};

struct weir_queue_pool {
	struct weir_queue *queues;
	struct weir_seg *segs;
	uint32_t size;
	uint32_t capacity; /* segments of each queue */
	uint32_t free;     /* LIFO */
	uint32_t touched;
	uint32_t used;
	uint32_t lent;     /* queues[size, size + lent) have been lent, */
	uint32_t lent_out; /* so many of them are not back */
};

int weir_queue_pool_open(struct weir_queue_pool *pool, uint32_t size, uint32_t capacity, int node);
void weir_queue_pool_close(struct weir_queue_pool *pool);

/* weir_queue_take() when no queue has been given back. */
uint32_t weir_queue_take_untouched(struct weir_queue_pool *pool);

/* An empty queue, or WEIR_NONE. */
static inline uint32_t
weir_queue_take(struct weir_queue_pool *pool)
{
	uint32_t idx = pool->free;

	if (__builtin_expect(idx == UINT32_MAX, 0))
		return weir_queue_take_untouched(pool);
	pool->free = pool->queues[idx].next_free;
	pool->used++;
	return idx;
}

static inline bool
weir_queue_is_lent(const struct weir_queue_pool *pool, uint32_t idx)
{
	return idx >= pool->size && idx != UINT32_MAX;
}

/* A queue for flow `owner` that consists of the `n` segments where they lie; WEIR_NONE: none is left to
 * be lent, or one of its own could not take them. */
static inline uint32_t
weir_queue_lend(struct weir_queue_pool *pool, uint32_t owner, struct weir_seg *segs, uint32_t n)
{
	uint32_t idx = pool->size + pool->lent;

	if (__builtin_expect(pool->lent == WEIR_QUEUES_LENT || n > pool->capacity, 0))
		return UINT32_MAX;
	pool->lent++;
	pool->lent_out++;
	pool->queues[idx] = (struct weir_queue){.tail = n, .owner = owner, .segs = segs};
	return idx;
}

/* What is left in a lent queue, now in one of its own; WEIR_NONE: none is left, and it stays lent. */
uint32_t weir_queue_keep(struct weir_queue_pool *pool, uint32_t idx);

/* The queue must be empty. */
static inline void
weir_queue_give(struct weir_queue_pool *pool, uint32_t idx)
{
	struct weir_queue *queue = &pool->queues[idx];

	if (idx >= pool->size) {
		pool->lent_out--;
		return;
	}
	queue->head = 0;
	queue->tail = 0;
	queue->next_free = pool->free;
	pool->free = idx;
	pool->used--;
}

static inline uint32_t
weir_queue_len(const struct weir_queue *queue)
{
	return queue->tail - queue->head;
}

/* Move what is queued to the front: a run of segments stays a plain array. */
void weir_queue_compact(struct weir_queue *queue);

/* Append copies of the first k of `n` segments; returns k, fewer than n when `capacity` of them are
 * queued then. */
static inline uint32_t
weir_queue_push(struct weir_queue *queue, uint32_t capacity, const struct weir_seg *segs, uint32_t n)
{
	if (__builtin_expect(queue->tail + n > capacity, 0)) {
		if (queue->head != 0)
			weir_queue_compact(queue);
		if (n > capacity - queue->tail)
			n = capacity - queue->tail;
	}
	for (uint32_t i = 0; i < n; i++)
		queue->segs[queue->tail + i] = segs[i];
	queue->tail += n;
	return n;
}

/* Drop the first n segments from the queue, n <= length. */
static inline void
weir_queue_pop(struct weir_queue *queue, uint32_t n)
{
	queue->head += n;
	if (queue->head == queue->tail)
		queue->head = queue->tail = 0;
}

#endif
