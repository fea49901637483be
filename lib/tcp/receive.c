/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Payload into the stream: the unread list, reassembly, and what happens when memory is short. No
 * byte is acknowledged that is not held, so memory is asked before rcv_nxt moves.
 */
#include "tcp/release.h"
#include "tcp/tcp.h"
#include "wire/seq.h"

#define WEIR_RELIEF_FLOWS    8  /* flows looked at per poll to make room for others */

void
weir_tcp_note_late(struct weir_tcp *tcp, const struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t gap = tcp->now_ms - flow->ts_recent_ms;
	int32_t sent = weir_seq_diff(seg->tsval, flow->ts_recent);

	if (gap <= tcp->stats.max_late_ms || sent < 0 || (uint32_t)sent > gap)
		return;
	if (gap - (uint32_t)sent > tcp->stats.max_late_ms)
		tcp->stats.max_late_ms = gap - (uint32_t)sent;
}

void
weir_tcp_note_gap(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t gap = tcp->now_ms - flow->last_rx_ms;

	if (gap > tcp->stats.max_late_ms && seg->has_ts && (flow->opts & WEIR_FLOW_TS) != 0)
		weir_tcp_note_late(tcp, flow, seg);

	if (gap >= WEIR_TCP_IDLE_MS) /* the sender restarts its window (RFC 5681 4.1): help it */
		flow->quick_acks = WEIR_TCP_QUICK_ACKS;
	if (gap > tcp->stats.max_gap_ms && flow->delivered != 0)
		tcp->stats.max_gap_ms = gap;
	flow->last_rx_ms = flow->heard_ms = tcp->now_ms;
	weir_tune_arrival(tcp, flow, seg);
}

uint32_t
weir_tcp_release_homeless(struct weir_tcp *tcp, const struct weir_held *held)
{
	uint32_t bufs = weir_held_bufs(held);

	if (held->packets == 1) {
		weir_tcp_free(tcp, held->buf);
		return bufs;
	}
	for (uint32_t i = 0; i < bufs; i++)
		weir_tcp_free(tcp, held->row->bufs[i]);
	weir_held_drop_row(&tcp->held, held);
	return bufs;
}

uint32_t
weir_tcp_release(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t first)
{
	uint32_t bytes = 0, next;

	for (uint32_t i = first; i != 0; i = next) {
		next = tcp->held.nodes[i].next;
		bytes += weir_tcp_release_node(tcp, flow, i);
	}
	return bytes;
}

static bool
may_hold(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	return weir_budget_ask(tcp, flow, bufs) == WEIR_BUDGET_ADMITTED;
}

/* Copy nodes [first, ...] whose payload fits one buffer into one; returns the node behind them. */
static uint32_t
collapse_run(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t first, uint32_t last,
	     uint32_t bytes)
{
	struct weir_held *nodes = tcp->held.nodes;
	struct rte_mbuf *buf = weir_buf_alloc(tcp->pool);
	uint32_t after = nodes[last].next, at = 0;

	if (buf == NULL)
		return after;
	for (uint32_t i = first; i != after;) {
		uint32_t next = nodes[i].next;

		at += weir_held_copy(&nodes[i], nodes[i].len,
				     rte_pktmbuf_mtod_offset(buf, uint8_t *, at));
		weir_tcp_hold(tcp, flow, -(int32_t)weir_tcp_release_bufs(tcp, &nodes[i]));
		if (i != first) {
			tcp->stats.collapsed++;
			weir_held_free(&tcp->held, i);
		}
		i = next;
	}
	buf->data_len = (uint16_t)bytes;
	buf->pkt_len = bytes;
	weir_held_set(&nodes[first], buf, rte_pktmbuf_mtod(buf, const uint8_t *), bytes,
		      nodes[first].seq, 0);
	nodes[first].next = after;
	weir_tcp_hold(tcp, flow, 1);
	if (after == 0)
		flow->unread.tail = first;
	return after;
}

void
weir_tcp_collapse(struct weir_tcp *tcp, struct weir_flow *flow)
{
	struct weir_held *nodes = tcp->held.nodes;
	uint32_t room = tcp->buffer_bytes - RTE_PKTMBUF_HEADROOM;

	for (uint32_t i = flow->unread.head; i != 0; i = nodes[i].next)
		if (nodes[i].packets != 1)
			weir_held_unfold(&tcp->held, &flow->unread, i);
	for (uint32_t first = flow->unread.head; first != 0;) {
		uint32_t last = first, bytes = nodes[first].len;

		while (nodes[last].next != 0 && bytes + nodes[nodes[last].next].len <= room) {
			last = nodes[last].next;
			bytes += nodes[last].len;
		}
		first = last == first ? nodes[first].next
				      : collapse_run(tcp, flow, first, last, bytes);
	}
}

