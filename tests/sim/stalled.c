/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections whose application never reads, beside some that are read at once: the live ones must
 * keep their throughput. All senders are window-limited and send when ACKs come; what is lost is
 * sent again from the last ACK after some polls without progress.
 *   WEIR_STALLED=N  how many never read (500; 50 under sanitizers)   WEIR_LIVE=N  how many do (8)
 *   WEIR_BUFFERS=N  packet buffers (4096)   WEIR_ORDER=N  seed of the order in which they send (1)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/engine_test.h"
#include "wire/seq.h"
#include "wire/siphash.h"

#define POLL_NS	   20000
#define PORTS	   50000u
#define PATIENCE   500 /* polls without progress before a sender goes back */
#define FRAMES_MAX 700 /* in the port at once */
#define MEASURE	   (ENGINE_TEST_SANITIZED ? 500u : 2000u)

struct sender {
	struct remote remote;
	uint32_t una, edge;
	uint32_t patience;
};

static struct sender *senders;
static uint32_t n_live, n_senders;
static uint64_t order;
static uint64_t live_bytes;
static uint32_t in_port;
static bool quiet;
static struct weir_pool frames; /* what stalled readers hold lies here */

static uint32_t
setting(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

static void
send_more(struct sender *sender)
{
	static const uint8_t data[ENGINE_TEST_MSS];
	struct frame_spec spec;

	while (!quiet && in_port < FRAMES_MAX &&
	       weir_seq_leq(sender->remote.snd_nxt + ENGINE_TEST_MSS, sender->edge)) {
		remote_spec(&sender->remote, &spec, sender->remote.snd_nxt, WEIR_TCP_ACK, NULL, 0);
		spec.payload = data;
		spec.len = ENGINE_TEST_MSS;
		world_inject(&world, frame_build(&frames, &spec));
		sender->remote.snd_nxt += ENGINE_TEST_MSS;
		in_port++;
	}
}

static void
take_ack(const struct reply *reply)
{
	uint32_t i = (reply->dst - FRAME_REMOTE_IP) * PORTS + reply->dport - 1024;
	struct sender *sender = &senders[i];
	uint32_t edge = reply->ack + ((uint32_t)reply->win << sender->remote.shift);

	ck_assert_uint_eq(reply->flags & WEIR_TCP_RST, 0);
	if (weir_seq_lt(sender->una, reply->ack)) {
		sender->una = reply->ack;
		sender->patience = PATIENCE;
		if (weir_seq_lt(sender->remote.snd_nxt, sender->una))
			sender->remote.snd_nxt = sender->una;
	}
	if (weir_seq_lt(sender->edge, edge))
		sender->edge = edge;
	send_more(sender);
}

/* A sender that waits for an ACK in vain starts again behind the last. */
static void
lose_patience(struct sender *sender)
{
	if (sender->una == sender->remote.snd_nxt || sender->patience-- != 0)
		return;
	sender->remote.snd_nxt = sender->una;
	sender->patience = PATIENCE;
}

static void
step(void)
{
	uint64_t before = world.engine->tcp.stats.packets_received;
	uint32_t first;

	world_forget(&world);
	world_poll(&world, POLL_NS);
	in_port -= (uint32_t)(world.engine->tcp.stats.packets_received - before);
	for (uint32_t i = 0; i < world.n_replies; i++)
		take_ack(&world.replies[i]);
	first = n_senders == 0 ? 0 : (uint32_t)(weir_seed_next(&order) % n_senders);
	for (uint32_t i = 0; i < n_senders; i++) {
		struct sender *sender = &senders[(first + i) % n_senders];

		lose_patience(sender);
		send_more(sender);
	}
}

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++)
		if (events[i].type == WEIR_EVENT_DATA && events[i].cookie == 1)
			live_bytes += (uint64_t)weir_conn_discard(stack, events[i].conn, UINT32_MAX);
}

static uint64_t
measure(uint32_t polls)
{
	uint64_t before = live_bytes;

	for (uint32_t i = 0; i < polls; i++)
		step();
	return live_bytes - before;
}

