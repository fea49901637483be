/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/held.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "flow/arena.h"
#include "wire/chain.h"

int
weir_held_open(struct weir_held_pool *pool, uint32_t size, int node)
{
	if (size < 2)
		return -EINVAL;
	memset(pool, 0, sizeof(*pool));
	pool->nodes = weir_arena_alloc((size_t)size * sizeof(*pool->nodes), node);
	if (pool->nodes == NULL)
		return -ENOMEM;
	pool->size = size;
	return 0;
}

void
weir_held_close(struct weir_held_pool *pool)
{
	weir_arena_free(pool->nodes, (size_t)pool->size * sizeof(*pool->nodes));
	memset(pool, 0, sizeof(*pool));
}

/* Nodes that were never used before join the free list behind all others, lowest first. */
bool
weir_held_touch(struct weir_held_pool *pool, uint32_t n)
{
	uint32_t *end = &pool->free;

	if (pool->size - 1 - pool->used < n)
		return false;
	while (*end != 0)
		end = &pool->nodes[*end].next;
	while (pool->touched - pool->used < n) {
		*end = ++pool->touched;
		end = &pool->nodes[*end].next;
	}
	*end = 0;
	return true;
}

void
weir_held_fill_homeless(struct weir_held *held, const struct weir_seg *seg)
{
	struct weir_chunk chunk = weir_chain_at(seg->buf, seg->data_off, seg->len);

	weir_held_set(held, seg->buf, chunk.data, seg->len, seg->seq, 0);
	if (chunk.len == seg->len)
		return;
	held->home = WEIR_HELD_CHAIN;
	held->off = seg->data_off;
}

uint32_t
weir_held_alloc(struct weir_held_pool *pool)
{
	uint32_t idx;

	if (!weir_held_reserve(pool, 1))
		return 0;
	idx = pool->free;
	pool->free = pool->nodes[idx].next;
	pool->used++;
	return idx;
}

void
weir_held_free(struct weir_held_pool *pool, uint32_t idx)
{
	pool->nodes[idx].next = pool->free;
	pool->free = idx;
	pool->used--;
}
