/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN-RECEIVED: from a SYN to a connection, or to nothing. */
#include "tests/unit/listening.h"

/* ---- time ---- */

/* Until the next SYN-ACK, in milliseconds; at most `most`. */
static uint32_t
quiet_ms(uint32_t most)
{
	for (uint32_t ms = 1; ms <= most; ms++) {
		world.n_replies = 0;
		if (world_poll(&world, SCENE_MS) != 0)
			return ms;
	}
	return 0;
}

START_TEST(pitfall_15_half_open_connection_expires)
{
	struct reply first;

	scene_open(&world, 1 << 20);
	world.now_ns -= world.now_ns % SCENE_MS;
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	first = *world_last(&world);
	for (uint32_t wait = 1000; wait <= 16000; wait *= 2) {
		const struct reply *again;

		ck_assert_uint_eq(quiet_ms(64000), wait);
		ck_assert_uint_eq(world.n_replies, 1);
		again = world_last(&world);
		ck_assert_uint_eq(again->flags, first.flags);
		ck_assert_uint_eq(again->seq, first.seq);
		ck_assert_uint_eq(again->ack, first.ack);
		ck_assert_uint_eq(again->win, first.win);
		ck_assert_uint_eq(again->tsval - first.tsval, 2 * wait - 1000);
	}
	ck_assert_uint_eq(quiet_ms(31999), 0);
	ck_assert_uint_eq(tcp()->stats.syn_received, 1);
	ck_assert_uint_eq(quiet_ms(1), 0);
	ck_assert_uint_eq(tcp()->stats.syn_received, 0);
	ck_assert_uint_eq(quiet_ms(20000), 0);
	scene_events(&world, "");
	remote_send(&world, &remote, remote.snd_nxt, 0, 0); /* too late */
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST, remote.rcv_nxt, 0);
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_15_full_backlog_does_not_lock_the_listener)
{
	open_world(64, 4);
	tcp()->listeners[0].cookies = false;
	for (uint16_t i = 0; i < 4; i++) {
		remote_init(&remote, (uint16_t)(40000 + i));
		half_open();
	}
	for (uint16_t i = 4; i < 10; i++) {
		remote_init(&remote, (uint16_t)(40000 + i));
		scene_syn(&world, &remote, 0, NULL, 0);
		scene_expect(&world, WEIR_DROP_SYN_BACKLOG, 1, 0);
	}
	for (uint32_t ms = 0; ms < 63000; ms += 10)
		world_poll(&world, 10 * SCENE_MS);
	remote_init(&remote, 40009);
	half_open();
	complete();
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_15_full_backlog_answers_by_cookies)
{
	open_world(64, 4);
	for (uint16_t i = 0; i < 4; i++) {
		remote_init(&remote, (uint16_t)(40000 + i));
		half_open();
	}
	for (uint16_t i = 4; i < 10; i++) {
		const struct weir_flow *flow;

		remote_init(&remote, (uint16_t)(40000 + i));
		remote.ecn = i % 2 != 0;
		half_open();
		ck_assert_uint_eq(tcp()->stats.syn_received, 4);
		ck_assert_uint_eq(tcp()->table.count, i);
		complete();
		flow = scene_flow(&world, &remote);
		ck_assert_uint_eq(flow->opts, WEIR_FLOW_TS | WEIR_FLOW_SACK | WEIR_FLOW_WS);
		ck_assert_uint_eq(flow->snd_wscale, 7);
		ck_assert_uint_eq(flow->rcv_adv, remote.edge);
		ck_assert_uint_eq(flow->iss + 1, remote.rcv_nxt);
		ck_assert_uint_eq(flow->irs + 1, remote.snd_nxt);
		ck_assert_uint_eq(flow->snd_wnd, 65535u << 7);
	}
	ck_assert_uint_eq(tcp()->stats.cookies_sent, 6);
	ck_assert_uint_eq(tcp()->stats.cookies_accepted, 6);
	ck_assert_uint_eq(tcp()->stats.cookies_refused, 0);
	scene_close(&world);
}
END_TEST

