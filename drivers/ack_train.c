/* SPDX-License-Identifier: BSD-3-Clause */
/* Acknowledgment offload (Menon & Zwaenepoel 4.2): the train leaves the stack as one template. */
#include <rte_mbuf.h>

#include "engine/port.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX2	 __attribute__((target("avx2,tune=haswell")))
#define BOTH(...) {__VA_ARGS__, __VA_ARGS__}
#define NO	 0x80 /* vpshufb: zero */
#define L4_MOST	 60   /* what lies before the sequence number is in the first 64 bytes */

/*
 * Two ACKs at once, one in each half of a vector: ack, TSecr, window and, in place of what is spare, the
 * sum of all that they share. vpsadbw adds up bytes; these are the second and the first bytes of the
 * words as they will lie on the wire. Without timestamps TSecr is left out.
 */
static const uint8_t sum_bytes[2][32] __attribute__((aligned(32))) = {
	BOTH(2, 0, NO, NO, 8, 11, 13, 15, 3, 1, NO, NO, 9, 10, 12, 14),
	BOTH(2, 0, 6, 4, 8, 11, 13, 15, 3, 1, 7, 5, 9, 10, 12, 14),
};

/* From there, with the checksum behind the window, to 32 bytes of the frame from seq on: seq, ack, bits
 * and window, checksum and urgent pointer; the option's head, TSval and TSecr. */
static const uint8_t places[32] __attribute__((aligned(32))) = {
	NO, NO, NO, NO, 3,  2,	1,  0,	NO, NO, 9, 8, 10, 11, NO, NO,
	NO, NO, NO, NO, NO, NO, NO, NO, 7,  6,	5, 4, NO, NO, NO, NO,
};

struct wide_image {
	__m256i head[2]; /* the first 64 bytes of each frame */
	__m256i shared;	 /* of the 32 from seq on, and the ones that invert a sum */
	__m256i sum;	 /* in the place of what is spare */
	__m256i sum_bytes;
	uint32_t seq_off;
};

AVX2 static inline struct wide_image
wide_image(const struct weir_ack_template *train)
{
	const struct weir_header *header = train->header;
	const struct weir_ack_image image = weir_header_image(train);
	const __m256i own = _mm256_set_epi64x(
		0, (int64_t)((uint64_t)image.tsval << 32),
		(int64_t)((uint64_t)UINT16_MAX << 32 | image.bits), image.seq);
	struct wide_image wide;

	wide.seq_off = header->l4_off + 4u;
	wide.head[0] = _mm256_loadu_si256((const void *)header->bytes);
	wide.head[1] = _mm256_loadu_si256((const void *)(header->bytes + 32));
	wide.shared = _mm256_or_si256(
		own, _mm256_loadu_si256((const void *)(header->bytes + wide.seq_off)));
	wide.sum = _mm256_set1_epi64x((int64_t)(image.sum << 16));
	wide.sum_bytes = _mm256_load_si256((const void *)sum_bytes[image.has_ts]);
	return wide;
}

/* `fields`: twice the ACK's. */
AVX2 static inline void
write_frame(const struct wide_image *wide, __m256i fields, struct rte_mbuf *frame)
{
	uint8_t *to = (uint8_t *)frame->buf_addr + RTE_PKTMBUF_HEADROOM;

	fields = _mm256_shuffle_epi8(fields, _mm256_load_si256((const void *)places));
	_mm256_storeu_si256((void *)to, wide->head[0]);
	_mm256_storeu_si256((void *)(to + 32), wide->head[1]);
	_mm256_storeu_si256((void *)(to + wide->seq_off), _mm256_xor_si256(fields, wide->shared));
}

/* An ACK in each half, and the frame of each. */
AVX2 static inline void
write_pair(const struct wide_image *wide, __m256i acks, struct rte_mbuf *first,
	   struct rte_mbuf *second)
{
	__m256i fields = _mm256_blend_epi16(acks, wide->sum, 0xe0), sum;

