/* SPDX-License-Identifier: BSD-3-Clause */
/* The closed-loop sender against a real stack: streams, loss, closed windows, ends. */
#include "tests/app/generator_test.h"

#define MSS 1448

/* Streams of `bytes` from all flows arrive whole and are closed by both sides. */
static void
check_streams(uint64_t bytes, uint64_t most_ns)
{
	const struct generator_stats *stats;

	ck_assert(rig_run_until_done(most_ns));
	/* The last ACK may get lost, too, and a FIN be sent again by 7 timers of 3 s and more. */
	for (uint64_t end = rig.now_ns + 600 * RIG_SEC; rig.now_ns < end;) {
		if (rig.closed == rig.config.flows)
			break;
		rig_stride(end);
	}
	stats = rig_stats();
	ck_assert_uint_eq(stats->opened, rig.config.flows);
	ck_assert_uint_eq(stats->closed, rig.config.flows);
	ck_assert_uint_eq(stats->failed + stats->reset, 0);
	ck_assert_uint_eq(stats->bytes_sent, bytes * rig.config.flows);
	ck_assert_uint_eq(stats->bytes_acked, bytes * rig.config.flows);
	ck_assert_uint_eq(rig.bytes, bytes * rig.config.flows);
	ck_assert_uint_eq(rig.accepted, rig.config.flows);
	ck_assert_uint_eq(rig.closed, rig.config.flows);
	ck_assert_uint_eq(generator_established(rig.generator), 0);
}

START_TEST(one_stream_arrives_whole)
{
	rig_init();
	rig.config.bytes_per_flow = (8 << 20) + 77;
	rig_open(NULL);
	ck_assert_uint_eq(generator_began_ns(rig.generator), 0);
	check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
	/* ARP, then the handshake, a step each. */
	ck_assert_uint_gt(generator_began_ns(rig.generator), RIG_SEC);
	ck_assert_uint_le(generator_began_ns(rig.generator), RIG_SEC + 4 * RIG_STEP_NS);
	ck_assert_uint_eq(rig_stats()->retransmitted, 0);
	ck_assert_uint_eq(rig_stats()->rtos, 0);
	ck_assert_uint_eq(rig_stats()->segs_sent, ((8 << 20) + 77 + MSS - 1) / MSS);
	rig_close();
}
END_TEST

START_TEST(lengths_around_the_mss)
{
	static const uint64_t lengths[] = {1, 2, MSS - 1, MSS, MSS + 1, 2 * MSS, 2 * MSS + 1};

	for (uint32_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		rig_init();
		rig.config.flows = 3;
		rig.config.bytes_per_flow = lengths[i];
		rig_open(NULL);
		check_streams(lengths[i], RIG_SEC);
		rig_close();
	}
}
END_TEST

START_TEST(without_any_option)
{
	rig_init();
	rig.config.flows = 4;
	rig.config.timestamps = 0;
	rig.config.sack = 0;
	rig.config.mss = 1460;
	rig.config.bytes_per_flow = 1 << 20;
	rig_open("seed=3,loss=1%");
	check_streams(rig.config.bytes_per_flow, 60 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->retransmitted, 0);
	ck_assert_uint_eq(rig_stats()->sacks, 0);
	rig_close();
}
END_TEST

/* The peer's MSS is the smaller one; it counts the timestamps that the payload makes room for. */
START_TEST(peer_with_a_small_mss)
{
	for (uint32_t verify = 0; verify < 2; verify++) {
		rig_init();
		rig.mtu = 1000;
		rig.config.verify = (uint8_t)verify;
		rig.config.bytes_per_flow = 948000;
		rig_open(NULL);
		check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
		ck_assert_uint_eq(rig_stats()->segs_sent, 1000);
		rig_close();
	}
}
END_TEST

