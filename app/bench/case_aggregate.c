/* SPDX-License-Identifier: BSD-3-Clause */
/* merge, onoff and limit: what aggregation finds, and what it saves (Menon & Zwaenepoel 3 and 4).
 */
#include <stdio.h>
#include <string.h>

#include "engine/engine.h"
#include "measure.h"
#include "profile.h"

#define LIMIT_DEFAULT 20

/* ---- merge ---- */

/*
 * The oracle: a poll takes one burst, and all that a burst holds of one flow is in sequence, so it
 * makes as few aggregates as the limit allows. Aggregates that the portion just written can be.
 */
static uint64_t
fewest_aggregates(const struct testbed *bed)
{
	uint32_t counts[WEIR_BURST_MAX], flows[WEIR_BURST_MAX], n, burst = bed->config.stack.burst;
	const uint32_t *sent = bed->stream.sent;
	uint64_t fewest = 0;

	for (uint32_t from = 0; from < bed->filled; from += burst) {
		n = 0;
		for (uint32_t k = from; k < from + burst && k < bed->filled; k++) {
			uint32_t i = 0;

			while (i < n && flows[i] != sent[k])
				i++;
			if (i == n) {
				flows[n] = sent[k];
				counts[n++] = 0;
			}
			counts[i]++;
		}
		for (uint32_t i = 0; i < n; i++)
			fewest += (counts[i] + LIMIT_DEFAULT - 1) / LIMIT_DEFAULT;
	}
	return fewest;
}

static uint64_t
aggregates_formed(const struct testbed *bed)
{
	struct weir_stats stats = {.size = sizeof(stats)};

	weir_stack_stats(bed->stack, &stats);
	return stats.aggregates;
}

static const char *
run_merge(struct bench *bench, struct testbed *bed, void *context)
{
	uint32_t portions = bench_portions(bench, 256);
	uint64_t fewest = 0, before = aggregates_formed(bed), formed;
	struct sample sample = {0};
	struct row row;

	(void)context;
	for (uint32_t i = 0; i < portions; i++) {
		if (!testbed_fill(bed, TESTBED_PORTION))
			return measure_not_whole;
		fewest += fewest_aggregates(bed);
		if (testbed_drain(bed) == 0)
			return measure_not_whole;
	}
	formed = aggregates_formed(bed) - before;
	sample_add(&sample, (double)portions * TESTBED_PORTION / (double)formed);
	measure_row(&row, bed, "weir", &sample, "segs/aggregate");
	measure_against(&row, "ideal", 1, ROW_AT_LEAST, 1.0, 1.0);
	row.ratio = (double)fewest / (double)formed;
	bench_row(bench, &row);
	return NULL;
}

bool
case_merge(struct bench *bench)
{
	struct testbed_config config;

	testbed_config_init(&config, 256, 4);
	config.stream.order = STREAM_GEOMETRIC;
	return measure_on(bench, &config, 1, run_merge, NULL);
}

/* ---- onoff ---- */

/* A train as single packets, each built from its fields, as a stack without templates does. */
static void
emit_in_full(void *user, uint8_t port, const struct weir_ack_template *train)
{
	struct weir_engine *engine = user;

	for (uint32_t i = 0; i < train->n; i++) {
		const struct weir_packet packet = {
		    .seq = train->seq,
		    .ack = train->acks[i].ack,
		    .tsval = train->tsval,
		    .tsecr = train->acks[i].tsecr,
		    .win = train->acks[i].win,
		    .flags = (uint8_t)train->flags,
		    .wscale = -1,
		};
		struct rte_mbuf *frame = weir_buf_alloc(engine->tcp.pool);

		if (frame == NULL)
			return;
		frame->data_len = (uint16_t)weir_header_build(train->header, &packet,
							      rte_pktmbuf_mtod(frame, uint8_t *));
		frame->pkt_len = frame->data_len;
		weir_engine_send(engine, port, frame);
	}
}

struct onoff {
	struct testbed *bed;
	uint32_t portions;
	uint32_t limit;
	bool in_full; /* ACKs */
};

/* Rooms 5 to 9: the clock is not read between the last two. */
static double
onoff_round(void *context)
{
	const struct onoff *onoff = context;
	struct weir_engine *engine = onoff->bed->engine;
	const struct weir_emit emit = engine->emit;
	double cycles[WEIR_ROOM_COUNT];
	bool whole;

	engine->tcp.aggregate_limit = onoff->limit;
	if (onoff->in_full)
		engine->emit.train = emit_in_full;
	whole = profile_portions(onoff->bed, onoff->portions, cycles);
	engine->emit = emit;
	if (!whole)
		return -1;
	return cycles[WEIR_ROOM_SERVE] + cycles[WEIR_ROOM_DELIVER] + cycles[WEIR_ROOM_TRANSMIT];
}

struct onoff_names {
	const char *off;
	const char *on;
	bool in_full;
	bool single; /* aggregates of one: on may not be dearer than off */
	bool shown;
};

