/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a flow owes its peer, put into the gather: ACKs that advance and carry no SACK block as
 * members of a train, all others one by one, in the order in which they fell due.
 */
#include "tcp/ack.h"
#include "tcp/tcp.h"
#include "wire/seq.h"
#include "wire/siphash.h"

/* The counters of AccECN that fit beside the SACK blocks that this ACK may carry. */
static void
add_accecn(struct weir_tcp *tcp, const struct weir_flow *flow, struct weir_packet *packet)
{
	struct weir_accecn *accecn = &tcp->accecn[flow->id];
	bool sacks = flow->reass != WEIR_NONE || tcp->dsack[0] != tcp->dsack[1];

	if (weir_accecn_is_due(accecn, flow))
		packet->accecn = weir_accecn_take(
			accecn, sacks && (flow->opts & WEIR_FLOW_TS) != 0 ? 2 : 3);
}

static inline struct weir_packet
ack_packet(const struct weir_flow *flow, uint16_t flags, uint32_t ack)
{
	return (struct weir_packet){
		.seq = flow->snd_nxt,
		.ack = ack,
		.tsecr = flow->ts_recent,
		.flags = flags,
		.wscale = -1,
	};
}

/* The next single, not yet taken, with what each packet of the flow without data says. */
static struct weir_gather_single *
next_single(struct weir_tcp *tcp, const struct weir_flow *flow, uint16_t flags, uint32_t ack, bool open)
{
	struct weir_gather *g = &tcp->gather;
	struct weir_gather_single *single;

	if (g->n_singles == g->capacity || g->n_items == g->capacity)
		g->flush(g->user);
	single = &g->singles[g->n_singles];
	single->open = open;
	single->edges = single->n_edges = 0;
	single->packet = ack_packet(flow, flags, ack);
	return single;
}

static void
take_single(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_gather_single *single)
{
	struct weir_gather *g = &tcp->gather;

	weir_gather_add(g, flow, WEIR_GATHER_SINGLE, single->packet.flags, g->n_singles++);
	weir_ack_sent(tcp, flow, single->packet.ack, single->open);
}

static struct weir_gather_single *
push_single(struct weir_tcp *tcp, struct weir_flow *flow, uint16_t flags, uint32_t ack, bool open)
{
	struct weir_gather_single *single = next_single(tcp, flow, flags, ack, open);

	if ((flow->opts & WEIR_FLOW_ACCECN_OPTION) && !(flags & WEIR_TCP_RST))
		add_accecn(tcp, flow, &single->packet);
	take_single(tcp, flow, single);
	return single;
}

static void
push_train(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t ack)
{
	struct weir_gather *g = &tcp->gather;

	if ((flow->opts & WEIR_FLOW_ACCECN_OPTION) &&
	    weir_accecn_is_due(&tcp->accecn[flow->id], flow)) {
		push_single(tcp, flow, weir_ack_flags(flow), ack, true);
		return;
	}
	if (g->n_acks == g->capacity || g->n_items == g->capacity)
		g->flush(g->user);
	weir_ack_item(tcp, flow)->n++;
	g->acks[g->n_acks++] = (struct weir_ack){.ack = ack, .tsecr = flow->ts_recent};
	weir_ack_sent(tcp, flow, ack, true);
}

/* SACK blocks as of now, latest arrival first, behind a D-SACK that is due (RFC 2883). */
static void
add_sacks(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_packet *packet)
{
	uint32_t most = flow->max_sacks - (packet->accecn.kind != 0);
	bool duplicate = tcp->dsack[0] != tcp->dsack[1];

	if (!(flow->opts & WEIR_FLOW_SACK))
		return;
	if (flow->reass != WEIR_NONE) {
		struct weir_reassembly *r = &tcp->reass.items[flow->reass];

		if (duplicate)
			memcpy(r->dsack, tcp->dsack, sizeof(r->dsack));
		packet->n_sacks = (uint8_t)weir_reass_sacks(&tcp->reass, r, packet->sacks, most);
	} else if (duplicate) {
		memcpy(packet->sacks[0], tcp->dsack, sizeof(tcp->dsack));
		packet->n_sacks = 1;
	}
	tcp->dsack[0] = tcp->dsack[1] = 0;
}

