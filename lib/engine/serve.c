/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rooms 4 to 6: receive queues, scheduling, aggregation. Service is counted in segments, so that
 * its order does not depend on the aggregation limit (TCPServers 3.3).
 */
#include "engine/engine.h"

#define WEIR_ADAPTIVE_NS 200000 /* longest hold of the adaptive flush */

static void
drop_all(struct weir_tcp *tcp, const struct weir_seg *segs, uint32_t n, enum weir_drop reason)
{
	for (uint32_t i = 0; i < n; i++)
		weir_tcp_drop(tcp, segs[i].buf, reason);
}

/* Behind what is queued already, or in a queue of its own. */
static void __attribute__((noinline))
append_run(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *segs, uint32_t n)
{
	uint32_t queue = flow->queue, taken = 0;

	weir_segs_write(segs, n);
	if (queue == WEIR_NONE)
		queue = weir_queue_take(&tcp->queues);
	else if (weir_queue_is_lent(&tcp->queues, queue))
		queue = weir_queue_keep(&tcp->queues, queue);
	if (queue == WEIR_NONE) {
		drop_all(tcp, segs, n, WEIR_DROP_QUEUE_POOL_EMPTY);
		return;
	}
	flow->queue = queue;
	taken = weir_queue_push(&tcp->queues.queues[queue], tcp->queues.capacity, segs, n);
	if (taken != n) {
		weir_flow_limited(tcp, flow, WEIR_LIMIT_ENGINE);
		drop_all(tcp, segs + taken, n - taken, WEIR_DROP_QUEUE_FULL);
	}
	tcp->stats.segs += taken;
	tcp->stats.packets_queued += taken;
}

/* There is memory for all of them. */
static void
enqueue_run(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *segs, uint32_t n)
{
	if (flow->queue == WEIR_NONE && weir_engine_lend(tcp, flow, segs, n))
		return;
	append_run(tcp, flow, segs, n);
	if (flow->sched_class == WEIR_CLASS_IDLE && flow->queue != WEIR_NONE)
		weir_sched_push(&tcp->sched, flow->id, weir_engine_class_of(flow));
}

/* No queue is left for what waits in a lent one. */
static void
drop_lent(struct weir_tcp *tcp, struct weir_flow *flow)
{
	struct weir_queue *queue = &tcp->queues.queues[flow->queue];
	uint32_t n = weir_queue_len(queue);

	drop_all(tcp, queue->segs + queue->head, n, WEIR_DROP_QUEUE_POOL_EMPTY);
	tcp->stats.segs -= n;
	tcp->stats.packets_queued -= n;
	weir_queue_give(&tcp->queues, flow->queue);
	weir_sched_remove(&tcp->sched, flow->id);
	flow->queue = WEIR_NONE;
	flow->hold_segs = 0;
}

void
weir_engine_keep(struct weir_engine *engine)
{
	struct weir_tcp *tcp = &engine->tcp;
	struct weir_queue_pool *pool = &tcp->queues;

	for (uint32_t i = 0; pool->lent_out != 0; i++) {
		uint32_t lent = pool->size + i, kept;
		struct weir_flow *flow = &tcp->flows[pool->queues[lent].owner];

		if (flow->queue != lent)
			continue;
		kept = weir_queue_keep(pool, lent);
		if (kept == WEIR_NONE)
			drop_lent(tcp, flow);
		else
			flow->queue = kept;
	}
	pool->lent = 0;
}

/* Near the limit each segment is looked at: what carries no data may always be queued. */
static void __attribute__((noinline))
enqueue_short(struct weir_engine *engine, struct weir_flow *flow, struct weir_seg *segs,
	      uint32_t n)
{
	struct weir_tcp *tcp = &engine->tcp;

	weir_segs_write(segs, n);
	for (uint32_t i = 0; i < n; i++) {
		if (segs[i].len != 0 &&
		    tcp->held_bufs + tcp->stats.packets_queued >= engine->hard_bufs)
			weir_tcp_drop(tcp, segs[i].buf, WEIR_DROP_NO_MEMORY);
		else
			enqueue_run(tcp, flow, &segs[i], 1);
	}
}

void
weir_engine_enqueue_carefully(struct weir_engine *engine, struct weir_flow *flow,
			      struct weir_seg *segs, uint32_t n)
{
	struct weir_tcp *tcp = &engine->tcp;

	if (tcp->held_bufs + tcp->stats.packets_queued + n <= engine->hard_bufs)
		enqueue_run(tcp, flow, segs, n);
	else
		enqueue_short(engine, flow, segs, n);
}

/* Smoothed gap between segments (gain 1/8); `fresh` arrived since the last look. */
static void
update_gap(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t fresh)
{
	uint64_t since = tcp->now_ns - flow->last_arrival_ns;
	uint32_t sample;

	if (fresh == 0)
		return;
	flow->last_arrival_ns = tcp->now_ns;
	since >>= 31 - __builtin_clz(fresh); /* by a power of two: near enough for a threshold */
	sample = since < UINT32_MAX / 2 ? (uint32_t)since : UINT32_MAX / 2;
	if (flow->gap_ns == UINT32_MAX)
		flow->gap_ns = sample;
	else
		flow->gap_ns += (uint32_t)(((int64_t)sample - flow->gap_ns) / 8);
}

static uint64_t
hold_ns(const struct weir_tcp *tcp)
{
	return tcp->flush == WEIR_FLUSH_US ? (uint64_t)tcp->flush_value * 1000 : WEIR_ADAPTIVE_NS;
}

