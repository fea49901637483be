/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/held.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "flow/arena.h"

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

uint32_t
weir_held_alloc(struct weir_held_pool *pool)
{
	uint32_t idx = pool->free;

	if (idx != 0)
		pool->free = pool->nodes[idx].next;
	else if (pool->touched + 1 < pool->size)
		idx = ++pool->touched;
	else
		return 0;
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