bool
weir_tcp_begin_reassembly(struct weir_tcp *tcp, struct weir_flow *flow)
{
	flow->reass = weir_reass_take(&tcp->reass);
	if (flow->reass == WEIR_NONE)
		return false;
	tcp->reass.items[flow->reass].stuck_ms = tcp->now_ms;
	weir_flow_limited(tcp, flow, WEIR_LIMIT_LOSS);
	return true;
}

void
weir_tcp_end_reassembly(struct weir_tcp *tcp, struct weir_flow *flow)
{
	weir_reass_give(&tcp->reass, flow->reass);
	flow->reass = WEIR_NONE;
	weir_flow_unlimited(tcp, flow);
}

/* rcv_nxt moves again. After a timeout the sender starts slowly, and each ACK lets it send more; after
 * a fast retransmission, or when a segment was merely late, it goes on as before. */
static void
end_standstill(const struct weir_tcp *tcp, struct weir_flow *flow, struct weir_reassembly *r)
{
	if (tcp->now_ms - r->stuck_ms >= WEIR_TCP_STUCK_MS)
		flow->quick_acks = WEIR_TCP_QUICK_ACKS;
	r->stuck_ms = tcp->now_ms;
}

static void
prune(struct weir_tcp *tcp, struct weir_flow *flow)
{
	struct weir_reassembly *r = &tcp->reass.items[flow->reass];
	uint32_t before = r->bufs, bytes;
	uint32_t pieces = weir_reass_prune(&tcp->reass, r, &bytes);

	weir_tcp_hold(tcp, flow, (int32_t)(r->bufs - before));
	tcp->stats.pruned += pieces;
	tcp->stats.drops[WEIR_DROP_TCP_PRUNED] += pieces;
	if (weir_reass_empty(r))
		weir_tcp_end_reassembly(tcp, flow);
}

/* Copying pays, and does not pay again soon: what is held in order fills less than half its buffers. */
static bool
is_sparse(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	uint32_t bufs = flow->held_bufs;

	if (flow->reass != WEIR_NONE)
		bufs -= tcp->reass.items[flow->reass].bufs;
	return bufs > 1 && flow->unread_bytes + flow->leased_bytes <
				   bufs * ((tcp->buffer_bytes - RTE_PKTMBUF_HEADROOM) / 2);
}

/*
 * The engine is short of memory, or a listener of its own: once per poll some flows, in turn, give back
 * what they can where it is short, whoever asks. Small segments are copied together first; out-of-order
 * data goes at the next level.
 */
static void
relieve(struct weir_tcp *tcp, const struct weir_flow *asking)
{
	if (weir_budget_flow_pressure(tcp, asking) < 2 || tcp->relief_poll == tcp->poll_no)
		return;
	tcp->relief_poll = tcp->poll_no;
	for (uint32_t i = 0; i < WEIR_RELIEF_FLOWS; i++) {
		struct weir_flow *flow = &tcp->flows[tcp->relief_flow];
		uint32_t level = weir_budget_flow_pressure(tcp, flow);

		tcp->relief_flow = tcp->relief_flow + 1 < tcp->flow_free.touched
					   ? tcp->relief_flow + 1
					   : 0;
		if (flow->conn == 0 || level < 2)
			continue;
		if (is_sparse(tcp, flow))
			weir_tcp_collapse(tcp, flow);
		if (level >= 3 && flow->reass != WEIR_NONE)
			prune(tcp, flow);
	}
}

/* Collapse, then prune what is farthest from rcv_nxt, until `bufs` more may be held. */
static bool
make_room(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bufs)
{
	relieve(tcp, flow);
	if (may_hold(tcp, flow, bufs))
		return true;
	if (is_sparse(tcp, flow))
		weir_tcp_collapse(tcp, flow);
	while (!may_hold(tcp, flow, bufs) && flow->reass != WEIR_NONE)
		prune(tcp, flow);
	return may_hold(tcp, flow, bufs);
}

static void
drop_for_memory(struct weir_tcp *tcp, const struct weir_flow *flow, struct rte_mbuf *buf,
		uint32_t reserve)
{
	static const enum weir_drop reasons[] = {
		[WEIR_BUDGET_ADMITTED] = WEIR_DROP_NO_MEMORY,
		[WEIR_BUDGET_OWN_LIMIT] = WEIR_DROP_CONN_MEMORY,
		[WEIR_BUDGET_SHORT] = WEIR_DROP_NO_MEMORY,
		[WEIR_BUDGET_LISTENER] = WEIR_DROP_LISTENER_MEMORY,
	};

	weir_tcp_drop(tcp, buf, reasons[weir_budget_ask(tcp, flow, buf->nb_segs + reserve)]);
}

