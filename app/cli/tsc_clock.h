/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_TSC_CLOCK_H
#define APP_CLI_TSC_CLOCK_H

#include <stdint.h>

/* TSC to nanoseconds without a division. */
struct tsc_clock {
	uint64_t start_tsc;
	uint64_t start_ns;
	uint64_t mult; /* ns per cycle, 24 bits of fraction */
};

/* The monotonic clock, ns. */
uint64_t tsc_clock_monotonic_ns(void);

/* Set to the monotonic clock. After EAL has started. */
void tsc_clock_start(struct tsc_clock *clock);
uint64_t tsc_clock_ns(const struct tsc_clock *clock, uint64_t tsc);

#endif
