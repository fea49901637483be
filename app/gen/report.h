/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_GEN_REPORT_H
#define APP_GEN_REPORT_H

#include <stdio.h>

#include "options.h"
#include "run.h"

/* One screen about the time from `before` to `now`. `clear`: over the last one on a terminal. */
void report_write(FILE *to, const struct options *options, const struct snapshot *before,
		  const struct snapshot *now, uint64_t start_ns, bool clear);

#endif
