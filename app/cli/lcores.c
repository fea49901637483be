/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/lcores.h"

#include <pthread.h>

#include <rte_launch.h>
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

static int
run_here(unsigned int lcore, int (*loop)(void *), void *loop_arg, void *(*control)(void *),
	 void *control_arg)
{
	rte_cpuset_t own = rte_lcore_cpuset(lcore);
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, control, control_arg);

	if (rc != 0)
		return -rc;
	pthread_setaffinity_np(pthread_self(), sizeof(own), &own);
	loop(loop_arg);
	pthread_join(thread, NULL);
	return 0;
}

int
lcores_run(unsigned int lcore, int (*loop)(void *), void *loop_arg, void *(*control)(void *),
	   void *control_arg)
{
	int rc;

	if (lcore == rte_get_main_lcore())
		return run_here(lcore, loop, loop_arg, control, control_arg);
	rc = rte_eal_remote_launch(loop, loop_arg, lcore);
	if (rc != 0)
		return rc;
	control(control_arg);
	rte_eal_wait_lcore(lcore);
	return 0;
}
