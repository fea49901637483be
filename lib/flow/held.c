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

/* How far behind its buffer the payload of each packet begins. */
static ptrdiff_t
ahead_of(const struct weir_held *held)
{
	return held->packets == 1 ? held->data - (const uint8_t *)held->buf : held->ahead;
}

/* Room for the `n` packets of `like`, held nowhere, behind those of `held`, which they continue; NULL where
 * they do not suit. They are held from now on. */
static struct rte_mbuf **
make_room(struct weir_held_pool *pool, struct weir_held *held, const struct weir_held *like, uint32_t n)
{
	uint32_t had = held->packets;
	struct weir_held_row *row;

	if (had + n > WEIR_HELD_ROW || held->home != like->home || held->len != like->len ||
	    held->seq + weir_held_bytes(held) != like->seq || ahead_of(held) != ahead_of(like) ||
	    like->home == 0 || like->home == WEIR_HELD_CHAIN)
		return NULL;
	if (had == 1) {
		row = weir_held_row_take(pool);
		if (row == NULL)
			return NULL;
		row->bufs[0] = held->buf;
		held->ahead = ahead_of(like);
		held->row = row;
	}
	held->packets = (uint8_t)(had + n);
	pool->folded += n;
	return held->row->bufs + had;
}

bool
weir_held_extend(struct weir_held_pool *pool, struct weir_held_list *list, const struct weir_seg *block,
		 uint32_t n)
{
	struct rte_mbuf **to;
	struct weir_held like;

	weir_held_fill(&like, block, &pool->homes);
	to = make_room(pool, &pool->nodes[list->tail], &like, n);
	if (to == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++)
		to[i] = block[i].buf;
	return true;
}

/* Node `idx` becomes part of the node `tail`, if it suits. */
static bool
merge(struct weir_held_pool *pool, uint32_t tail, uint32_t idx)
{
	struct weir_held like = pool->nodes[idx];
	struct rte_mbuf **to = make_room(pool, &pool->nodes[tail], &like, like.packets);

	if (to == NULL)
		return false;
	if (like.packets == 1) {
		*to = like.buf;
	} else {
		memcpy(to, like.row->bufs, like.packets * sizeof(*to));
		weir_held_drop_row(pool, &like);
	}
	weir_held_free(pool, idx);
	return true;
}

void
weir_held_join(struct weir_held_pool *pool, struct weir_held_list *list, const struct weir_held_list *more)
{
	uint32_t first = more->head;

	if (first == 0)
		return;
	if (list->tail != 0) {
		uint32_t next = pool->nodes[first].next;

		if (merge(pool, list->tail, first)) {
			if (next == 0)
				return;
			first = next;
		}
		pool->nodes[list->tail].next = first;
	} else {
		list->head = first;
	}
	list->tail = more->tail;
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
