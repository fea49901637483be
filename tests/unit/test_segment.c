/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps of RFC 9293 3.10.7.4, each in every state, with RFC 5961, 7323 and 3168. */
#include <errno.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;
static struct remote remote;

static const uint32_t flow_states[] = {WEIR_TCP_ESTABLISHED, WEIR_TCP_FIN_WAIT_1,
				       WEIR_TCP_FIN_WAIT_2,  WEIR_TCP_CLOSE_WAIT,
				       WEIR_TCP_CLOSING,     WEIR_TCP_LAST_ACK};
#define FLOW_STATES 6

/* The ACK of a connection as it stands: nothing but ACK, at snd_nxt, of rcv_nxt. */
static void
is_plain_ack(const struct reply *reply, const struct weir_flow *flow)
{
	ck_assert_uint_eq(reply->flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(reply->seq, flow->snd_nxt);
	ck_assert_uint_eq(reply->ack, flow->rcv_nxt);
	ck_assert_uint_eq(reply->len, 0);
}

/* Brings a new connection into each state in turn, injects by `inject` and expects `exit`, one
 * plain ACK if `answered`, and no change of state. */
static void
in_every_state(void (*inject)(const struct weir_flow *flow), int exit, bool answered)
{
	scene_open(&world, 1 << 20);
	for (uint32_t i = 0; i < FLOW_STATES; i++) {
		scene_enter(&world, &remote, (uint16_t)(40000 + i), flow_states[i]);
		inject(scene_flow(&world, &remote));
		scene_expect(&world, exit, 1, answered);
		if (answered)
			is_plain_ack(world_last(&world), scene_flow(&world, &remote));
		ck_assert_uint_eq(scene_state(&world, &remote), flow_states[i]);
		scene_events(&world, "");
	}
	scene_close(&world);
}

/* ---- RST ---- */

START_TEST(pitfall_36_rst_at_rcv_nxt_resets_in_every_state)
{
	scene_open(&world, 1 << 20);
	for (uint32_t i = 0; i < FLOW_STATES; i++) {
		scene_enter(&world, &remote, (uint16_t)(40000 + i), flow_states[i]);
		scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
		scene_expect(&world, SCENE_CONSUMED, 1, 0);
		scene_events(&world, "Cr");
		ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), -EBADF);
	}
	ck_assert_uint_eq(world.engine->tcp.stats.resets_received, FLOW_STATES);
	ck_assert_uint_eq(world.engine->tcp.stats.resets_sent, 0);
	scene_close(&world);
}
END_TEST

static void
rst_inside(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt + 1, flow->snd_nxt, WEIR_TCP_RST | WEIR_TCP_ACK,
		  0);
}

static void
rst_left(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt - 1, flow->snd_nxt, WEIR_TCP_RST, 0);
}

static void
rst_right(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_adv + 1, flow->snd_nxt, WEIR_TCP_RST, 0);
}

START_TEST(pitfall_36_rst_inside_the_window_is_challenged)
{
	in_every_state(rst_inside, WEIR_DROP_TCP_RST_INVALID, true);
}
END_TEST

START_TEST(pitfall_36_rst_outside_the_window_is_not_answered)
{
	in_every_state(rst_left, WEIR_DROP_TCP_RST_INVALID, false);
	in_every_state(rst_right, WEIR_DROP_TCP_RST_INVALID, false);
}
END_TEST

/* ---- SYN ---- */

static void
syn_inside(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt, 0, WEIR_TCP_SYN, 0);
}

static void
syn_ack_inside(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt + 9, flow->snd_nxt, WEIR_TCP_SYN | WEIR_TCP_ACK,
		  0);
}

static void
syn_again(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->irs, 0, WEIR_TCP_SYN, 0);
}

static void
syn_right(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_adv, 0, WEIR_TCP_SYN, 0);
}

START_TEST(pitfall_36_syn_is_challenged_wherever_it_is)
{
	in_every_state(syn_inside, WEIR_DROP_TCP_SYN_INVALID, true);
	in_every_state(syn_ack_inside, WEIR_DROP_TCP_SYN_INVALID, true);
	in_every_state(syn_again, WEIR_DROP_TCP_OLD, true);
	in_every_state(syn_right, WEIR_DROP_TCP_BEYOND_WINDOW, true);
}
END_TEST

