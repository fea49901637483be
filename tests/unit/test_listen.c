/* SPDX-License-Identifier: BSD-3-Clause */
/* LISTEN, SYN-RECEIVED, and segments that belong to no connection. */
#include <string.h>

#include "tests/unit/listening.h"

/* ---- nobody there ---- */

START_TEST(segments_to_a_closed_port_are_reset)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote.to = 9999;
	scene_syn(&world, &remote, 0, NULL, 0);
	scene_expect(&world, WEIR_DROP_NO_FLOW, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST | WEIR_TCP_ACK, 0, remote.iss + 1);
	scene_raw(&world, &remote, 77, 0, WEIR_TCP_FIN, 10);
	scene_expect(&world, WEIR_DROP_NO_FLOW, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST | WEIR_TCP_ACK, 0, 77 + 10 + 1);
	scene_raw(&world, &remote, 77, 12345, WEIR_TCP_ACK, 10);
	scene_expect(&world, WEIR_DROP_NO_FLOW, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST, 12345, 0);
	scene_raw(&world, &remote, 77, 12345, WEIR_TCP_SYN | WEIR_TCP_ACK, 0);
	scene_expect(&world, WEIR_DROP_NO_FLOW, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST, 12345, 0);
	ck_assert_uint_eq(tcp()->stats.resets_sent, 4);
	scene_close(&world);
}
END_TEST

START_TEST(a_listener_takes_nothing_but_syn)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	scene_raw(&world, &remote, 77, 12345, WEIR_TCP_ACK, 0);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST, 12345, 0);
	scene_raw(&world, &remote, 77, 12345, WEIR_TCP_SYN | WEIR_TCP_ACK, 0);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 1);
	is_reset(world_last(&world), WEIR_TCP_RST, 12345, 0);
	scene_raw(&world, &remote, 77, 12345, WEIR_TCP_FIN, 5);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 0);
	ck_assert_uint_eq(tcp()->stats.syn_received, 0);
	scene_close(&world);
}
END_TEST

START_TEST(pitfall_36_rst_is_never_answered)
{
	static const uint8_t flags[] = {WEIR_TCP_RST, WEIR_TCP_RST | WEIR_TCP_ACK,
					WEIR_TCP_RST | WEIR_TCP_FIN | WEIR_TCP_PSH};

	scene_open(&world, 1 << 20);
	for (int i = 0; i < 3; i++) {
		remote_init(&remote, 40000);
		scene_raw(&world, &remote, 77, 12345, flags[i], (uint32_t)i);
		scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 1, 0);
		remote.to = 9999;
		scene_raw(&world, &remote, 77, 12345, flags[i], (uint32_t)i);
		scene_expect(&world, WEIR_DROP_NO_FLOW, 1, 0);
	}
	scene_enter(&world, &remote, 40001, SCENE_SYN_RECEIVED);
	scene_raw(&world, &remote, remote.iss, 0, WEIR_TCP_RST, 0);
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 0);
	scene_raw(&world, &remote, remote.edge + 1, 0, WEIR_TCP_RST, 0);
	scene_expect(&world, WEIR_DROP_TCP_RST_INVALID, 1, 0);
	ck_assert_uint_eq(tcp()->stats.resets_sent, 0);
	scene_close(&world);
}
END_TEST

/* 256 at once, 16 more each millisecond. */
START_TEST(resets_are_limited)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	world.now_ns += SCENE_SEC - world.now_ns % SCENE_MS;
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < 60; k++)
			scene_raw(&world, &remote, 77, 1, WEIR_TCP_ACK, 0);
		scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 60, i < 4 ? 60 : 16);
	}
	ck_assert_uint_eq(tcp()->stats.answers_limited, 44);
	scene_pass(&world, 2 * SCENE_MS, 0);
	for (int k = 0; k < 60; k++)
		scene_raw(&world, &remote, 77, 1, WEIR_TCP_ACK, 0);
	scene_expect(&world, WEIR_DROP_LISTEN_BAD_ACK, 60, 32);
	ck_assert_uint_eq(tcp()->stats.resets_sent, 256 + 32);
	scene_close(&world);
}
END_TEST

/* ---- options ---- */

