/* SPDX-License-Identifier: BSD-3-Clause */
/* profile: where the cycles of a poll go, as a table of rooms. */
#include <string.h>

#include "measure.h"
#include "profile.h"

static const char *const room_names[WEIR_ROOM_COUNT] = {"begin: time, timers",
							"1 rx",
							"2 parse",
							"3-4 classify, queue",
							"5-6 serve",
							"7 deliver, application",
							"8-9 acknowledge, tx",
							"end: buffers home"};

static const char *
run_rounds(struct bench *bench, struct testbed *bed, void *context)
{
	struct sample samples[WEIR_ROOM_COUNT];
	double cycles[WEIR_ROOM_COUNT];
	struct row row;

	(void)context;
	memset(samples, 0, sizeof(samples));
	for (uint32_t round = 0; round <= bench->options->rounds; round++) {
		if (!profile_portions(bed, bench_portions(bench, 32), cycles))
			return measure_not_whole;
		for (uint32_t room = 0; round != 0 && room < WEIR_ROOM_COUNT; room++)
			sample_add(&samples[room], cycles[room]);
	}
	for (uint32_t room = 0; room < WEIR_ROOM_COUNT; room++) {
		measure_row(&row, bed, room_names[room], &samples[room], "cycles/segment");
		bench_row(bench, &row);
	}
	return NULL;
}

bool
case_profile(struct bench *bench)
{
	static const uint32_t streams[][2] = {{1, 64}, {8, 8}, {64, 8}, {64, 1}};
	struct testbed_config config;
	bool good = true;

	for (uint32_t set = 0; set <= TESTBED_CROSS; set++)
		for (uint32_t i = 0; i < RTE_DIM(streams) && measure_has_set(bench, set); i++) {
			testbed_config_init(&config, streams[i][0], streams[i][1]);
			config.set = set;
			good &= measure_on(bench, &config, 1, run_rounds, NULL);
		}
	return good;
}
