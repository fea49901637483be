/* SPDX-License-Identifier: BSD-3-Clause */
/* Fragments through a whole engine. */
#include "tests/unit/cutting.h"
#include "tests/unit/engine_test.h"

#define LEN 4000

static struct cutting cut;

static void
open_stack(struct remote *remotes, uint32_t n)
{
	cutting_start_eal();
	open_default();
	ck_assert_ptr_nonnull(world.engine->datagrams.table);
	open_remotes(remotes, n);
}

/* The next `len` bytes of a remote as one segment to be cut, number `id`. */
static void
cut_next(struct remote *remote, uint32_t id, uint32_t len)
{
	static uint8_t payload[9000];
	struct frame_spec spec;

	remote_spec(remote, &spec, remote->snd_nxt, WEIR_TCP_ACK, payload, len);
	spec.ip_id = (uint16_t)id;
	cutting_take(&cut, &spec);
	remote->snd_nxt += len;
}

static void
inject(uint32_t start, uint32_t end)
{
	world_inject(&world, cutting_piece(&cut, &world.pool, start, end));
}

/* What the application has, from `offset` on. */
static void
read_all(const struct remote *remote, uint64_t offset, uint32_t len)
{
	static uint8_t data[65536];

	ck_assert_int_eq(weir_conn_read(world.stack, remote->conn, data, sizeof(data)), (int)len);
	check_content(data, offset, len);
}

START_TEST(a_packet_in_fragments_is_a_segment)
{
	struct remote remote;

	open_stack(&remote, 1);
	cut_next(&remote, 1, LEN);
	inject(0, 1480);
	inject(2960, cut.len);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->fragments_held, 2);
	ck_assert_uint_eq(stats_now()->packets_queued, 2);
	ck_assert_uint_eq(stats_now()->buffers_held, 2);
	inject(1480, 2960);
	ck_assert_uint_ge(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(stats_now()->fragments, 3);
	ck_assert_uint_eq(stats_now()->reassembled, 1);
	ck_assert_uint_eq(stats_now()->fragments_held, 0);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_eq(stats_now()->ports[0].frame_max, 14 + 20 + 1480);
	read_all(&remote, ENGINE_TEST_FIRST, LEN);
	world_close(&world);
}
END_TEST

/* Nothing overtakes: what came before the fragment that completes a packet goes first, and what came
 * behind it goes after it, as if it had never been cut. */
/* A packet of the wire takes one buffer, however it was cut; without a free one it stays a chain. */
START_TEST(what_fits_takes_one_buffer)
{
	struct remote remote;

	open_stack(&remote, 1);
	for (uint32_t i = 0; i < 2; i++) {
		world.stack->pool.fail_every = i; /* every allocation, the second time */
		cut_next(&remote, i, 1400);
		for (uint32_t at = 0; at < cut.len; at += 400)
			inject(at, at + 400 < cut.len ? at + 400 : cut.len);
		weir_engine_poll(world.engine, world.now_ns);
		ck_assert_uint_eq(world.engine->tcp.held_bufs, i == 0 ? 1 : 4);
		world.stack->pool.fail_every = 0;
		read_all(&remote, ENGINE_TEST_FIRST + i * 1400, 1400);
		world_poll(&world, 1000);
		ck_assert_uint_eq(world.engine->tcp.held_bufs, 0);
	}
	world_close(&world);
}
END_TEST

START_TEST(order_of_a_burst_stays)
{
	struct remote remotes[2];

	open_stack(remotes, 2);
	for (uint32_t round = 0; round < 3; round++) {
		stream_segs(&remotes[0], 2);
		cut_next(&remotes[0], 2 * round, LEN);
		inject(0, 2000);
		remote_stream(&world, &remotes[1], 0, 500);
		inject(2000, cut.len);
		stream_segs(&remotes[0], 1);
		cut_next(&remotes[1], 2 * round + 1, LEN);
		inject(2000, cut.len);
		stream_segs(&remotes[0], 1);
		inject(0, 2000);
		remote_stream(&world, &remotes[1], 0, 500);
		world_poll(&world, 1000);
	}
	ck_assert_uint_eq(stats_now()->reassembled, 6);
	ck_assert_uint_eq(stats_now()->dup_acks, 0); /* nothing was ever out of order */
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	read_all(&remotes[0], ENGINE_TEST_FIRST, 3 * (4 * ENGINE_TEST_MSS + LEN));
	read_all(&remotes[1], ENGINE_TEST_FIRST, 3 * (LEN + 1000));
	world_close(&world);
}
END_TEST

