/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What idle connections cost, and that nothing stays behind when they are over: 100,000 of them at
 * once over the in-memory port, measured as growth of the process, and 10,000 opened and closed in
 * a loop. The peer is a plain array filled beforehand, so that what grows is the stack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/engine_test.h"
#include "wire/bytes.h"

#define CONNECTIONS (ENGINE_TEST_SANITIZED ? 20000u : 100000u)
#define LOOPS	    (ENGINE_TEST_SANITIZED ? 2000u : 10000u)
#define BATCH	    32u
#define PORTS	    50000u /* of one address */
#define BYTES_MOST  512
#define POLL_NS	    10000

struct peer {
	weir_conn conn;
	uint32_t rcv_nxt;
	uint32_t snd_nxt;
	uint32_t ts_echo;
};

static struct peer *peers;
static uint64_t n_accepted, n_closed;
static bool closing_first; /* the application closes before the peer */

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++) {
		if (events[i].type == WEIR_EVENT_ACCEPTED) {
			weir_conn_set_cookie(stack, events[i].conn, n_accepted);
			peers[n_accepted++].conn = events[i].conn;
		} else if (events[i].type == WEIR_EVENT_DATA) {
			weir_conn_discard(stack, events[i].conn, UINT32_MAX);
		} else if (events[i].type == WEIR_EVENT_FIN) {
			weir_conn_close(stack, events[i].conn);
		} else {
			n_closed++;
		}
	}
}

static void
send_as(uint32_t i, uint32_t seq, uint8_t flags, const void *data, uint32_t len)
{
	static const uint8_t syn_options[] = {2, 4, 5, 0xb4, 4, 2, 3, 3, 7, 0, 0, 0};
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.src = FRAME_REMOTE_IP + i / PORTS;
	spec.sport = (uint16_t)(1024 + i % PORTS);
	spec.seq = seq;
	spec.ack = peers[i].rcv_nxt;
	spec.flags = flags;
	spec.has_ts = 1;
	spec.tsval = 5000 + (uint32_t)(world.now_ns / 1000000);
	spec.tsecr = peers[i].ts_echo;
	spec.payload = data;
	spec.len = len;
	if (flags & WEIR_TCP_SYN) {
		spec.tcp_options = syn_options;
		spec.tcp_options_len = sizeof(syn_options);
	}
	world_inject(&world, frame_build(&world.pool, &spec));
}

static uint32_t
peer_of(const struct reply *reply)
{
	return (reply->dst - FRAME_REMOTE_IP) * PORTS + reply->dport - 1024;
}

/* Poll, and let the peers see what came: SYN-ACK and FIN count. */
static void
poll_once(void)
{
	world_forget(&world);
	world_poll(&world, POLL_NS);
	for (uint32_t i = 0; i < world.n_replies; i++) {
		const struct reply *reply = &world.replies[i];
		struct peer *peer = &peers[peer_of(reply)];

		peer->ts_echo = reply->tsval;
		peer->rcv_nxt =
		    reply->seq + reply->len + ((reply->flags & (WEIR_TCP_SYN | WEIR_TCP_FIN)) != 0);
	}
}

static uint32_t
isn_of(uint32_t i)
{
	return i * 64000;
}

/* Connections [from, to), in order of acceptance. */
static void
open_batch(uint32_t from, uint32_t to)
{
	n_accepted = from;
	for (uint32_t i = from; i < to; i++) {
		peers[i] = (struct peer){.snd_nxt = isn_of(i) + 1};
		send_as(i, isn_of(i), WEIR_TCP_SYN, NULL, 0);
	}
	poll_once();
	ck_assert_uint_eq(world.n_replies, to - from);
	for (uint32_t i = from; i < to; i++)
		send_as(i, peers[i].snd_nxt, WEIR_TCP_ACK, NULL, 0);
	poll_once();
	ck_assert_uint_eq(n_accepted, to);
}

static void
exchange(uint32_t from, uint32_t to)
{
	static const uint8_t data[100];

	for (uint32_t i = from; i < to; i++) {
		send_as(i, peers[i].snd_nxt, WEIR_TCP_ACK | WEIR_TCP_PSH, data, sizeof(data));
		peers[i].snd_nxt += sizeof(data);
	}
	poll_once();
}

static void
close_batch(uint32_t from, uint32_t to)
{
	uint64_t closed = n_closed;

	if (closing_first) {
		for (uint32_t i = from; i < to; i++)
			ck_assert_int_eq(weir_conn_close(world.stack, peers[i].conn), 0);
		poll_once();
	}
	for (uint32_t i = from; i < to; i++)
		send_as(i, peers[i].snd_nxt++, WEIR_TCP_FIN | WEIR_TCP_ACK, NULL, 0);
	poll_once();
	if (!closing_first)
		for (uint32_t i = from; i < to; i++)
			send_as(i, peers[i].snd_nxt, WEIR_TCP_ACK, NULL, 0);
	poll_once();
	ck_assert_uint_eq(n_closed, closed + to - from);
}

static void
in_batches(void (*what)(uint32_t from, uint32_t to), uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i += BATCH)
		what(i, i + BATCH < to ? i + BATCH : to);
}

