/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of a connection from birth to end, its timers and its events. */
#include <errno.h>
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;
static struct remote remote;

static struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

static void
is_segment(const struct reply *reply, uint8_t flags, uint32_t seq)
{
	ck_assert_uint_eq(reply->flags, flags);
	ck_assert_uint_eq(reply->seq, seq);
	ck_assert_uint_eq(reply->ack, remote.snd_nxt);
	ck_assert_uint_eq(reply->len, 0);
	ck_assert_uint_eq(reply->has_ts, 1);
}

static void
discard(uint32_t len)
{
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, len), (int)len);
}

/* ---- orderly ends ---- */

START_TEST(peer_closes_first)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	scene_events(&world, "A");
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	ck_assert_uint_eq(world.events[1].bytes, 100);
	scene_events(&world, "DF");
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_CLOSE_WAIT);
	scene_pass(&world, 100 * SCENE_SEC, 0); /* half closed, as long as the application likes */
	discard(100);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 1);
	is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_LAST_ACK);
	scene_events(&world, "");
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	ck_assert_uint_eq(world.events[0].bytes, 100);
	ck_assert_uint_eq(world.events[0].conn, remote.conn);
	scene_events(&world, "Cd");
	ck_assert_uint_eq(tcp()->stats.time_wait, 0);
	ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), -EBADF);
	scene_pass(&world, 300 * SCENE_SEC, 0);
	scene_close(&world);
}
END_TEST

START_TEST(we_close_first)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_FIN_WAIT_1);
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_FIN_WAIT_2);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	is_segment(world_last(&world), WEIR_TCP_ACK, remote.rcv_nxt);
	scene_events(&world, "Cd"); /* no FIN event: the application closed */
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	scene_close(&world);
}
END_TEST

/* FIN that acknowledges ours: FIN-WAIT-1 to TIME-WAIT in one segment. */
START_TEST(fin_and_its_ack_in_one_segment)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_FIN_WAIT_1);
	remote.rcv_nxt++;
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	is_segment(world_last(&world), WEIR_TCP_ACK, remote.rcv_nxt);
	scene_events(&world, "Cd");
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_37_simultaneous_close)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_FIN_WAIT_1);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0); /* crosses ours */
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	is_segment(world_last(&world), WEIR_TCP_ACK, remote.rcv_nxt + 1);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_CLOSING);
	scene_events(&world, "");
	scene_pass(&world, SCENE_SEC, 1); /* ours again, with what we know now */
	is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	scene_events(&world, "Cd");
	ck_assert_uint_eq(tcp()->stats.time_wait, 1);
	scene_pass(&world, 59 * SCENE_SEC, 0);
	scene_close(&world);
}
END_TEST

/* Both have said FIN before anybody read: what is unread at the peer's FIN can still be read. */
START_TEST(pitfall_37_half_close_keeps_unread_data)
{
	uint8_t data[300];

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	for (int i = 0; i < 3; i++)
		remote_stream(&world, &remote, i == 2 ? WEIR_TCP_FIN : 0, 100);
	world_poll(&world, 1000);
	scene_events(&world, "DF");
	scene_pass(&world, 1000 * SCENE_SEC, 0);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, data, 300), 300);
	for (uint32_t i = 0; i < 300; i++)
		ck_assert_uint_eq(data[i], remote_byte(i));
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 1);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_LAST_ACK);
	scene_close(&world);
}
END_TEST

/* ---- FIN retransmission ---- */

/* From `state`, whose FIN is not acknowledged: sent again after 1, 2, 4 .. 64 s, and after 128 s
 * more the connection is given up. */
static void
fin_backs_off(uint32_t state)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, state);
	world.now_ns = SCENE_SEC; /* of close, to the millisecond */
	for (uint64_t wait = 1000; wait <= 64000; wait *= 2) {
		scene_pass(&world, (wait - 1) * SCENE_MS, 0);
		scene_pass(&world, SCENE_MS, 1);
		is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
		ck_assert_uint_eq(scene_state(&world, &remote), state);
	}
	scene_pass(&world, 127999 * SCENE_MS, 0);
	scene_events(&world, "");
	scene_pass(&world, SCENE_MS, 0);
	scene_events(&world, "Ct");
	ck_assert_uint_eq(tcp()->stats.time_wait, 0);
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	scene_close(&world);
}

