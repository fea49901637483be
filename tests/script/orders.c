/* SPDX-License-Identifier: BSD-3-Clause */
/* All 120 orders in which five segments can arrive, against a receiver that counts bytes. */
#include <stdio.h>
#include <string.h>

#include "tests/script/family.h"
#include "tests/script/receiver.h"

#define SEGMENTS 5
#define BYTES	 100

static uint32_t
start_of(uint32_t segment)
{
	return 1 + segment * BYTES;
}

static uint32_t
put_data_event(struct receiver *receiver, char *to, uint32_t size)
{
	int n = 0;

	if (receiver->delivered != 0)
		n = snprintf(to, size, "event data %u\n", receiver->delivered);
	receiver->delivered = 0;
	return (uint32_t)n;
}

static uint32_t
put_segment(uint32_t segment, char *to, uint32_t size)
{
	return (uint32_t)snprintf(to, size, "> . %u:%u ack 1\n", start_of(segment),
				  start_of(segment + 1));
}

static void
one_by_one(const uint32_t *order, struct receiver *receiver, char *to, uint32_t size)
{
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		uint32_t at = (uint32_t)strlen(to);

		put_segment(order[i], to + at, size - at);
		receiver_take(receiver, start_of(order[i]), start_of(order[i] + 1), to, size);
		at = (uint32_t)strlen(to);
		put_data_event(receiver, to + at, size - at);
	}
}

static void
at_once(const uint32_t *order, struct receiver *receiver, char *to, uint32_t size)
{
	uint32_t at = (uint32_t)strlen(to);

	for (uint32_t i = 0; i < SEGMENTS; i++)
		at += put_segment(order[i], to + at, size - at);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		receiver_take(receiver, start_of(order[i]), start_of(order[i] + 1), to, size);
	at = (uint32_t)strlen(to);
	put_data_event(receiver, to + at, size - at);
}

static void
take_order(const struct family_taker *taker, const uint32_t *order, bool burst, bool timestamps)
{
	char name[64], text[2048];
	struct receiver receiver;

	receiver_init(&receiver, timestamps);
	snprintf(name, sizeof(name), "order/%u%u%u%u%u/%s/%s", order[0], order[1], order[2],
		 order[3], order[4], burst ? "at-once" : "one-by-one", timestamps ? "ts" : "no-ts");
	snprintf(text, sizeof(text), "# RFC 2018 4: %s\nremote A ts=%s\nopen\n", name,
		 timestamps ? "on" : "off");
	if (burst)
		at_once(order, &receiver, text, sizeof(text));
	else
		one_by_one(order, &receiver, text, sizeof(text));
	taker->take(taker->user, name, text);
}

/* Every permutation of what is left, behind order[0 .. n). */
static void
permute(const struct family_taker *taker, uint32_t *order, uint32_t n, uint32_t used)
{
	if (n == SEGMENTS) {
		for (uint32_t how = 0; how < 4; how++)
			take_order(taker, order, how & 1, how & 2);
		return;
	}
	for (uint32_t i = 0; i < SEGMENTS; i++) {
		if (used >> i & 1)
			continue;
		order[n] = i;
		permute(taker, order, n + 1, used | 1u << i);
	}
}

void
family_orders(const struct family_taker *taker)
{
	uint32_t order[SEGMENTS];

	permute(taker, order, 0, 0);
}
