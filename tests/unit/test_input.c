/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"

#define MSS 1448

static struct world world;
static struct remote remote;

static uint64_t
slow_segs(void)
{
	return tcp_of(&world)->stats.slow_segs;
}

START_TEST(plain_aggregate_is_taken_whole)
{
	uint64_t at = 1, slow;

	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	slow = slow_segs();
	send_run(&world, &remote, 20, MSS);
	world_poll(&world, 1000);
	ck_assert_uint_eq(slow_segs(), slow);
	ck_assert_uint_eq(tcp_of(&world)->stats.aggregate_sizes[20], 1);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.snd_nxt);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 20 * MSS);
	check_memory(&world);
	world_close(&world);
}
END_TEST

/* A forged segment, in sequence, with an acknowledgment of what was never sent. */
START_TEST(pitfall_55_forged_ack_does_not_ride_in)
{
	struct frame_spec spec;
	struct drops drops;
	uint8_t payload[MSS];

	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	send_run(&world, &remote, 3, MSS);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, MSS);
	memset(payload, 'x', sizeof(payload));
	spec.ack += 5000;
	world_inject(&world, frame_build(&world.pool, &spec));
	drops_note(&world, &drops);
	world_poll(&world, 1000);
	drops_moved(&world, &drops, WEIR_DROP_TCP_ACK_INVALID, 1);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.snd_nxt);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_46_aggregate_across_edge_and_wrap)
{
	struct weir_config config;
	uint64_t at = 0;

	world_config(&config);
	world_open(&world, &config, 16384, WEIR_ACK_TRAIN);
	remote_init(&remote, 30000);
	remote.iss = 0xffffffff - 3000;
	remote_open(&world, &remote);
	remote_stream(&world, &remote, WEIR_TCP_PSH, 1000);
	world_poll(&world, 1000);
	remote.edge = reply_edge(&remote, world_last(&world));
	send_run(&world, &remote, 16, 1000); /* over the wrap and over the right edge */
	world_poll(&world, 1000);
	ck_assert(weir_seq_leq(flow_of(&world, &remote)->rcv_nxt, remote.edge));
	ck_assert_uint_ge(flow_of(&world, &remote)->delivered, 15000);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, flow_of(&world, &remote)->delivered);
	check_memory(&world);
	world_close(&world);
}
END_TEST

/* ts_recent and TSecr come out as if segments had come one at a time. */
START_TEST(pitfall_21_ts_recent_through_an_aggregate)
{
	uint32_t first;

	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	end_quick_acks(&world, &remote, MSS);
	world_forget(&world);
	first = remote.tsval + 1;
	for (int i = 0; i < 4; i++) {
		remote.tsval++;
		remote_stream(&world, &remote, 0, MSS);
	}
	ck_assert_uint_eq(world_poll(&world, 1000), 2);
	/* each ACK echoes the first segment that it covers */
	ck_assert_uint_eq(world.replies[0].tsecr, first);
	ck_assert_uint_eq(world.replies[1].tsecr, first + 2);
	world_close(&world);
}
END_TEST

/* The second segment after an ACK does not say what the next ACK echoes. */
START_TEST(ts_recent_waits_for_what_follows_an_ack)
{
	uint32_t first;

	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	end_quick_acks(&world, &remote, MSS);
	world_forget(&world);
	first = ++remote.tsval;
	remote_stream(&world, &remote, 0, MSS);
	world_poll(&world, 1000);
	remote.tsval++;
	remote_stream(&world, &remote, 0, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world.replies[0].tsecr, first);
	remote_send(&world, &remote, remote.snd_nxt + MSS, 0, MSS); /* a hole: answered at once */
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->tsecr, first);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_44_ce_in_a_run_is_echoed)
{
	struct frame_spec spec;
	uint8_t payload[MSS];
	struct weir_config config;

	world_config(&config);
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	remote_init(&remote, 30000);
	remote.ecn = true;
	remote_warm(&world, &remote);
	end_quick_acks(&world, &remote, MSS);
	world_forget(&world);
	for (int i = 0; i < 6; i++) {
		remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, MSS);
		spec.tos = i == 2 ? WEIR_ECN_CE : WEIR_ECN_ECT0;
		world_inject(&world, frame_build(&world.pool, &spec));
		remote.snd_nxt += MSS;
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.replies[0].flags & WEIR_TCP_ECE, 0);
	ck_assert_uint_ne(world_last(&world)->flags & WEIR_TCP_ECE, 0);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_45_bad_checksum_leaves_alone)
{
	struct frame_spec spec;
	struct drops drops;
	uint8_t payload[MSS];

	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	send_run(&world, &remote, 3, MSS);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, MSS);
	spec.bad_tcp_csum = 1;
	world_inject(&world, frame_build(&world.pool, &spec));
	send_run(&world, &remote, 3, MSS);
	drops_note(&world, &drops);
	world_poll(&world, 1000);
	drops_moved(&world, &drops, WEIR_DROP_TCP_CHECKSUM, 1);
	ck_assert_uint_eq(tcp_of(&world)->stats.aggregate_sizes[6], 1);
	world_close(&world);
}
END_TEST

