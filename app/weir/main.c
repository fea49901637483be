/* SPDX-License-Identifier: BSD-3-Clause */
/* weir: receives TCP streams from DPDK ports into sinks. Start and end of the program. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <rte_eal.h>

#include "app/cli/descriptors.h"
#include "app/cli/eal_args.h"
#include "app/cli/eal_start.h"
#include "app/cli/lcores.h"
#include "app/cli/say.h"
#include "app/cli/seed.h"
#include "control.h"
#include "json.h"
#include "setup.h"

#define EXIT_REFUSED 1 /* nothing was started */
#define EXIT_LOST    2 /* it ran, but a file or buffer was lost */

const char say_name[] = "weir";

struct program {
	struct options options;
	struct eal_args eal;
	struct eal_said said;
	struct setup setup;
	struct sinks sinks;
	struct run run;
	struct control control;
	struct snapshot last;
	cpu_set_t allowed;
	unsigned int engine_lcore;
	bool eal_started;
	bool sinks_open;
};

/* A file for each connection. */
static void
raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int
start_eal(struct program *program, int argc, char **argv)
{
	struct eal_facts facts = {.buffers = program->options.buffers};
	char error[OPTIONS_ERROR];
	int rc;

	eal_facts_read(&facts);
	facts.buffer_bytes = eal_args_vdev_bytes(argc, argv);
	if (eal_args_build(&program->eal, argc, argv, &facts, error) != 0) {
		say("%s", error);
		return -1;
	}
	if (eal_start(&program->eal, &program->said, error) != 0) {
		say("%s", error);
		eal_said_end(&program->said, false);
		return -1;
	}
	program->eal_started = true;
	rc = setup_find_ports(&program->setup, &program->options, facts.buffer_bytes,
			      program->said.first);
	eal_said_end(&program->said, rc == 0);
	return rc;
}

static int
check_memory(const struct program *program)
{
	char error[OPTIONS_ERROR];

	if (eal_args_check(&program->eal, program->options.buffers, program->setup.buffer_bytes,
			   error) == 0)
		return 0;
	say("%s", error);
	return -1;
}

static int
open_sinks(struct program *program)
{
	int rc;

	raise_file_limit();
	rc = sinks_open(&program->sinks, &program->options, program->setup.stack);
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
	struct tsc_clock clock;

	if (check_memory(program) != 0)
		return -1;
	tsc_clock_start(&clock);
	if (setup_stack(&program->setup, options, clock.start_ns) != 0 ||
	    setup_ports(&program->setup, options) != 0 ||
	    setup_listeners(&program->setup, options) != 0)
		return -1;
	run_init(&program->run, program->setup.stack, &program->sinks, &clock, options->record);
	control_catch_record(&program->run);
	return open_sinks(program);
}

static int
run_all(struct program *program)
{
	struct json_about about = {.lcore = program->engine_lcore, .seed = program->options.seed};
	int rc;

	if (program->eal.note[0] != '\0')
		say("%s", program->eal.note);
	setup_describe(&program->setup, &program->options);
	program->control.options = &program->options;
	program->control.run = &program->run;
	program->control.watch = &program->setup.watch;
	rc = lcores_run(program->engine_lcore, run_engine, &program->run, control_run,
			&program->control);
	if (rc != 0) {
		say("the engine does not start: %s: check EAL's -l", strerror(-rc));
		return EXIT_REFUSED;
	}
	if (program->options.record != NULL)
		run_record(&program->run);
	run_fill_snapshot(&program->run, &program->last);
	if (program->options.json) {
		json_write(stdout, &program->last, &about);
		if (fflush(stdout) != 0) {
			say("--json: %s: check standard output", strerror(errno));
			return EXIT_LOST;
		}
	}
	return atomic_load(&program->run.failed) ? EXIT_LOST : EXIT_SUCCESS;
}

static int
clean_up(struct program *program, int status)
{
	int missing;

	if (program->sinks_open) {
		sinks_finish(&program->sinks);
		if (!sinks_close(&program->sinks) && status == EXIT_SUCCESS)
			status = EXIT_LOST;
	}
	control_release_signals();
	missing = setup_close(&program->setup);
	if (missing > 0 && status == EXIT_SUCCESS) {
		say("%d buffers were not given back: please report this", missing);
		status = EXIT_LOST;
	}
	if (program->eal_started)
		rte_eal_cleanup();
	eal_args_free(&program->eal);
	return status;
}

static int
run_program(struct program *program, int argc, char **argv)
{
	int status = EXIT_REFUSED;

	sched_getaffinity(0, sizeof(program->allowed), &program->allowed);
	if (!program->options.seed_given)
		program->options.seed = seed_from_system();
	if (start_eal(program, argc, argv) == 0) {
		program->engine_lcore = lcores_loop();
		/* For the threads that are started from here. */
		lcores_stay_off(program->engine_lcore, &program->allowed);
		if (set_up(program) == 0)
			status = run_all(program);
	}
	return clean_up(program, status);
}

static int
answer(enum options_result asked)
{
	if (asked == OPTIONS_HELP)
		fputs(options_help, stdout);
	else
		printf("weir %s\n", weir_version());
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	static struct program program;
	char error[OPTIONS_ERROR];
	int start = options_start(argc, argv);
	enum options_result asked = options_early(argc, argv);

	descriptors_fill();
	if (asked == OPTIONS_RUN)
		asked = options_parse(&program.options, argc - start, argv + start, error);
	if (asked == OPTIONS_BAD) {
		say("%s", error);
		return EXIT_REFUSED;
	}
	if (asked != OPTIONS_RUN)
		return answer(asked);
	control_catch_signals(&program.run);
	if (setup_check(&program.options) != 0)
		return EXIT_REFUSED;
	return run_program(&program, options_eal_argc(argc, argv), argv);
}
