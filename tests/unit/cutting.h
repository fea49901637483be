/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame and fragments cut from it as a router would, or worse, for the tests of what puts them
 * together again, which takes an EAL. */
#ifndef WEIR_TESTS_CUTTING_H
#define WEIR_TESTS_CUTTING_H

#include <string.h>

#include <rte_eal.h>

#include "tests/unit/frame.h"
#include "tests/unit/unit.h"

struct cutting {
	uint8_t frame[FRAME_MAX];
	uint32_t l3_off;
	uint32_t header; /* bytes of the IP header */
	uint32_t len;	 /* of the datagram's payload */
	uint32_t id;	 /* IPv6; IPv4 has it in the header */
	bool ip6;
	uint32_t split;  /* as in struct frame_spec */
	uint32_t pad;    /* bytes behind each fragment */
};

static inline void
cutting_start_eal(void)
{
	char *argv[] = {"test", "--no-huge", "-m", "16", "--no-shconf", "--no-pci", "-l", "0",
			"--no-telemetry", "--log-level=error", NULL};

	ck_assert_int_ge(rte_eal_init((int)RTE_DIM(argv) - 1, argv), 0);
}

/* The frame that `spec` describes is what gets cut from now on. */
static inline void
cutting_take(struct cutting *cut, const struct frame_spec *spec)
{
	uint32_t len = frame_write(spec, cut->frame);

	cut->l3_off = spec->l3 ? 0 : 14u + 4u * spec->n_tags;
	cut->ip6 = spec->ip6;
	cut->id = spec->ip_id;
	cut->header = cut->ip6 ? 40 : (cut->frame[cut->l3_off] & 15) * 4u;
	cut->len = len - cut->l3_off - cut->header;
}

static inline void
cutting_put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* The IP header's sum, after a byte of it was changed. */
static inline void
cutting_mend(uint8_t *ip)
{
	cutting_put16(ip + 10, 0);
	cutting_put16(ip + 10, frame_csum(ip, (ip[0] & 15) * 4u, 0));
}

/* The same behind a fragment header (RFC 8200 section 4.5). */
static inline uint32_t
cutting_write6(const struct cutting *cut, uint32_t start, uint32_t end, bool more, uint8_t *to)
{
	uint8_t *ip = to + cut->l3_off, *header = ip + 40;

	memcpy(to, cut->frame, cut->l3_off + 40);
	cutting_put16(ip + 4, 8 + end - start);
	header[0] = ip[6];
	ip[6] = 44;
	header[1] = 0;
	cutting_put16(header + 2, (start & 0xfff8) | more);
	cutting_put16(header + 4, cut->id >> 16);
	cutting_put16(header + 6, cut->id & 0xffff);
	memcpy(header + 8, cut->frame + cut->l3_off + 40 + start, end - start);
	memset(header + 8 + end - start, FRAME_PAD, cut->pad);
	return cut->l3_off + 48 + end - start + cut->pad;
}

/* [start, end) of the payload as a frame at `to`; returns its length. */
static inline uint32_t
cutting_write(const struct cutting *cut, uint32_t start, uint32_t end, bool more, uint8_t *to)
{
	uint32_t headers = cut->l3_off + cut->header, len = headers + end - start;
	uint8_t *ip = to + cut->l3_off;

	if (cut->ip6)
		return cutting_write6(cut, start, end, more, to);
	memcpy(to, cut->frame, headers);
	memcpy(to + headers, cut->frame + headers + start, end - start);
	cutting_put16(ip + 2, cut->header + end - start);
	cutting_put16(ip + 6, start / 8 | (more ? 0x2000u : 0));
	cutting_mend(ip);
	memset(to + len, FRAME_PAD, cut->pad);
	return len + cut->pad;
}

/* Bytes as a chain of the pool's buffers. */
static inline struct rte_mbuf *
cutting_build(struct weir_pool *pool, const uint8_t *bytes, uint32_t len, uint32_t split)
{
	uint32_t most = split != 0 ? split : pool->data_room - RTE_PKTMBUF_HEADROOM, done = 0;
	struct rte_mbuf *head = NULL, *last = NULL;

	do {
		uint32_t n = len - done < most ? len - done : most;
		struct rte_mbuf *buf = weir_buf_alloc(pool);

		ck_assert_ptr_nonnull(buf);
		memcpy(rte_pktmbuf_mtod(buf, uint8_t *), bytes + done, n);
		buf->data_len = (uint16_t)n;
		if (head == NULL) {
			head = buf;
		} else {
			last->next = buf;
			head->nb_segs++;
		}
		last = buf;
		head->pkt_len += n;
		done += n;
	} while (done < len);
	return head;
}

static inline struct rte_mbuf *
cutting_piece(const struct cutting *cut, struct weir_pool *pool, uint32_t start, uint32_t end)
{
	static uint8_t bytes[FRAME_MAX];
	uint32_t len = cutting_write(cut, start, end, end < cut->len, bytes);

	return cutting_build(pool, bytes, len, cut->split);
}

#endif
