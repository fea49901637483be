/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_test.h"
#include "wire/siphash.h"

/* ---- handles ---- */

static void
check_stale(weir_conn conn)
{
	struct weir_conn_info info = {.size = sizeof(info)};
	struct weir_span span;
	char to[8];

	ck_assert_int_eq(weir_conn_lease(world.stack, conn, &span, 1), -EBADF);
	ck_assert_int_eq(weir_conn_read(world.stack, conn, to, sizeof(to)), -EBADF);
	ck_assert_int_eq(weir_conn_discard(world.stack, conn, 1), -EBADF);
	ck_assert_int_eq(weir_conn_close(world.stack, conn), -EBADF);
	ck_assert_int_eq(weir_conn_abort(world.stack, conn), -EBADF);
	ck_assert_int_eq(weir_conn_set_cookie(world.stack, conn, 1), -EBADF);
	ck_assert_int_eq(weir_conn_info(world.stack, conn, &info), -EBADF);
}

START_TEST(a_handle_that_never_was_is_stale)
{
	struct remote remote;

	open_default();
	check_stale(0);
	check_stale(UINT64_MAX);
	open_remotes(&remote, 1);
	check_stale(0);
	check_stale(remote.conn + 1);	       /* a slot never used */
	check_stale(remote.conn & UINT32_MAX); /* generation 0 */
	check_stale(remote.conn + (1ull << 32));
	check_stale(remote.conn + (2ull << 32));
	ck_assert_uint_eq(info_of(remote.conn).state, 1);
	world_close(&world);
}
END_TEST

START_TEST(a_handle_is_stale_after_the_end_and_stays_so)
{
	struct remote first, remote;

	open_default();
	open_remotes(&first, 1);
	close_politely(&first);
	check_stale(first.conn);
	for (int i = 0; i < 100; i++) {
		remote_init(&remote, (uint16_t)(41000 + i));
		remote_open(&world, &remote);
		ck_assert_uint_ne(remote.conn, first.conn);
		check_stale(first.conn);
		close_politely(&remote);
		world_forget(&world);
	}
	world_close(&world);
}
END_TEST

/* ---- reading ---- */

START_TEST(reads_may_cut_nodes_anywhere)
{
	uint64_t seed = 7, offset = ENGINE_TEST_FIRST;
	uint8_t to[4000];
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	while (offset < 1000000) {
		uint32_t left, want = (uint32_t)(weir_seed_next(&seed) % sizeof(to)) + 1;
		int n;

		if (info_of(remote.conn).unread_bytes < sizeof(to))
			for (int i = 0; i < 8; i++)
				stream_split(&remote, (uint32_t)(weir_seed_next(&seed) % 1448) + 1,
					     weir_seed_next(&seed) % 2 ? 300 : 0);
		world_poll(&world, 1000);
		world_forget(&world);
		left = info_of(remote.conn).unread_bytes;
		if (weir_seed_next(&seed) % 4 == 0) {
			n = weir_conn_discard(world.stack, remote.conn, want);
		} else {
			memset(to, 0, sizeof(to));
			n = weir_conn_read(world.stack, remote.conn, to, want);
			check_content(to, offset, (uint32_t)n);
			if ((uint32_t)n < sizeof(to))
				ck_assert_uint_eq(to[n], 0);
		}
		ck_assert_int_eq(n, (int)(want < left ? want : left));
		ck_assert_uint_eq(info_of(remote.conn).unread_bytes, left - (uint32_t)n);
		offset += (uint64_t)n;
	}
	weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

START_TEST(wrong_reads)
{
	struct remote remote;
	uint8_t to[8] = {0};

	open_default();
	open_remotes(&remote, 1);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, to, 8), 0);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 8), 0);
	stream_segs(&remote, 1);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, NULL, 8), -EINVAL);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, to, 0), 0);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 0), 0);
	ck_assert_uint_eq(info_of(remote.conn).unread_bytes, 1448);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, UINT32_MAX), 1448);
	world_close(&world);
}
END_TEST

/* ---- closing ---- */

START_TEST(close_with_unread_data_resets)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	stream_segs(&remote, 2);
	world_poll(&world, 1000);
	world_forget(&world);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_RST | WEIR_TCP_ACK);
	ck_assert_uint_eq(world.n_events, 1);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[0].flags, WEIR_CLOSE_ABORTED);
	ck_assert_uint_eq(world.events[0].bytes, 3 * 1448);
	check_stale(remote.conn);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

START_TEST(close_sends_fin_once_and_ends_when_both_are_done)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0); /* nothing more */
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
	ck_assert_uint_eq(info_of(remote.conn).state, 2);
	remote.rcv_nxt++;
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(count_events(WEIR_EVENT_CLOSED), 1);
	ck_assert_uint_eq(world.events[world.n_events - 1].flags, WEIR_CLOSE_DONE);
	check_stale(remote.conn);
	ck_assert_uint_eq(stats_now()->time_wait, 1);
	ck_assert_uint_eq(stats_now()->established, 0);
	world_close(&world);
}
END_TEST