/* Every combination of timestamps, SACK and window scale ends in a connection that uses just these.
 */
START_TEST(options_are_used_as_agreed)
{
	scene_open(&world, 1 << 20);
	for (uint16_t i = 0; i < 8; i++) {
		remote_init(&remote, (uint16_t)(40000 + i));
		remote.ts = (i & 1) != 0;
		remote.sack = (i & 2) != 0;
		remote.wscale = (i & 4) != 0 ? 7 : -1;
		remote_open(&world, &remote);
		ck_assert_uint_eq(world.replies[0].mss, 1460);
		ck_assert_uint_eq(scene_flow(&world, &remote)->opts,
				  (remote.ts ? WEIR_FLOW_TS : 0) |
				      (remote.sack ? WEIR_FLOW_SACK : 0) |
				      (remote.wscale > 0 ? WEIR_FLOW_WS : 0));
		ck_assert_uint_eq(scene_flow(&world, &remote)->snd_wnd,
				  65535u << (remote.wscale > 0 ? 7 : 0));
		ck_assert(remote.wscale > 0 ? remote.shift == 5 : remote.shift == 0);
		ck_assert_uint_eq(scene_flow(&world, &remote)->limit,
				  remote.wscale > 0 ? 1 << 20 : UINT16_MAX);
		remote_send(&world, &remote, remote.snd_nxt + 100, 0, 100);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
		ck_assert_uint_eq(world_last(&world)->n_sacks, remote.sack);
		ck_assert_uint_eq(world_last(&world)->has_ts, remote.ts);
		remote_stream(&world, &remote, 0, 100);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
		ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt + 100);
		ck_assert_uint_le((uint32_t)world_last(&world)->win << remote.shift, 1 << 20);
		ck_assert_uint_ge((uint32_t)world_last(&world)->win << remote.shift,
				  remote.wscale > 0 ? (1 << 20) - 200 - 31 : 65535 - 200);
		ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), 0);
		scene_pass(&world, 1000, 1);
		world_forget(&world);
	}
	scene_close(&world);
}
END_TEST

START_TEST(ecn_is_agreed_by_both_flags_only)
{
	scene_open(&world, 1 << 20);
	for (uint16_t i = 0; i < 4; i++) {
		uint8_t flags = (uint8_t)(i << 6);

		remote_init(&remote, (uint16_t)(40000 + i));
		scene_syn(&world, &remote, flags, NULL, 0);
		scene_expect(&world, SCENE_CONSUMED, 1, 1);
		ck_assert_uint_eq(world_last(&world)->flags,
				  WEIR_TCP_SYN | WEIR_TCP_ACK | (i == 3 ? WEIR_TCP_ECE : 0));
		scene_take_syn_ack(&remote, world_last(&world));
		complete();
		ck_assert_uint_eq(scene_flow(&world, &remote)->opts & WEIR_FLOW_ECN,
				  i == 3 ? WEIR_FLOW_ECN : 0);
	}
	scene_close(&world);
}
END_TEST

struct syn_case {
	uint8_t len;
	uint8_t options[24];
	uint16_t mss;  /* as agreed */
	int8_t wscale; /* of the SYN-ACK >= 0 when this is, which is what the peer then scales by */
	bool sack;
};

