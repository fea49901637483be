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

/* ---- leases ---- */

/* One lease for each of the next n packets. */
static void
lease_each(weir_conn conn, struct weir_span *spans, int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_int_eq(weir_conn_lease(world.stack, conn, &spans[i], 1), 1);
}

START_TEST(packets_and_chains_are_spans_of_one_lease)
{
	struct weir_span spans[16];
	uint64_t offset = ENGINE_TEST_FIRST;
	struct remote remote;
	int n;

	open_default();
	open_remotes(&remote, 1);
	stream_split(&remote, 1448, 500);
	stream_split(&remote, 100, 0);
	world_poll(&world, 1000);
	n = weir_conn_lease(world.stack, remote.conn, spans, 16);
	ck_assert_int_eq(n, 5); /* 66 bytes of headers: 434 + 500 + 500 + 14, then 100 */
	for (int i = 0; i < n; i++) {
		check_content(spans[i].data, offset, spans[i].len);
		offset += spans[i].len;
		ck_assert_uint_eq(spans[i].last, i == 4);
		ck_assert_uint_eq(spans[i].lease, spans[0].lease);
	}
	ck_assert_uint_eq(offset, ENGINE_TEST_FIRST + 1548);
	ck_assert_uint_eq(stats_now()->leases, 1);
	ck_assert_uint_eq(stats_now()->bytes_leased, 1548);
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 1548);
	ck_assert_uint_eq(info_of(remote.conn).unread_bytes, 0);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), 0);
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 0);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[4].lease, 1), -EINVAL);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

/* However much is unread, one lease never pins more than weir.h says. */
START_TEST(a_lease_covers_32_packets)
{
	struct weir_span spans[64];
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	stream_segs(&remote, 40);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans, 64), 40);
	for (uint32_t i = 0; i < 40; i++) {
		ck_assert_uint_eq(spans[i].last, i == 31 || i == 39);
		ck_assert_uint_eq(spans[i].lease, spans[i < 32 ? 0 : 32].lease);
	}
	ck_assert_uint_eq(stats_now()->leases, 2);
	ck_assert_uint_eq(stats_now()->bytes_leased, 40 * ENGINE_TEST_MSS);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 8);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[32].lease, 1), 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

START_TEST(a_lease_is_handed_out_whole_or_later)
{
	struct weir_span spans[16];
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans, 16), 0);
	stream_split(&remote, 100, 0);
	stream_split(&remote, 1448, 500);
	world_poll(&world, 1000);
	/* the second is in four pieces */
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans, 4), 1);
	for (uint32_t most = 0; most < 4; most++)
		ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans + 1, most),
				 -ENOSPC);
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 100);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans + 1, 4), 4);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans + 5, 4), 0);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), 0);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[4].lease, 1), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_lease_outlives_its_connection)
{
	struct weir_span spans[4];
	struct remote remote, next;

	open_default();
	open_remotes(&remote, 1);
	stream_segs(&remote, 2);
	world_poll(&world, 1000);
	lease_each(remote.conn, spans, 2);
	close_politely(&remote);
	/* another takes over flow and slot, and is not credited */
	remote_init(&next, 45000);
	remote_open(&world, &next);
	ck_assert_uint_eq((uint32_t)next.conn, (uint32_t)remote.conn);
	remote_stream(&world, &next, 0, 1000);
	world_poll(&world, 1000);
	check_content(spans[0].data, ENGINE_TEST_FIRST, spans[0].len);
	check_content(spans[1].data, ENGINE_TEST_FIRST + 1448, spans[1].len);
	ck_assert_uint_eq(stats_now()->leases, 2);
	ck_assert_uint_eq(stats_now()->buffers_held, 3);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), 0);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[1].lease, 1), 0);
	ck_assert_uint_eq(info_of(next.conn).leased_bytes, 0);
	ck_assert_uint_eq(info_of(next.conn).unread_bytes, 1000);
	ck_assert_uint_eq(stats_now()->leases, 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 1);
	world_close(&world);
}
END_TEST

