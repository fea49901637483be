/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data segments. What the segments of one run share stands in a few words, in the order of the
 * wire, so that a header is nine stores out of registers; the sum of the payload is known
 * beforehand, so that a right checksum is a few additions (RFC 1071). Private to app/generator.
 */
#ifndef WEIR_APP_GENERATOR_SEGMENT_H
#define WEIR_APP_GENERATOR_SEGMENT_H

#include <string.h>

#include "app/generator/state.h"
#include "wire/checksum.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are put together by shifts");

struct gen_head {
	uint64_t ip[6]; /* IP header and ports: 24 bytes, of IPv6 44 */
	uint64_t ts;	/* NOP NOP TIMESTAMP, TSval */
	uint64_t sum;	/* TCP, without seq and payload */
	uint32_t tsecr; /* as they lie, too */
	uint32_t ack;
	uint32_t flags;	     /* data offset, flags, window */
	uint32_t payload;    /* bytes */
	uint32_t packet_len; /* IP and TCP headers */
	uint32_t frame_len;  /* and the link's */
};

/* Header of segments of `len` bytes with these flags. */
void gen_head_begin(const struct generator *g, const struct gen_flow *f, uint32_t len,
		    uint8_t flags, struct gen_head *head);

/* Sum of `len` bytes of payload from `position` of the pattern. */
static inline uint64_t
gen_payload_sum(const struct generator *g, uint32_t position, uint32_t len)
{
	if (len == g->sums_len)
		return g->sums[position];
	return weir_csum_add(g->pattern.bytes + position, len, 0);
}

static inline void
gen_store64(uint8_t *to, uint64_t word)
{
	memcpy(to, &word, sizeof(word));
}

/* Fill `buf` with the segment at `seq`; its payload stands at `position` of the pattern. */
static inline void
gen_fill_segment(const struct generator *g, const struct gen_head *head, struct rte_mbuf *buf,
		 uint32_t seq, uint32_t position)
{
	uint8_t *payload = (uint8_t *)buf->buf_addr + GEN_PAYLOAD_AT;
	uint8_t *ip = payload - head->packet_len, *tcp = ip + g->ip_bytes;
	uint64_t sum =
	    head->sum + __builtin_bswap32(seq) + gen_payload_sum(g, position, head->payload);

	buf->data_off = (uint16_t)(GEN_PAYLOAD_AT - head->frame_len);
	buf->data_len = (uint16_t)(head->frame_len + head->payload);
	buf->pkt_len = head->frame_len + head->payload;
	buf->ol_flags = g->config.stamp;
	memcpy(ip - GEN_ETHER, g->link, sizeof(g->link)); /* its last two bytes are overwritten */
	gen_store64(ip, head->ip[0]);
	gen_store64(ip + 8, head->ip[1]);
	gen_store64(ip + 16, head->ip[2]);
	if (g->ip_bytes == GEN_IP6) {
		gen_store64(ip + 24, head->ip[3]);
		gen_store64(ip + 32, head->ip[4]);
		memcpy(tcp, &head->ip[5], 4);
	}
	gen_store64(tcp + 4, __builtin_bswap32(seq) | (uint64_t)head->ack << 32);
	gen_store64(tcp + 12, head->flags | (uint64_t)(uint16_t)~weir_csum_fold(sum) << 32);
	if (ip + head->packet_len != tcp + GEN_TCP) {
		gen_store64(tcp + 20, head->ts);
		memcpy(tcp + 28, &head->tsecr, sizeof(head->tsecr));
	}
	if (g->refill)
		memcpy(payload, g->pattern.bytes + position, head->payload);
}

#endif
