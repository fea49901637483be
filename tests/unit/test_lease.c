/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_test.h"

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

static void
add(Suite *s)
{
	UNIT_CASE(s, packets_and_chains_are_spans_of_one_lease);
	UNIT_CASE(s, a_lease_covers_32_packets);
	UNIT_CASE(s, a_lease_is_handed_out_whole_or_later);
	UNIT_CASE(s, a_lease_outlives_its_connection);
	UNIT_CASE(s, a_lease_is_released_once);
	UNIT_CASE(s, what_is_leased_counts_against_the_window);
	UNIT_CASE(s, a_lease_takes_what_reads_left);
}

UNIT_MAIN("lease", add)
