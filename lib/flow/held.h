/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nodes that hold received payload: in a flow's receive list, in its reassembly, or on lease to the
 * application. 32 bytes, in one array per engine, named by index; index 0 is never used and means
 * none. Free nodes form a LIFO list. A node knows the address of its payload and the home of its buffer,
 * so that most buffers are not looked at again once they are held. What came as a block is held by one
 * node and a row of its buffers, until somebody wants a part of it.
 */
#ifndef WEIR_FLOW_HELD_H
#define WEIR_FLOW_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flow/homes.h"
#include "wire/chain.h"
#include "wire/seg.h"

#define WEIR_HELD_CHAIN 0xff /* no home, and the payload lies in several buffer segments */

#define WEIR_HELD_ROW	32 /* packets of a block that one node holds */

struct weir_held_row {
	union {
		struct rte_mbuf *bufs[WEIR_HELD_ROW];
		struct weir_held_row *next; /* of a free row */
	};
};

struct weir_held {
	union {
		struct rte_mbuf *buf;
		struct weir_held_row *row; /* packets > 1 */
	};
	union {
		const uint8_t *data; /* first byte */
		ptrdiff_t ahead;     /* the same of each, from its buffer on: packets > 1 */
		uint64_t off;	     /* the same from the start of the frame: WEIR_HELD_CHAIN */
		uint64_t conn;	     /* first node of a lease: the connection to credit */
	};
	uint16_t len;	 /* payload bytes of one */
	uint8_t home;	 /* of the buffers, 0: none, or WEIR_HELD_CHAIN */
	uint8_t packets; /* held by this node; more than one: alike, and one buffer segment each */
	uint32_t next; /* index of the next node of the same list, 0: last */
	uint32_t seq;  /* of the first byte */
	uint32_t gen;  /* odd while this node is the first of a lease, even otherwise */
};
_Static_assert(sizeof(struct weir_held) == 32, "two to a cache line");

struct weir_held_pool {
	struct weir_held *nodes; /* [0, size) */
	uint32_t size;
	uint32_t free;    /* first free node, 0: none */
	uint32_t touched; /* nodes handed out at least once; beyond it memory was never touched */
	uint32_t used;
	uint32_t folded; /* packets held beyond one a node: as many nodes can be had for them */
	struct weir_held_row *rows; /* [0, n_rows) */
	struct weir_held_row *free_row;
	uint32_t n_rows;
	uint32_t touched_rows;
	struct weir_homes homes; /* of the buffers that they hold */
};

/* A list in sequence order. */
struct weir_held_list {
	uint32_t head;
	uint32_t tail;
};

int weir_held_open(struct weir_held_pool *pool, uint32_t size, int node);
void weir_held_close(struct weir_held_pool *pool);

/* `len` bytes from `data` on in `buf`, whose home is `home`; next and gen stay. */
static inline void
weir_held_set(struct weir_held *held, struct rte_mbuf *buf, const uint8_t *data, uint32_t len,
	      uint32_t seq, uint8_t home)
{
	held->buf = buf;
	held->data = data;
	held->len = (uint16_t)len;
	held->home = home;
	held->packets = 1;
	held->seq = seq;
}

/* The payload of `seg`, whose buffer has no home, or shall not have: it will have more owners. */
void weir_held_fill_homeless(struct weir_held *held, const struct weir_seg *seg);

/* The payload of `seg`, of which no other node holds a part. */
static inline void
weir_held_fill(struct weir_held *held, const struct weir_seg *seg, struct weir_homes *homes)
{
	uint8_t home = weir_homes_find(homes, seg->buf, seg->port);

	if (__builtin_expect(home != 0, 1))
		weir_held_set(held, seg->buf, rte_pktmbuf_mtod_offset(seg->buf, const uint8_t *, seg->data_off),
			      seg->len, seg->seq, home);
	else
		weir_held_fill_homeless(held, seg);
}

/* A row whose content is undefined, or NULL. */
static inline struct weir_held_row *
weir_held_row_take(struct weir_held_pool *pool)
{
	struct weir_held_row *row = pool->free_row;

	if (__builtin_expect(row == NULL, 0))
		return pool->touched_rows == pool->n_rows ? NULL : &pool->rows[pool->touched_rows++];
	pool->free_row = row->next;
	return row;
}

static inline void
weir_held_row_give(struct weir_held_pool *pool, struct weir_held_row *row)
{
	row->next = pool->free_row;
	pool->free_row = row;
}

