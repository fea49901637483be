/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/queue.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "flow/arena.h"
#include "flow/flow.h"

static size_t
segs_bytes(const struct weir_queue_pool *pool)
{
	return (size_t)pool->size * pool->capacity * sizeof(struct weir_seg);
}

int
weir_queue_pool_open(struct weir_queue_pool *pool, uint32_t size, uint32_t capacity, int node)
{
	size_t room;

	if (size == 0 || size == WEIR_NONE || capacity == 0)
		return -EINVAL;
	if (__builtin_mul_overflow((size_t)size * sizeof(struct weir_seg), capacity, &room))
		return -ENOMEM;
	*pool = (struct weir_queue_pool){.size = size, .capacity = capacity, .free = WEIR_NONE};
	pool->queues = weir_arena_alloc((size_t)size * sizeof(*pool->queues), node);
	pool->segs = weir_arena_alloc(room, node);
	if (pool->queues == NULL || pool->segs == NULL) {
		weir_queue_pool_close(pool);
		return -ENOMEM;
	}
	return 0;
}

void
weir_queue_pool_close(struct weir_queue_pool *pool)
{
	weir_arena_free(pool->segs, segs_bytes(pool));
	weir_arena_free(pool->queues, (size_t)pool->size * sizeof(*pool->queues));
	memset(pool, 0, sizeof(*pool));
}

/* A queue that was never taken before. */
static uint32_t
take_untouched(struct weir_queue_pool *pool)
{
	uint32_t idx = pool->touched;

	if (idx == pool->size)
		return WEIR_NONE;
	pool->queues[idx].segs = pool->segs + (size_t)idx * pool->capacity;
	pool->touched++;
	return idx;
}

uint32_t
weir_queue_take(struct weir_queue_pool *pool)
{
	uint32_t idx = pool->free;

	if (idx != WEIR_NONE)
		pool->free = pool->queues[idx].next_free;
	else
		idx = take_untouched(pool);
	if (idx != WEIR_NONE)
		pool->used++;
	return idx;
}

void
weir_queue_give(struct weir_queue_pool *pool, uint32_t idx)
{
	struct weir_queue *queue = &pool->queues[idx];

	queue->head = 0;
	queue->tail = 0;
	queue->next_free = pool->free;
	pool->free = idx;
	pool->used--;
}

/* Move what is queued to the front: a run of segments stays a plain array. */
static void
compact(struct weir_queue *queue)
{
	uint32_t len = weir_queue_len(queue);

	memmove(queue->segs, queue->segs + queue->head, len * sizeof(*queue->segs));
	queue->head = 0;
	queue->tail = len;
}

uint32_t
weir_queue_push(struct weir_queue *queue, uint32_t capacity, const struct weir_seg *segs, uint32_t n)
{
	if (queue->tail + n > capacity && queue->head != 0)
		compact(queue);
	if (n > capacity - queue->tail)
		n = capacity - queue->tail;
	memcpy(&queue->segs[queue->tail], segs, n * sizeof(*segs));
	queue->tail += n;
	return n;
}