/* Both families in one burst, each in its own order. */
START_TEST(ip6_and_ip4_side_by_side)
{
	struct remote remotes[2];
	uint64_t sent = 0;

	open_stack(&remotes[0], 1);
	remote_init(&remotes[1], 40001);
	remotes[1].ip6 = true;
	remote_open(&world, &remotes[1]);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 2; i++) {
			remote_stream(&world, &remotes[i], 0, 500);
			cut_next(&remotes[i], round, LEN);
			ck_assert_uint_eq(cut.ip6, i);
			inject(2000, cut.len);
			inject(0, 1000);
			inject(1000, 2000);
			remote_stream(&world, &remotes[i], 0, 300);
		}
		world_poll(&world, 1000);
		read_all(&remotes[0], ENGINE_TEST_FIRST + sent, LEN + 800);
		read_all(&remotes[1], sent, LEN + 800);
		sent += LEN + 800;
		world_poll(&world, 1000);
	}
	ck_assert_uint_eq(stats_now()->reassembled, 40);
	ck_assert_uint_eq(stats_now()->dup_acks, 0);
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	world_close(&world);
}
END_TEST

START_TEST(what_came_in_fragments_never_merges)
{
	struct remote remote;
	uint64_t before;

	open_stack(&remote, 1);
	before = stats_now()->aggregates;
	for (uint32_t i = 0; i < 4; i++) {
		cut_next(&remote, i, 2000);
		inject(0, 1000);
		inject(1000, cut.len);
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->aggregates - before, 4);
	ck_assert_uint_eq(stats_now()->aggregate_sizes[1], stats_now()->aggregates);
	read_all(&remote, ENGINE_TEST_FIRST, 8000);
	world_close(&world);
}
END_TEST

/* A port that calls every sum good is not believed about a packet that it never saw. */
START_TEST(the_sum_of_the_whole_is_verified_here)
{
	struct remote remote;

	open_stack(&remote, 1);
	world.engine->ports[0].parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST + 1;
	cut_next(&remote, 1, LEN);
	cut.frame[3000] ^= 1;
	for (uint32_t i = 0; i < 2; i++) {
		struct rte_mbuf *buf = cutting_piece(&cut, &world.pool, i * 2000,
						     i == 0 ? 2000 : cut.len);

		buf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD;
		world_inject(&world, buf);
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_CHECKSUM), 1);
	ck_assert_uint_eq(stats_now()->reassembled, 1);
	ck_assert_uint_eq(info_of(remote.conn).unread_bytes, 0);
	ck_assert_uint_eq(stats_now()->ports[0].csum_contradictions, 0); /* the port said nothing of it */
	world_close(&world);
}
END_TEST

START_TEST(fragments_that_are_none)
{
	struct remote remote;
	struct frame_spec spec;

	open_stack(&remote, 1);
	cut_next(&remote, 1, LEN);
	inject(0, 8);
	inject(8, 16);
	world_poll(&world, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_FRAGMENT_TINY), 2);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, NULL, 0);
	spec.protocol = 1;
	spec.payload = "pingpong";
	spec.len = 8;
	spec.ip_frag = 0x2000;
	world_inject(&world, frame_build(&world.pool, &spec));
	world_poll(&world, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_IP_FRAGMENT), 1);
	ck_assert_uint_eq(stats_now()->fragments, 0);
	world_close(&world);
}
END_TEST

