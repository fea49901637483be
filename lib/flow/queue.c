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

/* Those that are lent stand behind the others. */
static size_t
queues_bytes(const struct weir_queue_pool *pool)
{
	return ((size_t)pool->size + WEIR_QUEUES_LENT) * sizeof(*pool->queues);
}

int
weir_queue_pool_open(struct weir_queue_pool *pool, uint32_t size, uint32_t capacity, int node)
{
	size_t room;

	if (size == 0 || size > WEIR_NONE - WEIR_QUEUES_LENT || capacity == 0)
		return -EINVAL;
	if (__builtin_mul_overflow((size_t)size * sizeof(struct weir_seg), capacity, &room))
		return -ENOMEM;
	*pool = (struct weir_queue_pool){.size = size, .capacity = capacity, .free = WEIR_NONE};
	pool->queues = weir_arena_alloc(queues_bytes(pool), node);
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
	weir_arena_free(pool->queues, queues_bytes(pool));
	memset(pool, 0, sizeof(*pool));
}

uint32_t
weir_queue_take_untouched(struct weir_queue_pool *pool)
{
	uint32_t idx = pool->touched;

	if (idx == pool->size)
		return WEIR_NONE;
	pool->queues[idx].segs = pool->segs + (size_t)idx * pool->capacity;
	pool->touched++;
	pool->used++;
	return idx;
}

uint32_t
weir_queue_keep(struct weir_queue_pool *pool, uint32_t idx)
{
	const struct weir_queue *lent = &pool->queues[idx];
	uint32_t own = weir_queue_take(pool);

	if (own == WEIR_NONE)
		return WEIR_NONE;
	weir_segs_write(lent->segs + lent->head, weir_queue_len(lent));
	weir_queue_push(&pool->queues[own], pool->capacity, lent->segs + lent->head,
			weir_queue_len(lent));
	weir_queue_give(pool, idx);
	return own;
}

void
weir_queue_compact(struct weir_queue *queue)
{
	uint32_t len = weir_queue_len(queue);

	memmove(queue->segs, queue->segs + queue->head, len * sizeof(*queue->segs));
	queue->head = 0;
	queue->tail = len;
}
