/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_test.h"
#include "wire/siphash.h"

/* The port that the engine sends through, with a bound on what it takes. */
static uint16_t (*true_tx)(void *, struct rte_mbuf **, uint16_t, uint64_t);
static uint32_t most_per_call, most_per_poll, taken, calls;

static uint16_t
slow_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	uint32_t left = most_per_poll - taken;

	calls++;
	if (n > most_per_call)
		n = (uint16_t)most_per_call;
	if (n > left)
		n = (uint16_t)left;
	n = n == 0 ? 0 : true_tx(ctx, bufs, n, now_ns);
	taken += n;
	return n;
}

static void
slow_down(uint32_t per_call, uint32_t per_poll)
{
	if (true_tx == NULL) {
		true_tx = world.near->tx_burst;
		world.near->tx_burst = slow_tx;
	}
	most_per_call = per_call;
	most_per_poll = per_poll;
	taken = calls = 0;
}

/* Every segment in a frame of its own, each acknowledged at once. */
static void
stream_acked(struct remote *remote, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		remote_stream(&world, remote, WEIR_TCP_PSH, 100);
}

static void
check_rising(uint32_t first_ack, uint32_t n, uint32_t step)
{
	ck_assert_uint_eq(world.n_replies, n);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_uint_eq(world.replies[i].ack, first_ack + (i + 1) * step);
}

START_TEST(pitfall_49_what_a_port_leaves_is_offered_again)
{
	struct remote remote;
	uint32_t start;

	open_default();
	open_remotes(&remote, 1);
	start = remote.snd_nxt;
	for (uint32_t per_poll = 1; per_poll <= 3; per_poll++) {
		slow_down(64, per_poll);
		if (per_poll == 1)
			stream_acked(&remote, 10);
		world_poll(&world, 1000);
		ck_assert_uint_eq(taken, per_poll);
		ck_assert_uint_eq(weir_engine_deadline(world.engine), world.now_ns);
	}
	ck_assert_uint_eq(stats_now()->ports[0].tx_packets, world.n_replies + 2); /* SYN-ACK, ACK */
	slow_down(64, 1000);
	ck_assert_uint_eq(world_poll(&world, 1000), 4);
	check_rising(start, 10, 100);
	ck_assert_uint_eq(weir_engine_deadline(world.engine) > world.now_ns, 1);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_FULL), 0);
	world_close(&world);
}
END_TEST

/* A port that ends a burst early is not asked again in the same poll: it is full. */
START_TEST(pitfall_49_a_short_burst_ends_the_poll)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	slow_down(4, 1000);
	stream_acked(&remote, 10);
	ck_assert_uint_eq(world_poll(&world, 1000), 4);
	ck_assert_uint_eq(calls, 1);
	ck_assert_uint_eq(world_poll(&world, 1000), 4);
	ck_assert_uint_eq(world_poll(&world, 1000), 2);
	world_close(&world);
}
END_TEST

/* Nothing is offered when there is nothing. */
START_TEST(an_idle_poll_does_not_call_the_port)
{
	open_default();
	slow_down(64, 64);
	world_poll(&world, 1000);
	ck_assert_uint_eq(calls, 0);
	world_close(&world);
}
END_TEST

/* Behind a port that stands still frames are kept up to a bound, in order, the rest has a name. */
static void
stand_still(struct remote *remote, uint32_t n)
{
	slow_down(64, 0);
	for (uint32_t i = 0; i < n; i += 50) {
		for (uint32_t k = 0; k < 50; k++) /* each out of order: an ACK of its own */
			remote_send(&world, remote, remote->snd_nxt + 10 + 2 * (i + k), 0, 1);
		world_poll(&world, 1000);
	}
}

START_TEST(pitfall_48_transmit_list_full)
{
	struct remote remote;
	uint64_t bytes;

	open_default();
	open_remotes(&remote, 1);
	stand_still(&remote, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_FULL), 0);
	ck_assert_uint_eq(world.n_replies, 0);
	stand_still(&remote, 200);
	ck_assert_uint_eq(stats_now()->dup_acks, 1200);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_FULL), 1200 - WEIR_TX_FRAMES);
	ck_assert_uint_eq(world.engine->ports[0].n_tx, WEIR_TX_FRAMES);
	/* what was kept goes out, and then the next */
	slow_down(2048, 2048);
	ck_assert_uint_eq(world_poll(&world, 1000), WEIR_TX_FRAMES);
	bytes = stats_now()->ports[0].tx_packets;
	remote_stream(&world, &remote, WEIR_TCP_PSH, 10);
	world_poll(&world, 1000);
	ck_assert_uint_ge(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(stats_now()->ports[0].tx_packets, bytes + 1);
	ck_assert_uint_eq(stats_now()->buffers_free, stats_now()->buffers);
	world_close(&world);
}
END_TEST

/* A train that meets a full list: its members are counted one by one. */
START_TEST(pitfall_48_trains_are_counted_by_their_acks)
{
	struct remote remote;
	uint64_t acks, sent;

	open_default();
	open_remotes(&remote, 1);
	sent = stats_now()->acks_train + stats_now()->acks_single;
	slow_down(64, 0);
	for (uint32_t i = 0; i < 60; i++) { /* two segments an ACK: over 1,024 of them */
		stream_segs(&remote, 50);
		world_poll(&world, 1000);
		weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	}
	acks = stats_now()->acks_train + stats_now()->acks_single - sent;
	ck_assert_uint_gt(acks, WEIR_TX_FRAMES + 100);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_FULL), acks - WEIR_TX_FRAMES);
	slow_down(2048, 2048);
	ck_assert_uint_eq(world_poll(&world, 1000), WEIR_TX_FRAMES);
	for (uint32_t i = 1; i < world.n_replies; i++) /* still in order */
		ck_assert_int_gt((int32_t)(world.replies[i].ack - world.replies[i - 1].ack), 0);
	world_close(&world);
}
END_TEST

