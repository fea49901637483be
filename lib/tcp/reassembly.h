/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Out-of-order data of a connection (RFC 9293 3.10.7.4 seventh step): any number of holes, work per
 * segment O(log holes) plus what it newly joins. Bytes that are held already win over later copies.
 * Attached to a flow on demand.
 */
#ifndef WEIR_TCP_REASSEMBLY_H
#define WEIR_TCP_REASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/buffer.h"
#include "flow/held.h"
#include "tcp/ranges.h"
#include "wire/seg.h"

#define WEIR_SACK_MAX     4
#define WEIR_SACK_RECENT  4

/* One per flow that has a hole. */
struct weir_reassembly {
	struct weir_ranges ranges;     /* what is held, disjoint, never touching */
	uint32_t recent[WEIR_SACK_RECENT]; /* a sequence number inside each of the latest ranges */
	uint8_t n_recent;
	uint8_t spare[3];
	uint32_t stuck_ms; /* since when rcv_nxt stands where it does */
	uint32_t bytes;   /* payload held */
	uint32_t bufs;    /* buffer segments held; shared by several pieces: once per piece */
	uint32_t next_free;
	uint32_t dsack[2]; /* duplicate to report once, empty when start == end */
};

/* Everything of one engine that reassembly draws on. */
struct weir_reass_pool {
	struct weir_reassembly *items;
	uint32_t size;
	uint32_t free; /* index + 1 */
	uint32_t touched;
	uint32_t used;
	struct weir_range_pool ranges;
	struct weir_held_pool *held;
	struct weir_pool *bufs;
};

int weir_reass_pool_open(struct weir_reass_pool *pool, uint32_t size, uint32_t ranges,
			 struct weir_held_pool *held, struct weir_pool *bufs, int node);
void weir_reass_pool_close(struct weir_reass_pool *pool);

/* An empty reassembly, or WEIR_NONE. */
uint32_t weir_reass_take(struct weir_reass_pool *pool);
/* Frees all buffers and nodes that it holds. */
void weir_reass_give(struct weir_reass_pool *pool, uint32_t idx);

enum weir_reass_result {
	WEIR_REASS_HELD,      /* some byte was new; the buffer is held */
	WEIR_REASS_DUPLICATE, /* every byte was held already; the buffer stays the caller's */
	WEIR_REASS_NO_NODE,   /* no node left, nothing changed; the buffer stays the caller's */
};

/*
 * Insert the payload of `seg` (len > 0, right of rcv_nxt, inside the window). New bytes are held,
 * in several pieces that share the buffer where older data lies between them. Sets `dsack` to the
 * first overlapped part [start, end) where there was one. The segment's range becomes the most
 * recent one. All nodes are reserved before anything changes.
 */
enum weir_reass_result weir_reass_insert(struct weir_reass_pool *pool, struct weir_reassembly *r,
					 const struct weir_seg *seg);

/*
 * rcv_nxt moved right to `rcv_nxt`: if the first range now starts at or left of it, cut what was
 * received meanwhile (its buffers are freed), take the rest out and append its nodes to `list`;
 * returns its bytes, and in *bufs the buffer segments that moved; 0 when there is still a hole.
 * Ranges that the new data covered whole are freed. Once is enough, since ranges never touch.
 */
uint32_t weir_reass_deliver(struct weir_reass_pool *pool, struct weir_reassembly *r,
			    uint32_t rcv_nxt, struct weir_held_list *list, uint32_t *bufs);

bool weir_reass_empty(const struct weir_reassembly *r);

/*
 * Up to `most` SACK blocks [start, end), the range of the latest arrival first (RFC 2018 section
 * 4), then the latest others, each once. A pending D-SACK block stands before them, followed by the
 * range that it is a part of (RFC 2883), and is cleared: it is reported once. Returns the number
 * written.
 */
uint32_t weir_reass_sacks(struct weir_reass_pool *pool, struct weir_reassembly *r,
			  uint32_t (*sacks)[2], uint32_t most);

/*
 * Memory pressure: free the range farthest from rcv_nxt, whole. Returns the buffer segments freed,
 * counted as in `bufs`; *bytes gets the payload lost. The SACK state and a D-SACK inside forget it.
 */
uint32_t weir_reass_prune(struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t *bytes);

/* Start of the first range; `otherwise` plus 2^30 when empty. */
uint32_t weir_reass_start(const struct weir_reass_pool *pool, const struct weir_reassembly *r,
			  uint32_t otherwise);

/* End of the last range, for the test that a FIN beyond it is not passed; rcv_nxt when empty. */
uint32_t weir_reass_end(const struct weir_reass_pool *pool, const struct weir_reassembly *r,
			uint32_t rcv_nxt);

#endif
