/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"

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

double
measure_median(uint32_t portions, double units, uint64_t (*one)(const void *context),
	       const void *context)
{
	struct sample sample = {0};

	for (uint32_t i = 0; i < portions; i++) {
		uint64_t cycles = one(context);

		if (cycles == 0)
			return -1;
		sample_add(&sample, (double)cycles);
	}
	return sample_median(&sample) / units;
}

static uint64_t
one_by_weir(const void *context)
{
	const struct measure *measure = context;

	return testbed_fill(measure->bed, TESTBED_PORTION) ? testbed_drain(measure->bed) : 0;
}

static uint64_t
one_by_touch(const void *context)
{
	const struct measure *measure = context;
	uint64_t cycles = 0;

	if (testbed_fill(measure->bed, TESTBED_PORTION))
		cycles = floor_touch(measure->bed, &measure->shape);
	testbed_rewind(measure->bed);
	return cycles;
}

static uint64_t
one_by_copy(const void *context)
{
	const struct measure *measure = context;
	uint64_t cycles = 0;

	if (testbed_fill(measure->bed, TESTBED_PORTION))
		cycles = floor_copy(measure->bed, &measure->copy);
	testbed_rewind(measure->bed);
	return cycles;
}

static uint64_t
one_by_digest(const void *context)
{
	const struct measure *measure = context;
	uint64_t cycles = 0;

	if (testbed_fill(measure->bed, TESTBED_PORTION))
		cycles = floor_digest(measure->bed, &measure->digest);
	testbed_rewind(measure->bed);
	return cycles;
}

static uint64_t
one_by_ack(const void *context)
{
	const struct measure *measure = context;

	return floor_ack(measure->bed, MEASURE_ACKS, measure->ack_burst);
}

double
measure_weir(void *context)
{
	const struct measure *measure = context;

	if (measure->aggregate_limit != 0)
		measure->bed->stack->engine->tcp.aggregate_limit = measure->aggregate_limit;
	return measure_median(measure->portions, TESTBED_PORTION, one_by_weir, measure);
}

double
measure_touch(void *context)
{
	const struct measure *measure = context;

	return measure_median(measure->portions, TESTBED_PORTION, one_by_touch, measure);
}

/* How far ahead to fetch depends on how far the other core is, which changes from minute to minute: so
 * it is searched for in every round. */
double
measure_copy(void *context)
{
	struct measure *measure = context;

	if (!floor_search_fetch(measure->bed, floor_copy, &measure->copy))
		return -1;
	return measure_median(measure->portions, TESTBED_PORTION, one_by_copy, measure);
}

double
measure_digest(void *context)
{
	struct measure *measure = context;

	if (!floor_search_fetch(measure->bed, floor_digest, &measure->digest))
		return -1;
	return measure_median(measure->portions, TESTBED_PORTION, one_by_digest, measure);
}

double
measure_ack(void *context)
{
	const struct measure *measure = context;

	return measure_median(measure->portions, MEASURE_ACKS, one_by_ack, measure);
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