/* Nothing else happens meanwhile: remote_open() asserts on every packet. */
static void
open_senders(uint32_t from, uint32_t to, bool live)
{
	struct sender *sender;

	weir_stack_set_handler(world.stack, NULL, NULL);
	for (uint32_t i = from; i < to; i++) {
		struct remote *remote = &senders[i].remote;
		struct frame_spec spec;

		remote_init(remote, (uint16_t)(1024 + i % PORTS));
		remote->ip += i / PORTS;
		remote_spec(remote, &spec, remote->iss, WEIR_TCP_SYN, NULL, 0);
		spec.tcp_options = (const uint8_t[]){3, 3, 7, 4, 2, 0, 0, 0};
		spec.tcp_options_len = 8;
		world_forget(&world);
		world_inject(&world, frame_build(&world.pool, &spec));
		while (world_poll(&world, 1000) == 0 || world_last(&world)->dport != remote->port)
			;
		sender = &senders[i];
		remote->shift = (uint8_t)world_last(&world)->wscale;
		remote->rcv_nxt = world_last(&world)->seq + 1;
		remote->ts_echo = world_last(&world)->tsval;
		remote->snd_nxt = sender->una = remote->iss + 1;
		sender->edge = world_last(&world)->ack + world_last(&world)->win;
		sender->patience = PATIENCE;
		remote_send(&world, remote, remote->snd_nxt, 0, 0);
		world_poll(&world, 1000);
	}
	for (uint32_t i = 0; live && i < world.engine->tcp.flow_free.touched; i++)
		weir_conn_set_cookie(world.stack, world.engine->tcp.flows[i].conn, 1);
	weir_stack_set_handler(world.stack, on_events, NULL);
	n_senders = to;
}

START_TEST(pitfall_54_readers_beside_those_who_never_read)
{
	uint32_t stalled = setting("WEIR_STALLED", ENGINE_TEST_SANITIZED ? 50 : 500);
	struct weir_config config;
	uint64_t alone, beside;

	world_config(&config);
	n_live = setting("WEIR_LIVE", 8);
	order = setting("WEIR_ORDER", 1);
	config.flows = config.syn_entries = n_live + stalled;
	config.buffers = setting("WEIR_BUFFERS", 4096);
	senders = calloc(n_live + stalled, sizeof(*senders));
	ck_assert_ptr_nonnull(senders);
	ck_assert_int_eq(weir_pool_open_heap(&frames, config.buffers + 2048, 2176), 0);
	world_open(&world, &config, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
	open_senders(0, n_live, true);
	measure(MEASURE / 4);
	alone = measure(MEASURE);
	quiet = true; /* let the port run dry: the handshakes want it for themselves */
	while (in_port != 0)
		step();
	open_senders(n_live, n_live + stalled, false);
	quiet = false;
	measure(MEASURE + 10 * stalled);
	beside = measure(MEASURE);
	printf("%u live connections beside %u stalled ones: %.1f %% of their throughput alone; "
	       "pressure %u, %u of %u buffers held\n",
	       n_live, stalled, 100.0 * (double)beside / (double)alone,
	       (unsigned)stats_now()->pressure, (unsigned)stats_now()->buffers_held,
	       config.buffers);
	ck_assert_uint_gt(alone, 0);
	ck_assert_uint_ge(beside * 10, alone * 9);
	for (uint32_t i = 0; i < world.engine->tcp.flow_free.touched; i++)
		weir_conn_abort(world.stack, world.engine->tcp.flows[i].conn);
	world_forget(&world);
	for (int i = 0; i < 100; i++) {
		weir_engine_poll(world.engine, world.now_ns);
		world.n_replies = 0;
		world_poll(&world, POLL_NS);
	}
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
	ck_assert_uint_eq(weir_pool_close(&frames), 0);
	free(senders);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_54_readers_beside_those_who_never_read);
}

UNIT_MAIN("stalled", add)