/* ---- ACK ---- */

static void
ack_above(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt, flow->snd_nxt + 1, WEIR_TCP_ACK, 0);
}

static void
ack_below(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt, flow->snd_una - flow->max_snd_wnd - 1,
		  WEIR_TCP_ACK, 0);
}

static void
ack_oldest(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt, flow->snd_una - flow->max_snd_wnd, WEIR_TCP_ACK,
		  0);
}

static void
ack_half_way_round(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt, flow->snd_nxt + 0x7fffffff, WEIR_TCP_ACK, 0);
}

static void
no_ack(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt, flow->snd_nxt, WEIR_TCP_FIN, 0);
}

static void
ack_at_right_edge(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_adv, flow->snd_una, WEIR_TCP_ACK, 0);
}

/* An empty segment at the right edge is what a peer sends that has filled the window. */
START_TEST(ack_at_the_right_edge_counts)
{
	in_every_state(ack_at_right_edge, SCENE_CONSUMED, false);
}
END_TEST

START_TEST(pitfall_36_ack_outside_its_range_is_challenged)
{
	in_every_state(ack_above, WEIR_DROP_TCP_ACK_INVALID, true);
	in_every_state(ack_half_way_round, WEIR_DROP_TCP_ACK_INVALID, true);
	in_every_state(ack_below, WEIR_DROP_TCP_ACK_INVALID, true);
	in_every_state(ack_oldest, SCENE_CONSUMED, false);
}
END_TEST

START_TEST(segment_without_ack_is_dropped)
{
	in_every_state(no_ack, WEIR_DROP_TCP_NO_ACK, false);
}
END_TEST

/* Data with a forged ACK number must not be taken, wherever the number lies. */
START_TEST(pitfall_36_data_with_a_bad_ack_is_not_taken)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	scene_raw(&world, &remote, remote.snd_nxt, remote.rcv_nxt + 1, WEIR_TCP_ACK, 100);
	scene_expect(&world, WEIR_DROP_TCP_ACK_INVALID, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	scene_events(&world, "");
	scene_close(&world);
}
END_TEST

/* ---- rate limits ---- */

START_TEST(pitfall_36_challenges_are_limited_per_connection)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	for (int i = 0; i < 40; i++)
		rst_inside(scene_flow(&world, &remote));
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 40, 1);
	ck_assert_uint_eq(world.engine->tcp.stats.answers_limited, 39);
	scene_pass(&world, 499 * SCENE_MS, 0);
	syn_inside(scene_flow(&world, &remote));
	scene_expect(&world, WEIR_DROP_TCP_SYN_INVALID, 1, 0);
	scene_pass(&world, 1 * SCENE_MS, 0);
	ack_above(scene_flow(&world, &remote));
	scene_expect(&world, WEIR_DROP_TCP_ACK_INVALID, 1, 1);
	scene_close(&world);
}
END_TEST

/* Answers to data are no part of a loop, and a sender that lost our ACKs needs them: 64 at once,
 * one more each millisecond. One byte may be a keepalive and counts as empty. */
START_TEST(answers_to_old_data_are_limited_by_the_millisecond)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	for (int i = 0; i < 60; i++)
		remote_send(&world, &remote, remote.snd_nxt - 100, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_OLD, 60, 60);
	for (int i = 0; i < 10; i++)
		remote_send(&world, &remote, remote.snd_nxt - 100, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_OLD, 10, 4);
	scene_pass(&world, 3 * SCENE_MS, 0);
	for (int i = 0; i < 10; i++)
		remote_send(&world, &remote, remote.snd_nxt - 100, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_OLD, 10, 3);
	for (int i = 0; i < 10; i++)
		remote_send(&world, &remote, remote.snd_nxt - 1, 0, 1);
	scene_expect(&world, WEIR_DROP_TCP_OLD, 10, 1);
	scene_close(&world);
}
END_TEST

