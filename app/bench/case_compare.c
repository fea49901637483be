/* SPDX-License-Identifier: BSD-3-Clause */
/* flows, pool, reorder: the whole path under one condition over the same path under another. */
#include "measure.h"

struct condition {
	const char *name;
	double must;
	double aim;
	bool shown;
};

struct comparison {
	const struct condition *conditions; /* [0] is what the others are compared with */
	const char *against;		    /* its name in ratios */
	bool throughput;		    /* ratios are of segments per cycle */
};

static void
write_rows(struct bench *bench, const struct testbed *beds, const struct subject *subjects,
	   uint32_t n, const struct comparison *comparison)
{
	double base = sample_median(&subjects[0].sample);
	struct row row;

	for (uint32_t i = 0; i < n; i++) {
		const struct condition *condition = &comparison->conditions[i];

		measure_row(&row, &beds[i], condition->name, &subjects[i].sample, "cycles/segment");
		if (i != 0)
			measure_against(&row, comparison->against, base,
					condition->shown ? ROW_SHOWN : ROW_AT_MOST, condition->must,
					condition->aim);
		if (i != 0 && comparison->throughput) {
			row.ratio = base / row.value;
			row.target = condition->shown ? ROW_SHOWN : ROW_AT_LEAST;
		}
		bench_row(bench, &row);
	}
}

struct beds {
	uint32_t n;
	const struct comparison *comparison;
};

static bool
compare(struct bench *bench, struct testbed *beds, uint32_t n, const struct comparison *comparison)
{
	struct measure measures[MEASURE_BEDS_MOST];
	struct subject subjects[MEASURE_BEDS_MOST];

	for (uint32_t i = 0; i < n; i++) {
		measures[i] =
		    (struct measure){.bed = &beds[i], .portions = bench_portions(bench, 32)};
		subjects[i] = (struct subject){.round = measure_weir, .context = &measures[i]};
	}
	if (!rounds_run(subjects, n, bench->options->rounds))
		return false;
	write_rows(bench, beds, subjects, n, comparison);
	return true;
}

static const char *
run_rounds(struct bench *bench, struct testbed *beds, void *context)
{
	const struct beds *count = context;

	return compare(bench, beds, count->n, count->comparison) ? NULL : measure_not_whole;
}

#define FLOW_COUNTS 4

/* The same connections with runs of eight segments, then of one. */
static const char *
run_flows(struct bench *bench, struct testbed *beds, void *context)
{
	static const struct condition runs[2][FLOW_COUNTS] = {
	    {{"weir", 0, 0, true},
	     {"weir", 1.1, 1.05, false},
	     {"weir", 1.3, 1.15, false},
	     {"weir", 2.0, 1.6, false}},
	    {{"weir", 0, 0, true},
	     {"weir", 0, 0, true},
	     {"weir", 0, 0, true},
	     {"weir", 0, 0, true}},
	};

	(void)context;
	for (uint32_t k = 0; k < 2; k++) {
		const struct comparison comparison = {.conditions = runs[k], .against = "1 flow"};

		for (uint32_t i = 0; i < FLOW_COUNTS; i++)
			beds[i].config.stream.run = beds[i].stream.config.run = k == 0 ? 8 : 1;
		if (!compare(bench, beds, FLOW_COUNTS, &comparison))
			return measure_not_whole;
	}
	return NULL;
}

bool
case_flows(struct bench *bench)
{
	static const uint32_t flows[FLOW_COUNTS] = {1, 256, 4096, 1000000};
	struct testbed_config configs[FLOW_COUNTS];
	bool good;

	for (uint32_t i = 0; i < FLOW_COUNTS; i++) {
		testbed_config_init(&configs[i], flows[i], 8);
		configs[i].set = measure_target_set(bench);
		configs[i].cold = bench->options->in_short;
		configs[i].stream.order = STREAM_RANDOM;
		configs[i].stack.huge_tables = 1; /* as for so many it should be */
	}
	good = measure_on(bench, configs, FLOW_COUNTS, run_flows, NULL);
	return case_tables(bench) && good;
}

static bool
compare_pools(struct bench *bench, enum sink_kind sink, const char *name)
{
	char names[2][40];
	struct condition conditions[2] = {{names[0], 0, 0, true}, {names[1], 1.05, 1.01, false}};
	const struct comparison comparison = {.conditions = conditions, .against = "4K buffers"};
	struct testbed_config configs[2];
	struct beds beds = {2, &comparison};

	for (uint32_t i = 0; i < 2; i++) {
		uint32_t buffers = i == 0 ? 4096 : 65536;

		snprintf(names[i], sizeof(names[i]), "%s, %uK", name, buffers / 1024);
		testbed_config_init(&configs[i], 8, 8);
		configs[i].set = measure_target_set(bench);
		configs[i].sink = sink;
		configs[i].stream.written = sink == SINK_COPY;
		configs[i].stream.buffers = buffers;
		configs[i].stack.buffers = buffers;
	}
	return measure_on(bench, configs, 2, run_rounds, &beds);
}

bool
case_pool(struct bench *bench)
{
	bool good = compare_pools(bench, SINK_LEASE, "weir");

	return compare_pools(bench, SINK_COPY, "weir, copying read") && good;
}

static bool
compare_order(struct bench *bench, uint32_t flows, uint32_t run)
{
	static const struct condition conditions[] = {{"weir, in order", 0, 0, true},
						      {"weir, 1 % reordered", 0.9, 0.97, false}};
	const struct comparison comparison = {
	    .conditions = conditions, .against = "in order", .throughput = true};
	struct testbed_config configs[2];
	struct beds beds = {2, &comparison};

	for (uint32_t i = 0; i < 2; i++) {
		testbed_config_init(&configs[i], flows, run);
		configs[i].set = measure_target_set(bench);
		configs[i].stream.reorder_permille = i * 10;
		configs[i].stream.reorder_depth = 8;
	}
	return measure_on(bench, configs, 2, run_rounds, &beds);
}

bool
case_reorder(struct bench *bench)
{
	bool good = compare_order(bench, 1, 64);

	return compare_order(bench, 8, 8) && good;
}
