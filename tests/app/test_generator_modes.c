/* SPDX-License-Identifier: BSD-3-Clause */
/* What else the closed-loop sender does: requests, short connections, idle ones, open loop, order.
 */
#include "tests/app/generator_test.h"
#include "wire/bytes.h"

#define MSS 1448

static struct weir_stats
stack_stats(void)
{
	struct weir_stats stats = {.size = sizeof(stats)};

	weir_stack_stats(rig.stack, &stats);
	return stats;
}

START_TEST(requests_wait_for_their_ack)
{
	const struct histogram *latency;

	rig_init();
	rig.config.mode = GENERATOR_RR;
	rig.config.flows = 4;
	rig.config.request_bytes = 2 * MSS;
	rig.config.bytes_per_flow = 100ull * 2 * MSS;
	rig_open(NULL);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	latency = generator_latency(rig.generator);
	ck_assert_uint_eq(rig_stats()->requests, 400);
	ck_assert_uint_eq(latency->count, 400);
	ck_assert_uint_eq(rig.bytes, 4 * rig.config.bytes_per_flow);
	/* One request at a time, acknowledged in the step after it was sent. */
	ck_assert_uint_eq(latency->min, RIG_STEP_NS);
	ck_assert_uint_eq(histogram_percentile(latency, 99), RIG_STEP_NS);
	rig_close();
}
END_TEST

/* The last request is what is left of the bytes; a lost one counts from when it was first sent. */
START_TEST(requests_of_odd_sizes_with_loss)
{
	const struct histogram *latency;

	rig_init();
	rig.config.mode = GENERATOR_RR;
	rig.config.request_bytes = 5000;
	rig.config.bytes_per_flow = 1000001;
	rig_open("seed=2,loss=2%");
	ck_assert(rig_run_until_done(200 * RIG_SEC));
	latency = generator_latency(rig.generator);
	ck_assert_uint_eq(rig_stats()->requests, 201);
	ck_assert_uint_eq(latency->count, 201);
	ck_assert_uint_eq(rig.bytes, 1000001);
	ck_assert_uint_ge(latency->max, 200 * RIG_MS);
	rig_close();
}
END_TEST

START_TEST(endless_requests_end_when_closed)
{
	rig_init();
	rig.config.mode = GENERATOR_RR;
	rig.config.flows = 3;
	rig_open(NULL);
	rig_run(100 * RIG_MS);
	ck_assert(!generator_done(rig.generator));
	generator_close(rig.generator, rig.now_ns);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->closed, 3);
	ck_assert_uint_eq(rig.bytes, rig_stats()->bytes_sent);
	ck_assert_uint_eq(rig_stats()->requests, generator_latency(rig.generator)->count);
	rig_close();
}
END_TEST

static void
check_connections(uint64_t n)
{
	ck_assert_uint_eq(rig_stats()->connects_tried, n);
	ck_assert_uint_eq(rig_stats()->opened, n);
	ck_assert_uint_eq(rig_stats()->closed, n);
	ck_assert_uint_eq(rig_stats()->failed + rig_stats()->reset, 0);
	ck_assert_uint_eq(generator_latency(rig.generator)->count, n);
	ck_assert_uint_eq(rig.bytes, n * rig.config.request_bytes);
	ck_assert_uint_eq(rig.accepted, n);
}

START_TEST(a_thousand_connections)
{
	rig_init();
	rig.config.mode = GENERATOR_CONNECT;
	rig.config.flows = 16;
	rig.config.sources = 3;
	rig.config.connections_most = 1000;
	rig_open(NULL);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	rig_run(10 * RIG_MS);
	check_connections(1000);
	ck_assert_uint_eq(rig.closed, 1000);
	ck_assert_uint_eq(stack_stats().established, 0);
	ck_assert_uint_eq(stack_stats().resets_received, 0);
	rig_close();
}
END_TEST

START_TEST(connections_with_loss)
{
	rig_init();
	rig.config.mode = GENERATOR_CONNECT;
	rig.config.flows = 50;
	rig.config.connections_most = 500;
	rig_open("seed=3,loss=3%");
	ck_assert(rig_run_until_done(300 * RIG_SEC));
	rig_run(30 * RIG_SEC);
	check_connections(500);
	ck_assert_uint_eq(stack_stats().established, 0);
	rig_close();
}
END_TEST

/* One flow goes through all of its ports and begins again with the first. */
START_TEST(ports_come_round)
{
	rig_init();
	rig.config.mode = GENERATOR_CONNECT;
	rig.config.first_port = 65000;
	rig.config.request_bytes = 10;
	rig.config.connections_most = 1200;
	rig.stack_config.time_wait_ms = 1;
	rig_open(NULL);
	ck_assert(rig_run_until_done(60 * RIG_SEC));
	check_connections(1200);
	rig_close();
}
END_TEST

