/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nodes that hold received payload: in a flow's receive list, in its reassembly, or on lease to the
 * application. 32 bytes, in one array per engine, named by index; index 0 is never used and means
 * none. Free nodes form a LIFO list.
 */
#ifndef WEIR_FLOW_HELD_H
#define WEIR_FLOW_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire/seg.h"

struct weir_held {
	struct rte_mbuf *buf;
	uint32_t off;  /* first byte, from the start of the frame */
	uint32_t len;  /* payload bytes */
	uint32_t seq;  /* of the first byte */
	uint32_t next; /* index of the next node of the same list, 0: last */
	uint32_t flow; /* first node of a lease: lower half of the handle of the connection to
			  credit, whose upper half stands in `seq` */
	uint32_t gen;  /* odd while this node is the first of a lease, even otherwise */
};
_Static_assert(sizeof(struct weir_held) == 32, "two to a cache line");

struct weir_held_pool {
	struct weir_held *nodes; /* [0, size) */
	uint32_t size;
	uint32_t free;    /* first free node, 0: none */
	uint32_t touched; /* nodes handed out at least once; beyond it memory was never touched */
	uint32_t used;
};

/* A list in sequence order. */
struct weir_held_list {
	uint32_t head;
	uint32_t tail;
};

int weir_held_open(struct weir_held_pool *pool, uint32_t size, int node);
void weir_held_close(struct weir_held_pool *pool);

_Static_assert(offsetof(struct weir_held, len) - offsetof(struct weir_held, off) ==
		       offsetof(struct weir_seg, len) - offsetof(struct weir_seg, data_off),
	       "copied as one");

/* The payload of `seg`; the rest of the node stays. */
static inline void
weir_held_fill(struct weir_held *held, const struct weir_seg *seg)
{
	held->buf = seg->buf;
	memcpy(&held->off, &seg->data_off, sizeof(held->off) + sizeof(held->len));
	held->seq = seg->seq;
}

/* Index of a node whose fields are all undefined but gen; 0 when none is left. */
uint32_t weir_held_alloc(struct weir_held_pool *pool);

/* weir_held_reserve() when the free list is too short for it. */
bool weir_held_touch(struct weir_held_pool *pool, uint32_t n);

/*
 * Make the free list at least `n` nodes long; false when there are not so many. A run of nodes is
 * taken by filling them along the list from pool->free on, then weir_held_take().
 */
static inline bool
weir_held_reserve(struct weir_held_pool *pool, uint32_t n)
{
	return __builtin_expect(pool->touched - pool->used >= n, 1) || weir_held_touch(pool, n);
}

/* Take the first `n` nodes of the free list, which end with `last`, and put them behind `list`. */
static inline void
weir_held_take(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t last, uint32_t n)
{
	uint32_t first = pool->free;

	pool->free = pool->nodes[last].next;
	pool->used += n;
	pool->nodes[last].next = 0;
	if (list->tail != 0)
		pool->nodes[list->tail].next = first;
	else
		list->head = first;
	list->tail = last;
}

/* The `n` nodes linked from `first` to `last` are free again; the buffers are the caller's business. */
static inline void
weir_held_give(struct weir_held_pool *pool, uint32_t first, uint32_t last, uint32_t n)
{
	pool->nodes[last].next = pool->free;
	pool->free = first;
	pool->used -= n;
}
/* The buffer is the caller's business. */
void weir_held_free(struct weir_held_pool *pool, uint32_t idx);

/* Append node `idx` behind the last one. */
static inline void
weir_held_append(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t idx)
{
	pool->nodes[idx].next = 0;
	if (list->tail != 0)
		pool->nodes[list->tail].next = idx;
	else
		list->head = idx;
	list->tail = idx;
}

#endif
