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

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/head.h"
#include "wire/parse.h"
#include "wire/seg.h"

#define WEIR_PLAIN_RARE                                                                            \
	(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_LRO)

/* What a port has to say of a plain frame for it to be believed unseen. */
#define WEIR_PLAIN_CLAIMS                                                                          \
	(WEIR_PLAIN_RARE | RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define WEIR_PLAIN_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/* Packets; the headers of a burst come from the device's cold lines. */
#define WEIR_PLAIN_AHEAD 8

/* The mask of a buffer's first line, see struct weir_parse. */
void weir_plain_init_line(uint8_t line[WEIR_PLAIN_BYTES]);

static inline struct weir_key4
weir_plain_key(const struct weir_parse *parse, const uint8_t *ip)
{
	uint32_t ports = weir_load_be32(ip + WEIR_IP4_BYTES);
	const uint64_t words[2] = {weir_load_be32(ip + 12) | (uint64_t)parse->ip << 32,
				   ports >> 16 | ports << 16};
	struct weir_key4 key;

	memcpy(&key, words, sizeof(key)); /* two stores; by its fields it is put together piece by piece */
	return key;
}
_Static_assert(offsetof(struct weir_key4, laddr) == 4 && offsetof(struct weir_key4, rport) == 8 &&
		       offsetof(struct weir_key4, lport) == 10 && offsetof(struct weir_key4, vlan) == 12,
	       "the words of weir_plain_key()");

/* How far behind its buffer a frame begins. */
static inline ptrdiff_t
weir_plain_frame_off(const struct rte_mbuf *buf)
{
	return rte_pktmbuf_mtod(buf, const uint8_t *) - (const uint8_t *)buf;
}

/* What a checksum in software will read of the first segment, behind the first two lines. */
static inline void
weir_plain_fetch_payload(const struct rte_mbuf *buf)
{
	const uint8_t *data = rte_pktmbuf_mtod(buf, const uint8_t *);

	for (uint32_t off = 2 * RTE_CACHE_LINE_SIZE; off < buf->data_len; off += RTE_CACHE_LINE_SIZE)
		rte_prefetch0(data + off);
}

/* Does one of WEIR_PLAIN_BYTES bytes of the frame differ under the mask? The same with the vectors of
 * the baseline, of 32 and of 64 bytes; see weir_parse_burst(). */
typedef bool weir_plain_compare(const uint8_t *frame, const uint8_t *want, const uint8_t *mask);

static inline __attribute__((always_inline)) bool
weir_plain_differs(const uint8_t *frame, const uint8_t *want, const uint8_t *mask)
{
	typedef uint64_t pair __attribute__((vector_size(16)));
	pair sum = {0, 0};

	for (uint32_t i = 0; i < WEIR_PLAIN_BYTES; i += sizeof(pair)) {
		pair got, under, wanted;

		memcpy(&got, frame + i, sizeof(got));
		memcpy(&under, mask + i, sizeof(under));
		memcpy(&wanted, want + i, sizeof(wanted));
		sum |= (got ^ wanted) & under;
	}
	return (sum[0] | sum[1]) != 0;
}

#ifdef __x86_64__
__attribute__((target("avx2"), always_inline)) static inline bool
weir_plain_differs_32(const uint8_t *frame, const uint8_t *want, const uint8_t *mask)
{
	__m256i sum = _mm256_setzero_si256();

	for (uint32_t i = 0; i < WEIR_PLAIN_BYTES; i += sizeof(sum)) {
		__m256i got = _mm256_loadu_si256((const __m256i_u *)(const void *)(frame + i));
		__m256i under = _mm256_loadu_si256((const __m256i_u *)(const void *)(mask + i));
		__m256i wanted = _mm256_loadu_si256((const __m256i_u *)(const void *)(want + i));

		sum = _mm256_or_si256(sum, _mm256_and_si256(_mm256_xor_si256(got, wanted), under));
	}
	return !_mm256_testz_si256(sum, sum);
}

__attribute__((target("avx512f"), always_inline)) static inline bool
weir_plain_differs_64(const uint8_t *frame, const uint8_t *want, const uint8_t *mask)
{
	__m512i bits = _mm512_xor_si512(_mm512_loadu_si512(frame), _mm512_loadu_si512(want));

	return !_mm512_kortestz(_mm512_test_epi32_mask(bits, _mm512_loadu_si512(mask)), 0);
}
#endif

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
	doubt = weir_plain_differs(frame, plain->want, plain->mask);
	doubt |= (uint64_t)(total < plain->headers) | (plain->l3_off + total > buf->pkt_len);
	doubt |= (buf->nb_segs > WEIR_SEG_CHAIN) |
		 ((buf->nb_segs == 1) & (plain->l3_off + total > buf->data_len));
	return doubt;
}

/* The end of the descriptor of a frame whose IP header lies at `ip`, as all of its run have it. */
static inline void
weir_plain_like(const struct weir_plain *plain, const uint8_t *ip, uint64_t like[2])
{
	like[0] = plain->like[0];
	like[1] = plain->like[1] | (uint64_t)ip[1] << WEIR_SEG_MERGE_BIT(tos) |
		  (uint64_t)ip[8] << WEIR_SEG_MERGE_BIT(ttl);
}

/* The descriptor of a plain frame with `len` bytes of payload, but for `follows`: what its run shares,
 * and what it says itself. Stores do not overlap: what is read in wider words afterwards would wait. */
