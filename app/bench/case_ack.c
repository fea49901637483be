/* SPDX-License-Identifier: BSD-3-Clause */
/* ack: what an ACK of a train costs over the least that any ACK costs, and the share of all ACKs in
 * the whole path. */
#include <string.h>

#include "measure.h"
#include "profile.h"

struct trains {
	struct testbed *bed;
	uint32_t portions;
	uint32_t acks; /* of one train */
};

static uint64_t
one_by_trains(const void *context)
{
	const struct trains *trains = context;

	return floor_trains(trains->bed, MEASURE_ACKS, trains->acks);
}

static double
trains_round(void *context)
{
	const struct trains *trains = context;

	return measure_median(trains->portions, MEASURE_ACKS, one_by_trains, trains);
}

/* Rooms 8 and 9 over all of a poll, in hundredths. */
static double
share_round(void *context)
{
	const struct trains *trains = context;
	double cycles[WEIR_ROOM_COUNT], all = 0;

	if (!profile_portions(trains->bed, trains->portions, cycles))
		return -1;
	for (uint32_t room = 0; room < WEIR_ROOM_COUNT; room++)
		all += cycles[room];
	return all == 0 ? -1 : 100 * cycles[WEIR_ROOM_TRANSMIT] / all;
}

static void
write_rows(struct bench *bench, const struct testbed *bed, const struct subject *subjects)
{
	enum row_target target = bed->config.set == TESTBED_NEAR ? ROW_SHOWN : ROW_AT_MOST;
	double floor = sample_median(&subjects[0].sample);
	struct row row;

	measure_row(&row, bed, "A", &subjects[0].sample, "cycles/ACK");
	bench_row(bench, &row);
	measure_row(&row, bed, "train of 4", &subjects[1].sample, "cycles/ACK");
	measure_against(&row, "A", floor, target, 1.3, 1.15);
	bench_row(bench, &row);
	measure_row(&row, bed, "train of 10", &subjects[2].sample, "cycles/ACK");
	measure_against(&row, "A", floor, ROW_SHOWN, 0, 0);
	bench_row(bench, &row);
	measure_row(&row, bed, "share of the whole path", &subjects[3].sample, "%");
	measure_against(&row, "busy cycles", 100, target, 0.10, 0.05);
	bench_row(bench, &row);
}

static const char *
run_rounds(struct bench *bench, struct testbed *bed, void *context)
{
	struct measure measure = {.bed = bed, .portions = bench_portions(bench, 32)};
	struct trains four = {bed, measure.portions, 4}, ten = {bed, measure.portions, 10};
	struct subject subjects[] = {{.round = measure_ack, .context = &measure},
				     {.round = trains_round, .context = &four},
				     {.round = trains_round, .context = &ten},
				     {.round = share_round, .context = &four}};

	(void)context;
	if (!floor_search(bed, &measure.shape, &measure.ack_burst) ||
	    !rounds_run(subjects, RTE_DIM(subjects), bench->options->rounds))
		return measure_not_whole;
	write_rows(bench, bed, subjects);
	return NULL;
}

bool
case_ack(struct bench *bench)
{
	struct testbed_config config;
	bool good = true;

	for (uint32_t set = 0; set <= TESTBED_CROSS && measure_has_set(bench, set); set++) {
		testbed_config_init(&config, 8, 8);
		config.set = set;
		good &= measure_on(bench, &config, 1, run_rounds, NULL);
	}
	return good;
}