START_TEST(fin_of_fin_wait_1_backs_off_and_times_out)
{
	fin_backs_off(WEIR_TCP_FIN_WAIT_1);
}
END_TEST

START_TEST(pitfall_37_closing_does_not_stick)
{
	fin_backs_off(WEIR_TCP_CLOSING);
}
END_TEST

START_TEST(pitfall_37_last_ack_does_not_stick)
{
	fin_backs_off(WEIR_TCP_LAST_ACK);
}
END_TEST

START_TEST(fin_wait_2_times_out)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_FIN_WAIT_1);
	world.now_ns = SCENE_SEC;
	scene_pass(&world, SCENE_SEC, 1); /* back-off has begun: it must not count here */
	scene_pass(&world, 2 * SCENE_SEC, 1);
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	world.now_ns -= 1000;
	scene_pass(&world, 59999 * SCENE_MS, 0);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_FIN_WAIT_2);
	scene_events(&world, "");
	scene_pass(&world, SCENE_MS, 0);
	scene_events(&world, "Ct");
	scene_close(&world);
}
END_TEST

/* ---- ends in anger ---- */

START_TEST(close_with_unread_data_resets)
{
	scene_open(&world, 1 << 20);
	for (uint16_t i = 0; i < 2; i++) { /* ESTABLISHED, CLOSE-WAIT */
		scene_enter(&world, &remote, (uint16_t)(40000 + i), WEIR_TCP_ESTABLISHED);
		remote_stream(&world, &remote, i == 1 ? WEIR_TCP_FIN : 0, 100);
		world_poll(&world, 1000);
		scene_events(&world, i == 1 ? "DF" : "D");
		discard(99);
		ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
		scene_pass(&world, 1000, 1);
		is_segment(world_last(&world), WEIR_TCP_RST | WEIR_TCP_ACK, remote.rcv_nxt);
		ck_assert_uint_eq(world.events[0].bytes, 100);
		scene_events(&world, "Ca");
		ck_assert_uint_eq(tcp()->held_bufs, 0);
	}
	ck_assert_uint_eq(tcp()->stats.resets_sent, 2);
	scene_close(&world);
}
END_TEST

START_TEST(abort_resets_in_every_state)
{
	scene_open(&world, 1 << 20);
	for (uint32_t s = WEIR_TCP_ESTABLISHED; s <= WEIR_TCP_LAST_ACK; s++) {
		bool fin = s != WEIR_TCP_ESTABLISHED && s != WEIR_TCP_CLOSE_WAIT;

		scene_enter(&world, &remote, (uint16_t)(40000 + s), s);
		ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), 0);
		ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), 0); /* no second RST */
		ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
		scene_pass(&world, 1000, 1);
		is_segment(world_last(&world), WEIR_TCP_RST | WEIR_TCP_ACK,
			   remote.rcv_nxt + (fin && s != WEIR_TCP_FIN_WAIT_2));
		scene_events(&world, "Ca");
		remote_send(&world, &remote, remote.snd_nxt, 0, 10);
		scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	}
	scene_pass(&world, 300 * SCENE_SEC, 0); /* no timer is left behind */
	scene_close(&world);
}
END_TEST

START_TEST(data_after_close_is_reset)
{
	scene_open(&world, 1 << 20);
	for (uint32_t s = WEIR_TCP_FIN_WAIT_1; s <= WEIR_TCP_FIN_WAIT_2; s++) {
		for (uint32_t gap = 0; gap < 100; gap += 50) {
			scene_enter(&world, &remote, (uint16_t)(40000 + 10 * s + gap), s);
			remote_send(&world, &remote, remote.snd_nxt + gap, 0, 100);
			scene_expect(&world, WEIR_DROP_TCP_CLOSED, 1, 1);
			is_segment(world_last(&world), WEIR_TCP_RST | WEIR_TCP_ACK,
				   remote.rcv_nxt + (s == WEIR_TCP_FIN_WAIT_1));
			scene_events(&world, "Ca");
		}
	}
	scene_close(&world);
}
END_TEST

/* What was already received may come again without harm. */
START_TEST(old_data_after_close_is_not_reset)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	discard(100);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 1);
	remote_send(&world, &remote, remote.snd_nxt - 100, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_OLD, 1, 1);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_FIN_WAIT_1);
	/* |100 old|FIN| */
	remote_send(&world, &remote, remote.snd_nxt - 100, WEIR_TCP_FIN, 100);
	remote.snd_nxt++;
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_CLOSING);
	scene_close(&world);
}
END_TEST