START_TEST(backlog_is_its_listeners)
{
	open_world(64, 16);
	tcp()->listeners[0].backlog = 2;
	for (uint16_t i = 0; i < 3; i++) {
		remote_init(&remote, (uint16_t)(40000 + i));
		half_open();
	}
	ck_assert_uint_eq(tcp()->stats.syn_received, 2);
	ck_assert_uint_eq(tcp()->listener_uses[0].half_open, 2);
	ck_assert_uint_eq(tcp()->stats.cookies_sent, 1);
	for (uint32_t ms = 0; ms < 63000; ms += 10)
		world_poll(&world, 10 * SCENE_MS);
	ck_assert_uint_eq(tcp()->listener_uses[0].half_open, 0);
	ck_assert_uint_eq(tcp()->stats.syn_expired, 2);
	scene_close(&world);
}
END_TEST

/* ---- SYN again, ACK lost ---- */

START_TEST(pitfall_18_syn_again_with_other_options)
{
	struct reply first;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	first = *world_last(&world);
	remote.ts = false;
	for (int i = 0; i < 3; i++) {
		const struct reply *again;

		scene_syn(&world, &remote, 0, (const uint8_t[]){2, 4, 2, 24, 3, 3, 1, 0}, 8);
		scene_expect(&world, SCENE_CONSUMED, 1, 1);
		again = world_last(&world);
		ck_assert_uint_eq(again->seq, first.seq);
		ck_assert_uint_eq(again->win, first.win);
		ck_assert_int_eq(again->wscale, first.wscale);
		ck_assert_uint_eq(again->has_ts, 1);
		ck_assert_uint_eq(again->tsecr, first.tsecr);
		ck_assert_uint_eq(again->sack_permitted, 1);
	}
	ck_assert_uint_eq(tcp()->stats.syn_received, 1);
	remote.ts = true;
	complete();
	ck_assert_uint_eq(scene_flow(&world, &remote)->snd_wscale, 7);
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_18_final_ack_lost_and_data_arrives_first)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	remote_stream(&world, &remote, 0, 100);
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 2, 2);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world.events[1].bytes, 200);
	scene_events(&world, "AD");
	ck_assert_uint_eq(tcp()->stats.syn_received, 0);
	/* the late ACK is nothing new */
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_18_data_out_of_order_completes_too)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	remote_send(&world, &remote, remote.snd_nxt + 100, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 1);
	scene_events(&world, "A");
	remote_send(&world, &remote, remote.snd_nxt, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt + 200);
	scene_events(&world, "D");
	scene_close(&world);
}
END_TEST

/* ---- SYN-RECEIVED ---- */

