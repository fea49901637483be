/* SPDX-License-Identifier: BSD-3-Clause */
/* What the cases with Linux in them share: the network around them, and what Linux's core costs. */
#ifndef APP_BENCH_LINUX_SIDE_H
#define APP_BENCH_LINUX_SIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"
#include "kernel_peer.h"
#include "veth.h"

#define LINUX_SIDE_PORT	 9000
#define LINUX_SIDE_ROUND 4 /* rounds take longer here than elsewhere: one of so many is done */

/*
 * Run a case's body on a network of its own. The other lcore is idle meanwhile, since its core is
 * Linux's; `run` wakes it with linux_side_crew() where it needs it. False when `run` gave false, or
 * when there is no such network; why has been said.
 */
bool linux_side_run(struct bench *bench, bool (*run)(struct bench *bench, const struct veth *net));
bool linux_side_crew(struct bench *bench, bool awake);

uint32_t linux_side_rounds(const struct bench *bench);
void linux_side_sleep(uint32_t ms);

/* A span of time on the receiver's core. */
struct linux_span {
	uint64_t bytes;	      /* received in it */
	uint64_t connections; /* ended in it */
	double busy_cycles;   /* the core was not idle, and not taken away by the host */
	bool disturbed;	      /* programs other than `receiver` ran on the core */
};

/* Sleep for `ms`, again when something disturbs. NULL, or what went wrong. */
const char *linux_side_watch(const struct veth *net, const struct peer *receiver, uint32_t ms,
			     struct linux_span *span);

extern const char linux_side_disturbed[]; /* why a row is void */

#endif
