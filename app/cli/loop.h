/* SPDX-License-Identifier: BSD-3-Clause */
/* A tool's polling loop: the one place that reads the clock, and what others may ask of it. */
#ifndef APP_CLI_LOOP_H
#define APP_CLI_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/cli/tsc_clock.h"

struct loop {
	struct tsc_clock clock;
	uint64_t busy_tsc; /* of turns that found something */
	uint64_t first_tsc;
	uint64_t last_tsc;	 /* end of the last turn, start of the next */
	_Atomic int stop;	 /* set by anyone: end */
	_Atomic int signals;	 /* how many asked for the end */
	_Atomic int done;	 /* set by the loop: it has ended */
	_Atomic uint32_t wanted; /* snapshots asked for */
	_Atomic uint32_t given;	 /* and made */
};

/* First of all, on a loop that is all zeros: SIGINT, SIGTERM and SIGHUP set `stop`, so that what
 * was begun is undone also when they come early. A second one cuts short what winding down waits
 * for, a third one ends at once and leaves everything as it is. */
void loop_catch_signals(struct loop *loop);
void loop_catch(int number, void (*handler)(int), int flags);

/* ---- the loop's thread ---- */

void loop_begin(struct loop *loop);
uint64_t loop_now_ns(const struct loop *loop);

/* A turn has ended; the clock is read once, here. */
void loop_turned(struct loop *loop, bool worked);

/* The last thing that the loop does. */
void loop_end(struct loop *loop);

static inline bool
loop_stopped(const struct loop *loop)
{
	return atomic_load_explicit(&loop->stop, memory_order_relaxed) != 0;
}

/* Should what is left to wait for be cut short? */
static inline bool
loop_hurried(const struct loop *loop)
{
	return atomic_load_explicit(&loop->signals, memory_order_relaxed) > 1;
}

/* Does somebody wait for a snapshot? Then fill it and give it. */
bool loop_asked(const struct loop *loop);
void loop_give(struct loop *loop);

/* ---- others ---- */

void loop_stop(struct loop *loop);
bool loop_done(const struct loop *loop);

/* Ask for a snapshot and wait for it; false when the loop has ended. One thread. */
bool loop_ask(struct loop *loop);

#endif
