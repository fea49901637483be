/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Floors: the least that a program can do with the same frames. A floor that could be faster makes
 * every ratio look better than it is, so burst, prefetch distance and the way to free are searched
 * for at the start.
 */
#ifndef APP_BENCH_FLOORS_H
#define APP_BENCH_FLOORS_H

#include <stdbool.h>
#include <stdint.h>

#include "testbed.h"

#define FLOOR_ACK_BYTES 66

struct floor_shape {
	uint32_t burst;
	uint32_t ahead; /* prefetch distance in frames; 0: none */
	bool buffers;	/* struct rte_mbuf too, at twice the distance */
	bool fused;	/* looked at and made ready to be freed in one pass */
};

/* F: rx burst, flags, lengths and one header line, bulk free. Takes the portion in the ring; TSC
 * cycles. */
uint64_t floor_touch(struct testbed *bed, const struct floor_shape *shape);

/* A: bulk alloc, copy of 66 bytes, tx, free, `n` times in bursts of `burst`. TSC cycles. Buffers go
 * the way that those of the engine's ACKs go: the stream's core looks at them and frees them, and what
 * that free takes there is added. */
uint64_t floor_ack(struct testbed *bed, uint32_t n, uint32_t burst);

/* The same with ACKs of the library: trains of `acks` of eight connections in turn, expanded, sent
 * and freed. */
uint64_t floor_trains(struct testbed *bed, uint32_t n, uint32_t acks);

/* The fastest shape of F, and burst of A, on this stream. False when a portion failed. */
bool floor_search(struct testbed *bed, struct floor_shape *shape, uint32_t *ack_burst);

/* How a floor over the payload fetches what it will read. */
struct floor_fetch {
	uint32_t lines;	 /* of a frame; 0: what the hardware fetches by itself */
	uint32_t frames; /* ahead */
};

/* M: copy of the payload into the sink's cyclic buffer. K: CRC32C of the payload by three lanes of the
 * crc32 instruction. TSC cycles of the portion, without taking and freeing it. */
uint64_t floor_copy(struct testbed *bed, const struct floor_fetch *fetch);
uint64_t floor_digest(struct testbed *bed, const struct floor_fetch *fetch);
/* The fastest way to fetch for one of them, on this stream. False when a portion failed. */
bool floor_search_fetch(struct testbed *bed,
			uint64_t (*floor)(struct testbed *bed, const struct floor_fetch *fetch),
			struct floor_fetch *fetch);

#endif
