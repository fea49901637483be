/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Room 6: TCP input. Doubts about an aggregate are OR-ed into one predicate; without any the
 * aggregate is taken whole, else segment by segment on the slow path.
 */
#include <assert.h>

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
has_room(const struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_aggregate *a)
{
	return __builtin_expect(is_roomy(tcp, flow, a->n * WEIR_SEG_CHAIN), 1) ||
	       is_roomy(tcp, flow, weir_aggregate_bufs(a));
}

/* Zero when every segment of the aggregate is acceptable, expected and plain. The aggregation rules
 * make the first and the last speak for those between. `opts` are the flow's. */
static inline uint64_t
input_doubt(const struct weir_tcp *tcp, const struct weir_flow *flow, uint8_t opts,
	    const struct weir_aggregate *a)
{
	const struct weir_seg *first = &a->segs[0], *last = &a->segs[a->last];
	uint32_t end = weir_seg_block_end(last);
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
	doubt |= !has_room(tcp, flow, a);
	return doubt;
}
_Static_assert(WEIR_FLOW_TS == WEIR_OPT_TS, "the predicate compares them");

static inline void
hold_block(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *block, uint32_t n)
{
	weir_held_add_block(&tcp->held, &flow->unread, block, n);
	weir_tcp_hold(tcp, flow, (int32_t)(n == 1 ? block->nb_segs : n));
}

