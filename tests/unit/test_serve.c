/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "tests/unit/engine_test.h"
#include "wire/siphash.h"

/* ---- order of service ---- */

/* The connections, as letters, in the order in which their segments were acknowledged. Each of the
 * first segments of a connection is acknowledged at once, so this is the order of service. */
static const char *
order_served(void)
{
	static char text[WORLD_REPLIES + 1];

	for (uint32_t i = 0; i < world.n_replies; i++)
		text[i] = (char)('A' + world.replies[i].dport - 40000);
	text[world.n_replies] = '\0';
	return text;
}

static void
open_scheduled(uint32_t budget, uint32_t quantum, uint32_t limit)
{
	struct weir_config config;

	world_config(&config);
	config.budget_segs = budget;
	config.quantum_segs = quantum;
	config.aggregate_limit = limit;
	open_with(&config);
}

START_TEST(flows_take_turns_of_a_quantum)
{
	struct remote remotes[3];

	open_scheduled(256, 3, 20);
	open_remotes(remotes, 3);
	stream_segs(&remotes[1], 5);
	stream_segs(&remotes[0], 7);
	stream_segs(&remotes[2], 2);
	world_poll(&world, 1000);
	ck_assert_str_eq(order_served(), "BBBAAACCBBAAAA");
	world_close(&world);
}
END_TEST

START_TEST(a_budget_that_is_spent_goes_on_in_the_next_poll)
{
	struct remote remotes[3];

	open_scheduled(8, 3, 20);
	open_remotes(remotes, 3);
	for (int i = 0; i < 3; i++)
		stream_segs(&remotes[i], 6);
	world_poll(&world, 1000);
	ck_assert_str_eq(order_served(), "AAABBBCC");
	ck_assert_uint_eq(stats_now()->budget_exhausted, 1);
	ck_assert_uint_eq(stats_now()->packets_queued, 10);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), world.now_ns);
	world_forget(&world);
	world_poll(&world, 1000);
	ck_assert_str_eq(order_served(), "AAABBBCC");
	ck_assert_uint_eq(stats_now()->budget_exhausted, 2);
	world_forget(&world);
	world_poll(&world, 1000);
	ck_assert_str_eq(order_served(), "CC");
	ck_assert_uint_eq(stats_now()->budget_exhausted, 2);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_gt(weir_engine_deadline(world.engine), world.now_ns);
	world_close(&world);
}
END_TEST

/* One random load, served under an aggregation limit; what was served when. */
static void
serve_load(uint32_t limit, char *log, size_t size)
{
	struct remote remotes[6];
	uint64_t seed = 5;
	size_t at = 0;

	open_scheduled(17, 5, limit);
	open_remotes(remotes, 6);
	memset(log, 0, size);
	for (int i = 0; i < 30; i++) {
		for (uint32_t n = (uint32_t)(weir_seed_next(&seed) % 3); n != 0; n--)
			remote_stream(&world, &remotes[weir_seed_next(&seed) % 6],
				      weir_seed_next(&seed) % 4 == 0 ? WEIR_TCP_PSH : 0, 100);
		for (uint32_t r = 0; r < 6; r++)
			if (weir_seed_next(&seed) % 8 == 0)
				stream_segs(&remotes[r], (uint32_t)(weir_seed_next(&seed) % 9));
		world_forget(&world);
		world_poll(&world, 1000);
		at += (size_t)snprintf(log + at, size - at, "%s", order_served());
		for (uint32_t r = 0; r < 6; r++)
			at += (size_t)snprintf(log + at, size - at, " %llu",
					       (unsigned long long)info_of(remotes[r].conn).bytes);
		ck_assert_uint_lt(at, size - 256);
	}
	world_close(&world);
}

START_TEST(the_order_does_not_depend_on_the_aggregation_limit)
{
	static char one[8192], other[8192];

	serve_load(1, one, sizeof(one));
	ck_assert_ptr_nonnull(strchr(one, 'F'));
	ck_assert_uint_gt(strlen(one), 1000);
	for (uint32_t limit = 2; limit <= 64; limit += limit < 8 ? 1 : 28) {
		serve_load(limit, other, sizeof(other));
		ck_assert_str_eq(one, other);
	}
}
END_TEST

