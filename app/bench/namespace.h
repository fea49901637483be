/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network namespaces that have no name: a file descriptor holds each, so that they and the
 * interfaces in them go with the process, however it ends.
 */
#ifndef APP_BENCH_NAMESPACE_H
#define APP_BENCH_NAMESPACE_H

#include <stdbool.h>

struct namespace
{
	int net;
};

/* Make one; negative errno. Needs root. The calling thread stays where it is. */
int namespace_open(struct namespace *space);

/* Hold the one that the calling thread is in; negative errno. */
int namespace_here(struct namespace *space);
void namespace_close(struct namespace *space);

/* Move the calling thread's sockets to come; negative errno. */
int namespace_enter_net(const struct namespace *space);

/*
 * Move the calling process, which has one thread, and show this network below its /sys; negative
 * errno.
 */
int namespace_enter(const struct namespace *space);

/* Run a line of shell in it. True when it ended with 0. */
__attribute__((format(printf, 2, 3))) bool namespace_shell(const struct namespace *space,
							   const char *format, ...);

#endif
