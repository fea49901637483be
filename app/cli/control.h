/* SPDX-License-Identifier: BSD-3-Clause */
/* The time limit, the ports' state and the reports: everything that may wait, beside the loop. */
#ifndef APP_CLI_CONTROL_H
#define APP_CLI_CONTROL_H

#include <stdio.h>

#include "app/cli/loop.h"
#include "app/cli/parse.h"
#include "app/cli/watch.h"

struct program; /* each tool's own */

/* One screen, if the loop has a snapshot to give. `clear`: over the last one on a terminal. */
typedef void control_report(struct program *program, FILE *to, uint64_t start_ns, bool clear);

struct control {
	struct tool_options *options;
	struct loop *loop;
	struct watch *watch;
	struct program *program;
	/* Each few ms; `ports`: there is one that has not gone. */
	void (*tick)(struct program *program, bool ports);
	control_report *report;
	bool lost; /* a report could not be written; it was said */
};

/* Until the loop has ended. `arg` is a struct control. Returns NULL. */
void *control_run(void *arg);

#endif
