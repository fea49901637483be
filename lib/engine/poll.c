/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop: one poll is one walk through the rooms, left to right. */
#include <assert.h>

#include <rte_prefetch.h>

#include "engine/engine.h"
#include "engine/neighbour.h"
#include "engine/rooms.h"
#include "wire/icmp.h"

#define WEIR_NS_PER_MS 1000000
#define WEIR_FULL_BURSTS 2 /* in a row, before SYNs get a share only */
#define WEIR_SYN_SHARE   32 /* of a burst: one in so many, at least one */
#define WEIR_MANY_FLOWS  512 /* six lines of each are as much as a first-level cache holds, and more */
#define WEIR_LATELY_MS   1000 /* in which whoever had to wait for a timeout has sent again */

/*
 * How many SYNs of this burst go on. All, unless the engine cannot keep up: bursts have been full for
 * some time, so that packets wait in the device, and connections have sent lately. Then SYNs get a
 * share, and the parser drops the rest at a glance: who is connected comes first. A poll that found the
 * device empty, or less than a burst in it, ends the row.
 */
static void
share_syns(const struct weir_engine *engine, struct weir_attached *at, uint32_t n)
{
	at->full_bursts = n == engine->burst ? at->full_bursts + 1 : 0;
	at->parse.syns_left = UINT32_MAX;
	if (unlikely(at->full_bursts > WEIR_FULL_BURSTS && at->had_flows &&
		     engine->tcp.now_ms - at->flows_ms <= WEIR_LATELY_MS))
		at->parse.syns_left = RTE_MAX(engine->burst / WEIR_SYN_SHARE, 1u);
}

/* Segments without a flow wait in the one queue of the engine, which has room for all of a poll. */
static void
enqueue_control(struct weir_engine *engine, const struct weir_key *key, struct weir_seg *segs,
		uint32_t n)
{
	struct weir_tcp *tcp = &engine->tcp;

	assert(n <= WEIR_CONTROL_SEGS - engine->n_control);
	weir_segs_write(segs, n);
	for (uint32_t i = 0; i < n; i++) {
		engine->control[engine->n_control++] =
			(struct weir_control){.seg = segs[i], .key = *key};
		tcp->stats.segs++;
		tcp->stats.packets_queued++;
	}
}

/* The lines of a flow that rooms 4 to 8 touch, where the lookup found its key elsewhere. */
static inline void
prefetch_flow(const struct weir_flow *flow)
{
	rte_prefetch0(&flow->key);
	rte_prefetch0(&flow->snd_wscale);
	rte_prefetch0(&flow->id);
	rte_prefetch0(&flow->header);
	rte_prefetch0(&flow->header.bytes[WEIR_HEADER_MAX]);
}

/* Runs whose entries are known go into their queues. `keys` are theirs, NULL: `keys4`. Returns how many
 * were of connections. */
static inline uint32_t
enqueue_runs(struct weir_engine *engine, struct weir_seg *segs, const uint8_t *first,
	     uint32_t n_runs, const uint32_t *entries, const struct weir_key4 *keys4,
	     const struct weir_key *keys)
{
	struct weir_tcp *tcp = &engine->tcp;
	uint32_t n_flows = 0;

	for (uint32_t i = 0; keys != NULL && i < n_runs; i++)
		if (entries[i] < tcp->flow_free.size)
			prefetch_flow(&tcp->flows[entries[i]]);
	for (uint32_t i = 0; i < n_runs; i++) {
		struct weir_seg *run = &segs[first[i]];
		uint32_t n = first[i + 1] - first[i];

		if (entries[i] < tcp->flow_free.size) {
			weir_engine_enqueue(engine, &tcp->flows[entries[i]], run, n);
			n_flows++;
		} else {
			const struct weir_key key =
				keys != NULL ? keys[i] : weir_key_of4(&keys4[i]);

			enqueue_control(engine, &key, run, n);
		}
	}
	return n_flows;
}

static void
enqueue_syn(struct weir_engine *engine, uint32_t entry, const struct weir_key4 *key4,
	    struct weir_seg *seg)
{
	struct weir_tcp *tcp = &engine->tcp;
	const struct weir_key key = weir_key_of4(key4);

	if (entry < tcp->flow_free.size)
		weir_engine_enqueue(engine, &tcp->flows[entry], seg, 1);
	else
		enqueue_control(engine, &key, seg, 1);
}

