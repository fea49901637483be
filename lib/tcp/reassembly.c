/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/reassembly.h"

#include <errno.h>
#include <string.h>

#include "flow/arena.h"
#include "flow/flow.h"
#include "tcp/sack.h"
#include "wire/seq.h"

/* What a segment meets, found out before anything changes. */
struct plan {
	uint32_t first;    /* leftmost range that it overlaps or touches, 0: none */
	uint32_t pieces;   /* runs of new bytes */
	uint32_t reserved; /* nodes for them, a list by `next` */
	uint32_t dup_start; /* first part that is held already, empty when start == end */
	uint32_t dup_end;
};

int
weir_reass_pool_open(struct weir_reass_pool *pool, uint32_t size, uint32_t ranges,
		     struct weir_held_pool *held, struct weir_pool *bufs, int node)
{
	int rc;

	if (size == 0 || size == WEIR_NONE)
		return -EINVAL;
	memset(pool, 0, sizeof(*pool));
	rc = weir_range_pool_open(&pool->ranges, ranges, node);
	if (rc != 0)
		return rc;
	pool->items = weir_arena_alloc((size_t)size * sizeof(*pool->items), node);
	if (pool->items == NULL) {
		weir_range_pool_close(&pool->ranges);
		return -ENOMEM;
	}
	pool->size = size;
	pool->held = held;
	pool->bufs = bufs;
	return 0;
}

void
weir_reass_pool_close(struct weir_reass_pool *pool)
{
	weir_arena_free(pool->items, (size_t)pool->size * sizeof(*pool->items));
	weir_range_pool_close(&pool->ranges);
	memset(pool, 0, sizeof(*pool));
}

uint32_t
weir_reass_take(struct weir_reass_pool *pool)
{
	uint32_t idx;

	if (pool->free != 0) {
		idx = pool->free - 1;
		pool->free = pool->items[idx].next_free;
	} else if (pool->touched < pool->size) {
		idx = pool->touched++;
	} else {
		return WEIR_NONE;
	}
	memset(&pool->items[idx], 0, sizeof(pool->items[idx]));
	pool->used++;
	return idx;
}

/* Free the first node of a list; the next one. */
static uint32_t
free_node(struct weir_reass_pool *pool, uint32_t idx)
{
	const struct weir_held *node = &pool->held->nodes[idx];
	uint32_t next = node->next;

	if (node->packets == 1) {
		weir_buf_free(pool->bufs, node->buf);
	} else {
		weir_buf_free_bulk(pool->bufs, node->row->bufs, node->packets);
		weir_held_drop_row(pool->held, node);
	}
	weir_held_free(pool->held, idx);
	return next;
}

/* Take a range out of the set and of the totals; its pieces are the caller's. */
static void
take_range(struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t idx)
{
	const struct weir_range *range = &pool->ranges.nodes[idx];

	r->bytes -= range->end - range->start;
	r->bufs -= range->bufs;
	weir_ranges_remove(&pool->ranges, &r->ranges, idx);
}

static void
free_range(struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t idx)
{
	uint32_t piece = pool->ranges.nodes[idx].held.head;

	while (piece != 0)
		piece = free_node(pool, piece);
	take_range(pool, r, idx);
}

void
weir_reass_give(struct weir_reass_pool *pool, uint32_t idx)
{
	struct weir_reassembly *r = &pool->items[idx];

	while (r->ranges.root != 0)
		free_range(pool, r, r->ranges.root);
	r->next_free = pool->free;
	pool->free = idx + 1;
	pool->used--;
}

/* The range right of `idx`, or 0. */
static uint32_t
next_range(const struct weir_reass_pool *pool, const struct weir_reassembly *r, uint32_t idx)
{
	return weir_ranges_after(&pool->ranges, &r->ranges, pool->ranges.nodes[idx].end);
}

static void
note_overlap(struct plan *plan, const struct weir_range *range, uint32_t start, uint32_t end)
{
	uint32_t from = weir_seq_max(start, range->start);
	uint32_t to = weir_seq_min(end, range->end);

	if (plan->dup_start != plan->dup_end || !weir_seq_lt(from, to))
		return;
	plan->dup_start = from;
	plan->dup_end = to;
}

