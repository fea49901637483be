/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, the time limit and the reports: everything that may wait, beside the engine. */
#ifndef APP_WEIR_CONTROL_H
#define APP_WEIR_CONTROL_H

#include "options.h"
#include "run.h"

/* SIGINT and SIGTERM end, SIGUSR1 records; a second SIGINT or SIGTERM ends at once. */
void control_catch_signals(struct run *run);

/* Before the stack goes: what would look at it. */
void control_release_signals(void);

struct control {
	const struct options *options;
	struct run *run;
};

/* Until the engine's loop has ended. `arg` is a struct control. Returns NULL. */
void *control_run(void *arg);

#endif
