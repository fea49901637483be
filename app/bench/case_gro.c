/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gro: parse, lookup, queue and aggregation over DPDK's rte_gro alone, in its lightweight mode, on
 * frames that it can merge: one ACK number and one timestamp per portion. Lengths and packet types,
 * which it asks for, are written by the stream.
 */
#include <string.h>

#include <rte_cycles.h>
#include <rte_gro.h>

#include "engine/engine.h"
#include "measure.h"
#include "profile.h"

#define BURST	  64
#define CALIBRATE 4096 /* bursts that aggregate_cost() forms */
#define LIMIT	  20

/* Keeps what is computed for its own sake. */
static volatile uint64_t used;

/*
 * Cycles per segment of forming aggregates, which no mark tells from the rest of its room: a burst
 * of descriptors in runs of `run`.
 */
static double
aggregate_cost(uint32_t run)
{
	struct weir_seg segs[BURST];
	uint64_t begin, sum = 0;

	memset(segs, 0, sizeof(segs));
	for (uint32_t i = 0; i < BURST; i++)
		segs[i] = (struct weir_seg){.seq = i * STREAM_PAYLOAD,
					    .len = STREAM_PAYLOAD,
					    .flags = WEIR_TCP_ACK,
					    .shape = WEIR_OPT_TS,
					    .has_ts = 1,
					    .wire_segs = 1};
	begin = rte_rdtsc();
	for (uint32_t k = 0; k < CALIBRATE; k++)
		for (uint32_t i = 0; i < BURST; i += run) {
			segs[i].alike = (uint8_t)(run - 1); /* which forming cuts to pieces */
			for (uint32_t at = 0; at < run;)
				sum += at +=
					weir_aggregate_form(&segs[i + at], run - at, LIMIT).n;
		}
	used = sum;
	return (double)(rte_rdtsc() - begin) / CALIBRATE / BURST;
}

struct gro {
	struct measure measure;
	uint32_t run;
};

static double
weir_round(void *context)
{
	const struct gro *gro = context;
	double cycles[WEIR_ROOM_COUNT];

	if (!profile_portions(gro->measure.bed, gro->measure.portions, cycles))
		return -1;
	return cycles[WEIR_ROOM_PARSE] + cycles[WEIR_ROOM_CLASSIFY] + aggregate_cost(gro->run);
}

/* The portion in the ring, all of it taken before the clock is read. */
static uint64_t
merge_portion(struct testbed *bed)
{
	static struct rte_mbuf *frames[TESTBED_PORTION];
	const struct rte_gro_param param = {
	    .gro_types = RTE_GRO_TCP_IPV4, .max_flow_num = BURST, .max_item_per_flow = BURST};
	uint32_t n = bed->near_end->rx_burst(bed->near_end->ctx, frames, TESTBED_PORTION, 0);
	uint16_t left[TESTBED_PORTION / BURST];
	uint64_t begin = rte_rdtsc_precise(), end;

	for (uint32_t i = 0; i < n; i += BURST)
		left[i / BURST] = rte_gro_reassemble_burst(frames + i, BURST, &param);
	end = rte_rdtsc_precise();
	for (uint32_t i = 0; i < n; i += BURST)
		rte_pktmbuf_free_bulk(frames + i, left[i / BURST]);
	return n == TESTBED_PORTION ? end - begin : 0;
}

static uint64_t
one_by_gro(const void *context)
{
	const struct gro *gro = context;
	struct testbed *bed = gro->measure.bed;
	uint64_t cycles = testbed_fill(bed, TESTBED_PORTION) ? merge_portion(bed) : 0;

	testbed_rewind(bed);
	return cycles;
}

static double
gro_round(void *context)
{
	const struct gro *gro = context;

	return measure_median(gro->measure.portions, TESTBED_PORTION, one_by_gro, gro);
}

static const char *
run_rounds(struct bench *bench, struct testbed *bed, void *context)
{
	bool one = bed->config.stream.flows == 1;
	struct gro gro = {{.bed = bed, .portions = bench_portions(bench, 32)}, one ? BURST : 1};
	struct subject subjects[] = {{.round = weir_round, .context = &gro},
				     {.round = gro_round, .context = &gro}};
	struct row row;

	(void)context;
	if (!rounds_run(subjects, 2, bench->options->rounds))
		return measure_not_whole;
	measure_row(&row, bed, "weir, rooms 2 to 5", &subjects[0].sample, "cycles/segment");
	measure_against(&row, "rte_gro", sample_median(&subjects[1].sample),
			bed->config.set == measure_target_set(bench) ? ROW_AT_MOST : ROW_SHOWN,
			one ? 0.7 : 0.35, one ? 0.5 : 0.2);
	bench_row(bench, &row);
	measure_row(&row, bed, "rte_gro", &subjects[1].sample, "cycles/segment");
	bench_row(bench, &row);
	return NULL;
}

bool
case_gro(struct bench *bench)
{
	static const uint32_t streams[][2] = {{1, 64}, {1024, 1}};
	struct testbed_config config;
	bool good = true;

	for (uint32_t set = 0; set <= TESTBED_CROSS; set++)
		for (uint32_t i = 0; i < RTE_DIM(streams) && measure_has_set(bench, set); i++) {
			testbed_config_init(&config, streams[i][0], streams[i][1]);
			config.set = set;
			config.stream.described = true;
			good &= measure_on(bench, &config, 1, run_rounds, NULL);
		}
	return good;
}