void
weir_ack_note_duplicate(struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t start,
			uint32_t end)
{
	if (!(flow->opts & WEIR_FLOW_SACK))
		return;
	tcp->dsack[0] = start;
	tcp->dsack[1] = end;
}

void
weir_ack_now(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (flow->reass == WEIR_NONE && tcp->dsack[0] == tcp->dsack[1] &&
	    flow->rcv_nxt != flow->last_ack_sent) {
		push_train(tcp, flow, flow->rcv_nxt);
		return;
	}
	add_sacks(tcp, flow, &push_single(tcp, flow, weir_ack_flags(flow), flow->rcv_nxt, true)->packet);
}

void
weir_ack_duplicate(struct weir_tcp *tcp, struct weir_flow *flow)
{
	tcp->stats.dup_acks++;
	add_sacks(tcp, flow, &push_single(tcp, flow, weir_ack_flags(flow), flow->rcv_nxt, false)->packet);
}

/* Do they differ in the right edge of their first SACK block at most? */
static bool
same_but_edge(const struct weir_packet *a, const struct weir_packet *b)
{
	return a->seq == b->seq && a->ack == b->ack && a->tsecr == b->tsecr &&
	       a->flags == b->flags && a->n_sacks == b->n_sacks &&
	       a->sacks[0][0] == b->sacks[0][0] &&
	       memcmp(a->sacks[1], b->sacks[1], sizeof(a->sacks) - sizeof(a->sacks[0])) == 0;
}

/* What was gathered last, if those are duplicate ACKs of a run that `packet` could be more of; else NULL. */
static struct weir_gather_single *
repeated(const struct weir_gather *g, const struct weir_flow *flow, const struct weir_packet *packet)
{
	const struct weir_gather_item *item = &g->items[g->n_items - (g->n_items != 0)];
	struct weir_gather_single *last;

	if (g->n_items == 0 || item->kind != WEIR_GATHER_SINGLE || item->flow != flow->id)
		return NULL;
	last = &g->singles[item->first];
	if (last->n_edges == 0 || last->edges + last->n_edges != g->n_acks ||
	    !same_but_edge(&last->packet, packet))
		return NULL;
	return last;
}

/* The right edges behind the segments of a block; behind the last one written. */
static inline struct weir_ack *
put_edges(const struct weir_seg *block, struct weir_ack *to)
{
	struct weir_ack *end = to + 1 + block->alike;

	for (uint32_t edge = block->seq + block->len; to != end; edge += block->len)
		(to++)->ack = edge;
	return to;
}

/* One packet stands for all, and for those of the run before where nothing came between. */
void
weir_ack_duplicates(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs,
		    uint32_t n)
{
	struct weir_gather *g = &tcp->gather;
	struct weir_gather_single *next, *single;
	struct weir_ack *to, *end;

	tcp->stats.dup_acks += n;
	if (g->n_acks + n > g->capacity)
		g->flush(g->user);
	next = next_single(tcp, flow, weir_ack_flags(flow), flow->rcv_nxt, false);
	add_sacks(tcp, flow, &next->packet);
	single = repeated(g, flow, &next->packet);
	if (single == NULL) {
		take_single(tcp, flow, next);
		single = next;
		single->edges = g->n_acks;
	}
	single->n_edges += n;
	g->n_edges += n;
	to = g->acks + g->n_acks;
	end = to + n;
	g->n_acks += n;
	for (const struct weir_seg *block = segs; to != end; block += 1u + block->alike)
		to = put_edges(block, to);
}

/* RFC 5681 4.2 on the segments of the wire: every second segment, or 2 MSS. */
static bool
ack_is_due(struct weir_flow *flow, uint32_t len)
{
	if (len > flow->rcv_mss)
		flow->rcv_mss = len < UINT16_MAX ? (uint16_t)len : UINT16_MAX;
	if (flow->quick_acks != 0) {
		flow->quick_acks--;
		return true;
	}
	flow->ack_bytes += len;
	if (flow->ack_policy != WEIR_ACK_TRAIN)
		return false;
	flow->ack_segs++;
	return flow->ack_segs >= 2 || flow->ack_bytes >= 2u * flow->rcv_mss;
}

