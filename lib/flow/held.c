/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/held.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "flow/arena.h"

#define HELD_PER_ROW 8 /* nodes for which there is a row: blocks of fewer packets may lack theirs */

int
weir_held_open(struct weir_held_pool *pool, uint32_t size, int node)
{
	uint32_t rows = size / HELD_PER_ROW + 1;

	if (size < 2)
		return -EINVAL;
	memset(pool, 0, sizeof(*pool));
	pool->nodes = weir_arena_alloc((size_t)size * sizeof(*pool->nodes), node);
	pool->rows = weir_arena_alloc(rows * sizeof(*pool->rows), node);
	pool->size = size;
	pool->n_rows = rows;
	if (pool->nodes != NULL && pool->rows != NULL)
		return 0;
	weir_held_close(pool);
	return -ENOMEM;
}

void
weir_held_close(struct weir_held_pool *pool)
{
	weir_arena_free(pool->nodes, (size_t)pool->size * sizeof(*pool->nodes));
	weir_arena_free(pool->rows, (size_t)pool->n_rows * sizeof(*pool->rows));
	memset(pool, 0, sizeof(*pool));
}

/* Nodes that were never used before join the free list behind all others, lowest first. */
bool
weir_held_touch(struct weir_held_pool *pool, uint32_t n)
{
	uint32_t *end = &pool->free;

	if (pool->size - 1 - pool->used - pool->folded < n)
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

void
weir_held_unfold(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t idx)
{
	struct weir_held *first = &pool->nodes[idx];
	const struct weir_held all = *first;
	struct rte_mbuf **bufs = all.row->bufs;

	pool->folded -= all.packets - 1u;
	for (uint32_t i = all.packets - 1u; i != 0; i--) {
		uint32_t at = weir_held_alloc(pool);
		struct weir_held *held = &pool->nodes[at];

		assert(at != 0); /* what is folded is counted */
		weir_held_set(held, bufs[i], (const uint8_t *)bufs[i] + all.ahead, all.len,
			      all.seq + i * all.len, all.home);
		held->next = first->next;
		first->next = at;
		if (list->tail == idx)
			list->tail = at;
	}
	weir_held_set(first, bufs[0], (const uint8_t *)bufs[0] + all.ahead, all.len, all.seq,
		      all.home);
	weir_held_row_give(pool, all.row);
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
