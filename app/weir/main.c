/* SPDX-License-Identifier: BSD-3-Clause */
/* weir: receives TCP streams from DPDK ports into sinks. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli/say.h"
#include "app/cli/tool.h"
#include "json.h"
#include "report.h"
#include "setup.h"
#include "signals.h"

const char say_name[] = "weir";

#define LOOK_NS UINT64_C(1000000000)

struct program {
	struct options options;
	struct setup setup;
	struct sinks sinks;
	struct run run;
	struct snapshot before; /* of the report before */
	struct snapshot last;
	uint64_t look_ns; /* when nobody has got through until then */
	bool looked;
	bool sinks_open;
};

static int
find_ports(struct program *program, const char *said, uint32_t *buffer_bytes)
{
	int rc = setup_find_ports(&program->setup, &program->options, *buffer_bytes, said);

	*buffer_bytes = program->setup.buffer_bytes;
	return rc;
}

static int
open_sinks(struct program *program)
{
	int rc = sinks_open(&program->sinks, &program->options, program->setup.stack);

	if (rc != 0) {
		say("the sinks do not start: %s: give fewer --flows", strerror(-rc));
		return -1;
	}
	program->sinks_open = true;
	return 0;
}

static int
set_up(struct program *program)
{
	const struct options *options = &program->options;
	struct setup *setup = &program->setup;

	if (setup_stack(setup, options, program->run.loop.clock.start_ns) != 0 ||
	    setup_ports(setup, options, &program->run.loop) != 0 || setup_listeners(setup, options) != 0)
		return -1;
	run_init(&program->run, setup->stack, &program->sinks, options->record);
	signals_catch(&program->run);
	return open_sinks(program);
}

static void
describe(struct program *program)
{
	setup_describe(&program->setup, &program->options);
}

static int
run(void *program)
{
	return run_engine(&((struct program *)program)->run);
}

static uint64_t
drops_by(const struct weir_stats *stats, const char *name)
{
	for (uint32_t i = 0; i < stats->n_drops; i++)
		if (strcmp(weir_stats_drop_name(i), name) == 0)
			return stats->drops[i];
	return 0;
}

/* The commonest reason why nobody gets through, where the sender is on this machine. */
static void
look_for_partial_sums(struct program *program)
{
	const struct weir_stats *stats = &program->last.stats;
	uint64_t now_ns = tsc_clock_monotonic_ns();

	if (program->looked || now_ns < program->look_ns)
		return;
	program->look_ns = now_ns + LOOK_NS;
	if (!run_snapshot(&program->run, &program->last))
		return;
	program->looked = stats->accepted != 0 || drops_by(stats, "tcp_checksum_partial") != 0;
	if (program->looked && stats->accepted == 0)
		say("what comes has partial checksums and is dropped: switch tx checksum offload off at "
		    "the sender, such as ethtool -K DEV tx off");
}

static void
tick(struct program *program, bool ports)
{
	sinks_say_wrong(&program->sinks);
	look_for_partial_sums(program);
	if (ports)
		return;
	atomic_store(&program->run.failed, 1);
	loop_stop(&program->run.loop);
}

static void
report(struct program *program, FILE *to, uint64_t start_ns, bool clear)
{
	struct snapshot *before = &program->before, *now = &program->last;

	if (!run_snapshot(&program->run, now))
		return;
	if (before->now_ns == 0)
		before->now_ns = start_ns;
	report_write(to, before, now, start_ns, clear);
	*before = *now;
}

static int
result(struct program *program, unsigned int lcore)
{
	struct json_about about = {.lcore = lcore, .seed = program->options.tool.seed};

	if (program->options.record != NULL)
		run_record(&program->run);
	run_fill_snapshot(&program->run, &program->last);
	if (program->options.tool.json) {
		json_write(stdout, &program->last, &about);
		if (fflush(stdout) != 0) {
			say("--json: %s: check standard output", strerror(errno));
			return TOOL_MISSED;
		}
	}
	return atomic_load(&program->run.failed) ? TOOL_MISSED : EXIT_SUCCESS;
}

static uint32_t
close_all(struct program *program, bool *good)
{
	if (program->sinks_open) {
		sinks_finish(&program->sinks);
		*good = sinks_close(&program->sinks);
	}
	signals_release();
	return (uint32_t)setup_close(&program->setup);
}

int
main(int argc, char **argv)
{
	static struct program program;
	struct tool tool = {
	    .control =
		{
		    .options = &program.options.tool,
		    .loop = &program.run.loop,
		    .watch = &program.setup.watch,
		    .program = &program,
		    .tick = tick,
		    .report = report,
		},
	    .options = &program.options,
	    .help = options_help,
	    .parse = options_parse,
	    .check = setup_check,
	    .find_ports = find_ports,
	    .set_up = set_up,
	    .describe = describe,
	    .run = run,
	    .result = result,
	    .close = close_all,
	};

	loop_catch(SIGUSR1, SIG_IGN, 0); /* until there is a record to write */
	return tool_main(&tool, argc, argv);
}
