/* SPDX-License-Identifier: BSD-3-Clause */
/* SYNs beside connections: who comes first when packets have to wait, and in which place. */
#include "tests/unit/engine_test.h"

/* A SYN alone of somebody new. */
static void
inject_syn(uint16_t port)
{
	struct frame_spec spec;
	struct remote somebody;

	remote_init(&somebody, port);
	remote_spec(&somebody, &spec, somebody.iss, WEIR_TCP_SYN, NULL, 0);
	spec.flags = WEIR_TCP_SYN;
	spec.ack = 0;
	world_inject(&world, frame_build(&world.pool, &spec));
}

/* Twenty bursts of data and `n_syns` SYNs each, all full. Returns the SYNs that were dropped. */
static uint64_t
syns_dropped(uint32_t burst, uint32_t n_syns)
{
	struct weir_config config;
	struct remote remote;
	uint16_t port = 45000;
	uint64_t dropped;

	world_config(&config);
	config.burst = burst;
	open_with(&config);
	open_remotes(&remote, 1);
	world_poll(&world, 1000); /* nothing waits */
	for (uint32_t i = 0; i < 20; i++) {
		for (uint32_t k = 0; k < burst - n_syns; k++)
			remote_stream(&world, &remote, 0, 1);
		for (uint32_t k = 0; k < n_syns; k++)
			inject_syn(port++);
		world_poll(&world, 1000);
	}
	dropped = drops_of(WEIR_DROP_SYN_FLOOD);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	world_close(&world);
	return dropped;
}

/* However short a burst is, one SYN of it is answered: nobody is kept out for ever. */
START_TEST(a_short_burst_has_a_syn_to_answer)
{
	ck_assert_uint_eq(syns_dropped(3, 1), 0);
	ck_assert_uint_eq(syns_dropped(31, 1), 0);
	ck_assert_uint_eq(syns_dropped(64, 2), 0);
	ck_assert_uint_gt(syns_dropped(31, 2), 10);
	ck_assert_uint_gt(syns_dropped(64, 3), 10);
}
END_TEST

/* A row of full bursts ends with the stack that saw it: what comes then can be repeated. */
START_TEST(a_reset_ends_the_row_of_full_bursts)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	config.burst = 4;
	open_with(&config);
	open_remotes(&remote, 1);
	for (uint32_t i = 0; i < 4; i++) {
		stream_segs(&remote, 4);
		world_poll(&world, 1000);
	}
	ck_assert_int_eq(weir_stack_reset(world.stack, 1, world.now_ns), 0);
	for (uint16_t i = 0; i < 4; i++)
		inject_syn(45000 + i);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->syn_acks, 4);
	ck_assert_uint_eq(drops_of(WEIR_DROP_SYN_FLOOD), 0);
	world_close(&world);
}
END_TEST

/* Four full bursts, of data or of SYNs, from `port` on. */
static void
four_bursts(struct remote *data, uint32_t burst, uint16_t port)
{
	for (uint32_t i = 0; i < 4; i++) {
		for (uint32_t k = 0; k < burst; k++)
			if (data != NULL)
				remote_stream(&world, data, 0, 1);
			else
				inject_syn(port++);
		world_poll(&world, 1000);
	}
}

/* So does a poll that finds nothing: whatever comes by the burst, but no faster than it is served, does
 * not wait. */
START_TEST(an_empty_poll_ends_the_row_of_full_bursts)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	config.burst = 4;
	world_open(&world, &config, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
	open_remotes(&remote, 1);
	four_bursts(&remote, 4, 0);
	for (uint16_t i = 0; i < 4; i++) { /* none, and two bursts in a row */
		world_poll(&world, 1000);
		for (uint16_t k = 0; k < 8; k++)
			inject_syn((uint16_t)(45000 + 8 * i + k));
		world_poll(&world, 1000);
		world_poll(&world, 1000);
	}
	ck_assert_uint_eq(drops_of(WEIR_DROP_SYN_FLOOD), 0);
	ck_assert_uint_eq(stats_now()->syn_acks, 1 + 32);
	world_close(&world);
}
END_TEST

/* A flood that keeps all data out keeps it out only until somebody sends again: who sent lately comes
 * first even when a burst brought SYNs alone. Of a server that nobody sends to every SYN is answered. */
START_TEST(who_sent_lately_comes_first)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	config.burst = 4;
	world_open(&world, &config, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
	open_remotes(&remote, 1);
	four_bursts(&remote, 4, 0);
	four_bursts(NULL, 4, 45000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_SYN_FLOOD), 4 * 3);
	world_poll(&world, 1001000000);
	four_bursts(NULL, 4, 46000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_SYN_FLOOD), 4 * 3);
	world_close(&world);
}
END_TEST

/* A segment of `remote` whose checksums the port has verified. */
static void
inject_good(struct remote *remote, uint32_t seq, uint16_t flags, uint32_t len)
{
	static uint8_t bytes[64];
	struct frame_spec spec;
	struct rte_mbuf *buf;

	remote_spec(remote, &spec, seq, flags, bytes, len);
	spec.flags = flags;
	buf = frame_build(&world.pool, &spec);
	ck_assert_ptr_nonnull(buf);
	buf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	world_inject(&world, buf);
}

/* A SYN that stands apart keeps its place among the segments of its connection, and a run that it lies
 * in is not cut. */
START_TEST(a_syn_keeps_its_place)
{
	struct weir_config config;
	struct remote remotes[2], *a = &remotes[0], *b = &remotes[1];
	uint64_t aggregates;
	uint32_t before_data = 0;

	world_config(&config);
	world_open(&world, &config, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
	open_remotes(remotes, 2);
	for (uint32_t i = 0; i <= WEIR_CLAIM_FIRST; i++) { /* until the port is believed */
		inject_good(a, a->snd_nxt, WEIR_TCP_ACK, 0);
		if (i % 32 == 31)
			world_poll(&world, 1000);
	}
	world_poll(&world, 1000);
	aggregates = stats_now()->aggregates;
	inject_good(a, a->snd_nxt, WEIR_TCP_ACK, 10);
	inject_good(b, b->snd_nxt, WEIR_TCP_SYN, 0); /* of a connection: challenged */
	inject_syn(45000);
	inject_good(a, a->snd_nxt + 10, WEIR_TCP_ACK, 10);
	inject_good(b, b->snd_nxt, WEIR_TCP_ACK, 10);
	world_poll(&world, 1000);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TCP_SYN_INVALID), 1);
	ck_assert_uint_eq(stats_now()->aggregates - aggregates, 3); /* of a; of b the SYN, and the rest */
	ck_assert_uint_eq(stats_now()->syn_acks, 3);
	for (uint32_t i = 0; i < world.n_replies; i++)
		before_data += world.replies[i].dport == b->port && world.replies[i].ack == b->snd_nxt;
	ck_assert_uint_eq(before_data, 1);
	ck_assert_uint_eq(stats_now()->bytes, 2 * ENGINE_TEST_MSS + 30);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_short_burst_has_a_syn_to_answer);
	UNIT_CASE(s, a_reset_ends_the_row_of_full_bursts);
	UNIT_CASE(s, an_empty_poll_ends_the_row_of_full_bursts);
	UNIT_CASE(s, who_sent_lately_comes_first);
	UNIT_CASE(s, a_syn_keeps_its_place);
}

UNIT_MAIN("poll_syns", add)
