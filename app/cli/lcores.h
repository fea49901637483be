/* SPDX-License-Identifier: BSD-3-Clause */
/* Who runs where: the polling loop has its lcore alone, everything that may wait is elsewhere. */
#ifndef APP_CLI_LCORES_H
#define APP_CLI_LCORES_H

#include <sched.h>

/* The loop's lcore: the first worker, or the main one when it is alone. After EAL has started. */
unsigned int lcores_loop(void);

/* Keep the calling thread, and those it starts, off `lcore` if `allowed` has another core. */
void lcores_stay_off(unsigned int lcore, const cpu_set_t *allowed);

/*
 * Run `loop` on `lcore` and `control` beside it: here, or, when `lcore` is this thread's own, on a
 * thread of its own. Returns when both have ended: 0, or -errno when nothing was started.
 */
int lcores_run(unsigned int lcore, int (*loop)(void *), void *loop_arg, void *(*control)(void *),
	       void *control_arg);

#endif
