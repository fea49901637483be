/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bulk: the whole path from rx to tx against F + A/2, the least that a receiver does which
 * acknowledges every second segment.
 */
#include "measure.h"

struct bulk_stream {
	uint32_t flows;
	uint32_t run;
	bool shown; /* no target */
	bool ip6;   /* which is shown, too, beside the same floors */
};

static const struct bulk_stream streams[] = {
    {1, 64, false, false}, {8, 8, false, false}, {64, 8, false, false}, {64, 1, true, false},
    {8, 8, true, true}};

static void
write_rows(struct bench *bench, const struct testbed *bed, const struct subject *subjects,
	   const struct bulk_stream *stream)
{
	double touch = sample_median(&subjects[1].sample), ack = sample_median(&subjects[2].sample);
	struct row row;

	measure_row(&row, bed, stream->ip6 ? "weir, IPv6" : "weir", &subjects[0].sample,
		    "cycles/segment");
	measure_against(&row, "F+A/2", touch + ack / 2,
			stream->shown || bed->config.set != TESTBED_CROSS ? ROW_SHOWN : ROW_AT_MOST, 1.6,
			1.3);
	bench_row(bench, &row);
	if (stream->ip6)
		return;
	measure_row(&row, bed, "F", &subjects[1].sample, "cycles/segment");
	bench_row(bench, &row);
	measure_row(&row, bed, "A", &subjects[2].sample, "cycles/ACK");
	bench_row(bench, &row);
}

static const char *
run_rounds(struct bench *bench, struct testbed *bed, void *context)
{
	const struct bulk_stream *stream = context;
	struct measure measure = {.bed = bed, .portions = bench_portions(bench, 32)};
	struct subject subjects[] = {{.round = measure_weir, .context = &measure},
				     {.round = measure_touch, .context = &measure},
				     {.round = measure_ack, .context = &measure}};

	if (!floor_search(bed, &measure.shape, &measure.ack_burst) ||
	    !rounds_run(subjects, 3, bench->options->rounds))
		return measure_not_whole;
	write_rows(bench, bed, subjects, stream);
	return NULL;
}

bool
case_bulk(struct bench *bench)
{
	struct testbed_config config;
	bool good = true;

	for (uint32_t set = 0; set < TESTBED_SETS; set++)
		for (uint32_t i = 0; i < RTE_DIM(streams) && measure_has_set(bench, set); i++) {
			struct bulk_stream stream = streams[i];

			testbed_config_init(&config, stream.flows, stream.run);
			config.set = set;
			config.stream.ip6 = stream.ip6;
			if (stream.ip6)
				config.stream.payload_bytes = STREAM_PAYLOAD6;
			good &= measure_on(bench, &config, 1, run_rounds, &stream);
		}
	return good;
}
