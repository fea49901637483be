/* SPDX-License-Identifier: BSD-3-Clause */
/* The closed-loop sender over IPv6: streams, modes, an attack, and how the two ends find each other. */
#include "tests/app/generator_test.h"
#include "tests/unit/frame.h"
#include "wire/bytes.h"
#include "wire/chain.h"

#define MSS	      1428
#define SOLICITATION  135
#define ADVERTISEMENT 136

static void
check_streams(uint64_t bytes, uint64_t most_ns)
{
	const struct generator_stats *stats;

	ck_assert(rig_run_until_done(most_ns));
	for (uint64_t end = rig.now_ns + 600 * RIG_SEC; rig.now_ns < end;) {
		if (rig.closed == rig.config.flows)
			break;
		rig_stride(end);
	}
	stats = rig_stats();
	ck_assert_uint_eq(stats->opened, rig.config.flows);
	ck_assert_uint_eq(stats->closed, rig.config.flows);
	ck_assert_uint_eq(stats->failed + stats->reset, 0);
	ck_assert_uint_eq(stats->bytes_acked, bytes * rig.config.flows);
	ck_assert_uint_eq(rig.bytes, bytes * rig.config.flows);
	ck_assert_uint_eq(rig.closed, rig.config.flows);
}

static struct weir_stats
stack_stats(void)
{
	struct weir_stats stats = {.size = sizeof(stats)};

	weir_stack_stats(rig.stack, &stats);
	return stats;
}

/* Found by neighbour discovery, and found in turn. */
START_TEST(streams_arrive_whole)
{
	for (uint32_t timestamps = 0; timestamps < 2; timestamps++) {
		rig_init6();
		rig.config.timestamps = (uint8_t)timestamps;
		rig.config.mss = timestamps ? MSS : MSS + 12;
		rig.config.flows = 7;
		rig.config.sources = 3;
		rig.config.bytes_per_flow = (1 << 20) + 77;
		rig_open(NULL);
		ck_assert(!generator_resolved(rig.generator));
		check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
		ck_assert_uint_eq(rig_stats()->retransmitted, 0);
		ck_assert_uint_eq(rig_stats()->bad_checksums, 0);
		ck_assert_uint_eq(rig_stats()->segs_sent,
				  7 * (((1 << 20) + 77 + rig.config.mss - 1) / rig.config.mss));
		ck_assert_uint_eq(stack_stats().nd_replies, 1);
		rig_close();
	}
}
END_TEST

START_TEST(bare_packets)
{
	rig_init6();
	rig.l3 = true;
	rig.config.flows = 3;
	rig.config.bytes_per_flow = 1000001;
	rig_open(NULL);
	check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
	rig_close();
}
END_TEST

START_TEST(payload_once_written_stays)
{
	rig_init6();
	rig.config.flows = 2;
	rig.config.verify = 0; /* the checksums still tell */
	rig.config.bytes_per_flow = (4 << 20) + 5;
	rig_open(NULL);
	check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
	ck_assert_uint_eq(rig_stats()->retransmitted, 0);
	rig_close();
}
END_TEST

START_TEST(every_impairment_at_once)
{
	rig_init6();
	rig.config.flows = 8;
	rig.config.run = 4;
	rig.config.bytes_per_flow = (1 << 20) + 1;
	rig_open("seed=5,loss=1%,dup=1%,reorder=2%,corrupt=0.2%,truncate=0.1%,delay=200us,both=1");
	check_streams(rig.config.bytes_per_flow, 120 * RIG_SEC);
	ck_assert_uint_gt(rig_stats()->retransmitted, 0);
	ck_assert_uint_gt(rig_stats()->sacks, 0);
	rig_close();
}
END_TEST

START_TEST(requests_and_connections)
{
	rig_init6();
	rig.config.mode = GENERATOR_RR;
	rig.config.flows = 4;
	rig.config.hold = 50;
	rig.config.request_bytes = 2 * MSS;
	rig.config.bytes_per_flow = 100ull * 2 * MSS;
	rig_open(NULL);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->requests, 400);
	ck_assert_uint_eq(generator_established(rig.generator), 50);
	generator_abort(rig.generator, rig.now_ns);
	rig_close();
	rig_init6();
	rig.config.mode = GENERATOR_CONNECT;
	rig.config.flows = 16;
	rig.config.sources = 3;
	rig.config.connections_most = 1000;
	rig_open(NULL);
	ck_assert(rig_run_until_done(10 * RIG_SEC));
	ck_assert_uint_eq(rig_stats()->closed, 1000);
	ck_assert_uint_eq(rig.bytes, 1000 * rig.config.request_bytes);
	rig_close();
}
END_TEST

