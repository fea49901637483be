/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"
#include "wire/siphash.h"

#define MSS 1448

static struct world world;
static struct remote remote;

static void
open_small(uint32_t buffers, uint32_t receive_buffer)
{
	struct weir_config config;

	world_config(&config);
	config.buffers = buffers;
	world_open(&world, &config, receive_buffer, WEIR_ACK_TRAIN);
	remote_init(&remote, 30000);
	remote_warm(&world, &remote);
	world_forget(&world);
}

/* Bytes of offset [from, to) of the stream are delivered or held, each buffer intact. */
static bool
is_held(const struct weir_flow *flow, uint32_t start, uint32_t end)
{
	const struct weir_tcp *tcp = tcp_of(&world);
	uint32_t idx;

	if (flow->reass == WEIR_NONE)
		return false;
	idx = weir_ranges_find(&tcp->reass.ranges, &tcp->reass.items[flow->reass].ranges, start);
	return idx != 0 && weir_seq_leq(end, tcp->reass.ranges.nodes[idx].end);
}

/* No ACK and no SACK block of this poll covers a byte that is neither delivered nor held now or was
 * pruned since, by name. */
static void
check_replies(uint64_t pruned_before)
{
	const struct weir_flow *flow = flow_of(&world, &remote);
	bool pruned = tcp_of(&world)->stats.pruned != pruned_before;

	for (uint32_t i = 0; i < world.n_replies; i++) {
		const struct reply *reply = &world.replies[i];

		ck_assert(weir_seq_leq(reply->ack, flow->rcv_nxt));
		for (uint32_t k = 0; k < reply->n_sacks; k++) {
			uint32_t start = reply->sacks[k][0], end = reply->sacks[k][1];

			if (weir_seq_leq(end, flow->rcv_nxt) || pruned)
				continue;
			ck_assert_msg(is_held(flow, weir_seq_max(start, flow->rcv_nxt), end),
				      "SACK of bytes that are not held");
		}
	}
	world_forget(&world);
}

/* Loss, reordering, duplicates, a pool that fails, a reader that stalls: whatever is acknowledged
 * can be read. */
START_TEST(pitfall_28_nothing_is_acknowledged_that_is_not_held)
{
	uint64_t random = 42, at = 0;

	open_small(256, 1 << 17);
	for (uint32_t round = 0; round < 3000; round++) {
		struct weir_flow *flow = flow_of(&world, &remote);
		uint64_t pruned = tcp_of(&world)->stats.pruned;
		uint32_t base = flow->rcv_nxt - remote.iss - 1;

		for (uint32_t n = weir_seed_next(&random) % 12; n > 0; n--) {
			uint32_t off = base + (uint32_t)(weir_seed_next(&random) % 40) * 300;
			uint32_t len = 1 + (uint32_t)(weir_seed_next(&random) % 900);

			if (weir_seed_next(&random) % 4 == 0)
				off = base;
			remote_send(&world, &remote, remote.iss + 1 + off, 0, len);
		}
		world.engine->tcp.pool->fail_every = weir_seed_next(&random) % 5 == 0 ? 2 : 0;
		world_poll(&world, 1000 * (weir_seed_next(&random) % 5000));
		check_replies(pruned);
		check_memory(&world);
		if (at == 0)
			at = 1;
		if (weir_seed_next(&random) % 6 == 0)
			read_all(&world, &remote, &at);
	}
	world.engine->tcp.pool->fail_every = 0;
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, flow_of(&world, &remote)->delivered);
	ck_assert_uint_gt(at, 100000);
	world_close(&world);
}
END_TEST

/* Retransmission that starts left of rcv_nxt and brings new bytes: the new ones are kept. */
START_TEST(pitfall_23_new_bytes_of_a_retransmission)
{
	uint64_t at = 1;

	open_small(1024, 1 << 18);
	send_run(&world, &remote, 2, 1000);
	world_poll(&world, 1000);
	remote_send(&world, &remote, remote.snd_nxt - 500, 0, 1400);
	remote.snd_nxt += 900;
	world_poll(&world, 1000);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 2900);
	world_close(&world);
}
END_TEST

