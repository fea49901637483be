/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;
static struct remote remote;

static struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

/* A connection in TIME-WAIT: our FIN and the peer's are acknowledged. */
static void
enter(bool ts)
{
	scene_open(&world, 1 << 20);
	if (ts) {
		scene_enter(&world, &remote, 40000, SCENE_TIME_WAIT);
	} else {
		remote_init(&remote, 40000);
		remote.ts = false;
		remote_open(&world, &remote);
		ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
		scene_pass(&world, 1000, 1);
		remote.rcv_nxt++;
		remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
		scene_expect(&world, SCENE_CONSUMED, 1, 1);
		scene_events(&world, "ACd");
	}
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
}

static void
is_answer(void)
{
	const struct reply *reply = world_last(&world);

	ck_assert_uint_eq(reply->flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(reply->seq, remote.rcv_nxt);
	ck_assert_uint_eq(reply->ack, remote.snd_nxt);
	ck_assert_uint_eq(reply->has_ts, remote.ts);
	ck_assert_uint_eq(reply->len, 0);
	ck_assert_uint_ge((uint32_t)reply->win << remote.shift, 1 << 19);
	if (remote.ts) { /* the clock of the SYN-ACK, sent at 1 s, goes on */
		ck_assert_uint_eq(reply->tsecr, remote.tsval);
		ck_assert_uint_eq(reply->tsval - remote.ts_echo, world.now_ns / SCENE_MS - 1000);
	}
}

/* The connection itself is gone at once: only the entry remains, and goes by virtual time. */
START_TEST(lasts_exactly_its_time)
{
	enter(true);
	ck_assert_uint_eq(tcp()->flow_free.used, 0);
	ck_assert_uint_eq(tcp()->stats.established, 0);
	world.now_ns = SCENE_SEC; /* of entry, to the millisecond */
	scene_pass(&world, 59999 * SCENE_MS, 0);
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	scene_pass(&world, SCENE_MS, 0);
	ck_assert_uint_eq(tcp()->stats.time_wait, 0);
	ck_assert_uint_eq(tcp()->time_wait_free.used, 0);
	scene_events(&world, "");
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_RST);
	scene_close(&world);
}
END_TEST

START_TEST(fin_again_is_answered_and_starts_the_time_again)
{
	enter(true);
	world.now_ns = SCENE_SEC;
	scene_pass(&world, 30000 * SCENE_MS, 0);
	remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
	is_answer();
	world.now_ns -= 1000;
	scene_pass(&world, 59999 * SCENE_MS, 0);
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	scene_pass(&world, SCENE_MS, 0);
	ck_assert_uint_eq(tcp()->stats.time_wait, 0);
	scene_close(&world);
}
END_TEST

/* Only a FIN starts it again. */
START_TEST(other_segments_do_not_prolong_it)
{
	enter(true);
	world.now_ns = SCENE_SEC;
	for (int i = 0; i < 59; i++) {
		scene_pass(&world, 999999000, 0);
		remote_send(&world, &remote, remote.snd_nxt, 0, 100);
		scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
		is_answer();
	}
	scene_pass(&world, SCENE_SEC, 0);
	ck_assert_uint_eq(tcp()->stats.time_wait, 0);
	scene_close(&world);
}
END_TEST

START_TEST(works_without_timestamps)
{
	enter(false);
	remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
	is_answer();
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_38_keepalive_is_answered_in_time_wait)
{
	for (uint32_t len = 0; len < 2; len++) {
		enter(true);
		remote_send(&world, &remote, remote.snd_nxt - 1, 0, len);
		scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
		is_answer();
		scene_close(&world);
	}
}
END_TEST

/* RFC 1337: an RST must not end TIME-WAIT; and it is never answered. */
START_TEST(pitfall_36_rst_does_not_end_time_wait)
{
	enter(true);
	for (uint32_t i = 0; i < 3; i++) {
		scene_raw(&world, &remote, remote.snd_nxt - 1 + i, remote.rcv_nxt,
			  WEIR_TCP_RST | (i == 2 ? WEIR_TCP_ACK : 0), 0);
		scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 0);
	}
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_53_answers_are_limited)
{
	enter(true);
	for (int i = 0; i < 20; i++)
		remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TIME_WAIT, 20, 1);
	ck_assert_uint_eq(tcp()->stats.answers_limited, 19);
	scene_pass(&world, 499 * SCENE_MS, 0);
	remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 0);
	scene_pass(&world, SCENE_MS, 0);
	remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
	scene_close(&world);
}
END_TEST

/* Both ends in TIME-WAIT after a simultaneous close: what one answers must not be answered by the
 * other, however long the path is. */
START_TEST(pitfall_53_acceptable_ack_is_not_answered)
{
	enter(true);
	for (int i = 0; i < 10; i++) {
		scene_pass(&world, SCENE_SEC, 0);
		remote_send(&world, &remote, remote.snd_nxt, 0, 0);
		scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 0);
	}
	scene_close(&world);
}
END_TEST