/* A SYN is answered whatever its options are; what cannot be read counts as absent. */
START_TEST(pitfall_07_malformed_syn_options)
{
	static const struct syn_case cases[] = {
	    {0, {0}, 536, -1, false},
	    {4, {2, 4, 0, 0}, 536, -1, false}, /* MSS 0 */
	    {4, {2, 4, 0, 1}, 64, -1, false},  /* tiny MSS */
	    {4, {2, 4, 255, 255}, 65535, -1, false},
	    {4, {2, 3, 5, 1}, 536, -1, false},			       /* MSS of a wrong length */
	    {4, {2, 0, 5, 180}, 536, -1, false},		       /* length 0 */
	    {4, {4, 1, 3, 3}, 536, -1, false},			       /* length 1 */
	    {8, {2, 4, 5, 180, 3, 9, 7, 0}, 1460, -1, false},	       /* beyond the end */
	    {8, {2, 4, 5, 180, 1, 1, 1, 3}, 1460, -1, false},	       /* a lone kind byte */
	    {8, {2, 4, 5, 180, 3, 4, 7, 0}, 1460, -1, false},	       /* scale of a wrong length */
	    {8, {0, 3, 7, 4, 2, 2, 4, 5}, 536, -1, false},	       /* all behind the end */
	    {12, {99, 6, 1, 2, 3, 4, 4, 2, 3, 3, 2, 0}, 536, 2, true}, /* unknown first */
	    {12, {4, 3, 0, 2, 4, 5, 180, 3, 3, 0, 0, 0}, 1460, 0, false},
	    {4, {3, 3, 14, 0}, 536, 14, false},
	    {4, {3, 3, 15, 0}, 536, 14, false}, /* RFC 7323 2.3: as 14 */
	    {4, {3, 3, 255, 0}, 536, 14, false},
	    {8, {3, 3, 3, 3, 3, 9, 0, 0}, 536, 9, false}, /* twice: the last counts */
	};

	scene_open(&world, 1 << 20);
	for (uint16_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct syn_case *c = &cases[i];
		const struct reply *reply;
		uint32_t entry;

		remote_init(&remote, (uint16_t)(40000 + i));
		remote.ts = false;
		scene_syn(&world, &remote, 0, c->options, c->len);
		scene_expect(&world, SCENE_CONSUMED, 1, 1);
		reply = world_last(&world);
		scene_take_syn_ack(&remote, reply);
		ck_assert_int_eq(reply->wscale, c->wscale < 0 ? -1 : 5);
		ck_assert_uint_eq(reply->sack_permitted, c->sack);
		ck_assert_uint_eq(reply->has_ts, 0);
		entry = tcp()->syn_free.touched - 1;
		ck_assert_uint_eq(tcp()->syns[entry].mss, c->mss);
		complete();
		ck_assert_uint_eq(scene_flow(&world, &remote)->snd_wscale,
				  c->wscale < 0 ? 0 : (uint32_t)c->wscale);
		ck_assert_uint_eq(scene_flow(&world, &remote)->max_snd_wnd,
				  65535u << (c->wscale < 0 ? 0 : c->wscale));
		ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), 0);
		world_poll(&world, 1000);
		world_forget(&world);
	}
	scene_close(&world);
}
END_TEST

/* ---- windows ---- */

START_TEST(pitfall_14_windows_of_syn_and_syn_ack_are_not_scaled)
{
	struct frame_spec spec;
	uint8_t options[12];

	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote_spec(&remote, &spec, remote.iss, WEIR_TCP_SYN, NULL, 0);
	spec.tcp_options_len = scene_options(&remote, options);
	spec.tcp_options = options;
	spec.win = 40000; /* would be 5 MB scaled: a bound for forged ACKs far too wide */
	world_inject(&world, frame_build(&world.pool, &spec));
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	scene_take_syn_ack(&remote, world_last(&world));
	ck_assert_uint_gt(remote.shift, 0);
	ck_assert_uint_ge(world_last(&world)->win, 2 * 1460);
	/* what was advertised is what is enforced, to the byte */
	remote_send(&world, &remote, remote.edge, 0, 100);
	scene_expect(&world, WEIR_DROP_SYN_RECEIVED_INVALID, 1, 1);
	is_syn_received_ack(world_last(&world));
	remote_send(&world, &remote, remote.edge - 100, 0, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	scene_events(&world, "A");
	remote.conn = world.events[0].conn;
	ck_assert_uint_eq(world_last(&world)->n_sacks, 1);
	ck_assert_uint_eq(world_last(&world)->sacks[0][1], remote.edge);
	ck_assert_uint_eq(scene_flow(&world, &remote)->max_snd_wnd, 65535u << 7);
	ck_assert_uint_eq(scene_flow(&world, &remote)->rcv_adv, remote.edge);
	scene_close(&world);
}
END_TEST

/* ---- no room ---- */

START_TEST(full_flow_table_refuses)
{
	struct remote first, second;

	open_world(1, 8);
	remote_init(&remote, 40000);
	half_open();
	first = remote;
	remote_init(&remote, 40001);
	half_open();
	second = remote;
	remote = first;
	complete();
	first = remote;
	remote_init(&remote, 40002);
	scene_syn(&world, &remote, 0, NULL, 0);
	scene_expect(&world, WEIR_DROP_SYN_REFUSED, 1, 0);
	remote = second; /* half open before the last flow was taken */
	remote_stream(&world, &remote, 0, 10);
	scene_expect(&world, WEIR_DROP_SYN_REFUSED, 1, 0);
	scene_events(&world, "");
	ck_assert_int_eq(weir_conn_abort(world.stack, first.conn), 0);
	scene_pass(&world, 1000, 1);
	scene_events(&world, "Ca");
	remote_send(&world, &remote, second.snd_nxt, 0, 10); /* again, now with room */
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	scene_events(&world, "AD");
	scene_close(&world);
}
END_TEST

START_TEST(short_memory_refuses)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	tcp()->held_bufs = tcp()->budget_bufs;
	scene_syn(&world, &remote, 0, NULL, 0);
	scene_expect(&world, WEIR_DROP_SYN_REFUSED, 1, 0);
	tcp()->held_bufs = (tcp()->budget_bufs * 31 + 31) / 32;
	scene_syn(&world, &remote, 0, NULL, 0);
	scene_expect(&world, WEIR_DROP_SYN_REFUSED, 1, 0);
	ck_assert_uint_eq(tcp()->stats.refused, 2);
	tcp()->held_bufs = tcp()->budget_bufs * 31 / 32 - 1; /* before that, others give */
	half_open();
	tcp()->held_bufs = 0;
	complete();
	scene_close(&world);
}
END_TEST

