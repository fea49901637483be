/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_GEN_JSON_H
#define APP_GEN_JSON_H

#include <stdio.h>

#include "options.h"
#include "run.h"

struct json_about {
	const struct options *options;
	const char *port;
	uint32_t lcore;
	uint32_t mss;
	double seconds;	     /* from the first connection, or SYN of an attack, to the end of new data */
	uint64_t sent_bytes; /* acknowledged in that time */
	uint64_t rx_missed;
	uint64_t rx_no_buffer;
	uint64_t impaired;
	const char *failure; /* empty: none */
};

/* Every counter as one object on one line. */
void json_write(FILE *to, const struct snapshot *snapshot, const struct json_about *about);

#endif
