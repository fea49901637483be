/* SPDX-License-Identifier: BSD-3-Clause */
/* The flush modes of lib/engine/serve.c: how long a run is held, and what ends it. */
#include "tests/unit/engine_test.h"

static void
open_held(enum weir_flush flush, uint32_t value, struct remote *remotes, uint32_t n)
{
	struct weir_config config;

	world_config(&config);
	config.flush = flush;
	config.flush_value = value;
	open_with(&config);
	for (uint32_t i = 0; i < n; i++) { /* PSH: the first segment is not held */
		remote_init(&remotes[i], (uint16_t)(40000 + i));
		remote_open(&world, &remotes[i]);
		remote_stream(&world, &remotes[i], WEIR_TCP_PSH, ENGINE_TEST_MSS);
		world_poll(&world, 1000);
		ck_assert_int_eq(weir_conn_discard(world.stack, remotes[i].conn, UINT32_MAX),
				 ENGINE_TEST_MSS);
	}
	world_poll(&world, 1000);
	world_forget(&world);
}

/* Bytes delivered by one poll. */
static uint64_t
delivered(uint64_t advance_ns)
{
	uint64_t before = stats_now()->bytes;

	world_poll(&world, advance_ns);
	return stats_now()->bytes - before;
}

START_TEST(flush_polls_holds_so_many_polls)
{
	struct remote remote;

	for (uint32_t polls = 0; polls <= 5; polls++) {
		open_held(WEIR_FLUSH_POLLS, polls, &remote, 1);
		stream_segs(&remote, 2);
		for (uint32_t i = 1; i < polls; i++) {
			ck_assert_uint_eq(delivered(1000), 0);
			ck_assert_uint_eq(stats_now()->packets_queued, 2);
			ck_assert_uint_eq(weir_engine_deadline(world.engine), world.now_ns);
		}
		ck_assert_uint_eq(delivered(1000), 2 * ENGINE_TEST_MSS);
		ck_assert_uint_eq(aggregates_of(2), 1);
		ck_assert_uint_eq(closed_by(WEIR_CAUSE_HELD), 1);
		world_close(&world);
	}
}
END_TEST

/* The hold counts from its first segment; what arrives meanwhile rides along. */
START_TEST(flush_polls_gathers_what_comes_meanwhile)
{
	struct remote remote;

	open_held(WEIR_FLUSH_POLLS, 3, &remote, 1);
	for (int i = 0; i < 2; i++) {
		stream_segs(&remote, 2);
		ck_assert_uint_eq(delivered(1000), 0);
	}
	stream_segs(&remote, 2);
	ck_assert_uint_eq(delivered(1000), 6 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(aggregates_of(6), 1);
	/* and the next run is held anew */
	stream_segs(&remote, 1);
	ck_assert_uint_eq(delivered(1000), 0);
	ck_assert_uint_eq(delivered(1000), 0);
	ck_assert_uint_eq(delivered(1000), ENGINE_TEST_MSS);
	world_close(&world);
}
END_TEST

START_TEST(flush_us_holds_so_long)
{
	struct remote remotes[2];
	uint64_t began;

	open_held(WEIR_FLUSH_US, 150, remotes, 2);
	stream_segs(&remotes[0], 1);
	ck_assert_uint_eq(delivered(1000), 0);
	began = world.now_ns;
	ck_assert_uint_eq(weir_engine_deadline(world.engine), began + 150000);
	stream_segs(&remotes[1], 1);
	ck_assert_uint_eq(delivered(50000), 0);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), began + 150000); /* the first */
	stream_segs(&remotes[0], 1); /* does not prolong it */
	ck_assert_uint_eq(delivered(99999), 0);
	ck_assert_uint_eq(delivered(1), 2 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), began + 200000);
	ck_assert_uint_eq(delivered(49999), 0);
	ck_assert_uint_eq(delivered(1), ENGINE_TEST_MSS);
	ck_assert_uint_eq(closed_by(WEIR_CAUSE_HELD), 2);
	world_close(&world);
}
END_TEST