/* Runs, and the SYNs that stand apart from them, in their order. */
static uint32_t __attribute__((noinline))
enqueue_among_syns(struct weir_engine *engine, struct weir_parsed *parsed, const uint32_t *entries)
{
	struct weir_parsed_syns *syns = &parsed->syns;
	uint32_t syn_entries[WEIR_BURST_MAX], n_flows = 0, run = 0;

	weir_table_find_bulk(&engine->tcp.table, syns->keys, syns->n, syn_entries);
	for (uint32_t i = 0; i <= syns->n; i++) {
		uint32_t to = run;

		while (to < parsed->n_runs &&
		       (i == syns->n || parsed->run_first[to] < syns->before[i]))
			to++;
		if (to != run)
			n_flows += enqueue_runs(engine, parsed->segs, parsed->run_first + run,
						to - run, entries + run, parsed->keys + run, NULL);
		run = to;
		if (i != syns->n)
			enqueue_syn(engine, syn_entries[i], &syns->keys[i], &syns->segs[i]);
	}
	return n_flows;
}

/* Room 3 and 4: whose run is it, and into its queue. */
static uint32_t
classify(struct weir_engine *engine, struct weir_burst *burst)
{
	struct weir_parsed *parsed = &burst->parsed;
	const uint32_t *entries = burst->lookup.entries;

	weir_table_confirm(&engine->tcp.table, parsed->keys, &burst->lookup);
	if (unlikely(parsed->syns.n != 0))
		return enqueue_among_syns(engine, parsed, entries);
	return enqueue_runs(engine, parsed->segs, parsed->run_first, parsed->n_runs, entries,
			    parsed->keys, NULL);
}

/* The same for IPv6. */
static uint32_t
classify6(struct weir_engine *engine, struct weir_parsed6 *parsed)
{
	uint32_t entries[WEIR_BURST_MAX];

	weir_table_find_bulk_wide(&engine->tcp.table6, parsed->keys, parsed->n_runs, entries);
	return enqueue_runs(engine, parsed->segs, parsed->run_first, parsed->n_runs, entries, NULL,
			    parsed->keys);
}

/* An answer to `other` may leave: WEIR_PARSE_OK, counted, or the limit that it is beyond. An echo flood
 * takes nothing from those who ask for our link address. */
static enum weir_drop
allow_reply(struct weir_engine *engine, const struct weir_other *other, bool advertises)
{
	struct weir_tcp *tcp = &engine->tcp;

	if (other->kind != WEIR_OTHER_ARP && !advertises) {
		if (!weir_engine_answer_allowed(&engine->echoes, tcp->now_ms, 1, WEIR_ECHO_BURST))
			return WEIR_DROP_ICMP_LIMITED;
		tcp->stats.icmp_replies++;
		return WEIR_PARSE_OK;
	}
	if (!weir_engine_answer_allowed(&engine->neighbours, tcp->now_ms, WEIR_NEIGHBOURS_PER_MS,
					WEIR_NEIGHBOURS_BURST))
		return WEIR_DROP_NEIGHBOUR_LIMITED;
	tcp->stats.arp_replies += !advertises;
	tcp->stats.nd_replies += advertises;
	return WEIR_PARSE_OK;
}

/* What asks whether we are there: answered in its own buffer, or dropped by name. */
static void
answer(struct weir_engine *engine, const struct weir_parse *parse, uint8_t port,
       const struct weir_other *other)
{
	struct weir_neighbour_reply reply = weir_neighbour_handle(parse, other);
	enum weir_drop verdict = (enum weir_drop)reply.reason;

	if (reply.frame != NULL)
		verdict = allow_reply(engine, other, reply.advertises);
	if (verdict != WEIR_PARSE_OK) {
		weir_tcp_drop(&engine->tcp, other->buf, verdict);
		return;
	}
	engine->tcp.stats.packets_consumed++;
	weir_engine_send(engine, port, reply.frame);
}

static void
handle_others(struct weir_engine *engine, struct weir_attached *at, uint8_t port,
	      struct weir_parsed *parsed)
{
	uint32_t inserted[2] = {0, 0};

	for (uint32_t i = 0; i < parsed->n_others; i++) {
		const struct weir_other *other = &parsed->others[i];

		if (other->kind == WEIR_OTHER_FRAGMENT)
			weir_engine_fragment(engine, port, parsed, other, inserted);
		else if (other->kind == WEIR_OTHER_ARP && weir_engine_gateway_heard(engine, port, other))
			continue;
		else if (other->kind != WEIR_OTHER_ARP && weir_icmp_is_error(other))
			weir_tcp_icmp(&engine->tcp, port, other);
		else if (other->kind == WEIR_OTHER_ICMP6 && weir_engine_query(engine, at, other))
			continue;
		else
			answer(engine, &at->parse, port, other);
	}
}

/* Rooms 1 and 2, and the lines of the table that room 3 will read are on their way. Returns how many packets
 * there were. */
