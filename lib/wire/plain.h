/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plain frame: untagged (or bare IP), to us, IPv4 without options, no fragment, TCP with ACK and
 * at most PSH, no option or exactly NOP NOP TIMESTAMP. Its fixed bytes are compared 64 at a time with
 * what the port's own addresses say they must be; everything else takes the checked path of
 * weir_head_read(). Private to wire/.
 */
#ifndef WEIR_WIRE_PLAIN_H
#define WEIR_WIRE_PLAIN_H

#include <stdbool.h>
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/head.h"
#include "wire/seg.h"

#define WEIR_PLAIN_RARE                                                                            \
	(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_LRO)

/* What a port has to say of a plain frame for it to be believed unseen. */
#define WEIR_PLAIN_CLAIMS                                                                          \
	(WEIR_PLAIN_RARE | RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define WEIR_PLAIN_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/* Not zero where a fixed byte of the frame differs. */
static inline uint64_t
weir_plain_differs(const struct weir_plain *plain, const uint8_t *frame)
{
	typedef uint64_t pair __attribute__((vector_size(16), may_alias));
	pair sum = {0, 0};

	for (uint32_t i = 0; i < WEIR_PLAIN_BYTES; i += sizeof(pair)) {
		pair got;

		memcpy(&got, frame + i, sizeof(got));
		sum |= (got ^ *(const pair *)(const void *)(plain->want + i)) &
		       *(const pair *)(const void *)(plain->mask + i);
	}
	return sum[0] | sum[1];
}

/*
 * Not zero when the frame is not plain, whatever its checksums and its sender are. All doubts go
 * into one word; nothing is read beyond data_len.
 */
static inline uint64_t
weir_plain_doubt(const struct weir_plain *plain, const struct rte_mbuf *buf, const uint8_t *frame)
{
	uint32_t total;
	uint64_t doubt;

	if (unlikely(buf->data_len < WEIR_PLAIN_BYTES))
		return 1;
	total = weir_load_be16(frame + plain->l3_off + 2);
	doubt = weir_plain_differs(plain, frame);
	doubt |= (uint64_t)(total < plain->headers) | (plain->l3_off + total > buf->pkt_len);
	doubt |= (buf->nb_segs > WEIR_SEG_CHAIN) |
		 ((buf->nb_segs == 1) & (plain->l3_off + total > buf->data_len));
	return doubt;
}

/* The descriptor of a plain frame: what all of them share, and what this one says. */
static inline void
weir_plain_fill(const struct weir_plain *plain, struct rte_mbuf *buf, const uint8_t *ip,
		struct weir_seg *seg)
{
	const uint8_t *tcp = ip + WEIR_IP4_BYTES;

	*seg = plain->seg;
	seg->buf = buf;
	seg->seq = weir_load_be32(tcp + 4);
	seg->ack = weir_load_be32(tcp + 8);
	seg->len = weir_load_be16(ip + 2) - plain->headers;
	seg->tsval = weir_load_be32(tcp + WEIR_TCP_BYTES + 4) & plain->ts_mask;
	seg->win = weir_load_be16(tcp + 14);
	seg->nb_segs = buf->nb_segs;
	seg->flags = tcp[13];
	seg->tos = ip[1];
	seg->ttl = ip[8];
}

#endif
