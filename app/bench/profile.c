/* SPDX-License-Identifier: BSD-3-Clause */
#include "profile.h"

#include <string.h>

#include <rte_cycles.h>

#define CALIBRATE 20000

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

static bool
drain_portions(struct testbed *bed, uint32_t portions)
{
	for (uint32_t i = 0; i < portions; i++) {
		if (!testbed_fill(bed, TESTBED_PORTION))
			return false;
		rooms.last = rte_rdtsc();
		if (testbed_drain(bed) == 0)
			return false;
	}
	return true;
}

bool
profile_portions(struct testbed *bed, uint32_t portions, double cycles[WEIR_ROOM_COUNT])
{
	double mark = cost_of_mark(), segments = (double)portions * TESTBED_PORTION;
	bool whole;

	memset(&rooms, 0, sizeof(rooms));
	bed->poll = weir_engine_poll_rooms;
	whole = drain_portions(bed, portions);
	bed->poll = weir_engine_poll;
	for (uint32_t i = 0; i < WEIR_ROOM_COUNT; i++) {
		double spent = (double)rooms.cycles[i] - mark * (double)rooms.marks[i];

		cycles[i] = spent < 0 ? 0 : spent / segments;
	}
	return whole;
}
