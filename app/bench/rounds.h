/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rounds: subjects that are compared take turns in the order A B B A, so that what changes slowly
 * (frequency, neighbours on the machine) meets all of them alike. What counts is the median of the
 * rounds; the spread is the distance of the quartiles over the median.
 */
#ifndef APP_BENCH_ROUNDS_H
#define APP_BENCH_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#define ROUNDS_MOST 101

struct sample {
	uint32_t n;
	double values[ROUNDS_MOST];
};

/* One who takes part: `round` does a round and returns its figure, below 0 when it failed. */
struct subject {
	double (*round)(void *context);
	void *context;
	struct sample sample;
};

void sample_add(struct sample *sample, double value);
/* Of an empty sample both are 0. */
double sample_median(const struct sample *sample);
double sample_spread(const struct sample *sample);

/* One round of each that is not counted, then `rounds` of each. False as soon as one failed. */
bool rounds_run(struct subject *subjects, uint32_t n, uint32_t rounds);

#endif
