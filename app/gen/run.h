/* SPDX-License-Identifier: BSD-3-Clause */
/* The generator's loop: the one place that reads the clock. */
#ifndef APP_GEN_RUN_H
#define APP_GEN_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/cli/tsc_clock.h"
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
	const struct options *options;
	struct generator *generator;
	struct tsc_clock clock;
	struct patience patience;
	const char *port;
	struct histogram latency; /* of the intervals that are over */
	uint64_t busy_tsc;
	uint64_t first_tsc;
	uint64_t last_tsc;
	uint64_t watch_ns;   /* when to look next */
	uint64_t opened_ns;  /* first connection, 0: none yet */
	uint64_t ended_ns;   /* no new data from then on */
	uint64_t sent_bytes; /* acknowledged until then */
	enum patience_cause cause;
	bool kept;		  /* idle connections are held until the end that somebody tells */
	_Atomic int stop;	  /* set by anyone: end */
	_Atomic int interrupted;  /* by a signal */
	_Atomic int done;	  /* set by the loop: it has ended */
	_Atomic int link;	  /* enum interface_state, set by the control thread */
	_Atomic uint32_t wanted;  /* snapshots asked for */
	_Atomic uint32_t given;	  /* and made */
	struct snapshot snapshot; /* the loop's until given == wanted, then the asker's */
};

/* `run` is all zero but for what a signal has set already. */
void run_init(struct run *run, const struct options *options, struct generator *generator,
	      const char *port, const struct tsc_clock *clock);

/* Poll until the work is done, run->stop is set or the peer is gone; then bring home what was sent
 * and end the connections. `arg` is a struct run. Returns 0. */
int run_loop(void *arg);

/* Ask the loop for a snapshot and wait for it; false when the loop has ended. One thread. */
bool run_snapshot(struct run *run, struct snapshot *snapshot);

/* After the loop has ended: its last one, about the whole run. */
void run_last_snapshot(struct run *run, struct snapshot *snapshot);

#endif
