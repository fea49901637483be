/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, the time limit and the reports: everything that may wait, beside the engine. */
#ifndef APP_WEIR_CONTROL_H
#define APP_WEIR_CONTROL_H

#include "app/cli/watch.h"
#include "options.h"
#include "run.h"

/* First of all, on a run that is all zeros: SIGINT, SIGTERM and SIGHUP set run->stop, so that what
 * was begun is undone also when they come early; a second one ends at once. */
void control_catch_signals(struct run *run);

/* Once `run` is whole: SIGUSR1 and a failed assertion write its record. */
void control_catch_record(const struct run *run);

/* Before the stack goes: what would look at it. */
void control_release_signals(void);

struct control {
	const struct options *options;
	struct run *run;
	struct watch *watch;
};

/* Until the engine's loop has ended. `arg` is a struct control. Returns NULL. */
void *control_run(void *arg);

#endif