START_TEST(patience_ends_by_the_clock)
{
	struct remote remote;

	open_stack(&remote, 1);
	cut_next(&remote, 1, LEN);
	inject(1480, 2960);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->fragments_held, 1);
	ck_assert_uint_le(weir_engine_deadline(world.engine), world.now_ns + 15000000000ull);
	world_poll(&world, 14999000000ull);
	ck_assert_uint_eq(stats_now()->fragments_held, 1);
	world_poll(&world, 1000000);
	ck_assert_uint_eq(stats_now()->fragments_held, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_FRAGMENT_TIMEOUT), 1);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	world_close(&world);
}
END_TEST

START_TEST(reset_and_destroy_give_all_back)
{
	struct remote remote;

	open_stack(&remote, 1);
	for (uint32_t id = 0; id < 10; id++) {
		cut_next(&remote, id, LEN);
		inject(0, 1480);
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->fragments_held, 10);
	ck_assert_int_eq(weir_stack_reset(world.stack, 2, world.now_ns), 0);
	ck_assert_uint_eq(stats_now()->fragments_held, 0);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_eq(weir_pool_available(&world.pool), world.pool.size);
	inject(0, 1480);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->fragments_held, 1);
	world_close(&world); /* asserts that every buffer is home */
}
END_TEST

START_TEST(switched_off_or_without_eal_they_are_dropped)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	for (uint32_t eal = 0; eal < 2; eal++) {
		open_with(&config);
		open_remotes(&remote, 1);
		cut_next(&remote, 1, LEN);
		inject(0, 2000);
		inject(2000, cut.len);
		world_poll(&world, 1000);
		ck_assert_uint_eq(drops_of(WEIR_DROP_IP_FRAGMENT), 2);
		world_close(&world);
		if (eal == 0)
			cutting_start_eal();
		config.datagrams = 0; /* the second time */
	}
}
END_TEST

/* A hundred thousand fragments of which no packet comes: memory stays bounded, and connections whose
 * packets come whole or in fragments go on as if there were none. */
START_TEST(a_flood_does_no_harm)
{
	struct remote remotes[4], flood;
	uint64_t sent[4] = {0}, state = 1;

	open_stack(remotes, 4);
	remote_init(&flood, 50000);
	flood.ip = 0xc6336401;
	for (uint32_t round = 0; round < 4000; round++) {
		uint32_t who = round % 4, len = who < 2 ? ENGINE_TEST_MSS : LEN;

		for (uint32_t i = 0; i < 25; i++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			cut_next(&flood, (uint32_t)(state >> 40), LEN);
			inject((uint32_t)(state >> 60) * 80 + 80, 2080);
		}
		if (who < 2) {
			remote_stream(&world, &remotes[who], 0, len);
		} else {
			cut_next(&remotes[who], round, len);
			inject(2000, cut.len);
			inject(0, 2000);
		}
		world_poll(&world, 1000);
		ck_assert_uint_le(stats_now()->fragments_held, 64);
		ck_assert_uint_eq(info_of(remotes[who].conn).unread_bytes, len);
		read_all(&remotes[who], ENGINE_TEST_FIRST + sent[who], len);
		sent[who] += len;
		world_forget(&world);
	}
	ck_assert_uint_eq(stats_now()->reassembled, 2000);
	ck_assert_uint_ge(drops_of(WEIR_DROP_FRAGMENT_PUSHED_OUT), 99000);
	world_close(&world);
}
END_TEST

static void
add_cases(Suite *suite)
{
	UNIT_CASE(suite, a_packet_in_fragments_is_a_segment);
	UNIT_CASE(suite, what_fits_takes_one_buffer);
	UNIT_CASE(suite, order_of_a_burst_stays);
	UNIT_CASE(suite, ip6_and_ip4_side_by_side);
	UNIT_CASE(suite, what_came_in_fragments_never_merges);
	UNIT_CASE(suite, the_sum_of_the_whole_is_verified_here);
	UNIT_CASE(suite, fragments_that_are_none);
	UNIT_CASE(suite, patience_ends_by_the_clock);
	UNIT_CASE(suite, reset_and_destroy_give_all_back);
	UNIT_CASE(suite, switched_off_or_without_eal_they_are_dropped);
	UNIT_CASE(suite, a_flood_does_no_harm);
}
UNIT_MAIN("assemble", add_cases)
