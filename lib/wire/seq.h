/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequence arithmetic modulo 2^32 (RFC 9293 section 3.4). The one place that compares two sequence
 * numbers; valid while they are less than 2^31 apart. TSvals compare by the same rule (RFC 7323 5.2).
 */
#ifndef WEIR_WIRE_SEQ_H
#define WEIR_WIRE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* Signed distance from b to a: positive when a is right of b. */
static inline int32_t
weir_seq_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline bool
weir_seq_lt(uint32_t a, uint32_t b)
{
	return weir_seq_diff(a, b) < 0;
}

static inline bool
weir_seq_leq(uint32_t a, uint32_t b)
{
	return weir_seq_diff(a, b) <= 0;
}

static inline uint32_t
weir_seq_max(uint32_t a, uint32_t b)
{
	return weir_seq_lt(a, b) ? b : a;
}

static inline uint32_t
weir_seq_min(uint32_t a, uint32_t b)
{
	return weir_seq_lt(a, b) ? a : b;
}

#endif
