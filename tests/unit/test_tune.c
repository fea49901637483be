/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"

#define FIRST (64u << 10)
#define MOST  (4u << 20)
#define KIB   1024u

/* ---- rounds: a flow without timestamps, the round trip known from the handshake ---- */

static struct weir_tcp tcp;
static struct weir_flow flow;
static struct weir_tune tune;
static const struct weir_seg plain;

static void
begin(uint32_t handshake_ms)
{
	memset(&tcp, 0, sizeof(tcp));
	memset(&flow, 0, sizeof(flow));
	memset(&tune, 0x55, sizeof(tune));
	tcp.listeners[0].receive_buffer = FIRST;
	tcp.listeners[0].receive_buffer_max = MOST;
	tcp.tunes = &tune;
	tcp.budget_bufs = 1 << 16;
	tcp.now_ms = UINT32_MAX - 40; /* the time wraps, and so does the stream */
	flow.opts = WEIR_FLOW_WS;
	flow.limit = FIRST;
	flow.delivered = UINT32_MAX - 100 * KIB;
	flow.rcv_adv = 20000;
	weir_tune_open(&tcp, &flow, handshake_ms);
}

/* `ms` later `bytes` more have been read, and the next segment comes. */
static void
arrival(uint32_t ms, uint32_t bytes)
{
	tcp.now_ms += ms;
	flow.delivered += bytes;
	weir_tune_arrival(&tcp, &flow, &plain);
}

START_TEST(twice_what_a_round_trip_brought)
{
	begin(10);
	arrival(9, 100 * KIB);
	ck_assert_uint_eq(flow.limit, FIRST);
	arrival(1, 0);
	ck_assert_uint_eq(flow.limit, 2 * (100 + 2 * 36) * KIB); /* and it grew by 36 KiB */
	arrival(10, 172 * KIB);
	ck_assert_uint_eq(flow.limit, 2 * (172 + 2 * 72) * KIB);
	arrival(10, 400 * KIB);
	ck_assert_uint_eq(flow.limit, 2 * (400 + 2 * 200) * KIB); /* doubling at most */
	arrival(10, 400 * KIB);
	arrival(10, 380 * KIB);
	ck_assert_uint_eq(flow.limit, 1600 * KIB); /* enough */
	ck_assert_uint_eq(tcp.stats.receive_buffers_raised, 3);
	ck_assert_uint_eq(tcp.stats.receive_buffer_max_bytes, 1600 * KIB);
	ck_assert_uint_eq(tcp.stats.receive_buffers_lowered + tcp.stats.receive_buffers_refused, 0);
}
END_TEST

START_TEST(slow_readers_keep_what_they_have)
{
	begin(50);
	for (uint32_t i = 0; i < 100; i++)
		arrival(50, FIRST / 2);
	ck_assert_uint_eq(flow.limit, FIRST);
	ck_assert_uint_eq(tcp.stats.receive_buffers_raised, 0);
	ck_assert_uint_eq(tcp.stats.receive_buffer_max_bytes, FIRST);
	arrival(50, FIRST / 2 + 1);
	ck_assert_uint_gt(flow.limit, FIRST);
}
END_TEST

/* What nobody has read is not counted, and who leaves half of it unread gets no more. */
START_TEST(only_what_was_taken_counts)
{
	begin(10);
	flow.unread_bytes = 31 * KIB;
	arrival(10, 63 * KIB);
	ck_assert_uint_eq(flow.limit, FIRST);
	flow.unread_bytes = 32 * KIB;
	arrival(10, 64 * KIB);
	ck_assert_uint_eq(flow.limit, FIRST);
	flow.unread_bytes = 31 * KIB;
	arrival(10, 64 * KIB);
	ck_assert_uint_gt(flow.limit, FIRST);
}
END_TEST

/* A round goes on until something is back that was taken after it began. */
START_TEST(leases_are_a_part_of_the_way)
{
	begin(0);
	flow.leased_bytes = 60 * KIB;
	arrival(1, 61 * KIB); /* ends the first one, 1 KiB is back */
	ck_assert_uint_eq(flow.limit, 2 * 61 * KIB);
	for (uint32_t i = 0; i < 30; i++) {
		flow.leased_bytes -= 2 * KIB;
		arrival(1, 0);
	}
	flow.leased_bytes = 100 * KIB;
	arrival(1, 100 * KIB);
	ck_assert_uint_eq(flow.limit, 2 * 61 * KIB); /* nothing of these is back */
	flow.leased_bytes = 99 * KIB;
	arrival(1, 0);
	ck_assert_uint_eq(flow.limit, 2 * (100 + 2 * 39) * KIB);
}
END_TEST

