/* SPDX-License-Identifier: BSD-3-Clause */
/* Which way answers go: to whoever handed us the SYN, or through the gateway of the port. */
#include "tcp/tcp.h"

/* IPv6, and what comes with a tag, goes back the way it came. */
static bool
leaves_network(const struct weir_tcp_port *port, const struct weir_key *key)
{
	return weir_key_is4(key) && key->low.vlan == 0 &&
	       ((key->low.raddr ^ port->network) & port->netmask) != 0;
}

void
weir_route_hop(const struct weir_tcp *tcp, uint8_t port, const struct weir_key *key,
	       struct weir_hop *hop)
{
	const struct weir_tcp_port *at = &tcp->ports[port];

	if (at->gateway_known && leaves_network(at, key))
		memcpy(hop->mac, at->gateway_mac, sizeof(hop->mac));
}

/* The destination stands first in a frame, and is in none of its sums. */
static void
move_flows(struct weir_tcp *tcp, uint8_t port)
{
	const struct weir_tcp_port *at = &tcp->ports[port];

	for (uint32_t i = 0; i < tcp->flow_free.touched; i++) {
		struct weir_flow *flow = &tcp->flows[i];
		struct weir_key key;

		if (flow->conn == 0 || flow->port != port)
			continue;
		key = weir_flow_key(tcp, flow);
		if (leaves_network(at, &key))
			memcpy(flow->header.bytes, at->gateway_mac, sizeof(at->gateway_mac));
	}
}

void
weir_route_learn(struct weir_tcp *tcp, uint8_t port, const uint8_t mac[6])
{
	struct weir_tcp_port *at = &tcp->ports[port];

	memcpy(at->gateway_mac, mac, sizeof(at->gateway_mac));
	at->gateway_known = true;
	move_flows(tcp, port);
	/* Entries that are free are not looked at before they are written anew. */
	for (uint32_t i = 0; i < tcp->syn_free.touched; i++)
		if (tcp->syns[i].port == port)
			weir_route_hop(tcp, port, &tcp->syns[i].key, &tcp->syns[i].hop);
	for (uint32_t i = 0; i < tcp->time_wait_free.touched; i++)
		if (tcp->time_waits[i].port == port)
			weir_route_hop(tcp, port, &tcp->time_waits[i].key, &tcp->time_waits[i].hop);
}
