/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest_fold.h"

#include <immintrin.h>
#include <string.h>

#include "digest.h"

#define WIDE	__attribute__((target("avx512f,avx512dq,avx512vl,vpclmulqdq,pclmul,sse4.2")))
#define VECTOR	64
#define VECTORS 4 /* folded at once: the latency of one hides behind the others */

/* Powers of x modulo the polynomial, as registers. */
static struct {
	uint64_t by_16[2], by_64[2], by_256[2]; /* what folds over so many bytes */
	uint32_t bytes[VECTOR], vectors[VECTOR]; /* [n]: shift by n bytes, or by n times 64, less 33
						    bits, which a product adds */
} power;

/* x to the power of `n`. */
static uint32_t
power_of(int n)
{
	uint32_t value = 0x80000000u;

	for (; n > 0; n--)
		value = value >> 1 ^ (value & 1 ? DIGEST_POLYNOMIAL : 0);
	for (; n < 0; n++)
		value = value & 0x80000000u ? (value ^ DIGEST_POLYNOMIAL) << 1 | 1 : value << 1;
	return value;
}

static void
fold_init(uint64_t by[2], int bytes)
{
	by[0] = power_of(8 * bytes + 31);
	by[1] = power_of(8 * bytes - 33);
}

bool
digest_fold_init(void)
{
	fold_init(power.by_16, 16);
	fold_init(power.by_64, VECTOR);
	fold_init(power.by_256, VECTORS * VECTOR);
	for (int n = 0; n < VECTOR; n++) {
		power.bytes[n] = power_of(8 * n - 33);
		power.vectors[n] = power_of(8 * VECTOR * n - 33);
	}
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("vpclmulqdq") &&
	       __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.2");
}

/* The product, times x to the 33rd. */
WIDE static inline uint32_t
multiply(uint32_t a, uint32_t b)
{
	__m128i product =
	    _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)a), _mm_cvtsi32_si128((int)b), 0);

	return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

/* What lies in `sum` moves on to where `next` lies. */
WIDE static inline __m512i
fold(__m512i sum, __m512i by, __m512i next)
{
	return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(sum, by, 0x00),
					 _mm512_clmulepi64_epi128(sum, by, 0x11), next, 0x96);
}

WIDE static inline __m128i
fold_16(__m128i sum, __m128i by, __m128i next)
{
	return _mm_ternarylogic_epi64(_mm_clmulepi64_si128(sum, by, 0x00),
				      _mm_clmulepi64_si128(sum, by, 0x11), next, 0x96);
}

WIDE static inline __m512i
constant(const uint64_t by[2])
{
	return _mm512_broadcast_i64x2(_mm_loadu_si128((const void *)by));
}

/* The vector `off` bytes from `data`, copied on the way. */
WIDE static inline __m512i
take(uint8_t *to, const uint8_t *data, size_t off)
{
	__m512i vector = _mm512_loadu_si512(data + off);

	if (to != NULL)
		_mm512_storeu_si512(to + off, vector);
	return vector;
}

WIDE static inline uint32_t
narrow(__m512i sum)
{
	__m128i by = _mm_loadu_si128((const void *)power.by_16);
	__m128i low = fold_16(_mm512_castsi512_si128(sum), by, _mm512_extracti64x2_epi64(sum, 1));
	uint64_t crc;

	low = fold_16(low, by, _mm512_extracti64x2_epi64(sum, 2));
	low = fold_16(low, by, _mm512_extracti64x2_epi64(sum, 3));
	crc = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(low));
	return (uint32_t)_mm_crc32_u64(crc, (uint64_t)_mm_extract_epi64(low, 1));
}

/* Whole vectors, at least VECTORS of them. */
WIDE static inline uint32_t
fold_all(uint8_t *to, const uint8_t *data, size_t len)
{
	const __m512i far = constant(power.by_256), near = constant(power.by_64);
	__m512i a = take(to, data, 0), b = take(to, data, VECTOR);
	__m512i c = take(to, data, 2 * VECTOR), d = take(to, data, 3 * VECTOR);
	size_t at = VECTORS * VECTOR;

	for (; at + VECTORS * VECTOR <= len; at += VECTORS * VECTOR) {
		a = fold(a, far, take(to, data, at));
		b = fold(b, far, take(to, data, at + VECTOR));
		c = fold(c, far, take(to, data, at + 2 * VECTOR));
		d = fold(d, far, take(to, data, at + 3 * VECTOR));
	}
	d = fold(fold(fold(a, near, b), near, c), near, d);
	for (; at < len; at += VECTOR)
		d = fold(d, near, take(to, data, at));
	return narrow(d);
}

WIDE static inline uint32_t
fold_any(uint32_t crc, uint8_t *to, const uint8_t *data, size_t len)
{
	size_t whole = len / VECTOR * VECTOR;
	uint32_t shift = multiply(power.vectors[len / VECTOR], power.bytes[len % VECTOR]);
	uint32_t own = fold_all(to, data, whole);

	own = digest_rest(own, to == NULL ? NULL : to + whole, data + whole, len - whole);
	return own ^ multiply(crc, shift);
}

WIDE uint32_t
digest_fold(uint32_t crc, uint8_t *to, const uint8_t *data, size_t len)
{
	return to == NULL ? fold_any(crc, NULL, data, len) : fold_any(crc, to, data, len);
}
