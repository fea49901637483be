/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/tool.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>

#include "app/cli/descriptors.h"
#include "app/cli/eal_args.h"
#include "app/cli/eal_start.h"
#include "app/cli/lcores.h"
#include "app/cli/say.h"
#include "app/cli/seed.h"
#include "app/cli/vdevs.h"
#include "weir.h"

struct started {
	struct eal_args args;
	struct eal_said said;
	struct eal_facts facts;
	unsigned int lcore;
	bool eal;
};

static int
start_eal(const struct tool *tool, struct started *started, int argc, char **argv)
{
	struct eal_facts *facts = &started->facts;
	char error[OPTIONS_ERROR];
	int rc;

	facts->buffers = tool->control.options->buffers;
	facts->buffer_bytes = eal_args_vdev_bytes(argc, argv);
	eal_facts_read(facts);
	if (eal_args_build(&started->args, argc, argv, facts, error) != 0) {
		say("%s", error);
		return -1;
	}
	if (eal_start(&started->args, &started->said, error) != 0) {
		say("%s", error);
		eal_said_end(&started->said, false);
		return -1;
	}
	started->eal = true;
	rc = tool->find_ports(tool->control.program, started->said.first, &facts->buffer_bytes);
	eal_said_end(&started->said, rc == 0);
	return rc;
}

static int
set_up(const struct tool *tool, const struct started *started)
{
	char error[OPTIONS_ERROR];

	if (eal_args_check(&started->args, &started->facts, error) != 0) {
		say("%s", error);
		return -1;
	}
	tsc_clock_start(&tool->control.loop->clock);
	return tool->set_up(tool->control.program);
}

/* What is not as it was asked for, or will not do all of it. */
static void
say_notes(const struct eal_args *args)
{
	char line[OPTIONS_ERROR];
	int at = 1;

	if (args->note[0] != '\0')
		say("%s", args->note);
	while (vdevs_cuts(args->argc, args->argv, &at, line))
		say("%s", line);
}

static int
run(const struct tool *tool, const struct started *started)
{
	struct program *program = tool->control.program;
	struct control control = tool->control;
	int rc;

	say_notes(&started->args);
	if (tool->describe != NULL)
		tool->describe(program);
	rc = lcores_run(started->lcore, tool->run, program, control_run, &control);
	if (rc != 0) {
		say("the loop does not start: %s: check EAL's -l", strerror(-rc));
		return TOOL_REFUSED;
	}
	rc = tool->result(program, started->lcore);
	return rc == EXIT_SUCCESS && control.lost ? TOOL_MISSED : rc;
}

/* What stands in the rings of some drivers does not come back when they are closed. */
static uint64_t
kept_by_drivers(const struct watch *watch, const struct eal_args *args)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < watch->n_ports; i++)
		most += vdevs_kept(args->argc, args->argv, watch->ports[i].name);
	return most;
}

static int
close_all(const struct tool *tool, const struct eal_args *args, int status)
{
	uint64_t kept = kept_by_drivers(tool->control.watch, args);
	bool good = true;
	uint32_t missing = tool->close(tool->control.program, &good);

	if (status != EXIT_SUCCESS)
		return status;
	if (missing > kept) {
		say("%u buffers were not given back: please report this", missing);
		good = false;
	}
	return good ? EXIT_SUCCESS : TOOL_MISSED;
}

/* A signal ends it between two steps, too. */
static int
start(const struct tool *tool, struct started *started, int argc, char **argv)
{
	const struct loop *loop = tool->control.loop;
	cpu_set_t allowed;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	if (start_eal(tool, started, argc, argv) != 0)
		return TOOL_REFUSED;
	if (loop_stopped(loop))
		return EXIT_SUCCESS;
	started->lcore = lcores_loop();
	/* For the threads that are started from here. */
	lcores_stay_off(started->lcore, &allowed);
	if (set_up(tool, started) != 0)
		return TOOL_REFUSED;
	return loop_stopped(loop) ? EXIT_SUCCESS : run(tool, started);
}

static int
start_and_run(const struct tool *tool, int argc, char **argv)
{
	struct started started = {0};
	int status;

	if (!tool->control.options->seed_given)
		tool->control.options->seed = seed_from_system();
	status = start(tool, &started, argc, argv);
	status = close_all(tool, &started.args, status);
	if (started.eal)
		rte_eal_cleanup();
	eal_args_free(&started.args);
	return status;
}

int
tool_main(const struct tool *tool, int argc, char **argv)
{
	char error[OPTIONS_ERROR];
	int start = options_start(argc, argv);
	enum options_result asked = options_early(argc, argv);

	descriptors_fill();
	if (asked == OPTIONS_RUN && options_undivided(argc, argv)) {
		say("-- is missing: EAL's options go before it, those of %s behind it", say_name);
		return TOOL_REFUSED;
	}
	if (asked == OPTIONS_RUN)
		asked = tool->parse(tool->options, argc - start, argv + start, error);
	switch (asked) {
	case OPTIONS_HELP:
		fputs(tool->help, stdout);
		return say_printed() ? EXIT_SUCCESS : TOOL_REFUSED;
	case OPTIONS_VERSION:
		printf("%s %s\n", say_name, weir_version());
		return say_printed() ? EXIT_SUCCESS : TOOL_REFUSED;
	case OPTIONS_BAD:
		say("%s", error);
		return TOOL_REFUSED;
	default:
		break;
	}
	loop_catch_signals(tool->control.loop);
	if (descriptors_raise(error) != 0) {
		say("%s", error);
		return TOOL_REFUSED;
	}
	if (tool->check(tool->options) != 0)
		return TOOL_REFUSED;
	return start_and_run(tool, options_eal_argc(argc, argv), argv);
}
