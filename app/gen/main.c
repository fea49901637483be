/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-gen: sends TCP streams through a DPDK port. Start and end of the program. */
#include <errno.h>
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
#include "control.h"
#include "engine/port.h"
#include "json.h"
#include "report.h"
#include "setup.h"
#include "verdict.h"

#define EXIT_REFUSED 1 /* nothing was started */
#define EXIT_MISSED  2 /* it ran, but did not do what was asked */

const char say_name[] = "weir-gen";

struct program {
	struct options options;
	struct eal_args eal;
	struct eal_said said;
	struct setup setup;
	struct run run;
	struct control control;
	struct snapshot last;
	cpu_set_t allowed;
	unsigned int lcore;
	bool eal_started;
};

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
	rc = setup_find_port(&program->setup, &program->options, facts.buffer_bytes,
			     program->said.first);
	eal_said_end(&program->said, rc == 0);
	return rc;
}

static int
set_up(struct program *program)
{
	const struct options *options = &program->options;
	char error[OPTIONS_ERROR];
	struct tsc_clock clock;

	if (eal_args_check(&program->eal, options->buffers, program->setup.buffer_bytes, error) !=
	    0) {
		say("%s", error);
		return -1;
	}
	tsc_clock_start(&clock);
	if (setup_generator(&program->setup, options, clock.start_ns) != 0)
		return -1;
	run_init(&program->run, options, program->setup.generator, program->setup.name, &clock);
	return 0;
}

static void
fill_about(const struct program *program, struct json_about *about, const char *failure)
{
	const struct run *run = &program->run;
	const struct weir_port *port = program->setup.port;
	struct weir_port_stats stats = {0};

	if (port->stats != NULL)
		port->stats(port->ctx, &stats);
	*about = (struct json_about){
	    .options = &program->options,
	    .port = program->setup.name,
	    .lcore = program->lcore,
	    .mss = program->setup.mss,
	    .sent_bytes = run->sent_bytes,
	    .rx_missed = stats.rx_missed,
	    .rx_no_buffer = stats.rx_no_buffer,
	    .impaired = stats.impaired,
	    .failure = failure,
	};
	if (run->opened_ns != 0 && run->ended_ns > run->opened_ns)
		about->seconds = (double)(run->ended_ns - run->opened_ns) * 1e-9;
}

/* The object, or a last screen about the whole run. */
static int
write_result(struct program *program, const char *failure)
{
	static struct snapshot before; /* nothing yet; too large for the stack */
	struct json_about about;

	before.now_ns = program->run.clock.start_ns;
	if (program->options.json) {
		fill_about(program, &about, failure);
		json_write(stdout, &program->last, &about);
	} else {
		puts("in all:");
		report_write(stdout, &program->options, &before, &program->last, before.now_ns,
			     false);
	}
	if (fflush(stdout) == 0)
		return EXIT_SUCCESS;
	say("%s: check standard output", strerror(errno));
	return EXIT_MISSED;
}

static int
run_all(struct program *program)
{
	struct verdict_facts facts = {.port = program->setup.name};
	char failure[VERDICT_TEXT] = "";
	int rc, status;

	if (program->eal.note[0] != '\0')
		say("%s", program->eal.note);
	program->control = (struct control){
	    .options = &program->options,
	    .run = &program->run,
	    .watch = &program->setup.watch,
	};
	rc = lcores_run(program->lcore, run_loop, &program->run, control_run, &program->control);
	if (rc != 0) {
		say("the loop does not start: %s: check EAL's -l", strerror(-rc));
		return EXIT_REFUSED;
	}
	run_last_snapshot(&program->run, &program->last);
	facts.stats = program->last.stats;
	facts.cause = program->run.cause;
	facts.interrupted = atomic_load(&program->run.interrupted) != 0;
	rc = verdict(&program->options, &facts, failure) ? EXIT_SUCCESS : EXIT_MISSED;
	status = write_result(program, failure);
	if (rc != EXIT_SUCCESS)
		say("%s", failure);
	return rc != EXIT_SUCCESS ? rc : status;
}

static int
clean_up(struct program *program, int status)
{
	uint32_t missing = setup_close(&program->setup);

	if (missing > 0 && status == EXIT_SUCCESS) {
		say("%u buffers were not given back: please report this", missing);
		status = EXIT_MISSED;
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
		program->lcore = lcores_loop();
		/* For the threads that are started from here. */
		lcores_stay_off(program->lcore, &program->allowed);
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
		printf("%s %s\n", say_name, weir_version());
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
