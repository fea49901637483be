/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of weir-bench. */
#ifndef APP_BENCH_OPTIONS_H
#define APP_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/cli/parse.h"

#define OPTIONS_CASES_MOST 32

struct options {
	uint32_t cases; /* bit i: the i-th name */
	bool json;
	bool in_short;
	bool strict;
	uint32_t rounds;
};

/* A name that may be given, and whether "all" means it too. */
struct options_name {
	const char *name;
	bool in_all;
};

/* argv[0, argc): own words only, without the program's name and EAL's. `error` has OPTIONS_ERROR
 * bytes. */
enum options_result options_parse(struct options *options, int argc, char **argv,
				  const struct options_name *names, uint32_t n_names, char *error);

/* Where the own words begin: behind "--", or, as EAL's are seldom given here, at 1 without it. */
int options_begin(int argc, char **argv);

#endif