START_TEST(pitfall_16_fin_completes_a_handshake)
{
	scene_open(&world, 1 << 20);
	for (uint32_t len = 0; len < 100; len += 50) {
		scene_enter(&world, &remote, (uint16_t)(40000 + len), SCENE_SYN_RECEIVED);
		remote_stream(&world, &remote, WEIR_TCP_FIN, len);
		world.n_replies = 0;
		world_poll(&world, 1000);
		ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
		remote.conn = world.events[0].conn;
		scene_events(&world, len == 0 ? "AF" : "ADF");
		ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_CLOSE_WAIT);
	}
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_16_syn_with_data)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	scene_raw(&world, &remote, remote.iss, 0, WEIR_TCP_SYN, 100);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	scene_take_syn_ack(&remote, world_last(&world)); /* the SYN alone is acknowledged */
	scene_events(&world, "");
	remote_stream(&world, &remote, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	scene_events(&world, "AD");
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_16_what_syn_received_does_not_accept)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_FIN | WEIR_TCP_PSH, 10);
	scene_expect(&world, WEIR_DROP_TCP_NO_ACK, 1, 0);
	scene_raw(&world, &remote, remote.snd_nxt, remote.rcv_nxt + 1, WEIR_TCP_ACK, 10);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST, remote.rcv_nxt + 1, 0);
	scene_raw(&world, &remote, remote.snd_nxt, remote.rcv_nxt - 1, WEIR_TCP_ACK, 10);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	remote_send(&world, &remote, remote.iss, 0, 0);
	scene_expect(&world, WEIR_DROP_SYN_RECEIVED_INVALID, 1, 1);
	is_syn_received_ack(world_last(&world));
	scene_raw(&world, &remote, remote.iss + 5, 0, WEIR_TCP_SYN, 0);
	scene_expect(&world, WEIR_DROP_SYN_RECEIVED_INVALID, 1, 1);
	is_syn_received_ack(world_last(&world));
	scene_raw(&world, &remote, remote.iss, remote.rcv_nxt, WEIR_TCP_SYN | WEIR_TCP_ACK, 0);
	scene_expect(&world, WEIR_DROP_SYN_RECEIVED_INVALID, 1, 1);
	is_syn_received_ack(world_last(&world));
	remote.tsval--;
	remote_send(&world, &remote, remote.snd_nxt, 0, 10);
	scene_expect(&world, WEIR_DROP_TCP_PAWS, 1, 1);
	is_syn_received_ack(world_last(&world));
	remote.tsval++;
	scene_events(&world, "");
	complete();
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_36_rst_in_syn_received)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, SCENE_SYN_RECEIVED);
	scene_raw(&world, &remote, remote.snd_nxt + 1, 0, WEIR_TCP_RST, 0);
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 1);
	is_syn_received_ack(world_last(&world));
	remote.tsval -= 1000; /* exempt from PAWS */
	scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	ck_assert_uint_eq(tcp()->stats.syn_received, 0);
	ck_assert_uint_eq(tcp()->stats.resets_received, 1);
	scene_events(&world, "");
	scene_pass(&world, 2 * SCENE_SEC, 0);
	scene_close(&world);
}
END_TEST

/* The SYN-ACK's window is not scaled, that of an ACK in SYN-RECEIVED is: both name the same edge. */
START_TEST(the_first_edge_needs_no_rounding)
{
	static const uint32_t buffers[] = {4096, 65536, 100000, 1 << 20, (1 << 24) + 1, 1 << 30};

	for (uint32_t i = 0; i < 6; i++) {
		uint32_t edge;

		scene_open(&world, buffers[i]);
		remote_init(&remote, 40000);
		half_open();
		edge = world_last(&world)->ack + world_last(&world)->win;
		scene_raw(&world, &remote, remote.snd_nxt + (1 << 30), remote.rcv_nxt, WEIR_TCP_ACK, 0);
		scene_expect(&world, WEIR_DROP_SYN_RECEIVED_INVALID, 1, 1);
		ck_assert_uint_eq(world_last(&world)->ack +
					  ((uint32_t)world_last(&world)->win << remote.shift),
				  edge);
		scene_close(&world);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, the_first_edge_needs_no_rounding);
	UNIT_CASE(s, pitfall_15_half_open_connection_expires);
	UNIT_CASE(s, pitfall_15_full_backlog_does_not_lock_the_listener);
	UNIT_CASE(s, pitfall_15_full_backlog_answers_by_cookies);
	UNIT_CASE(s, backlog_is_its_listeners);
	UNIT_CASE(s, pitfall_18_syn_again_with_other_options);
	UNIT_CASE(s, pitfall_18_final_ack_lost_and_data_arrives_first);
	UNIT_CASE(s, pitfall_18_data_out_of_order_completes_too);
	UNIT_CASE(s, pitfall_16_fin_completes_a_handshake);
	UNIT_CASE(s, pitfall_16_syn_with_data);
	UNIT_CASE(s, pitfall_16_what_syn_received_does_not_accept);
	UNIT_CASE(s, pitfall_36_rst_in_syn_received);
}

UNIT_MAIN("listen_half_open", add)
