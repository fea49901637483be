/* SPDX-License-Identifier: BSD-3-Clause */
/* Unaligned big-endian loads and stores. Below the parser every number is in host order. */
#ifndef WEIR_WIRE_BYTES_H
#define WEIR_WIRE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t
weir_load_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t
weir_load_be32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline void
weir_store_be16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void
weir_store_be32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

#endif
