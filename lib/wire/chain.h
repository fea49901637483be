/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Byte ranges of a buffer chain. Offsets count from the start of the frame over all segments, so
 * trimming is arithmetic on an offset and a length and never changes a buffer.
 */
#ifndef WEIR_WIRE_CHAIN_H
#define WEIR_WIRE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/* Are the segments as many as the first one says, and do they hold the bytes that it says? Where it says
 * that it is alone, no other is looked for. */
bool weir_chain_sound(const struct rte_mbuf *buf);

/* Contiguous bytes inside one segment of a chain. */
struct weir_chunk {
	uint8_t *data;
	uint32_t len;
};

/*
 * The first contiguous piece of [off, off + len). Its length is 0 when len is 0 or off lies at or
 * beyond the end of the chain. Segments of length 0 are passed over.
 */
struct weir_chunk weir_chain_at(struct rte_mbuf *buf, uint32_t off, uint32_t len);

/* Copy [off, off + len) to `to`; returns the bytes copied, fewer where the chain ends before. */
uint32_t weir_chain_copy(struct rte_mbuf *buf, uint32_t off, uint32_t len, void *to);

/* `len` contiguous bytes at `off`: in place where they are, else copied to `scratch`; NULL when the
 * chain is too short. The one checked way to read a header. */
const uint8_t *weir_chain_read(struct rte_mbuf *buf, uint32_t off, uint32_t len, void *scratch);

#endif
