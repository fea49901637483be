/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"

#define MSS 1448

static struct world world;
static struct remote remote;

static void
open_buffer(uint32_t receive_buffer)
{
	struct weir_config config;

	world_config(&config);
	world_open(&world, &config, receive_buffer, WEIR_ACK_TRAIN);
	remote_init(&remote, 30000);
	remote_warm(&world, &remote);
	world_forget(&world);
}

START_TEST(scale_expresses_the_limit)
{
	ck_assert_uint_eq(weir_window_scale(4096), 0);
	ck_assert_uint_eq(weir_window_scale(61680), 0);
	ck_assert_uint_eq(weir_window_scale(65535), 1);
	ck_assert_uint_eq(weir_window_scale(1 << 20), 5);
	ck_assert_uint_eq(weir_window_scale(1u << 30), 14);
	for (uint32_t limit = 4096; limit <= 1u << 29; limit += limit / 7)
		ck_assert_uint_ge((uint64_t)65535 << weir_window_scale(limit), limit);
}
END_TEST

/* Full segments until nothing more fits; the right edge never moves left. Returns what was sent. */
static uint32_t
fill_window(uint32_t len)
{
	uint32_t start = remote.snd_nxt;

	while (weir_seq_diff(remote.edge, remote.snd_nxt) >= (int32_t)len) {
		remote_stream(&world, &remote, 0, len);
		if (world_poll(&world, 41 * TCP_TEST_MS) == 0)
			continue;
		ck_assert(weir_seq_diff(reply_edge(&remote, world_last(&world)), remote.edge) >
			  -(1 << remote.shift));
		remote.edge = weir_seq_max(remote.edge, reply_edge(&remote, world_last(&world)));
		world_forget(&world);
	}
	return remote.snd_nxt - start;
}

/* Small messages: each ACK advances by less or more than the unit. Those of 11 bytes use up all that
 * rounding may add. */
START_TEST(pitfall_31_stalled_reader_closes_the_window)
{
	static const uint32_t lens[] = {11, 97};

	for (uint32_t i = 0; i < 2; i++) {
		uint32_t sent;

		open_buffer(1 << 18);
		sent = fill_window(lens[i]);
		ck_assert_uint_ge(sent, (1 << 18) - MSS);
		ck_assert_uint_le(sent, (1 << 18) + (1 << 18) / 16 + lens[i]);
		check_memory(&world);
		world_close(&world);
	}
}
END_TEST

START_TEST(pitfall_51_train_while_nothing_is_released)
{
	uint32_t edge;

	open_buffer(1 << 18);
	edge = remote.edge;
	for (uint32_t i = 0; i < 8; i++)
		remote_stream(&world, &remote, 0, 997);
	world_poll(&world, 1000);
	ck_assert_uint_gt(world.n_replies, 2);
	for (uint32_t i = 0; i < world.n_replies; i++) {
		uint32_t now = reply_edge(&remote, &world.replies[i]);

		ck_assert(weir_seq_leq(edge, now));
		edge = now;
	}
	world_close(&world);
}
END_TEST

START_TEST(pitfall_33_zero_window_probe_and_update)
{
	open_buffer(16384);
	fill_window(1024);
	fill_window(1);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_adv, remote.snd_nxt);
	/* the probe is answered, and tells a closed window */
	remote_send(&world, &remote, remote.snd_nxt - 1, 0, 0);
	ck_assert_uint_ge(world_poll(&world, 600 * TCP_TEST_MS), 1);
	ck_assert_uint_eq(world_last(&world)->win, 0);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	/* a few bytes freed are not worth an update; a segment is */
	world_forget(&world);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 100), 100);
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 8000), 8000);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_ge((uint32_t)world_last(&world)->win << remote.shift, 8000 - MSS);
	ck_assert_uint_eq(tcp_of(&world)->stats.window_updates, 1);
	world_close(&world);
}
END_TEST

/* The enforced window is the advertised one, to the byte. */
START_TEST(pitfall_30_enforced_is_advertised)
{
	struct drops drops;
	uint32_t room;

	open_buffer(16384);
	fill_window(1024);
	room = remote.edge - remote.snd_nxt;
	drops_note(&world, &drops);
	remote_send(&world, &remote, remote.edge, 0, 1);
	world_poll(&world, 1000);
	drops_moved(&world, &drops, WEIR_DROP_TCP_BEYOND_WINDOW, 1);
	remote_send(&world, &remote, remote.snd_nxt, 0, room + 10);
	world_poll(&world, 1000);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.edge);
	world_close(&world);
}
END_TEST

/* The same on the fast path: one byte too many in a frame that is plain otherwise. */
START_TEST(pitfall_30_fast_path_ends_at_the_edge)
{
	open_buffer(8192);
	remote_send(&world, &remote, remote.snd_nxt, 0, remote.edge - remote.snd_nxt + 1);
	world_poll(&world, 1000);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.edge);
	world_close(&world);
}
END_TEST

/* PITFALLS 34: the field stays inside 16 bits whatever the edge. */
START_TEST(pitfall_34_field_is_clipped)
{
	struct weir_flow *flow;

	open_buffer(1 << 20);
	flow = flow_of(&world, &remote);
	flow->rcv_wscale = 0;
	ck_assert_uint_eq(weir_window_field(tcp_of(&world), flow, flow->rcv_nxt - (1 << 20)),
			  65535);
	world_close(&world);
}
END_TEST

/* Stalled readers use up the budget; a live one still gets two segments at a time. */
START_TEST(live_flow_moves_beside_stalled_ones)
{
	struct weir_config config;
	struct remote live;
	uint64_t moved = 0;

	world_config(&config);
	config.buffers = 512;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	remote_init(&live, 32000);
	remote_warm(&world, &live);
	for (uint32_t i = 0; i < 24 && weir_budget_pressure(tcp_of(&world)) < 2; i++) {
		remote_init(&remote, (uint16_t)(31000 + i));
		remote_warm(&world, &remote);
		fill_window(MSS);
	}
	check_memory(&world);
	remote = live;
	for (uint32_t i = 0; i < 50; i++) {
		moved += fill_window(MSS);
		weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
		if (world_poll(&world, 1000) != 0)
			remote.edge = weir_seq_max(remote.edge,
						   reply_edge(&remote, world_last(&world)));
		world_forget(&world);
	}
	ck_assert_uint_ge(moved, 50 * MSS);
	check_memory(&world);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, scale_expresses_the_limit);
	UNIT_CASE(s, pitfall_31_stalled_reader_closes_the_window);
	UNIT_CASE(s, pitfall_51_train_while_nothing_is_released);
	UNIT_CASE(s, pitfall_33_zero_window_probe_and_update);
	UNIT_CASE(s, pitfall_30_enforced_is_advertised);
	UNIT_CASE(s, pitfall_30_fast_path_ends_at_the_edge);
	UNIT_CASE(s, pitfall_34_field_is_clipped);
	UNIT_CASE(s, live_flow_moves_beside_stalled_ones);
}

UNIT_MAIN("window", add)
