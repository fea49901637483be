/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cycles of each room. lib/engine/poll.c is built once more with WEIR_ROOMS, its poll under
 * another name; it calls weir_room_left() where a room ends. What reading the clock costs is
 * measured and taken off.
 */
#ifndef APP_BENCH_PROFILE_H
#define APP_BENCH_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/rooms.h"
#include "testbed.h"

/* Cycles per segment, room by room, medians over so many portions. False when one was not taken
 * whole. */
bool profile_portions(struct testbed *bed, uint32_t portions, double cycles[WEIR_ROOM_COUNT]);

#endif
