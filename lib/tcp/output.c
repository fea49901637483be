/* SPDX-License-Identifier: BSD-3-Clause */
/* Room 8: the gather becomes templates and packets, with the windows of this moment. */
#include "tcp/tcp.h"
#include "wire/siphash.h"

#define FLOW_LABEL_MASK 0xfffff

void
weir_output_link(const struct weir_tcp *tcp, uint8_t port, uint32_t vlan,
		 const struct weir_hop *hop, struct weir_link *link)
{
	memset(link, 0, sizeof(*link));
	memcpy(link->local_mac, tcp->ports[port].mac, sizeof(link->local_mac));
	memcpy(link->remote_mac, hop->mac, sizeof(link->remote_mac));
	link->tags = hop->tags;
	link->l3 = tcp->ports[port].l3;
	if (vlan >> 12 != 0) {
		link->n_tags = 2;
		link->tci[0] = (uint16_t)(vlan >> 12);
		link->tci[1] = vlan & 0xfff;
	} else if (vlan != 0) {
		link->n_tags = 1;
		link->tci[0] = (uint16_t)vlan;
	}
}

/* One label for all packets of a flow, which tells nothing of other secrets (RFC 6437 3). */
static uint32_t
flow_label(const struct weir_tcp *tcp, const struct weir_key *key)
{
	uint32_t label =
		(uint32_t)weir_siphash(tcp->label_secret, key, sizeof(*key)) & FLOW_LABEL_MASK;

	return label != 0 ? label : 1;
}

void
weir_output_header(const struct weir_tcp *tcp, uint8_t port, const struct weir_key *key,
		   const struct weir_hop *hop, bool has_ts, struct weir_header *header)
{
	struct weir_link link;

	weir_output_link(tcp, port, key->low.vlan, hop, &link);
	if (weir_key_is4(key)) {
		weir_header_init(header, &link, &key->low, has_ts);
		return;
	}
	link.local6 = weir_tcp_own6(tcp, key->low.laddr);
	link.flow_label = flow_label(tcp, key);
	weir_header_init6(header, &link, key, has_ts);
}

/* Up to `n` frames of `len` bytes; those that are missing are counted. */
static uint32_t
take_frames(struct weir_tcp *tcp, struct rte_mbuf **frames, uint32_t n, uint32_t len)
{
	uint32_t got = 0;

	if (weir_buf_alloc_frames(tcp->pool, frames, n, (uint16_t)len))
		return n;
	while (n > 1 && got < n && weir_buf_alloc_frames(tcp->pool, frames + got, 1, (uint16_t)len))
		got++;
	tcp->stats.drops[WEIR_DROP_TX_NO_BUFFER] += n - got;
	return got;
}

/*
 * A packet as a frame of its own, or NULL, counted. It is made elsewhere and copied: the checksum reads
 * what was just written, and in lines that another core has read it would wait for each of them.
 */
static struct rte_mbuf *
build(struct weir_tcp *tcp, const struct weir_header *header, const struct weir_packet *packet)
{
	uint8_t bytes[WEIR_PACKET_MAX];
	uint32_t len = weir_header_build(header, packet, bytes);
	struct rte_mbuf *buf;

	if (take_frames(tcp, &buf, 1, len) == 0)
		return NULL;
	weir_packet_copy(rte_pktmbuf_mtod(buf, uint8_t *), bytes, len);
	return buf;
}

static void
send_train(struct weir_tcp *tcp, const struct weir_gather_item *item, const struct weir_emit *emit)
{
	struct weir_flow *flow = &tcp->flows[item->flow];
	const struct weir_ack_template train = {
		.header = &flow->header,
		.acks = &tcp->gather.acks[item->first],
		.n = item->n,
		.seq = item->seq,
		.tsval = tcp->now_ms + flow->ts_offset,
		.flags = item->flags,
	};

	tcp->stats.trains++;
	tcp->stats.acks_train += item->n;
	emit->train(emit->user, item->port, &train);
}

/* One packet that goes out once. */
static struct rte_mbuf *
build_single(struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_packet *packet)
{
	struct weir_sack_image image;
	struct rte_mbuf *frame;

	if (packet->accecn.kind != 0)
		return build(tcp, &flow->header, packet);
	weir_sack_image(&image, &flow->header, packet);
	if (take_frames(tcp, &frame, 1, image.len) == 0)
		return NULL;
	weir_sack_write(&image, packet->sacks[0][1], rte_pktmbuf_mtod(frame, uint8_t *));
	return frame;
}

static void
send_single(struct weir_tcp *tcp, const struct weir_gather_item *item, const struct weir_emit *emit)
{
	struct weir_flow *flow = &tcp->flows[item->flow];
	struct weir_gather_single *single = &tcp->gather.singles[item->first];
	struct weir_sack_image image;
	struct rte_mbuf *frame;

	single->packet.tsval = tcp->now_ms + flow->ts_offset; /* not before what left ahead of it */
	if (single->n_edges != 0) {
		tcp->stats.acks_single += single->n_edges;
		weir_sack_image(&image, &flow->header, &single->packet);
		emit->copies(emit->user, item->port, &image, &tcp->gather.acks[single->edges],
			     single->n_edges);
		return;
	}
	tcp->stats.acks_single++;
	frame = build_single(tcp, flow, &single->packet);
	if (frame != NULL)
		emit->frame(emit->user, item->port, frame);
}

static void
single_window(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_gather_single *single)
{
	if (single->open)
		weir_window_open(tcp, flow);
	single->packet.win = weir_window_field(tcp, flow, single->packet.ack);
}