/* Challenges that an engine sends within one second, when every connection is asked for one. */
static uint32_t
challenges_of_a_second(uint64_t seed)
{
	struct weir_config config;
	struct weir_tcp *tcp;
	uint32_t sent;

	world_config(&config);
	config.seed = seed;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	tcp = &world.engine->tcp;
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	rst_inside(scene_flow(&world, &remote));
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 1);
	for (sent = 1; tcp->challenge_tokens != 0; sent++) {
		scene_flow(&world, &remote)->oow_last_ms -= WEIR_TCP_OOW_MS;
		rst_inside(scene_flow(&world, &remote));
		scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 1);
	}
	scene_flow(&world, &remote)->oow_last_ms -= WEIR_TCP_OOW_MS;
	rst_inside(scene_flow(&world, &remote));
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 0);
	scene_pass(&world, 1000 * SCENE_MS, 0);
	rst_inside(scene_flow(&world, &remote));
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 1);
	scene_close(&world);
	return sent;
}

/* The cap of all connections cannot be counted from outside (CVE-2016-5696). */
START_TEST(pitfall_36_engine_cap_is_random)
{
	uint32_t a = challenges_of_a_second(1), b = challenges_of_a_second(2);

	ck_assert(a >= 500 && a < 1500 && b >= 500 && b < 1500);
	ck_assert_uint_ne(a, b);
	ck_assert_uint_eq(a, challenges_of_a_second(1));
}
END_TEST

/* A peer in a stale state answers each of our ACKs with the same wrong segment. */
static void
no_loop(void (*inject)(const struct weir_flow *flow), uint32_t state)
{
	uint32_t answers = 0;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, state);
	inject(scene_flow(&world, &remote));
	for (int ms = 0; ms < 1500; ms++) {
		world.n_replies = 0;
		if (world_poll(&world, SCENE_MS) == 0)
			continue;
		answers++;
		inject(scene_flow(&world, &remote));
	}
	ck_assert_uint_eq(answers, state == WEIR_TCP_ESTABLISHED ? 1 : 3); /* our FIN, once more */
	scene_close(&world);
}

static void
empty_left(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt - 5000, flow->snd_nxt, WEIR_TCP_ACK, 0);
}

static void
empty_right(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_adv + 5000, flow->snd_nxt - 5000, WEIR_TCP_ACK, 0);
}

START_TEST(pitfall_53_no_ack_loop)
{
	no_loop(empty_left, WEIR_TCP_ESTABLISHED);
	no_loop(empty_right, WEIR_TCP_ESTABLISHED);
	no_loop(ack_above, WEIR_TCP_ESTABLISHED);
	no_loop(empty_left, WEIR_TCP_LAST_ACK);
	no_loop(ack_above, WEIR_TCP_CLOSING);
}
END_TEST

/* ---- keepalive ---- */

static void
probe_empty(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt - 1, flow->snd_una, WEIR_TCP_ACK, 0);
}

static void
probe_one_byte(const struct weir_flow *flow)
{
	scene_raw(&world, &remote, flow->rcv_nxt - 1, flow->snd_una, WEIR_TCP_ACK, 1);
}

START_TEST(pitfall_38_keepalive_is_answered_in_every_state)
{
	in_every_state(probe_empty, WEIR_DROP_TCP_OLD, true);
	in_every_state(probe_one_byte, WEIR_DROP_TCP_OLD, true);
}
END_TEST

/* A receive buffer of 4096 bytes, 96 of them taken: the window is all that is left. */
static void
open_4096(void)
{
	scene_open(&world, 4096);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_stream(&world, &remote, 0, 96);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->win, 4000);
}

/* Every second, as peers do; also in the window that the application has closed. */
START_TEST(pitfall_38_keepalives_for_ever)
{
	open_4096();
	for (int i = 0; i < 4; i++)
		remote_stream(&world, &remote, 0, 1000);
	scene_expect(&world, SCENE_DELIVERED, 4, 4);
	ck_assert_uint_eq(world_last(&world)->win, 0);
	for (int i = 0; i < 100; i++) {
		scene_pass(&world, SCENE_SEC, 0);
		probe_empty(scene_flow(&world, &remote));
		scene_expect(&world, WEIR_DROP_TCP_OLD, 1, 1);
		is_plain_ack(world_last(&world), scene_flow(&world, &remote));
	}
	scene_events(&world, "DD");
	scene_close(&world);
}
END_TEST

