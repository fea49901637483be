/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, the time limit, the link and the reports: everything that may wait, beside the loop. */
#ifndef APP_GEN_CONTROL_H
#define APP_GEN_CONTROL_H

#include "app/cli/watch.h"
#include "options.h"
#include "run.h"

/* SIGINT, SIGTERM and SIGHUP end; a second one ends at once. */
void control_catch_signals(struct run *run);

struct control {
	const struct options *options;
	struct run *run;
	struct watch *watch;
};

/* Until the loop has ended. `arg` is a struct control. Returns NULL. */
void *control_run(void *arg);

#endif