START_TEST(a_lease_is_released_once)
{
	struct weir_span spans[4];
	struct remote remote;
	uint64_t leases[6];

	open_default();
	open_remotes(&remote, 1);
	stream_segs(&remote, 3);
	world_poll(&world, 1000);
	lease_each(remote.conn, spans, 3);
	ck_assert_int_eq(weir_lease_release(world.stack, leases, 0), 0);
	leases[0] = 0;
	leases[1] = spans[1].lease;
	leases[2] = spans[1].lease; /* twice */
	leases[3] = UINT64_MAX;
	leases[4] = spans[0].lease ^ 1ull << 33; /* another generation */
	leases[5] = spans[2].lease;
	ck_assert_int_eq(weir_lease_release(world.stack, leases, 6), -EINVAL);
	ck_assert_uint_eq(stats_now()->leases, 1); /* the good ones went all the same */
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 1448);
	check_content(spans[0].data, ENGINE_TEST_FIRST, 1448);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), 0);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), -EINVAL);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	/* the nodes are used again: old leases do not name the new ones */
	stream_segs(&remote, 3);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), -EINVAL);
	lease_each(remote.conn, spans + 1, 3);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), -EINVAL);
	ck_assert_uint_eq(stats_now()->leases, 3);
	world_close(&world);
}
END_TEST

START_TEST(what_is_leased_counts_against_the_window)
{
	struct weir_span spans[64];
	struct weir_config config;
	struct remote remote;
	uint32_t edge, n = 0;

	world_config(&config);
	world_open(&world, &config, 16384, WEIR_ACK_TRAIN);
	open_remotes(&remote, 1);
	while (info_of(remote.conn).receive_window >= ENGINE_TEST_MSS) {
		stream_segs(&remote, 1);
		world_poll(&world, 1000);
		n += (uint32_t)weir_conn_lease(world.stack, remote.conn, spans + n, 64 - n);
	}
	ck_assert_uint_ge(info_of(remote.conn).leased_bytes, 16384 - ENGINE_TEST_MSS);
	edge = world_last(&world)->ack + ((uint32_t)world_last(&world)->win << remote.shift);
	ck_assert_uint_lt(edge - remote.snd_nxt, ENGINE_TEST_MSS);
	world_forget(&world);
	for (uint32_t i = 0; i < n; i++)
		ck_assert_int_eq(weir_lease_release(world.stack, &spans[i].lease, 1), 0);
	ck_assert_uint_ge(world_poll(&world, 1000), 1); /* window update */
	edge = world_last(&world)->ack + ((uint32_t)world_last(&world)->win << remote.shift);
	ck_assert_uint_ge(edge - remote.snd_nxt, 16384);
	ck_assert_uint_ge(stats_now()->window_updates, 1);
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

START_TEST(a_lease_takes_what_reads_left)
{
	struct weir_span spans[8];
	struct remote remote;
	uint8_t to[600];

	open_default();
	open_remotes(&remote, 1);
	stream_split(&remote, 1448, 500);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, to, 600), 600);
	check_content(to, ENGINE_TEST_FIRST, 600);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans, 8), 3);
	ck_assert_uint_eq(spans[0].len, 334);
	check_content(spans[0].data, ENGINE_TEST_FIRST + 600, 334);
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 848);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[0].lease, 1), 0);
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 0);
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
	UNIT_CASE(s, packets_and_chains_are_spans_of_one_lease);
	UNIT_CASE(s, a_lease_covers_32_packets);
	UNIT_CASE(s, a_lease_is_handed_out_whole_or_later);
	UNIT_CASE(s, a_lease_outlives_its_connection);
	UNIT_CASE(s, a_lease_is_released_once);
	UNIT_CASE(s, what_is_leased_counts_against_the_window);
	UNIT_CASE(s, reads_may_cut_nodes_anywhere);
	UNIT_CASE(s, a_lease_takes_what_reads_left);
	UNIT_CASE(s, wrong_reads);
	UNIT_CASE(s, close_with_unread_data_resets);
	UNIT_CASE(s, close_sends_fin_once_and_ends_when_both_are_done);
	UNIT_CASE(s, abort_ends_at_once_in_every_state);
	UNIT_CASE(s, events_carry_the_cookie);
	UNIT_CASE(s, info_says_what_is);
	UNIT_CASE(s, pitfall_56_stalled_consumer);
}

UNIT_MAIN("conn", add)
