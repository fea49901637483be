/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_test.h"

/* ---- names ---- */

static void
check_names(const char *(*name)(uint32_t), uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(name(i));
		ck_assert_uint_gt(strlen(name(i)), 0);
		for (uint32_t k = 0; k < i; k++)
			ck_assert_str_ne(name(i), name(k));
	}
	ck_assert_ptr_null(name(n));
	ck_assert_ptr_null(name(UINT32_MAX));
}

START_TEST(every_counter_has_a_name)
{
	open_default();
	ck_assert_uint_eq(stats_now()->n_drops, WEIR_DROP_COUNT);
	ck_assert_uint_le(stats_now()->n_drops, WEIR_STATS_DROPS);
	ck_assert_uint_le(stats_now()->n_reasons, WEIR_STATS_REASONS);
	check_names(weir_stats_drop_name, stats_now()->n_drops);
	check_names(weir_stats_drop_text, stats_now()->n_drops);
	check_names(weir_stats_reason_name, stats_now()->n_reasons);
	ck_assert_str_eq(weir_stats_drop_name(WEIR_DROP_QUEUE_FULL), "queue_full");
	ck_assert_str_eq(weir_stats_reason_name(WEIR_CAUSE_LIMIT), "limit");
	world_close(&world);
}
END_TEST

/* ---- gauges ---- */

START_TEST(a_new_stack_counts_nothing)
{
	const struct weir_stats *stats;

	open_default();
	stats = stats_now();
	ck_assert_uint_eq(stats->size, sizeof(*stats));
	ck_assert_uint_eq(stats->n_ports, 1);
	ck_assert_uint_eq(stats->buffers, 4096);
	ck_assert_uint_eq(stats->buffers_free, 4096);
	ck_assert_uint_eq(stats->buffers_held, 0);
	ck_assert_uint_eq(stats->packets_received, 0);
	ck_assert_uint_eq(stats->pressure, 0);
	ck_assert_str_eq(stats->ports[0].name, "pair0");
	ck_assert_uint_le(stats->state_bytes_per_idle, 512);
	ck_assert_uint_ge(stats->state_bytes_per_idle, sizeof(struct weir_flow));
	world_close(&world);
}
END_TEST

START_TEST(connections_are_counted_by_where_they_stand)
{
	struct frame_spec spec;
	struct remote remotes[3];

	open_default();
	frame_spec_init(&spec);
	spec.sport = 30000;
	spec.flags = WEIR_TCP_SYN;
	world_inject(&world, frame_build(&world.pool, &spec));
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->syn_received, 1);
	open_remotes(remotes, 3);
	ck_assert_uint_eq(stats_now()->accepted, 3);
	ck_assert_uint_eq(stats_now()->established, 3);
	ck_assert_uint_eq(stats_now()->syn_received, 1);
	close_politely(&remotes[0]);
	ck_assert_uint_eq(stats_now()->established, 2);
	ck_assert_uint_eq(stats_now()->closed, 1);
	ck_assert_uint_eq(stats_now()->time_wait, 0);
	weir_conn_close(world.stack, remotes[1].conn);
	world_poll(&world, 1000);
	remotes[1].rcv_nxt++;
	remote_stream(&world, &remotes[1], WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->time_wait, 1);
	remote_send(&world, &remotes[2], remotes[2].snd_nxt, WEIR_TCP_RST, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->resets_received, 1);
	ck_assert_uint_eq(stats_now()->established, 0);
	ck_assert_uint_eq(stats_now()->closed, 3);
	world_close(&world);
}
END_TEST

START_TEST(memory_is_counted_by_where_it_lies)
{
	struct weir_span spans[8];
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	stream_segs(&remote, 4);
	remote_send(&world, &remote, remote.snd_nxt + 100, 0, 300);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->bytes_unread, 4 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->bytes_out_of_order, 300);
	ck_assert_uint_eq(stats_now()->buffers_held, 5);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans, 2), 2);
	ck_assert_uint_eq(stats_now()->bytes_unread, 2 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->bytes_leased, 2 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->leases, 1);
	ck_assert_uint_eq(stats_now()->buffers_held, 5);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[1].lease, 1), 0);
	ck_assert_uint_eq(stats_now()->leases, 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 3);
	ck_assert_uint_eq(stats_now()->bytes, 5 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->data_segs, 6);
	/* 250 ms of silence, then the hole is filled */
	remote_stream(&world, &remote, 0, 100);
	world_poll(&world, 250000000);
	ck_assert_uint_eq(stats_now()->max_gap_ms, 250);
	ck_assert_uint_eq(stats_now()->bytes_out_of_order, 0);
	world_close(&world);
}
END_TEST

