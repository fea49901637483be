/* SPDX-License-Identifier: BSD-3-Clause */
/* What the peer has reported by SACK (RFC 2018): disjoint ranges in order of sequence. */
#ifndef WEIR_APP_GENERATOR_SCOREBOARD_H
#define WEIR_APP_GENERATOR_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#define SCOREBOARD_RANGES 32

struct scoreboard {
	uint32_t n;
	uint32_t ranges[SCOREBOARD_RANGES][2]; /* [start, end) */
};

static inline void
scoreboard_reset(struct scoreboard *board)
{
	board->n = 0;
}

/*
 * [start, end) has arrived; ranges that touch are joined. When there are too many the rightmost is
 * forgotten, which costs a needless retransmission and nothing else. All sequence numbers given lie
 * within 2^31 of one another.
 */
void scoreboard_add(struct scoreboard *board, uint32_t start, uint32_t end);

/* Everything left of `una` is acknowledged. */
void scoreboard_advance(struct scoreboard *board, uint32_t una);

/* The first hole at or right of `from` and left of something that has arrived; false: none. */
bool scoreboard_hole(const struct scoreboard *board, uint32_t from, uint32_t *start, uint32_t *end);

/* `from`, or the end of the range in which it lies. */
uint32_t scoreboard_skip(const struct scoreboard *board, uint32_t from);

/* Start of the first range right of `from`, `limit` when there is none before it. */
uint32_t scoreboard_until(const struct scoreboard *board, uint32_t from, uint32_t limit);

/* Bytes that have arrived. */
uint32_t scoreboard_bytes(const struct scoreboard *board);

#endif