/*
 * `held`, filled with the first of a block of `n` segments, 2 at least, of one buffer each, holds more of them. Returns how
 * many it holds then: WEIR_HELD_ROW at most, 1 where there is no row for them.
 */
static inline uint32_t
weir_held_fold(struct weir_held_pool *pool, struct weir_held *held, const struct weir_seg *block,
	       uint32_t n)
{
	struct weir_held_row *row = weir_held_row_take(pool);

	if (__builtin_expect(row == NULL, 0))
		return 1;
	n = n < WEIR_HELD_ROW ? n : WEIR_HELD_ROW;
	held->ahead = held->data - (const uint8_t *)held->buf;
	held->row = row;
	held->packets = (uint8_t)n;
	pool->folded += n - 1;
	for (uint32_t i = 0; i < n; i++)
		row->bufs[i] = block[i].buf;
	return n;
}

/* Node `idx` of `list` holds its first packet only, and nodes behind it the others. */
void weir_held_unfold(struct weir_held_pool *pool, struct weir_held_list *list, uint32_t idx);

/* The buffers of a row are the caller's business; `held` is undefined. */
static inline void
weir_held_drop_row(struct weir_held_pool *pool, const struct weir_held *held)
{
	pool->folded -= held->packets - 1u;
	weir_held_row_give(pool, held->row);
}

/* The payload of its packet `at`, which is contiguous. */
static inline const uint8_t *
weir_held_data(const struct weir_held *held, uint32_t at)
{
	return held->packets == 1 ? held->data : (const uint8_t *)held->row->bufs[at] + held->ahead;
}

/* Payload of all its packets. */
static inline uint32_t
weir_held_bytes(const struct weir_held *held)
{
	return (uint32_t)held->len * held->packets;
}

/* Buffer segments that it holds. */
static inline uint32_t
weir_held_bufs(const struct weir_held *held)
{
	if (held->packets == 1 && (held->home == 0 || held->home == WEIR_HELD_CHAIN))
		return held->buf->nb_segs;
	return held->packets;
}

/* Copy the first `len` bytes, at most held->len, of its only packet to `to`; returns `len`. */
static inline uint32_t
weir_held_copy(const struct weir_held *held, uint32_t len, void *to)
{
	if (__builtin_expect(held->home == WEIR_HELD_CHAIN, 0))
		return weir_chain_copy(held->buf, (uint32_t)held->off, len, to);
	memcpy(to, held->data, len);
	return len;
}

/* The first `n` bytes, at most len, of its only packet are not held any more. */
static inline void
weir_held_trim(struct weir_held *held, uint32_t n)
{
	if (held->home == WEIR_HELD_CHAIN)
		held->off += n;
	else
		held->data += n;
	held->seq += n;
	held->len = (uint16_t)(held->len - n);
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
	return __builtin_expect(pool->touched - pool->used >= n &&
					pool->used + pool->folded + n < pool->size,
				1) ||
	       weir_held_touch(pool, n);
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

/* The block of `n` becomes part of the last node of `list`, which has one: false where it does not suit. */
bool weir_held_extend(struct weir_held_pool *pool, struct weir_held_list *list,
		      const struct weir_seg *block, uint32_t n);

/* Hold the block of `n` segments behind `list`. As many nodes have been reserved. */
static inline void
weir_held_add_block(struct weir_held_pool *pool, struct weir_held_list *list,
		    const struct weir_seg *block, uint32_t n)
{
	uint32_t node = pool->free, last = node, held = 1, nodes = 1;
	struct weir_held *like = &pool->nodes[node];
	ptrdiff_t ahead;

	if (list->tail != 0 && pool->nodes[list->tail].packets + n <= WEIR_HELD_ROW &&
	    weir_held_extend(pool, list, block, n))
		return;
	weir_held_fill(like, block, &pool->homes);
	ahead = like->data - (const uint8_t *)like->buf;
	if (n != 1)
		held = weir_held_fold(pool, like, block, n);
	for (; __builtin_expect(held < n, 0); held++, nodes++) {
		last = pool->nodes[last].next;
		weir_held_set(&pool->nodes[last], block[held].buf,
			      (const uint8_t *)block[held].buf + ahead, block->len,
			      block->seq + held * block->len, like->home);
	}
	weir_held_take(pool, list, last, nodes);
}

/* All of `more` goes behind `list`; the first node of it into the last one, where that suits. */
void weir_held_join(struct weir_held_pool *pool, struct weir_held_list *list,
		    const struct weir_held_list *more);

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