/* A pause of the sender is none of the way; what a queue kept back is, behind a hole or not. */
START_TEST(data_is_late_by_the_senders_clock)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	remote.tsval += 250;
	remote_stream(&world, &remote, 0, 100);
	world_poll(&world, 250000000);
	ck_assert_uint_le(stats_now()->max_late_ms, 1);
	remote.tsval += 100;
	remote_stream(&world, &remote, 0, 100);
	world_poll(&world, 250000000);
	ck_assert_uint_eq(stats_now()->max_late_ms, 150);
	remote_send(&world, &remote, remote.snd_nxt + 100, 0, 100);
	world_poll(&world, 1000);
	remote.tsval += 40;
	remote_stream(&world, &remote, 0, 100); /* fills the hole on the slow path */
	world_poll(&world, 240000000);
	ck_assert_uint_eq(stats_now()->max_late_ms, 200);
	world_close(&world);
}
END_TEST

/* ---- ports ---- */

START_TEST(ports_count_what_passes)
{
	const struct weir_port_stats *port;
	struct remote remote;
	uint64_t rx = 0;

	open_default();
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	port = &stats_now()->ports[0];
	ck_assert_uint_eq(port->rx_packets, 2);
	ck_assert_uint_eq(port->tx_packets, 1);
	rx = port->rx_bytes;
	remote_stream(&world, &remote, WEIR_TCP_PSH, 1000);
	world_poll(&world, 1000);
	port = &stats_now()->ports[0];
	ck_assert_uint_eq(port->rx_packets, 3);
	ck_assert_uint_eq(port->rx_bytes, rx + 1066);
	ck_assert_uint_eq(port->frame_max, 1066);
	ck_assert_uint_eq(port->tx_packets, 2);
	ck_assert_uint_ge(port->tx_bytes, 2 * 66);
	ck_assert_uint_eq(port->csum_unknown, 3); /* the pair says nothing of checksums */
	ck_assert_uint_eq(port->csum_software, 0);
	weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	world_close(&world);
}
END_TEST

/* A segment that the port calls `claim`; wrong or not. */
static void
claim(struct remote *remote, uint64_t flag, bool wrong)
{
	struct frame_spec spec;
	struct rte_mbuf *buf;
	uint8_t payload[100];

	remote_spec(remote, &spec, remote->snd_nxt, WEIR_TCP_ACK, payload, 100);
	spec.bad_tcp_csum = wrong;
	buf = frame_build(&world.pool, &spec);
	ck_assert_ptr_nonnull(buf);
	buf->ol_flags |= flag;
	world_inject(&world, buf);
	if (!wrong)
		remote->snd_nxt += 100;
	world_poll(&world, 1000);
	world_forget(&world);
}

START_TEST(claims_are_counted_and_checked)
{
	const struct weir_port_stats *port;
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	for (int i = 0; i < 10; i++)
		claim(&remote, RTE_MBUF_F_RX_L4_CKSUM_GOOD, false);
	claim(&remote, RTE_MBUF_F_RX_L4_CKSUM_NONE, false);
	port = &stats_now()->ports[0];
	ck_assert_uint_eq(port->csum_good, 10);
	ck_assert_uint_eq(port->csum_none, 1);
	ck_assert_uint_eq(port->csum_verified, 10);
	ck_assert_uint_eq(port->csum_contradictions, 0);
	ck_assert_uint_eq(port->csum_software, 0);
	claim(&remote, RTE_MBUF_F_RX_L4_CKSUM_BAD, true); /* true: it is bad */
	ck_assert_uint_eq(stats_now()->ports[0].csum_bad, 1);
	ck_assert_uint_eq(stats_now()->ports[0].csum_software, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CHECKSUM), 1);
	world_close(&world);
}
END_TEST

