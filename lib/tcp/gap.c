/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What only a hole keeps from being plain, without the steps of the slow path: a run that opens a hole
 * or lies behind one goes behind its range at once, and each of its segments is answered with its
 * duplicate ACK; a segment at the beginning of the hole moves to the stream, with what it released.
 */
#include "tcp/sack.h"
#include "tcp/tcp.h"
#include "wire/seq.h"

/* Zero when every segment is acceptable and plain, whether or not it is next in order, and nothing else
 * is to be said in the ACKs. The aggregation rules make the first and the last speak for those between. */
static uint64_t
gap_doubt(const struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_aggregate *run)
{
	const struct weir_seg *first = &run->segs[0], *last = &run->segs[run->last];
	uint64_t doubt = flow->state ^ WEIR_TCP_ESTABLISHED;

	doubt |= weir_seq_lt(first->seq, flow->rcv_nxt) | (first->len == 0);
	doubt |= weir_seq_lt(flow->rcv_adv, weir_seg_block_end(last));
	doubt |= (uint64_t)((first->flags & ~WEIR_TCP_PSH) ^ WEIR_TCP_ACK);
	doubt |= (first->ack ^ flow->snd_una) | (last->ack ^ flow->snd_una);
	doubt |= first->shape ^ (flow->opts & WEIR_FLOW_TS); /* both are 1 or 0 */
	doubt |= (flow->opts & WEIR_FLOW_TS) ? (first->tsval - flow->ts_recent) >> 30 : 0;
	doubt |= (first->tos & WEIR_ECN_MASK) == WEIR_ECN_CE;
	doubt |= (flow->marks & (WEIR_FLOW_LAST_CE | WEIR_FLOW_APP_CLOSED)) | flow->fin_known;
	doubt |= (first->mark & WEIR_MARK_CHAIN) | (flow->opts & WEIR_FLOW_ACCECN_OPTION);
	doubt |= tcp->dsack[0] ^ tcp->dsack[1];
	return doubt;
}

/* The range that ends where the run starts, if the run ends before the next one; else 0. */
static uint32_t
range_before(const struct weir_range_pool *pool, const struct weir_ranges *set, uint32_t start,
	     uint32_t end)
{
	uint32_t idx = weir_ranges_after(pool, set, start - 1), next;

	if (idx == 0 || pool->nodes[idx].end != start)
		return 0;
	next = weir_ranges_after(pool, set, start);
	return next == 0 || weir_seq_lt(end, pool->nodes[next].start) ? idx : 0;
}

/* Far from the other limits that is all that weir_budget_ask() wants. */
static inline bool
is_below_limit(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	return (uint64_t)(flow->held_bufs + bufs) * tcp->charge_bytes <= 2 * (uint64_t)flow->limit;
}

/* Far from each limit but the connection's own, so that all of them get the answer that each would; then
 * there is no pressure. */
static bool
may_hold(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	return tcp->held_bufs + bufs <= tcp->budget_bufs / 2 &&
	       weir_budget_listener_is_roomy(tcp, flow, bufs) &&
	       (is_below_limit(tcp, flow, bufs) ||
		weir_budget_ask(tcp, flow, bufs) == WEIR_BUDGET_ADMITTED);
}

/* Nodes and memory are there. */
static void
append(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t idx, const struct weir_aggregate *run,
       uint32_t bufs)
{
	struct weir_reassembly *r = &tcp->reass.items[flow->reass];
	struct weir_range *range = &tcp->reass.ranges.nodes[idx];
	uint32_t start = range->end, n;

	for (uint32_t i = 0; i < run->n; i += n) {
		const struct weir_seg *block = &run->segs[i];

		n = 1u + block->alike;
		weir_held_add_block(&tcp->held, &range->held, block, n);
		range->end += n * block->len;
		weir_tcp_send_window(flow, block, range->end - block->len);
		tcp->stats.data_segs += n * block->wire_segs;
	}
	r->bytes += range->end - start;
	r->bufs += bufs;
	range->bufs += bufs;
	weir_tcp_hold(tcp, flow, (int32_t)bufs);
	flow->heard_ms = tcp->now_ms;
	tcp->stats.packets_delivered += run->n;
	weir_sack_remember(&tcp->reass, r, idx, start);
}

/* A reassembly with one range, empty, where the run begins; its index, or 0. */
static uint32_t
begin(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t start)
{
	uint32_t idx;

	if (!weir_tcp_begin_reassembly(tcp, flow))
		return 0;
	idx = weir_ranges_insert(&tcp->reass.ranges, &tcp->reass.items[flow->reass].ranges, start, start);
	if (idx == 0)
		weir_tcp_end_reassembly(tcp, flow);
	return idx;
}

/* The segment is next in order and overlaps nothing. Node and memory are there. */
static void
fill(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	weir_held_add_block(&tcp->held, &flow->unread, seg, 1);
	flow->heard_ms = tcp->now_ms;
	weir_tcp_note_arrival(tcp, flow, seg);
	weir_tcp_hold(tcp, flow, seg->nb_segs);
	if ((flow->opts & WEIR_FLOW_TS) && weir_seq_leq(seg->seq, flow->last_ack_sent)) {
		weir_tcp_note_late(tcp, flow, seg);
		flow->ts_recent = seg->tsval;
		flow->ts_recent_ms = tcp->now_ms;
	}
	weir_tcp_send_window(flow, seg, seg->seq);
	flow->rcv_nxt += seg->len;
	flow->unread_bytes += seg->len;
	tcp->stats.packets_delivered++;
	tcp->stats.data_segs += seg->wire_segs;
	weir_tcp_delivered(tcp, flow, seg->len);
	weir_tcp_pull(tcp, flow);
	weir_ack_now(tcp, flow);
}

static uint32_t
take_behind(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_aggregate *run, uint32_t bufs)
{
	uint32_t start = run->segs[0].seq, end = weir_seg_block_end(&run->segs[run->last]), idx;
	const struct weir_reassembly *r;

	if (flow->reass == WEIR_NONE) {
		idx = begin(tcp, flow, start);
	} else {
		r = &tcp->reass.items[flow->reass];
		idx = r->dsack[0] != r->dsack[1]
			      ? 0
			      : range_before(&tcp->reass.ranges, &r->ranges, start, end);
	}
	if (idx == 0)
		return 0;
	append(tcp, flow, idx, run, bufs);
	weir_ack_duplicates(tcp, flow, run->segs, run->n);
	return run->n;
}

/* It overlaps nothing that is held, and nothing else is to be said in the answer. */
static bool
is_clear(const struct weir_reass_pool *pool, const struct weir_reassembly *r,
	 const struct weir_seg *seg)
{
	return r->dsack[0] == r->dsack[1] &&
	       weir_seq_leq(seg->seq + seg->len, weir_reass_start(pool, r, seg->seq));
}

uint32_t
weir_gap_take(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_aggregate *run)
{
	uint32_t bufs = weir_aggregate_bufs(run);

	if (gap_doubt(tcp, flow, run) != 0 || !may_hold(tcp, flow, bufs + WEIR_RECEIVE_RESERVE) ||
	    !weir_held_reserve(&tcp->held, run->n))
		return 0;
	if (run->segs[0].seq != flow->rcv_nxt)
		return take_behind(tcp, flow, run, bufs);
	weir_aggregate_part(run);
	if (flow->reass == WEIR_NONE || !is_clear(&tcp->reass, &tcp->reass.items[flow->reass], run->segs))
		return 0;
	fill(tcp, flow, run->segs);
	return 1;
}
