/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/checksum.h"

#define VECTOR_LEAST 128 /* bytes; below this the set-up costs more than it saves */

/* Carries out of 64 bits collect in the upper half: one add and one add-with-carry a word. */
__extension__ typedef unsigned __int128 wide_sum;

static uint64_t
load_word(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* 2^64 and 2^32 are both 1 modulo 2^16 - 1. */
static uint64_t
narrow(wide_sum sum)
{
	uint64_t low = (uint64_t)sum;

	return (low & 0xffffffff) + (low >> 32) + (uint64_t)(sum >> 64);
}

/* Up to seven last bytes as one zero-padded word. */
static uint64_t
load_tail(const uint8_t *p, uint32_t len)
{
	uint64_t word = 0;

	memcpy(&word, p, len);
	return word;
}

/* Bytes that are no whole rounds of vectors. */
static uint64_t
add_words(const uint8_t *at, uint32_t len)
{
	wide_sum even = 0, odd = 0;

	for (; len >= 32; len -= 32, at += 32) {
		even += load_word(at);
		odd += load_word(at + 8);
		even += load_word(at + 16);
		odd += load_word(at + 24);
	}
	for (; len >= 8; len -= 8, at += 8)
		even += load_word(at);
	if (len != 0)
		odd += load_tail(at, len);
	return narrow(even + odd);
}

#ifdef __x86_64__
/*
 * Rounds of two vectors: lanes of 64 bits take up halves of 32, so that nothing is carried. The
 * compiler would load each vector twice, once for each half, and most loads cross a line.
 */
#define ADD_VECTORS(name, isa, vector_bytes)                                                       \
	__attribute__((target(isa))) static uint64_t name(const uint8_t *at, uint32_t rounds)      \
	{                                                                                          \
		typedef uint64_t lanes __attribute__((vector_size(vector_bytes)));                 \
		lanes low = {0}, high = {0};                                                       \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (; rounds != 0; rounds--, at += 2 * (vector_bytes)) {                          \
			lanes a, b;                                                                \
                                                                                                   \
			memcpy(&a, at, sizeof(a));                                                 \
			memcpy(&b, at + sizeof(a), sizeof(b));                                     \
			__asm__("" : "+v"(a), "+v"(b));                                            \
			low += (a & UINT32_MAX) + (b & UINT32_MAX);                                \
			high += (a >> 32) + (b >> 32);                                             \
		}                                                                                  \
		low += high;                                                                       \
		for (uint32_t i = 0; i < (vector_bytes) / sizeof(low[0]); i++)                     \
			sum += low[i];                                                             \
		return sum;                                                                        \
	}

ADD_VECTORS(add_vectors_32, "avx2", 32)
ADD_VECTORS(add_vectors_64, "avx512f", 64)

uint32_t
weir_csum_widest(void)
{
	if (__builtin_cpu_supports("avx512f"))
		return 64;
	return __builtin_cpu_supports("avx2") ? 32 : 0;
}
#else
uint32_t
weir_csum_widest(void)
{
	return 0;
}
#endif

uint64_t
weir_csum_add_by(uint32_t vector_bytes, const void *p, uint32_t len, uint64_t sum)
{
	const uint8_t *at = p;
	uint32_t rounds = vector_bytes == 0 ? 0 : len / (2 * vector_bytes);
	uint32_t done = rounds * 2 * vector_bytes;

#ifdef __x86_64__
	if (rounds != 0)
		sum += vector_bytes == 64 ? add_vectors_64(at, rounds) : add_vectors_32(at, rounds);
#endif
	return sum + add_words(at + done, len - done);
}

uint64_t
weir_csum_add(const void *p, uint32_t len, uint64_t sum)
{
	if (len < VECTOR_LEAST)
		return sum + add_words(p, len);
	return weir_csum_add_by(weir_csum_widest(), p, len, sum);
}

uint64_t
weir_csum_add_chain(const struct rte_mbuf *buf, uint32_t off, uint32_t len, uint64_t sum)
{
	const uint8_t *data;
	uint32_t done = 0, piece;
	uint16_t part;

	for (; done < len && buf != NULL; buf = buf->next) {
		if (off >= buf->data_len) {
			off -= buf->data_len;
			continue;
		}
		data = rte_pktmbuf_mtod_offset(buf, const uint8_t *, off);
		piece = RTE_MIN(len - done, buf->data_len - off);
		part = weir_csum_fold(weir_csum_add(data, piece, 0));
		/* A piece at an odd place has its bytes in the other halves (RFC 1071 2(B)). */
		sum += done & 1 ? __builtin_bswap16(part) : part;
		done += piece;
		off = 0;
	}
	return sum;
}

uint64_t
weir_csum_pseudo4(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t tcp_len)
{
	return (uint64_t)__builtin_bswap32(src) + __builtin_bswap32(dst) +
	       __builtin_bswap16(protocol) + __builtin_bswap16(tcp_len);
}

uint64_t
weir_csum_pseudo6(const uint8_t *addresses, uint8_t next_header, uint32_t len)
{
	return weir_csum_add(addresses, 32, 0) + __builtin_bswap32(len) +
	       __builtin_bswap16(next_header);
}
