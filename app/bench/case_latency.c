/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rr: a lone segment, from before the poll to its arrival in the application. delay: what holding
 * an open aggregate saves and what it costs in time (Oi & Nakajima).
 */
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#include "app/generator/histogram.h"
#include "engine/engine.h"
#include "measure.h"

#define REQUESTS 4096 /* of a round */

/* ---- rr ---- */

struct lone {
	struct testbed *bed;
	uint32_t limit;
	uint32_t requests;
	struct histogram *cycles; /* of all rounds */
	bool late;		  /* one was not delivered by the poll that received it */
};

/* When the application saw it. */
struct arrival {
	struct sink *sink;
	uint64_t tsc;
};

static void
note_arrival(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct arrival *arrival = user;

	arrival->tsc = rte_rdtsc();
	sink_handle(arrival->sink, stack, events, n);
}

/* Cycles until the application had it; 0 when this poll did not bring it. */
static uint64_t
ask_once(struct testbed *bed, struct arrival *arrival)
{
	uint64_t before = bed->sink.bytes, begin;

	if (!testbed_fill(bed, 1))
		return 0;
	begin = rte_rdtsc_precise();
	testbed_poll(bed);
	return bed->sink.bytes - before == bed->config.stream.payload_bytes ? arrival->tsc - begin
									    : 0;
}

static double
lone_round(void *context)
{
	struct lone *lone = context;
	struct arrival arrival = {.sink = &lone->bed->sink};
	static struct histogram round;

	histogram_reset(&round);
	lone->bed->engine->tcp.aggregate_limit = lone->limit;
	weir_stack_set_handler(lone->bed->stack, note_arrival, &arrival);
	for (uint32_t i = 0; i < lone->requests && !lone->late; i++) {
		uint64_t cycles = ask_once(lone->bed, &arrival);

		lone->late |= cycles == 0;
		histogram_record(&round, cycles);
	}
	weir_stack_set_handler(lone->bed->stack, sink_handle, &lone->bed->sink);
	histogram_merge(lone->cycles, &round);
	return lone->late ? -1 : (double)histogram_percentile(&round, 50);
}

static void
write_rr_row(struct bench *bench, const struct testbed *bed, const char *name,
	     const struct subject *subject, const struct histogram *all)
{
	struct sample tail = {0};
	struct row row;
	char text[48];

	snprintf(text, sizeof(text), "%s, p99", name);
	sample_add(&tail, (double)histogram_percentile(all, 99));
	measure_row(&row, bed, text, &tail, "cycles");
	bench_row(bench, &row);
	snprintf(text, sizeof(text), "%s, p50", name);
	measure_row(&row, bed, text, &subject->sample, "cycles");
	bench_row(bench, &row);
}

static const char *
run_rr(struct bench *bench, struct testbed *bed, void *context)
{
	static struct histogram cycles[2];
	uint32_t requests = bench_portions(bench, REQUESTS);
	struct lone off = {bed, 1, requests, &cycles[0], false};
	struct lone on = {bed, 20, requests, &cycles[1], false};
	struct subject subjects[] = {{.round = lone_round, .context = &off},
				     {.round = lone_round, .context = &on}};
	struct row row;

	(void)context;
	histogram_reset(&cycles[0]);
	histogram_reset(&cycles[1]);
	if (!rounds_run(subjects, 2, bench->options->rounds))
		return off.late || on.late ? "a lone segment was not delivered by the poll that "
					     "received it"
					   : measure_not_whole;
	write_rr_row(bench, bed, "aggregation off", &subjects[0], &cycles[0]);
	write_rr_row(bench, bed, "aggregation on", &subjects[1], &cycles[1]);
	measure_row(&row, bed, "p50, on over off", &subjects[1].sample, "cycles");
	measure_against(&row, "aggregation off", sample_median(&subjects[0].sample), ROW_AT_MOST,
			1.02, 1.0);
	bench_row(bench, &row);
	return NULL;
}

bool
case_rr(struct bench *bench)
{
	struct testbed_config config;

	testbed_config_init(&config, 1, 1);
	config.set = measure_target_set(bench);
	config.stream.payload_bytes = 256;
	return measure_on(bench, &config, 1, run_rr, NULL);
}

/* ---- delay ---- */

#define DELAY_SEGS  4 /* that arrive between two polls */
#define DELAY_POLLS 1024

struct held {
	const char *name;
	uint32_t flush;
	uint32_t value;
};

