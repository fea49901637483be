/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * copy and digest: what the application does with the payload, over floors that do the same. The
 * stream writes the payload of every segment, as a device or another program does; beside that
 * stand rows for payload that nobody wrote since it was last read.
 */
#include "measure.h"

struct target {
	const char *name; /* of the row */
	const char *against;
	double must;
	double aim;
};

static void
write_row(struct bench *bench, const struct testbed *bed, const struct subject *subject,
	  const struct target *target, double floor)
{
	struct row row;

	measure_row(&row, bed, target->name, &subject->sample, "cycles/segment");
	if (target->against != NULL)
		measure_against(&row, target->against, floor,
				bed->config.set == TESTBED_CROSS ? ROW_AT_MOST : ROW_SHOWN,
				target->must, target->aim);
	bench_row(bench, &row);
}

static double
figure(const struct subject *subject)
{
	return sample_median(&subject->sample);
}

typedef const char *run_function(struct bench *bench, struct testbed *beds, void *context);

static bool
run_streams(struct bench *bench, const enum sink_kind *sinks, uint32_t n, run_function *run)
{
	static const uint32_t streams[][2] = {{1, 64}, {8, 8}, {64, 8}};
	struct testbed_config configs[2];
	bool good = true;

	for (uint32_t set = 0; set <= TESTBED_CROSS; set++)
		for (uint32_t i = 0; i < RTE_DIM(streams) && measure_has_set(bench, set); i++) {
			for (uint32_t k = 0; k < n; k++) {
				testbed_config_init(&configs[k], streams[i][0], streams[i][1]);
				configs[k].set = set;
				configs[k].sink = sinks[k];
				configs[k].stream.written = true;
			}
			good &= measure_on(bench, configs, n, run, NULL);
		}
	return good;
}

/* ---- copy ---- */

static const char *
run_copy(struct bench *bench, struct testbed *bed, void *context)
{
	static const struct target weir = {"weir, copying read", "F+M", 1.15, 1.08};
	static const struct target floors[] = {{.name = "F"}, {.name = "M"}};
	struct measure measure = {.bed = bed, .portions = bench_portions(bench, 32)};
	struct subject subjects[] = {{.round = measure_weir, .context = &measure},
				     {.round = measure_touch, .context = &measure},
				     {.round = measure_copy, .context = &measure}};

	(void)context;
	if (!floor_search(bed, &measure.shape, &measure.ack_burst) ||
	    !rounds_run(subjects, 3, bench->options->rounds))
		return measure_not_whole;
	write_row(bench, bed, &subjects[0], &weir, figure(&subjects[1]) + figure(&subjects[2]));
	write_row(bench, bed, &subjects[1], &floors[0], 0);
	write_row(bench, bed, &subjects[2], &floors[1], 0);
	return NULL;
}

bool
case_copy(struct bench *bench)
{
	static const enum sink_kind sinks[] = {SINK_COPY};

	return run_streams(bench, sinks, 1, run_copy);
}

/* ---- digest ---- */

static const char *
run_digest(struct bench *bench, struct testbed *beds, void *context)
{
	static const struct target lease = {"weir, CRC32C of leases", "F+K", 1.25, 1.1};
	static const struct target fused = {"weir, copy and CRC32C", "F+M", 1.25, 1.1};
	static const struct target floors[] = {{.name = "F"}, {.name = "K"}, {.name = "M"}};
	struct measure first = {.bed = &beds[0], .portions = bench_portions(bench, 32)};
	struct measure second = {.bed = &beds[1], .portions = first.portions};
	struct subject subjects[] = {{.round = measure_weir, .context = &first},
				     {.round = measure_weir, .context = &second},
				     {.round = measure_touch, .context = &first},
				     {.round = measure_digest, .context = &first},
				     {.round = measure_copy, .context = &first}};
	const struct subject *touch = &subjects[2];

	(void)context;
	if (!floor_search(&beds[0], &first.shape, &first.ack_burst) ||
	    !rounds_run(subjects, RTE_DIM(subjects), bench->options->rounds))
		return measure_not_whole;
	write_row(bench, &beds[0], &subjects[0], &lease, figure(touch) + figure(&subjects[3]));
	write_row(bench, &beds[1], &subjects[1], &fused, figure(touch) + figure(&subjects[4]));
	for (uint32_t i = 0; i < RTE_DIM(floors); i++)
		write_row(bench, &beds[0], &subjects[2 + i], &floors[i], 0);
	return NULL;
}

bool
case_digest(struct bench *bench)
{
	static const enum sink_kind sinks[] = {SINK_DIGEST, SINK_COPY_DIGEST};

	return run_streams(bench, sinks, 2, run_digest);
}