/* Two segments per poll, each `gap` after the last, until the gap is learned. */
static void
teach_gap(struct remote *remote, uint64_t gap)
{
	for (int i = 0; i < 60; i++) {
		remote_stream(&world, remote, i % 2 ? WEIR_TCP_PSH : 0, ENGINE_TEST_MSS);
		world_poll(&world, gap);
		weir_conn_discard(world.stack, remote->conn, UINT32_MAX);
	}
	world_poll(&world, 1000000); /* ends what is held */
	world_forget(&world);
}

START_TEST(flush_adaptive_holds_who_sends_soon)
{
	struct remote remote;
	uint64_t began;

	open_held(WEIR_FLUSH_ADAPTIVE, 0, &remote, 1);
	teach_gap(&remote, 10000);
	stream_segs(&remote, 1); /* opens a run and brings a gap of 1 ms, of which 1/8 counts */
	world_poll(&world, 1000);
	began = world.now_ns;
	ck_assert_uint_eq(stats_now()->packets_queued, 1);
	ck_assert_uint_le(weir_engine_deadline(world.engine), began + 200000);
	for (int i = 0; i < 5; i++) {
		stream_segs(&remote, 1);
		ck_assert_uint_eq(delivered(10000), 0);
	}
	ck_assert_uint_eq(delivered(began + 200000 - world.now_ns), 6 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	world_close(&world);
}
END_TEST

START_TEST(flush_adaptive_does_not_hold_who_sends_late)
{
	struct remote remote;

	open_held(WEIR_FLUSH_ADAPTIVE, 0, &remote, 1);
	for (int i = 0; i < 20; i++) { /* nothing known, then a gap of 5 ms */
		stream_segs(&remote, 2);
		ck_assert_uint_eq(delivered(5000000), 2 * ENGINE_TEST_MSS);
	}
	ck_assert_uint_eq(aggregates_of(2), 20);
	world_close(&world);
}
END_TEST

/* Who is in recovery waits for ACKs, not the other way round. */
START_TEST(flush_adaptive_does_not_hold_beside_a_hole)
{
	struct remote remote;

	open_held(WEIR_FLUSH_ADAPTIVE, 0, &remote, 1);
	teach_gap(&remote, 10000);
	remote_send(&world, &remote, remote.snd_nxt + 10000, 0, 500);
	world_poll(&world, 1000);
	world_poll(&world, 300000);
	ck_assert_uint_eq(info_of(remote.conn).out_of_order_bytes, 500);
	stream_segs(&remote, 1);
	ck_assert_uint_eq(delivered(1000), ENGINE_TEST_MSS);
	world_close(&world);
}
END_TEST

/* A held run, then `what`: it must be delivered by that very poll, and before it. */
static void
check_hold_ends(enum weir_flush flush, void (*what)(struct remote *remote), uint64_t bytes,
		enum weir_close_cause cause)
{
	struct remote remote;
	uint64_t before;

	open_held(flush, flush == WEIR_FLUSH_POLLS ? 1000 : 1000000, &remote, 1);
	if (flush == WEIR_FLUSH_ADAPTIVE)
		teach_gap(&remote, 10000);
	stream_segs(&remote, 2);
	ck_assert_uint_eq(delivered(1000), 0);
	before = closed_by(cause);
	what(&remote);
	ck_assert_uint_eq(delivered(1000), 2 * ENGINE_TEST_MSS + bytes);
	ck_assert_uint_ge(closed_by(cause), before + 1);
	weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	world_close(&world);
}

static void
in_each_mode(void (*what)(struct remote *remote), uint64_t bytes, enum weir_close_cause cause)
{
	check_hold_ends(WEIR_FLUSH_POLLS, what, bytes, cause);
	check_hold_ends(WEIR_FLUSH_US, what, bytes, cause);
	check_hold_ends(WEIR_FLUSH_ADAPTIVE, what, bytes, cause);
}

static void
a_push(struct remote *remote)
{
	remote_stream(&world, remote, WEIR_TCP_PSH, 100);
}

static void
up_to_the_limit(struct remote *remote)
{
	stream_segs(remote, 18);
}

static void
a_fin(struct remote *remote)
{
	remote_stream(&world, remote, WEIR_TCP_FIN, 100);
}

static void
a_pure_ack(struct remote *remote)
{
	remote_stream(&world, remote, 0, 0);
}

static void
a_timestamp_back(struct remote *remote)
{
	remote->tsval--;
	remote_stream(&world, remote, WEIR_TCP_PSH, 0);
	remote->tsval++;
}

static void
a_hole(struct remote *remote)
{
	remote_send(&world, remote, remote->snd_nxt + 1000, 0, 100);
}

static void
an_urgent_segment(struct remote *remote)
{
	remote_stream(&world, remote, WEIR_TCP_URG, 100);
}

START_TEST(every_closing_reason_ends_a_hold)
{
	in_each_mode(a_push, 100, WEIR_CAUSE_PUSH);
	in_each_mode(up_to_the_limit, 18 * ENGINE_TEST_MSS, WEIR_CAUSE_LIMIT);
	in_each_mode(a_fin, 100, WEIR_CAUSE_FLAGS);
	in_each_mode(a_pure_ack, 0, WEIR_CAUSE_PURE_ACK);
	in_each_mode(a_timestamp_back, 0, WEIR_CAUSE_TIMESTAMP);
	in_each_mode(a_hole, 0, WEIR_CAUSE_SEQUENCE);
	in_each_mode(an_urgent_segment, 100, WEIR_CAUSE_FLAGS);
}
END_TEST

/* PITFALLS 40: FIN and RST stay behind what is held. */
START_TEST(pitfall_40_nothing_overtakes_a_held_run)
{
	struct remote remote;

	open_held(WEIR_FLUSH_POLLS, 1000, &remote, 1);
	stream_segs(&remote, 2);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 0);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 10);
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_RST, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 3);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[0].bytes, 2 * ENGINE_TEST_MSS + 10);
	ck_assert_uint_eq(world.events[1].type, WEIR_EVENT_FIN);
	ck_assert_uint_eq(world.events[1].bytes, 3 * ENGINE_TEST_MSS + 10);
	ck_assert_uint_eq(world.events[2].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[2].flags, WEIR_CLOSE_RESET);
	world_close(&world);
}
END_TEST

