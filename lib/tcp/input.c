/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Room 6: TCP input. Doubts about an aggregate are OR-ed into one predicate; without any the
 * aggregate is taken whole, else segment by segment on the slow path.
 */
#include "tcp/ack.h"
#include "tcp/tcp.h"
#include "wire/seq.h"

/* The connection and the engine are far from their limits with `bufs` buffers more. */
static inline bool
is_roomy(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	return tcp->held_bufs + bufs <= tcp->budget_bufs / 2 &&
	       (uint64_t)(flow->held_bufs + bufs) * tcp->charge_bytes <= 2 * (uint64_t)flow->limit;
}

/* Buffers are counted only where as many as there can be would not fit: small windows. */
static inline bool
has_room(const struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_seg *segs,
	 uint32_t n)
{
	uint32_t bufs = 0;

	if (__builtin_expect(is_roomy(tcp, flow, n * WEIR_SEG_CHAIN), 1))
		return true;
	for (uint32_t i = 0; i < n; i++)
		bufs += segs[i].nb_segs;
	return is_roomy(tcp, flow, bufs);
}

/* Zero when every segment of the aggregate is acceptable, expected and plain. The aggregation rules
 * make the first and the last speak for those between. `opts` are the flow's. */
static inline uint64_t
input_doubt(const struct weir_tcp *tcp, const struct weir_flow *flow, uint8_t opts,
	    const struct weir_seg *segs, uint32_t n)
{
	const struct weir_seg *first = &segs[0], *last = &segs[n - 1];
	uint32_t end = last->seq + last->len;
	uint64_t doubt = flow->state ^ WEIR_TCP_ESTABLISHED;

	doubt |= first->seq ^ flow->rcv_nxt;
	doubt |= (uint64_t)((first->flags & ~WEIR_TCP_PSH) ^ WEIR_TCP_ACK);
	doubt |= (first->len == 0) | weir_seq_lt(flow->rcv_adv, end);
	doubt |= (first->ack ^ flow->snd_una) | (last->ack ^ flow->snd_una);
	doubt |= (flow->reass ^ WEIR_NONE) | flow->fin_known;
	doubt |= first->shape ^ (opts & (WEIR_FLOW_TS | WEIR_FLOW_CHARGED)); /* 1 or 0, charged: more */
	doubt |= (opts & WEIR_FLOW_TS) ? (first->tsval - flow->ts_recent) >> 30 : 0;
	doubt |= ((first->tos & WEIR_ECN_MASK) == WEIR_ECN_CE) ^
		 ((flow->marks & WEIR_FLOW_LAST_CE) != 0);
	doubt |= first->mark & WEIR_MARK_CHAIN;
	doubt |= !has_room(tcp, flow, segs, n);
	return doubt;
}
_Static_assert(WEIR_FLOW_TS == WEIR_OPT_TS, "the predicate compares them");

/* The first n nodes of the free list, filled up to `last`, go behind what is unread. */
static inline void
hold(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t last, uint32_t n, uint32_t bufs)
{
	weir_held_take(&tcp->held, &flow->unread, last, n);
	weir_tcp_hold(tcp, flow, (int32_t)bufs);
}

/* Hold it, then RFC 7323 4.3 and RFC 5681 4.2 as if the segments had come one at a time. */
static inline void
take_segment(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t window = (uint32_t)seg->win << flow->snd_wscale;
	uint32_t node = tcp->held.free;

	weir_held_fill(&tcp->held.nodes[node], seg, &tcp->held.homes);
	hold(tcp, flow, node, 1, seg->nb_segs);
	if (weir_seq_leq(seg->seq, flow->last_ack_sent)) {
		flow->ts_recent = seg->tsval;
		flow->ts_recent_ms = tcp->now_ms;
	}
	if (window > flow->max_snd_wnd)
		flow->max_snd_wnd = window;
	flow->rcv_nxt += seg->len;
	flow->unread_bytes += seg->len; /* before an ACK: a full gather is sent at once */
	tcp->stats.data_segs += seg->wire_segs;
	weir_ack_count(tcp, flow, seg->len, seg->wire_segs);
}

/*
 * The same for segments no longer than the longest so far and one on the wire each, state in
 * registers: every second one is acknowledged or, as long as `quick` says so, each. Returns how many
 * were taken, 0 when the flow's policy is another or there is no room.
 */