	sum = _mm256_sad_epu8(_mm256_shuffle_epi8(fields, wide->sum_bytes), _mm256_setzero_si256());
	sum = _mm256_add_epi32(sum, _mm256_bslli_epi128(sum, 9)); /* second bytes weigh 256 */
	/* Its halves, and what they carry, add up in the upper one. */
	sum = _mm256_add_epi32(sum, _mm256_shufflehi_epi16(sum, 0xe1));
	fields = _mm256_blend_epi16(fields, sum, 0x20);
	write_frame(wide, _mm256_permute4x64_epi64(fields, 0x44), first);
	write_frame(wide, _mm256_permute4x64_epi64(fields, 0xee), second);
}

/* The last `n` ACKs of the train; returns n. */
AVX2 static uint32_t __attribute__((noinline))
write_by_pairs(const struct weir_ack_template *train, uint32_t n, struct rte_mbuf **frames,
	       struct rte_mbuf **out)
{
	const struct wide_image wide = wide_image(train);
	const struct weir_ack *acks = train->acks + (train->n - n);
	uint32_t i;

	for (i = 0; i + 1 < n; i += 2) {
		out[i] = frames[i];
		out[i + 1] = frames[i + 1];
		write_pair(&wide, _mm256_loadu_si256((const void *)&acks[i]), out[i], out[i + 1]);
	}
	if (i < n) {
		__m128i last = _mm_loadu_si128((const void *)&acks[i]);

		out[i] = frames[i];
		write_pair(&wide, _mm256_broadcastsi128_si256(last), out[i], out[i]);
	}
	return n;
}

#endif

void
weir_ack_stock_fill(struct weir_ack_stock *stock, struct weir_pool *pool, uint32_t n, uint32_t len)
{
	uint32_t got = 0;

	for (uint32_t step = n; step != 0 && got < n;) {
		if (step > n - got)
			step = n - got;
		if (weir_buf_alloc_frames(pool, stock->frames + got, step, (uint16_t)len))
			got += step;
		else
			step /= 2;
	}
	stock->n = got;
	stock->len = len;
}

/* Of another family, or with other options or tags than the stock's. */
static void __attribute__((noinline))
set_lengths(struct rte_mbuf **frames, uint32_t n, uint32_t len)
{
	for (uint32_t i = 0; i < n; i++) {
		frames[i]->pkt_len = len;
		frames[i]->data_len = (uint16_t)len;
	}
}

static uint32_t __attribute__((noinline))
write_each(const struct weir_ack_template *train, uint32_t n, struct rte_mbuf **frames,
	   struct rte_mbuf **out)
{
	const struct weir_ack_image image = weir_header_image(train);
	const struct weir_ack *acks = train->acks + (train->n - n);

	for (uint32_t i = 0; i < n; i++) {
		out[i] = frames[i];
		weir_header_ack(&image, &acks[i], rte_pktmbuf_mtod(out[i], uint8_t *));
	}
	return n;
}

/* Up to *n frames of `len` bytes out of the stock; *n says how many. */
static inline struct rte_mbuf **
take(struct weir_ack_stock *stock, uint32_t *n, uint32_t len)
{
	if (unlikely(*n > stock->n))
		*n = stock->n;
	stock->n -= *n;
	if (unlikely(len != stock->len))
		set_lengths(stock->frames + stock->n, *n, len);
	return stock->frames + stock->n;
}

uint32_t
weir_ack_copies_expand(struct weir_ack_stock *stock, const struct weir_sack_image *image,
		       const struct weir_ack *edges, uint32_t n, struct rte_mbuf **out)
{
	uint32_t got = n;
	struct rte_mbuf **frames = take(stock, &got, image->len);

	edges += n - got;
	for (uint32_t i = 0; i < got; i++) {
		out[i] = frames[i];
		weir_sack_write(image, edges[i].ack, rte_pktmbuf_mtod(out[i], uint8_t *));
	}
	return got;
}

uint32_t
weir_ack_train_expand(struct weir_ack_stock *stock, const struct weir_ack_template *train,
		      struct rte_mbuf **out)
{
	uint32_t n = train->n;
	struct rte_mbuf **frames = take(stock, &n, train->header->len);

#ifdef __x86_64__
	if (likely(train->header->l4_off <= L4_MOST && __builtin_cpu_supports("avx2")))
		return write_by_pairs(train, n, frames, out);
#endif
	return write_each(train, n, frames, out);
}