/* Walk the ranges that [start, end) overlaps or touches. */
static void
plan_insert(const struct weir_reass_pool *pool, const struct weir_reassembly *r, uint32_t start,
	    uint32_t end, struct plan *plan)
{
	uint32_t idx = weir_ranges_after(&pool->ranges, &r->ranges, start - 1);
	uint32_t at = start;

	memset(plan, 0, sizeof(*plan));
	while (idx != 0) {
		const struct weir_range *range = &pool->ranges.nodes[idx];

		if (weir_seq_lt(end, range->start))
			break;
		if (plan->first == 0)
			plan->first = idx;
		plan->pieces += weir_seq_lt(at, range->start);
		note_overlap(plan, range, start, end);
		at = range->end;
		idx = weir_seq_lt(at, end) ? next_range(pool, r, idx) : 0;
	}
	plan->pieces += weir_seq_lt(at, end);
}

static bool
reserve_pieces(struct weir_held_pool *held, struct plan *plan)
{
	for (uint32_t n = 0; n < plan->pieces; n++) {
		uint32_t idx = weir_held_alloc(held);

		if (idx == 0)
			return false;
		held->nodes[idx].next = plan->reserved;
		plan->reserved = idx;
	}
	return true;
}

static void
release_pieces(struct weir_held_pool *held, struct plan *plan)
{
	while (plan->reserved != 0) {
		uint32_t idx = plan->reserved;

		plan->reserved = held->nodes[idx].next;
		weir_held_free(held, idx);
	}
}

/* Every node that the plan needs, or none. */
static bool
reserve(struct weir_reass_pool *pool, struct weir_reassembly *r, const struct weir_seg *seg,
	struct plan *plan)
{
	if (reserve_pieces(pool->held, plan)) {
		if (plan->first == 0)
			plan->first =
			    weir_ranges_insert(&pool->ranges, &r->ranges, seg->seq, seg->seq);
		if (plan->first != 0)
			return true;
	}
	release_pieces(pool->held, plan);
	return false;
}

/* Append [from, to) of the segment to `merged`. One reference each, the caller's among them. */
static void
add_piece(struct weir_reass_pool *pool, struct plan *plan, const struct weir_seg *seg,
	  uint32_t from, uint32_t to, struct weir_range *merged)
{
	uint32_t idx = plan->reserved;
	struct weir_held *piece = &pool->held->nodes[idx];
	struct weir_seg part = *seg;

	plan->reserved = piece->next;
	weir_seg_trim_head(&part, from - seg->seq);
	part.len = to - from;
	if (plan->pieces == 1)
		weir_held_fill(piece, &part, &pool->held->homes);
	else
		weir_held_fill_homeless(piece, &part);
	weir_held_append(pool->held, &merged->held, idx);
	merged->bufs += seg->buf->nb_segs;
	merged->end = to;
	if (plan->reserved != 0)
		weir_buf_ref(seg->buf);
}

/* Append all pieces of `range` to `merged`. */
static void
add_range(struct weir_held_pool *held, const struct weir_range *range, struct weir_range *merged)
{
	weir_held_join(held, &merged->held, &range->held);
	merged->bufs += range->bufs;
	merged->end = range->end;
}

/*
 * One pass from left to right over the planned ranges and the gaps between them. The first range
 * stays in the tree and becomes the joined one; the others leave before it grows over them.
 */
static void
apply(struct weir_reass_pool *pool, struct weir_reassembly *r, const struct weir_seg *seg,
      struct plan *plan)
{
	struct weir_range *first = &pool->ranges.nodes[plan->first];
	struct weir_range merged = {.start = weir_seq_min(seg->seq, first->start)};
	uint32_t end = seg->seq + seg->len, at = seg->seq, idx = plan->first;
	uint32_t bytes = 0;

	do {
		struct weir_range *range = &pool->ranges.nodes[idx];
		uint32_t next = weir_seq_lt(range->end, end) ? next_range(pool, r, idx) : 0;

		if (weir_seq_lt(at, range->start)) {
			bytes += range->start - at;
			add_piece(pool, plan, seg, at, range->start, &merged);
		}
		add_range(pool->held, range, &merged);
		at = range->end;
		if (idx != plan->first)
			weir_ranges_remove(&pool->ranges, &r->ranges, idx);
		idx = next;
	} while (idx != 0 && weir_seq_leq(pool->ranges.nodes[idx].start, end));
	if (weir_seq_lt(at, end)) {
		bytes += end - at;
		add_piece(pool, plan, seg, at, end, &merged);
	}
	first->start = merged.start;
	first->end = merged.end;
	first->held = merged.held;
	first->bufs = merged.bufs;
	r->bytes += bytes;
	r->bufs += plan->pieces * seg->buf->nb_segs;
}