START_TEST(half_open_connections)
{
	rig_init6();
	rig.config.attack = GENERATOR_ATTACK_SYN;
	rig.config.sources = 100;
	rig.config.open_loop_pps = 10000;
	rig_open(NULL);
	rig_run(RIG_SEC / 2);
	ck_assert_uint_ge(rig_stats()->attack_packets, 4900);
	ck_assert_uint_ge(stack_stats().syn_acks, 4900);
	ck_assert_uint_eq(rig.accepted, 0);
	generator_abort(rig.generator, rig.now_ns);
	rig_close();
}
END_TEST

START_TEST(colliding_flows)
{
	rig_init6();
	rig.config.attack = GENERATOR_ATTACK_COLLIDE;
	rig.config.flows = 64;
	rig.config.bytes_per_flow = 20000;
	rig_open(NULL);
	check_streams(rig.config.bytes_per_flow, 10 * RIG_SEC);
	rig_close();
}
END_TEST

/* ---- neighbour discovery, byte by byte ---- */

static uint8_t message[32];
static struct frame_spec asked;

/* Who has `last`, the last byte of 2001:db8::? With the asker's link address. */
static void
ask_for(uint8_t last)
{
	static const uint8_t group[16] = {0xff, 0x02, [11] = 1, 0xff, 0, 0, 0};

	memset(message, 0, sizeof(message));
	message[0] = SOLICITATION;
	memcpy(message + 8, frame_local_ip6, 15);
	message[23] = last;
	message[24] = 1;
	message[25] = 1;
	memcpy(message + 26, frame_local_mac, 6);
	frame_spec_init(&asked);
	asked.ip6 = 1;
	asked.protocol = 58;
	asked.ttl = 255;
	asked.payload = message;
	asked.len = sizeof(message);
	memcpy(asked.src6, frame_local_ip6, 16);
	memcpy(asked.dst6, group, 16);
	asked.dst6[15] = last;
	memcpy(asked.src_mac, frame_local_mac, 6);
	memcpy(asked.dst_mac, (const uint8_t[]){0x33, 0x33, 0xff, 0, 0, last}, 6);
}

/* The generator receives what was asked; its answer to `got`, whose length is returned, 0: none. */
static uint32_t
answer_of(uint8_t got[128])
{
	struct rte_mbuf *buf = frame_build(&rig.pool, &asked), *answer;
	uint32_t len;

	ck_assert_ptr_nonnull(buf);
	ck_assert_uint_eq(rig.near->tx_burst(rig.near->ctx, &buf, 1, rig.now_ns), 1);
	generator_receive(rig.generator, rig.now_ns);
	if (rig.near->rx_burst(rig.near->ctx, &answer, 1, rig.now_ns) == 0)
		return 0;
	len = weir_chain_copy(answer, 0, 128, got);
	weir_buf_free(&rig.pool, answer);
	return len;
}

/* With the next hop known: it asks nobody itself. */
static void
open_resolved(uint32_t sources)
{
	rig_init6();
	rig.config.sources = sources;
	rig.config.flows = 0;
	rig.config.hold = 1;
	memcpy(rig.config.target_mac, frame_local_mac, 6);
	rig_open(NULL);
}

START_TEST(solicitations_are_answered)
{
	uint8_t got[128], want[FRAME_MAX], body[32] = {ADVERTISEMENT, [4] = 0x60};
	struct frame_spec spec;

	open_resolved(3);
	for (uint8_t last = 2; last < 5; last++) {
		ask_for(last);
		ck_assert_uint_eq(answer_of(got), 86);
		frame_spec_init(&spec);
		spec.ip6 = 1;
		spec.protocol = 58;
		spec.ttl = 255;
		memcpy(body + 8, message + 8, 16);
		body[24] = 2;
		body[25] = 1;
		memcpy(body + 26, rig.far->mac, 6);
		spec.payload = body;
		spec.len = sizeof(body);
		memcpy(spec.src6, message + 8, 16);
		memcpy(spec.dst6, frame_local_ip6, 16);
		memcpy(spec.src_mac, rig.far->mac, 6);
		memcpy(spec.dst_mac, frame_local_mac, 6);
		ck_assert_uint_eq(frame_write(&spec, want), 86);
		ck_assert_mem_eq(got, want, 86);
	}
	ask_for(1);
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(5);
	ck_assert_uint_eq(answer_of(got), 0);
	rig_close();
}
END_TEST