START_TEST(bare_ip_packets)
{
	for (uint32_t timestamps = 0; timestamps < 2; timestamps++) {
		rig_init();
		rig.l3 = true;
		rig.config.timestamps = (uint8_t)timestamps;
		rig.config.flows = 3;
		rig.config.bytes_per_flow = 1000001;
		rig_open(NULL);
		check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
		ck_assert_uint_eq(rig_stats()->retransmitted, 0);
		rig_close();
	}
}
END_TEST

START_TEST(payload_once_written_stays)
{
	rig_init();
	rig.config.flows = 2;
	rig.config.verify = 0; /* the checksums still tell */
	rig.config.stamp = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	rig.config.bytes_per_flow = (4 << 20) + 5;
	rig_open(NULL);
	check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
	ck_assert_uint_eq(rig_stats()->retransmitted, 0);
	rig_close();
}
END_TEST

START_TEST(every_impairment_at_once)
{
	rig_init();
	rig.config.flows = 8;
	rig.config.run = 4;
	rig.config.bytes_per_flow = (1 << 20) + 1;
	rig_open("seed=5,loss=1%,dup=1%,reorder=2%,corrupt=0.2%,truncate=0.1%,delay=200us,both=1");
	check_streams(rig.config.bytes_per_flow, 120 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->retransmitted, 0);
	ck_assert_uint_gt(rig_stats()->sacks, 0);
	ck_assert_uint_gt(rig_stats()->fast_recoveries, 0);
	rig_close();
}
END_TEST

/* One loss in a hundred is mended by SACK, without waiting for the timer each time. */
START_TEST(loss_seldom_waits_for_the_timer)
{
	rig_init();
	rig.config.bytes_per_flow = 16 << 20;
	rig_open("seed=9,loss=1%");
	check_streams(rig.config.bytes_per_flow, 60 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->retransmitted, 60);
	ck_assert_uint_le(rig_stats()->rtos, 2);
	rig_close();
}
END_TEST

START_TEST(reordered_on_purpose)
{
	struct weir_stats stats = {.size = sizeof(stats)};

	rig_init();
	rig.config.flows = 2;
	rig.config.run = 8;
	rig.config.reorder_permille = 20;
	rig.config.bytes_per_flow = 4 << 20;
	rig_open(NULL);
	check_streams(rig.config.bytes_per_flow, 20 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->reordered, 50);
	weir_stack_stats(rig.stack, &stats);
	ck_assert_uint_gt(stats.dup_acks, 50);
	rig_close();
}
END_TEST

START_TEST(closed_window_is_probed)
{
	uint64_t before;

	rig_init();
	rig.receive_buffer = 65536;
	rig_open(NULL);
	rig.stalled = true;
	rig_run(2 * RIG_SEC);
	before = rig_stats()->bytes_acked;
	ck_assert_uint_gt(rig_stats()->window_probes, 1);
	ck_assert_uint_lt(rig_stats()->window_probes, 20);
	rig_run(100 * RIG_SEC); /* probes never give up */
	ck_assert_uint_eq(rig_stats()->bytes_acked, before);
	ck_assert_uint_eq(generator_established(rig.generator), 1);
	generator_close(rig.generator, rig.now_ns);
	ck_assert_uint_eq(rig_stats()->failed, 0);
	generator_abort(rig.generator, rig.now_ns);
	rig_close();
}
END_TEST

START_TEST(windows_are_told)
{
	struct generator_windows windows;

	rig_init();
	rig.receive_buffer = 65536;
	rig.config.flows = 3;
	rig.config.hold = 2;
	rig_open(NULL);
	rig.stalled = true;
	rig_run(2 * RIG_SEC);
	generator_windows(rig.generator, UINT32_MAX, &windows);
	ck_assert_uint_eq(windows.flows, 5);
	ck_assert_uint_eq(windows.shut, 3);
	ck_assert_uint_eq(windows.inflight_bytes, 0);
	ck_assert_uint_gt(windows.bytes, 0); /* of the idle ones */
	ck_assert_uint_le(windows.bytes, 2 * 65536);
	generator_windows(rig.generator, 3, &windows);
	ck_assert_uint_eq(windows.flows, 3);
	ck_assert_uint_eq(windows.shut, 3);
	ck_assert_uint_eq(windows.bytes, 0);
	generator_abort(rig.generator, rig.now_ns);
	generator_windows(rig.generator, UINT32_MAX, &windows);
	ck_assert_uint_eq(windows.flows, 0);
	rig_close();
}
END_TEST

