/* SPDX-License-Identifier: BSD-3-Clause */
/* Rounds over a testbed: contexts of struct subject. Figures are TSC cycles per segment, or per
 * ACK. */
#ifndef APP_BENCH_MEASURE_H
#define APP_BENCH_MEASURE_H

#include "bench.h"

struct measure {
	struct testbed *bed;
	uint32_t portions; /* of a round */
	struct floor_shape shape;
	uint32_t ack_burst;
};

double measure_weir(void *context);
double measure_touch(void *context);
double measure_ack(void *context);

/* The row of a subject on this testbed, without ratio. */
void measure_row(struct row *row, const struct testbed *bed, const char *name,
		 const struct sample *sample, const char *unit);
/* Compare its value with `floor`; a target of ROW_SHOWN has no must and aim. */
void measure_against(struct row *row, const char *name, double floor, enum row_target target,
		     double must, double aim);

#endif
