/* SPDX-License-Identifier: BSD-3-Clause */
/* Did the run do what was asked? */
#ifndef APP_GEN_VERDICT_H
#define APP_GEN_VERDICT_H

#include "options.h"
#include "patience.h"

#define VERDICT_TEXT 256

struct verdict_facts {
	struct generator_stats stats; /* at the end */
	enum patience_cause cause;    /* why it was given up; PATIENCE_GOOD: it was not */
	bool interrupted;	      /* by a signal: what --bytes asks for is not missed */
	const char *port;
};

/* True, or false with one line in `text` (VERDICT_TEXT bytes) that names the thing and the mend. */
bool verdict(const struct options *options, const struct verdict_facts *facts, char *text);

/* The sentence of a cause, into `text`. */
void verdict_cause(const struct options *options, enum patience_cause cause, const char *port,
		   char *text);

#endif