START_TEST(rounds_that_took_far_longer_ask_for_nothing)
{
	begin(10);
	arrival(111, 300 * KIB);
	ck_assert_uint_eq(flow.limit, FIRST);
	arrival(110, 300 * KIB);
	ck_assert_uint_eq(flow.limit, 600 * KIB);
}
END_TEST

START_TEST(never_more_than_wanted_or_expressed)
{
	begin(10);
	for (uint32_t i = 0; i < 20; i++)
		arrival(10, 1u << 30);
	ck_assert_uint_eq(flow.limit, MOST);
	begin(10);
	flow.opts = 0;
	flow.limit = 16 * KIB;
	for (uint32_t i = 0; i < 20; i++)
		arrival(10, 1u << 30);
	ck_assert_uint_eq(flow.limit, UINT16_MAX);
}
END_TEST

/* Half of what nobody holds, and under pressure nothing; told once each round. */
START_TEST(memory_refuses)
{
	begin(10);
	tcp.budget_bufs = 400;
	arrival(10, 300 * KIB);
	ck_assert_uint_eq(flow.limit, 200 * KIB);
	ck_assert_uint_eq(tcp.stats.receive_buffers_refused, 1);
	ck_assert_uint_eq(tcp.stats.receive_buffers_raised, 1);
	tcp.held_bufs = 300;
	arrival(10, 300 * KIB);
	arrival(3, 0);
	ck_assert_uint_eq(flow.limit, 200 * KIB);
	ck_assert_uint_eq(tcp.stats.receive_buffers_refused, 2);
	ck_assert_uint_eq(tcp.stats.receive_buffers_raised, 1);
}
END_TEST

START_TEST(lowered_after_ten_seconds_of_little)
{
	begin(10);
	arrival(10, 400 * KIB);
	ck_assert_uint_eq(flow.limit, 1600 * KIB);
	for (uint32_t i = 0; i < 99; i++)
		arrival(100, 300 * KIB);
	ck_assert_uint_eq(flow.limit, 1600 * KIB);
	arrival(300, 300 * KIB); /* half of 1600 KiB is more than twice that */
	ck_assert_uint_eq(flow.limit, 800 * KIB);
	arrival(10200, KIB);
	ck_assert_uint_eq(flow.limit, 400 * KIB);
	arrival(100, 100 * KIB); /* half of it: needed */
	arrival(9900, KIB);
	ck_assert_uint_eq(flow.limit, 400 * KIB);
	for (uint32_t i = 0; i < 10; i++)
		arrival(10200, KIB);
	ck_assert_uint_eq(flow.limit, FIRST);
	ck_assert_uint_eq(tcp.stats.receive_buffers_lowered, 5);
	ck_assert_uint_eq(tcp.stats.receive_buffers_refused, 0);
}
END_TEST

START_TEST(under_pressure_what_is_not_needed_goes_at_once)
{
	begin(10);
	arrival(10, 400 * KIB);
	tcp.held_bufs = tcp.budget_bufs / 4 * 3;
	arrival(10, 400 * KIB);
	ck_assert_uint_eq(flow.limit, 1600 * KIB); /* half of it is needed */
	arrival(10, 100 * KIB);
	ck_assert_uint_eq(flow.limit, 800 * KIB);
	arrival(10, 100 * KIB);
	arrival(10, 100 * KIB);
	ck_assert_uint_eq(flow.limit, 400 * KIB);
}
END_TEST

/* ---- round trips ---- */

START_TEST(short_round_trips_are_rounded_up)
{
	static const uint32_t rtt_ms[][2] = {{0, 1}, {1, 2}, {7, 8}, {8, 8}, {3999, 3999}, {4000, 0}};

	for (uint32_t i = 0; i < sizeof(rtt_ms) / sizeof(rtt_ms[0]); i++) {
		begin(rtt_ms[i][0]);
		ck_assert_uint_eq(tune.rtt_ms, rtt_ms[i][1]);
	}
}
END_TEST

/* No byte beyond an edge comes before an ACK has gone there and the byte has come back. */
START_TEST(a_window_takes_a_round_trip)
{
	begin(UINT32_MAX);
	ck_assert_uint_eq(tune.rtt_ms, 0);
	flow.rcv_nxt = 20000;
	arrival(30, 200 * KIB);
	ck_assert_uint_eq(tune.rtt_ms, 0);
	ck_assert_uint_eq(flow.limit, FIRST); /* who knows in how many of them */
	flow.rcv_nxt = 20001;
	flow.rcv_adv = 70000;
	arrival(10, 0);
	ck_assert_uint_eq(tune.rtt_ms, 40);
	flow.rcv_nxt = 70001;
	flow.rcv_adv = 90000;
	arrival(60, 0); /* longer: the sender may have paused */
	ck_assert_uint_eq(tune.rtt_ms, 40);
	flow.rcv_nxt = 90001;
	arrival(20, 0);
	ck_assert_uint_eq(tune.rtt_ms, 20);
}
END_TEST

