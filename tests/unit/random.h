/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers, the same in each run. A test that wants others sets random_state, to anything. */
#ifndef WEIR_TESTS_RANDOM_H
#define WEIR_TESTS_RANDOM_H

#include <stdint.h>

#include "wire/siphash.h"

static uint64_t random_state;

static inline uint32_t
random_u32(void)
{
	return (uint32_t)(weir_seed_next(&random_state) >> 32);
}

/* In [0, n). */
static inline uint32_t
random_below(uint32_t n)
{
	return (uint32_t)((uint64_t)random_u32() * n >> 32);
}

#endif