/* May an aggregate of all `n` queued segments, which could still grow, wait for more? */
static bool
may_wait(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t n)
{
	bool wait;

	if (flow->hold_segs == 0) {
		flow->hold_until_ns = tcp->now_ns + hold_ns(tcp);
		flow->hold_poll = tcp->poll_no;
	}
	if (tcp->flush == WEIR_FLUSH_POLLS) {
		wait = tcp->poll_no - flow->hold_poll + 1 < tcp->flush_value;
	} else if (tcp->flush == WEIR_FLUSH_US) {
		wait = tcp->now_ns < flow->hold_until_ns;
	} else {
		update_gap(tcp, flow, n - flow->hold_segs);
		wait = flow->reass == WEIR_NONE &&
		       tcp->now_ns + flow->gap_ns <= flow->hold_until_ns;
	}
	if (wait)
		flow->hold_segs = n;
	return wait;
}

static void
count_aggregate(struct weir_tcp *tcp, uint32_t n, uint32_t causes)
{
	tcp->stats.aggregates++;
	tcp->stats.aggregated_segs += n;
	tcp->stats.aggregate_sizes[n]++;
	while (causes != 0) {
		tcp->stats.aggregate_reasons[__builtin_ctz(causes)]++;
		causes &= causes - 1;
	}
}

/* Up to `most` segments of one flow, as aggregates. Returns the segments served; the flow is back on
 * a list when something stays queued. */
static uint32_t
serve_flow(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t most)
{
	struct weir_queue *queue = &tcp->queues.queues[flow->queue];
	uint32_t served = 0, len = weir_queue_len(queue);

	do {
		struct weir_aggregate a = weir_aggregate_form(
			&queue->segs[queue->head], len, RTE_MIN(most - served, tcp->aggregate_limit));

		if (tcp->flush != WEIR_FLUSH_NOW && a.causes == 1u << WEIR_CAUSE_EMPTY &&
		    flow->state == WEIR_TCP_ESTABLISHED) {
			if (may_wait(tcp, flow, a.n)) {
				weir_sched_push(&tcp->sched, flow->id, WEIR_CLASS_WAIT);
				return served;
			}
			a.causes = 1u << WEIR_CAUSE_HELD;
		}
		flow->hold_segs = 0;
		count_aggregate(tcp, a.n, a.causes);
		weir_queue_pop(queue, a.n); /* the descriptors stay readable until the next push */
		tcp->stats.packets_queued -= a.n;
		served += a.n;
		len -= a.n;
		weir_tcp_input(tcp, flow, &a);
		if ((flow->marks & WEIR_FLOW_DEAD) != 0)
			return served;
	} while (served < most && len != 0);
	if (len != 0) {
		weir_sched_push(&tcp->sched, flow->id, weir_engine_class_of(flow));
		return served;
	}
	weir_queue_give(&tcp->queues, flow->queue);
	flow->queue = WEIR_NONE;
	if (flow->limit_now == WEIR_LIMIT_ENGINE) /* by a full queue, which is empty now */
		weir_flow_unlimited(tcp, flow);
	return served;
}

/* The control queue is served first: who opens or closes gives resources back (TCPServers 3.3). */
static uint32_t
serve_control(struct weir_engine *engine)
{
	struct weir_tcp *tcp = &engine->tcp;
	uint32_t n = engine->n_control;

	for (uint32_t i = 0; i < n; i++)
		weir_listen_input(tcp, &engine->control[i].key, &engine->control[i].seg);
	tcp->stats.packets_queued -= n;
	engine->n_control = 0;
	return n;
}

/* Held runs are looked at once per burst that is served, behind those that were never held. */
static void
wake_waiting(struct weir_sched *sched)
{
	for (uint32_t n = sched->lists[WEIR_CLASS_WAIT].count; n > 0; n--) {
		uint32_t flow = weir_sched_peek(sched, WEIR_CLASS_WAIT);

		weir_sched_remove(sched, flow);
		weir_sched_push(sched, flow, WEIR_CLASS_READY);
	}
}

/* Takes turns until nothing is ready, or the budget is spent. */
static uint32_t
serve_ready(struct weir_engine *engine)
{
	struct weir_tcp *tcp = &engine->tcp;
	uint32_t left = engine->budget_left, served = 0;

	while (left != 0) {
		uint32_t id = weir_sched_pop(&tcp->sched);
		uint32_t n;

		if (id == WEIR_NONE)
			return served;
		n = serve_flow(tcp, &tcp->flows[id],
			       left < engine->quantum_segs ? left : engine->quantum_segs);
		left -= n;
		served += n;
		engine->budget_left = left;
	}
	if (weir_sched_peek(&tcp->sched, WEIR_CLASS_READY) != WEIR_NONE)
		tcp->stats.budget_exhausted++;
	return served;
}

uint32_t
weir_engine_serve(struct weir_engine *engine)
{
	uint32_t served = serve_control(engine);

	wake_waiting(&engine->tcp.sched);
	served += serve_ready(engine);
	weir_engine_keep(engine);
	return served;
}

uint64_t
weir_engine_hold_deadline(const struct weir_engine *engine)
{
	const struct weir_tcp *tcp = &engine->tcp;
	uint64_t first = UINT64_MAX;

	for (uint32_t i = weir_sched_peek(&tcp->sched, WEIR_CLASS_WAIT); i != WEIR_NONE;
	     i = tcp->flows[i].sched_next) {
		if (tcp->flush == WEIR_FLUSH_POLLS)
			return tcp->now_ns;
		if (tcp->flows[i].hold_until_ns < first)
			first = tcp->flows[i].hold_until_ns;
	}
	return first;
}
