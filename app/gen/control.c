/* SPDX-License-Identifier: BSD-3-Clause */
#include "control.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define SECOND UINT64_C(1000000000)
#define TICK   5000000 /* ns */

static struct run *signalled;

static void
on_end(int number)
{
	(void)number;
	atomic_store_explicit(&signalled->interrupted, 1, memory_order_relaxed);
	atomic_store_explicit(&signalled->stop, 1, memory_order_relaxed);
}

static void
catch_signal(int number, void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigaction(number, &action, NULL);
}

void
control_catch_signals(struct run *run)
{
	struct sigaction hangup;

	signalled = run;
	catch_signal(SIGINT, on_end, SA_RESTART | (int)SA_RESETHAND);
	catch_signal(SIGTERM, on_end, SA_RESTART | (int)SA_RESETHAND);
	/* nohup means it. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		catch_signal(SIGHUP, on_end, SA_RESTART | (int)SA_RESETHAND);
	catch_signal(SIGPIPE, SIG_IGN, 0);
}

struct reporter {
	const struct control *control;
	struct snapshot before;
	struct snapshot now;
	FILE *to;
	uint64_t start_ns;
	uint64_t next_ns;
	bool clear;
};

static void
reporter_start(struct reporter *reporter, const struct control *control, uint64_t start_ns)
{
	/* Standard output is the object's when there will be one. */
	reporter->to = control->options->json ? stderr : stdout;
	reporter->clear = isatty(fileno(reporter->to));
	reporter->control = control;
	reporter->start_ns = start_ns;
	reporter->next_ns = start_ns + control->options->stats_seconds * SECOND;
	reporter->before.now_ns = start_ns;
}

static void
reporter_tick(struct reporter *reporter, uint64_t now_ns)
{
	const struct options *options = reporter->control->options;

	if (options->stats_seconds == 0 || now_ns < reporter->next_ns)
		return;
	reporter->next_ns += options->stats_seconds * SECOND;
	if (!run_snapshot(reporter->control->run, &reporter->now))
		return;
	report_write(reporter->to, options, &reporter->before, &reporter->now, reporter->start_ns,
		     reporter->clear);
	reporter->before = reporter->now;
}

void *
control_run(void *arg)
{
	static struct reporter reporter; /* one control thread; too large for a small stack */
	const struct control *control = arg;
	struct run *run = control->run;
	uint64_t start_ns = tsc_clock_monotonic_ns();
	uint64_t end_ns = control->options->seconds * SECOND;

	reporter_start(&reporter, control, start_ns);
	while (!atomic_load_explicit(&run->done, memory_order_acquire)) {
		uint64_t now_ns = tsc_clock_monotonic_ns();

		if (end_ns != 0 && now_ns - start_ns >= end_ns)
			atomic_store_explicit(&run->stop, 1, memory_order_relaxed);
		watch_tick(control->watch, now_ns);
		atomic_store_explicit(&run->link, control->watch->ports[0].state,
				      memory_order_relaxed);
		reporter_tick(&reporter, now_ns);
		nanosleep(&(struct timespec){.tv_nsec = TICK}, NULL);
	}
	return NULL;
}
