/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/script/receiver.h"

#include <stdio.h>
#include <string.h>

struct block {
	uint32_t start, end;
};

void
receiver_init(struct receiver *receiver, bool timestamps)
{
	memset(receiver, 0, sizeof(*receiver));
	receiver->nxt = 1;
	receiver->most = timestamps ? 3 : 4;
}

/* The first run of bytes in [start, end) that were received before; empty when there is none. */
static struct block
first_duplicate(const struct receiver *receiver, uint32_t start, uint32_t end)
{
	struct block run = {start, start};

	while (run.start < end && !receiver->has[run.start])
		run.start++;
	run.end = run.start;
	while (run.end < end && receiver->has[run.end])
		run.end++;
	return run;
}

/* The block that byte `at` is in. */
static struct block
block_of(const struct receiver *receiver, uint32_t at)
{
	struct block block = {at, at};

	while (receiver->has[block.start - 1])
		block.start--;
	while (receiver->has[block.end])
		block.end++;
	return block;
}

static void
add_block(struct block *blocks, uint32_t *n, uint32_t from, uint32_t most, struct block block)
{
	for (uint32_t i = from; i < *n; i++)
		if (blocks[i].start == block.start)
			return;
	if (*n < most)
		blocks[(*n)++] = block;
}

static uint32_t
list_blocks(const struct receiver *receiver, struct block duplicate, struct block *blocks)
{
	bool is_dup = duplicate.start != duplicate.end;
	uint32_t n = 0;

	if (is_dup) {
		blocks[n++] = duplicate;
		if (duplicate.start > receiver->nxt)
			add_block(blocks, &n, 1, receiver->most, block_of(receiver, duplicate.start));
	}
	for (uint32_t i = 0; i < receiver->n_history; i++)
		if (receiver->history[i] > receiver->nxt)
			add_block(blocks, &n, is_dup, receiver->most,
				  block_of(receiver, receiver->history[i]));
	for (uint32_t at = receiver->nxt + 1; at < RECEIVER_BYTES; at++) /* and whatever fits */
		if (receiver->has[at])
			add_block(blocks, &n, is_dup, receiver->most, block_of(receiver, at));
	return n;
}

static void
remember(struct receiver *receiver, uint32_t at)
{
	if (receiver->n_history < RECEIVER_HISTORY)
		receiver->n_history++;
	memmove(&receiver->history[1], &receiver->history[0],
		(receiver->n_history - 1) * sizeof(receiver->history[0]));
	receiver->history[0] = at;
}

void
receiver_take(struct receiver *receiver, uint32_t start, uint32_t end, char *to, uint32_t size)
{
	struct block duplicate = first_duplicate(receiver, start, end), blocks[4];
	uint32_t n, at = (uint32_t)strlen(to), was = receiver->nxt;

	for (uint32_t i = start; i < end; i++)
		receiver->has[i] = true;
	while (receiver->has[receiver->nxt])
		receiver->nxt++;
	receiver->delivered += receiver->nxt - was;
	remember(receiver, start);
	n = list_blocks(receiver, duplicate, blocks);
	at += (uint32_t)snprintf(to + at, size - at, "< . 1 ack %u", receiver->nxt);
	for (uint32_t i = 0; i < n; i++)
		at += (uint32_t)snprintf(to + at, size - at, "%s %u:%u", i == 0 ? " <sack" : "",
					 blocks[i].start, blocks[i].end);
	snprintf(to + at, size - at, "%s\n", n != 0 ? ">" : "");
}
