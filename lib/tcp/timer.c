/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a connection waits for by the clock. It retransmits but its FIN (RFC 6298, RFC 8961: at least a
 * second, doubled each time) and, where the listener wants them, keepalive probes (RFC 9293 3.8.4).
 * Every wait that depends on the peer ends: by retries, the user timeout (RFC 9293 3.8.3), or linger.
 */
#include "tcp/tcp.h"
#include "wire/seq.h"

static bool
is_due(const struct weir_tcp *tcp, uint32_t due_ms)
{
	return weir_seq_leq(due_ms, tcp->now_ms);
}

static bool
fin_unacked(const struct weir_flow *flow)
{
	return (flow->marks & WEIR_FLOW_FIN_SENT) != 0 && flow->snd_una != flow->snd_nxt;
}

static bool
waits_for_fin(const struct weir_flow *flow)
{
	return flow->state == WEIR_TCP_FIN_WAIT_2 && (flow->marks & WEIR_FLOW_APP_CLOSED) != 0;
}

/* The peer owes nothing, and may have forgotten the connection: who probes it is reset, and what the
 * application has not read is lost. */
static bool
is_over(const struct weir_flow *flow)
{
	const uint8_t both = WEIR_FLOW_FIN_SENT | WEIR_FLOW_FIN_QUEUED;

	return (flow->marks & both) == both;
}

/* An application is there that would wait for ever, and nothing else of ours is under way. */
static bool
keeps_alive(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	return tcp->listeners[flow->listener].keepalive_ms != 0 && !fin_unacked(flow) &&
	       !is_over(flow) && !(flow->marks & (WEIR_FLOW_APP_CLOSED | WEIR_FLOW_DEAD));
}

/* Nothing was heard since the last probe. */
static bool
probe_unanswered(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	uint32_t probe_ms =
		flow->rexmit_due_ms - tcp->listeners[flow->listener].keepalive_interval_ms;

	return flow->retries != 0 && weir_seq_lt(flow->heard_ms, probe_ms);
}

/* When the next probe is due, or when the last one stayed without an answer for too long. */
static uint32_t
keepalive_due_ms(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	return probe_unanswered(tcp, flow)
		       ? flow->rexmit_due_ms
		       : flow->heard_ms + tcp->listeners[flow->listener].keepalive_ms;
}

/* An answer arms nothing: after a probe the timer looks for one no later than the next may be due. */
static uint32_t
keepalive_look_ms(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	uint32_t due_ms = keepalive_due_ms(tcp, flow);
	uint32_t next_ms = tcp->now_ms + tcp->listeners[flow->listener].keepalive_ms;

	return weir_seq_min(due_ms, next_ms);
}

void
weir_timer_arm(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if (flow->marks & WEIR_FLOW_DEAD)
		return;
	if (flow->marks & WEIR_FLOW_DELACK)
		weir_wheel_arm_by(&tcp->wheel, flow->id, flow->delack_due_ms);
	if (fin_unacked(flow) || waits_for_fin(flow))
		weir_wheel_arm_by(&tcp->wheel, flow->id, flow->rexmit_due_ms);
	if (flow->gives_up & WEIR_GIVE_UP_USER)
		weir_wheel_arm_by(&tcp->wheel, flow->id, flow->user_due_ms);
	if (flow->gives_up & WEIR_GIVE_UP_LINGER)
		weir_wheel_arm_by(&tcp->wheel, flow->id, flow->linger_due_ms);
	if (keeps_alive(tcp, flow))
		weir_wheel_arm_by(&tcp->wheel, flow->id, keepalive_look_ms(tcp, flow));
}

static void
send_fin_again(struct weir_tcp *tcp, struct weir_flow *flow)
{
	uint32_t wait_ms;

	if (flow->retries == WEIR_TCP_FIN_RETRIES && !(flow->gives_up & WEIR_GIVE_UP_USER)) {
		weir_flow_end(tcp, flow, WEIR_CLOSE_TIMEOUT);
		return;
	}
	flow->retries += flow->retries != WEIR_TCP_FIN_RETRIES;
	wait_ms = (uint32_t)flow->rto_ms << flow->retries;
	flow->rexmit_due_ms =
		tcp->now_ms + (wait_ms < WEIR_TCP_BACKOFF_MS ? wait_ms : WEIR_TCP_BACKOFF_MS);
	tcp->stats.fins_again++;
	weir_ack_control(tcp, flow, WEIR_TCP_FIN | WEIR_TCP_ACK, flow->snd_nxt - 1);
}

