/* SPDX-License-Identifier: BSD-3-Clause */
/* Attacks: as many packets as asked for, the stack unharmed, every buffer home. */
#include "tests/app/generator_test.h"
#include "wire/bytes.h"

#define RATE 50000

static struct weir_stats
stack_stats(void)
{
	struct weir_stats stats = {.size = sizeof(stats)};

	weir_stack_stats(rig.stack, &stats);
	return stats;
}

static void
check_rate(uint64_t seconds)
{
	ck_assert_uint_ge(rig_stats()->attack_packets, seconds * RATE - RATE / 10);
	ck_assert_uint_le(rig_stats()->attack_packets, seconds * RATE + 1);
}

START_TEST(syn_flood)
{
	rig_init();
	rig.config.attack = GENERATOR_ATTACK_SYN;
	rig.config.sources = 100;
	rig.config.open_loop_pps = RATE;
	rig_open(NULL);
	ck_assert_uint_eq(generator_began_ns(rig.generator), 0);
	rig_run(RIG_SEC);
	ck_assert_uint_gt(generator_began_ns(rig.generator), RIG_SEC);
	ck_assert_uint_lt(generator_began_ns(rig.generator), RIG_SEC + RIG_MS);
	check_rate(1);
	ck_assert_uint_le(stack_stats().syn_received, 1024);
	ck_assert_uint_eq(rig.accepted, 0);
	ck_assert_uint_eq(stack_stats().resets_received, 0); /* never completed, never reset */
	ck_assert(!generator_done(rig.generator));
	generator_close(rig.generator, rig.now_ns);
	ck_assert(generator_done(rig.generator));
	rig_close();
}
END_TEST

START_TEST(syn_flood_at_full_speed)
{
	rig_init();
	rig.config.attack = GENERATOR_ATTACK_SYN;
	rig_open(NULL);
	rig_run(10 * RIG_MS);
	ck_assert_uint_gt(rig_stats()->attack_packets, 10000);
	ck_assert_uint_le(generator_send(rig.generator, 100, rig.now_ns), 100 + 64);
	rig_close();
}
END_TEST

/* The streams go on and arrive whole. */
static void
beside_streams(uint8_t attack)
{
	rig_init();
	rig.config.attack = attack;
	rig.config.flows = 8;
	rig.config.bytes_per_flow = 64 << 20;
	rig.config.open_loop_pps = RATE;
	rig_open(NULL);
	ck_assert(rig_run_until_done(30 * RIG_SEC));
	rig_run(RIG_MS);
	ck_assert_uint_gt(rig_stats()->attack_packets, 1000);
	ck_assert_uint_eq(rig_stats()->closed, 8);
	ck_assert_uint_eq(rig_stats()->reset, 0);
	ck_assert_uint_eq(rig.bytes, 8 * rig.config.bytes_per_flow);
	ck_assert_uint_eq(rig.closed, 8);
	rig_close();
}

START_TEST(blind_resets)
{
	beside_streams(GENERATOR_ATTACK_RST);
}
END_TEST

START_TEST(guessed_sequence_numbers)
{
	beside_streams(GENERATOR_ATTACK_SEQ);
}
END_TEST

START_TEST(holes_that_never_fill)
{
	rig_init();
	rig.config.attack = GENERATOR_ATTACK_OOO;
	rig.config.flows = 20;
	rig.config.open_loop_pps = RATE;
	rig_open(NULL);
	rig_run(2 * RIG_SEC);
	check_rate(2);
	ck_assert_uint_eq(rig.bytes, 0);
	ck_assert_uint_eq(generator_established(rig.generator), 20);
	ck_assert_uint_gt(stack_stats().bytes_out_of_order, 0);
	ck_assert_uint_lt(stack_stats().buffers_held, rig.stack_config.buffers);
	ck_assert_uint_eq(rig_stats()->segs_sent, 0);
	while (generator_abort(rig.generator, rig.now_ns) != 0)
		rig_step();
	rig_run(10 * RIG_MS);
	ck_assert_uint_eq(stack_stats().established, 0);
	rig_close();
}
END_TEST

