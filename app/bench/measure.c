/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"

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

/* The instruction that flushes header lines. */
static bool
has_clflushopt(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_CLFLUSHOPT) != 0;
}

bool
measure_has_set(const struct bench *bench, enum testbed_set set)
{
	if (set == TESTBED_MEMORY)
		return has_clflushopt();
	return set != TESTBED_CROSS || bench->crew.away;
}

enum testbed_set
measure_target_set(const struct bench *bench)
{
	return measure_has_set(bench, TESTBED_CROSS) ? TESTBED_CROSS : TESTBED_NEAR;
}

/* Portions through `take`; cycles a segment. */
static double
each_portion(const struct measure *measure, uint64_t (*take)(const struct measure *measure),
	     bool rewind)
{
	uint64_t cycles = 0;

	for (uint32_t i = 0; i < measure->portions; i++) {
		uint64_t one = testbed_fill(measure->bed, TESTBED_PORTION) ? take(measure) : 0;

		if (one == 0)
			return -1;
		if (rewind)
			testbed_rewind(measure->bed);
		cycles += one;
	}
	return (double)cycles / measure->portions / TESTBED_PORTION;
}

static uint64_t
take_by_weir(const struct measure *measure)
{
	return testbed_drain(measure->bed);
}

static uint64_t
take_by_touch(const struct measure *measure)
{
	return floor_touch(measure->bed, &measure->shape);
}

static uint64_t
take_by_copy(const struct measure *measure)
{
	return floor_copy(measure->bed, measure->copy_ahead);
}

static uint64_t
take_by_digest(const struct measure *measure)
{
	return floor_digest(measure->bed);
}

double
measure_weir(void *context)
{
	const struct measure *measure = context;

	if (measure->aggregate_limit != 0)
		measure->bed->stack->engine->tcp.aggregate_limit = measure->aggregate_limit;
	return each_portion(measure, take_by_weir, false);
}

double
measure_touch(void *context)
{
	return each_portion(context, take_by_touch, true);
}

double
measure_copy(void *context)
{
	return each_portion(context, take_by_copy, true);
}

double
measure_digest(void *context)
{
	return each_portion(context, take_by_digest, true);
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