/* The fast path reckons with eight buffers a segment: of a longer chain memory is asked exactly. */
START_TEST(long_chains_take_the_slow_path)
{
	struct frame_spec spec;
	uint8_t payload[MSS];

	memset(payload, 'x', sizeof(payload));
	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	for (int is_long = 0; is_long < 2; is_long++) {
		uint64_t slow = slow_segs();

		remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, MSS);
		spec.split = is_long ? 100 : 600; /* 16 buffers, or 3 */
		world_inject(&world, frame_build(&world.pool, &spec));
		remote.snd_nxt += MSS;
		world_poll(&world, 1000);
		ck_assert_uint_eq(slow_segs() - slow, is_long);
		ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.snd_nxt);
	}
	check_memory(&world);
	world_close(&world);
}
END_TEST

/* Eight buffers a segment would be more than a window without scaling allows; one each is not. Then
 * so much is held that the next segments are looked at one by one. */
START_TEST(small_windows_are_taken_whole)
{
	uint64_t at = 1, slow;

	world_simple(&world, &remote, UINT16_MAX, WEIR_ACK_TRAIN);
	slow = slow_segs();
	send_run(&world, &remote, 12, MSS);
	world_poll(&world, 1000);
	ck_assert_uint_eq(slow_segs(), slow);
	ck_assert_uint_eq(tcp_of(&world)->stats.aggregate_sizes[12], 1);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 12 * MSS);
	for (uint32_t n = 0; n < 2 * UINT16_MAX / tcp_of(&world)->charge_bytes; n++) {
		ck_assert_uint_eq(slow_segs(), slow);
		send_run(&world, &remote, 1, 100);
		world_poll(&world, 1000);
	}
	send_run(&world, &remote, 2, 100);
	world_poll(&world, 1000);
	ck_assert_uint_eq(slow_segs(), slow + 2);
	read_all(&world, &remote, &at);
	check_memory(&world);
	world_close(&world);
}
END_TEST

/* What the first of a block says of the others holds for those that there was memory for. */
START_TEST(a_block_is_queued_as_far_as_there_is_memory)
{
	struct weir_config config;
	struct drops drops;
	uint32_t hard, begin;
	uint64_t at = 0;

	world_config(&config);
	config.flows = 256;
	config.buffers = 64;
	config.budget_segs = config.quantum_segs = 1;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	world_believe(&world);
	hard = world.engine->hard_bufs;
	begin = remote.snd_nxt;
	drops_note(&world, &drops);
	send_run(&world, &remote, 62, 10);
	for (uint32_t i = 0; i < 2 * hard; i++)
		world_poll(&world, 1000);
	drops_moved(&world, &drops, WEIR_DROP_NO_MEMORY, 62 - hard);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, begin + 10 * hard);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 10 * hard);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_block_is_queued_as_far_as_there_is_memory);
	UNIT_CASE(s, plain_aggregate_is_taken_whole);
	UNIT_CASE(s, pitfall_55_forged_ack_does_not_ride_in);
	UNIT_CASE(s, pitfall_46_aggregate_across_edge_and_wrap);
	UNIT_CASE(s, pitfall_21_ts_recent_through_an_aggregate);
	UNIT_CASE(s, ts_recent_waits_for_what_follows_an_ack);
	UNIT_CASE(s, pitfall_44_ce_in_a_run_is_echoed);
	UNIT_CASE(s, pitfall_45_bad_checksum_leaves_alone);
	UNIT_CASE(s, long_chains_take_the_slow_path);
	UNIT_CASE(s, small_windows_are_taken_whole);
}

UNIT_MAIN("input", add)
