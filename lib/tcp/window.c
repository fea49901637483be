/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receive window. Right edge = max(edge already advertised, rcv_nxt + what the budget promises),
 * rounded up to the scale; the enforced edge is the highest advertised.
 */
#include "tcp/window.h"

#include "tcp/tcp.h"
#include "wire/seq.h"

uint8_t
weir_window_scale(uint32_t limit)
{
	uint64_t most = (uint64_t)limit + limit / 16; /* with what rounding may add */
	uint8_t scale = 0;

	while (scale < 14 && ((uint64_t)UINT16_MAX << scale) < most)
		scale++;
	return scale;
}

static uint32_t
flow_mss(const struct weir_flow *flow)
{
	return flow->rcv_mss > WEIR_TCP_MSS_DEFAULT ? flow->rcv_mss : WEIR_TCP_MSS_DEFAULT;
}

/* RFC 9293 3.8.6.2.2: move by a segment or half the buffer, not by less. */
static int32_t
smallest_step(const struct weir_flow *flow)
{
	return (int32_t)(flow_mss(flow) < flow->limit / 2 ? flow_mss(flow) : flow->limit / 2);
}

/* As weir_budget_promise(), which is asked where it is not plain. */
static inline int32_t
promise(const struct weir_tcp *tcp, const struct weir_flow *flow, enum weir_limit *closes)
{
	if (unlikely(!weir_window_is_at_ease(tcp, flow)))
		return weir_budget_promise(tcp, flow, flow_mss(flow), closes);
	*closes = WEIR_LIMIT_APPLICATION;
	return (int32_t)(flow->limit - (flow->unread_bytes + flow->leased_bytes));
}

/* A window below one segment, and what closed it, is a transition of where the time goes. */
static void __attribute__((noinline))
change_limit(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_limit closes, bool closed)
{
	flow->marks ^= WEIR_FLOW_ZERO_WINDOW;
	if (closed)
		weir_flow_limited(tcp, flow, closes);
	else
		weir_flow_unlimited(tcp, flow);
}

static inline void
open_window(struct weir_tcp *tcp, struct weir_flow *flow)
{
	int32_t step = smallest_step(flow);
	enum weir_limit closes;
	uint32_t target;
	bool closed;

	if ((flow->marks & (WEIR_FLOW_DEAD | WEIR_FLOW_FIN_QUEUED)) != 0)
		return;
	target = flow->rcv_nxt + (uint32_t)promise(tcp, flow, &closes);
	if (weir_seq_diff(target, flow->rcv_base) >= step)
		flow->rcv_base = target;
	else if (closes == WEIR_LIMIT_MEMORY)
		tcp->stats.edges_held++;
	closed = weir_seq_diff(flow->rcv_base, flow->rcv_nxt) < step;
	if (unlikely(closed != ((flow->marks & WEIR_FLOW_ZERO_WINDOW) != 0)))
		change_limit(tcp, flow, closes, closed);
}

void
weir_window_open(struct weir_tcp *tcp, struct weir_flow *flow)
{
	open_window(tcp, flow);
}

/* What any field needs: its bound, and that of rounding. */
static void __attribute__((noinline))
bounded_fields(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_ack *acks, uint32_t n)
{
	const uint32_t scale = flow->rcv_wscale, base = flow->rcv_base;
	const int32_t most = (int32_t)(flow->limit / 16);
	uint32_t adv = flow->rcv_adv;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t ack = acks[i].ack;
		uint32_t field = (weir_seq_max(adv, base) - ack + (1u << scale) - 1) >> scale, edge;

		if (field > UINT16_MAX)
			field = UINT16_MAX;
		edge = ack + (field << scale);
		if (weir_seq_lt(adv, edge)) {
			if (weir_seq_diff(edge, base) <= most) {
				adv = edge;
			} else {
				/* Rounding has added all it may: round down, by less than one unit
				 * (RFC 7323 2.4). */
				tcp->stats.window_rounded_down++;
				field = (adv - ack) >> scale;
			}
		}
		acks[i].win = (uint16_t)field;
	}
	flow->rcv_adv = adv;
}

/*
 * The same where no bound is met, which shows in the end: else false, and only the fields were written.
 * Every edge is rounded up from the one before, so that a field is the one before less the whole units
 * that the ACK has moved by.
 */
static inline bool
fields_in_bounds(struct weir_flow *flow, struct weir_ack *acks, uint32_t n)
{
	const uint32_t scale = flow->rcv_wscale, base = flow->rcv_base, first = acks[0].ack;
	uint32_t field = (weir_seq_max(flow->rcv_adv, base) - first + (1u << scale) - 1) >> scale;
	uint32_t before = first, all = 0, adv;

	for (uint32_t i = 0; i < n; i++) {
		field -= (acks[i].ack - before) >> scale;
		before = acks[i].ack;
		acks[i].win = (uint16_t)field;
		all |= field;
	}
	adv = before + (field << scale);
	if (all > UINT16_MAX || adv - base > flow->limit / 16)
		return false;
	flow->rcv_adv = adv;
	return true;
}

void
weir_window_fields(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_ack *acks, uint32_t n)
{
	if (unlikely(!fields_in_bounds(flow, acks, n)))
		bounded_fields(tcp, flow, acks, n);
}

void
weir_window_train(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_ack *acks, uint32_t n)
{
	open_window(tcp, flow);
	weir_window_fields(tcp, flow, acks, n);
}

uint16_t
weir_window_field(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t ack)
{
	struct weir_ack one = {.ack = ack};

	weir_window_fields(tcp, flow, &one, 1);
	return one.win;
}

void
weir_window_freed(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes)
{
	enum weir_limit closes;
	int32_t growth, left;

	weir_budget_read(tcp, flow, bytes);
	if (flow->gather_no == tcp->gather.number ||
	    (flow->marks & (WEIR_FLOW_DEAD | WEIR_FLOW_FIN_QUEUED)) != 0)
		return; /* an ACK that is about to leave says it, or nobody needs to know */
	growth = weir_seq_diff(
		flow->rcv_nxt + (uint32_t)promise(tcp, flow, &closes), flow->rcv_adv);
	left = weir_seq_diff(flow->rcv_adv, flow->rcv_nxt);
	if (growth < smallest_step(flow) || left > growth)
		return;
	tcp->stats.window_updates++;
	weir_ack_now(tcp, flow);
}
