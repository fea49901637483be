/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's loop. */
#ifndef APP_GEN_RUN_H
#define APP_GEN_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/cli/loop.h"
#include "app/generator/generator.h"
#include "options.h"
#include "patience.h"

struct snapshot {
	struct generator_stats stats;
	struct histogram latency; /* of the interval; of the whole run in the last one */
	uint64_t now_ns;
	uint64_t busy_tsc; /* polls that found something, and all */
	uint64_t total_tsc;
	struct generator_windows windows;
};

struct run {
	struct loop loop;
	const struct options *options;
	struct generator *generator;
	struct patience patience;
	const char *port;
	struct histogram latency; /* of the intervals that are over */
	uint64_t watch_ns;	  /* when to look next */
	uint64_t began_ns;	  /* first connection or SYN of an attack, 0: none */
	uint64_t ended_ns;	  /* no new data from then on */
	uint64_t sent_bytes;	  /* acknowledged until then */
	enum patience_cause cause;
	bool kept;		  /* idle connections are held until the end that somebody tells */
	_Atomic int link;	  /* enum interface_state, set by the control thread */
	struct snapshot snapshot; /* the loop's until it is given, then the asker's */
};

/* `run` is all zeros but for its loop. */
void run_init(struct run *run, const struct options *options, struct generator *generator,
	      const char *port);

/* Poll until the work is done, the loop is to stop or the peer is gone; then bring home what was
 * sent and end the connections. `arg` is a struct run. Returns 0. */
int run_loop(void *arg);

/* Ask the loop for a snapshot and wait for it; false when the loop has ended. One thread. */
bool run_snapshot(struct run *run, struct snapshot *snapshot);

/* After the loop has ended: its last one, about the whole run. */
void run_last_snapshot(struct run *run, struct snapshot *snapshot);

#endif