START_TEST(a_hold_does_not_outlive_its_connection)
{
	struct remote remotes[2];

	open_held(WEIR_FLUSH_POLLS, 1000, remotes, 2);
	stream_segs(&remotes[0], 2);
	stream_segs(&remotes[1], 2);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->packets_queued, 4);
	ck_assert_int_eq(weir_conn_abort(world.stack, remotes[0].conn), 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CLOSED), 2);
	ck_assert_int_eq(weir_conn_close(world.stack, remotes[1].conn), 0); /* FIN-WAIT: no hold */
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CLOSED), 4);
	world_close(&world);
}
END_TEST

/* A queue that cannot take more has nothing to wait for. */
START_TEST(a_full_queue_ends_a_hold)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	config.flush = WEIR_FLUSH_POLLS;
	config.flush_value = 1000;
	config.rx_queue_segs = 5;
	config.aggregate_limit = 20; /* a run of so many may wait beside what is queued */
	open_with(&config);
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	remote_stream(&world, &remote, WEIR_TCP_PSH, ENGINE_TEST_MSS);
	world_poll(&world, 1000);
	stream_segs(&remote, 19);
	ck_assert_uint_eq(delivered(1000), 0);
	stream_segs(&remote, 6);
	ck_assert_uint_eq(delivered(1000), 20 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, flush_polls_holds_so_many_polls);
	UNIT_CASE(s, flush_polls_gathers_what_comes_meanwhile);
	UNIT_CASE(s, flush_us_holds_so_long);
	UNIT_CASE(s, flush_adaptive_holds_who_sends_soon);
	UNIT_CASE(s, flush_adaptive_does_not_hold_who_sends_late);
	UNIT_CASE(s, flush_adaptive_does_not_hold_beside_a_hole);
	UNIT_CASE(s, every_closing_reason_ends_a_hold);
	UNIT_CASE(s, pitfall_40_nothing_overtakes_a_held_run);
	UNIT_CASE(s, a_hold_does_not_outlive_its_connection);
	UNIT_CASE(s, a_full_queue_ends_a_hold);
}

UNIT_MAIN("serve_hold", add)