static inline __attribute__((always_inline)) uint32_t
take_plain(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n,
	   bool quick)
{
	uint32_t rcv_nxt = flow->rcv_nxt, acked = flow->last_ack_sent, win = 0;
	uint32_t ack_segs = flow->ack_segs, ack_bytes = flow->ack_bytes, ts_recent = flow->ts_recent;
	uint32_t mss = flow->rcv_mss, port_mss = tcp->ports[flow->port].mss;
	uint32_t longest = mss < port_mss ? mss : port_mss, i, n_acks = 0, bufs = 0;
	uint32_t node = tcp->held.free, last = 0, ts_recent_ms = flow->ts_recent_ms;
	struct weir_held *nodes = tcp->held.nodes;
	struct weir_ack *acks = weir_ack_room(tcp, flow, n);

	if (acks == NULL)
		return 0;
	for (i = 0; i < n && segs[i].len <= longest && segs[i].wire_segs == 1; i++) {
		const struct weir_seg *seg = &segs[i];

		weir_held_fill(&nodes[node], seg, &tcp->held.homes);
		last = node;
		node = nodes[node].next;
		bufs += seg->nb_segs;
		if (weir_seq_leq(rcv_nxt, acked)) { /* where it begins */
			ts_recent = seg->tsval;
			ts_recent_ms = tcp->now_ms;
		}
		win = seg->win > win ? seg->win : win;
		rcv_nxt += seg->len;
		ack_bytes += seg->len;
		if (!quick && ++ack_segs < 2 && ack_bytes < 2 * mss)
			continue;
		acks[n_acks++] = (struct weir_ack){.ack = rcv_nxt, .tsecr = ts_recent};
		acked = rcv_nxt;
		ack_segs = ack_bytes = 0;
	}
	if (i == 0)
		return 0;
	hold(tcp, flow, last, i, bufs);
	flow->unread_bytes += rcv_nxt - flow->rcv_nxt;
	flow->rcv_nxt = rcv_nxt;
	if (win << flow->snd_wscale > flow->max_snd_wnd)
		flow->max_snd_wnd = win << flow->snd_wscale;
	flow->ts_recent = ts_recent;
	flow->ts_recent_ms = ts_recent_ms;
	tcp->stats.data_segs += i;
	if (n_acks != 0)
		weir_ack_train(tcp, flow, n_acks);
	flow->ack_segs = (uint16_t)ack_segs;
	flow->ack_bytes = ack_bytes;
	return i;
}

static uint32_t
take_steady(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n)
{
	uint32_t quick = 0;

	if (unlikely(flow->quick_acks != 0)) {
		quick = take_plain(tcp, flow, segs, RTE_MIN(n, (uint32_t)flow->quick_acks), true);
		flow->quick_acks -= (uint8_t)quick;
		if (flow->quick_acks != 0)
			return quick;
	}
	return quick + take_plain(tcp, flow, segs + quick, n - quick, false);
}

/* The same where each ACK may have to tell what came under which ECN codepoint (RFC 9768 3.2.3). */
static uint32_t __attribute__((noinline))
take_counted(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		weir_accecn_count(&tcp->accecn[flow->id], &segs[i]);
		take_segment(tcp, flow, &segs[i]);
	}
	return n;
}

static void
take_whole(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n)
{
	const struct weir_seg *last = &segs[n - 1];
	uint32_t start = flow->rcv_nxt, i;

	if (__builtin_expect(!(flow->opts & WEIR_FLOW_ACCECN_OPTION), 1))
		i = take_steady(tcp, flow, segs, n);
	else
		i = take_counted(tcp, flow, segs, n);
	for (; i < n; i++)
		take_segment(tcp, flow, &segs[i]);
	flow->snd_wnd = (uint32_t)last->win << flow->snd_wscale;
	flow->snd_wl1 = last->seq;
	flow->snd_wl2 = last->ack;
	tcp->stats.packets_delivered += n;
	weir_tcp_delivered(tcp, flow, flow->rcv_nxt - start);
}

/* One by one, but for those that only a hole keeps from being plain. */
static void
take_slowly(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n)
{
	for (uint32_t i = 0; i < n;) {
		uint32_t taken = weir_gap_take(tcp, flow, &segs[i], n - i);
		struct weir_seg seg = segs[i];

		if (taken == 0)
			weir_tcp_segment(tcp, flow, &seg);
		i += taken != 0 ? taken : 1;
	}
}

/* A charged flow: nothing else is in doubt, and its listener is far from what its connections may hold.
 * Where it comes near, each segment is looked at. */
static bool __attribute__((noinline))
is_only_charged(const struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_seg *segs,
		uint32_t n)
{
	uint32_t bufs = 0;

	if (!(flow->opts & WEIR_FLOW_CHARGED) ||
	    input_doubt(tcp, flow, flow->opts & (uint8_t)~WEIR_FLOW_CHARGED, segs, n) != 0)
		return false;
	for (uint32_t i = 0; i < n; i++)
		bufs += segs[i].nb_segs;
	return weir_budget_listener_is_roomy(tcp, flow, bufs);
}

void
weir_tcp_input(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n)
{
	if ((__builtin_expect(input_doubt(tcp, flow, flow->opts, segs, n) == 0, 1) ||
	     is_only_charged(tcp, flow, segs, n)) &&
	    weir_held_reserve(&tcp->held, n)) {
		weir_tcp_note_arrival(tcp, flow, segs);
		take_whole(tcp, flow, segs, n);
	} else {
		take_slowly(tcp, flow, segs, n);
	}
	if (flow->ack_bytes != 0 && !(flow->marks & WEIR_FLOW_DEAD))
		weir_ack_aggregate_end(tcp, flow);
}
