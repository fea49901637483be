/* SPDX-License-Identifier: BSD-3-Clause */
/* The headers of the last frames of an engine, received and sent, for a look at what happened. */
#ifndef WEIR_ENGINE_RECORD_H
#define WEIR_ENGINE_RECORD_H

#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#include "wire/chain.h"

#define WEIR_RECORD_BYTES 128 /* kept of each frame */

enum weir_record_flags { /* direction, and whether the frame is a bare IP packet */
			 WEIR_RECORD_RECEIVED = 0x01,
			 WEIR_RECORD_SENT = 0x02,
			 WEIR_RECORD_L3 = 0x04,
};

struct weir_record_entry {
	uint64_t now_ns;
	uint32_t len; /* of the whole frame */
	uint16_t kept;
	uint16_t flags;
	uint8_t bytes[WEIR_RECORD_BYTES];
};
_Static_assert(sizeof(struct weir_record_entry) == 16 + WEIR_RECORD_BYTES, "no padding");

struct weir_record {
	struct weir_record_entry *entries; /* a ring; NULL when nothing is recorded */
	uint32_t size;			   /* of the ring, frames */
	uint32_t next;			   /* to be written, the oldest once the ring is full */
	uint32_t count;			   /* valid entries */
};

/* Room for the last `frames` frames on NUMA node `node`; 0: record nothing. -ENOMEM. */
int weir_record_open(struct weir_record *record, uint32_t frames, int node);
void weir_record_close(struct weir_record *record);

/* Forget everything. */
void weir_record_reset(struct weir_record *record);

/*
 * Keep the start of a frame that passed at now_ns, which never goes back. Call it while the frame
 * is whole: after rx_burst, before tx_burst. The frame stays the caller's. Engine thread.
 */
static inline void
weir_record_add(struct weir_record *record, uint64_t now_ns, struct rte_mbuf *buf, uint32_t flags)
{
	struct weir_record_entry *entry;
	uint32_t len = buf->pkt_len;

	if (record->size == 0)
		return;
	entry = &record->entries[record->next];
	record->next = record->next + 1 < record->size ? record->next + 1 : 0;
	record->count += record->count < record->size;
	entry->now_ns = now_ns;
	entry->len = len;
	entry->flags = (uint16_t)flags;
	if (len > WEIR_RECORD_BYTES)
		len = WEIR_RECORD_BYTES;
	entry->kept = (uint16_t)len;
	if (buf->data_len >= len)
		memcpy(entry->bytes, rte_pktmbuf_mtod(buf, const void *), len);
	else
		entry->kept = (uint16_t)weir_chain_copy(buf, 0, len, entry->bytes);
}

/*
 * Write what is kept to `path` as pcapng, oldest first, timestamps in nanoseconds of the engine's
 * clock. The file appears whole or not at all: it is written as `path`.XXXXXX (six characters that
 * make a new name) and renamed; a pipe or device is written to. -ENOTSUP when nothing is recorded,
 * -ENAMETOOLONG, errors of the file. Blocks.
 */
int weir_record_write(const struct weir_record *record, const char *path);

#endif
