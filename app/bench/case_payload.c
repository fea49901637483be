/* SPDX-License-Identifier: BSD-3-Clause */
/* copy and digest: what the application does with the payload, over floors that do the same. */
#include "measure.h"

/* A sink and the floor F + `payload`. */
struct comparison {
	enum sink_kind sink;
	const char *name;
	const char *floor_name; /* "M" */
	const char *against;	/* "F+M" */
	double (*payload)(void *context);
	double must;
	double aim;
};

static void
write_rows(struct bench *bench, const struct testbed *bed, const struct subject *subjects,
	   const struct comparison *comparison)
{
	double floor = sample_median(&subjects[1].sample) + sample_median(&subjects[2].sample);
	struct row row;

	measure_row(&row, bed, comparison->name, &subjects[0].sample, "cycles/segment");
	measure_against(&row, comparison->against, floor,
			bed->config.set == TESTBED_CROSS ? ROW_AT_MOST : ROW_SHOWN,
			comparison->must, comparison->aim);
	bench_row(bench, &row);
	measure_row(&row, bed, "F", &subjects[1].sample, "cycles/segment");
	bench_row(bench, &row);
	measure_row(&row, bed, comparison->floor_name, &subjects[2].sample, "cycles/segment");
	bench_row(bench, &row);
}

static const char *
run_rounds(struct bench *bench, struct testbed *bed, void *context)
{
	const struct comparison *comparison = context;
	struct measure measure = {.bed = bed, .portions = bench_portions(bench, 32)};
	struct subject subjects[] = {{.round = measure_weir, .context = &measure},
				     {.round = measure_touch, .context = &measure},
				     {.round = comparison->payload, .context = &measure}};

	if (!floor_search(bed, &measure.shape, &measure.ack_burst) ||
	    !floor_search_copy(bed, &measure.copy_ahead) ||
	    !rounds_run(subjects, 3, bench->options->rounds))
		return measure_not_whole;
	write_rows(bench, bed, subjects, comparison);
	return NULL;
}

static bool
run_streams(struct bench *bench, struct comparison comparison)
{
	static const uint32_t streams[][2] = {{1, 64}, {8, 8}, {64, 8}};
	struct testbed_config config;
	bool good = true;

	for (uint32_t set = 0; set <= TESTBED_CROSS; set++)
		for (uint32_t i = 0; i < RTE_DIM(streams) && measure_has_set(bench, set); i++) {
			testbed_config_init(&config, streams[i][0], streams[i][1]);
			config.set = set;
			config.sink = comparison.sink;
			good &= measure_on(bench, &config, 1, run_rounds, &comparison);
		}
	return good;
}

bool
case_copy(struct bench *bench)
{
	return run_streams(bench, (struct comparison){SINK_COPY, "weir, copying read", "M", "F+M",
						      measure_copy, 1.15, 1.08});
}

bool
case_digest(struct bench *bench)
{
	bool good = run_streams(bench, (struct comparison){SINK_DIGEST, "weir, CRC32C of leases",
							   "K", "F+K", measure_digest, 1.25, 1.1});

	return run_streams(bench, (struct comparison){SINK_COPY_DIGEST, "weir, copy and CRC32C",
						      "M", "F+M", measure_copy, 1.25, 1.1}) &&
	       good;
}