/* The SYN-ACK, the handshake's last ACK and both FINs get lost now and then. */
START_TEST(handshake_and_end_survive_loss)
{
	rig_init();
	rig.config.flows = 200;
	rig.config.bytes_per_flow = 100;
	rig_open("seed=11,loss=10%,both=1");
	check_streams(100, 300 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->strangers + rig_stats()->rtos, 0);
	rig_close();
}
END_TEST

START_TEST(nobody_answers)
{
	rig_init();
	rig.config.retries_most = 3;
	rig.config.flows = 3;
	rig_open("seed=1,loss=100%");
	ck_assert(rig_run_until_done(60 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->failed, 3);
	ck_assert_uint_eq(rig_stats()->opened, 0);
	rig_close();
}
END_TEST

START_TEST(refused_by_reset)
{
	rig_init();
	rig.config.target_port = RIG_PORT + 1;
	rig.config.flows = 5;
	rig_open(NULL);
	ck_assert(rig_run_until_done(RIG_SEC));
	ck_assert_uint_eq(rig_stats()->reset, 5);
	rig_close();
}
END_TEST

START_TEST(close_brings_everything_home)
{
	rig_init();
	rig.config.flows = 50;
	rig.config.sources = 7;
	rig.config.run = 4;
	rig_open(NULL);
	rig_run(20 * RIG_MS);
	ck_assert_uint_eq(generator_established(rig.generator), 50);
	ck_assert(!generator_done(rig.generator));
	generator_close(rig.generator, rig.now_ns);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	rig_run(RIG_MS);
	ck_assert_uint_eq(rig_stats()->closed, 50);
	ck_assert_uint_eq(rig.closed, 50);
	ck_assert_uint_eq(rig_stats()->bytes_acked, rig.bytes);
	ck_assert_uint_eq(rig_stats()->bytes_sent, rig.bytes);
	rig_close();
}
END_TEST

START_TEST(abort_resets_all)
{
	struct weir_stats stats = {.size = sizeof(stats)};
	uint32_t left;

	rig_init();
	rig.config.flows = 300;
	rig.config.hold = 20;
	rig_open(NULL);
	rig_run(20 * RIG_MS);
	ck_assert_uint_eq(generator_established(rig.generator), 320);
	for (uint32_t i = 0; (left = generator_abort(rig.generator, rig.now_ns)) != 0; i++) {
		ck_assert_uint_lt(i, 1000);
		rig.now_ns += RIG_STEP_NS;
		weir_engine_poll(rig.engine, rig.now_ns);
		generator_receive(rig.generator, rig.now_ns);
	}
	rig_run(10 * RIG_MS);
	weir_stack_stats(rig.stack, &stats);
	ck_assert_uint_eq(stats.established, 0);
	ck_assert_uint_eq(rig.resets, 320);
	ck_assert(generator_done(rig.generator));
	ck_assert_uint_eq(generator_deadline(rig.generator), UINT64_MAX);
	rig_close();
}
END_TEST

START_TEST(pool_runs_empty)
{
	rig_init();
	rig.config.flows = 4;
	rig.config.bytes_per_flow = 1 << 20;
	rig_open(NULL);
	rig.pool.fail_every = 3;
	check_streams(rig.config.bytes_per_flow, 60 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->no_buffer, 0);
	rig_close();
}
END_TEST

/* The engine does not run: the ring fills, nothing is lost, everything waits. */
START_TEST(port_is_full)
{
	rig_init();
	rig.config.flows = 8;
	rig.config.together = 1;
	rig.receive_buffer = 8 << 20;
	rig.stack_config.buffers = 65536;
	rig_open(NULL);
	for (uint32_t i = 0; generator_established(rig.generator) < 8; i++) {
		ck_assert_uint_lt(i, 100);
		rig.now_ns += RIG_STEP_NS;
		generator_receive(rig.generator, rig.now_ns);
		generator_send(rig.generator, i < 2 ? 8 : 0, rig.now_ns);
		weir_engine_poll(rig.engine, rig.now_ns);
	}
	ck_assert_uint_eq(rig_stats()->segs_sent, 0);
	for (uint32_t i = 0; i < 20; i++) /* initial windows are small */
		rig_step();
	weir_engine_poll(rig.engine, rig.now_ns);
	weir_engine_poll(rig.engine, rig.now_ns);
	generator_receive(rig.generator, rig.now_ns);
	while (generator_send(rig.generator, 256, rig.now_ns) != 0)
		;
	ck_assert_uint_gt(rig_stats()->tx_refused, 0);
	generator_close(rig.generator, rig.now_ns);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->retransmitted, 0);
	ck_assert_uint_eq(rig_stats()->bytes_sent, rig.bytes);
	rig_close();
}
END_TEST

