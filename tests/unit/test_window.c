/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/window.h"
#include "tests/unit/random.h"
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

/* The rule for one ACK, without regard to those around it. */
static uint16_t
field_alone(struct weir_flow *flow, uint32_t ack, uint64_t *rounded_down)
{
	uint32_t unit = 1u << flow->rcv_wscale;
	uint32_t edge = weir_seq_max(flow->rcv_adv, flow->rcv_base), field;

	field = (edge - ack + unit - 1) / unit;
	if (field > UINT16_MAX)
		field = UINT16_MAX;
	edge = ack + field * unit;
	if (!weir_seq_lt(flow->rcv_adv, edge))
		return (uint16_t)field;
	if (weir_seq_diff(edge, flow->rcv_base) <= (int32_t)(flow->limit / 16)) {
		flow->rcv_adv = edge;
		return (uint16_t)field;
	}
	(*rounded_down)++;
	return (uint16_t)((flow->rcv_adv - ack) / unit);
}

/* A flow with any window, and ACKs that go on by segments, stand, or jump. */
static void
random_train(struct weir_flow *flow, struct weir_ack *acks, uint32_t n)
{
	uint32_t ack = random_u32(), step = random_below(4000);

	memset(flow, 0, sizeof(*flow));
	flow->rcv_wscale = (uint8_t)random_below(15);
	flow->limit = random_below(UINT16_MAX << flow->rcv_wscale) + 4096;
	flow->rcv_base = ack + random_below(flow->limit + flow->limit / 8);
	flow->rcv_adv = flow->rcv_base - flow->limit / 4 + random_below(flow->limit / 2);
	for (uint32_t i = 0; i < n; i++) {
		acks[i].ack = ack;
		ack += random_below(8) != 0 ? step : random_below(2000);
		if (random_below(200) == 0)
			ack += random_u32();
	}
}

/* A train has the fields that its ACKs would have one after the other, and moves the edge as they do. */
START_TEST(fields_of_a_train_are_those_of_its_acks)
{
	static struct weir_tcp tcp;
	uint64_t rounded_down = 0, moved = 0;
	struct weir_flow flow, alone;
	struct weir_ack acks[40];

	for (uint32_t i = 0; i < 400000; i++) {
		uint32_t n = 1 + random_below(40);

		random_train(&flow, acks, n);
		alone = flow;
		weir_window_fields(&tcp, &flow, acks, n);
		moved += flow.rcv_adv != alone.rcv_adv;
		for (uint32_t k = 0; k < n; k++) {
			uint16_t field = field_alone(&alone, acks[k].ack, &rounded_down);

			if (acks[k].win != field)
				ck_abort_msg("train %u, ACK %u: %u, not %u", i, k, acks[k].win, field);
		}
		ck_assert_uint_eq(flow.rcv_adv, alone.rcv_adv);
		ck_assert_uint_eq(tcp.stats.window_rounded_down, rounded_down);
	}
	ck_assert_uint_gt(rounded_down, 1000);
	ck_assert_uint_gt(moved, 1000);
}
END_TEST

/* Where nothing is short the promise is asked for less often, but it is the same. */
START_TEST(window_opens_as_the_budget_promises)
{
	static struct weir_tcp tcp;
	enum weir_limit closes;
	uint32_t at_ease = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		struct weir_flow flow = {.state = WEIR_TCP_ESTABLISHED, .limit_now = WEIR_LIMIT_SENDER};
		int32_t promise;

		tcp.budget_bufs = 64 + random_below(4000);
		tcp.held_bufs = random_below(tcp.budget_bufs + 1);
		flow.limit = 4096 + random_below(random_below(2) ? 1 << 24 : 1 << 18);
		flow.rcv_nxt = flow.rcv_base = flow.rcv_adv = random_u32();
		flow.unread_bytes = random_below(flow.limit);
		flow.leased_bytes = random_below(4096);
		promise = weir_budget_promise(&tcp, &flow, WEIR_TCP_MSS_DEFAULT, &closes);
		at_ease += weir_window_is_at_ease(&tcp, &flow);
		weir_window_open(&tcp, &flow);
		if (promise >= WEIR_TCP_MSS_DEFAULT)
			ck_assert_int_eq(weir_seq_diff(flow.rcv_base, flow.rcv_nxt), promise);
		else
			ck_assert_uint_eq(flow.rcv_base, flow.rcv_nxt);
	}
	ck_assert_uint_gt(at_ease, 1000);
	ck_assert_uint_lt(at_ease, 99000);
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
	UNIT_CASE(s, fields_of_a_train_are_those_of_its_acks);
	UNIT_CASE(s, window_opens_as_the_budget_promises);
	UNIT_CASE(s, live_flow_moves_beside_stalled_ones);
}

UNIT_MAIN("window", add)