START_TEST(who_closes_is_served_before_who_is_ready)
{
	struct remote remotes[2];

	open_scheduled(256, 64, 20);
	open_remotes(remotes, 2);
	ck_assert_int_eq(weir_conn_close(world.stack, remotes[1].conn), 0);
	world_poll(&world, 1000);
	world_forget(&world);
	stream_segs(&remotes[0], 4);
	remotes[1].rcv_nxt++;
	remote_stream(&world, &remotes[1], WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	ck_assert_str_eq(order_served(), "BAAAA");
	world_close(&world);
}
END_TEST

/* A SYN behind a full budget of data is answered in its own poll. */
START_TEST(segments_without_a_flow_are_served_first)
{
	struct remote remote;
	struct frame_spec spec;

	open_scheduled(4, 4, 20);
	open_remotes(&remote, 1);
	stream_segs(&remote, 10);
	frame_spec_init(&spec);
	spec.sport = 40001;
	spec.flags = WEIR_TCP_SYN;
	world_inject(&world, frame_build(&world.pool, &spec));
	world_poll(&world, 1000);
	ck_assert_str_eq(order_served(), "BAAAA");
	world_close(&world);
}
END_TEST

/* ---- aggregates, flush now ---- */

START_TEST(a_poll_delivers_what_it_received)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	stream_segs(&remote, 45);
	world_poll(&world, 1000);
	ck_assert_uint_eq(aggregates_of(20), 2);
	ck_assert_uint_eq(aggregates_of(5), 1);
	ck_assert_uint_eq(closed_by(WEIR_CAUSE_LIMIT), 2);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_eq(world.n_events, 1);
	ck_assert_uint_eq(world.events[0].bytes, 45 * ENGINE_TEST_MSS);
	world_close(&world);
}
END_TEST

START_TEST(every_aggregate_is_counted_once_by_size)
{
	const struct weir_stats *stats;
	struct remote remotes[2];
	uint64_t segs = 0, n = 0;
	uint64_t seed = 3;

	open_default();
	open_remotes(remotes, 2);
	for (int i = 0; i < 40; i++) {
		for (uint32_t k = (uint32_t)(weir_seed_next(&seed) % 12); k != 0; k--)
			remote_stream(&world, &remotes[k % 2],
				      weir_seed_next(&seed) % 3 == 0 ? WEIR_TCP_PSH : 0,
				      (uint32_t)(weir_seed_next(&seed) % 200));
		world_poll(&world, 1000);
		world_forget(&world);
	}
	stats = stats_now();
	for (uint32_t i = 1; i < WEIR_STATS_SIZES; i++) {
		n += stats->aggregate_sizes[i];
		segs += i * stats->aggregate_sizes[i];
	}
	ck_assert_uint_eq(stats->aggregate_sizes[0], 0);
	ck_assert_uint_eq(n, stats->aggregates);
	ck_assert_uint_eq(segs, stats->aggregated_segs);
	/* all that did not go through the control queue: two handshakes of two segments */
	ck_assert_uint_eq(segs, stats->segs - 4);
	world_close(&world);
}
END_TEST

/* ---- early drops ---- */

START_TEST(pitfall_48_receive_queue_full)
{
	struct weir_config config;
	struct remote remotes[2];

	world_config(&config);
	config.rx_queue_segs = 5;
	config.budget_segs = 64;
	open_with(&config);
	open_remotes(remotes, 2);
	stream_segs(&remotes[0], 8);
	stream_segs(&remotes[1], 5);
	world_poll(&world, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_QUEUE_FULL), 3);
	ck_assert_uint_eq(stats_now()->packets_dropped, 3);
	ck_assert_uint_eq(info_of(remotes[0].conn).unread_bytes, 5 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(info_of(remotes[1].conn).unread_bytes, 5 * ENGINE_TEST_MSS);
	/* the sender tries again from where the ACKs stopped */
	for (uint32_t i = 5; i < 8; i++)
		remote_send(&world, &remotes[0],
			    remotes[0].iss + 1 + ENGINE_TEST_FIRST + i * ENGINE_TEST_MSS, 0,
			    ENGINE_TEST_MSS);
	world_poll(&world, 50000000);
	ck_assert_uint_eq(world_last(&world)->ack, remotes[0].snd_nxt);
	world_close(&world);
}
END_TEST