static uint32_t
take_burst(struct weir_engine *engine, struct weir_attached *at, struct weir_burst *burst)
{
	struct weir_tcp *tcp = &engine->tcp;
	struct weir_parsed *parsed = &burst->parsed;
	struct rte_mbuf *bufs[WEIR_BURST_MAX];
	uint32_t n = at->port->rx_burst(at->port->ctx, bufs, (uint16_t)engine->burst, tcp->now_ns);

	WEIR_ROOM_LEFT(RX);
	share_syns(engine, at, n);
	if (n == 0)
		return 0;
	if (burst == engine->bursts)
		weir_engine_keep(engine);
	at->rx_packets += n;
	tcp->stats.packets_received += n;
	if (engine->record.size != 0)
		for (uint32_t i = 0; i < n; i++)
			weir_record_add(&engine->record, tcp->now_ns, bufs[i],
					WEIR_RECORD_RECEIVED | weir_engine_record_layer(at));
	weir_parse_burst(&at->parse, bufs, n, parsed);
	at->rx_bytes += parsed->bytes;
	WEIR_ROOM_LEFT(PARSE);
	weir_table_hash(&tcp->table, parsed->keys, parsed->n_runs, &burst->lookup);
	return n;
}

/* Rooms 3 and 4. */
static void
sort_burst(struct weir_engine *engine, uint8_t port, struct weir_burst *burst)
{
	struct weir_tcp *tcp = &engine->tcp;
	struct weir_attached *at = &engine->ports[port];
	struct weir_parsed *parsed = &burst->parsed;
	uint32_t n_flows;

	for (uint32_t i = 0; i < parsed->n_rejects; i++) {
		if (parsed->rejects[i].problem != WEIR_PROBLEM_NONE)
			weir_engine_say_problem(engine, port, &parsed->rejects[i]);
		weir_tcp_drop(tcp, parsed->rejects[i].buf, parsed->rejects[i].reason);
	}
	if (unlikely(parsed->n_others != 0)) { /* there may be other runs afterwards */
		handle_others(engine, at, port, parsed);
		weir_table_hash(&tcp->table, parsed->keys, parsed->n_runs, &burst->lookup);
	}
	n_flows = classify(engine, burst);
	if (unlikely(parsed->ip6.n_runs != 0))
		n_flows += classify6(engine, &parsed->ip6);
	if (n_flows != 0) {
		at->had_flows = true;
		at->flows_ms = tcp->now_ms;
	}
	WEIR_ROOM_LEFT(CLASSIFY);
}

/*
 * How many bursts of a port a poll may take. Where the state of all connections does not fit into the
 * nearest caches, each waits twice for lines of that; of several, one waits while others are parsed and
 * served. Not while something is left from before: queues are as long as one burst wants them. Nor when the
 * last burst had more SYNs than its share: what waits behind a flood wants its ACKs soon.
 */
static uint32_t
bursts_most(const struct weir_engine *engine, const struct weir_attached *at)
{
	uint32_t most = 1;

	if (engine->tcp.flow_free.used < WEIR_MANY_FLOWS || at->parse.syns_left == 0 ||
	    weir_sched_peek(&engine->tcp.sched, WEIR_CLASS_READY) != WEIR_NONE)
		return 1;
	while (most < WEIR_BURSTS && (most + 1) * engine->burst <= engine->budget_left)
		most++;
	return most;
}

/* Rooms 1 to 4 for one port. Of several bursts each but the last is served, too, before the next one is
 * queued: what a queue has to hold is that of one burst. */
static uint32_t
receive(struct weir_engine *engine, uint8_t port)
{
	const struct weir_table *table = &engine->tcp.table;
	struct weir_burst *bursts = engine->bursts;
	uint32_t most = bursts_most(engine, &engine->ports[port]), taken = 0, work = 0, n;

	do {
		n = take_burst(engine, &engine->ports[port], &bursts[taken]);
		work += n;
		taken += n != 0;
		if (n != 0 && taken > 1)
			weir_table_match(table, &bursts[taken - 2].lookup);
		WEIR_ROOM_LEFT(CLASSIFY);
	} while (n == engine->burst && taken < most);
	for (uint32_t i = 0; i < taken; i++) {
		sort_burst(engine, port, &bursts[i]);
		if (i + 1 == taken)
			break;
		work += weir_engine_serve(engine);
		WEIR_ROOM_LEFT(SERVE);
		if (i + 2 == taken)
			weir_table_match(table, &bursts[i + 1].lookup);
	}
	return work;
}

/* Room 7: ends are reported behind all else, then everything goes to the consumer at once. Returns
 * the last flow whose end was reported. */
