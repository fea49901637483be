/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * profile: the cycles of each room. lib/engine/poll.c is built once more with WEIR_ROOMS, its poll
 * under another name; it calls weir_room_left() where a room ends. What reading the clock costs is
 * measured and taken off.
 */
#include <string.h>

#include <rte_cycles.h>

#include "engine/rooms.h"
#include "measure.h"

#define CALIBRATE 100000

uint32_t weir_engine_poll_rooms(struct weir_engine *engine, uint64_t now_ns);

static struct {
	uint64_t last;
	uint64_t cycles[WEIR_ROOM_COUNT];
	uint64_t marks[WEIR_ROOM_COUNT];
} rooms;

static const char *const room_names[WEIR_ROOM_COUNT] = {"begin: time, timers",
							"1 rx",
							"2 parse",
							"3-4 classify, queue",
							"5-6 serve",
							"7 deliver, application",
							"8-9 acknowledge, tx",
							"end: buffers home"};

void
weir_room_left(enum weir_room room)
{
	uint64_t now = rte_rdtsc();

	rooms.cycles[room] += now - rooms.last;
	rooms.marks[room]++;
	rooms.last = now;
}

/* Cycles that one mark adds to the room that it ends. */
static double
cost_of_mark(void)
{
	memset(&rooms, 0, sizeof(rooms));
	rooms.last = rte_rdtsc();
	for (uint32_t i = 0; i < CALIBRATE; i++)
		weir_room_left(WEIR_ROOM_BEGIN);
	return (double)rooms.cycles[WEIR_ROOM_BEGIN] / CALIBRATE;
}

static double
room_cost(uint32_t room, double mark, uint64_t segments)
{
	double cycles = (double)rooms.cycles[room] - mark * (double)rooms.marks[room];

	return cycles < 0 ? 0 : cycles / (double)segments;
}

/* One round: the cycles a segment of every room into its sample. */
static bool
profile_round(struct testbed *bed, uint32_t portions, double mark, struct sample *samples)
{
	struct sample ignored = {0};

	memset(&rooms, 0, sizeof(rooms));
	for (uint32_t i = 0; i < portions; i++) {
		if (!testbed_fill(bed, TESTBED_PORTION))
			return false;
		rooms.last = rte_rdtsc();
		if (testbed_drain(bed) == 0)
			return false;
	}
	for (uint32_t room = 0; room < WEIR_ROOM_COUNT; room++)
		sample_add(samples == NULL ? &ignored : &samples[room],
			   room_cost(room, mark, (uint64_t)portions * TESTBED_PORTION));
	return true;
}

static const char *
run_rounds(struct bench *bench, struct testbed *bed, void *context)
{
	struct sample samples[WEIR_ROOM_COUNT];
	double mark = cost_of_mark();
	struct row row;

	(void)context;
	memset(samples, 0, sizeof(samples));
	bed->poll = weir_engine_poll_rooms;
	for (uint32_t round = 0; round <= bench->options->rounds; round++)
		if (!profile_round(bed, bench_portions(bench, 32), mark,
				   round == 0 ? NULL : samples))
			return measure_not_whole;
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