static const struct held helds[] = {{"flush now", WEIR_FLUSH_NOW, 0},
				    {"every 2nd poll", WEIR_FLUSH_POLLS, 2},
				    {"adaptive", WEIR_FLUSH_ADAPTIVE, 0}};

struct delay {
	struct testbed *bed;
	uint32_t polls;
	double mark;	  /* cycles that reading the clock adds to a poll */
	double waited_ns; /* of all segments, in the engine's time */
	uint64_t segs;
};

static uint64_t
aggregates(const struct testbed *bed)
{
	struct weir_stats stats = {.size = sizeof(stats)};

	weir_stack_stats(bed->stack, &stats);
	return stats.aggregates;
}

/* Segments sent and not yet handed up. */
static uint64_t
waiting(const struct testbed *bed)
{
	return bed->stream.segments - bed->sink.bytes / bed->config.stream.payload_bytes;
}

/*
 * A few segments, a poll, and so on; cycles per byte of the polls. Every poll in which segments are
 * still held adds its step to their waiting.
 */
static double
delay_round(void *context)
{
	struct delay *delay = context;
	struct testbed *bed = delay->bed;
	uint64_t sent = (uint64_t)delay->polls * DELAY_SEGS, cycles = 0;

	for (uint32_t i = 0; i < delay->polls; i++) {
		uint64_t begin, before = bed->now_ns;

		if (!testbed_fill(bed, DELAY_SEGS))
			return -1;
		begin = rte_rdtsc();
		testbed_poll(bed);
		cycles += rte_rdtsc() - begin;
		delay->waited_ns += (double)(bed->now_ns - before) * (double)waiting(bed);
	}
	delay->segs += sent;
	return ((double)cycles - delay->mark * delay->polls) /
	       ((double)sent * bed->config.stream.payload_bytes);
}

static double
cost_of_clock(void)
{
	uint64_t begin = rte_rdtsc(), sum = 0;

	for (uint32_t i = 0; i < DELAY_POLLS; i++)
		sum += rte_rdtsc() & 1;
	return (double)(rte_rdtsc() - begin + sum) / (DELAY_POLLS + 1);
}

static void
write_delay_rows(struct bench *bench, const struct testbed *bed, const char *name,
		 const struct subject *subject, const struct delay *delay, uint64_t formed)
{
	struct sample one = {0};
	char text[48];
	struct row row;

	snprintf(text, sizeof(text), "%s, cost", name);
	measure_row(&row, bed, text, &subject->sample, "cycles/byte");
	bench_row(bench, &row);
	snprintf(text, sizeof(text), "%s, size", name);
	sample_add(&one, (double)delay->segs / (double)formed);
	measure_row(&row, bed, text, &one, "segs/aggregate");
	bench_row(bench, &row);
	snprintf(text, sizeof(text), "%s, waiting", name);
	one.values[0] = delay->waited_ns / (double)delay->segs;
	measure_row(&row, bed, text, &one, "ns/segment");
	bench_row(bench, &row);
}

static const char *
run_delay(struct bench *bench, struct testbed *beds, void *context)
{
	struct delay delays[RTE_DIM(helds)];
	struct subject subjects[RTE_DIM(helds)];
	uint64_t before[RTE_DIM(helds)];

	(void)context;
	for (uint32_t i = 0; i < RTE_DIM(helds); i++) {
		delays[i] = (struct delay){.bed = &beds[i],
					   .polls = bench_portions(bench, DELAY_POLLS),
					   .mark = cost_of_clock()};
		subjects[i] = (struct subject){.round = delay_round, .context = &delays[i]};
		before[i] = aggregates(&beds[i]);
	}
	if (!rounds_run(subjects, RTE_DIM(helds), bench->options->rounds))
		return measure_not_whole;
	for (uint32_t i = 0; i < RTE_DIM(helds); i++)
		write_delay_rows(bench, &beds[i], helds[i].name, &subjects[i], &delays[i],
				 aggregates(&beds[i]) - before[i]);
	return NULL;
}

bool
case_delay(struct bench *bench)
{
	struct testbed_config configs[RTE_DIM(helds)];

	for (uint32_t i = 0; i < RTE_DIM(helds); i++) {
		testbed_config_init(&configs[i], 1, 64);
		configs[i].stack.flush = helds[i].flush;
		configs[i].stack.flush_value = helds[i].value;
	}
	return measure_on(bench, configs, RTE_DIM(helds), run_delay, NULL);
}
