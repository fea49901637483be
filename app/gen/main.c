/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-gen: sends TCP streams through a DPDK port. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli/say.h"
#include "app/cli/tool.h"
#include "engine/port.h"
#include "json.h"
#include "report.h"
#include "setup.h"
#include "verdict.h"

const char say_name[] = "weir-gen";

struct program {
	struct options options;
	struct setup setup;
	struct run run;
	struct snapshot before; /* of the report before */
	struct snapshot last;
};

static int
find_ports(struct program *program, const char *said, uint32_t *buffer_bytes)
{
	int rc = setup_find_port(&program->setup, &program->options, *buffer_bytes, said);

	*buffer_bytes = program->setup.buffer_bytes;
	return rc;
}

static int
set_up(struct program *program)
{
	const struct options *options = &program->options;
	struct setup *setup = &program->setup;

	if (setup_generator(setup, options, program->run.loop.clock.start_ns) != 0)
		return -1;
	run_init(&program->run, options, setup->generator, setup->name);
	return 0;
}

static int
run(void *program)
{
	return run_loop(&((struct program *)program)->run);
}

static void
tick(struct program *program, bool ports)
{
	(void)ports; /* the loop sees it by the link */
	atomic_store_explicit(&program->run.link, program->setup.watch.ports[0].state,
			      memory_order_relaxed);
}

static void
report(struct program *program, FILE *to, uint64_t start_ns, bool clear)
{
	struct snapshot *before = &program->before, *now = &program->last;

	if (!run_snapshot(&program->run, now))
		return;
	if (before->now_ns == 0)
		before->now_ns = start_ns;
	report_write(to, &program->options, before, now, start_ns, clear);
	*before = *now;
}

static void
fill_about(const struct program *program, unsigned int lcore, const char *failure,
	   struct json_about *about)
{
	const struct run *run = &program->run;
	const struct weir_port *port = program->setup.port;
	struct weir_port_stats stats = {0};

	if (port->stats != NULL)
		port->stats(port->ctx, &stats);
	*about = (struct json_about){
	    .options = &program->options,
	    .port = program->setup.name,
	    .lcore = lcore,
	    .mss = program->setup.mss,
	    .sent_bytes = run->sent_bytes,
	    .rx_missed = stats.rx_missed,
	    .rx_no_buffer = stats.rx_no_buffer,
	    .impaired = stats.impaired,
	    .failure = failure,
	};
	if (run->began_ns != 0 && run->ended_ns > run->began_ns)
		about->seconds = (double)(run->ended_ns - run->began_ns) * 1e-9;
}

/* The object, or a last screen about the whole run. */
static int
write_result(struct program *program, unsigned int lcore, const char *failure)
{
	static struct snapshot nothing; /* too large for the stack */
	struct json_about about;

	nothing.now_ns = program->run.loop.clock.start_ns;
	if (program->options.tool.json) {
		fill_about(program, lcore, failure, &about);
		json_write(stdout, &program->last, &about);
	} else {
		puts("in all:");
		report_write(stdout, &program->options, &nothing, &program->last, nothing.now_ns,
			     false);
	}
	return say_printed() ? EXIT_SUCCESS : TOOL_MISSED;
}

static int
result(struct program *program, unsigned int lcore)
{
	struct verdict_facts facts = {.port = program->setup.name};
	char failure[VERDICT_TEXT] = "";
	bool good;
	int status;

	run_last_snapshot(&program->run, &program->last);
	facts.stats = program->last.stats;
	facts.cause = program->run.cause;
	facts.interrupted = atomic_load(&program->run.loop.signals) != 0;
	good = verdict(&program->options, &facts, failure);
	status = write_result(program, lcore, failure);
	if (good)
		return status;
	say("%s", failure);
	return TOOL_MISSED;
}

static uint32_t
close_all(struct program *program, bool *good)
{
	(void)good;
	return setup_close(&program->setup);
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
	    .run = run,
	    .result = result,
	    .close = close_all,
	};

	return tool_main(&tool, argc, argv);
}
