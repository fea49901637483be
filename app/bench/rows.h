/* SPDX-License-Identifier: BSD-3-Clause */
/* What weir-bench found: one row per figure, as a table or as one JSON object per row. */
#ifndef APP_BENCH_ROWS_H
#define APP_BENCH_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum row_target {
	ROW_SHOWN,    /* no target */
	ROW_AT_MOST,  /* ratio <= must */
	ROW_AT_LEAST, /* ratio >= must */
};

struct row {
	const char *in_case;
	char name[48]; /* "weir", "F", "rte_gro" */
	uint32_t flows;
	uint32_t run;
	const char *set; /* "near", "cross" or "memory" */
	double value;
	const char *unit;
	const char *against; /* NULL: no ratio */
	double ratio;
	enum row_target target;
	double must;
	double aim;
	double spread;
	bool lockstep;
	bool in_short;	      /* of a short run: no measurement */
	double headroom;      /* of the generator; 0: not measured */
	const char *void_why; /* NULL: the row is valid */
};

/* The target is met. A void row never passes; one that is only shown always does. */
bool row_passes(const struct row *row);

void row_write_json(FILE *to, const struct row *row);
void row_write_heading(FILE *to, const char *in_case, const char *about);
void row_write_line(FILE *to, const struct row *row);

#endif