START_TEST(idle_connections_are_kept)
{
	rig_init();
	rig.config.flows = 1;
	rig.config.hold = 2000;
	rig.config.bytes_per_flow = 1 << 20;
	rig_open(NULL);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->opened, 2001);
	ck_assert_uint_eq(generator_established(rig.generator), 2000);
	rig_run(RIG_SEC);
	ck_assert_uint_eq(generator_deadline(rig.generator), UINT64_MAX);
	ck_assert_uint_eq(rig.bytes, 1 << 20); /* none of theirs */
	generator_close(rig.generator, rig.now_ns);
	ck_assert(!generator_done(rig.generator));
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->closed, 2001);
	rig_close();
}
END_TEST

START_TEST(only_idle_connections)
{
	rig_init();
	rig.config.flows = 0;
	rig.config.hold = 10;
	rig_open(NULL);
	ck_assert(!generator_done(rig.generator));
	ck_assert(rig_run_until_done(RIG_SEC));
	ck_assert_uint_eq(generator_established(rig.generator), 10);
	rig_close();
}
END_TEST

/* A rate is a rate, whatever the ACKs do. */
START_TEST(open_loop_keeps_its_rate)
{
	uint64_t before;

	rig_init();
	rig.config.flows = 5;
	rig.config.open_loop_pps = 20000;
	rig_open(NULL);
	rig_run(100 * RIG_MS); /* connect */
	before = rig_stats()->segs_sent;
	rig_run(RIG_SEC);
	ck_assert_uint_ge(rig_stats()->segs_sent - before, 19990);
	ck_assert_uint_le(rig_stats()->segs_sent - before, 20010);
	generator_close(rig.generator, rig.now_ns);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->bytes_sent, rig.bytes);
	rig_close();
}
END_TEST

/* The application reads nothing: what the window holds is sent over and over, and nothing else. */
START_TEST(open_loop_against_a_closed_window)
{
	uint64_t before;

	rig_init();
	rig.config.open_loop_pps = 10000;
	rig.receive_buffer = 65536;
	rig_open(NULL);
	rig.stalled = true;
	rig_run(RIG_SEC);
	before = rig_stats()->packets_sent;
	ck_assert_uint_le(rig_stats()->bytes_sent, 65536 + 4096);
	rig_run(RIG_SEC);
	ck_assert_uint_ge(rig_stats()->packets_sent - before, 9990);
	ck_assert_uint_eq(stack_stats().pruned, 0);
	generator_abort(rig.generator, rig.now_ns);
	rig_close();
}
END_TEST

/* ---- order ---- */

#define TAP_MOST 65536

static uint16_t sent_ports[TAP_MOST];
static uint32_t sent_seqs[TAP_MOST], sent_tsvals[TAP_MOST];
static uint32_t n_sent;

/* The stack has not seen them yet: they still wait in the port. */
static void
tap_note(const struct rte_mbuf *buf)
{
	const uint8_t *tcp = rte_pktmbuf_mtod_offset(buf, const uint8_t *, 34);

	if (buf->pkt_len < 1000 || n_sent == TAP_MOST)
		return;
	sent_ports[n_sent] = weir_load_be16(tcp);
	sent_tsvals[n_sent] = weir_load_be32(tcp + 24);
	sent_seqs[n_sent++] = weir_load_be32(tcp + 4);
}

static uint16_t
tap_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	uint16_t sent;

	(void)ctx;
	sent = rig.far->tx_burst(rig.far->ctx, bufs, n, now_ns);
	for (uint16_t i = 0; i < sent; i++)
		tap_note(bufs[i]);
	return sent;
}

/* Connect all, then send `segs`. */
static void
tap_run(uint32_t segs)
{
	n_sent = 0;
	rig.config.together = 1;
	rig.tap_tx = tap_tx;
	rig_open(NULL);
	while (n_sent < segs)
		rig_step();
}

/* Segments of one flow in a row. */
static uint32_t
run_at(uint32_t i)
{
	uint32_t n = 1;

	while (i + n < n_sent && sent_ports[i + n] == sent_ports[i])
		n++;
	return n;
}

START_TEST(runs_in_turn)
{
	uint32_t i = 0, runs = 0;

	rig_init();
	rig.config.flows = 8;
	rig.config.run = 8;
	rig.config.verify = 0;
	tap_run(20000);
	i = 4000; /* the first windows are small */
	i += run_at(i);
	while (i + 8 < n_sent) {
		ck_assert_uint_eq(run_at(i), 8);
		i += 8;
		runs++;
	}
	ck_assert_uint_gt(runs, 1000);
	rig_close();
}
END_TEST

/* Geometric: the mean is `run`, and one run in `run` has a single segment. */
START_TEST(runs_of_drawn_length)
{
	uint32_t runs = 0, singles = 0, from = 4000;

	rig_init();
	rig.config.flows = 256;
	rig.config.run = 4;
	rig.config.geometric = 1;
	rig.config.order = GENERATOR_RANDOM;
	rig.config.verify = 0;
	rig.stack_config.buffers = 65536;
	tap_run(60000);
	for (uint32_t i = from, n; i < n_sent; i += n, runs++) {
		n = run_at(i);
		singles += n == 1;
	}
	ck_assert_double_eq_tol((n_sent - from) / (double)runs, 4, 0.2);
	ck_assert_double_eq_tol(singles / (double)runs, 0.25, 0.03);
	rig_close();
}
END_TEST