/* In the order of the items, and before the first leaves: a window that is written and read at once
 * would be waited for. */
static void
fill_windows(struct weir_tcp *tcp, struct weir_gather *g)
{
	for (uint32_t i = 0; i < g->n_items; i++) {
		const struct weir_gather_item *item = &g->items[i];

		if (item->kind == WEIR_GATHER_TRAIN)
			weir_window_train(tcp, &tcp->flows[item->flow], &g->acks[item->first],
					  item->n);
		else if (item->kind == WEIR_GATHER_SINGLE)
			single_window(tcp, &tcp->flows[item->flow], &g->singles[item->first]);
	}
}

void
weir_output_flush(struct weir_tcp *tcp, const struct weir_emit *emit)
{
	struct weir_gather *g = &tcp->gather;

	fill_windows(tcp, g);
	for (uint32_t i = 0; i < g->n_items; i++) {
		const struct weir_gather_item *item = &g->items[i];

		if (item->kind == WEIR_GATHER_TRAIN)
			send_train(tcp, item, emit);
		else if (item->kind == WEIR_GATHER_SINGLE)
			send_single(tcp, item, emit);
		else
			emit->frame(emit->user, item->port, g->frames[item->first]);
	}
	g->n_items = g->n_acks = g->n_edges = g->n_singles = g->n_frames = 0;
	g->number++;
}

/* Room for one frame more. */
static inline void
make_room(struct weir_gather *g)
{
	if (g->n_frames == g->capacity || g->n_items == g->capacity)
		g->flush(g->user);
}

static inline void
gather_frame(struct weir_gather *g, uint8_t port, struct rte_mbuf *frame)
{
	g->items[g->n_items++] = (struct weir_gather_item){
		.flow = WEIR_NONE, .first = g->n_frames, .n = 1, .kind = WEIR_GATHER_FRAME, .port = port};
	g->frames[g->n_frames++] = frame;
}

void
weir_output_packet(struct weir_tcp *tcp, uint8_t port, const struct weir_key *key,
		   const struct weir_hop *hop, bool has_ts, const struct weir_packet *packet)
{
	struct weir_header header;
	struct rte_mbuf *frame;

	make_room(&tcp->gather);
	weir_output_header(tcp, port, key, hop, has_ts, &header);
	frame = build(tcp, &header, packet);
	if (frame != NULL)
		gather_frame(&tcp->gather, port, frame);
}

/* The image for SYN-ACKs that agree on what `syn` does; made anew when another kind was last. */
static const struct weir_syn_ack_image *
syn_ack_image(struct weir_tcp *tcp, const struct weir_syn *syn, const struct weir_packet *packet)
{
	struct weir_syn_ack_image *image = &tcp->syn_acks[syn->opts % WEIR_SYN_ACK_IMAGES];
	const struct weir_syn_ack_kind kind = {
		.laddr = syn->key.low.laddr,
		.vlan = syn->key.low.vlan,
		.lport = syn->key.low.lport,
		.win = packet->win,
		.mss = packet->mss,
		.flags = packet->flags,
		.wscale = packet->wscale,
		.sack_permitted = packet->sack_permitted,
		.has_ts = (syn->opts & WEIR_FLOW_TS) != 0,
		.port = syn->port,
		.tags = syn->hop.tags,
		.made = 1,
		.accecn = packet->accecn.kind != 0,
	};
	struct weir_link link;

	if (memcmp(&image->kind, &kind, sizeof(kind)) != 0) {
		weir_output_link(tcp, syn->port, kind.vlan, &syn->hop, &link);
		weir_syn_ack_image(image, &kind, &link);
	}
	return image;
}

/* Ours alone, and with room: then the answer goes into the frame that asked, which is near already. */
static inline bool
may_carry(const struct rte_mbuf *frame)
{
	return frame != NULL && frame->nb_segs == 1 && rte_mbuf_refcnt_read(frame) == 1 &&
	       RTE_MBUF_DIRECT(frame) &&
	       (uint32_t)(frame->buf_len - frame->data_off) >= WEIR_SYN_ACK_MAX;
}

bool
weir_output_syn_ack(struct weir_tcp *tcp, const struct weir_syn *syn,
		    const struct weir_packet *packet, struct rte_mbuf *asked)
{
	struct weir_syn_ack own = {
		.rport = syn->key.low.rport,
		.raddr = syn->key.low.raddr,
		.seq = packet->seq,
		.ack = packet->ack,
		.tsval = packet->tsval,
		.tsecr = packet->tsecr,
	};
	bool carried = may_carry(asked);
	struct rte_mbuf *frame = asked;
	uint32_t len;

	if (syn->opts & WEIR_FLOW_IP6) {
		weir_output_packet(tcp, syn->port, &syn->key, &syn->hop,
				   (syn->opts & WEIR_FLOW_TS) != 0, packet);
		return false;
	}
	make_room(&tcp->gather);
	if (!carried)
		frame = weir_buf_alloc(tcp->pool);
	if (frame == NULL) {
		tcp->stats.drops[WEIR_DROP_TX_NO_BUFFER]++;
		return false;
	}
	memcpy(own.remote_mac, syn->hop.mac, sizeof(own.remote_mac));
	len = weir_syn_ack_write(syn_ack_image(tcp, syn, packet), &own,
				 rte_pktmbuf_mtod(frame, uint8_t *));
	if (carried)
		frame->ol_flags = 0;
	frame->data_len = (uint16_t)len;
	frame->pkt_len = len;
	gather_frame(&tcp->gather, syn->port, frame);
	return carried;
}
