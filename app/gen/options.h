/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of weir-gen: parsed before EAL starts, so that a wrong option never starts it.
 */
#ifndef APP_GEN_OPTIONS_H
#define APP_GEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/cli/parse.h"
#include "app/cli/value.h"
#include "app/generator/generator.h"

#define OPTIONS_FIRST_PORT    1024 /* of every source address */
#define OPTIONS_BOUND_SECONDS 10   /* of what would otherwise never end by itself */

struct options {
	const char *port; /* NULL: the first ethdev */
	struct ip_option ip;
	uint32_t sources;
	struct weir_addr gateway; /* family 0: none */
	const char *gateway_text;
	struct weir_addr target; /* family 0: not given */
	const char *target_text;
	uint16_t target_port;
	uint32_t flows;
	uint32_t hold;
	uint32_t run;
	uint32_t mss; /* 0: as long as the port's MTU allows */
	bool timestamps;
	uint64_t bytes; /* of each flow, 0: no end */
	uint32_t mode;	/* enum generator_mode */
	uint32_t request_bytes; /* 0 in mode stream */
	bool verify;
	const char *impair; /* NULL: none */
	uint64_t open_loop_pps;
	uint32_t attack; /* enum generator_attack */
	struct tool_options tool;
};

/*
 * Parse argv[0..argc), which holds options only (no program name). Strings stay in argv. No file,
 * device or clock is looked at. `error` has OPTIONS_ERROR bytes: one line, the thing and the mend.
 */
enum options_result options_parse(struct options *options, int argc, char **argv, char *error);

/* The words of --mode and --attack by their number. */
extern const char *const options_modes[];
extern const char *const options_attacks[];

/* The text of --help. */
extern const char options_help[];

#endif
