/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "app/cli/say.h"

#define SECOND	       UINT64_C(1000000000)
#define LIVE_LOOKED_AT 1024
#define GRACE_NS       (2 * SECOND) /* for files of connections that have ended their data */
#define ABORT_NS       (SECOND / 5)

void
run_init(struct run *run, struct weir_stack *stack, struct sinks *sinks,
	 const struct tsc_clock *clock, const char *record)
{
	run->stack = stack;
	run->engine = weir_stack_engine(stack, 0);
	run->sinks = sinks;
	run->clock = *clock;
	run->record = record;
}

void
run_fill_snapshot(struct run *run, struct snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->stats.size = sizeof(snapshot->stats);
	weir_stack_stats(run->stack, &snapshot->stats);
	sinks_counters(run->sinks, &snapshot->sinks);
	memcpy(snapshot->limited_ms, snapshot->stats.limited_ms, sizeof(snapshot->limited_ms));
	sinks_limited(run->sinks, LIVE_LOOKED_AT, snapshot->limited_ms);
	snapshot->now_ns = tsc_clock_ns(&run->clock, run->last_tsc);
	snapshot->busy_tsc = run->busy_tsc;
	snapshot->total_tsc = run->last_tsc - run->first_tsc;
}

void
run_record(struct run *run)
{
	int rc = weir_engine_record(run->engine, run->record);

	if (rc == 0)
		return;
	say("--record %s: %s: give a file that can be written", run->record, strerror(-rc));
	atomic_store(&run->failed, 1);
}

static void
answer_requests(struct run *run)
{
	uint32_t wanted = atomic_load_explicit(&run->wanted, memory_order_acquire);

	if (wanted != atomic_load_explicit(&run->given, memory_order_relaxed)) {
		run_fill_snapshot(run, &run->snapshot);
		atomic_store_explicit(&run->given, wanted, memory_order_release);
	}
	if (atomic_load_explicit(&run->record_wanted, memory_order_relaxed)) {
		atomic_store(&run->record_wanted, 0);
		run_record(run);
	}
}

/* The clock is read once: the end of one turn is the start of the next. */
static void
turn(struct run *run)
{
	uint64_t start = run->last_tsc;
	uint32_t worked = weir_engine_poll(run->engine, tsc_clock_ns(&run->clock, start));

	sinks_retry(run->sinks);
	answer_requests(run);
	run->last_tsc = rte_rdtsc();
	if (worked != 0)
		run->busy_tsc += run->last_tsc - start;
}

static void
poll_while_live(struct run *run, uint64_t ns)
{
	uint64_t end = tsc_clock_ns(&run->clock, run->last_tsc) + ns;

	while (run->sinks->live != 0 && tsc_clock_ns(&run->clock, run->last_tsc) < end)
		turn(run);
}

/* Connections that still send are reset, files that are complete are finished and confirmed. */
static void
wind_down(struct run *run)
{
	sinks_abort(run->sinks, false);
	poll_while_live(run, GRACE_NS);
	sinks_abort(run->sinks, true);
	poll_while_live(run, ABORT_NS);
	while (run->sinks->used != run->sinks->live)
		turn(run);
	sinks_finish(run->sinks);
	while (!sinks_finished(run->sinks))
		turn(run);
	turn(run); /* the last leases and packets */
	turn(run);
}

int
run_engine(void *arg)
{
	struct run *run = arg;

	run->first_tsc = run->last_tsc = rte_rdtsc();
	while (!atomic_load_explicit(&run->stop, memory_order_relaxed))
		turn(run);
	wind_down(run);
	atomic_store_explicit(&run->done, 1, memory_order_release);
	return 0;
}

bool
run_snapshot(struct run *run, struct snapshot *snapshot)
{
	uint32_t wanted = atomic_fetch_add_explicit(&run->wanted, 1, memory_order_release) + 1;

	while (atomic_load_explicit(&run->given, memory_order_acquire) != wanted) {
		if (atomic_load_explicit(&run->done, memory_order_acquire))
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	*snapshot = run->snapshot;
	return true;
}
