/* SPDX-License-Identifier: BSD-3-Clause */
/* Retransmission timeouts, and who waits for what. Scenes of it are in tests/scripts. */
#include <errno.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;
static struct remote remote;

static struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

/* RFC 6298 2.2, 2.4, 5.7: three times the sample, at least a second, or three after a loss. */
START_TEST(the_timeout_follows_the_sample)
{
	static const struct {
		uint32_t rtt_ms, retries, rto_ms;
	} cases[] = {
		{0, 0, 1000},	  {333, 0, 1000},	{334, 0, 1002},	     {1000, 0, 3000},
		{5000, 0, 15000}, {19999, 0, 59997},	{20000, 0, 60000},   {1u << 31, 0, 60000},
		{1, 1, 3000},	  {2000, 3, 6000},	{UINT32_MAX, 0, 1000}, {UINT32_MAX, 1, 3000},
	};
	struct weir_flow flow;

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		weir_timer_sample(&flow, cases[i].rtt_ms, cases[i].retries);
		ck_assert_uint_eq(flow.rto_ms, cases[i].rto_ms);
	}
}
END_TEST

/* The sample of a handshake: by the timestamp echoed, or by the clock when the SYN-ACK left once. */
START_TEST(the_handshake_is_the_sample)
{
	for (uint32_t i = 0; i < 4; i++) {
		bool ts = i % 2 == 0, again = i >= 2;
		uint8_t options[12], len;

		scene_open(&world, 1 << 20);
		remote_init(&remote, 40000);
		remote.ts = ts;
		len = scene_options(&remote, options);
		scene_syn(&world, &remote, 0, options, len);
		scene_expect(&world, SCENE_CONSUMED, 1, 1);
		scene_take_syn_ack(&remote, world_last(&world));
		if (again)
			scene_pass(&world, SCENE_SEC, 1);
		world.now_ns += 700 * SCENE_MS;
		remote_send(&world, &remote, remote.snd_nxt, 0, 0);
		scene_expect(&world, SCENE_CONSUMED, 1, 0);
		remote.conn = world.events[world.n_events - 1].conn;
		/* echoed is the first SYN-ACK's */
		ck_assert_uint_ge(scene_flow(&world, &remote)->rto_ms,
				  !again ? 2100 : ts ? 5100 : 3000);
		ck_assert_uint_le(scene_flow(&world, &remote)->rto_ms,
				  !again ? 2106 : ts ? 5106 : 3000);
		scene_close(&world);
	}
}
END_TEST

/* Nothing is armed for an idle connection, and the wheel is empty after every kind of end. */
START_TEST(no_timer_is_left)
{
	static const uint32_t states[] = {WEIR_TCP_ESTABLISHED, WEIR_TCP_FIN_WAIT_1,
					  WEIR_TCP_FIN_WAIT_2,	WEIR_TCP_CLOSE_WAIT,
					  WEIR_TCP_CLOSING,	WEIR_TCP_LAST_ACK};

	for (uint32_t i = 0; i < 6; i++) {
		scene_open(&world, 1 << 20);
		scene_enter(&world, &remote, 40000, states[i]);
		if (states[i] == WEIR_TCP_ESTABLISHED || states[i] == WEIR_TCP_CLOSE_WAIT)
			ck_assert_uint_eq(tcp()->wheel.armed, 0);
		else
			ck_assert_uint_eq(tcp()->wheel.armed, 1);
		ck_assert_uint_eq(tcp()->stats.orphans, tcp()->wheel.armed);
		ck_assert_int_eq(weir_conn_linger(world.stack, remote.conn, 100), 0);
		ck_assert_uint_eq(tcp()->wheel.armed, 1);
		ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), 0);
		ck_assert_uint_eq(tcp()->wheel.armed, 0);
		ck_assert_uint_eq(tcp()->stats.orphans, 0);
		scene_close(&world);
	}
}
END_TEST

static void
open_keepalive(void)
{
	const struct weir_listen_config config = {
		.size = sizeof(config),
		.port = 9001,
		.receive_buffer = 65536,
		.backlog = 16,
		.keepalive_ms = 1000,
		.keepalive_interval_ms = 100,
		.keepalive_probes = 2,
	};

	scene_open(&world, 1 << 20);
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	remote_init(&remote, 40000);
	remote.to = 9001;
	remote_open(&world, &remote);
	world_forget(&world);
}

/* The handshake's ACK is the first sign of life; a probe takes nothing from the stream. */
START_TEST(probes_are_answered_like_any_old_segment)
{
	uint32_t seq;

	open_keepalive();
	scene_pass(&world, 1001 * SCENE_MS, 1);
	seq = world_last(&world)->seq;
	ck_assert_uint_eq(seq, remote.rcv_nxt - 1);
	ck_assert_uint_eq(world_last(&world)->len, 0);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	/* data on the fast path counts, too */
	for (int i = 0; i < 40; i++) {
		remote_stream(&world, &remote, 0, 100);
		world_poll(&world, 900 * SCENE_MS);
	}
	/* one more fell due before the first: a late poll sends one, not several */
	ck_assert_uint_eq(tcp()->stats.keepalives, 2);
	weir_conn_discard(world.stack, remote.conn, 4000);
	world_poll(&world, 50 * SCENE_MS); /* the delayed ACK */
	world_forget(&world);
	scene_pass(&world, 951 * SCENE_MS, 1);
	scene_pass(&world, 100 * SCENE_MS, 1);
	scene_pass(&world, 100 * SCENE_MS, 0);
	scene_events(&world, "Ct");
	ck_assert_uint_eq(tcp()->stats.timeouts, 1);
	scene_close(&world);
}
END_TEST

START_TEST(settings_out_of_range_are_refused)
{
	const struct weir_listen_config good = {.size = sizeof(good),
						.port = 9001,
						.receive_buffer = 65536,
						.backlog = 16,
						.keepalive_interval_ms = 1,
						.keepalive_probes = 15};
	struct weir_listen_config bad[5];

	scene_open(&world, 1 << 20);
	for (int i = 0; i < 5; i++)
		bad[i] = good;
	bad[0].keepalive_ms = (1 << 30) + 1;
	bad[1].keepalive_interval_ms = 0;
	bad[2].keepalive_probes = 16;
	bad[3].keepalive_probes = 0;
	bad[4].user_timeout_ms = (1 << 30) + 1;
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(weir_listen(world.stack, &bad[i]), -EINVAL);
	ck_assert_int_eq(weir_listen(world.stack, &good), 0);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	ck_assert_int_eq(weir_conn_linger(world.stack, remote.conn, UINT32_MAX), -EINVAL);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_ESTABLISHED);
	ck_assert_int_eq(weir_conn_linger(world.stack, remote.conn + (1ull << 40), 1), -EBADF);
	ck_assert_int_eq(weir_conn_shutdown(world.stack, remote.conn + (1ull << 40)), -EBADF);
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, the_timeout_follows_the_sample);
	UNIT_CASE(s, the_handshake_is_the_sample);
	UNIT_CASE(s, no_timer_is_left);
	UNIT_CASE(s, probes_are_answered_like_any_old_segment);
	UNIT_CASE(s, settings_out_of_range_are_refused);
}

UNIT_MAIN("timer", add)
