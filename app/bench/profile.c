/* SPDX-License-Identifier: BSD-3-Clause */
#include "profile.h"

#include <string.h>

#include <rte_cycles.h>

#include "rounds.h"

#define CALIBRATE 1000

uint32_t weir_engine_poll_rooms(struct weir_engine *engine, uint64_t now_ns);

static struct {
	uint64_t last;
	uint64_t cycles[WEIR_ROOM_COUNT];
	uint64_t marks[WEIR_ROOM_COUNT];
} rooms;

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

/* One portion into the samples of the rooms. */
static bool
drain_portion(struct testbed *bed, double mark, struct sample samples[WEIR_ROOM_COUNT])
{
	if (!testbed_fill(bed, TESTBED_PORTION))
		return false;
	memset(&rooms, 0, sizeof(rooms));
	rooms.last = rte_rdtsc();
	if (testbed_drain(bed) == 0)
		return false;
	for (uint32_t i = 0; i < WEIR_ROOM_COUNT; i++)
		sample_add(&samples[i], (double)rooms.cycles[i] - mark * (double)rooms.marks[i]);
	return true;
}

bool
profile_portions(struct testbed *bed, uint32_t portions, double cycles[WEIR_ROOM_COUNT])
{
	struct sample samples[WEIR_ROOM_COUNT];
	double mark = cost_of_mark();
	bool whole = true;

	memset(samples, 0, sizeof(samples));
	bed->poll = weir_engine_poll_rooms;
	for (uint32_t i = 0; i < portions && whole; i++)
		whole = drain_portion(bed, mark, samples);
	bed->poll = weir_engine_poll;
	for (uint32_t i = 0; i < WEIR_ROOM_COUNT; i++) {
		double median = sample_median(&samples[i]);

		cycles[i] = median < 0 ? 0 : median / TESTBED_PORTION;
	}
	return whole;
}