static inline void
weir_plain_fill(const struct weir_plain *plain, const uint64_t like[2], struct rte_mbuf *buf,
		const uint8_t *tcp, uint32_t len, struct weir_seg *seg)
{
	uint64_t numbers, end;

	memcpy(&numbers, tcp + 4, sizeof(numbers));
	numbers = __builtin_bswap64(numbers);
	seg->buf = buf;
	memcpy(&seg->ack, &numbers, sizeof(numbers));
	seg->len = len;
	seg->tsval = weir_load_be32(tcp + WEIR_TCP_BYTES + 4) & plain->ts_mask;
	seg->data_off = plain->data_off;
	seg->win = weir_load_be16(tcp + 14);
	seg->nb_segs = buf->nb_segs;
	end = like[1] | tcp[13];
	memcpy(&seg->wire_segs, &like[0], sizeof(like[0]));
	memcpy(&seg->flags, &end, sizeof(end));
}

/* Of the segment before, for the next one of its run. */
struct weir_plain_before {
	uint32_t next; /* sequence number behind it */
	uint32_t ack;
	uint32_t tsval;
	uint32_t last; /* not zero: nothing follows it in an aggregate */
};

/* May the segment stand behind the one before in an aggregate? See tcp/aggregate.c. */
static inline uint8_t
weir_plain_follows(struct weir_plain_before *before, uint32_t seq, uint32_t ack, uint32_t len,
		   uint32_t tsval, uint8_t flags)
{
	uint32_t alone = (len - 1) >> 31, doubt = alone | before->last;

	doubt |= (seq ^ before->next) | (ack - before->ack) >> WEIR_SEG_ACK_BITS;
	doubt |= (tsval - before->tsval) >> WEIR_SEG_TS_BITS;
	before->next = seq + len;
	before->ack = ack;
	before->tsval = tsval;
	before->last = alone | (flags & WEIR_TCP_PSH);
	return doubt == 0;
}

/*
 * May `buf`, which lies behind `before` in the burst, belong to the block of it? A look that most of what
 * does not is told by: its sequence number is not `next`.
 */
static inline bool
weir_plain_may_continue(const struct weir_plain *plain, const struct rte_mbuf *before,
			const struct rte_mbuf *buf, uint32_t next)
{
	const uint8_t *tcp = rte_pktmbuf_mtod(buf, const uint8_t *) + plain->l4_off;

	return buf->data_len == before->data_len && weir_load_be32(tcp + 4) == next;
}

/*
 * A block: how many of the `n` frames from bufs[0] on, of which bufs[-1] was taken for the descriptor
 * before `seg`, are like that one in all but sequence number and checksum, continue it, and lie in buffers
 * that say the same. What was found out of it is then true of them, too, so that of their descriptors only
 * the buffer is written. In direct buffers of one mempool data lies equally far behind each
 * (rte_mbuf_to_baddr()); others form no blocks. `elsewhere`: the first that is not of the block does not
 * continue it, but is like it all the same.
 */
static inline __attribute__((always_inline)) uint32_t
weir_plain_take_block(const struct weir_parse *parse, const struct weir_plain *plain,
		      struct rte_mbuf **bufs, uint32_t n, struct weir_seg *seg, uint32_t *next,
		      bool *elsewhere, weir_plain_compare *differs)
{
	const ptrdiff_t frame_off = weir_plain_frame_off(bufs[-1]);
	const ptrdiff_t seq_off = frame_off + plain->l4_off + 4;
	uint8_t line[WEIR_PLAIN_BYTES], line_mask[WEIR_PLAIN_BYTES];
	uint8_t want[WEIR_PLAIN_BYTES], mask[WEIR_PLAIN_BYTES];
	uint32_t len = seg[-1].len, seq = *next, i;

	*elsewhere = false;
	if (unlikely(!RTE_MBUF_DIRECT(bufs[-1])))
		return 0;
	/* on the stack, where no descriptor lies: they stay in registers */
	memcpy(line, bufs[-1], sizeof(line));
	memcpy(line_mask, parse->line, sizeof(line_mask));
	memcpy(want, (const uint8_t *)bufs[-1] + frame_off, sizeof(want));
	memcpy(mask, plain->alike, sizeof(mask));
	for (i = 0; i < n; i++) {
		const uint8_t *buf = (const uint8_t *)bufs[i];

		if (i + WEIR_PLAIN_AHEAD < n) {
			rte_prefetch0(bufs[i + WEIR_PLAIN_AHEAD]);
			rte_prefetch0((const uint8_t *)bufs[i + WEIR_PLAIN_AHEAD] + frame_off);
		}
		if (differs(buf, line, line_mask) || differs(buf + frame_off, want, mask))
			break;
		if (unlikely(weir_load_be32(buf + seq_off) != seq)) {
			*elsewhere = true;
			break;
		}
		seq += len;
		seg[i].buf = bufs[i];
	}
	*next = seq;
	return i;
}

/* The descriptor of a frame that is like that of `block`, its place in the stream excepted, where nothing
 * that is told of both may follow it. */
static inline void
weir_plain_elsewhere(const struct weir_plain *plain, const struct weir_seg *block, struct rte_mbuf *buf,
		     struct weir_seg *seg, struct weir_plain_before *before)
{
	const uint8_t *tcp = rte_pktmbuf_mtod(buf, const uint8_t *) + plain->l4_off;

	*seg = *block;
	seg->buf = buf;
	seg->seq = weir_load_be32(tcp + 4);
	seg->follows = 0;
	seg->alike = 0;
	before->next = seg->seq + seg->len;
}

#endif