/* The copy that came first wins, also against a later one that is in order. */
START_TEST(pitfall_26_first_copy_wins_in_order_too)
{
	struct frame_spec spec;
	uint8_t payload[200], data[201];

	open_small(1024, 1 << 18);
	remote_spec(&remote, &spec, remote.snd_nxt + 100, WEIR_TCP_ACK, payload, 100);
	memset(payload, 'A', 100);
	world_inject(&world, frame_build(&world.pool, &spec));
	world_poll(&world, 1000);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, 200);
	memset(payload, 'B', 200);
	world_inject(&world, frame_build(&world.pool, &spec));
	world_poll(&world, 1000);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt + 200);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, data, 201), 200);
	ck_assert_int_eq(data[99], 'B');
	ck_assert_int_eq(data[100], 'A');
	ck_assert_int_eq(data[199], 'A');
	world_close(&world);
}
END_TEST

/* What was SACKed survives the filling of the hole, however full the connection is. */
START_TEST(pitfall_24_filling_the_hole_prunes_nothing)
{
	uint32_t start;

	open_small(4096, 1 << 18);
	start = remote.snd_nxt;
	for (uint32_t i = 1; i < 500; i++) {
		remote_send(&world, &remote, start + 500 * i, 0, 500);
		if (i % 20 == 0)
			world_poll(&world, 1000);
	}
	world_poll(&world, 1000);
	remote_send(&world, &remote, start, 0, 500);
	world_poll(&world, 1000);
	ck_assert_uint_eq(tcp_of(&world)->stats.pruned, 0);
	ck_assert_uint_gt(flow_of(&world, &remote)->delivered, 50000);
	check_memory(&world);
	world_close(&world);
}
END_TEST

/* Tiny segments use up buffers before bytes: they are copied together, nothing acknowledged is lost. */
START_TEST(pitfall_32_tiny_segments_are_collapsed)
{
	uint64_t at = 1;

	open_small(2048, 1 << 16);
	for (uint32_t i = 0; i < 5000; i++) {
		remote_stream(&world, &remote, 0, 2);
		if (i % 32 == 31)
			world_poll(&world, 1000);
	}
	world_poll(&world, 1000);
	ck_assert_uint_gt(tcp_of(&world)->stats.collapsed, 1000);
	ck_assert_uint_le(flow_of(&world, &remote)->held_bufs, 65);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.snd_nxt);
	check_memory(&world);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 10001);
	world_close(&world);
}
END_TEST

/* Stalled readers of tiny segments give memory back for a live connection. */
START_TEST(tiny_segments_of_others_do_not_starve)
{
	struct remote live;
	uint64_t before;

	open_small(1024, 1 << 20);
	remote_init(&live, 32000);
	remote_warm(&world, &live);
	for (uint32_t i = 0; i < 4; i++) {
		remote_init(&remote, (uint16_t)(31000 + i));
		remote_warm(&world, &remote);
		for (uint32_t k = 0; k < 250; k++) {
			remote_stream(&world, &remote, 0, 1);
			if (k % 25 == 24)
				world_poll(&world, 1000);
		}
	}
	before = flow_of(&world, &live)->delivered;
	for (uint32_t i = 0; i < 100; i++) {
		remote_stream(&world, &live, 0, 1400);
		world_poll(&world, 1000);
		live.snd_nxt = flow_of(&world, &live)->rcv_nxt;
		weir_conn_discard(world.stack, live.conn, UINT32_MAX);
		world_forget(&world);
	}
	ck_assert_uint_ge(flow_of(&world, &live)->delivered - before, 80 * 1400);
	check_memory(&world);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_47_pool_empty_when_answering)
{
	uint64_t lost;

	open_small(1024, 1 << 18);
	world.engine->tcp.pool->fail_every = 1;
	send_run(&world, &remote, 4, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	lost = tcp_of(&world)->stats.drops[WEIR_DROP_TX_NO_BUFFER];
	ck_assert_uint_gt(lost, 0);
	world.engine->tcp.pool->fail_every = 0;
	remote_send(&world, &remote, remote.snd_nxt - MSS, 0, MSS); /* the sender tries again */
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	world_close(&world);
}
END_TEST

/* No node left to hold it: dropped by name, not acknowledged, taken when there is one again. */
START_TEST(pitfall_28_no_node_no_acknowledgment)
{
	static uint32_t taken[65536];
	struct weir_held_pool *held;
	uint32_t n = 0, before, idx;

	open_small(256, 1 << 17);
	held = &tcp_of(&world)->held;
	while ((idx = weir_held_alloc(held)) != 0) {
		ck_assert_uint_lt(n, 65536);
		taken[n++] = idx;
	}
	before = flow_of(&world, &remote)->rcv_nxt;
	remote_send(&world, &remote, remote.snd_nxt, 0, MSS);
	world_poll(&world, 1000);
	ck_assert_uint_eq(tcp_of(&world)->stats.drops[WEIR_DROP_NO_NODE], 1);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, before);
	for (uint32_t i = 0; i < world.n_replies; i++)
		ck_assert_uint_eq(world.replies[i].ack, before);
	while (n != 0)
		weir_held_free(held, taken[--n]);
	remote_stream(&world, &remote, 0, MSS);
	world_poll(&world, 50 * TCP_TEST_MS);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, before + MSS);
	world_close(&world);
}
END_TEST