enum weir_reass_result
weir_reass_insert(struct weir_reass_pool *pool, struct weir_reassembly *r,
		  const struct weir_seg *seg)
{
	struct plan plan;

	plan_insert(pool, r, seg->seq, seg->seq + seg->len, &plan);
	if (plan.pieces != 0) {
		if (!reserve(pool, r, seg, &plan))
			return WEIR_REASS_NO_NODE;
		apply(pool, r, seg, &plan);
	}
	if (plan.dup_start != plan.dup_end) {
		r->dsack[0] = plan.dup_start;
		r->dsack[1] = plan.dup_end;
	}
	weir_sack_remember(pool, r, plan.first, seg->seq);
	return plan.pieces != 0 ? WEIR_REASS_HELD : WEIR_REASS_DUPLICATE;
}

/* Cut what lies left of `rcv_nxt` off a list that reaches beyond it; the buffers freed. */
static uint32_t
trim_list(struct weir_reass_pool *pool, struct weir_held_list *list, uint32_t rcv_nxt)
{
	struct weir_held *nodes = pool->held->nodes;
	uint32_t freed = 0;

	while (weir_seq_lt(nodes[list->head].seq, rcv_nxt)) {
		struct weir_held *node = &nodes[list->head];

		if (weir_seq_leq(node->seq + weir_held_bytes(node), rcv_nxt)) {
			freed += weir_held_bufs(node);
			list->head = free_node(pool, list->head);
		} else if (node->packets != 1) {
			weir_held_unfold(pool->held, list, list->head);
		} else {
			weir_held_trim(node, rcv_nxt - node->seq);
		}
	}
	return freed;
}

uint32_t
weir_reass_deliver(struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t rcv_nxt,
		   struct weir_held_list *list, uint32_t *bufs)
{
	uint32_t idx = weir_ranges_first(&pool->ranges, &r->ranges);
	struct weir_range *range = &pool->ranges.nodes[idx];
	uint32_t count = r->ranges.count, bytes = 0;

	*bufs = 0;
	while (idx != 0 && weir_seq_leq(range->end, rcv_nxt)) {
		free_range(pool, r, idx);
		idx = weir_ranges_first(&pool->ranges, &r->ranges);
		range = &pool->ranges.nodes[idx];
	}
	if (idx != 0 && weir_seq_leq(range->start, rcv_nxt)) {
		*bufs = range->bufs - trim_list(pool, &range->held, rcv_nxt);
		bytes = range->end - rcv_nxt;
		weir_held_join(pool->held, list, &range->held);
		take_range(pool, r, idx);
	}
	if (count != r->ranges.count)
		weir_sack_forget(pool, r, 0);
	return bytes;
}

bool
weir_reass_empty(const struct weir_reassembly *r)
{
	return r->ranges.count == 0;
}

uint32_t
weir_reass_prune(struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t *bytes)
{
	uint32_t idx = weir_ranges_last(&pool->ranges, &r->ranges);
	const struct weir_range *range = &pool->ranges.nodes[idx];
	uint32_t bufs = range->bufs;

	*bytes = range->end - range->start;
	if (idx == 0)
		return 0;
	weir_sack_forget_dsack(r, range);
	free_range(pool, r, idx);
	weir_sack_forget(pool, r, 0);
	return bufs;
}

uint32_t
weir_reass_start(const struct weir_reass_pool *pool, const struct weir_reassembly *r,
		 uint32_t otherwise)
{
	uint32_t idx = weir_ranges_first(&pool->ranges, &r->ranges);

	return idx != 0 ? pool->ranges.nodes[idx].start : otherwise + (1u << 30);
}

uint32_t
weir_reass_end(const struct weir_reass_pool *pool, const struct weir_reassembly *r,
	       uint32_t rcv_nxt)
{
	uint32_t idx = weir_ranges_last(&pool->ranges, &r->ranges);

	return idx != 0 ? pool->ranges.nodes[idx].end : rcv_nxt;
}
