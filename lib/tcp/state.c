/* SPDX-License-Identifier: BSD-3-Clause */
/* The one door between the states of a connection (RFC 9293 section 3.3.2), birth and end included. */
#include <errno.h>

#include "tcp/tcp.h"
#include "wire/seq.h"

static uint32_t
take_flow(struct weir_tcp *tcp)
{
	return weir_free_list_take(&tcp->flow_free, tcp->flows, sizeof(struct weir_flow),
				   offsetof(struct weir_flow, sched_next));
}

static void
give_flow(struct weir_tcp *tcp, uint32_t i)
{
	weir_free_list_give(&tcp->flow_free, tcp->flows, sizeof(struct weir_flow),
			    offsetof(struct weir_flow, sched_next), i);
}

static void
init_from_syn(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_syn *syn)
{
	const struct weir_listener *listener = &tcp->listeners[syn->listener];

	flow->key = syn->key.low;
	flow->irs = syn->irs;
	flow->iss = syn->iss;
	flow->rcv_nxt = flow->last_ack_sent = syn->irs + 1;
	flow->rcv_adv = flow->rcv_base = syn->rcv_adv;
	flow->snd_una = flow->snd_nxt = syn->iss + 1;
	flow->snd_wl1 = syn->irs;
	flow->snd_wl2 = syn->iss;
	flow->ts_recent = syn->ts_recent;
	flow->ts_offset = syn->ts_offset;
	flow->opts = syn->opts;
	flow->snd_wscale = syn->snd_wscale;
	flow->rcv_wscale = syn->rcv_wscale;
	flow->port = syn->port;
	flow->listener = syn->listener;
	flow->cookie = listener->cookie;
	flow->ack_policy = listener->ack_policy;
	flow->limit = listener->receive_buffer;
	if (!(syn->opts & WEIR_FLOW_WS) && flow->limit > UINT16_MAX)
		flow->limit = UINT16_MAX;
	if (listener->budget_bufs != 0)
		flow->opts |= WEIR_FLOW_CHARGED;
}

static void
init_rest(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t id)
{
	flow->id = id;
	flow->state = WEIR_TCP_ESTABLISHED;
	flow->quick_acks = WEIR_TCP_QUICK_ACKS;
	flow->sched_class = WEIR_CLASS_IDLE;
	flow->queue = WEIR_NONE;
	flow->reass = WEIR_NONE;
	flow->sched_next = WEIR_NONE;
	flow->event_poll = tcp->poll_no - 1;
	flow->gather_no = tcp->gather.number - 1;
	flow->last_rx_ms = flow->ts_recent_ms = flow->limit_since_ms = tcp->now_ms;
	flow->heard_ms = tcp->now_ms;
	flow->rto_ms = WEIR_TCP_RTO_MS;
	flow->last_arrival_ns = tcp->now_ns;
	flow->gap_ns = UINT32_MAX;
	flow->oow_last_ms = tcp->now_ms - WEIR_TCP_OOW_MS;
	flow->oow_refill_ms = tcp->now_ms;
	flow->oow_tokens = WEIR_TCP_OOW_BURST;
	flow->max_sacks = (flow->opts & WEIR_FLOW_TS) ? 3 : 4;
}

/* What a flow takes that has not begun; the flow itself is the caller's. */
static int
register_flow(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_syn *syn, uint32_t id)
{
	flow->conn = weir_slots_take(tcp->slots, 0, id);
	if (flow->conn == 0)
		return -ENOSPC;
	init_from_syn(tcp, flow, syn);
	if (flow->opts & WEIR_FLOW_IP6)
		tcp->keys6[id] = syn->key;
	if (weir_admit_begin(tcp, syn->listener, &syn->key) == 0) {
		if (weir_tcp_replace(tcp, &syn->key, id) == 0 ||
		    weir_tcp_insert(tcp, &syn->key, id) == 0)
			return 0;
		weir_admit_end(tcp, syn->listener, &syn->key);
	}
	weir_slots_give(tcp->slots, flow->conn);
	flow->conn = 0;
	return -ENOSPC;
}

