/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line by rules: what every tool does with its words, before EAL starts. */
#ifndef APP_CLI_PARSE_H
#define APP_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_ERROR 512

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_BAD, /* error (OPTIONS_ERROR bytes): one line, the thing and the mend */
};

struct options; /* each tool's own */

struct option_rule {
	const char *name; /* with its dashes */
	bool has_value;
	/* 0, or -1 with the reason in `error`. `text` is NULL without a value; it stays valid. */
	int (*set)(struct options *options, const char *text, char *error);
};

/* Read argv[0..argc), which holds options only (no program name): "--ip TEXT" or "--ip=TEXT". Ends
 * at the first word that is wrong or asks for help or the version. */
enum options_result options_read(const struct option_rule *rules, size_t n, struct options *options,
				 int argc, char **argv, char *error);

/* Where argv's own options begin: one past "--", or argc when there is none. */
int options_start(int argc, char **argv);

/* How many words of argv are EAL's, the program's name included. */
int options_eal_argc(int argc, char **argv);

/* Does `argv` ask for help or the version before any "--"? */
enum options_result options_early(int argc, char **argv);

/* Write a reason into `error`; returns -1. */
__attribute__((format(printf, 2, 3))) int options_refuse(char *error, const char *format, ...);

#endif
