/* SPDX-License-Identifier: BSD-3-Clause */
/* Room 8, by a receiver of its own: what the gather becomes, in which order, with which windows. */
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"

#define SEEN_MAX 4096

/* What was emitted: a train's ACKs or one frame. */
struct seen {
	uint32_t n; /* ACKs of a train; 0: a frame */
	uint32_t flags, seq, ack, win, tsval, tsecr;
	uint8_t port;
	const struct rte_mbuf *frame; /* freed by now */
};

static struct world world;
static struct remote remote;
static struct seen seen[SEEN_MAX];
static uint32_t n_seen;

static struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

static void
see_train(void *user, uint8_t port, const struct weir_ack_template *train)
{
	ck_assert_ptr_eq(user, seen);
	ck_assert_uint_lt(n_seen, SEEN_MAX);
	seen[n_seen++] = (struct seen){
	    .n = train->n,
	    .flags = train->flags,
	    .seq = train->seq,
	    .ack = train->acks[train->n - 1].ack,
	    .win = train->acks[train->n - 1].win,
	    .tsval = train->tsval,
	    .tsecr = train->acks[train->n - 1].tsecr,
	    .port = port,
	};
}

static void
see_frame(void *user, uint8_t port, struct rte_mbuf *frame)
{
	const uint8_t *p = rte_pktmbuf_mtod(frame, const uint8_t *) + 34;

	ck_assert_ptr_eq(user, seen);
	ck_assert_uint_lt(n_seen, SEEN_MAX);
	ck_assert_uint_eq(frame->data_len, frame->pkt_len);
	seen[n_seen++] = (struct seen){
	    .seq = weir_load_be32(p + 4),
	    .ack = weir_load_be32(p + 8),
	    .flags = p[13],
	    .win = weir_load_be16(p + 14),
	    .port = port,
	    .frame = frame,
	};
	weir_buf_free(tcp()->pool, frame);
}

static void
see_copies(void *user, uint8_t port, const struct weir_sack_image *image, const struct weir_ack *edges,
	   uint32_t n)
{
	const uint8_t *p = image->bytes + 34;

	ck_assert_ptr_eq(user, seen);
	ck_assert_uint_lt(n_seen, SEEN_MAX);
	seen[n_seen++] = (struct seen){.n = n,
				       .ack = weir_load_be32(p + 8),
				       .tsecr = edges[n - 1].ack,
				       .win = weir_load_be16(p + 14),
				       .port = port};
}

static const struct weir_emit emit = {see_train, see_frame, see_copies, seen};

static void
flush(void)
{
	n_seen = 0;
	weir_output_flush(tcp(), &emit);
}

static void
open_one(void)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
}

static const struct weir_hop hop = {.mac = {2, 0, 0, 0, 0, 9}, .tags = 6};

static void
send_packet(uint32_t seq)
{
	const struct weir_packet packet = {.seq = seq, .flags = WEIR_TCP_RST, .wscale = -1};
	const struct weir_key key = weir_key_of4(
	    &(struct weir_key4){remote.ip, FRAME_LOCAL_IP, remote.port, 9000, 0});

	weir_output_packet(tcp(), 0, &key, &hop, false, &packet);
}

/* `n` bytes arrive without their arrival being looked at. */
static void
advance(struct weir_flow *flow, int32_t n)
{
	flow->rcv_nxt += (uint32_t)n;
}

/* ---- order and content ---- */

