/* SPDX-License-Identifier: BSD-3-Clause */
/* A tool that polls ports, from main() to its end. */
#ifndef APP_CLI_TOOL_H
#define APP_CLI_TOOL_H

#include "app/cli/control.h"

/* Exit codes beside 0. */
#define TOOL_REFUSED 1 /* nothing was started */
#define TOOL_MISSED  2 /* it ran, but something was lost or not done */

/* Functions in the order of their calls. Those that return an int without saying more return 0, or
 * -1 after one line that names the thing and the mend. */
struct tool {
	struct control control; /* its options are a part of `options` */
	struct options *options;
	const char *help;
	enum options_result (*parse)(struct options *options, int argc, char **argv, char *error);
	int (*check)(const struct options *options); /* before EAL starts */
	/* Names the ports and raises *buffer_bytes to what they need. `said` is what EAL said while
	 * it started, which explains a port that is not there; it stays valid and may be empty. */
	int (*find_ports)(struct program *program, const char *said, uint32_t *buffer_bytes);
	/* The clock goes. When the loop was stopped meanwhile, the rest may be left out: close is next. */
	int (*set_up)(struct program *program);
	void (*describe)(struct program *program); /* NULL: says nothing */
	int (*run)(void *program);		   /* the loop, on its lcore; returns 0 */
	/* Tells what became of it: the exit code. */
	int (*result)(struct program *program, unsigned int lcore);
	/* Frees whatever is there. Returns the buffers that were not given back; false in *good when
	 * something else was lost. */
	uint32_t (*close)(struct program *program, bool *good);
};

/* Returns the exit code. */
int tool_main(const struct tool *tool, int argc, char **argv);

#endif
