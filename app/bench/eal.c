/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "options.h"

#define MEMORY_MB "1536"
#define PAGES	  768 /* of 2 MB */

static unsigned long
free_hugepages(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages;
}

/* The last two cores that this process may use: interrupts go to the first ones by habit. The
 * engine gets the last. */
static void
choose_cores(char *list, char *engine, size_t size)
{
	int last = 0, other = -1;
	cpu_set_t allowed;

	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &allowed)) {
			other = last;
			last = core;
		}
	if (CPU_COUNT(&allowed) < 2)
		snprintf(list, size, "%d", last);
	else
		snprintf(list, size, "%d,%d", other, last);
	snprintf(engine, size, "--main-lcore=%d", last);
}

static int
start_by_default(char *name)
{
	char list[64], engine[64];
	char *words[16];
	int n = 0;

	choose_cores(list, engine, sizeof(list));
	words[n++] = name;
	words[n++] = (char *)(uintptr_t) "-l";
	words[n++] = list;
	words[n++] = engine;
	words[n++] = (char *)(uintptr_t) "--no-pci";
	words[n++] = (char *)(uintptr_t) "--no-telemetry";
	words[n++] = (char *)(uintptr_t) "--log-level=error";
	words[n++] = (char *)(uintptr_t) "-m";
	words[n++] = (char *)(uintptr_t)MEMORY_MB;
	if (free_hugepages() >= PAGES) {
		words[n++] = (char *)(uintptr_t) "--in-memory";
	} else {
		words[n++] = (char *)(uintptr_t) "--no-huge";
		words[n++] = (char *)(uintptr_t) "--no-shconf";
	}
	return rte_eal_init(n, words);
}

int
eal_start(int argc, char **argv, char *error)
{
	int rc = argc > 1 ? rte_eal_init(argc, argv) : start_by_default(argv[0]);

	if (rc >= 0)
		return 0;
	snprintf(error, OPTIONS_ERROR, "EAL does not start: %s: correct what stands before --",
		 rte_strerror(rte_errno));
	return -1;
}
