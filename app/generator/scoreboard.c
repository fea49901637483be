/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "app/generator/scoreboard.h"
#include "wire/seq.h"

#define START 0
#define END   1

static void
remove_ranges(struct scoreboard *board, uint32_t first, uint32_t n)
{
	memmove(board->ranges[first], board->ranges[first + n],
		(board->n - first - n) * sizeof(board->ranges[0]));
	board->n -= n;
}

/* Room for a new range at `i`; false when it would be the one too many. */
static bool
make_room(struct scoreboard *board, uint32_t i)
{
	if (board->n == SCOREBOARD_RANGES) {
		if (i == board->n)
			return false;
		board->n--;
	}
	memmove(board->ranges[i + 1], board->ranges[i], (board->n - i) * sizeof(board->ranges[0]));
	board->n++;
	return true;
}

void
scoreboard_add(struct scoreboard *board, uint32_t start, uint32_t end)
{
	uint32_t i = 0, last;

	if (!weir_seq_lt(start, end))
		return;
	while (i < board->n && weir_seq_lt(board->ranges[i][END], start))
		i++;
	for (last = i; last < board->n && weir_seq_leq(board->ranges[last][START], end); last++) {
		start = weir_seq_min(start, board->ranges[last][START]);
		end = weir_seq_max(end, board->ranges[last][END]);
	}
	if (last > i)
		remove_ranges(board, i + 1, last - i - 1);
	else if (!make_room(board, i))
		return;
	board->ranges[i][START] = start;
	board->ranges[i][END] = end;
}

void
scoreboard_advance(struct scoreboard *board, uint32_t una)
{
	uint32_t n = 0;

	while (n < board->n && weir_seq_leq(board->ranges[n][END], una))
		n++;
	if (n != 0)
		remove_ranges(board, 0, n);
	if (board->n != 0)
		board->ranges[0][START] = weir_seq_max(board->ranges[0][START], una);
}

bool
scoreboard_hole(const struct scoreboard *board, uint32_t from, uint32_t *start, uint32_t *end)
{
	for (uint32_t i = 0; i < board->n; i++) {
		if (weir_seq_lt(from, board->ranges[i][START])) {
			*start = from;
			*end = board->ranges[i][START];
			return true;
		}
		from = weir_seq_max(from, board->ranges[i][END]);
	}
	return false;
}

uint32_t
scoreboard_skip(const struct scoreboard *board, uint32_t from)
{
	for (uint32_t i = 0; i < board->n && weir_seq_leq(board->ranges[i][START], from); i++)
		from = weir_seq_max(from, board->ranges[i][END]);
	return from;
}

uint32_t
scoreboard_until(const struct scoreboard *board, uint32_t from, uint32_t limit)
{
	for (uint32_t i = 0; i < board->n; i++)
		if (weir_seq_lt(from, board->ranges[i][START]))
			return weir_seq_min(limit, board->ranges[i][START]);
	return limit;
}

uint32_t
scoreboard_bytes(const struct scoreboard *board)
{
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < board->n; i++)
		bytes += board->ranges[i][END] - board->ranges[i][START];
	return bytes;
}
