/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/release.h"

#include "tests/unit/engine_test.h"

static struct remote remote;

/* A packet alone, a chain of three, a block of four; the flow keeps the books, not the list. */
static struct weir_flow *
hold_three_nodes(uint32_t node[3])
{
	struct weir_flow *flow;

	open_default();
	open_remotes(&remote, 1);
	flow = scene_flow(&world, &remote);
	flow->quick_acks = 0;
	stream_split(&remote, 100, 0);
	stream_split(&remote, 500, 200);
	world_poll(&world, 1000);
	world.engine->ports[0].parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST + 1;
	for (uint32_t i = 0; i < 4; i++) {
		struct frame_spec spec;
		struct rte_mbuf *frame;
		uint8_t payload[ENGINE_TEST_MSS];

		remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, sizeof(payload));
		frame = frame_build(&world.pool, &spec);
		frame->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		world_inject(&world, frame);
		remote.snd_nxt += ENGINE_TEST_MSS;
	}
	world_poll(&world, 1000);
	node[0] = flow->unread.head;
	node[1] = world.engine->tcp.held.nodes[node[0]].next;
	node[2] = flow->unread.tail;
	ck_assert_uint_eq(world.engine->tcp.held.nodes[node[2]].packets, 4);
	ck_assert_uint_eq(flow->held_bufs, 1 + 3 + 4);
	flow->unread.head = flow->unread.tail = 0;
	flow->unread_bytes = 0;
	return flow;
}

START_TEST(a_node_gives_back_what_it_holds)
{
	struct weir_flow *flow;
	struct weir_tcp *tcp;
	uint32_t node[3];

	flow = hold_three_nodes(node);
	tcp = &world.engine->tcp;
	ck_assert_uint_eq(weir_tcp_release_node(tcp, flow, node[1]), 500);
	ck_assert_uint_eq(flow->held_bufs, 5);
	ck_assert_uint_eq(tcp->held_bufs, 5);
	ck_assert_uint_eq(weir_tcp_release_node(tcp, flow, node[2]), 4 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(flow->held_bufs, 1);
	ck_assert_uint_eq(tcp->held.folded, 0);
	ck_assert_uint_eq(weir_tcp_release_node(tcp, flow, node[0]), 100);
	ck_assert_uint_eq(flow->held_bufs, 0);
	ck_assert_uint_eq(tcp->held_bufs, 0);
	ck_assert_uint_eq(tcp->held.used, 0);
	world_close(&world);
}
END_TEST

/* Of a flow that has ended only the engine's books are kept. */
START_TEST(a_list_goes_to_its_end)
{
	struct weir_flow *flow;
	struct weir_tcp *tcp;
	uint32_t node[3];

	flow = hold_three_nodes(node);
	tcp = &world.engine->tcp;
	ck_assert_uint_eq(weir_tcp_release(tcp, flow, 0), 0);
	ck_assert_uint_eq(tcp->held_bufs, 8);
	ck_assert_uint_eq(weir_tcp_release(tcp, NULL, node[0]), 600 + 4 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(tcp->held_bufs, 0);
	ck_assert_uint_eq(tcp->held.used, 0);
	ck_assert_uint_eq(flow->held_bufs, 8);
	flow->held_bufs = 0;
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_node_gives_back_what_it_holds);
	UNIT_CASE(s, a_list_goes_to_its_end);
}

UNIT_MAIN("release", add)