static uint64_t
resident_bytes(void)
{
	unsigned long size, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu %lu", &size, &resident), 2);
	fclose(file);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Buffers are memory of the stack, not of a connection: have them all there from the beginning. */
static void
touch_buffers(struct weir_pool *pool)
{
	struct rte_mbuf **bufs = calloc(pool->size, sizeof(*bufs));

	ck_assert_ptr_nonnull(bufs);
	ck_assert(weir_buf_alloc_bulk(pool, bufs, pool->size));
	for (uint32_t i = 0; i < pool->size; i++)
		memset(bufs[i]->buf_addr, 0, bufs[i]->buf_len);
	weir_buf_free_bulk(pool, bufs, pool->size);
	free(bufs);
}

static void
open_stack(uint32_t flows)
{
	struct weir_config config;

	weir_config_init(&config);
	config.mld = 0;
	config.flows = flows;
	config.heap = 1;
	config.seed = 1;
	config.now_ns = 1000000000;
	peers = malloc((CONNECTIONS + BATCH) * sizeof(*peers));
	ck_assert_ptr_nonnull(peers);
	memset(peers, 1, (CONNECTIONS + BATCH) * sizeof(*peers));
	world_open(&world, &config, 0, WEIR_ACK_TRAIN); /* tuned: the larger state */
	weir_stack_set_handler(world.stack, on_events, NULL);
	touch_buffers(&world.stack->pool);
	touch_buffers(&world.pool);
}

/* Everything that a connection may take is back. */
static void
check_empty(void)
{
	const struct weir_tcp *tcp = &world.engine->tcp;
	const struct weir_stats *stats = stats_now();

	ck_assert_uint_eq(stats->established, 0);
	ck_assert_uint_eq(stats->syn_received, 0);
	ck_assert_uint_eq(stats->time_wait, 0);
	ck_assert_uint_eq(stats->buffers_free, stats->buffers);
	ck_assert_uint_eq(stats->buffers_held, 0);
	ck_assert_uint_eq(stats->leases, 0);
	ck_assert_uint_eq(weir_pool_available(&world.pool), world.pool.size);
	ck_assert_uint_eq(tcp->flow_free.used, 0);
	ck_assert_uint_eq(tcp->syn_free.used, 0);
	ck_assert_uint_eq(tcp->time_wait_free.used, 0);
	ck_assert_uint_eq(world.stack->slots.used, 0);
	ck_assert_uint_eq(tcp->held.used, 0);
	ck_assert_uint_eq(tcp->queues.used, 0);
	ck_assert_uint_eq(tcp->held_bufs, 0);
}

START_TEST(bytes_per_idle_connection)
{
	uint64_t before, grown, state;

	open_stack(131072);
	/* warm up: code, pools and the peer's own memory */
	for (int i = 0; i < 4; i++) {
		open_batch(0, BATCH);
		exchange(0, BATCH);
		close_batch(0, BATCH);
	}
	check_empty();
	before = resident_bytes();
	in_batches(open_batch, 0, CONNECTIONS);
	in_batches(exchange, 0, CONNECTIONS);
	grown = (resident_bytes() - before) / CONNECTIONS;
	state = stats_now()->state_bytes_per_idle;
	ck_assert_uint_eq(stats_now()->established, CONNECTIONS);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX); /* truly idle */
	printf("bytes per idle connection %llu (state_bytes_per_idle %llu)\n",
	       (unsigned long long)grown, (unsigned long long)state);
	if (!ENGINE_TEST_SANITIZED)
		ck_assert_uint_le(grown, BYTES_MOST);
	ck_assert_uint_le(state, BYTES_MOST);
	ck_assert_uint_ge(grown * 5 / 4 + 16, state); /* the report does not flatter */
	in_batches(close_batch, 0, CONNECTIONS);
	check_empty();
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	world_close(&world);
	free(peers);
}
END_TEST

/* Every end there is in turn: the peer first, the application first, an abort. */
START_TEST(connections_in_a_loop)
{
	uint64_t before = 0;

	open_stack(1024);
	for (uint32_t i = 0; i < LOOPS; i += BATCH) {
		uint32_t how = i / BATCH % 3;

		open_batch(0, BATCH);
		exchange(0, BATCH);
		closing_first = how == 1;
		if (how < 2) {
			close_batch(0, BATCH);
		} else {
			for (uint32_t k = 0; k < BATCH; k++)
				weir_conn_abort(world.stack, peers[k].conn);
			poll_once();
		}
		world_poll(&world, 61000000000); /* TIME-WAIT is over */
		world_poll(&world, POLL_NS);
		if (i % (BATCH * 16) == 0)
			check_empty();
		if (i == LOOPS / 10 / BATCH * BATCH)
			before = resident_bytes();
	}
	check_empty();
	ck_assert_uint_ge(stats_now()->accepted, LOOPS);
	ck_assert_uint_eq(stats_now()->closed, stats_now()->accepted);
	printf("%llu connections opened and closed, %lld bytes resident more\n",
	       (unsigned long long)stats_now()->closed, (long long)(resident_bytes() - before));
	if (!ENGINE_TEST_SANITIZED)
		ck_assert_uint_lt(resident_bytes(), before + 262144);
	world_close(&world);
	free(peers);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, bytes_per_idle_connection);
	UNIT_CASE(s, connections_in_a_loop);
}

UNIT_MAIN("idle", add)