static struct world world;
static struct remote remote;

/* A connection of a tuned listener, past its first data. */
static struct weir_tune *
begin_with_timestamps(void)
{
	struct weir_config config;

	world_config(&config);
	world_open(&world, &config, 0, WEIR_ACK_TRAIN);
	remote_init(&remote, 40000);
	remote_warm(&world, &remote);
	ck_assert_uint_eq(flow_of(&world, &remote)->limit, WORLD_TUNED);
	return &tcp_of(&world)->tunes[flow_of(&world, &remote)->id];
}

/* A segment `ms` later that echoes what was sent `echo_ms` before it. */
static void
echo(uint32_t ms, uint32_t echo_ms)
{
	const struct weir_tcp *is = tcp_of(&world);

	remote.tsval += ms;
	remote.ts_echo = is->now_ms + ms + flow_of(&world, &remote)->ts_offset - echo_ms;
	remote_stream(&world, &remote, 0, 100);
	world_poll(&world, (uint64_t)ms * TCP_TEST_MS);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 100), 100);
}

START_TEST(timestamps_tell_the_least_of_a_round)
{
	const struct weir_tune *is = begin_with_timestamps();

	ck_assert_uint_eq(is->rtt_ms, 1); /* handshake and first data came in one millisecond */
	echo(20, 19);
	ck_assert_uint_eq(is->rtt_ms, 1); /* the least of that round */
	echo(1, 19);
	ck_assert_uint_eq(is->rtt_ms, 19); /* the path has become longer */
	echo(5, 25);
	echo(5, 12);
	ck_assert_uint_eq(is->rtt_ms, 12); /* shorter ones count at once */
	echo(3, 30);
	ck_assert_uint_eq(is->rtt_ms, 12); /* the round has ended */
	echo(13, 30);
	ck_assert_uint_eq(is->rtt_ms, 30);
	echo(31, 4000); /* neither is a round trip */
	echo(31, 0u - 1);
	ck_assert_uint_eq(is->rtt_ms, 30);
	remote.ts = false; /* nor is what does not come */
	echo(31, 3);
	ck_assert_uint_eq(is->rtt_ms, 30);
	world_close(&world);
}
END_TEST

/* Two segments of one millisecond are one arrival: a burst says the same, merged or not. */
START_TEST(one_sample_a_millisecond)
{
	const struct weir_tune *is = begin_with_timestamps();

	echo(50, 40);
	echo(50, 40);
	ck_assert_uint_eq(is->rtt_ms, 40);
	echo(1, 20);
	echo(0, 5);
	ck_assert_uint_eq(is->rtt_ms, 20);
	world_close(&world);
}
END_TEST

START_TEST(fixed_buffers_are_left_alone)
{
	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	for (uint32_t i = 0; i < 50; i++) {
		remote_stream(&world, &remote, 0, 1448);
		world_poll(&world, TCP_TEST_MS);
		weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	}
	ck_assert_uint_eq(flow_of(&world, &remote)->limit, 1 << 20);
	ck_assert_uint_eq(tcp_of(&world)->tunes[flow_of(&world, &remote)->id].round_ms, 0);
	ck_assert_uint_eq(tcp_of(&world)->stats.receive_buffer_max_bytes, 0);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, twice_what_a_round_trip_brought);
	UNIT_CASE(s, slow_readers_keep_what_they_have);
	UNIT_CASE(s, only_what_was_taken_counts);
	UNIT_CASE(s, leases_are_a_part_of_the_way);
	UNIT_CASE(s, rounds_that_took_far_longer_ask_for_nothing);
	UNIT_CASE(s, never_more_than_wanted_or_expressed);
	UNIT_CASE(s, memory_refuses);
	UNIT_CASE(s, lowered_after_ten_seconds_of_little);
	UNIT_CASE(s, under_pressure_what_is_not_needed_goes_at_once);
	UNIT_CASE(s, short_round_trips_are_rounded_up);
	UNIT_CASE(s, a_window_takes_a_round_trip);
	UNIT_CASE(s, timestamps_tell_the_least_of_a_round);
	UNIT_CASE(s, one_sample_a_millisecond);
	UNIT_CASE(s, fixed_buffers_are_left_alone);
}

UNIT_MAIN("tune", add)