static uint32_t
lost_ms(void)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_conn_info(world.stack, remote.conn, &info), 0);
	return info.limited_ms[WEIR_LIMIT_LOSS];
}

/* The application closes beside a hole: nobody waits for it any more. */
START_TEST(loss_ends_with_what_was_out_of_order)
{
	open_small(256, 1 << 17);
	remote_send(&world, &remote, remote.snd_nxt + MSS, 0, MSS);
	world_poll(&world, 1000);
	world_poll(&world, 20 * TCP_TEST_MS);
	ck_assert_uint_eq(lost_ms(), 20);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	world_poll(&world, 500 * TCP_TEST_MS);
	ck_assert_uint_eq(lost_ms(), 20);
	world_close(&world);
}
END_TEST

/* Out of order, and no node left to hold it: nothing waits for a hole. */
START_TEST(loss_begins_with_what_is_held)
{
	struct weir_held_pool *held;
	uint32_t idx, n = 0;
	static uint32_t taken[65536];

	open_small(256, 1 << 17);
	held = &tcp_of(&world)->held;
	while ((idx = weir_held_alloc(held)) != 0)
		taken[n++] = idx;
	remote_send(&world, &remote, remote.snd_nxt + MSS, 0, MSS);
	world_poll(&world, 1000);
	ck_assert_uint_eq(tcp_of(&world)->stats.drops[WEIR_DROP_NO_NODE], 1);
	ck_assert_uint_eq(flow_of(&world, &remote)->reass, WEIR_NONE);
	world_poll(&world, 500 * TCP_TEST_MS);
	ck_assert_uint_eq(lost_ms(), 0);
	while (n != 0)
		weir_held_free(held, taken[--n]);
	world_close(&world);
}
END_TEST

/* Time in which nothing waits is no time in which nobody reads. */
START_TEST(waiting_begins_with_the_first_byte)
{
	open_small(256, 1 << 17);
	world_poll(&world, 10000ull * TCP_TEST_MS);
	remote_stream(&world, &remote, 0, MSS);
	world_poll(&world, 1000);
	ck_assert_uint_eq(flow_of(&world, &remote)->unread_bytes, MSS);
	ck_assert_uint_eq(flow_of(&world, &remote)->read_ms, tcp_of(&world)->now_ms);
	remote_stream(&world, &remote, 0, MSS);
	world_poll(&world, 10 * TCP_TEST_MS);
	ck_assert_uint_ne(flow_of(&world, &remote)->read_ms, tcp_of(&world)->now_ms);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_28_nothing_is_acknowledged_that_is_not_held);
	UNIT_CASE(s, pitfall_23_new_bytes_of_a_retransmission);
	UNIT_CASE(s, pitfall_26_first_copy_wins_in_order_too);
	UNIT_CASE(s, pitfall_24_filling_the_hole_prunes_nothing);
	UNIT_CASE(s, pitfall_32_tiny_segments_are_collapsed);
	UNIT_CASE(s, tiny_segments_of_others_do_not_starve);
	UNIT_CASE(s, pitfall_47_pool_empty_when_answering);
	UNIT_CASE(s, pitfall_28_no_node_no_acknowledgment);
	UNIT_CASE(s, loss_ends_with_what_was_out_of_order);
	UNIT_CASE(s, loss_begins_with_what_is_held);
	UNIT_CASE(s, waiting_begins_with_the_first_byte);
}

UNIT_MAIN("receive", add)
