/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair_line.h"

#include <stddef.h>

static struct weir_line_frame *
line_at(struct weir_line *line, uint32_t i)
{
	return &line->frames[i & (WEIR_LINE_FRAMES - 1)];
}

uint32_t
weir_line_room(const struct weir_line *line)
{
	return line->limit - (line->tail - line->head);
}

/* When this frame leaves even if nothing overtakes it. */
static uint64_t
last_moment(const struct weir_line_frame *held)
{
	return held->due_ns + (held->skip != 0 ? WEIR_LINE_REORDER_NS : 0);
}

/* Frames from the first of `kept` up to the last one that has been overtaken often enough. */
static uint32_t
count_ready(struct weir_line *line, uint32_t first, uint32_t kept)
{
	uint32_t ready = 0;

	for (uint32_t i = 0; i < kept; i++) {
		struct weir_line_frame *held = line_at(line, first + i);

		held->skip -= held->skip != 0;
		if (held->skip == 0)
			ready = i + 1;
	}
	return ready;
}

/*
 * A frame has just overtaken the `*kept` frames held from `first` on. Those for which it was the
 * last follow it, with all that are held in front of them: else these would be overtaken twice.
 */
static uint32_t
overtake(struct weir_line *line, uint32_t first, uint32_t *kept, struct rte_mbuf **out, uint32_t n)
{
	uint32_t ready = count_ready(line, first, *kept), left = 0, got = 0;

	for (uint32_t i = 0; i < *kept; i++) {
		struct weir_line_frame held = *line_at(line, first + i);

		if (i < ready && got < n) {
			out[got++] = held.buf;
			continue;
		}
		if (i < ready)
			held.skip = 0;
		*line_at(line, first + left++) = held;
	}
	*kept = left;
	return got;
}

/*
 * Delays are all equal, so the first frame that is not due and waits for nothing else ends the
 * search; those held back in front of it move up to it.
 */
uint32_t
weir_line_release(struct weir_line *line, struct rte_mbuf **out, uint32_t n, uint64_t now_ns)
{
	uint32_t first = line->head, kept = 0, got = 0, i = line->head;

	for (; i != line->tail && got < n; i++) {
		struct weir_line_frame held = *line_at(line, i);

		if (now_ns < held.due_ns)
			break;
		if (now_ns >= last_moment(&held)) {
			out[got++] = held.buf;
			got += overtake(line, first, &kept, out + got, n - got);
		} else {
			*line_at(line, first + kept++) = held;
		}
	}
	/* The kept ones to their new places, the last first: the ranges may overlap. */
	for (uint32_t k = kept; k-- != 0;)
		*line_at(line, i - kept + k) = *line_at(line, first + k);
	line->head = i - kept;
	return got;
}

uint32_t
weir_line_force(struct weir_line *line, struct rte_mbuf **out, uint32_t n, uint32_t room)
{
	uint32_t got = 0;

	while (got < n && weir_line_room(line) < room)
		out[got++] = line_at(line, line->head++)->buf;
	return got;
}

void
weir_line_drain(struct weir_line *line, struct weir_pool *pool)
{
	for (; line->head != line->tail; line->head++)
		weir_buf_free(pool, line_at(line, line->head)->buf);
}

uint64_t
weir_line_deadline(const struct weir_line *line)
{
	uint64_t soonest = UINT64_MAX;

	for (uint32_t i = line->head; i != line->tail; i++) {
		const struct weir_line_frame *held = &line->frames[i & (WEIR_LINE_FRAMES - 1)];

		if (last_moment(held) < soonest)
			soonest = last_moment(held);
		if (held->skip == 0)
			break;
	}
	return soonest;
}

void
weir_line_add(struct weir_line *line, struct rte_mbuf *buf, uint64_t due_ns, uint32_t skip)
{
	*line_at(line, line->tail++) = (struct weir_line_frame){buf, due_ns, skip};
}

void
weir_line_return(struct weir_line *line, struct rte_mbuf **bufs, uint32_t n)
{
	while (n-- != 0)
		*line_at(line, --line->head) = (struct weir_line_frame){.buf = bufs[n]};
}
