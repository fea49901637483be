/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Content that the other end can check: byte `offset` of the stream that comes from port `port` is
 * bytes[(port * STEP + offset) % PERIOD] of one table. A piece of a stream is therefore one copy
 * out of the table, and one memcmp with it. The period is prime, so that no whole number of
 * segments, pages or powers of two repeats early: data that moved, doubled or got lost differs. The
 * address does not count, so that streams survive a translation of it. Includes no other part of
 * weir.
 */
#ifndef WEIR_APP_GENERATOR_PATTERN_H
#define WEIR_APP_GENERATOR_PATTERN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GENERATOR_PATTERN_PERIOD 8191
#define GENERATOR_PATTERN_PIECE	 16384 /* contiguous bytes from any position */
#define GENERATOR_PATTERN_STEP	 1009  /* between the beginnings of neighbouring ports */

struct generator_pattern {
	uint8_t bytes[GENERATOR_PATTERN_PERIOD + GENERATOR_PATTERN_PIECE];
};

/* Once, before the table is used. Any thread. */
static inline void
generator_pattern_fill(struct generator_pattern *pattern)
{
	uint32_t state = 0x2545f491;

	for (uint32_t i = 0; i < GENERATOR_PATTERN_PERIOD; i++) {
		state ^= state << 13; /* xorshift32 (Marsaglia 2003) */
		state ^= state >> 17;
		state ^= state << 5;
		pattern->bytes[i] = (uint8_t)(state >> 11);
	}
	for (uint32_t i = 0; i < GENERATOR_PATTERN_PIECE; i++)
		pattern->bytes[GENERATOR_PATTERN_PERIOD + i] = pattern->bytes[i];
}

/* Position of byte `offset` of the stream from `port`, below GENERATOR_PATTERN_PERIOD. */
static inline uint32_t
generator_pattern_position(uint16_t port, uint64_t offset)
{
	return (uint32_t)((offset + (uint64_t)port * GENERATOR_PATTERN_STEP) %
			  GENERATOR_PATTERN_PERIOD);
}

/* The bytes of the stream from `offset` on; GENERATOR_PATTERN_PIECE of them may be read. */
static inline const uint8_t *
generator_pattern_at(const struct generator_pattern *pattern, uint16_t port, uint64_t offset)
{
	return pattern->bytes + generator_pattern_position(port, offset);
}

/* Whether `data` is `len` bytes of the stream from `port`, from `offset` on. */
static inline bool
generator_pattern_check(const struct generator_pattern *pattern, uint16_t port, uint64_t offset,
			const void *data, uint32_t len)
{
	const uint8_t *at = data;

	while (len != 0) {
		uint32_t piece = len < GENERATOR_PATTERN_PIECE ? len : GENERATOR_PATTERN_PIECE;

		if (memcmp(at, generator_pattern_at(pattern, port, offset), piece) != 0)
			return false;
		at += piece;
		offset += piece;
		len -= piece;
	}
	return true;
}

#endif
