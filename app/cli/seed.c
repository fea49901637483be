/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/seed.h"

#include <sys/random.h>
#include <time.h>

uint64_t
seed_from_system(void)
{
	struct timespec now;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		return seed;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec;
}
