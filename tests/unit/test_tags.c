/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/tags.h"

static const uint16_t ids[] = {0x8100, 0x88a8, 0x9100};

static uint8_t
of(const uint16_t *words, uint32_t n)
{
	uint8_t bytes[32] = {0};

	for (uint32_t i = 0; i < n; i++)
		weir_store_be16(bytes + 12 + 2 * i, words[i]);
	return weir_tags_of_bytes(bytes, 12 + 2 * n);
}

START_TEST(every_pair_of_identifiers_comes_back)
{
	for (uint32_t a = 0; a < 3; a++) {
		for (uint32_t b = 0; b < 3; b++) {
			uint8_t tags = of((uint16_t[]){ids[a], 7, ids[b], 9, 0x0800}, 5);

			ck_assert_uint_eq(weir_tags_id(tags, 0), ids[a]);
			ck_assert_uint_eq(weir_tags_id(tags, 1), ids[b]);
		}
	}
	ck_assert_uint_eq(of((uint16_t[]){0x0800, 0x88a8}, 2), 0);
}
END_TEST

/* The key has no place for VID 0, so its identifier has none either. */
START_TEST(priority_tags_do_not_count)
{
	uint8_t tags = of((uint16_t[]){0x88a8, 0x6000, 0x9100, 9, 0x0800}, 5);

	ck_assert_uint_eq(weir_tags_id(tags, 0), 0x9100);
	ck_assert_uint_eq(weir_tags_id(tags, 1), 0x8100);
}
END_TEST

START_TEST(short_frames_are_read_to_their_end)
{
	uint8_t bytes[32] = {0};

	for (uint32_t i = 0; i < 10; i++)
		weir_store_be16(bytes + 12 + 2 * i, i % 2 == 0 ? 0x88a8 : 5);
	for (uint32_t len = 0; len < sizeof(bytes); len++)
		ck_assert_uint_eq(weir_tags_of_bytes(bytes, len), len < 16 ? 0 : len < 20 ? 1 : 5);
}
END_TEST

START_TEST(stripped_tags_stand_outside)
{
	static const struct {
		uint64_t flags;
		uint16_t inside, outer, inner;
	} cases[] = {
		{0, 0x9100, 0x9100, 0x8100},
		{RTE_MBUF_F_RX_VLAN_STRIPPED, 0x88a8, 0x8100, 0x88a8},
		{RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED, 0x0800, 0x88a8, 0x8100},
	};
	struct weir_pool pool;

	ck_assert_int_eq(weir_pool_open_heap(&pool, 64, 2048), 0);
	for (uint32_t i = 0; i < 3; i++) {
		struct rte_mbuf *buf = weir_buf_alloc(&pool);
		uint8_t *frame = rte_pktmbuf_mtod(buf, uint8_t *), tags;

		memset(frame, 0, 18);
		weir_store_be16(frame + 12, cases[i].inside);
		weir_store_be16(frame + 14, 3);
		buf->data_len = 18;
		buf->pkt_len = 18;
		buf->ol_flags = cases[i].flags;
		buf->vlan_tci = 4;
		buf->vlan_tci_outer = 5;
		tags = weir_tags_of_frame(buf);
		ck_assert_uint_eq(weir_tags_id(tags, 0), cases[i].outer);
		ck_assert_uint_eq(weir_tags_id(tags, 1), cases[i].inner);
		weir_buf_free(&pool, buf);
	}
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

/* ---- every kind of answer goes back with the identifiers that came ---- */

static struct world world;
static struct remote remote;

/* A frame with two tags goes in; the answer's tags must be the same, its TCP header is returned. */
static void
ask(const uint16_t tpid[2], uint16_t to, uint8_t flags, uint32_t seq, uint32_t len, uint32_t *answer)
{
	uint8_t payload[16], expected[8];
	struct frame_spec spec;
	struct rte_mbuf *frame;
	const uint8_t *bytes;

	remote_spec(&remote, &spec, seq, flags, payload, len);
	spec.flags = flags;
	spec.dport = to;
	spec.n_tags = 2;
	spec.tci[0] = 7;
	spec.tci[1] = 9;
	memcpy(spec.tpid, tpid, 2 * sizeof(*tpid));
	world_inject(&world, frame_build(&world.pool, &spec));
	world.now_ns += 200 * SCENE_MS;
	weir_engine_poll(world.engine, world.now_ns);
	ck_assert_uint_eq(world.far->rx_burst(world.far->ctx, &frame, 1, world.now_ns), 1);
	bytes = rte_pktmbuf_mtod(frame, const uint8_t *);
	weir_store_be16(expected, tpid[0]);
	weir_store_be16(expected + 2, 7);
	weir_store_be16(expected + 4, tpid[1]);
	weir_store_be16(expected + 6, 9);
	ck_assert_mem_eq(bytes + 12, expected, sizeof(expected));
	ck_assert_uint_eq(weir_load_be16(bytes + 20), 0x0800);
	answer[0] = weir_load_be32(bytes + 22 + 20 + 4);
	answer[1] = bytes[22 + 20 + 13];
	weir_buf_free(&world.pool, frame);
}

START_TEST(answers_carry_the_tags_that_came)
{
	for (uint32_t i = 0; i < 9; i++) {
		const uint16_t tpid[2] = {ids[i / 3], ids[i % 3]};
		uint32_t answer[2];

		scene_open(&world, 1 << 20);
		remote_init(&remote, 40000);
		remote.ts = false;
		ask(tpid, 1, WEIR_TCP_SYN, remote.iss, 0, answer);
		ck_assert_uint_eq(answer[1], WEIR_TCP_RST | WEIR_TCP_ACK);
		ask(tpid, remote.to, WEIR_TCP_SYN, remote.iss, 0, answer);
		ck_assert_uint_eq(answer[1], WEIR_TCP_SYN | WEIR_TCP_ACK);
		remote.rcv_nxt = answer[0] + 1;
		ask(tpid, remote.to, WEIR_TCP_ACK, remote.iss + 1, 10, answer);
		ck_assert_uint_eq(answer[1], WEIR_TCP_ACK);
		for (uint32_t k = 0; k < world.engine->tcp.flow_free.touched; k++) {
			struct weir_flow *flow = &world.engine->tcp.flows[k];

			weir_conn_discard(world.stack, flow->conn, 10);
			weir_conn_close(world.stack, flow->conn);
		}
		remote.rcv_nxt++;
		ask(tpid, remote.to, WEIR_TCP_ACK | WEIR_TCP_FIN, remote.iss + 11, 0, answer);
		ck_assert_uint_eq(world.engine->tcp.stats.time_wait, 1);
		while (weir_engine_poll(world.engine, world.now_ns) != 0)
			;
		{
			struct rte_mbuf *rest[4];
			uint16_t n = world.far->rx_burst(world.far->ctx, rest, 4, world.now_ns);

			for (uint16_t k = 0; k < n; k++)
				weir_buf_free(&world.pool, rest[k]);
		}
		ask(tpid, remote.to, WEIR_TCP_ACK | WEIR_TCP_FIN, remote.iss + 11, 0, answer);
		ck_assert_uint_eq(answer[1], WEIR_TCP_ACK);
		scene_close(&world);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, every_pair_of_identifiers_comes_back);
	UNIT_CASE(s, priority_tags_do_not_count);
	UNIT_CASE(s, short_frames_are_read_to_their_end);
	UNIT_CASE(s, stripped_tags_stand_outside);
	UNIT_CASE(s, answers_carry_the_tags_that_came);
}

UNIT_MAIN("tags", add)