START_TEST(abort_ends_at_once_in_every_state)
{
	struct remote remotes[3];

	open_default();
	open_remotes(remotes, 3);
	weir_conn_close(world.stack, remotes[1].conn);	      /* FIN-WAIT-1 */
	remote_stream(&world, &remotes[2], WEIR_TCP_FIN, 10); /* CLOSE-WAIT, unread data */
	world_poll(&world, 1000);
	world_forget(&world);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(weir_conn_abort(world.stack, remotes[i].conn), 0);
		ck_assert_int_eq(weir_conn_abort(world.stack, remotes[i].conn), 0);
	}
	ck_assert_uint_eq(world_poll(&world, 1000), 3);
	ck_assert_uint_eq(world.n_events, 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(world.replies[i].flags, WEIR_TCP_RST | WEIR_TCP_ACK);
		ck_assert_uint_eq(world.events[i].type, WEIR_EVENT_CLOSED);
		ck_assert_uint_eq(world.events[i].flags, WEIR_CLOSE_ABORTED);
		check_stale(remotes[i].conn);
	}
	ck_assert_uint_eq(stats_now()->closed, 3);
	ck_assert_uint_eq(stats_now()->resets_sent, 3);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

/* ---- cookie and info ---- */

START_TEST(events_carry_the_cookie)
{
	struct weir_listen_config listen;
	struct remote remote;

	open_default();
	weir_listen_config_init(&listen);
	listen.port = 9001;
	listen.cookie = 0x1122334455667788;
	ck_assert_int_eq(weir_listen(world.stack, &listen), 0);
	remote_init(&remote, 40000);
	remote.to = 9001;
	remote_open(&world, &remote);
	ck_assert_uint_eq(world.events[0].cookie, listen.cookie);
	ck_assert_int_eq(weir_conn_set_cookie(world.stack, remote.conn, 42), 0);
	remote_stream(&world, &remote, 0, 100);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.events[1].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[1].cookie, 42);
	weir_conn_abort(world.stack, remote.conn);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.events[2].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[2].cookie, 42);
	world_close(&world);
}
END_TEST

START_TEST(info_says_what_is)
{
	static const uint8_t local[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	static const uint8_t other[16] = {[10] = 0xff, 0xff, 192, 0, 2, 2};
	struct weir_conn_info info = {.size = sizeof(info) - 1};
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	ck_assert_int_eq(weir_conn_info(world.stack, remote.conn, &info), -EINVAL);
	info.size = 0;
	ck_assert_int_eq(weir_conn_info(world.stack, remote.conn, &info), -EINVAL);
	remote_stream(&world, &remote, 0, 1000);
	remote_send(&world, &remote, remote.snd_nxt + 500, 0, 200);
	world_poll(&world, 1000);
	info = info_of(remote.conn);
	ck_assert_uint_eq(info.local_port, WORLD_PORT);
	ck_assert_uint_eq(info.remote_port, 40000);
	ck_assert_uint_eq(info.local.family, 4);
	ck_assert_mem_eq(info.local.bytes, local, 16);
	ck_assert_mem_eq(info.remote.bytes, other, 16);
	ck_assert_uint_eq(info.bytes, ENGINE_TEST_FIRST + 1000);
	ck_assert_uint_eq(info.unread_bytes, 1000);
	ck_assert_uint_eq(info.leased_bytes, 0);
	ck_assert_uint_eq(info.out_of_order_bytes, 200);
	ck_assert_uint_eq(info.state, 1);
	ck_assert_uint_ge(info.receive_window, ENGINE_TEST_BUFFER - 1000);
	/* a hole: what passes from now on is the time of loss */
	world_poll(&world, 250000000);
	ck_assert_uint_eq(info_of(remote.conn).limited_ms[4], 250);
	world_close(&world);
}
END_TEST

/* A reader that stalls fills its own buffer and nothing else. */
START_TEST(pitfall_56_stalled_consumer)
{
	struct weir_config config;
	struct remote remotes[4];
	uint64_t most = 0;

	world_config(&config);
	config.buffers = 16384;
	open_with(&config);
	open_remotes(remotes, 4);
	for (int i = 0; i < 3000; i++) {
		for (int r = 0; r < 4; r++)
			if (info_of(remotes[r].conn).receive_window >= 4 * ENGINE_TEST_MSS)
				stream_segs(&remotes[r], 4);
		world_poll(&world, 10000);
		world_forget(&world);
		for (int r = 1; r < 4; r++) /* the first is never read */
			ck_assert_int_eq(
			    weir_conn_discard(world.stack, remotes[r].conn, UINT32_MAX),
			    4 * ENGINE_TEST_MSS);
		if (stats_now()->buffers_held > most)
			most = stats_now()->buffers_held;
	}
	ck_assert_uint_le(info_of(remotes[0].conn).unread_bytes,
			  ENGINE_TEST_BUFFER + ENGINE_TEST_BUFFER / 16);
	ck_assert_uint_ge(info_of(remotes[0].conn).unread_bytes,
			  ENGINE_TEST_BUFFER - 4 * ENGINE_TEST_MSS);
	ck_assert_uint_lt(most, 1000);
	for (int r = 1; r < 4; r++)
		ck_assert_uint_eq(info_of(remotes[r].conn).bytes,
				  ENGINE_TEST_FIRST + 3000ull * 4 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_handle_that_never_was_is_stale);
	UNIT_CASE(s, a_handle_is_stale_after_the_end_and_stays_so);
	UNIT_CASE(s, reads_may_cut_nodes_anywhere);
	UNIT_CASE(s, wrong_reads);
	UNIT_CASE(s, close_with_unread_data_resets);
	UNIT_CASE(s, close_sends_fin_once_and_ends_when_both_are_done);
	UNIT_CASE(s, abort_ends_at_once_in_every_state);
	UNIT_CASE(s, events_carry_the_cookie);
	UNIT_CASE(s, info_says_what_is);
	UNIT_CASE(s, pitfall_56_stalled_consumer);
}

UNIT_MAIN("conn", add)
