/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_EAL_START_H
#define APP_CLI_EAL_START_H

#include "app/cli/eal_args.h"

/* What EAL printed while it started, kept back: rte_eal_init prints its whole usage and several
 * lines when it refuses. Nothing is kept back with --log-level. */
struct eal_said {
	int fd;			       /* -1: nothing was kept back */
	char first[OPTIONS_ERROR / 2]; /* first line, without EAL's name before it; may be empty */
};

/* rte_eal_init; its runtime directory goes when the program exits. Returns 0, or -1 with one line
 * in `error` (OPTIONS_ERROR bytes). */
int eal_start(const struct eal_args *args, struct eal_said *said, char *error);

/* Once: let what was kept back go to standard error (`tell`), or forget it. */
void eal_said_end(struct eal_said *said, bool tell);

#endif