START_TEST(same_seed_same_packets)
{
	struct generator_stats first;

	for (uint32_t round = 0; round < 2; round++) {
		rig_init();
		rig.config.flows = 16;
		rig.config.run = 4;
		rig.config.geometric = 1;
		rig.config.order = GENERATOR_RANDOM;
		rig.config.bytes_per_flow = 300000;
		rig_open("seed=4,loss=1%,reorder=1%");
		check_streams(rig.config.bytes_per_flow, 30 * RIG_SEC);
		if (round == 0)
			first = *rig_stats();
		else
			ck_assert_mem_eq(&first, rig_stats(), sizeof(first));
		rig_close();
	}
}
END_TEST

/* A generator that went without a word, and the same one again: the stack still has its
 * connections, and even the sequence numbers are the same. */
START_TEST(stale_connections_are_cleared)
{
	rig_init();
	rig.config.flows = 0;
	rig.config.hold = 5;
	rig_open(NULL);
	rig_run(10 * RIG_MS);
	ck_assert_uint_eq(generator_established(rig.generator), 5);
	generator_destroy(rig.generator);
	ck_assert_int_eq(generator_create(&rig.config, rig.now_ns, &rig.generator), 0);
	rig_run(10 * RIG_SEC);
	ck_assert_uint_eq(generator_established(rig.generator), 5);
	ck_assert_uint_eq(rig.resets, 5);
	ck_assert_uint_eq(rig.accepted, 10);
	rig_close();
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, one_stream_arrives_whole);
	UNIT_CASE(s, lengths_around_the_mss);
	UNIT_CASE(s, without_any_option);
	UNIT_CASE(s, peer_with_a_small_mss);
	UNIT_CASE(s, bare_ip_packets);
	UNIT_CASE(s, payload_once_written_stays);
	UNIT_CASE(s, every_impairment_at_once);
	UNIT_CASE(s, loss_seldom_waits_for_the_timer);
	UNIT_CASE(s, reordered_on_purpose);
	UNIT_CASE(s, closed_window_is_probed);
	UNIT_CASE(s, windows_are_told);
	UNIT_CASE(s, handshake_and_end_survive_loss);
	UNIT_CASE(s, nobody_answers);
	UNIT_CASE(s, refused_by_reset);
	UNIT_CASE(s, close_brings_everything_home);
	UNIT_CASE(s, abort_resets_all);
	UNIT_CASE(s, stale_connections_are_cleared);
	UNIT_CASE(s, pool_runs_empty);
	UNIT_CASE(s, port_is_full);
	UNIT_CASE(s, same_seed_same_packets);
}

UNIT_MAIN("generator", add)
