/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/lcores.h"

#include <pthread.h>

#include <rte_lcore.h>

unsigned int
lcores_loop(void)
{
	unsigned int lcore = rte_get_next_lcore(-1, 1, 0);

	return lcore < RTE_MAX_LCORE ? lcore : rte_get_main_lcore();
}

void
lcores_stay_off(unsigned int lcore, const cpu_set_t *allowed)
{
	rte_cpuset_t engine = rte_lcore_cpuset(lcore);
	cpu_set_t others;

	CPU_XOR(&others, allowed, &engine);
	CPU_AND(&others, &others, allowed);
	if (CPU_COUNT(&others) != 0)
		pthread_setaffinity_np(pthread_self(), sizeof(others), &others);
}
