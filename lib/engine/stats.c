/* SPDX-License-Identifier: BSD-3-Clause */
/* A snapshot of every counter, with the gauges of this moment. */
#include "engine/engine.h"

_Static_assert((int)WEIR_DROP_COUNT <= WEIR_STATS_DROPS, "room for every reason");
_Static_assert((int)WEIR_CAUSE_COUNT <= WEIR_STATS_REASONS, "room for every cause");

const char *
weir_stats_drop_name(uint32_t i)
{
	return weir_drop_name(i);
}

const char *
weir_stats_drop_text(uint32_t i)
{
	return weir_drop_text(i);
}

const char *
weir_stats_reason_name(uint32_t i)
{
	return weir_aggregate_cause_name(i);
}

/* Sums over all connections: control path. */
static void
fill_flows(const struct weir_tcp *tcp, struct weir_stats *stats)
{
	for (uint32_t i = 0; i < tcp->flow_free.touched; i++) {
		const struct weir_flow *flow = &tcp->flows[i];

		if (flow->conn == 0)
			continue;
		stats->bytes_unread += flow->unread_bytes;
		if (flow->reass != WEIR_NONE)
			stats->bytes_out_of_order += tcp->reass.items[flow->reass].bytes;
	}
	for (uint32_t i = 1; i <= tcp->held.touched; i++) {
		if ((tcp->held.nodes[i].gen & 1) == 0)
			continue;
		stats->leases++;
		for (uint32_t k = i; k != 0; k = tcp->held.nodes[k].next)
			stats->bytes_leased += weir_held_bytes(&tcp->held.nodes[k]);
	}
}

static void
fill_port(const struct weir_attached *at, struct weir_port_stats *stats)
{
	const struct weir_csum_trust *trust = &at->parse.trust;

	*stats = (struct weir_port_stats){
		.rx_packets = at->rx_packets,
		.rx_bytes = at->rx_bytes,
		.tx_packets = at->tx_packets,
		.tx_bytes = at->tx_bytes,
		.csum_good = trust->claims[WEIR_CLAIM_GOOD],
		.csum_bad = trust->claims[WEIR_CLAIM_BAD],
		.csum_none = trust->none,
		.csum_unknown = trust->unknown,
		.csum_verified =
			trust->verified[WEIR_CLAIM_GOOD] + trust->verified[WEIR_CLAIM_BAD],
		.csum_contradictions = trust->contradictions[WEIR_CLAIM_GOOD] +
				       trust->contradictions[WEIR_CLAIM_BAD],
		.csum_software = trust->software,
		.frame_max = at->parse.frame_max,
	};
	memcpy(stats->name, at->port->name, sizeof(stats->name));
	if (at->port->stats != NULL)
		at->port->stats(at->port->ctx, stats);
}

/* What a connection has beside its flow where a listener asks for it. */
static uint64_t
asked_bytes(const struct weir_tcp *tcp)
{
	bool tunes = false, counts_marks = false;

	for (uint32_t i = 0; i < tcp->n_listeners; i++) {
		const struct weir_listener *listener = &tcp->listeners[i];

		tunes |= listener->receive_buffer != listener->receive_buffer_max;
		counts_marks |= listener->ecn == WEIR_ECN_ACCURATE;
	}
	return (tunes ? sizeof(struct weir_tune) : 0) +
	       (counts_marks ? sizeof(struct weir_accecn) : 0) + weir_peers_bytes(&tcp->peers);
}

/* Everything that exists because the connection does: flow, handle, timer, its share of the table at
 * the configured size, the longer key of IPv6; tuning, the counters of AccECN and the count of its
 * address, where there are any. */
static uint64_t
idle_bytes(const struct weir_tcp *tcp)
{
	uint64_t table = (tcp->table.mask + 1) * sizeof(struct weir_bucket);
	uint64_t entries =
		(uint64_t)tcp->flow_free.size + tcp->syn_free.size + tcp->time_wait_free.size;

	return sizeof(struct weir_flow) + sizeof(struct weir_key) + sizeof(struct weir_slot) +
	       sizeof(struct weir_wheel_node) + (table + entries - 1) / entries + asked_bytes(tcp);
}

void
weir_stack_stats(struct weir_stack *stack, struct weir_stats *stats)
{
	const struct weir_engine *engine = stack->engine;
	const struct weir_tcp *tcp = &engine->tcp;

	*stats = tcp->stats;
	stats->size = sizeof(*stats);
	stats->n_ports = engine->n_ports;
	stats->n_drops = WEIR_DROP_COUNT;
	stats->n_reasons = WEIR_CAUSE_COUNT;
	stats->buffers = stack->pool.size;
	stats->buffers_free = weir_pool_available(&stack->pool);
	stats->buffers_held = tcp->held_bufs + stats->packets_queued;
	stats->fragments_held = engine->datagrams.fragments;
	stats->pressure = weir_budget_pressure(tcp);
	stats->state_bytes_per_idle = idle_bytes(tcp);
	fill_flows(tcp, stats);
	for (uint32_t i = 0; i < engine->n_ports; i++) {
		stats->options_malformed += engine->ports[i].parse.options_malformed;
		fill_port(&engine->ports[i], &stats->ports[i]);
	}
}