bool
weir_tcp_take(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t idx;

	if (!make_room(tcp, flow, seg->buf->nb_segs)) {
		drop_for_memory(tcp, flow, seg->buf, 0);
		return false;
	}
	idx = weir_held_alloc(&tcp->held);
	if (idx == 0) {
		weir_tcp_drop(tcp, seg->buf, WEIR_DROP_NO_NODE);
		return false;
	}
	weir_held_fill(&tcp->held.nodes[idx], seg, &tcp->held.homes);
	weir_held_append(&tcp->held, &flow->unread, idx);
	weir_tcp_note_arrival(tcp, flow, seg); /* before more is held: so does the path of whole aggregates */
	weir_tcp_hold(tcp, flow, seg->buf->nb_segs);
	flow->rcv_nxt += seg->len;
	flow->unread_bytes += seg->len;
	tcp->stats.packets_delivered++;
	tcp->stats.data_segs += seg->wire_segs;
	weir_tcp_delivered(tcp, flow, seg->len);
	return true;
}

bool
weir_tcp_pull(struct weir_tcp *tcp, struct weir_flow *flow)
{
	struct weir_reassembly *r;
	uint32_t before, moved = 0, bytes;

	if (flow->reass == WEIR_NONE)
		return false;
	r = &tcp->reass.items[flow->reass];
	end_standstill(tcp, flow, r);
	before = r->bufs;
	bytes = weir_reass_deliver(&tcp->reass, r, flow->rcv_nxt, &flow->unread, &moved);
	weir_tcp_hold(tcp, flow, (int32_t)(r->bufs + moved - before));
	if (bytes != 0) {
		flow->rcv_nxt += bytes;
		flow->unread_bytes += bytes;
		weir_tcp_delivered(tcp, flow, bytes);
	}
	if (weir_reass_empty(r))
		weir_tcp_end_reassembly(tcp, flow);
	return true;
}

/* Insert into the flow's reassembly, which is attached. */
static void
insert(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	struct weir_reassembly *r = &tcp->reass.items[flow->reass];
	uint32_t before = r->bufs;
	enum weir_reass_result result = weir_reass_insert(&tcp->reass, r, seg);

	weir_tcp_hold(tcp, flow, (int32_t)(r->bufs - before));
	if (result == WEIR_REASS_HELD) {
		tcp->stats.packets_delivered++;
		tcp->stats.data_segs += seg->wire_segs;
		return;
	}
	weir_tcp_drop(tcp, seg->buf,
		      result == WEIR_REASS_DUPLICATE ? WEIR_DROP_TCP_OLD : WEIR_DROP_NO_NODE);
}

/* Memory was asked for. */
static void
hold_out_of_order(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (flow->reass == WEIR_NONE && !weir_tcp_begin_reassembly(tcp, flow)) {
		weir_tcp_drop(tcp, seg->buf, WEIR_DROP_NO_NODE);
		return;
	}
	insert(tcp, flow, seg);
	if (weir_reass_empty(&tcp->reass.items[flow->reass]))
		weir_tcp_end_reassembly(tcp, flow);
}

void
weir_tcp_take_out_of_order(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (may_hold(tcp, flow, seg->buf->nb_segs + WEIR_RECEIVE_RESERVE))
		hold_out_of_order(tcp, flow, seg);
	else
		drop_for_memory(tcp, flow, seg->buf, WEIR_RECEIVE_RESERVE);
}

/* The reassembly may be gone when the ACK that reports the duplicate is built (RFC 2883 4). */
static void
keep_duplicate(struct weir_tcp *tcp, struct weir_flow *flow)
{
	uint32_t *dsack;

	if (flow->reass == WEIR_NONE)
		return;
	dsack = tcp->reass.items[flow->reass].dsack;
	if (tcp->dsack[0] == tcp->dsack[1])
		weir_ack_note_duplicate(tcp, flow, dsack[0], dsack[1]);
	dsack[0] = dsack[1] = 0;
}

bool
weir_tcp_take_overlapping(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	uint32_t rcv_nxt = flow->rcv_nxt;

	if (!make_room(tcp, flow, seg->buf->nb_segs)) {
		drop_for_memory(tcp, flow, seg->buf, 0);
		return false;
	}
	weir_tcp_note_arrival(tcp, flow, seg);
	hold_out_of_order(tcp, flow, seg);
	keep_duplicate(tcp, flow);
	weir_tcp_pull(tcp, flow);
	return flow->rcv_nxt != rcv_nxt;
}

void
weir_tcp_forget_data(struct weir_tcp *tcp, struct weir_flow *flow)
{
	weir_tcp_release(tcp, flow, flow->unread.head);
	flow->unread.head = flow->unread.tail = 0;
	flow->unread_bytes = 0;
	if (flow->reass != WEIR_NONE) {
		weir_tcp_hold(tcp, flow, -(int32_t)tcp->reass.items[flow->reass].bufs);
		weir_tcp_end_reassembly(tcp, flow);
	}
}
