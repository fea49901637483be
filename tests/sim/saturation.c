/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive Aggregation at saturation: eight window-limited senders over the in-memory port against
 * the default configuration. They send when ACKs come, as TCP does, and as much as the advertised
 * window and the port's ring allow. Prints segments per aggregate; every byte is compared.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/engine_test.h"
#include "wire/bytes.h"
#include "wire/seq.h"

#define FLOWS	    8
#define POLL_NS	    20000
#define PATTERN	    65521 /* period of the content, a prime */
#define FRAMES_MAX  700	  /* of all senders in the port at once: below its capacity */
#define TOTAL_BYTES (ENGINE_TEST_SANITIZED ? 16ull << 20 : 128ull << 20)

struct sender {
	struct remote remote;
	uint32_t una, edge;
	uint64_t sent, total; /* bytes of the stream */
	uint64_t read;
	bool finished; /* FIN sent */
};

static struct sender senders[FLOWS];
static uint8_t pattern[PATTERN + ENGINE_TEST_MSS];
static uint32_t turn; /* who sends next when there is room again */

static void
fill_pattern(void)
{
	for (uint32_t i = 0; i < PATTERN; i++)
		pattern[i] = remote_byte(i);
	memcpy(pattern + PATTERN, pattern, ENGINE_TEST_MSS);
}

/* Every stream begins elsewhere in the pattern. */
static const uint8_t *
content(const struct sender *sender, uint64_t offset)
{
	return pattern + (offset + (uint64_t)(sender - senders) * 7919) % PATTERN;
}

/* Frames that the sender's pool has out: in the port, in queues or unread. */
static bool
port_has_room(void)
{
	return world.pool.size - weir_pool_available(&world.pool) < FRAMES_MAX;
}

static void
send_one(struct sender *sender, uint32_t len, uint8_t flags)
{
	struct frame_spec spec;

	remote_spec(&sender->remote, &spec, sender->remote.snd_nxt, flags | WEIR_TCP_ACK, NULL, 0);
	spec.payload = content(sender, sender->sent);
	spec.len = len;
	world_inject(&world, frame_build(&world.pool, &spec));
	sender->remote.snd_nxt += len + ((flags & WEIR_TCP_FIN) != 0);
	sender->sent += len;
}

/* As much as window and port allow. */
static void
send_more(struct sender *sender)
{
	sender->remote.tsval = 10000 + (uint32_t)(world.now_ns / 1000000);
	while (sender->sent < sender->total && port_has_room()) {
		uint64_t left = sender->total - sender->sent;
		uint32_t len = left < ENGINE_TEST_MSS ? (uint32_t)left : ENGINE_TEST_MSS;

		if (weir_seq_lt(sender->edge, sender->remote.snd_nxt + len))
			return;
		send_one(sender, len, 0);
	}
	if (sender->sent == sender->total && !sender->finished && port_has_room()) {
		send_one(sender, 0, WEIR_TCP_FIN);
		sender->finished = true;
	}
}

static void
take_ack(const struct reply *reply)
{
	struct sender *sender = &senders[reply->dport - 40000];
	uint32_t edge = reply->ack + ((uint32_t)reply->win << sender->remote.shift);

	ck_assert_uint_eq(reply->n_sacks, 0); /* nothing is lost here */
	if (weir_seq_lt(sender->una, reply->ack))
		sender->una = reply->ack;
	if (weir_seq_lt(sender->edge, edge))
		sender->edge = edge;
	sender->remote.ts_echo = reply->tsval;
	send_more(sender);
}

/* ACKs in order of arrival, then whoever was stopped by a full port, in turn. */
static void
step(void)
{
	world_forget(&world);
	world_poll(&world, POLL_NS);
	for (uint32_t i = 0; i < world.n_replies; i++)
		take_ack(&world.replies[i]);
	for (uint32_t i = 0; i < FLOWS; i++)
		send_more(&senders[(turn + i) % FLOWS]);
	turn++;
}

static void
compare(struct sender *sender)
{
	struct weir_span spans[64];
	int n;

	while ((n = weir_conn_lease(world.stack, sender->remote.conn, spans, 64)) > 0)
		for (int i = 0; i < n; i++) {
			if (memcmp(spans[i].data, content(sender, sender->read), spans[i].len) != 0)
				ck_abort_msg("content differs");
			sender->read += spans[i].len;
			if (spans[i].last)
				weir_lease_release(world.stack, &spans[i].lease, 1);
		}
}

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++) {
		if (events[i].type == WEIR_EVENT_DATA)
			compare(&senders[events[i].cookie]);
		else if (events[i].type == WEIR_EVENT_FIN)
			ck_assert_int_eq(weir_conn_close(stack, events[i].conn), 0);
	}
}

static void
open_senders(void)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct sender *sender = &senders[i];

		remote_init(&sender->remote, (uint16_t)(40000 + i));
		remote_open(&world, &sender->remote);
		ck_assert_int_eq(weir_conn_set_cookie(world.stack, sender->remote.conn, i), 0);
		sender->una = sender->remote.snd_nxt;
		sender->edge = sender->remote.edge;
		sender->total = TOTAL_BYTES / FLOWS;
	}
	weir_stack_set_handler(world.stack, on_events, NULL);
}

START_TEST(segments_per_aggregate_at_saturation)
{
	const struct weir_stats *stats;
	struct weir_config config;
	uint64_t polls = 0;
	double mean;

	weir_config_init(&config);
	config.mld = 0;
	config.heap = 1;
	config.seed = 1;
	config.now_ns = 1000000000;
	world_open(&world, &config, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
	fill_pattern();
	open_senders();
	while (stats_now()->bytes < TOTAL_BYTES && polls++ < TOTAL_BYTES / ENGINE_TEST_MSS)
		step();
	step();
	stats = stats_now();
	mean = (double)stats->aggregated_segs / (double)stats->aggregates;
	printf("segments per aggregate %.2f\n", mean);
	printf("%llu bytes, %llu segments, %llu polls, %llu ACKs in %llu trains, %llu alone\n",
	       (unsigned long long)stats->bytes, (unsigned long long)stats->data_segs,
	       (unsigned long long)polls, (unsigned long long)stats->acks_train,
	       (unsigned long long)stats->trains, (unsigned long long)stats->acks_single);
	for (uint32_t i = 0; i < FLOWS; i++)
		ck_assert_uint_eq(senders[i].read, TOTAL_BYTES / FLOWS);
	ck_assert_uint_eq(stats->packets_dropped, 0);
	ck_assert_msg(mean > 8, "%.2f segments per aggregate", mean);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, segments_per_aggregate_at_saturation);
}

UNIT_MAIN("saturation", add)
