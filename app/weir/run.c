/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include <string.h>

#include "app/cli/say.h"

#define SECOND	       UINT64_C(1000000000)
#define LIVE_LOOKED_AT 1024
#define GRACE_NS       (2 * SECOND) /* for files of connections that have ended their data */
#define ABORT_NS       (SECOND / 5)

void
run_init(struct run *run, struct weir_stack *stack, struct sinks *sinks, const char *record)
{
	run->stack = stack;
	run->engine = weir_stack_engine(stack, 0);
	run->sinks = sinks;
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
	snapshot->now_ns = loop_now_ns(&run->loop);
	snapshot->busy_tsc = run->loop.busy_tsc;
	snapshot->total_tsc = run->loop.last_tsc - run->loop.first_tsc;
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
	if (loop_asked(&run->loop)) {
		run_fill_snapshot(run, &run->snapshot);
		loop_give(&run->loop);
	}
	if (atomic_load_explicit(&run->record_wanted, memory_order_relaxed)) {
		atomic_store(&run->record_wanted, 0);
		run_record(run);
	}
}

static void
turn(struct run *run)
{
	uint32_t worked = weir_engine_poll(run->engine, loop_now_ns(&run->loop));

	sinks_retry(run->sinks);
	answer_requests(run);
	loop_turned(&run->loop, worked != 0);
}

/* A second signal cuts it short. */
static void
poll_while_live(struct run *run, uint64_t ns)
{
	uint64_t start_ns = loop_now_ns(&run->loop);

	while (run->sinks->live != 0 &&
	       loop_now_ns(&run->loop) - start_ns < (loop_hurried(&run->loop) ? ABORT_NS : ns))
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

	loop_begin(&run->loop);
	while (!loop_stopped(&run->loop))
		turn(run);
	wind_down(run);
	loop_end(&run->loop);
	return 0;
}

bool
run_snapshot(struct run *run, struct snapshot *snapshot)
{
	if (!loop_ask(&run->loop))
		return false;
	*snapshot = run->snapshot;
	return true;
}
