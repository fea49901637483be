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
	struct floor_fetch copy;
	struct floor_fetch digest;
	uint32_t aggregate_limit; /* 0: as it is */
};

/*
 * Open a testbed for each of `n` configurations, hand them to `run`, close them. `run` and this
 * give what went wrong: the first with NULL for nothing, the second said and with false.
 */
#define MEASURE_BEDS_MOST 8
bool measure_on(struct bench *bench, const struct testbed_config *configs, uint32_t n,
		const char *(*run)(struct bench *bench, struct testbed *beds, void *context),
		void *context);

/* The set can be run here: cross needs a second lcore, memory the instruction clflushopt. */
bool measure_has_set(const struct bench *bench, enum testbed_set set);

/* The set in which targets hold: cross where it can be run. */
enum testbed_set measure_target_set(const struct bench *bench);

extern const char measure_not_whole[]; /* a portion was not taken whole */

/*
 * What a round is: the median over its portions of the cycles that `one` takes, by `units`; -1 when
 * one of them is 0. A portion in which the machine did something else does not count.
 */
double measure_median(uint32_t portions, double units, uint64_t (*one)(const void *context),
		      const void *context);

#define MEASURE_ACKS (TESTBED_PORTION / 2) /* of one portion */

double measure_weir(void *context);
double measure_touch(void *context);
double measure_ack(void *context);
double measure_copy(void *context);
double measure_digest(void *context);

/* The row of a subject on this testbed, without ratio. */
void measure_row(struct row *row, const struct testbed *bed, const char *name,
		 const struct sample *sample, const char *unit);
/* Compare its value with `floor`; a target of ROW_SHOWN has no must and aim. */
void measure_against(struct row *row, const char *name, double floor, enum row_target target,
		     double must, double aim);

#endif
