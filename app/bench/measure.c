/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <stdio.h>
#include <string.h>

#define ACKS (TESTBED_PORTION / 2)

double
measure_weir(void *context)
{
	struct measure *measure = context;
	uint64_t cycles = 0;

	for (uint32_t i = 0; i < measure->portions; i++) {
		uint64_t one =
		    testbed_fill(measure->bed, TESTBED_PORTION) ? testbed_drain(measure->bed) : 0;

		if (one == 0)
			return -1;
		cycles += one;
	}
	return (double)cycles / measure->portions / TESTBED_PORTION;
}

double
measure_touch(void *context)
{
	struct measure *measure = context;
	uint64_t cycles = 0;

	for (uint32_t i = 0; i < measure->portions; i++) {
		uint64_t one = testbed_fill(measure->bed, TESTBED_PORTION)
				   ? floor_touch(measure->bed, &measure->shape)
				   : 0;

		if (one == 0)
			return -1;
		testbed_rewind(measure->bed);
		cycles += one;
	}
	return (double)cycles / measure->portions / TESTBED_PORTION;
}

double
measure_ack(void *context)
{
	struct measure *measure = context;
	uint64_t cycles = 0;

	for (uint32_t i = 0; i < measure->portions; i++) {
		uint64_t one = floor_ack(measure->bed, ACKS, measure->ack_burst);

		if (one == 0)
			return -1;
		cycles += one;
	}
	return (double)cycles / measure->portions / ACKS;
}

void
measure_row(struct row *row, const struct testbed *bed, const char *name,
	    const struct sample *sample, const char *unit)
{
	memset(row, 0, sizeof(*row));
	snprintf(row->name, sizeof(row->name), "%s", name);
	row->flows = bed->config.stream.flows;
	row->run = bed->config.stream.run;
	row->set = testbed_set_names[bed->config.set];
	row->value = sample_median(sample);
	row->spread = sample_spread(sample);
	row->unit = unit;
	row->lockstep = bed->config.set == TESTBED_CROSS;
}

void
measure_against(struct row *row, const char *name, double floor, enum row_target target,
		double must, double aim)
{
	row->against = name;
	row->ratio = floor == 0 ? 0 : row->value / floor;
	row->target = target;
	row->must = must;
	row->aim = aim;
}
