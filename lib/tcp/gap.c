/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A run of segments behind a hole, taken at once: after the first of them, which the slow path takes,
 * they go behind the range that it began, and each is answered with its duplicate ACK.
 */
#include "tcp/sack.h"
#include "tcp/tcp.h"
#include "wire/seq.h"

/* Zero when every segment is acceptable, lies behind the hole and is plain, and nothing else is to be
 * said in the ACKs. The aggregation rules make the first and the last speak for those between. */
static uint64_t
gap_doubt(const struct weir_tcp *tcp, const struct weir_flow *flow,
	  const struct weir_reassembly *r, const struct weir_seg *first,
	  const struct weir_seg *last)
{
	uint64_t doubt = flow->state ^ WEIR_TCP_ESTABLISHED;

	doubt |= !weir_seq_lt(flow->rcv_nxt, first->seq);
	doubt |= weir_seq_lt(flow->rcv_adv, last->seq + last->len) | (first->len == 0);
	doubt |= (uint64_t)((first->flags & ~WEIR_TCP_PSH) ^ WEIR_TCP_ACK);
	doubt |= (first->ack ^ flow->snd_una) | (last->ack ^ flow->snd_una);
	doubt |= first->shape ^ (flow->opts & WEIR_FLOW_TS); /* both are 1 or 0 */
	doubt |= (flow->opts & WEIR_FLOW_TS) ? (first->tsval - flow->ts_recent) >> 30 : 0;
	doubt |= (first->tos & WEIR_ECN_MASK) == WEIR_ECN_CE;
	doubt |= (flow->marks & (WEIR_FLOW_LAST_CE | WEIR_FLOW_APP_CLOSED)) | flow->fin_known;
	doubt |= (first->mark & WEIR_MARK_CHAIN) | (flow->opts & WEIR_FLOW_ACCECN_OPTION);
	doubt |= (tcp->dsack[0] ^ tcp->dsack[1]) | (r->dsack[0] ^ r->dsack[1]);
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

static bool
may_hold(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	return tcp->held_bufs + bufs <= tcp->budget_bufs / 2 &&
	       weir_budget_ask(tcp, flow, bufs) == WEIR_BUDGET_ADMITTED;
}

/* Nodes and memory are there. */
static void
append(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t idx, const struct weir_seg *segs,
       uint32_t n, uint32_t bufs)
{
	struct weir_reassembly *r = &tcp->reass.items[flow->reass];
	struct weir_range *range = &tcp->reass.ranges.nodes[idx];
	uint32_t node = tcp->held.free, last = 0, end = segs[n - 1].seq + segs[n - 1].len;

	for (uint32_t i = 0; i < n; i++) {
		weir_held_fill(&tcp->held.nodes[node], &segs[i]);
		last = node;
		node = tcp->held.nodes[node].next;
		weir_tcp_send_window(flow, &segs[i]);
		tcp->stats.data_segs += segs[i].wire_segs;
	}
	weir_held_take(&tcp->held, &range->held, last, n);
	r->bytes += end - range->end;
	r->bufs += bufs;
	range->bufs += bufs;
	range->end = end;
	weir_tcp_hold(tcp, flow, (int32_t)bufs);
	flow->heard_ms = tcp->now_ms;
	tcp->stats.packets_delivered += n;
	weir_sack_remember(&tcp->reass, r, idx, segs[n - 1].seq);
}

bool
weir_gap_take(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs, uint32_t n)
{
	const struct weir_reassembly *r = &tcp->reass.items[flow->reass];
	uint32_t idx, bufs = 0;

	if (gap_doubt(tcp, flow, r, &segs[0], &segs[n - 1]) != 0)
		return false;
	idx = range_before(&tcp->reass.ranges, &r->ranges, segs[0].seq,
			   segs[n - 1].seq + segs[n - 1].len);
	for (uint32_t i = 0; i < n; i++)
		bufs += segs[i].nb_segs;
	if (idx == 0 || !may_hold(tcp, flow, bufs + WEIR_RECEIVE_RESERVE) ||
	    !weir_held_reserve(&tcp->held, n))
		return false;
	append(tcp, flow, idx, segs, n, bufs);
	weir_ack_duplicates(tcp, flow, segs, n);
	return true;
}