static uint32_t
deliver(struct weir_engine *engine)
{
	struct weir_tcp *tcp = &engine->tcp;
	struct weir_stack *stack = engine->stack;
	uint32_t reported = WEIR_NONE;

	for (uint32_t i = tcp->dead_head; i != WEIR_NONE && tcp->n_events < tcp->max_events;
	     i = tcp->flows[i].sched_next) {
		struct weir_event *event = weir_tcp_event(tcp, &tcp->flows[i], WEIR_EVENT_CLOSED);

		event->flags = tcp->flows[i].close_reason;
		event->bytes = tcp->flows[i].delivered;
		reported = i;
	}
	tcp->stats.events += tcp->n_events;
	tcp->read_event = 0;
	if (tcp->n_events != 0 && stack->handler != NULL)
		stack->handler(stack->user, stack, tcp->events, tcp->n_events);
	tcp->n_events = 0;
	return reported;
}

/* The flows up to `reported` are over: their last packets have left. */
static void
reap(struct weir_tcp *tcp, uint32_t reported)
{
	while (reported != WEIR_NONE && tcp->dead_head != WEIR_NONE) {
		uint32_t i = tcp->dead_head;

		tcp->dead_head = tcp->flows[i].sched_next;
		weir_flow_free(tcp, &tcp->flows[i]);
		if (i == reported)
			return;
	}
}

static void
set_time(struct weir_engine *engine, uint64_t now_ns)
{
	struct weir_tcp *tcp = &engine->tcp;

	tcp->now_ns = now_ns;
	tcp->now_ms = (uint32_t)(now_ns / WEIR_NS_PER_MS);
	tcp->poll_no++;
	engine->timers_left = weir_wheel_advance(&tcp->wheel, tcp->now_ms, WEIR_TIMERS_MOST,
						 weir_tcp_timer, tcp) == WEIR_TIMERS_MOST;
}

/* Every packet received has left in exactly one way or is queued. */
static void
check_balance(const struct weir_stats *stats)
{
	assert(stats->packets_received == stats->packets_delivered + stats->packets_consumed +
						  stats->packets_dropped + stats->packets_queued);
	(void)stats;
}

uint32_t
weir_engine_poll(struct weir_engine *engine, uint64_t now_ns)
{
	struct weir_tcp *tcp = &engine->tcp;
	uint32_t work = 0, reported;

	engine->budget_left = engine->budget_segs;
	set_time(engine, now_ns);
	if (unlikely(engine->datagrams.fragments != 0))
		weir_engine_fragments_age(engine);
	if (unlikely(engine->gateway_due_ns <= now_ns))
		weir_engine_gateways_ask(engine);
	if (unlikely(now_ns >= engine->reports_due_ns))
		weir_engine_report(engine);
	weir_channel_drain(engine);
	WEIR_ROOM_LEFT(BEGIN);
	for (uint32_t i = 0; i < engine->n_ports; i++)
		work += receive(engine, (uint8_t)i);
	work += weir_engine_serve(engine);
	WEIR_ROOM_LEFT(SERVE);
	reported = deliver(engine);
	WEIR_ROOM_LEFT(DELIVER);
	weir_engine_transmit(engine);
	WEIR_ROOM_LEFT(TRANSMIT);
	reap(tcp, reported);
	weir_tcp_free_flush(tcp);
	tcp->stats.polls++;
	tcp->stats.busy_polls += work != 0;
	check_balance(&tcp->stats);
	WEIR_ROOM_LEFT(END);
	return work;
}

uint64_t
weir_engine_deadline(const struct weir_engine *engine)
{
	const struct weir_tcp *tcp = &engine->tcp;
	uint32_t next = weir_wheel_next(&tcp->wheel);
	uint64_t deadline = RTE_MIN(weir_engine_hold_deadline(engine), engine->gateway_due_ns);

	if (engine->n_control != 0 || tcp->dead_head != WEIR_NONE || tcp->gather.n_items != 0 ||
	    engine->timers_left || weir_sched_peek(&tcp->sched, WEIR_CLASS_READY) != WEIR_NONE ||
	    weir_sched_peek(&tcp->sched, WEIR_CLASS_CONTROL) != WEIR_NONE)
		return tcp->now_ns;
	if (next != UINT32_MAX) {
		uint64_t due = (tcp->now_ns / WEIR_NS_PER_MS + next) * WEIR_NS_PER_MS;

		deadline = due < deadline ? due : deadline;
	}
	if (weir_datagrams_deadline(&engine->datagrams) < deadline)
		deadline = weir_datagrams_deadline(&engine->datagrams);
	if (engine->reports_due_ns < deadline)
		deadline = engine->reports_due_ns;
	for (uint32_t i = 0; i < engine->n_ports; i++) {
		const struct weir_port *port = engine->ports[i].port;
		uint64_t due = port->deadline != NULL ? port->deadline(port->ctx) : UINT64_MAX;

		if (engine->ports[i].n_tx != 0)
			due = tcp->now_ns;
		deadline = due < deadline ? due : deadline;
	}
	return deadline;
}