/* A SYN `seq` behind the FIN and `ts` behind the last timestamp: taken or not. */
static void
reopen(bool with_ts, int32_t seq, int32_t ts, bool taken)
{
	struct remote next;
	uint8_t options[12], len;

	enter(with_ts);
	next = remote;
	next.iss = remote.snd_nxt + (uint32_t)seq;
	next.tsval += (uint32_t)ts;
	len = scene_options(&next, options);
	scene_syn(&world, &next, 0, options, len);
	if (!taken) {
		scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
		is_answer();
		ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	} else {
		scene_expect(&world, SCENE_CONSUMED, 1, 1);
		scene_take_syn_ack(&next, world_last(&world));
		ck_assert_uint_eq(tcp()->stats.time_wait, 0);
		ck_assert_int_gt((int32_t)(next.rcv_nxt - remote.rcv_nxt), 0);
		scene_pass(&world, 1000, 0);
		remote_stream(&world, &next, 0, 100);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
		scene_events(&world, "AD");
		scene_pass(&world, 70 * SCENE_SEC, 0); /* the old timer is gone */
		remote_stream(&world, &next, 0, 100);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
	}
	scene_close(&world);
}

START_TEST(pitfall_17_syn_with_newer_timestamp_reopens)
{
	reopen(true, 1000, 1, true);
	reopen(true, -1000, 1, true); /* RFC 6191: whatever the sequence number is */
	reopen(true, 0, 1, true);
	reopen(true, 1000, 0, true); /* same timestamp: by sequence number */
	reopen(true, 1, 0, true);
}
END_TEST

START_TEST(pitfall_17_syn_with_older_timestamp_does_not)
{
	reopen(true, 1000, -1, false);
	reopen(true, -1000, -1, false);
	reopen(true, -1000, 0, false);
}
END_TEST

START_TEST(pitfall_17_syn_without_timestamp_goes_by_sequence_number)
{
	reopen(false, 1, 0, true);
	reopen(false, 0x7ffffff0, 0, true); /* across the wrap of 2^32 */
	reopen(false, -1, 0, false);
	reopen(false, -0x7ffffff0, 0, false);
}
END_TEST

/* Only a plain SYN reopens. */
START_TEST(pitfall_17_syn_ack_does_not_reopen)
{
	enter(true);
	remote.tsval += 10;
	scene_raw(&world, &remote, remote.snd_nxt + 1000, remote.rcv_nxt,
		  WEIR_TCP_SYN | WEIR_TCP_ACK, 0);
	scene_expect(&world, WEIR_DROP_TIME_WAIT, 1, 1);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	ck_assert_uint_eq(tcp()->stats.syn_received, 0);
	scene_close(&world);
}
END_TEST

/* PITFALLS 17: a closed connection leaves nothing in the way either. */
START_TEST(pitfall_17_syn_for_a_closed_connection)
{
	uint8_t options[12], len;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_LAST_ACK);
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	scene_events(&world, "Cd");
	len = scene_options(&remote, options);
	scene_syn(&world, &remote, 0, options, len);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	scene_take_syn_ack(&remote, world_last(&world));
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	scene_events(&world, "AD");
	scene_close(&world);
}
END_TEST

/* No entry left: the connection ends without TIME-WAIT, as done. */
START_TEST(full_table_ends_at_once)
{
	struct weir_config config;

	world_config(&config);
	config.time_wait_entries = 2;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	for (uint16_t i = 0; i < 5; i++) {
		scene_enter(&world, &remote, (uint16_t)(40000 + i), WEIR_TCP_FIN_WAIT_2);
		remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
		scene_expect(&world, SCENE_CONSUMED, 1,
			     1); /* the FIN is acknowledged all the same */
		ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
		scene_events(&world, "Cd");
		ck_assert_uint_eq(tcp()->stats.time_wait, i < 2 ? i + 1u : 2u);
	}
	remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_RST);
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, lasts_exactly_its_time);
	UNIT_CASE(s, fin_again_is_answered_and_starts_the_time_again);
	UNIT_CASE(s, other_segments_do_not_prolong_it);
	UNIT_CASE(s, works_without_timestamps);
	UNIT_CASE(s, pitfall_38_keepalive_is_answered_in_time_wait);
	UNIT_CASE(s, pitfall_36_rst_does_not_end_time_wait);
	UNIT_CASE(s, pitfall_53_answers_are_limited);
	UNIT_CASE(s, pitfall_53_acceptable_ack_is_not_answered);
	UNIT_CASE(s, pitfall_17_syn_with_newer_timestamp_reopens);
	UNIT_CASE(s, pitfall_17_syn_with_older_timestamp_does_not);
	UNIT_CASE(s, pitfall_17_syn_without_timestamp_goes_by_sequence_number);
	UNIT_CASE(s, pitfall_17_syn_ack_does_not_reopen);
	UNIT_CASE(s, pitfall_17_syn_for_a_closed_connection);
	UNIT_CASE(s, full_table_ends_at_once);
}

UNIT_MAIN("time_wait", add)
