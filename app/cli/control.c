/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/control.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/cli/say.h"

#define SECOND UINT64_C(1000000000)
#define TICK   5000000 /* ns */

/* Standard output is the object's when there will be one. */
static void
report(struct control *control, uint64_t start_ns)
{
	FILE *to = control->options->json ? stderr : stdout;

	control->report(control->program, to, start_ns, isatty(fileno(to)));
	if (!ferror(to) || control->lost)
		return;
	say("--stats: %s: check standard %s", strerror(errno),
	    control->options->json ? "error" : "output");
	control->lost = true;
	if (to == stdout)
		say_told();
}

void *
control_run(void *arg)
{
	struct control *control = arg;
	uint64_t start_ns = tsc_clock_monotonic_ns();
	uint64_t end_ns = control->options->seconds * SECOND;
	uint64_t interval_ns = control->options->stats_seconds * SECOND;
	uint64_t report_ns = start_ns + interval_ns;

	while (!loop_done(control->loop)) {
		uint64_t now_ns = tsc_clock_monotonic_ns();

		if (end_ns != 0 && now_ns - start_ns >= end_ns)
			loop_stop(control->loop);
		control->tick(control->program, watch_tick(control->watch, now_ns));
		if (interval_ns != 0 && now_ns >= report_ns) {
			report_ns += interval_ns;
			report(control, start_ns);
		}
		nanosleep(&(struct timespec){.tv_nsec = TICK}, NULL);
	}
	return NULL;
}
