/* SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "app/cli/interface.h"
#include "app/cli/say.h"
#include "verdict.h"

#define SECOND	 UINT64_C(1000000000)
#define WATCH_NS (SECOND / 20)
#define GRACE_NS (5 * SECOND) /* for what is on its way, and the FINs */
#define ABORT_NS (SECOND / 5)
#define WINDOWS	 65536 /* connections looked at for a report */

void
run_init(struct run *run, const struct options *options, struct generator *generator,
	 const char *port)
{
	run->options = options;
	run->generator = generator;
	run->port = port;
	run->kept = options->hold != 0 && options->bytes == 0;
	histogram_reset(&run->latency);
}

static uint64_t
now_ns(const struct run *run)
{
	return loop_now_ns(&run->loop);
}

static void
stats_of(const struct run *run, struct generator_stats *stats)
{
	stats->size = sizeof(*stats);
	generator_stats(run->generator, stats);
}

/* The interval's latencies go to the asker and on to the sum. */
static void
fill_snapshot(struct run *run, struct snapshot *snapshot)
{
	struct histogram *latency = generator_latency(run->generator);

	stats_of(run, &snapshot->stats);
	snapshot->latency = *latency;
	histogram_merge(&run->latency, latency);
	histogram_reset(latency);
	snapshot->now_ns = now_ns(run);
	snapshot->busy_tsc = run->loop.busy_tsc;
	snapshot->total_tsc = run->loop.last_tsc - run->loop.first_tsc;
	generator_windows(run->generator, WINDOWS, &snapshot->windows);
}

static void
turn(struct run *run)
{
	uint32_t worked = generator_poll(run->generator, now_ns(run));

	if (loop_asked(&run->loop)) {
		fill_snapshot(run, &run->snapshot);
		loop_give(&run->loop);
	}
	loop_turned(&run->loop, worked != 0);
}

/* True: the peer is gone. */
static bool
look(struct run *run)
{
	int link = atomic_load_explicit(&run->link, memory_order_relaxed);
	struct generator_stats stats;
	struct patience_facts facts = {
	    .stats = &stats,
	    .gone = link == INTERFACE_GONE,
	    .link_up = link == INTERFACE_UP,
	    .resolved = generator_resolved(run->generator),
	    .waiting =
		!generator_done(run->generator) && run->options->attack != GENERATOR_ATTACK_SYN,
	};
	char text[VERDICT_TEXT];
	bool tell, over;

	stats_of(run, &stats);
	over = patience_tick(&run->patience, &facts, now_ns(run), &tell);
	if (tell && !over) {
		verdict_cause(run->options, patience_cause(&facts), run->port, text);
		say("%s", text);
	}
	if (over)
		run->cause = patience_cause(&facts);
	return over;
}

static bool
watched_turn(struct run *run)
{
	turn(run);
	if (now_ns(run) < run->watch_ns)
		return true;
	run->watch_ns = now_ns(run) + WATCH_NS;
	return !look(run);
}

static bool
has_more(const struct run *run)
{
	if (loop_stopped(&run->loop))
		return false;
	return run->kept || !generator_done(run->generator);
}

/* A second signal cuts it short. */
static void
turn_until_done(struct run *run, uint64_t ns)
{
	uint64_t end_ns = now_ns(run) + ns;

	while (!generator_done(run->generator) && now_ns(run) < end_ns && !loop_hurried(&run->loop))
		turn(run);
}

/* What was sent is brought home, unless nobody is there to take it. */
static void
wind_down(struct run *run)
{
	struct generator_stats stats;
	uint64_t end_ns;

	stats_of(run, &stats);
	run->began_ns = generator_began_ns(run->generator);
	run->ended_ns = now_ns(run);
	run->sent_bytes = stats.bytes_acked;
	/* The holes of an attack by ranges are never filled. */
	if (run->cause == PATIENCE_GOOD && run->options->attack != GENERATOR_ATTACK_OOO) {
		generator_close(run->generator, run->ended_ns);
		turn_until_done(run, GRACE_NS);
	}
	end_ns = now_ns(run) + ABORT_NS;
	while (generator_abort(run->generator, now_ns(run)) != 0 && now_ns(run) < end_ns)
		turn(run);
}

int
run_loop(void *arg)
{
	struct run *run = arg;

	loop_begin(&run->loop);
	patience_start(&run->patience, now_ns(run));
	while (has_more(run) && watched_turn(run))
		;
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

void
run_last_snapshot(struct run *run, struct snapshot *snapshot)
{
	fill_snapshot(run, snapshot);
	snapshot->latency = run->latency;
}
