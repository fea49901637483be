/* SPDX-License-Identifier: BSD-3-Clause */
/* The other lcore: one call at a time is done there while the caller waits, so that what it writes
 * lies in that core's caches. */
#ifndef APP_BENCH_CREW_H
#define APP_BENCH_CREW_H

#include <stdatomic.h>
#include <stdbool.h>

struct crew {
	unsigned int lcore;
	bool away; /* it runs */
	_Alignas(64) _Atomic unsigned int asked;
	void (*work)(void *context);
	void *context;
	_Alignas(64) _Atomic unsigned int done;
};

/* Start a loop on `lcore`; negative errno when it does not start. */
int crew_start(struct crew *crew, unsigned int lcore);
void crew_stop(struct crew *crew);
/* With `crew` NULL the caller does it itself. */
void crew_call(struct crew *crew, void (*work)(void *context), void *context);

#endif
