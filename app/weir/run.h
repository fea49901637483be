/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's loop: the one place that reads the clock. */
#ifndef APP_WEIR_RUN_H
#define APP_WEIR_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/cli/tsc_clock.h"
#include "sink.h"
#include "weir.h"

struct snapshot {
	struct weir_stats stats;
	struct sink_counters sinks;
	uint64_t limited_ms[5]; /* closed connections and (up to 1,024) live ones */
	uint64_t now_ns;
	uint64_t busy_tsc; /* polls that found something, and all */
	uint64_t total_tsc;
};

struct run {
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct sinks *sinks;
	const char *record; /* NULL: none */
	struct tsc_clock clock;
	uint64_t busy_tsc;
	uint64_t last_tsc;
	uint64_t first_tsc;
	_Atomic int stop; /* set by anyone: end */
	_Atomic int done; /* set by the loop: it has ended */
	_Atomic int record_wanted;
	_Atomic int failed;	  /* something was lost: the exit code says so */
	_Atomic uint32_t wanted;  /* snapshots asked for */
	_Atomic uint32_t given;	  /* and made */
	struct snapshot snapshot; /* the loop's until given == wanted, then the asker's */
};

/* `run` is all zeros but for `stop`, which may be set already. */
void run_init(struct run *run, struct weir_stack *stack, struct sinks *sinks,
	      const struct tsc_clock *clock, const char *record);

/* Poll until run->stop, then end what is open. `arg` is a struct run. Returns 0. */
int run_engine(void *arg);

/* Ask the loop for a snapshot and wait for it; false when the loop has ended. One thread. */
bool run_snapshot(struct run *run, struct snapshot *snapshot);

/* While no loop runs. */
void run_fill_snapshot(struct run *run, struct snapshot *snapshot);
void run_record(struct run *run);

#endif
