/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <stdio.h>
#include <string.h>

#define ACKS (TESTBED_PORTION / 2)

const char measure_not_whole[] = "a portion was not taken whole";

bool
measure_on(struct bench *bench, const struct testbed_config *configs, uint32_t n,
	   const char *(*run)(struct bench *bench, struct testbed *beds, void *context),
	   void *context)
{
	static struct testbed beds[MEASURE_BEDS_MOST];
	const char *why = NULL, *end;
	uint32_t open = 0;

	while (why == NULL && open < n) {
		why = testbed_open(&beds[open], &configs[open], &bench->crew);
		open += why == NULL;
	}
	if (why == NULL)
		why = run(bench, beds, context);
	while (open > 0) {
		end = testbed_close(&beds[--open]);
		why = why != NULL ? why : end;
	}
	if (why != NULL)
		bench_say(bench, "%u flows, runs of %u, %s: %s", configs[0].stream.flows,
			  configs[0].stream.run, testbed_set_names[configs[0].set], why);
	return why == NULL;
}

bool
measure_has_set(const struct bench *bench, enum testbed_set set)
{
	return set != TESTBED_CROSS || bench->crew.away;
}

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