/* A probe is an ACK of what lies before the window: the peer answers it (RFC 9293 3.8.4). */
static void
keepalive(struct weir_tcp *tcp, struct weir_flow *flow)
{
	const struct weir_listener *listener = &tcp->listeners[flow->listener];
	uint32_t silent_ms = tcp->now_ms - flow->heard_ms;

	if (!probe_unanswered(tcp, flow))
		flow->retries = 0;
	if (!is_due(tcp, keepalive_due_ms(tcp, flow)))
		return;
	if (flow->retries == listener->keepalive_probes ||
	    (listener->user_timeout_ms != 0 && flow->retries != 0 &&
	     silent_ms - listener->keepalive_ms >= listener->user_timeout_ms)) {
		weir_flow_end(tcp, flow, WEIR_CLOSE_TIMEOUT);
		return;
	}
	flow->retries++;
	flow->rexmit_due_ms = tcp->now_ms + listener->keepalive_interval_ms;
	tcp->stats.keepalives++;
	weir_ack_control(tcp, flow, WEIR_TCP_ACK, flow->snd_nxt - 1);
}

/* One of the times to give up has come. */
static bool
gives_up(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if ((flow->gives_up & WEIR_GIVE_UP_LINGER) && is_due(tcp, flow->linger_due_ms)) {
		weir_ack_control(tcp, flow, WEIR_TCP_RST | WEIR_TCP_ACK, flow->snd_nxt);
		tcp->stats.resets_sent++;
	} else if (!(flow->gives_up & WEIR_GIVE_UP_USER) || !is_due(tcp, flow->user_due_ms)) {
		return false;
	}
	weir_flow_end(tcp, flow, WEIR_CLOSE_TIMEOUT);
	return true;
}

void
weir_flow_timer(struct weir_tcp *tcp, struct weir_flow *flow)
{
	if ((flow->marks & WEIR_FLOW_DELACK) && is_due(tcp, flow->delack_due_ms))
		weir_ack_now(tcp, flow);
	if (gives_up(tcp, flow))
		return;
	if (fin_unacked(flow) && is_due(tcp, flow->rexmit_due_ms))
		send_fin_again(tcp, flow);
	else if (waits_for_fin(flow) && is_due(tcp, flow->rexmit_due_ms))
		weir_flow_end(tcp, flow, WEIR_CLOSE_TIMEOUT);
	else if (keeps_alive(tcp, flow))
		keepalive(tcp, flow);
	weir_timer_arm(tcp, flow);
}

void
weir_timer_fin_sent(struct weir_tcp *tcp, struct weir_flow *flow)
{
	uint32_t timeout_ms = tcp->listeners[flow->listener].user_timeout_ms;

	flow->retries = 0;
	flow->rexmit_due_ms = tcp->now_ms + flow->rto_ms;
	if (timeout_ms != 0) {
		flow->gives_up |= WEIR_GIVE_UP_USER;
		flow->user_due_ms = tcp->now_ms + timeout_ms;
	}
	weir_timer_arm(tcp, flow);
}

void
weir_timer_fin_wait(struct weir_tcp *tcp, struct weir_flow *flow)
{
	flow->rexmit_due_ms = tcp->now_ms + tcp->fin_wait_ms;
	weir_timer_arm(tcp, flow);
}

void
weir_timer_fin_acked(struct weir_flow *flow)
{
	flow->retries = 0;
	flow->gives_up &= (uint8_t)~WEIR_GIVE_UP_USER;
}

void
weir_timer_linger(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t ms)
{
	flow->gives_up |= WEIR_GIVE_UP_LINGER;
	flow->linger_due_ms = tcp->now_ms + ms;
	weir_timer_arm(tcp, flow);
}

void
weir_timer_sample(struct weir_flow *flow, uint32_t rtt_ms, uint32_t retries)
{
	uint32_t rto_ms = retries == 0 ? WEIR_TCP_RTO_MS : WEIR_TCP_RTO_LOST_MS;

	/* RFC 6298 2.2: SRTT is the sample, RTTVAR half of it, RTO = SRTT + 4 RTTVAR. */
	if (rtt_ms < WEIR_TCP_RTO_MOST_MS / 3) {
		if (3 * rtt_ms > rto_ms)
			rto_ms = 3 * rtt_ms;
	} else if (rtt_ms != UINT32_MAX) {
		rto_ms = WEIR_TCP_RTO_MOST_MS;
	}
	flow->rto_ms = (uint16_t)rto_ms;
}
