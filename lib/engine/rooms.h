/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the time of a poll goes. Usually this is nothing at all: weir-bench builds poll.c a second
 * time with WEIR_ROOMS and defines weir_room_left(), which reads the clock once per room and poll.
 */
#ifndef WEIR_ENGINE_ROOMS_H
#define WEIR_ENGINE_ROOMS_H

enum weir_room {
	WEIR_ROOM_BEGIN,    /* time, timers, other threads */
	WEIR_ROOM_RX,       /* 1 */
	WEIR_ROOM_PARSE,    /* 2 */
	WEIR_ROOM_CLASSIFY, /* 3 and 4 */
	WEIR_ROOM_SERVE,    /* 5 and 6 */
	WEIR_ROOM_DELIVER,  /* 7, the application included */
	WEIR_ROOM_TRANSMIT, /* 8 and 9 */
	WEIR_ROOM_END,      /* what ended, buffers on their way home */
	WEIR_ROOM_COUNT
};

/* The time since the last call belongs to `room`. Engine thread; not part of the library. */
void weir_room_left(enum weir_room room);

#ifdef WEIR_ROOMS
#define WEIR_ROOM_LEFT(room) weir_room_left(WEIR_ROOM_##room)
#else
#define WEIR_ROOM_LEFT(room) ((void)0)
#endif

#endif
