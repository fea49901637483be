/* SPDX-License-Identifier: BSD-3-Clause */
/* weir-bench: measures the library against floors and peers, side by side in one run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include "app/cli/descriptors.h"
#include "app/cli/say.h"
#include "bench.h"
#include "digest.h"
#include "eal.h"

const char say_name[] = "weir-bench";

#define EXIT_REFUSED 1 /* nothing was started */
#define EXIT_BROKEN  2 /* a case could not be run to its end, or a row is void */
#define EXIT_MISSED  3 /* --strict, and a target was not met */

static const char help[] =
    "weir-bench [EAL options --] CASE...|all [options]: measure weir beside floors and peers\n"
    "\n"
    "  --json       one JSON object per row on standard output\n"
    "  --rounds N   rounds of each measurement, 1 to 101, default 15\n"
    "  --short      few and short rounds: complete, but no measurement\n"
    "  --strict     end with 3 when a target is not met\n"
    "  --help, --version\n"
    "\n"
    "Cases; those with * are not part of all:\n";

void
bench_say(const struct bench *bench, const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (bench->running != NULL)
		say("%s: %s", bench->running->name, line);
	else
		say("%s", line);
}

void
bench_row(struct bench *bench, struct row *row)
{
	row->in_case = bench->running->name;
	row->in_short = bench->options->in_short;
	bench->rows++;
	bench->missed += !row_passes(row);
	bench->voided += row->void_why != NULL;
	if (bench->options->json)
		row_write_json(stdout, row);
	else
		row_write_line(stdout, row);
	fflush(stdout);
}

uint32_t
bench_portions(const struct bench *bench, uint32_t portions)
{
	return bench->options->in_short ? (portions + 15) / 16 : portions;
}

static void
start_crew(struct bench *bench)
{
	unsigned int lcore = rte_get_next_lcore(-1, 1, 0);

	if (lcore >= RTE_MAX_LCORE || crew_start(&bench->crew, lcore) != 0)
		bench_say(bench, "one lcore only: the rows of set cross are absent; give EAL two, "
				 "as -l 0,1");
}

static int
run_cases(struct bench *bench)
{
	bool good = true;

	for (uint32_t i = 0; i < bench_n_cases; i++) {
		if ((bench->options->cases & 1u << i) == 0)
			continue;
		bench->running = &bench_cases[i];
		if (!bench->options->json)
			row_write_heading(stdout, bench_cases[i].name, bench_cases[i].about);
		good &= bench_cases[i].run(bench);
	}
	bench->running = NULL;
	if (fflush(stdout) != 0 || ferror(stdout) != 0) {
		bench_say(bench, "standard output cannot be written, rows are lost: give it room");
		return EXIT_BROKEN;
	}
	if (bench->options->strict && bench->missed != 0)
		bench_say(bench, "%u of %u rows miss their target", bench->missed, bench->rows);
	if (bench->voided != 0)
		bench_say(bench, "%u of %u rows are void: the rows say why (%s): mend that and run again",
			  bench->voided, bench->rows, bench->options->json ? "key void" : "VOID");
	if (!good || bench->voided != 0)
		return EXIT_BROKEN;
	return bench->options->strict && bench->missed != 0 ? EXIT_MISSED : EXIT_SUCCESS;
}

static void
print_help(void)
{
	fputs(help, stdout);
	for (uint32_t i = 0; i < bench_n_cases; i++)
		printf("  %-9s%c %s\n", bench_cases[i].name, bench_cases[i].in_all ? ' ' : '*',
		       bench_cases[i].about);
}

static enum options_result
parse(struct options *options, int argc, char **argv, char *error)
{
	struct options_name names[OPTIONS_CASES_MOST];

	for (uint32_t i = 0; i < bench_n_cases; i++)
		names[i] = (struct options_name){bench_cases[i].name, bench_cases[i].in_all};
	return options_parse(options, argc, argv, names, bench_n_cases, error);
}

static int
start_and_run(const struct options *options, int argc, char **argv)
{
	struct bench bench = {.options = options};
	char error[OPTIONS_ERROR];
	int status;

	if (descriptors_raise(error) != 0) {
		say("%s", error);
		return EXIT_REFUSED;
	}
	if (!eal_begin(argc, argv))
		return EXIT_REFUSED;
	digest_init(false);
	start_crew(&bench);
	status = run_cases(&bench);
	crew_stop(&bench.crew);
	rte_eal_cleanup();
	return status;
}

int
main(int argc, char **argv)
{
	int begin = options_begin(argc, argv);
	struct options options;
	char error[OPTIONS_ERROR];

	descriptors_fill();
	switch (parse(&options, argc - begin, argv + begin, error)) {
	case OPTIONS_HELP:
		print_help();
		return say_printed() ? EXIT_SUCCESS : EXIT_REFUSED;
	case OPTIONS_VERSION:
		printf("weir-bench %s\n", weir_version());
		return say_printed() ? EXIT_SUCCESS : EXIT_REFUSED;
	case OPTIONS_BAD:
		say("%s", error);
		return EXIT_REFUSED;
	default:
		return start_and_run(&options, begin > 1 ? begin - 1 : 1, argv);
	}
}
