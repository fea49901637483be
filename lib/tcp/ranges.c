/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An AA tree (Andersson 1993): `level` of a node is one more than that of its left child, and of
 * its right child unless that one is its equal; no two equal ones follow each other. Node 0 is the
 * leaf of level 0 that stands for "none" and is never written. Nodes move by their links alone, so
 * that an index names the same range until it is removed.
 */
#include "tcp/ranges.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "flow/arena.h"
#include "wire/seq.h"

/* Levels of 2^32 nodes, two nodes each at most, and the link that a new leaf hangs on. */
#define PATH_MAX_LINKS (2 * 32 + 1)

/* Links from the root's on; the last one is where the tree changes. */
struct path {
	uint32_t *links[PATH_MAX_LINKS];
	uint32_t n;
};

int
weir_range_pool_open(struct weir_range_pool *pool, uint32_t size, int node)
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
weir_range_pool_close(struct weir_range_pool *pool)
{
	weir_arena_free(pool->nodes, (size_t)pool->size * sizeof(*pool->nodes));
	memset(pool, 0, sizeof(*pool));
}

static uint32_t
node_take(struct weir_range_pool *pool)
{
	uint32_t idx = pool->free;

	if (idx != 0)
		pool->free = pool->nodes[idx].left;
	else if (pool->touched + 1 < pool->size)
		idx = ++pool->touched;
	else
		return 0;
	pool->used++;
	return idx;
}

static void
node_give(struct weir_range_pool *pool, uint32_t idx)
{
	pool->nodes[idx].left = pool->free;
	pool->free = idx;
	pool->used--;
}

uint32_t
weir_ranges_after(const struct weir_range_pool *pool, const struct weir_ranges *set, uint32_t seq)
{
	uint32_t idx = set->root, found = 0;

	while (idx != 0) {
		const struct weir_range *range = &pool->nodes[idx];

		if (weir_seq_lt(seq, range->end)) {
			found = idx;
			idx = range->left;
		} else {
			idx = range->right;
		}
	}
	return found;
}

uint32_t
weir_ranges_find(const struct weir_range_pool *pool, const struct weir_ranges *set, uint32_t seq)
{
	uint32_t idx = weir_ranges_after(pool, set, seq);

	return idx != 0 && weir_seq_leq(pool->nodes[idx].start, seq) ? idx : 0;
}

uint32_t
weir_ranges_first(const struct weir_range_pool *pool, const struct weir_ranges *set)
{
	uint32_t idx = set->root;

	/* Node 0 leads to itself. */
	while (pool->nodes[idx].left != 0)
		idx = pool->nodes[idx].left;
	return idx;
}

uint32_t
weir_ranges_last(const struct weir_range_pool *pool, const struct weir_ranges *set)
{
	uint32_t idx = set->root;

	while (pool->nodes[idx].right != 0)
		idx = pool->nodes[idx].right;
	return idx;
}

/* Turns a left child of equal level into the parent; the root of the subtree afterwards. */
static uint32_t
skew(struct weir_range *nodes, uint32_t top)
{
	uint32_t left = nodes[top].left;

	if (left == 0 || nodes[left].level != nodes[top].level)
		return top;
	nodes[top].left = nodes[left].right;
	nodes[left].right = top;
	return left;
}

/* Lifts the middle of three equal ones on the right; the root of the subtree afterwards. */
static uint32_t
split(struct weir_range *nodes, uint32_t top)
{
	uint32_t right = nodes[top].right;

	if (right == 0 || nodes[nodes[right].right].level != nodes[top].level)
		return top;
	nodes[top].right = nodes[right].left;
	nodes[right].left = top;
	nodes[right].level++;
	return right;
}

static uint32_t *
path_add(struct path *path, uint32_t *link)
{
	path->links[path->n++] = link;
	return link;
}

/* Down to the link that holds `idx`, or with 0 to the empty one where `start` belongs. */
static void
path_find(struct weir_range_pool *pool, struct weir_ranges *set, uint32_t start, uint32_t idx,
	  struct path *path)
{
	uint32_t *link;

	path->n = 0;
	link = path_add(path, &set->root);
	while (*link != idx) {
		struct weir_range *range = &pool->nodes[*link];
		bool is_left = weir_seq_lt(start, range->start);

		link = path_add(path, is_left ? &range->left : &range->right);
	}
}

uint32_t
weir_ranges_insert(struct weir_range_pool *pool, struct weir_ranges *set, uint32_t start,
		   uint32_t end)
{
	uint32_t idx = node_take(pool);
	struct path path;

	if (idx == 0)
		return 0;
	pool->nodes[idx] = (struct weir_range){.start = start, .end = end, .level = 1};
	if (set->count++ == 0) {
		set->root = idx;
		return idx;
	}
	path_find(pool, set, start, 0, &path);
	*path.links[--path.n] = idx;
	while (path.n > 0) {
		uint32_t *link = path.links[--path.n];

		*link = split(pool->nodes, skew(pool->nodes, *link));
	}
	return idx;
}

/* Lower a node whose child lost a level, and its equal on the right with it. */
static void
lower(struct weir_range *nodes, uint32_t top)
{
	uint32_t left_level = nodes[nodes[top].left].level;
	uint32_t right = nodes[top].right;
	uint32_t level = nodes[right].level;

	level = (left_level < level ? left_level : level) + 1;
	if (level >= nodes[top].level)
		return;
	nodes[top].level = level;
	if (level < nodes[right].level)
		nodes[right].level = level;
}

static uint32_t
rebalance(struct weir_range *nodes, uint32_t top)
{
	uint32_t right;

	lower(nodes, top);
	top = skew(nodes, top);
	right = nodes[top].right;
	if (right != 0) {
		right = skew(nodes, right);
		nodes[top].right = right;
		if (nodes[right].right != 0)
			nodes[right].right = skew(nodes, nodes[right].right);
	}
	top = split(nodes, top);
	right = nodes[top].right;
	if (right != 0)
		nodes[top].right = split(nodes, right);
	return top;
}

/* Put the next range, which has no left child, in the place of `idx`, which has two children. */
static void
replace_by_next(struct weir_range_pool *pool, uint32_t idx, struct path *path)
{
	struct weir_range *range = &pool->nodes[idx], *next;
	uint32_t place = path->n - 1;
	uint32_t *link = path_add(path, &range->right);
	uint32_t next_idx;

	while (pool->nodes[*link].left != 0)
		link = path_add(path, &pool->nodes[*link].left);
	next_idx = *link;
	next = &pool->nodes[next_idx];
	*link = next->right;
	next->left = range->left;
	next->right = range->right;
	next->level = range->level;
	*path->links[place] = next_idx;
	path->links[place + 1] = &next->right;
}

void
weir_ranges_remove(struct weir_range_pool *pool, struct weir_ranges *set, uint32_t idx)
{
	struct weir_range *range = &pool->nodes[idx];
	struct path path;

	if (set->count-- == 1) {
		set->root = 0;
		node_give(pool, idx);
		return;
	}
	path_find(pool, set, range->start, idx, &path);
	/* Above level 1 both children are there; at level 1 there is no left one. */
	if (range->left == 0)
		*path.links[path.n - 1] = range->right;
	else
		replace_by_next(pool, idx, &path);
	path.n--;
	while (path.n > 0) {
		uint32_t *link = path.links[--path.n];

		*link = rebalance(pool->nodes, *link);
	}
	node_give(pool, idx);
}
