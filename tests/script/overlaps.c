/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All ways in which two segments (13, Allen's relations) and three (409) can lie to one another,
 * behind a hole and at rcv_nxt; what fills the holes at last overlaps all of them.
 */
#include <stdio.h>
#include <string.h>

#include "tests/script/family.h"
#include "tests/script/receiver.h"

#define UNIT	     50
#define SEGMENTS_MAX 3
#define POINTS	     (2 * SEGMENTS_MAX)

struct interval {
	uint32_t start, end;
};

static void
put_segment(struct receiver *receiver, uint32_t start, uint32_t end, char *to, uint32_t size)
{
	uint32_t at = (uint32_t)strlen(to);

	snprintf(to + at, size - at, "> . %u:%u ack 1\n", start, end);
	receiver_take(receiver, start, end, to, size);
	at = (uint32_t)strlen(to);
	if (receiver->delivered != 0)
		snprintf(to + at, size - at, "event data %u\n", receiver->delivered);
	receiver->delivered = 0;
	at = (uint32_t)strlen(to);
	snprintf(to + at, size - at, "drop any\n");
}

static void
take_relation(const struct family_taker *taker, const struct interval *intervals, uint32_t n,
	      uint32_t base, bool timestamps)
{
	char name[96], text[2048];
	struct receiver receiver;
	uint32_t at;

	receiver_init(&receiver, timestamps);
	at = (uint32_t)snprintf(name, sizeof(name), "overlap/%s/%s",
				base == 1 ? "at-nxt" : "behind-hole", timestamps ? "ts" : "no-ts");
	for (uint32_t i = 0; i < n; i++)
		at += (uint32_t)snprintf(name + at, sizeof(name) - at, "/%u-%u",
					 intervals[i].start, intervals[i].end);
	snprintf(text, sizeof(text), "# RFC 2883 4: %s\nremote A ts=%s\nopen\n", name,
		 timestamps ? "on" : "off");
	for (uint32_t i = 0; i < n; i++)
		put_segment(&receiver, base + UNIT * intervals[i].start,
			    base + UNIT * intervals[i].end, text, sizeof(text));
	if (base != 1)
		put_segment(&receiver, 1, base, text, sizeof(text));
	put_segment(&receiver, 1, base + UNIT * POINTS, text, sizeof(text));
	taker->take(taker->user, name, text);
}

/* One of each kind: its end points are 0, 1, 2 and so on without a gap. */
static bool
is_canonical(const struct interval *intervals, uint32_t n)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < n; i++)
		used |= 1u << intervals[i].start | 1u << intervals[i].end;
	return (used & (used + 1)) == 0;
}

static uint32_t
choose(const struct family_taker *taker, struct interval *intervals, uint32_t i, uint32_t n)
{
	uint32_t found = 0;

	if (i == n) {
		if (!is_canonical(intervals, n))
			return 0;
		take_relation(taker, intervals, n, 1, true);
		take_relation(taker, intervals, n, 1 + UNIT, true);
		take_relation(taker, intervals, n, 1 + UNIT, false);
		return 1;
	}
	for (intervals[i].start = 0; intervals[i].start < 2 * n; intervals[i].start++)
		for (intervals[i].end = intervals[i].start + 1; intervals[i].end < 2 * n;
		     intervals[i].end++)
			found += choose(taker, intervals, i + 1, n);
	return found;
}

void
family_overlaps(const struct family_taker *taker)
{
	struct interval intervals[SEGMENTS_MAX];

	/* Allen 1983 for two; for three it is the number of consistent triples of relations. */
	if (choose(taker, intervals, 0, 2) != 13 || choose(taker, intervals, 0, 3) != 409)
		taker->take(taker->user, "overlap/count", "the relations are not complete");
}