/* One buffer that stands for several segments of the wire (LRO by the port). */
static void
count_merged(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t len, uint32_t wire_segs)
{
	uint32_t step = weir_seg_parts(len, wire_segs);
	uint32_t at = flow->rcv_nxt - len;

	while (at != flow->rcv_nxt) {
		uint32_t left = flow->rcv_nxt - at;
		uint32_t part = left < step ? left : step;

		at += part;
		if (ack_is_due(flow, part))
			push_train(tcp, flow, at);
	}
}

void
weir_ack_count(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t len, uint32_t wire_segs)
{
	uint32_t mss = tcp->ports[flow->port].mss;

	if (wire_segs == 1 && len > mss) /* merged by the port without a word */
		wire_segs = weir_seg_parts(len, mss);
	if (wire_segs > 1)
		count_merged(tcp, flow, len, wire_segs);
	else if (ack_is_due(flow, len))
		push_train(tcp, flow, flow->rcv_nxt);
}

void
weir_ack_aggregate_end(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (flow->ack_bytes == 0)
		return;
	if (flow->ack_policy == WEIR_ACK_DELAYED)
		flow->ack_segs++; /* Hatori & Oi: an aggregate counts as one segment */
	if (flow->ack_policy == WEIR_ACK_STRETCH || flow->ack_segs >= 2) {
		weir_ack_now(tcp, flow);
	} else if (!(flow->marks & WEIR_FLOW_DELACK)) {
		flow->marks |= WEIR_FLOW_DELACK;
		flow->delack_due_ms = tcp->now_ms + WEIR_TCP_DELACK_MS;
		weir_wheel_arm_by(&tcp->wheel, flow->id, flow->delack_due_ms);
	}
}

/*
 * RFC 5961 7 asks for an engine-wide cap; a plain shared counter is readable from outside
 * (CVE-2016-5696), so each second allows a random number between 500 and 1,500.
 */
static bool
challenge_allowed(struct weir_tcp *tcp)
{
	if (tcp->now_ms - tcp->challenge_ms >= 1000) {
		tcp->challenge_ms = tcp->now_ms;
		tcp->challenge_tokens = 500 + (uint32_t)(weir_seed_next(&tcp->random) % 1000);
	}
	if (tcp->challenge_tokens == 0)
		return false;
	tcp->challenge_tokens--;
	return true;
}

static bool
empty_answer_allowed(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (tcp->now_ms - flow->oow_last_ms < WEIR_TCP_OOW_MS)
		return false;
	flow->oow_last_ms = tcp->now_ms;
	return true;
}

static bool
data_answer_allowed(struct weir_tcp *tcp, struct weir_flow *flow)
{
	uint32_t tokens = flow->oow_tokens + (tcp->now_ms - flow->oow_refill_ms);

	flow->oow_refill_ms = tcp->now_ms;
	if (tokens > WEIR_TCP_OOW_BURST)
		tokens = WEIR_TCP_OOW_BURST;
	flow->oow_tokens = (uint8_t)(tokens - (tokens != 0));
	return tokens != 0;
}

void
weir_ack_challenge(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (!empty_answer_allowed(tcp, flow) || !challenge_allowed(tcp)) {
		tcp->stats.answers_limited++;
		return;
	}
	push_single(tcp, flow, weir_ack_flags(flow), flow->rcv_nxt, false);
}

void
weir_ack_outside(struct weir_tcp *tcp, struct weir_flow *flow, bool has_data)
{
	bool open;

	if (has_data ? !data_answer_allowed(tcp, flow) : !empty_answer_allowed(tcp, flow)) {
		tcp->stats.answers_limited++;
		return;
	}
	/* A probe of a closed window is told what there is now. */
	open = (flow->marks & WEIR_FLOW_ZERO_WINDOW) != 0;
	add_sacks(tcp, flow, &push_single(tcp, flow, weir_ack_flags(flow), flow->rcv_nxt, open)->packet);
}

void
weir_ack_control(struct weir_tcp *tcp, struct weir_flow *flow, uint16_t flags, uint32_t seq)
{
	bool reset = (flags & WEIR_TCP_RST) != 0;
	struct weir_gather_single *single =
		push_single(tcp, flow, reset ? flags : flags | weir_ack_flags(flow), flow->rcv_nxt,
			    !reset);

	single->packet.seq = seq;
}