/* Every flow is drawn, none much more often than the others, and not in turn. */
START_TEST(random_order_is_fair)
{
	uint32_t count[64] = {0}, steps = 0;

	rig_init();
	rig.config.flows = 64;
	rig.config.order = GENERATOR_RANDOM;
	rig.config.verify = 0;
	tap_run(60000);
	for (uint32_t i = 4000; i < n_sent; i++) {
		count[sent_ports[i] - 1024]++;
		steps += sent_ports[i] == sent_ports[i - 1] + 1;
	}
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_msg(count[i] > 500 && count[i] < 1300, "flow %u: %u", i, count[i]);
	ck_assert_uint_lt(steps, 4000);
	rig_close();
}
END_TEST

START_TEST(fixed_timestamps_never_change)
{
	rig_init();
	rig.config.flows = 4;
	rig.config.fixed_timestamp = 1;
	tap_run(3000);
	for (uint32_t i = 1; i < n_sent; i++)
		ck_assert_uint_eq(sent_tsvals[i], sent_tsvals[0]);
	rig_close();
}
END_TEST

/* Displaced by 1 to depth segments, as many as asked for. */
START_TEST(reordering_has_its_depth)
{
	uint32_t late = 0, depths[65] = {0};
	uint32_t highest = 0;

	rig_init();
	rig.config.run = 16;
	rig.config.reorder_permille = 10;
	rig.config.reorder_depth = 8;
	rig.config.verify = 0;
	tap_run(60000);
	for (uint32_t i = 1; i < n_sent; i++) {
		uint32_t passed = 0;

		if (i == 1 || (int32_t)(sent_seqs[i] - highest) > 0) {
			highest = sent_seqs[i];
			continue;
		}
		if (sent_seqs[i] == sent_seqs[i - 1])
			continue;
		for (uint32_t j = 1; j <= 64 && j <= i; j++)
			passed += (int32_t)(sent_seqs[i - j] - sent_seqs[i]) > 0;
		if (passed <= 8) /* not a retransmission */
			depths[passed]++;
		late++;
	}
	ck_assert_uint_eq(depths[0], 0);
	ck_assert_uint_gt(late, 500);
	for (uint32_t depth = 1; depth <= 8; depth++)
		ck_assert_msg(depths[depth] > 30, "depth %u: %u", depth, depths[depth]);
	rig_close();
}
END_TEST

START_TEST(bad_configurations)
{
	struct generator *g;

#define REFUSED(error, ...)                                                                        \
	do {                                                                                       \
		struct generator_config config = rig.config;                                       \
		__VA_ARGS__;                                                                       \
		ck_assert_int_eq(generator_create(&config, rig.now_ns, &g), error);                \
	} while (0)
	rig_init();
	rig_open(NULL);
	REFUSED(-EINVAL, config.size--);
	REFUSED(-EINVAL, config.port = NULL);
	REFUSED(-EINVAL, config.pool = NULL);
	REFUSED(-EINVAL, config.target = 0);
	REFUSED(-EINVAL, config.target_port = 0);
	REFUSED(-EINVAL, config.target = 0x01020304); /* no gateway */
	REFUSED(-EINVAL, config.sources = 0);
	REFUSED(-EINVAL, config.flows = 0);
	REFUSED(-EINVAL, config.flows = 1000001);
	REFUSED(-EINVAL, config.run = 0);
	REFUSED(-EINVAL, config.run = 1025);
	REFUSED(-EINVAL, config.mss = 0);
	REFUSED(-EINVAL, config.reorder_depth = 65);
	REFUSED(-EINVAL, config.reorder_permille = 1001);
	REFUSED(-EINVAL, config.mode = 3);
	REFUSED(-EINVAL, config.attack = 7);
	REFUSED(-EINVAL, config.mode = GENERATOR_RR; config.request_bytes = 0);
	REFUSED(-EMSGSIZE, config.mss = 1449);
	REFUSED(-EMSGSIZE, config.mss = 9000);
	REFUSED(-ENOSPC, config.flows = 64513);
	REFUSED(-ENOSPC, config.first_port = 65535; config.flows = 2);
	rig_close();
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, requests_wait_for_their_ack);
	UNIT_CASE(s, requests_of_odd_sizes_with_loss);
	UNIT_CASE(s, endless_requests_end_when_closed);
	UNIT_CASE(s, a_thousand_connections);
	UNIT_CASE(s, connections_with_loss);
	UNIT_CASE(s, ports_come_round);
	UNIT_CASE(s, idle_connections_are_kept);
	UNIT_CASE(s, only_idle_connections);
	UNIT_CASE(s, open_loop_keeps_its_rate);
	UNIT_CASE(s, open_loop_against_a_closed_window);
	UNIT_CASE(s, runs_in_turn);
	UNIT_CASE(s, runs_of_drawn_length);
	UNIT_CASE(s, random_order_is_fair);
	UNIT_CASE(s, fixed_timestamps_never_change);
	UNIT_CASE(s, reordering_has_its_depth);
	UNIT_CASE(s, bad_configurations);
}

UNIT_MAIN("generator_modes", add)
