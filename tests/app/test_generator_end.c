/* SPDX-License-Identifier: BSD-3-Clause */
/* A FIN ends the stream: whatever is lost, sent again or cut short, nothing follows it. */
#include "tests/app/generator_test.h"
#include "wire/bytes.h"
#include "wire/seg.h"
#include "wire/seq.h"

#define FRAME_IP  14
#define FRAME_TCP 34
#define PORTS	  65536
#define ETHERTYPE_IP4 0x0800

static uint32_t fin_end[PORTS]; /* right of the FIN of a port's connection */
static bool fin_seen[PORTS];
static bool cut; /* nothing gets through */
static uint64_t lost; /* of the data segments, by bit, those that do not; of one connection */
static uint32_t data_segs, beyond, fins;

static uint32_t
payload_of(const struct rte_mbuf *buf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);

	if (weir_load_be16(frame + 12) != ETHERTYPE_IP4)
		return 0;
	return weir_load_be16(frame + FRAME_IP + 2) - 20u - (frame[FRAME_TCP + 12] >> 4) * 4u;
}

static bool
gets_lost(const struct rte_mbuf *buf)
{
	return cut || (data_segs < 64 && (lost >> data_segs & 1) && payload_of(buf) != 0);
}

static void
look(const struct rte_mbuf *buf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *), *tcp = frame + FRAME_TCP;
	uint16_t port = weir_load_be16(tcp);
	uint32_t end = weir_load_be32(tcp + 4) + payload_of(buf) + (tcp[13] & WEIR_TCP_FIN);

	if (tcp[13] & WEIR_TCP_SYN)
		fin_seen[port] = false;
	beyond += fin_seen[port] && weir_seq_lt(fin_end[port], end);
	data_segs += payload_of(buf) != 0;
	if (!(tcp[13] & WEIR_TCP_FIN))
		return;
	beyond += fin_seen[port] && fin_end[port] != end;
	fin_seen[port] = true;
	fin_end[port] = end;
	fins++;
}

/* The stack has not seen them yet: they still wait in the port. */
static uint16_t
tap_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	(void)ctx;
	for (uint16_t i = 0; i < n; i++) {
		bool gone = gets_lost(bufs[i]);
		const uint8_t *frame = rte_pktmbuf_mtod(bufs[i], const uint8_t *);

		if (!gone && rig.far->tx_burst(rig.far->ctx, &bufs[i], 1, now_ns) == 0)
			return i;
		if (weir_load_be16(frame + 12) == ETHERTYPE_IP4 && !(frame[FRAME_TCP + 13] & WEIR_TCP_RST))
			look(bufs[i]);
		if (gone)
			weir_buf_free_bulk(&rig.pool, &bufs[i], 1);
	}
	return n;
}

static void
open_watched(const char *impairment)
{
	memset(fin_seen, 0, sizeof(fin_seen));
	cut = false;
	lost = 0;
	data_segs = beyond = fins = 0;
	rig.tap_tx = tap_tx;
	rig_open(impairment);
}

/* All that was sent is acknowledged, and no FIN had a successor. Where the peer's FIN is lost again and
 * again its connection counts as failed. */
static void
check_ends(uint64_t most_ns)
{
	const struct generator_stats *stats;

	ck_assert(rig_run_until_done(most_ns));
	stats = rig_stats();
	ck_assert_uint_eq(beyond, 0);
	ck_assert_uint_gt(fins, 0);
	ck_assert_uint_eq(stats->reset, 0);
	ck_assert_uint_eq(stats->closed + stats->failed, stats->opened);
	ck_assert_uint_eq(stats->bytes_acked, stats->bytes_sent);
	rig_run(600 * RIG_SEC); /* the last ACK may get lost */
	ck_assert_uint_eq(rig.bytes, stats->bytes_sent);
}

/* The run ends while what a timeout went back to is sent again: its FIN is then no retransmission. */
START_TEST(closed_in_a_timeout)
{
	rig_init();
	rig.config.flows = 4;
	rig.config.inflight_bytes = 400000;
	open_watched(NULL);
	rig_run(50 * RIG_MS);
	cut = true;
	while (rig_stats()->rtos == 0)
		rig_step();
	cut = false;
	generator_close(rig.generator, rig.now_ns);
	check_ends(60 * RIG_SEC);
	ck_assert_uint_eq(fins, 4);
	ck_assert_uint_eq(rig_stats()->closed, 4);
	ck_assert_uint_eq(rig.resets, 0);
	rig_close();
}
END_TEST

/* The same where the partial ACK of a peer without SACK shows the last segment to be lost. */
START_TEST(closed_in_a_recovery)
{
	rig_init();
	rig.config.sack = 0;
	rig.config.inflight_bytes = 10 * rig.config.mss;
	open_watched(NULL);
	lost = 1 | 1 << 9;
	for (uint32_t i = 0; rig_stats()->retransmitted == 0; i++) {
		ck_assert_uint_lt(i, 1000);
		rig_step();
	}
	ck_assert_uint_eq(data_segs, 11);
	generator_close(rig.generator, rig.now_ns);
	check_ends(60 * RIG_SEC);
	ck_assert_uint_eq(rig_stats()->rtos, 0);
	ck_assert_uint_eq(fins, 1);
	ck_assert_uint_eq(rig.bytes, 10 * rig.config.mss);
	rig_close();
}
END_TEST

/* One run, closed at any moment of it. */
static void
close_amid_loss(uint8_t mode, uint8_t sack, uint32_t seed)
{
	char impairment[64];

	rig_init();
	rig.config.mode = mode;
	rig.config.sack = sack;
	rig.config.flows = 4;
	rig.config.hold = 2;
	rig.config.retries_most = 30;
	rig.config.run = 1 + seed % 5;
	rig.config.inflight_bytes = 4000 + seed % 4 * 5000;
	rig.config.request_bytes = 5000;
	rig.config.bytes_per_flow = seed % 3 == 0 ? 50001 : 0;
	rig.config.seed = seed;
	snprintf(impairment, sizeof(impairment), "seed=%u,loss=20%%,reorder=2%%,both=1", seed);
	open_watched(impairment);
	rig_run((50 + seed * 37u % 900) * RIG_STEP_NS * 7);
	generator_close(rig.generator, rig.now_ns);
	check_ends(600 * RIG_SEC);
	rig_close();
}

START_TEST(closed_amid_loss)
{
	for (uint32_t seed = 1; seed <= 200; seed++)
		for (uint8_t mode = GENERATOR_STREAM; mode <= GENERATOR_CONNECT; mode++)
			close_amid_loss(mode, seed & 1, seed);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, closed_in_a_timeout);
	UNIT_CASE(s, closed_in_a_recovery);
	UNIT_CASE(s, closed_amid_loss);
}

UNIT_MAIN("generator_end", add)
