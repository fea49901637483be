/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/tsc_clock.h"

#include <time.h>

#include <rte_cycles.h>

#define SHIFT  24
#define SECOND UINT64_C(1000000000)

uint64_t
tsc_clock_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void
tsc_clock_start(struct tsc_clock *clock)
{
	clock->start_ns = tsc_clock_monotonic_ns();
	clock->start_tsc = rte_rdtsc();
	clock->mult = (SECOND << SHIFT) / rte_get_tsc_hz();
}

uint64_t
tsc_clock_ns(const struct tsc_clock *clock, uint64_t tsc)
{
	uint64_t cycles = tsc - clock->start_tsc;
	uint64_t low = cycles & ((UINT64_C(1) << SHIFT) - 1);

	/* In two parts: the whole product would overflow after minutes. */
	return clock->start_ns + (cycles >> SHIFT) * clock->mult + ((low * clock->mult) >> SHIFT);
}