/* From the full queue on until it is empty; then whatever else stands, here first a hole. */
START_TEST(the_engine_limits_until_the_queue_is_empty)
{
	struct weir_config config;
	struct remote remote;
	uint32_t first;

	world_config(&config);
	config.rx_queue_segs = 4;
	config.budget_segs = 2;
	open_with(&config);
	open_remotes(&remote, 1);
	world.now_ns += SCENE_MS - world.now_ns % SCENE_MS;
	first = remote.snd_nxt;
	for (uint32_t i = 0; i < 6; i++)
		remote_send(&world, &remote, first + i * 100, 0, 100);
	world_poll(&world, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_QUEUE_FULL), 2);
	world_poll(&world, 30 * SCENE_MS);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	world_poll(&world, 7 * SCENE_MS); /* the sender's */
	for (uint32_t i = 0; i < 6; i++)
		remote_send(&world, &remote, first + 500 + i * 100, 0, 100);
	world_poll(&world, 0);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[3], 30);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[4], 0);
	/* beside the hole the queue is full again: LOSS began last, and stands */
	world_poll(&world, 20 * SCENE_MS);
	world_poll(&world, 4 * SCENE_MS);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[3], 30);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[4], 24);
	/* and a queue that is full while there is a hole gives way to the hole */
	for (uint32_t i = 0; i < 6; i++)
		remote_send(&world, &remote, first + 900 + i * 100, 0, 100);
	world_poll(&world, 0);
	world_poll(&world, 3 * SCENE_MS);
	world_poll(&world, 2 * SCENE_MS);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[3], 33);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[4], 26);
	remote_send(&world, &remote, first + 400, 0, 100);
	world_poll(&world, 0);
	world_poll(&world, 11 * SCENE_MS);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[4], 26);
	world_close(&world);
}
END_TEST

static void
open_small(struct remote *remotes, uint32_t n)
{
	struct weir_config config;

	world_config(&config);
	config.flows = 256;
	config.buffers = 64;
	config.budget_segs = 1;
	config.quantum_segs = 1;
	open_with(&config);
	for (uint32_t i = 0; i < n; i++) {
		remote_init(&remotes[i], (uint16_t)(40000 + i));
		remote_open(&world, &remotes[i]);
	}
	world_forget(&world);
}

START_TEST(pitfall_48_queue_pool_empty)
{
	struct remote remotes[80];

	open_small(remotes, 80);
	for (int i = 0; i < 80; i++) /* pure ACKs: memory is no concern */
		remote_stream(&world, &remotes[i], 0, 0);
	world_poll(&world, 1000); /* takes 64, serves one */
	ck_assert_uint_eq(stats_now()->packets_queued, 63);
	world_poll(&world, 1000); /* 16 more, and two free queues when another one was served */
	ck_assert_uint_eq(drops_of(WEIR_DROP_QUEUE_POOL_EMPTY), 14);
	for (int i = 0; i < 100; i++)
		world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_eq(world.engine->tcp.queues.used, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_QUEUE_POOL_EMPTY), 14);
	ck_assert_uint_eq(stats_now()->packets_dropped, 14);
	world_close(&world);
}
END_TEST

/* Data beyond the hard mark is not even queued; control still is. */
START_TEST(data_is_not_queued_beyond_the_memory_there_is)
{
	struct remote remotes[2];
	uint32_t hard;

	open_small(remotes, 2);
	hard = world.engine->hard_bufs;
	ck_assert_uint_lt(hard, 64);
	for (int i = 0; i < 62; i++)
		remote_stream(&world, &remotes[i % 2], 0, 10);
	remote_stream(&world, &remotes[0], WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_NO_MEMORY), 62 - hard);
	ck_assert_uint_eq(stats_now()->packets_dropped, 62 - hard);
	ck_assert_uint_eq(stats_now()->packets_queued, hard + 1 - 1);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, flows_take_turns_of_a_quantum);
	UNIT_CASE(s, a_budget_that_is_spent_goes_on_in_the_next_poll);
	UNIT_CASE(s, the_order_does_not_depend_on_the_aggregation_limit);
	UNIT_CASE(s, who_closes_is_served_before_who_is_ready);
	UNIT_CASE(s, segments_without_a_flow_are_served_first);
	UNIT_CASE(s, a_poll_delivers_what_it_received);
	UNIT_CASE(s, every_aggregate_is_counted_once_by_size);
	UNIT_CASE(s, pitfall_48_receive_queue_full);
	UNIT_CASE(s, the_engine_limits_until_the_queue_is_empty);
	UNIT_CASE(s, pitfall_48_queue_pool_empty);
	UNIT_CASE(s, data_is_not_queued_beyond_the_memory_there_is);
}

UNIT_MAIN("serve", add)