/* Hold it, then RFC 7323 4.3 and RFC 5681 4.2 as if the segments had come one at a time. */
static inline void
take_segment(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t window = (uint32_t)seg->win << flow->snd_wscale;

	hold_block(tcp, flow, seg, 1);
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

/* RFC 7323 4.3 and RFC 5681 4.2, as if the `n` segments had come one at a time: each `step`th is
 * acknowledged, counted from the last ACK on. */
static inline void
ack_block(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *block, uint32_t n,
	  uint32_t step)
{
	struct weir_ack *acks = &tcp->gather.acks[tcp->gather.n_acks], *ack = acks;
	uint32_t len = block->len, at = flow->rcv_nxt, first = step == 1 ? 1 : step - flow->ack_segs;

	assert(flow->ack_segs < 2);
	flow->rcv_nxt = at + n * len;
	flow->unread_bytes += n * len;
	if (weir_seq_leq(at, flow->last_ack_sent)) { /* where it begins */
		flow->ts_recent = block->tsval;
		flow->ts_recent_ms = tcp->now_ms;
	}
	if (n < first) {
		flow->ack_segs += (uint16_t)n;
		flow->ack_bytes += n * len;
		return;
	}
	*ack++ = (struct weir_ack){.ack = at += first * len, .tsecr = flow->ts_recent};
	n -= first;
	if (n != 0) {
		flow->ts_recent = block->tsval;
		flow->ts_recent_ms = tcp->now_ms;
	}
	for (; n >= step; n -= step)
		*ack++ = (struct weir_ack){.ack = at += step * len, .tsecr = block->tsval};
	weir_ack_train(tcp, flow, (uint32_t)(ack - acks));
	flow->ack_segs = (uint16_t)n;
	flow->ack_bytes = n * len;
}

/*
 * The same for segments no longer than the longest so far and one on the wire each: every `step`th is
 * acknowledged, two of them are never more than the 2 MSS of RFC 5681. Returns how many were taken, whole blocks;
 * 0 when the flow's policy is another or there is no room.
 */
static inline uint32_t
take_plain(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n,
	   uint32_t step)
{
	uint32_t mss = flow->rcv_mss, port_mss = tcp->ports[flow->port].mss;
	uint32_t longest = mss < port_mss ? mss : port_mss, win = 0, left = n;

	if (!weir_ack_has_room(tcp, flow, n))
		return 0;
	while (left != 0 && segs->len <= longest && segs->wire_segs == 1) {
		uint32_t len = 1u + segs->alike;

		hold_block(tcp, flow, segs, len);
		win = segs->win > win ? segs->win : win;
		ack_block(tcp, flow, segs, len, step);
		segs += len;
		left -= len;
	}
	if (win << flow->snd_wscale > flow->max_snd_wnd)
		flow->max_snd_wnd = win << flow->snd_wscale;
	tcp->stats.data_segs += n - left;
	return n - left;
}

static uint32_t
take_steady(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *segs, uint32_t n)
{
	uint32_t quick = 0;

	if (unlikely(flow->quick_acks != 0)) {
		weir_segs_write(segs, n);
		quick = take_plain(tcp, flow, segs, RTE_MIN(n, (uint32_t)flow->quick_acks), 1);
		flow->quick_acks -= (uint8_t)quick;
		if (flow->quick_acks != 0)
			return quick;
	}
	return quick + take_plain(tcp, flow, segs + quick, n - quick, 2);
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
take_whole(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_aggregate *a)
{
	const struct weir_seg *last = &a->segs[a->last];
	uint32_t start = flow->rcv_nxt, i = 0;
	const uint32_t snd_wnd = (uint32_t)last->win << flow->snd_wscale, snd_wl2 = last->ack;
	const uint32_t snd_wl1 = last->seq + last->len * last->alike;

	if (__builtin_expect(!(flow->opts & WEIR_FLOW_ACCECN_OPTION), 1))
		i = take_steady(tcp, flow, a->segs, a->n);
	if (unlikely(i != a->n)) {
		weir_segs_write(&a->segs[i], a->n - i);
		if (flow->opts & WEIR_FLOW_ACCECN_OPTION)
			i = take_counted(tcp, flow, a->segs, a->n);
		for (; i < a->n; i++)
			take_segment(tcp, flow, &a->segs[i]);
	}
	flow->snd_wnd = snd_wnd;
	flow->snd_wl1 = snd_wl1;
	flow->snd_wl2 = snd_wl2;
	tcp->stats.packets_delivered += a->n;
	weir_tcp_delivered(tcp, flow, flow->rcv_nxt - start);
}

/* One by one, but for those that only a hole keeps from being plain. */
static void
take_slowly(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_aggregate *aggregate)
{
	struct weir_aggregate rest = *aggregate;

	while (rest.n != 0) {
		uint32_t taken = weir_gap_take(tcp, flow, &rest);
		struct weir_seg seg;

		if (taken == 0) {
			weir_aggregate_part(&rest);
			seg = rest.segs[0];
			weir_tcp_segment(tcp, flow, &seg);
			taken = 1;
		}
		weir_aggregate_drop(&rest, taken);
	}
}

/* A charged flow: nothing else is in doubt, and its listener is far from what its connections may hold.
 * Where it comes near, each segment is looked at. */
static bool __attribute__((noinline))
is_only_charged(const struct weir_tcp *tcp, const struct weir_flow *flow,
		const struct weir_aggregate *a)
{
	if (!(flow->opts & WEIR_FLOW_CHARGED) ||
	    input_doubt(tcp, flow, flow->opts & (uint8_t)~WEIR_FLOW_CHARGED, a) != 0)
		return false;
	return weir_budget_listener_is_roomy(tcp, flow, weir_aggregate_bufs(a));
}

void
weir_tcp_input(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_aggregate *aggregate)
{
	if ((__builtin_expect(input_doubt(tcp, flow, flow->opts, aggregate) == 0, 1) ||
	     is_only_charged(tcp, flow, aggregate)) &&
	    weir_held_reserve(&tcp->held, aggregate->n)) {
		weir_tcp_note_arrival(tcp, flow, aggregate->segs);
		take_whole(tcp, flow, aggregate);
	} else {
		take_slowly(tcp, flow, aggregate);
	}
	if (flow->ack_bytes != 0 && !(flow->marks & WEIR_FLOW_DEAD))
		weir_ack_aggregate_end(tcp, flow);
}