/* PITFALLS 50: a stack that ends while frames wait gives them back. */
START_TEST(pitfall_50_waiting_frames_come_home)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	slow_down(64, 0);
	stream_acked(&remote, 30);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.engine->ports[0].n_tx, 15 + 7);
	world_close(&world); /* asserts it */
}
END_TEST

/* No buffer for an ACK: counted, and the next one says it all. */
START_TEST(pitfall_47_no_buffer_to_send)
{
	struct remote remote;
	struct weir_pool *pool;
	uint64_t sent, lost;

	open_default();
	open_remotes(&remote, 1);
	pool = &world.stack->pool;
	for (uint32_t every = 1; every <= 4; every++) {
		sent = stats_now()->acks_train + stats_now()->acks_single;
		lost = drops_of(WEIR_DROP_TX_NO_BUFFER);
		pool->fail_every = every;
		for (int i = 0; i < 20; i++) {
			remote_stream(&world, &remote, 0, 100);
			remote_send(&world, &remote, remote.snd_nxt + 1000, 0, 10);
			remote_stream(&world, &remote, 0, 1010);
			world_poll(&world, 1000);
			weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
		}
		pool->fail_every = 0;
		sent = stats_now()->acks_train + stats_now()->acks_single - sent;
		ck_assert_uint_ge(sent, 40);
		lost = drops_of(WEIR_DROP_TX_NO_BUFFER) - lost;
		ck_assert_uint_gt(lost, sent / 8);
		ck_assert_uint_eq(world.n_replies, sent - lost);
		if (every == 1)
			ck_assert_uint_eq(lost, sent);
		remote_stream(&world, &remote, 0, 100);
		remote_stream(&world, &remote, 0, 100);
		world_poll(&world, 50000000);
		world_poll(&world, 50000000);
		ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
		world_forget(&world);
	}
	ck_assert_uint_eq(stats_now()->packets_dropped, drops_of(WEIR_DROP_TCP_OLD));
	weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	world_close(&world);
}
END_TEST

/* More output in one poll than the gather holds: all of it leaves, in order. */
START_TEST(a_full_gather_is_sent_and_goes_on)
{
	struct remote remotes[4];
	struct weir_config config;
	uint32_t sent = 0;

	world_config(&config);
	config.budget_segs = 4096;
	config.quantum_segs = 4096;
	config.rx_queue_segs = 1024;
	open_with(&config);
	open_remotes(remotes, 4);
	world.engine->budget_segs = 0; /* let the queues fill first */
	for (int r = 0; r < 4; r++)
		for (uint32_t i = 0; i < 500; i++) {
			remote_send(&world, &remotes[r], remotes[r].snd_nxt + 10 + 2 * i, 0, 1);
			if (i % 50 == 49)
				world_poll(&world, 1000);
		}
	ck_assert_uint_eq(stats_now()->packets_queued, 2000);
	world.engine->budget_segs = 4096;
	slow_down(64, 100000);
	for (int i = 0; i < 100; i++)
		sent += world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->dup_acks, 2000);
	ck_assert_uint_eq(sent + drops_of(WEIR_DROP_TX_FULL), 2000);
	for (uint32_t i = 1; i < sent; i++)
		ck_assert_uint_ge(world.replies[i].dport, world.replies[i - 1].dport);
	for (int r = 0; r < 4; r++)
		weir_conn_abort(world.stack, remotes[r].conn);
	world_poll(&world, 1000);
	world_close(&world);
}
END_TEST

/* Random acceptance: nothing is lost, doubled or overtaken. */
START_TEST(pitfall_49_any_acceptance_keeps_the_order)
{
	struct remote remote;
	uint64_t seed = 11;
	uint32_t start;

	open_default();
	open_remotes(&remote, 1);
	start = remote.snd_nxt;
	for (int i = 0; i < 200; i++) {
		slow_down((uint32_t)(weir_seed_next(&seed) % 5),
			  (uint32_t)(weir_seed_next(&seed) % 20));
		stream_acked(&remote, (uint32_t)(weir_seed_next(&seed) % 4));
		world_poll(&world, 1000);
		weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	}
	slow_down(2048, 2048);
	world_poll(&world, 50000000);
	world_poll(&world, 50000000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_FULL), 0);
	ck_assert_uint_eq(world.replies[0].ack, start + 100);
	for (uint32_t i = 1; i < world.n_replies; i++)
		ck_assert_int_gt((int32_t)(world.replies[i].ack - world.replies[i - 1].ack), 0);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_49_what_a_port_leaves_is_offered_again);
	UNIT_CASE(s, pitfall_49_a_short_burst_ends_the_poll);
	UNIT_CASE(s, an_idle_poll_does_not_call_the_port);
	UNIT_CASE(s, pitfall_48_transmit_list_full);
	UNIT_CASE(s, pitfall_48_trains_are_counted_by_their_acks);
	UNIT_CASE(s, pitfall_50_waiting_frames_come_home);
	UNIT_CASE(s, pitfall_47_no_buffer_to_send);
	UNIT_CASE(s, a_full_gather_is_sent_and_goes_on);
	UNIT_CASE(s, pitfall_49_any_acceptance_keeps_the_order);
}

UNIT_MAIN("transmit", add)