static const char *
run_onoff(struct bench *bench, struct testbed *bed, void *context)
{
	const struct onoff_names *names = context;
	struct onoff off = {bed, bench_portions(bench, 32), 1, names->in_full};
	struct onoff on = {bed, off.portions, LIMIT_DEFAULT, false};
	struct subject subjects[] = {{.round = onoff_round, .context = &off},
				     {.round = onoff_round, .context = &on}};
	double off_cycles, on_cycles;
	struct row row;

	if (!rounds_run(subjects, 2, bench->options->rounds))
		return measure_not_whole;
	off_cycles = sample_median(&subjects[0].sample);
	on_cycles = sample_median(&subjects[1].sample);
	measure_row(&row, bed, names->off, &subjects[0].sample, "cycles/segment");
	if (!names->single)
		measure_against(&row, names->on, on_cycles, names->shown ? ROW_SHOWN : ROW_AT_LEAST,
				3, 5.5);
	bench_row(bench, &row);
	measure_row(&row, bed, names->on, &subjects[1].sample, "cycles/segment");
	if (names->single)
		measure_against(&row, names->off, off_cycles, ROW_AT_MOST, 1.02, 1.0);
	bench_row(bench, &row);
	return NULL;
}

/* The factor by which the per-packet overhead of a Linux stack of 2008 fell. */
static void
write_menon(struct bench *bench)
{
	static const struct {
		const char *name;
		double factor;
	} figures[] = {
	    {"Menon: one processor", 4.3}, {"Menon: SMP", 5.5}, {"Menon: Xen guest", 3.7}};

	for (uint32_t i = 0; i < RTE_DIM(figures); i++) {
		struct row row = {.flows = 5,
				  .run = LIMIT_DEFAULT,
				  .set = "near",
				  .value = figures[i].factor,
				  .unit = "times less"};

		snprintf(row.name, sizeof(row.name), "%s", figures[i].name);
		bench_row(bench, &row);
	}
}

bool
case_onoff(struct bench *bench)
{
	static const uint32_t streams[][2] = {{1, 64}, {8, 8}, {400, 8}, {1024, 1}};
	static const struct onoff_names names[] = {
	    {"limit 1, ACKs in full", "limit 20, templates", true, false, false},
	    {"limit 1, ACKs in full", "limit 20, templates", true, false, true},
	    {"limit 1, ACKs in full", "limit 20, templates", true, false, true}, /* as Menon */
	    {"limit 1, single", "limit 20, single", false, true, false},
	};
	struct testbed_config config;
	bool good = true;

	for (uint32_t i = 0; i < RTE_DIM(streams); i++) {
		struct onoff_names chosen = names[i];

		testbed_config_init(&config, streams[i][0], streams[i][1]);
		config.set = measure_target_set(bench);
		good &= measure_on(bench, &config, 1, run_onoff, &chosen);
	}
	write_menon(bench);
	return good;
}

/* ---- limit ---- */

static const uint32_t limits[] = {1, 2, 4, 8, 16, 32, 64};

/* Least squares of cost over 1/k: cost = x + y/k. */
static void
fit(const struct subject *subjects, double *x, double *y)
{
	double n = RTE_DIM(limits), sum_k = 0, sum_kk = 0, sum = 0, sum_k_cost = 0;

	for (uint32_t i = 0; i < RTE_DIM(limits); i++) {
		double k = 1.0 / limits[i], cost = sample_median(&subjects[i].sample);

		sum_k += k;
		sum_kk += k * k;
		sum += cost;
		sum_k_cost += k * cost;
	}
	*y = (n * sum_k_cost - sum_k * sum) / (n * sum_kk - sum_k * sum_k);
	*x = (sum - *y * sum_k) / n;
}

static void
write_limit_rows(struct bench *bench, const struct testbed *bed, const struct subject *subjects)
{
	double x, y, first = sample_median(&subjects[0].sample);
	struct row row;
	char name[32];

	fit(subjects, &x, &y);
	for (uint32_t i = 0; i < RTE_DIM(limits); i++) {
		snprintf(name, sizeof(name), "limit %u", limits[i]);
		measure_row(&row, bed, name, &subjects[i].sample, "cycles/segment");
		measure_against(&row, "limit 1", first, ROW_SHOWN, 0, 0);
		bench_row(bench, &row);
		snprintf(name, sizeof(name), "limit %u, x + y/k", limits[i]);
		snprintf(row.name, sizeof(row.name), "%s", name);
		row.value = x + y / limits[i];
		row.spread = 0;
		measure_against(&row, "limit 1", first, ROW_SHOWN, 0, 0);
		bench_row(bench, &row);
	}
}

static const char *
run_limits(struct bench *bench, struct testbed *bed, void *context)
{
	struct measure measures[RTE_DIM(limits)];
	struct subject subjects[RTE_DIM(limits)];

	(void)context;
	for (uint32_t i = 0; i < RTE_DIM(limits); i++) {
		measures[i] = (struct measure){.bed = bed,
					       .portions = bench_portions(bench, 32),
					       .aggregate_limit = limits[i]};
		subjects[i] = (struct subject){.round = measure_weir, .context = &measures[i]};
	}
	if (!rounds_run(subjects, RTE_DIM(limits), bench->options->rounds))
		return measure_not_whole;
	write_limit_rows(bench, bed, subjects);
	return NULL;
}

bool
case_limit(struct bench *bench)
{
	struct testbed_config config;

	testbed_config_init(&config, 1, 64);
	config.set = measure_target_set(bench);
	return measure_on(bench, &config, 1, run_limits, NULL);
}