START_TEST(one_byte_at_a_time)
{
	rig_init();
	rig.config.attack = GENERATOR_ATTACK_TINY;
	rig.config.flows = 4;
	rig.config.bytes_per_flow = 20000;
	rig_open(NULL);
	ck_assert(rig_run_until_done(30 * RIG_SEC));
	rig_run(RIG_MS);
	ck_assert_uint_eq(rig.bytes, 4 * 20000);
	ck_assert_uint_eq(rig_stats()->closed, 4);
	ck_assert_uint_ge(rig_stats()->segs_sent, 4 * 20000);
	ck_assert_uint_eq(rig_stats()->attack_packets, rig_stats()->segs_sent);
	rig_close();
}
END_TEST

/* Streams that are an attack keep the pace, too, and count as one. */
START_TEST(paced_streams)
{
	static const uint8_t attacks[] = {GENERATOR_ATTACK_TINY, GENERATOR_ATTACK_COLLIDE};
	uint64_t before;

	for (uint32_t i = 0; i < sizeof(attacks); i++) {
		rig_init();
		rig.config.attack = attacks[i];
		rig.config.flows = 5;
		rig.config.open_loop_pps = RATE;
		rig_open(NULL);
		rig_run(100 * RIG_MS); /* connect */
		before = rig_stats()->attack_packets;
		rig_run(RIG_SEC);
		ck_assert_uint_ge(rig_stats()->attack_packets - before, RATE - 10);
		ck_assert_uint_le(rig_stats()->attack_packets - before, RATE + 10);
		ck_assert_uint_eq(rig_stats()->attack_packets, rig_stats()->segs_sent);
		generator_close(rig.generator, rig.now_ns);
		ck_assert(rig_run_until_done(10 * RIG_SEC));
		ck_assert_uint_eq(rig_stats()->bytes_sent, rig.bytes);
		rig_close();
	}
}
END_TEST

static uint32_t sums, xors, n_seen;

static uint16_t
tap_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	(void)ctx;
	for (uint16_t i = 0; i < n; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(bufs[i], const uint8_t *);
		uint32_t address = weir_load_be32(frame + 26), port = weir_load_be16(frame + 34);

		if (weir_load_be16(frame + 12) != 0x0800)
			continue;
		sums = n_seen == 0 ? address + port : sums;
		xors = n_seen++ == 0 ? address ^ port : xors;
		ck_assert_uint_eq(address + port, sums);
		ck_assert_uint_eq(address ^ port, xors);
	}
	return rig.far->tx_burst(rig.far->ctx, bufs, n, now_ns);
}

START_TEST(keys_of_one_kind)
{
	n_seen = 0;
	rig_init();
	rig.config.attack = GENERATOR_ATTACK_COLLIDE;
	rig.config.flows = 1024;
	rig.config.address = 0xc0000400;
	rig.config.prefix_len = 16;
	rig.config.bytes_per_flow = 10000;
	rig.tap_tx = tap_tx;
	rig_open(NULL);
	ck_assert(rig_run_until_done(30 * RIG_SEC));
	rig_run(RIG_MS);
	ck_assert_uint_gt(n_seen, 1024 * 8);
	ck_assert_uint_eq(rig.bytes, 1024 * 10000);
	ck_assert_uint_eq(rig.accepted, 1024);
	ck_assert_uint_eq(rig_stats()->closed, 1024);
	rig_close();
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, syn_flood);
	UNIT_CASE(s, syn_flood_at_full_speed);
	UNIT_CASE(s, blind_resets);
	UNIT_CASE(s, guessed_sequence_numbers);
	UNIT_CASE(s, holes_that_never_fill);
	UNIT_CASE(s, one_byte_at_a_time);
	UNIT_CASE(s, paced_streams);
	UNIT_CASE(s, keys_of_one_kind);
}

UNIT_MAIN("generator_attack", add)