/* ---- timestamps ---- */

START_TEST(pitfall_19_missing_timestamp_is_accepted)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote.ts = false;
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_last(&world)->tsecr, remote.tsval);
	ck_assert_uint_eq(world.engine->tcp.stats.ts_missing, 1);
	remote.ts = true;
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world.engine->tcp.stats.ts_missing, 1);
	scene_close(&world);
}
END_TEST

static void
old_timestamp(const struct weir_flow *flow)
{
	remote.tsval = flow->ts_recent - 1;
	scene_raw(&world, &remote, flow->rcv_nxt, flow->snd_una, WEIR_TCP_ACK, 10);
}

START_TEST(pitfall_20_old_timestamp_is_dropped_and_answered)
{
	in_every_state(old_timestamp, WEIR_DROP_TCP_PAWS, true);
}
END_TEST

START_TEST(pitfall_20_rst_is_exempt_from_paws)
{
	scene_open(&world, 1 << 20);
	for (uint32_t i = 0; i < FLOW_STATES; i++) {
		scene_enter(&world, &remote, (uint16_t)(40000 + i), flow_states[i]);
		remote.tsval -= 1000;
		scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
		scene_expect(&world, SCENE_CONSUMED, 1, 0);
		scene_events(&world, "Cr");
	}
	scene_close(&world);
}
END_TEST

/* One millisecond short of 24 days an old timestamp still counts as old. */
START_TEST(pitfall_20_24_idle_days_invalidate_ts_recent)
{
	const uint64_t days = 24ull * 24 * 3600 * SCENE_SEC;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote.tsval -= 1000;
	world.now_ns -= world.now_ns % SCENE_MS;
	scene_pass(&world, days - SCENE_MS, 0);
	remote_send(&world, &remote, remote.snd_nxt, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_PAWS, 1, 1);
	scene_pass(&world, SCENE_MS, 0);
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->tsecr, remote.tsval);
	remote.tsval -= 1; /* and it counts again from here */
	remote_send(&world, &remote, remote.snd_nxt, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_PAWS, 1, 1);
	scene_close(&world);
}
END_TEST

START_TEST(timestamps_that_were_not_negotiated_mean_nothing)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote.ts = false;
	remote_open(&world, &remote);
	remote.ts = true;
	for (remote.tsval = 5000; remote.tsval > 4000; remote.tsval -= 300) {
		remote_stream(&world, &remote, 0, 100);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
		ck_assert_uint_eq(world_last(&world)->has_ts, 0);
	}
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_36_rst_at_rcv_nxt_resets_in_every_state);
	UNIT_CASE(s, pitfall_36_rst_inside_the_window_is_challenged);
	UNIT_CASE(s, pitfall_36_rst_outside_the_window_is_not_answered);
	UNIT_CASE(s, pitfall_36_syn_is_challenged_wherever_it_is);
	UNIT_CASE(s, pitfall_36_ack_outside_its_range_is_challenged);
	UNIT_CASE(s, segment_without_ack_is_dropped);
	UNIT_CASE(s, pitfall_36_data_with_a_bad_ack_is_not_taken);
	UNIT_CASE(s, pitfall_36_challenges_are_limited_per_connection);
	UNIT_CASE(s, pitfall_36_engine_cap_is_random);
	UNIT_CASE(s, answers_to_old_data_are_limited_by_the_millisecond);
	UNIT_CASE(s, ack_at_the_right_edge_counts);
	UNIT_CASE(s, pitfall_53_no_ack_loop);
	UNIT_CASE(s, pitfall_38_keepalive_is_answered_in_every_state);
	UNIT_CASE(s, pitfall_38_keepalives_for_ever);
	UNIT_CASE(s, pitfall_19_missing_timestamp_is_accepted);
	UNIT_CASE(s, pitfall_20_old_timestamp_is_dropped_and_answered);
	UNIT_CASE(s, pitfall_20_rst_is_exempt_from_paws);
	UNIT_CASE(s, pitfall_20_24_idle_days_invalidate_ts_recent);
	UNIT_CASE(s, timestamps_that_were_not_negotiated_mean_nothing);
}

UNIT_MAIN("segment", add)