/* Somebody who wants the address for himself is told, with all others. */
START_TEST(probes_are_answered_to_all_nodes)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	uint8_t got[128];

	open_resolved(1);
	ask_for(2);
	memset(asked.src6, 0, sizeof(asked.src6));
	asked.len = 24;
	ck_assert_uint_eq(answer_of(got), 86);
	ck_assert_mem_eq(got, ((const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}), 6);
	ck_assert_mem_eq(got + 14 + 24, all_nodes, sizeof(all_nodes));
	ck_assert_uint_eq(got[54], ADVERTISEMENT);
	ck_assert_uint_eq(got[58], 0x20);
	rig_close();
}
END_TEST

START_TEST(forged_solicitations_are_not)
{
	uint8_t got[128];

	open_resolved(1);
	ask_for(2);
	asked.ttl = 254;
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(2);
	asked.bad_tcp_csum = 1;
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(2);
	message[1] = 1;
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(2);
	asked.len = 20;
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(2);
	asked.src_mac[0] |= 1;
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(2);
	memcpy(asked.src6, rig.config.address6, 16);
	ck_assert_uint_eq(answer_of(got), 0);
	ask_for(2);
	ck_assert_uint_eq(answer_of(got), 86);
	rig_close();
}
END_TEST

/* Asked once a second until the right one answers. */
START_TEST(next_hop_is_asked_for)
{
	rig_init6();
	rig.config.target6[7] = 1; /* behind the gateway */
	memcpy(rig.config.gateway6, frame_local_ip6, 16);
	rig.config.gateway6[15] = 0x77; /* nobody */
	rig_open(NULL);
	rig_run(3 * RIG_SEC + RIG_MS);
	ck_assert(!generator_resolved(rig.generator));
	ck_assert_uint_eq(rig_stats()->packets_sent, 4);
	generator_abort(rig.generator, rig.now_ns);
	rig_close();
	rig_init6();
	rig.config.target6[7] = 1;
	memcpy(rig.config.gateway6, frame_local_ip6, 16);
	rig_open(NULL);
	rig_run(RIG_MS);
	ck_assert(generator_resolved(rig.generator));
	generator_abort(rig.generator, rig.now_ns);
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
	rig_init6();
	rig_open(NULL);
	REFUSED(-EINVAL, memset(config.target6, 0, 16));
	REFUSED(-EINVAL, memset(config.address6, 0, 16));
	REFUSED(-EINVAL, config.target6[0] = 0xff);
	REFUSED(-EINVAL, config.address6[0] = 0xff);
	REFUSED(-EINVAL, config.gateway6[0] = 0xff);
	REFUSED(-EINVAL, config.target6[7] = 1); /* no gateway */
	REFUSED(-EINVAL, config.prefix_len = 129);
	REFUSED(-EINVAL, memset(config.address6 + 12, 0xff, 4); config.sources = 2);
	REFUSED(-EMSGSIZE, config.mss = MSS + 1);
	rig_close();
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, streams_arrive_whole);
	UNIT_CASE(s, bare_packets);
	UNIT_CASE(s, payload_once_written_stays);
	UNIT_CASE(s, every_impairment_at_once);
	UNIT_CASE(s, requests_and_connections);
	UNIT_CASE(s, half_open_connections);
	UNIT_CASE(s, colliding_flows);
	UNIT_CASE(s, solicitations_are_answered);
	UNIT_CASE(s, probes_are_answered_to_all_nodes);
	UNIT_CASE(s, forged_solicitations_are_not);
	UNIT_CASE(s, next_hop_is_asked_for);
	UNIT_CASE(s, bad_configurations);
}

UNIT_MAIN("generator_ip6", add)
