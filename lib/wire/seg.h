/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The segment descriptor: what the parser found, written once. Everything right of the parser works
 * on descriptors and touches header bytes again only on slow paths.
 */
#ifndef WEIR_WIRE_SEG_H
#define WEIR_WIRE_SEG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rte_mbuf;

#define WEIR_TCP_FIN 0x01
#define WEIR_TCP_SYN 0x02
#define WEIR_TCP_RST 0x04
#define WEIR_TCP_PSH 0x08
#define WEIR_TCP_ACK 0x10
#define WEIR_TCP_URG 0x20
#define WEIR_TCP_ECE 0x40
#define WEIR_TCP_CWR 0x80
#define WEIR_TCP_AE  0x100 /* RFC 9768; in the byte of the data offset, and in no descriptor */

#define WEIR_ECN_MASK    0x03
#define WEIR_ECN_NOT_ECT 0x00
#define WEIR_ECN_ECT1    0x01
#define WEIR_ECN_ECT0    0x02
#define WEIR_ECN_CE      0x03

/* Shape of the TCP options. OTHER may carry a timestamp too; has_ts says so. */
enum weir_opt_shape {
	WEIR_OPT_NONE = 0,
	WEIR_OPT_TS = 1, /* exactly NOP NOP TIMESTAMP */
	WEIR_OPT_OTHER = 2,
};

/* Inside an aggregate TSval grows by less than 2^24 a segment, so that over a whole aggregate it
 * stays within 2^30 of the first and one PAWS check speaks for all. */
#define WEIR_SEG_TS_BITS 24
/* So does its ACK: first and last are equal only when all are. */
#define WEIR_SEG_ACK_BITS 24

/* Bits of weir_seg.mark: reasons why a segment never merges that are not TCP flags. */
#define WEIR_MARK_IP_OPTIONS 0x01
#define WEIR_MARK_CHAIN      0x02 /* of more buffers than the fast path reckons with */
#define WEIR_SEG_CHAIN       8    /* so many */
#define WEIR_MARK_FRAGMENTS  0x04 /* came in fragments */

struct weir_seg {
	struct rte_mbuf *buf; /* frame; owner of the payload */
	uint32_t ack; /* with seq the eight bytes of the header, in reverse */
	uint32_t seq;
	uint32_t data_off; /* payload, from the start of the frame */
	uint32_t len;      /* payload bytes, without SYN and FIN */
	uint32_t tsval;    /* valid when has_ts; TSecr lies four bytes behind it in the option, often in
			      the next cache line: who needs it reads it there */
	uint16_t win;      /* as on the wire, unscaled */
	uint16_t nb_segs;  /* buffer segments of the frame */
	uint16_t wire_segs; /* segments on the wire; more than one with LRO by the port */
	uint16_t opt_off;   /* TCP options, from the start of the frame */
	uint8_t opt_len;
	uint8_t has_ts;
	uint8_t follows; /* may stand behind the segment parsed before it in one aggregate, when it
			    continues its sequence; 0: nobody has looked */
	uint8_t alike; /* a block: so many segments behind it continue it and differ from it in nothing but
			  `buf` and `seq`; their buffers say what its buffer says, and the frame begins
			  as far behind each. Of their descriptors only `buf` is valid, see
			  weir_segs_write() */
	/* Compared as one word when merging. */
	uint8_t flags;
	uint8_t shape; /* enum weir_opt_shape */
	uint8_t tos;   /* DSCP and ECN */
	uint8_t ttl;
	uint8_t mark;
	uint8_t port; /* index of the port that received it; the engine's */
	uint8_t spare[2];
};
_Static_assert(sizeof(struct weir_seg) == 48, "three quarters of a cache line");
_Static_assert(offsetof(struct weir_seg, flags) == 40, "merge word is the last eight bytes");
_Static_assert(offsetof(struct weir_seg, seq) == offsetof(struct weir_seg, ack) + 4,
	       "written as one word");
_Static_assert(offsetof(struct weir_seg, len) == offsetof(struct weir_seg, data_off) + 4 &&
		       offsetof(struct weir_seg, win) == offsetof(struct weir_seg, tsval) + 4 &&
		       offsetof(struct weir_seg, nb_segs) == offsetof(struct weir_seg, win) + 2,
	       "so are these");
_Static_assert(offsetof(struct weir_seg, wire_segs) == 32, "what a run shares are two words");

/* Where a field of the merge word begins in it. */
#define WEIR_SEG_MERGE_BIT(field)                                                                  \
	(8 * (offsetof(struct weir_seg, field) - offsetof(struct weir_seg, flags)))

static inline uint64_t
weir_seg_merge_word(const struct weir_seg *seg)
{
	uint64_t word;

	memcpy(&word, &seg->flags, sizeof(word));
	return word;
}

/* Sequence space the segment takes: payload plus SYN and FIN (RFC 9293 section 3.4). */
static inline uint32_t
weir_seg_space(const struct weir_seg *seg)
{
	return seg->len + ((seg->flags & WEIR_TCP_SYN) != 0) + ((seg->flags & WEIR_TCP_FIN) != 0);
}

/* Behind the last byte of the block that `seg` begins. */
static inline uint32_t
weir_seg_block_end(const struct weir_seg *seg)
{
	return seg->seq + seg->len * (1u + seg->alike);
}

/* The descriptor of a block's segment `at`, 1 <= at <= block->alike, out of that of its first one. */
static inline void
weir_seg_write(const struct weir_seg *block, uint32_t at, struct weir_seg *seg)
{
	struct rte_mbuf *buf = seg->buf;

	*seg = *block;
	seg->buf = buf;
	seg->seq += at * block->len;
	seg->follows = 1;
	seg->alike = 0;
}

/* All descriptors of `n` segments, which end with a block, as if there were no blocks. */
void weir_segs_write(struct weir_seg *segs, uint32_t n);

/* Cut the block so that `n` of its segments, 1 <= n <= block->alike, are one of their own and the others
 * begin another. */
static inline void
weir_seg_split(struct weir_seg *block, uint32_t n)
{
	uint32_t left = block->alike - n;

	weir_seg_write(block, n, &block[n]);
	block[n].alike = (uint8_t)left;
	block->alike = (uint8_t)(n - 1);
}

/* In how many parts of at most `size` bytes `len` bytes come, at most 65535: one bit of the quotient
 * at a time, since the data path does not divide. 1 when either is 0. */
static inline uint16_t
weir_seg_parts(uint32_t len, uint32_t size)
{
	uint32_t rest = len + size - 1, n = 0;

	if (size == 0 || len == 0)
		return 1;
	for (int shift = 15; shift >= 0; shift--) {
		if (rest >> shift < size)
			continue;
		rest -= size << shift;
		n |= 1u << shift;
	}
	return (uint16_t)n;
}

/* Cut n payload bytes off the left; n <= len. Only the descriptor changes, never the buffer. */
static inline void
weir_seg_trim_head(struct weir_seg *seg, uint32_t n)
{
	seg->seq += n;
	seg->data_off += n;
	seg->len -= n;
}

/* Cut n payload bytes off the right; n <= len. A FIN that stood behind them is cut too. */
static inline void
weir_seg_trim_tail(struct weir_seg *seg, uint32_t n)
{
	seg->len -= n;
	if (n != 0)
		seg->flags &= (uint8_t)~WEIR_TCP_FIN;
}

#endif
