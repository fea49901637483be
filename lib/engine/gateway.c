/* SPDX-License-Identifier: BSD-3-Clause */
/* The link addresses of the ports' gateways, asked for by ARP (RFC 826): the one thing that is
 * remembered of neighbours. */
#include <string.h>

#include "engine/engine.h"
#include "engine/neighbour.h"
#include "engine/reply.h"
#include "wire/bytes.h"

#define ASK_NS	   UINT64_C(1000000000)	 /* until there is an answer */
#define REFRESH_NS UINT64_C(30000000000) /* behind one: within that time a change is seen */
#define MOVED_NS   UINT64_C(1000000000)	 /* behind a change: each one concerns all connections */
#define FRAME_BYTES 42

static void
ask(struct weir_engine *engine, uint8_t port)
{
	static const uint8_t head[8] = {0, 1, 8, 0, WEIR_MAC_BYTES, 4, 0, WEIR_ARP_REQUEST};
	const struct weir_attached *at = &engine->ports[port];
	struct rte_mbuf *buf = weir_buf_alloc(engine->tcp.pool);
	uint8_t *frame;

	if (buf == NULL) {
		engine->tcp.stats.drops[WEIR_DROP_TX_NO_BUFFER]++;
		return;
	}
	frame = rte_pktmbuf_mtod(buf, uint8_t *);
	memset(frame, 0xff, WEIR_MAC_BYTES);
	memcpy(frame + 6, at->parse.mac, WEIR_MAC_BYTES);
	weir_store_be16(frame + 12, WEIR_ETHERTYPE_ARP);
	memcpy(frame + 14, head, sizeof(head));
	memcpy(frame + 22, at->parse.mac, WEIR_MAC_BYTES);
	weir_store_be32(frame + 28, at->parse.ip);
	memset(frame + 32, 0, WEIR_MAC_BYTES);
	weir_store_be32(frame + 38, at->gateway);
	buf->data_len = FRAME_BYTES;
	buf->pkt_len = FRAME_BYTES;
	engine->tcp.stats.arp_requests++;
	weir_engine_send(engine, port, buf);
}

static void
settle_due(struct weir_engine *engine)
{
	engine->gateway_due_ns = UINT64_MAX;
	for (uint32_t i = 0; i < engine->n_ports; i++)
		if (engine->ports[i].gateway != 0 &&
		    engine->ports[i].gateway_due_ns < engine->gateway_due_ns)
			engine->gateway_due_ns = engine->ports[i].gateway_due_ns;
}

void
weir_engine_gateways_ask(struct weir_engine *engine)
{
	uint64_t now_ns = engine->tcp.now_ns;

	for (uint32_t i = 0; i < engine->n_ports; i++) {
		struct weir_attached *at = &engine->ports[i];

		if (at->gateway == 0 || now_ns < at->gateway_due_ns)
			continue;
		ask(engine, (uint8_t)i);
		at->gateway_due_ns = now_ns + ASK_NS;
	}
	settle_due(engine);
}

/* It has `mac`. That it moved again so soon is not believed, but asked for. */
static void
learn(struct weir_engine *engine, uint8_t port, const uint8_t mac[WEIR_MAC_BYTES])
{
	const struct weir_tcp_port *known = &engine->tcp.ports[port];
	struct weir_attached *at = &engine->ports[port];
	uint64_t now_ns = engine->tcp.now_ns;

	at->gateway_due_ns = now_ns + REFRESH_NS;
	if (known->gateway_known && memcmp(known->gateway_mac, mac, WEIR_MAC_BYTES) == 0)
		return;
	if (known->gateway_known && now_ns - at->gateway_moved_ns < MOVED_NS) {
		at->gateway_due_ns = at->gateway_moved_ns + MOVED_NS;
		return;
	}
	at->gateway_moved_ns = now_ns;
	engine->tcp.stats.gateway_changes++;
	weir_route_learn(&engine->tcp, port, mac);
}

bool
weir_engine_gateway_heard(struct weir_engine *engine, uint8_t port, const struct weir_other *other)
{
	const struct weir_attached *at = &engine->ports[port];
	struct weir_arp arp;

	if (at->gateway == 0 || other->vlan != 0 || !weir_neighbour_read_arp(other, &arp) ||
	    arp.sender_ip != at->gateway || !weir_reply_unicast(arp.sender))
		return false;
	learn(engine, port, arp.sender);
	settle_due(engine);
	if (arp.operation != WEIR_ARP_REPLY)
		return false;
	engine->tcp.stats.packets_consumed++;
	weir_tcp_free(&engine->tcp, other->buf);
	return true;
}

void
weir_engine_gateways_forget(struct weir_engine *engine)
{
	for (uint32_t i = 0; i < engine->n_ports; i++) {
		engine->tcp.ports[i].gateway_known = false;
		engine->ports[i].gateway_due_ns = 0;
	}
	settle_due(engine);
}