struct weir_flow *
weir_flow_open(struct weir_tcp *tcp, const struct weir_syn *syn)
{
	uint32_t id = take_flow(tcp);
	struct weir_flow *flow;

	if (id == WEIR_NONE)
		return NULL;
	flow = &tcp->flows[id];
	memset(flow, 0, sizeof(*flow));
	if (register_flow(tcp, flow, syn, id) != 0) {
		give_flow(tcp, id);
		return NULL;
	}
	init_rest(tcp, flow, id);
	weir_ecn_open(flow);
	if (flow->opts & WEIR_FLOW_ACCECN_OPTION)
		weir_accecn_open(&tcp->accecn[id]);
	weir_output_header(tcp, flow->port, &syn->key, &syn->hop,
			   (flow->opts & WEIR_FLOW_TS) != 0, &flow->header);
	weir_timer_arm(tcp, flow);
	tcp->stats.accepted++;
	tcp->stats.established++;
	weir_tcp_event(tcp, flow, WEIR_EVENT_ACCEPTED);
	return flow;
}

void
weir_flow_limited(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_limit limit)
{
	flow->limited_ms[flow->limit_now] += tcp->now_ms - flow->limit_since_ms;
	flow->limit_since_ms = tcp->now_ms;
	flow->limit_now = (uint8_t)limit;
}

/* What still holds, when the latest cause has ended. */
static enum weir_limit
standing_limit(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	enum weir_limit closes = WEIR_LIMIT_SENDER;

	if (flow->reass != WEIR_NONE)
		return WEIR_LIMIT_LOSS;
	if ((flow->marks & WEIR_FLOW_ZERO_WINDOW) != 0)
		weir_budget_promise(tcp, flow, WEIR_TCP_MSS_DEFAULT, &closes);
	return closes;
}

void
weir_flow_unlimited(struct weir_tcp *tcp, struct weir_flow *flow)
{
	weir_flow_limited(tcp, flow, standing_limit(tcp, flow));
}

/* Both sides have closed. While the application has not, what it did not read stays: the connection
 * waits for it in FIN-WAIT-2 or LAST-ACK, where a retransmitted FIN is answered. */
static void
both_closed(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (flow->state == WEIR_TCP_CLOSING)
		flow->state = WEIR_TCP_FIN_WAIT_2;
	if (!(flow->marks & WEIR_FLOW_APP_CLOSED))
		return;
	if (flow->state == WEIR_TCP_LAST_ACK)
		weir_flow_end(tcp, flow, WEIR_CLOSE_DONE);
	else
		weir_time_wait_enter(tcp, flow);
}

void
weir_flow_fin_received(struct weir_tcp *tcp, struct weir_flow *flow)
{
	flow->marks |= WEIR_FLOW_FIN_QUEUED;
	weir_ack_now(tcp, flow);
	if (!(flow->marks & WEIR_FLOW_APP_CLOSED))
		weir_tcp_event(tcp, flow, WEIR_EVENT_FIN)->bytes = flow->delivered;
	if (flow->state == WEIR_TCP_ESTABLISHED)
		flow->state = WEIR_TCP_CLOSE_WAIT;
	else if (flow->state == WEIR_TCP_FIN_WAIT_1)
		flow->state = WEIR_TCP_CLOSING;
	else
		both_closed(tcp, flow);
}

void
weir_flow_fin_acked(struct weir_tcp *tcp, struct weir_flow *flow)
{
	weir_timer_fin_acked(flow);
	if (flow->state == WEIR_TCP_CLOSING || flow->state == WEIR_TCP_LAST_ACK)
		both_closed(tcp, flow);
	if (flow->state != WEIR_TCP_FIN_WAIT_1)
		return;
	flow->state = WEIR_TCP_FIN_WAIT_2;
	if (flow->marks & WEIR_FLOW_APP_CLOSED)
		weir_timer_fin_wait(tcp, flow);
}

void
weir_flow_shutdown(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if ((flow->marks & (WEIR_FLOW_FIN_SENT | WEIR_FLOW_DEAD)) != 0)
		return;
	flow->marks |= WEIR_FLOW_FIN_SENT;
	weir_ack_control(tcp, flow, WEIR_TCP_FIN | WEIR_TCP_ACK, flow->snd_nxt);
	flow->snd_nxt++;
	flow->state = flow->state == WEIR_TCP_CLOSE_WAIT ? WEIR_TCP_LAST_ACK : WEIR_TCP_FIN_WAIT_1;
	weir_timer_fin_sent(tcp, flow);
}

/* Nobody is left to whom the connection matters, and so many of them are bounded. */
static bool
may_be_orphan(struct weir_tcp *tcp)
{
	if (tcp->stats.orphans < tcp->orphans)
		return true;
	tcp->stats.orphans_reset++;
	return false;
}

