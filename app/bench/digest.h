/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC32C (RFC 3720 B.4). Any x86-64 with SSE4.2, which DPDK asks for; by the widest instructions that
 * the processor has. */
#ifndef APP_BENCH_DIGEST_H
#define APP_BENCH_DIGEST_H

#include <nmmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGEST_POLYNOMIAL 0x82f63b78u /* reflected */

/* Once before the others; with `lanes_only` as on a processor that has no wider instructions. */
void digest_init(bool lanes_only);
/* Begin with 0; a later call goes on where one ended. */
uint32_t digest_crc32c(uint32_t crc, const void *data, size_t len);
/* The same, and a copy to `to`, in one pass. */
uint32_t digest_copy_crc32c(uint32_t crc, void *to, const void *data, size_t len);
/* By the crc32 instruction alone, three lanes at once because its latency is three cycles. */
uint32_t digest_crc32c_lanes(uint32_t crc, const void *data, size_t len);

/* Eight bytes from `data` into the register, and to `to` unless that is NULL. */
static inline uint64_t
digest_step(uint64_t crc, uint8_t *to, const uint8_t *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	if (to != NULL)
		memcpy(to, &word, sizeof(word));
	return _mm_crc32_u64(crc, word);
}

/* A few bytes, one step after the other. */
static inline uint32_t
digest_rest(uint32_t crc, uint8_t *to, const uint8_t *data, size_t len)
{
	for (; len >= 8; len -= 8, data += 8) {
		crc = (uint32_t)digest_step(crc, to, data);
		to = to == NULL ? NULL : to + 8;
	}
	for (size_t i = 0; i < len; i++) {
		crc = _mm_crc32_u8(crc, data[i]);
		if (to != NULL)
			to[i] = data[i];
	}
	return crc;
}

#endif
