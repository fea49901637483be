/* SPDX-License-Identifier: BSD-3-Clause */
#include "crew.h"

#include <rte_launch.h>
#include <rte_pause.h>

static int
crew_loop(void *context)
{
	struct crew *crew = context;
	unsigned int seen = 0;

	for (;;) {
		while (atomic_load_explicit(&crew->asked, memory_order_acquire) == seen)
			rte_pause();
		seen++;
		if (crew->work == NULL)
			return 0;
		crew->work(crew->context);
		atomic_store_explicit(&crew->done, seen, memory_order_release);
	}
}

int
crew_start(struct crew *crew, unsigned int lcore)
{
	int rc;

	*crew = (struct crew){.lcore = lcore};
	rc = rte_eal_remote_launch(crew_loop, crew, lcore);
	crew->away = rc == 0;
	return rc;
}

static unsigned int
ask(struct crew *crew, void (*work)(void *context), void *context)
{
	unsigned int number = atomic_load_explicit(&crew->asked, memory_order_relaxed) + 1;

	crew->work = work;
	crew->context = context;
	atomic_store_explicit(&crew->asked, number, memory_order_release);
	return number;
}

void
crew_stop(struct crew *crew)
{
	if (!crew->away)
		return;
	ask(crew, NULL, NULL);
	rte_eal_wait_lcore(crew->lcore);
	crew->away = false;
}

void
crew_call(struct crew *crew, void (*work)(void *context), void *context)
{
	unsigned int number;

	if (crew == NULL) {
		work(context);
		return;
	}
	number = ask(crew, work, context);
	while (atomic_load_explicit(&crew->done, memory_order_acquire) != number)
		rte_pause();
}