void
weir_flow_close(struct weir_tcp *tcp, struct weir_flow *flow)
{
	bool acked = (flow->marks & WEIR_FLOW_FIN_SENT) != 0 && flow->snd_una == flow->snd_nxt;

	if ((flow->marks & (WEIR_FLOW_APP_CLOSED | WEIR_FLOW_DEAD)) != 0)
		return;
	if (flow->unread_bytes != 0 || !may_be_orphan(tcp)) {
		weir_flow_abort(tcp, flow);
		return;
	}
	weir_tcp_forget_data(tcp, flow); /* what is out of order nobody will read */
	flow->marks |= WEIR_FLOW_APP_CLOSED;
	tcp->stats.orphans++;
	weir_flow_shutdown(tcp, flow);
	if (acked && (flow->marks & WEIR_FLOW_FIN_QUEUED) != 0)
		both_closed(tcp, flow);
	else if (acked)
		weir_timer_fin_wait(tcp, flow);
}

/* Queued segments of an ended flow leave by name. */
static void
drop_queue(struct weir_tcp *tcp, struct weir_flow *flow)
{
	struct weir_queue *queue;

	if (flow->sched_class != WEIR_CLASS_IDLE)
		weir_sched_remove(&tcp->sched, flow->id);
	if (flow->queue == WEIR_NONE)
		return;
	queue = &tcp->queues.queues[flow->queue];
	for (uint32_t i = queue->head; i < queue->tail; i++)
		weir_tcp_drop(tcp, queue->segs[i].buf, WEIR_DROP_TCP_CLOSED);
	tcp->stats.packets_queued -= weir_queue_len(queue);
	weir_queue_pop(queue, weir_queue_len(queue));
	weir_queue_give(&tcp->queues, flow->queue);
	flow->queue = WEIR_NONE;
}

void
weir_flow_finish(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_close_reason reason)
{
	const struct weir_key key = weir_flow_key(tcp, flow);

	weir_admit_end(tcp, flow->listener, &key);
	weir_flow_limited(tcp, flow, WEIR_LIMIT_SENDER);
	for (int i = 0; i < WEIR_LIMIT_COUNT; i++)
		tcp->stats.limited_ms[i] += flow->limited_ms[i];
	flow->state = WEIR_TCP_CLOSED;
	flow->marks |= WEIR_FLOW_DEAD;
	flow->close_reason = (uint8_t)reason;
	tcp->stats.orphans -= (flow->marks & WEIR_FLOW_APP_CLOSED) != 0;
	tcp->stats.timeouts += reason == WEIR_CLOSE_TIMEOUT;
	if (reason == WEIR_CLOSE_RESET || reason == WEIR_CLOSE_ABORTED)
		weir_tcp_forget_data(tcp, flow);
	weir_wheel_cancel(&tcp->wheel, flow->id);
	drop_queue(tcp, flow);
	flow->sched_next = WEIR_NONE;
	if (tcp->dead_head == WEIR_NONE)
		tcp->dead_head = flow->id;
	else
		tcp->flows[tcp->dead_tail].sched_next = flow->id;
	tcp->dead_tail = flow->id;
	tcp->stats.established--;
	tcp->stats.closed++;
}

void
weir_flow_end(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_close_reason reason)
{
	const struct weir_key key = weir_flow_key(tcp, flow);

	weir_tcp_remove(tcp, &key);
	weir_flow_finish(tcp, flow, reason);
}

void
weir_flow_abort(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if ((flow->marks & WEIR_FLOW_DEAD) != 0)
		return;
	weir_ack_control(tcp, flow, WEIR_TCP_RST | WEIR_TCP_ACK, flow->snd_nxt);
	tcp->stats.resets_sent++;
	weir_flow_end(tcp, flow, WEIR_CLOSE_ABORTED);
}

void
weir_flow_free(struct weir_tcp *tcp, struct weir_flow *flow)
{
	weir_tcp_forget_data(tcp, flow);
	if (flow->opts & WEIR_FLOW_CHARGED) /* leases that outlive it count for the engine alone */
		tcp->listener_uses[flow->listener].held_bufs -= flow->held_bufs;
	weir_slots_give(tcp->slots, flow->conn);
	flow->conn = 0;
	give_flow(tcp, flow->id);
}