/* RST in the middle of a burst: what came before is delivered, what comes after has no connection.
 */
START_TEST(queued_segments_of_an_ended_connection_leave_by_name)
{
	struct weir_stats before;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	before = tcp()->stats;
	remote_stream(&world, &remote, 0, 100);
	scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
	for (int i = 0; i < 3; i++)
		remote_stream(&world, &remote, 0, 100);
	world_poll(&world, 1000);
	ck_assert_uint_eq(tcp()->stats.packets_delivered - before.packets_delivered, 1);
	ck_assert_uint_eq(tcp()->stats.packets_consumed - before.packets_consumed, 1);
	ck_assert_uint_eq(scene_drops(&world, WEIR_DROP_TCP_CLOSED), 3);
	ck_assert_uint_eq(tcp()->stats.packets_dropped - before.packets_dropped, 3);
	ck_assert_uint_eq(tcp()->stats.packets_queued, 0);
	scene_events(&world, "DCr");
	ck_assert_uint_eq(tcp()->held_bufs,
			  0); /* RST discards what is unread (RFC 9293 3.10.7.4) */
	scene_close(&world);
}
END_TEST

/* Data out of order goes home with the connection. */
START_TEST(reset_frees_what_is_out_of_order)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	for (uint32_t i = 1; i < 20; i += 2)
		remote_send(&world, &remote, remote.snd_nxt + 100 * i, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 10, 10);
	ck_assert_uint_eq(tcp()->held_bufs, 10);
	scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	ck_assert_uint_eq(tcp()->held_bufs, 0);
	scene_events(&world, "Cr");
	scene_close(&world);
}
END_TEST

/* ---- the handle ---- */

static uint32_t closed_calls;

static void
close_at_once(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_int_eq(weir_conn_close(stack, events[i].conn), 0);
		if (events[i].type != WEIR_EVENT_CLOSED)
			continue;
		closed_calls++;
		ck_assert_int_eq(weir_conn_discard(stack, events[i].conn, 1), 0);
	}
}

/* The handle is good until the handler of CLOSED returns, and no longer. */
START_TEST(closing_from_the_handler)
{
	scene_open(&world, 1 << 20);
	weir_stack_set_handler(world.stack, close_at_once, NULL);
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1); /* the FIN leaves in the same poll */
	is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
	remote.conn = tcp()->flows[0].conn;
	remote.rcv_nxt++;
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	ck_assert_uint_eq(closed_calls, 1);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), -EBADF);
	scene_close(&world);
}
END_TEST

START_TEST(closing_twice_sends_one_fin)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_FIN_WAIT_1);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 0);
	ck_assert_uint_eq(scene_flow(&world, &remote)->snd_nxt, remote.rcv_nxt + 1);
	scene_close(&world);
}
END_TEST

/* A lease outlives its connection and is no reason for an RST. */
START_TEST(leased_data_does_not_stop_a_polite_close)
{
	struct weir_span span;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 100);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, &span, 1), 1);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 1);
	is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	scene_events(&world, "DFCd");
	for (uint32_t i = 0; i < 100; i++)
		ck_assert_uint_eq(span.data[i], remote_byte(i));
	ck_assert_uint_eq(tcp()->held_bufs, 1);
	ck_assert_int_eq(weir_lease_release(world.stack, &span.lease, 1), 0);
	scene_close(&world);
}
END_TEST

/* ---- timers ---- */

/* One timer of the wheel serves two deadlines: the delayed ACK and the FIN. */
START_TEST(delayed_ack_leaves_after_40_ms)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	for (int i = 0; i < WEIR_TCP_QUICK_ACKS; i++) {
		remote_stream(&world, &remote, 0, 100);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
	}
	world.now_ns = SCENE_SEC + SCENE_MS - 1000;
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 0);
	scene_pass(&world, 39 * SCENE_MS, 0);
	scene_pass(&world, SCENE_MS, 1);
	is_segment(world_last(&world), WEIR_TCP_ACK, remote.rcv_nxt);
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 0);
	discard(100 * (WEIR_TCP_QUICK_ACKS + 2));
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 1); /* the FIN is the ACK, too */
	is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
	scene_pass(&world, 999 * SCENE_MS, 0);
	scene_pass(&world, SCENE_MS, 1);
	is_segment(world_last(&world), WEIR_TCP_FIN | WEIR_TCP_ACK, remote.rcv_nxt);
	scene_close(&world);
}
END_TEST

