/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/chain.h"

bool
weir_chain_sound(const struct rte_mbuf *buf)
{
	uint64_t bytes = 0;
	uint32_t n = 0;

	if (buf->nb_segs == 1) /* `next` is on a line that may be cold */
		return buf->data_len >= buf->pkt_len;
	for (const struct rte_mbuf *seg = buf; seg != NULL; seg = seg->next) {
		if (n++ == buf->nb_segs)
			return false;
		bytes += seg->data_len;
	}
	return n == buf->nb_segs && bytes >= buf->pkt_len;
}

/* The segment that holds byte *off of the chain; *off becomes its offset in there. */
static struct rte_mbuf *
seek(struct rte_mbuf *buf, uint32_t *off)
{
	while (buf != NULL && *off >= buf->data_len) {
		*off -= buf->data_len;
		buf = buf->next;
	}
	return buf;
}

struct weir_chunk
weir_chain_at(struct rte_mbuf *buf, uint32_t off, uint32_t len)
{
	struct weir_chunk chunk = {NULL, 0};

	buf = seek(buf, &off);
	if (buf != NULL && len != 0) {
		chunk.data = rte_pktmbuf_mtod_offset(buf, uint8_t *, off);
		chunk.len = RTE_MIN(len, buf->data_len - off);
	}
	return chunk;
}

uint32_t
weir_chain_copy(struct rte_mbuf *buf, uint32_t off, uint32_t len, void *to)
{
	uint32_t done = 0, piece;

	for (buf = seek(buf, &off); buf != NULL && done < len; buf = buf->next) {
		piece = RTE_MIN(len - done, buf->data_len - off);
		memcpy((uint8_t *)to + done, rte_pktmbuf_mtod_offset(buf, uint8_t *, off), piece);
		done += piece;
		off = 0;
	}
	return done;
}

const uint8_t *
weir_chain_read(struct rte_mbuf *buf, uint32_t off, uint32_t len, void *scratch)
{
	struct weir_chunk chunk;

	if (off + len <= buf->data_len && len != 0)
		return rte_pktmbuf_mtod_offset(buf, const uint8_t *, off);
	chunk = weir_chain_at(buf, off, len);
	if (chunk.len == len && len != 0)
		return chunk.data;
	return weir_chain_copy(buf, off, len, scratch) == len ? scratch : NULL;
}
