/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ordered set of disjoint intervals [start, end) of sequence space, each with a list of held nodes
 * in order. A balanced tree of pooled 32-byte nodes named by index; 0 means none. All sequence
 * numbers of one set lie within 2^31 of each other.
 */
#ifndef WEIR_TCP_RANGES_H
#define WEIR_TCP_RANGES_H

#include <stdint.h>

#include "flow/held.h"

struct weir_range {
	uint32_t start;
	uint32_t end;
	struct weir_held_list held;
	uint32_t left;
	uint32_t right;
	uint32_t level; /* balance; the implementation's own */
	uint32_t bufs;  /* buffer segments held, once per piece */
};
_Static_assert(sizeof(struct weir_range) == 32, "two to a cache line");

struct weir_range_pool {
	struct weir_range *nodes;
	uint32_t size;
	uint32_t free;
	uint32_t touched;
	uint32_t used;
};

struct weir_ranges {
	uint32_t root;
	uint32_t count;
};

int weir_range_pool_open(struct weir_range_pool *pool, uint32_t size, int node);
void weir_range_pool_close(struct weir_range_pool *pool);

/*
 * Each O(log count). find: the range that holds `seq`, or 0. after: the first range whose end lies
 * right of `seq` (it holds seq or starts right of it), or 0. insert: a new range that overlaps
 * none; its index, or 0 when the pool is empty. remove: takes the range out and frees the node;
 * other indices stay valid. Start and end of a range may be changed in place while order is kept.
 */
uint32_t weir_ranges_find(const struct weir_range_pool *pool, const struct weir_ranges *set,
			  uint32_t seq);
uint32_t weir_ranges_after(const struct weir_range_pool *pool, const struct weir_ranges *set,
			   uint32_t seq);
uint32_t weir_ranges_first(const struct weir_range_pool *pool, const struct weir_ranges *set);
uint32_t weir_ranges_last(const struct weir_range_pool *pool, const struct weir_ranges *set);
uint32_t weir_ranges_insert(struct weir_range_pool *pool, struct weir_ranges *set, uint32_t start,
			    uint32_t end);
void weir_ranges_remove(struct weir_range_pool *pool, struct weir_ranges *set, uint32_t idx);

#endif
