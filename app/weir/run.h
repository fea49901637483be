/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's loop. */
#ifndef APP_WEIR_RUN_H
#define APP_WEIR_RUN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/cli/loop.h"
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
	struct loop loop;
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct sinks *sinks;
	const char *record; /* NULL: none */
	_Atomic int record_wanted;
	_Atomic int failed;	  /* something was lost: the exit code says so */
	struct snapshot snapshot; /* the loop's until it is given, then the asker's */
};

/* `run` is all zeros but for its loop. */
void run_init(struct run *run, struct weir_stack *stack, struct sinks *sinks, const char *record);

/* Poll until the loop is to stop, then end what is open. `arg` is a struct run. Returns 0. */
int run_engine(void *arg);

/* Ask the loop for a snapshot and wait for it; false when the loop has ended. One thread. */
bool run_snapshot(struct run *run, struct snapshot *snapshot);

/* While no loop runs. */
void run_fill_snapshot(struct run *run, struct snapshot *snapshot);
void run_record(struct run *run);

#endif