START_TEST(order_is_the_order_of_causes)
{
	struct weir_flow *flow;
	uint32_t start, number;

	open_one();
	flow = scene_flow(&world, &remote);
	start = flow->rcv_nxt;
	number = tcp()->gather.number;
	advance(flow, 10);
	weir_ack_now(tcp(), flow);
	advance(flow, 10);
	weir_ack_now(tcp(), flow); /* joins the train */
	send_packet(111);
	weir_ack_duplicate(tcp(), flow);
	advance(flow, 10);
	weir_ack_now(tcp(), flow); /* a new train: something stands between */
	weir_ack_control(tcp(), flow, WEIR_TCP_FIN | WEIR_TCP_ACK, 222);
	flush();
	ck_assert_uint_eq(n_seen, 5);
	ck_assert_uint_eq(seen[0].n, 2);
	ck_assert_uint_eq(seen[0].ack, start + 20);
	ck_assert_uint_eq(seen[0].flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(seen[0].seq, flow->snd_nxt);
	ck_assert_uint_eq(seen[0].tsval, tcp()->now_ms + flow->ts_offset);
	ck_assert_uint_eq(seen[0].tsecr, flow->ts_recent);
	ck_assert_uint_eq(seen[1].flags, WEIR_TCP_RST);
	ck_assert_uint_eq(seen[1].seq, 111);
	ck_assert_uint_eq(seen[2].flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(seen[2].ack, start + 20);
	ck_assert_uint_eq(seen[3].n, 1);
	ck_assert_uint_eq(seen[3].ack, start + 30);
	ck_assert_uint_eq(seen[4].flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
	ck_assert_uint_eq(seen[4].seq, 222);
	ck_assert_uint_eq(seen[4].ack, start + 30);
	ck_assert_uint_eq(tcp()->stats.trains, 2);
	ck_assert_uint_eq(tcp()->stats.acks_train, 3);
	ck_assert_uint_eq(tcp()->stats.acks_single, 2);
	ck_assert_uint_eq(tcp()->gather.number, number + 1);
	flush();
	ck_assert_uint_eq(n_seen, 0);
	advance(flow, -30);
	scene_close(&world);
}
END_TEST

/* Two flows do not share a train, nor do ACKs with other flags or another sequence number. */
START_TEST(a_train_is_of_one_kind)
{
	struct remote other;
	struct weir_flow *a, *b;

	open_one();
	scene_enter(&world, &other, 40001, WEIR_TCP_ESTABLISHED);
	a = scene_flow(&world, &remote);
	b = scene_flow(&world, &other);
	advance(a, 10);
	advance(b, 10);
	weir_ack_now(tcp(), a);
	weir_ack_now(tcp(), b);
	advance(b, 10);
	b->marks |= WEIR_FLOW_ECE;
	weir_ack_now(tcp(), b);
	advance(b, 10);
	b->snd_nxt++;
	weir_ack_now(tcp(), b);
	flush();
	ck_assert_uint_eq(n_seen, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(seen[i].n, 1);
	ck_assert_uint_eq(seen[0].ack, a->rcv_nxt);
	ck_assert_uint_eq(seen[1].ack, b->rcv_nxt - 20);
	ck_assert_uint_eq(seen[2].flags, WEIR_TCP_ACK | WEIR_TCP_ECE);
	ck_assert_uint_eq(seen[3].seq, b->snd_nxt);
	advance(a, -10);
	advance(b, -30);
	scene_close(&world);
}
END_TEST

/* The window is that of the flush: what the application freed in between opens it. A duplicate ACK
 * repeats the advertised edge (RFC 5681 2). */
START_TEST(windows_are_those_of_the_flush)
{
	struct weir_flow *flow;
	uint32_t edge;

	scene_open(&world, 4096);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	for (int i = 0; i < 4; i++) {
		remote_stream(&world, &remote, 0, 1000);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
	}
	flow = scene_flow(&world, &remote);
	edge = flow->rcv_adv;
	weir_ack_duplicate(tcp(), flow);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 4000), 4000);
	flush();
	ck_assert_uint_eq(n_seen, 2); /* the second one tells the peer what was freed */
	ck_assert_uint_eq(seen[0].ack + seen[0].win, edge);
	ck_assert_uint_eq(seen[1].ack, flow->rcv_nxt);
	ck_assert_uint_eq(seen[1].win, 4096);
	ck_assert_uint_eq(flow->rcv_adv, flow->rcv_nxt + 4096);
	scene_close(&world);
}
END_TEST

/* ---- the link ---- */

START_TEST(link_mirrors_tags_and_addresses)
{
	static const struct {
		uint32_t vlan;
		uint8_t n;
		uint16_t tci[2];
	} cases[] = {
	    {0, 0, {0, 0}},
	    {5, 1, {5, 0}},
	    {4095, 1, {4095, 0}},
	    {7 << 12 | 9, 2, {7, 9}},
	    {4094u << 12, 2, {4094, 0}}, /* priority tag inside */
	};
	struct weir_link link;

	open_one();
	for (uint32_t i = 0; i < 5; i++) {
		memset(&link, 0xff, sizeof(link));
		weir_output_link(tcp(), 0, cases[i].vlan, &hop, &link);
		ck_assert_uint_eq(link.n_tags, cases[i].n);
		for (int k = 0; k < cases[i].n; k++)
			ck_assert_uint_eq(link.tci[k], cases[i].tci[k]);
		ck_assert_int_eq(memcmp(link.local_mac, frame_local_mac, 6), 0);
		ck_assert_int_eq(memcmp(link.remote_mac, hop.mac, 6), 0);
		ck_assert_uint_eq(link.tags, hop.tags);
		ck_assert_uint_eq(link.l3, 0);
	}
	tcp()->ports[3].l3 = 1;
	weir_output_link(tcp(), 3, 0, &hop, &link);
	ck_assert_uint_eq(link.l3, 1);
	scene_close(&world);
}
END_TEST

/* ---- answers in the frame that asked ---- */

/* Does the SYN-ACK go out in `asked`, which is the test's otherwise? */
static bool
is_carried(struct rte_mbuf *asked)
{
	struct weir_syn syn = {.key = weir_key_of4(&(struct weir_key4){
				       remote.ip, FRAME_LOCAL_IP, remote.port, 9000, 0}),
			       .hop = hop};
	const struct weir_packet packet = {
		.seq = 7, .ack = 8, .flags = WEIR_TCP_SYN | WEIR_TCP_ACK, .mss = 1460, .wscale = -1};
	uint64_t allocated = tcp()->pool->allocated;
	bool carried;

	carried = weir_output_syn_ack(tcp(), &syn, &packet, asked);
	flush();
	ck_assert_uint_eq(n_seen, 1);
	ck_assert_uint_eq(seen[0].flags, WEIR_TCP_SYN | WEIR_TCP_ACK);
	ck_assert_uint_eq(seen[0].seq, 7);
	ck_assert_uint_eq(seen[0].ack, 8);
	ck_assert_int_eq(seen[0].frame == asked, carried);
	ck_assert_uint_eq(tcp()->pool->allocated - allocated, !carried);
	return carried;
}

static struct rte_mbuf *
asking(void)
{
	struct rte_mbuf *buf = weir_buf_alloc(&world.pool);

	ck_assert_ptr_nonnull(buf);
	memset(rte_pktmbuf_append(buf, 74), 0xee, 74);
	buf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return buf;
}

/* A frame that is somebody else's too, or that has no room, stays as it is. */
START_TEST(an_answer_goes_into_the_frame_that_asked)
{
	struct rte_mbuf *buf, *more;

	open_one();
	ck_assert(!is_carried(NULL));
	ck_assert(is_carried(asking()));
	buf = asking();
	rte_mbuf_refcnt_update(buf, 1);
	ck_assert(!is_carried(buf));
	ck_assert_uint_eq(*rte_pktmbuf_mtod(buf, uint8_t *), 0xee);
	rte_mbuf_refcnt_update(buf, -1);
	buf->data_off = (uint16_t)(buf->buf_len - (WEIR_SYN_ACK_MAX - 1));
	ck_assert(!is_carried(buf));
	buf->data_off--;
	buf->ol_flags |= RTE_MBUF_F_EXTERNAL;
	ck_assert(!is_carried(buf));
	buf->ol_flags &= ~RTE_MBUF_F_EXTERNAL;
	more = asking();
	ck_assert_int_eq(rte_pktmbuf_chain(buf, more), 0);
	ck_assert(!is_carried(buf));
	buf->next = NULL;
	buf->nb_segs = 1;
	buf->pkt_len = buf->data_len;
	weir_buf_free(&world.pool, more);
	ck_assert(is_carried(buf));
	scene_close(&world);
}
END_TEST

/* ---- limits ---- */

static void
flush_gather(void *user)
{
	weir_output_flush(user, &emit);
}

/* More packets than the gather holds: it is flushed on the way, and nothing is lost or reordered.
 */
START_TEST(full_gather_is_flushed)
{
	void (*engine_flush)(void *user);
	struct weir_flow *flow;
	void *engine_user;
	uint32_t number;

	open_one();
	flow = scene_flow(&world, &remote);
	number = tcp()->gather.number;
	engine_flush = tcp()->gather.flush;
	engine_user = tcp()->gather.user;
	tcp()->gather.flush = flush_gather;
	tcp()->gather.user = tcp();
	n_seen = 0;
	for (uint32_t i = 0; i < 2 * WEIR_GATHER_ITEMS; i++) {
		send_packet(i);
		weir_ack_duplicate(tcp(), flow);
	}
	ck_assert_uint_eq(tcp()->gather.number, number + 3);
	weir_output_flush(tcp(), &emit);
	ck_assert_uint_eq(n_seen, 4 * WEIR_GATHER_ITEMS);
	for (uint32_t i = 0; i < n_seen; i++) {
		ck_assert_uint_eq(seen[i].seq, i % 2 == 0 ? i / 2 : flow->snd_nxt);
		ck_assert_uint_eq(seen[i].flags, i % 2 == 0 ? WEIR_TCP_RST : WEIR_TCP_ACK);
	}
	tcp()->gather.flush = engine_flush;
	tcp()->gather.user = engine_user;
	scene_close(&world);
}
END_TEST

/* PITFALLS 47: without a buffer the packet is lost by name, and the next one leaves again. */
START_TEST(pitfall_47_no_buffer_for_a_packet)
{
	struct weir_flow *flow;
	struct weir_pool *pool;

	open_one();
	flow = scene_flow(&world, &remote);
	pool = tcp()->pool;
	pool->fail_every = 1;
	send_packet(1);
	weir_ack_duplicate(tcp(), flow);
	flush();
	ck_assert_uint_eq(n_seen, 0);
	ck_assert_uint_eq(scene_drops(&world, WEIR_DROP_TX_NO_BUFFER), 2);
	ck_assert_uint_eq(tcp()->stats.packets_dropped, 0); /* nothing received was lost */
	pool->fail_every = 0;
	send_packet(2);
	weir_ack_duplicate(tcp(), flow);
	flush();
	ck_assert_uint_eq(n_seen, 2);
	ck_assert_uint_eq(seen[0].seq, 2);
	ck_assert_uint_eq(scene_drops(&world, WEIR_DROP_TX_NO_BUFFER), 2);
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, order_is_the_order_of_causes);
	UNIT_CASE(s, a_train_is_of_one_kind);
	UNIT_CASE(s, windows_are_those_of_the_flush);
	UNIT_CASE(s, link_mirrors_tags_and_addresses);
	UNIT_CASE(s, an_answer_goes_into_the_frame_that_asked);
	UNIT_CASE(s, full_gather_is_flushed);
	UNIT_CASE(s, pitfall_47_no_buffer_for_a_packet);
}

UNIT_MAIN("output", add)
