/* SPDX-License-Identifier: BSD-3-Clause */
/* ACKs into the gather: what ack.c and the fast path of input.c have in common. */
#ifndef WEIR_TCP_ACK_H
#define WEIR_TCP_ACK_H

#include "tcp/tcp.h"

static inline uint16_t
weir_ack_flags(const struct weir_flow *flow)
{
	return flow->marks & WEIR_FLOW_ECE ? weir_ecn_ack_flags(flow) : WEIR_TCP_ACK;
}

/* An ACK of `ack` is in the gather; `open`: its window may grow. */
static inline void
weir_ack_sent(const struct weir_tcp *tcp, struct weir_flow *flow, uint32_t ack, bool open)
{
	flow->last_ack_sent = ack;
	flow->ack_segs = 0;
	flow->ack_bytes = 0;
	flow->marks &= (uint8_t)~WEIR_FLOW_DELACK;
	if (open) /* this gather tells the peer whatever window there is by then */
		flow->gather_no = tcp->gather.number;
}

static inline struct weir_gather_item *
weir_gather_add(struct weir_gather *g, const struct weir_flow *flow, enum weir_gather_kind kind,
		uint16_t flags, uint32_t first)
{
	struct weir_gather_item *item = &g->items[g->n_items++];

	item->flow = flow->id;
	item->first = first;
	item->n = 0;
	item->seq = flow->snd_nxt;
	item->kind = (uint8_t)kind;
	item->flags = flags;
	item->port = flow->port;
	return item;
}

/* The item that the next ACK of a train of this flow belongs to. */
static inline struct weir_gather_item *
weir_ack_item(struct weir_tcp *tcp, const struct weir_flow *flow)
{
	struct weir_gather *g = &tcp->gather;
	struct weir_gather_item *item = &g->items[g->n_items - (g->n_items != 0)];
	uint16_t flags = weir_ack_flags(flow);

	if (g->n_items == 0 || item->kind != WEIR_GATHER_TRAIN || item->flow != flow->id ||
	    item->flags != flags || item->seq != flow->snd_nxt)
		item = weir_gather_add(g, flow, WEIR_GATHER_TRAIN, flags, g->n_acks);
	return item;
}

/*
 * The flow acknowledges by trains, and the next `n` of its ACKs may be written behind those of the
 * gather. Else each segment has to go through weir_ack_count().
 */
static inline bool
weir_ack_has_room(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t n)
{
	const struct weir_gather *g = &tcp->gather;

	return flow->ack_policy == WEIR_ACK_TRAIN && g->n_acks + n <= g->capacity &&
	       g->n_items != g->capacity;
}

/* `n` ACKs, 1 at least, have been written there. */
static inline void
weir_ack_train(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t n)
{
	struct weir_gather *g = &tcp->gather;

	weir_ack_item(tcp, flow)->n += n;
	g->n_acks += n;
	weir_ack_sent(tcp, flow, g->acks[g->n_acks - 1].ack, true);
}

#endif