/* A claim that proves wrong costs the port its word, not the stream its bytes. */
START_TEST(a_contradiction_switches_to_software)
{
	static const uint64_t flags[2] = {RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_BAD};

	for (int i = 0; i < 2; i++) {
		struct remote remote;

		open_default();
		open_remotes(&remote, 1);
		claim(&remote, flags[i], i == 0); /* good that is bad, bad that is good */
		ck_assert_uint_eq(stats_now()->ports[0].csum_contradictions, 1);
		ck_assert_uint_eq(stats_now()->ports[0].csum_software, 1);
		ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CHECKSUM), i == 0);
		ck_assert_uint_eq(info_of(remote.conn).unread_bytes, i == 0 ? 0 : 100);
		/* from now on nothing is believed, however often it is true */
		for (int k = 0; k < 1200; k++) {
			claim(&remote, flags[0], false);
			weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
		}
		claim(&remote, flags[0], true);
		ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CHECKSUM), i == 0 ? 2 : 1);
		world_close(&world);
	}
}
END_TEST

/* The flags are those of the frame, read while it is there: those of later pieces of a chain, and
 * of a buffer that was used before, do not count. */
START_TEST(pitfall_12_flags_of_the_frame_at_hand)
{
	struct frame_spec spec;
	struct remote remote;
	uint8_t payload[1000];
	uint64_t good = 0;

	open_default();
	open_remotes(&remote, 1);
	for (int i = 0; i < 3000; i++) {
		bool bad = i % 3 == 2;
		struct rte_mbuf *buf;

		remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, 1000);
		spec.split = i % 2 == 0 ? 300 : 0;
		spec.bad_tcp_csum = bad;
		buf = frame_build(&world.pool, &spec);
		buf->ol_flags |= bad ? RTE_MBUF_F_RX_L4_CKSUM_BAD : RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		for (struct rte_mbuf *m = buf->next; m != NULL; m = m->next)
			m->ol_flags |=
			    bad ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_BAD;
		world_inject(&world, buf);
		remote.snd_nxt += bad ? 0 : 1000;
		good += !bad;
		if (i % 8 == 7) {
			world_poll(&world, 1000);
			world_forget(&world);
			weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
		}
	}
	ck_assert_uint_eq(stats_now()->ports[0].csum_good, good);
	ck_assert_uint_eq(stats_now()->ports[0].csum_bad, 3000 - good);
	ck_assert_uint_eq(stats_now()->ports[0].csum_contradictions, 0);
	ck_assert_uint_eq(stats_now()->bytes, ENGINE_TEST_FIRST + good * 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CHECKSUM), 3000 - good);
	world_close(&world);
}
END_TEST

START_TEST(malformed_options_are_counted)
{
	const uint8_t options[4] = {8, 0, 1, 1}; /* length 0 */
	struct frame_spec spec;
	struct remote remote;
	uint8_t payload[10];

	open_default();
	open_remotes(&remote, 1);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, 10);
	spec.has_ts = 0;
	spec.tcp_options = options;
	spec.tcp_options_len = 4;
	world_inject(&world, frame_build(&world.pool, &spec));
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->options_malformed, 1);
	ck_assert_uint_eq(stats_now()->ts_missing, 1);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, every_counter_has_a_name);
	UNIT_CASE(s, a_new_stack_counts_nothing);
	UNIT_CASE(s, connections_are_counted_by_where_they_stand);
	UNIT_CASE(s, memory_is_counted_by_where_it_lies);
	UNIT_CASE(s, data_is_late_by_the_senders_clock);
	UNIT_CASE(s, ports_count_what_passes);
	UNIT_CASE(s, claims_are_counted_and_checked);
	UNIT_CASE(s, a_contradiction_switches_to_software);
	UNIT_CASE(s, pitfall_12_flags_of_the_frame_at_hand);
	UNIT_CASE(s, malformed_options_are_counted);
}

UNIT_MAIN("stats", add)