/* ---- numbers ---- */

static uint32_t
first_iss(uint64_t seed, uint64_t now_ns, uint16_t port)
{
	struct weir_config config;
	uint32_t iss;

	world_config(&config);
	config.seed = seed;
	config.now_ns = now_ns;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	remote_init(&remote, port);
	half_open();
	iss = world_last(&world)->seq;
	scene_close(&world);
	return iss;
}

/* RFC 6528: by a secret and the connection, and ahead by one each 4 us. */
START_TEST(initial_sequence_numbers)
{
	const uint32_t base = first_iss(1, SCENE_SEC, 40000);
	uint32_t ahead = first_iss(1, 2 * SCENE_SEC, 40000) - base;

	ck_assert_uint_eq(first_iss(1, SCENE_SEC, 40000), base);
	ck_assert(ahead > 240000 && ahead < 250000);
	ck_assert_uint_ne(first_iss(2, SCENE_SEC, 40000), base);
	ck_assert_uint_gt(first_iss(1, SCENE_SEC, 40001) - base + 65536, 131072);
}
END_TEST

START_TEST(listeners_are_found_by_port)
{
	struct weir_listen_config config;

	scene_open(&world, 1 << 20);
	weir_listen_config_init(&config);
	config.port = 80;
	config.receive_buffer = 65536;
	config.cookie = 99;
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	ck_assert_uint_eq(weir_listen_find(tcp(), 80)->cookie, 99);
	ck_assert_uint_eq(weir_listen_find(tcp(), WORLD_PORT)->port, WORLD_PORT);
	ck_assert_ptr_null(weir_listen_find(tcp(), 81));
	remote_init(&remote, 40000);
	remote.to = 80;
	half_open();
	complete();
	ck_assert_uint_eq(world.events[0].cookie, 99);
	ck_assert_uint_eq(scene_flow(&world, &remote)->limit, 65536);
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, segments_to_a_closed_port_are_reset);
	UNIT_CASE(s, a_listener_takes_nothing_but_syn);
	UNIT_CASE(s, pitfall_36_rst_is_never_answered);
	UNIT_CASE(s, resets_are_limited);
	UNIT_CASE(s, options_are_used_as_agreed);
	UNIT_CASE(s, ecn_is_agreed_by_both_flags_only);
	UNIT_CASE(s, pitfall_07_malformed_syn_options);
	UNIT_CASE(s, pitfall_14_windows_of_syn_and_syn_ack_are_not_scaled);
	UNIT_CASE(s, full_flow_table_refuses);
	UNIT_CASE(s, short_memory_refuses);
	UNIT_CASE(s, initial_sequence_numbers);
	UNIT_CASE(s, listeners_are_found_by_port);
}

UNIT_MAIN("listen", add)
