/* SPDX-License-Identifier: BSD-3-Clause */
#include "linux_side.h"

#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include "core_time.h"
#include "measure.h"

#define TRIES	      4	  /* for a span that nobody disturbs */
#define FOREIGN_MOST  0.1 /* of the time, in programs that are not ours */
#define FOREIGN_TICKS 2	  /* besides: so little is chance */
#define WINDOWS_MOST  50  /* instead of one, while other programs let nothing come in */

const char linux_side_disturbed[] = "another program ran on the receiver's core";

bool
linux_side_crew(struct bench *bench, bool awake)
{
	if (awake)
		return bench->crew.away || crew_start(&bench->crew, bench->crew.lcore) == 0;
	crew_stop(&bench->crew);
	return true;
}

bool
linux_side_run(struct bench *bench, bool (*run)(struct bench *bench, const struct veth *net))
{
	const char *why = "it needs two lcores: give EAL two, as -l 0,1";
	bool crewed = measure_has_set(bench, TESTBED_CROSS), good = false;
	struct veth net;

	if (crewed) {
		linux_side_crew(bench, false);
		why = veth_open(&net, bench->crew.lcore);
	}
	if (why == NULL) {
		good = run(bench, &net);
		veth_close(&net);
	} else {
		bench_say(bench, "%s", why);
	}
	if (crewed && !linux_side_crew(bench, true)) {
		bench_say(bench, "the other lcore does not start again");
		good = false;
	}
	return good;
}

uint32_t
linux_side_rounds(const struct bench *bench)
{
	return (bench->options->rounds + LINUX_SIDE_ROUND - 1) / LINUX_SIDE_ROUND;
}

void
linux_side_sleep(uint32_t ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

struct instant {
	struct core_time core;
	uint64_t cycles;
	uint64_t own_ticks; /* of the receiver, in user code */
	uint64_t bytes;
	uint64_t connections;
};

static int
look(struct instant *instant, unsigned int core, const struct peer *receiver)
{
	int rc = core_time_read(core, &instant->core);

	instant->cycles = rte_rdtsc();
	instant->own_ticks = core_time_process_user(receiver->pid);
	instant->bytes = atomic_load(&receiver->counters->bytes);
	instant->connections = atomic_load(&receiver->counters->connections);
	return rc;
}

static double
cycles_of_ticks(double ticks)
{
	return ticks / (double)sysconf(_SC_CLK_TCK) * (double)rte_get_tsc_hz();
}

static void
compute(const struct instant *a, const struct instant *b, struct linux_span *span)
{
	double cycles = (double)(b->cycles - a->cycles), foreign;
	uint64_t away = b->core.idle - a->core.idle + b->core.steal - a->core.steal;

	span->bytes = b->bytes - a->bytes;
	span->connections = b->connections - a->connections;
	span->busy_cycles = cycles - cycles_of_ticks((double)away);
	foreign = (double)(b->core.user - a->core.user) - (double)(b->own_ticks - a->own_ticks);
	span->disturbed = cycles_of_ticks(foreign - FOREIGN_TICKS) > FOREIGN_MOST * cycles;
}

static const char *
watch_once(const struct veth *net, const struct peer *receiver, uint32_t ms,
	   struct linux_span *span)
{
	struct instant before, after;
	const char *trouble;

	if (look(&before, net->receiver_core, receiver) != 0)
		return "cannot read /proc/stat";
	for (uint32_t i = 0; i < WINDOWS_MOST; i++) {
		linux_side_sleep(ms);
		if (atomic_load(&receiver->counters->bytes) != before.bytes)
			break;
	}
	if (look(&after, net->receiver_core, receiver) != 0)
		return "cannot read /proc/stat";
	trouble = peer_trouble(receiver);
	if (trouble != NULL)
		return trouble;
	compute(&before, &after, span);
	return span->bytes == 0 || span->busy_cycles <= 0 ? "Linux received nothing" : NULL;
}

const char *
linux_side_watch(const struct veth *net, const struct peer *receiver, uint32_t ms,
		 struct linux_span *span)
{
	const char *why;

	for (uint32_t i = 0; i < TRIES; i++) {
		why = watch_once(net, receiver, ms, span);
		if (why != NULL || !span->disturbed)
			break;
	}
	return why;
}