/* ---- accounts ---- */

START_TEST(time_is_booked_on_what_limits)
{
	struct weir_flow *flow;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	world.now_ns += SCENE_MS - world.now_ns % SCENE_MS;
	flow = scene_flow(&world, &remote);
	scene_pass(&world, 100 * SCENE_MS, 0);
	weir_flow_limited(tcp(), flow, WEIR_LIMIT_LOSS);
	scene_pass(&world, 30 * SCENE_MS, 0);
	weir_flow_limited(tcp(), flow, WEIR_LIMIT_APPLICATION);
	scene_pass(&world, 7 * SCENE_MS, 0);
	weir_flow_limited(tcp(), flow, WEIR_LIMIT_APPLICATION);
	scene_pass(&world, 5 * SCENE_MS, 0);
	scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	ck_assert_uint_eq(tcp()->stats.limited_ms[WEIR_LIMIT_LOSS], 30);
	ck_assert_uint_eq(tcp()->stats.limited_ms[WEIR_LIMIT_APPLICATION], 12);
	ck_assert_uint_eq(tcp()->stats.limited_ms[WEIR_LIMIT_MEMORY], 0);
	ck_assert(tcp()->stats.limited_ms[WEIR_LIMIT_SENDER] - 100 <= 1);
	scene_close(&world);
}
END_TEST

/* Through every kind of end, often: tables, slots, buffers and promises come back. */
START_TEST(pitfall_50_ends_give_everything_back)
{
	struct weir_config config;

	world_config(&config);
	config.flows = 4;
	config.time_wait_ms = 1;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	for (uint32_t i = 0; i < 700; i++) {
		uint32_t state = WEIR_TCP_ESTABLISHED + i % 6;

		scene_enter(&world, &remote, (uint16_t)(40000 + i), state);
		if (state == WEIR_TCP_ESTABLISHED) {
			remote_stream(&world, &remote, 0, 100);
			remote_send(&world, &remote, remote.snd_nxt + 10, 0, 100);
		}
		if (i % 4 == 0)
			scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
		world_poll(&world, SCENE_MS);
		if (i % 4 != 0)
			ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), 0);
		world_poll(&world, SCENE_MS);
		ck_assert_uint_eq(tcp()->flow_free.used, 0);
		ck_assert_uint_eq(world.stack->slots.used, 0);
		ck_assert_uint_eq(tcp()->held_bufs, 0);
		ck_assert_uint_eq(tcp()->wheel.armed, 0);
		ck_assert_uint_eq(tcp()->table.count, 0);
		world_forget(&world);
	}
	ck_assert_uint_eq(tcp()->stats.accepted, 700);
	ck_assert_uint_eq(tcp()->stats.closed, 700);
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, peer_closes_first);
	UNIT_CASE(s, we_close_first);
	UNIT_CASE(s, fin_and_its_ack_in_one_segment);
	UNIT_CASE(s, pitfall_37_simultaneous_close);
	UNIT_CASE(s, pitfall_37_half_close_keeps_unread_data);
	UNIT_CASE(s, fin_of_fin_wait_1_backs_off_and_times_out);
	UNIT_CASE(s, pitfall_37_closing_does_not_stick);
	UNIT_CASE(s, pitfall_37_last_ack_does_not_stick);
	UNIT_CASE(s, fin_wait_2_times_out);
	UNIT_CASE(s, close_with_unread_data_resets);
	UNIT_CASE(s, abort_resets_in_every_state);
	UNIT_CASE(s, data_after_close_is_reset);
	UNIT_CASE(s, old_data_after_close_is_not_reset);
	UNIT_CASE(s, queued_segments_of_an_ended_connection_leave_by_name);
	UNIT_CASE(s, reset_frees_what_is_out_of_order);
	UNIT_CASE(s, closing_from_the_handler);
	UNIT_CASE(s, closing_twice_sends_one_fin);
	UNIT_CASE(s, leased_data_does_not_stop_a_polite_close);
	UNIT_CASE(s, delayed_ack_leaves_after_40_ms);
	UNIT_CASE(s, time_is_booked_on_what_limits);
	UNIT_CASE(s, pitfall_50_ends_give_everything_back);
}

UNIT_MAIN("state", add)
