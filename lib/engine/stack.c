/* SPDX-License-Identifier: BSD-3-Clause */
/* Making and ending a stack; ports and listeners. Control path. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_mempool.h>

#include "engine/engine.h"
#include "flow/arena.h"
#include "wire/address4.h"
#include "wire/address6.h"
#include "wire/siphash.h"

#define WEIR_POOL_CACHE 256
#define WEIR_DUPLICATES 1023 /* frames for duplicate ACKs; where they are not enough the others help out */
#define WEIR_MTU_DEFAULT 1500
#define WEIR_DATAGRAMS_MAX 4096
#define WEIR_HEADERS_MIN 40 /* IPv4 and TCP without options: what an MSS leaves out (RFC 9293 3.7.1) */

const char *
weir_version(void)
{
	return WEIR_VERSION;
}

void
weir_config_init(struct weir_config *config)
{
	*config = (struct weir_config){
		.size = sizeof(*config),
		.flows = 65536,
		.syn_entries = 1024,
		.time_wait_entries = 16384,
		.buffers = 16384,
		.buffer_bytes = 2048 + RTE_PKTMBUF_HEADROOM,
		.rx_queue_segs = 64,
		.aggregate_limit = 20,
		.flush = WEIR_FLUSH_NOW,
		.budget_segs = 256,
		.quantum_segs = 64,
		.burst = WEIR_BURST_MAX,
		.datagrams = 64,
		.mld = 1,
		.time_wait_ms = 60000,
		.fin_wait_ms = 60000,
		.orphans = 8192,
		.numa_node = -1,
	};
}

void
weir_listen_config_init(struct weir_listen_config *config)
{
	*config = (struct weir_listen_config){
		.size = sizeof(*config),
		.ack_policy = WEIR_ACK_TRAIN,
		.receive_buffer_min = 64 << 10,
		.receive_buffer_max = 4 << 20,
		.backlog = 1024,
		.keepalive_interval_ms = 75000,
		.keepalive_probes = 9,
		.syn_cookies = 1,
		.ecn = WEIR_ECN_ON,
	};
}

static bool
in_range(uint32_t value, uint32_t least, uint32_t most)
{
	return value >= least && value <= most;
}

static bool
is_valid(const struct weir_config *c)
{
	return c->size == sizeof(*c) && in_range(c->flows, 1, 1 << 20) &&
	       in_range(c->syn_entries, 1, 1 << 20) && in_range(c->time_wait_entries, 1, 1 << 20) &&
	       in_range(c->buffers, 64, 1 << 24) &&
	       in_range(c->buffer_bytes, RTE_PKTMBUF_HEADROOM + 256, UINT16_MAX) &&
	       in_range(c->rx_queue_segs, 1, 4096) &&
	       in_range(c->aggregate_limit, 1, WEIR_AGGREGATE_MAX) &&
	       in_range(c->flush, WEIR_FLUSH_NOW, WEIR_FLUSH_ADAPTIVE) &&
	       in_range(c->budget_segs, 1, 65536) && in_range(c->quantum_segs, 1, 65536) &&
	       in_range(c->time_wait_ms, 0, 1 << 30) && in_range(c->fin_wait_ms, 1, 1 << 30) && in_range(c->orphans, 0, 1 << 20) &&
	       in_range(c->burst, 1, WEIR_BURST_MAX) && in_range(c->heap, 0, 1) &&
	       in_range(c->datagrams, 0, WEIR_DATAGRAMS_MAX) && in_range(c->mld, 0, 1) &&
	       in_range(c->huge_tables, 0, 1);
}

/* A mempool of this process and stack; LIFO where the driver for it is installed. */
static int
open_mempool(const struct weir_config *c, uint32_t buffers, uint32_t bytes, struct rte_mempool **out,
	     struct weir_pool *pool)
{
	static atomic_uint number;
	struct rte_mempool *mempool;
	char name[RTE_MEMPOOL_NAMESIZE];
	int socket = c->numa_node < 0 ? SOCKET_ID_ANY : c->numa_node;

	snprintf(name, sizeof(name), "weir_%u", atomic_fetch_add(&number, 1));
	mempool = rte_pktmbuf_pool_create_by_ops(name, buffers, WEIR_POOL_CACHE, 0, (uint16_t)bytes,
						 socket, "stack");
	if (mempool == NULL)
		mempool = rte_pktmbuf_pool_create(name, buffers, WEIR_POOL_CACHE, 0,
						  (uint16_t)bytes, socket);
	*out = mempool;
	return mempool == NULL ? -ENOMEM : weir_pool_open_mempool(pool, mempool);
}

static int
open_pool(struct weir_stack *stack)
{
	int error;

	if (stack->config.heap)
		return weir_pool_open_heap(&stack->pool, stack->config.buffers,
					   stack->config.buffer_bytes);
	error = open_mempool(&stack->config, stack->config.buffers, stack->config.buffer_bytes,
			     &stack->mempool, &stack->pool);
	if (error != 0)
		return error;
	return open_mempool(&stack->config, WEIR_DUPLICATES, RTE_PKTMBUF_HEADROOM + WEIR_PACKET_MAX,
			    &stack->duplicates_mempool, &stack->duplicates);
}

static int
open_stack(struct weir_stack *stack)
{
	const struct weir_config *config = &stack->config;
	struct weir_engine *engine = weir_arena_alloc(sizeof(*engine), config->numa_node);
	int error;

	if (engine == NULL)
		return -ENOMEM;
	stack->engine = engine;
	engine->ports =
		weir_arena_alloc(sizeof(engine->ports[0]) * WEIR_STATS_PORTS, config->numa_node);
	if (engine->ports == NULL)
		return -ENOMEM;
	error = open_pool(stack);
	if (error == 0 && config->record_frames != 0)
		error = weir_record_open(&engine->record, config->record_frames, config->numa_node);
	return error == 0 ? weir_engine_open(engine, stack) : error;
}

int
weir_stack_create(const struct weir_config *config, struct weir_stack **out)
{
	struct weir_stack *stack;
	int error;

	if (!is_valid(config))
		return -EINVAL;
	stack = weir_arena_alloc(sizeof(*stack), config->numa_node);
	if (stack == NULL)
		return -ENOMEM;
	stack->config = *config;
	error = open_stack(stack);
	if (error != 0) {
		weir_stack_destroy(stack);
		return error;
	}
	*out = stack;
	return 0;
}

static void
stop_ports(struct weir_engine *engine)
{
	for (uint32_t i = 0; i < engine->n_ports; i++) {
		struct weir_port *port = engine->ports[i].port;

		if (port->stop != NULL)
			port->stop(port->ctx);
	}
}

static void
close_channels(struct weir_engine *engine)
{
	while (engine->n_channels != 0)
		weir_channel_close(engine->channels[engine->n_channels - 1]);
}

int
weir_stack_destroy(struct weir_stack *stack)
{
	struct weir_engine *engine = stack->engine;
	uint32_t missing = 0;

	if (engine != NULL) {
		close_channels(engine);
		if (engine->ports != NULL)
			stop_ports(engine);
		if (engine->stack != NULL)
			weir_engine_close(engine);
		weir_record_close(&engine->record);
		weir_arena_free(engine->ports, sizeof(engine->ports[0]) * WEIR_STATS_PORTS);
		weir_arena_free(engine, sizeof(*engine));
	}
	if (stack->pool.size != 0)
		missing = weir_pool_close(&stack->pool);
	if (stack->duplicates.size != 0)
		missing += weir_pool_close(&stack->duplicates);
	rte_mempool_free(stack->duplicates_mempool);
	rte_mempool_free(stack->mempool);
	weir_arena_free(stack, sizeof(*stack));
	return (int)missing;
}

/* What the engine learned of a port and counted there. */
static void
forget_port(struct weir_attached *at)
{
	const struct weir_parse parse = at->parse;

	weir_parse_init(&at->parse, parse.mac, parse.ip, parse.l3, parse.port);
	at->parse.own6 = parse.own6;
	at->parse.broadcast = parse.broadcast;
	at->rx_packets = at->rx_bytes = at->tx_packets = at->tx_bytes = 0;
	at->full_bursts = 0;
	at->had_flows = false;
}

/* Remote addresses are counted once somebody wants to know how many connections they have. */
static int
open_peers(struct weir_stack *stack, uint32_t limit)
{
	struct weir_tcp *tcp = &stack->engine->tcp;
	struct weir_hash_key secret;

	if (limit == 0 || tcp->peers.items != NULL)
		return 0;
	weir_derive(stack->config.seed, WEIR_SECRET_PEERS, secret.word, 4);
	return weir_peers_open(&tcp->peers, stack->config.flows, &secret, stack->config.numa_node);
}

int
weir_stack_reset(struct weir_stack *stack, uint64_t seed, uint64_t now_ns)
{
	struct weir_engine *engine = stack->engine;
	struct weir_tcp kept;
	int error;

	weir_channel_forget(engine);
	kept = engine->tcp;
	weir_engine_close(engine);
	for (uint32_t i = 0; i < engine->n_ports; i++)
		forget_port(&engine->ports[i]);
	weir_record_reset(&engine->record);
	stack->config.seed = seed;
	stack->config.now_ns = now_ns;
	error = weir_engine_open(engine, stack);
	memcpy(engine->tcp.listeners, kept.listeners, sizeof(kept.listeners));
	engine->tcp.n_listeners = kept.n_listeners;
	memcpy(engine->tcp.ports, kept.ports, sizeof(kept.ports));
	weir_engine_gateways_forget(engine);
	for (uint32_t i = 0; i < engine->n_ports; i++)
		weir_engine_join(engine, &engine->ports[i]);
	for (uint32_t i = 0; i < kept.n_listeners && error == 0; i++)
		error = open_peers(stack, kept.listeners[i].per_address);
	return error;
}

struct weir_engine *
weir_stack_engine(struct weir_stack *stack, uint32_t index)
{
	return index == 0 ? stack->engine : NULL;
}

void
weir_stack_set_handler(struct weir_stack *stack, weir_event_handler handler, void *user)
{
	stack->handler = handler;
	stack->user = user;
}

static uint32_t
ipv4_of(const struct weir_addr *addr)
{
	return (uint32_t)addr->bytes[12] << 24 | (uint32_t)addr->bytes[13] << 16 |
	       (uint32_t)addr->bytes[14] << 8 | addr->bytes[15];
}

static uint32_t
netmask_of(uint32_t prefix_len)
{
	return prefix_len != 0 ? UINT32_MAX << (32 - prefix_len) : 0;
}

/* Frames to whom IPv6 asks for us (RFC 4861 7.2.1). */
static void
join_groups(const struct weir_port *port, const struct weir_own6 *own)
{
	uint8_t macs[1 + WEIR_OWN6_MAX][WEIR_MAC_BYTES], group[WEIR_ADDRESS6_BYTES];

	if (port->groups == NULL)
		return;
	weir_group_mac6(weir_all_nodes6, macs[0]);
	for (uint32_t i = 0; i < own->n; i++) {
		weir_solicited_node6(own->address[i], group);
		weir_group_mac6(group, macs[1 + i]);
	}
	port->groups(port->ctx, (const uint8_t(*)[WEIR_MAC_BYTES])macs, 1 + own->n);
}

static int
add_address6(struct weir_engine *engine, uint32_t i, const struct weir_addr *address)
{
	struct weir_attached *at = &engine->ports[i];
	struct weir_own6 *own = &engine->tcp.ports[i].own6;

	if (weir_own6_find(own, address->bytes) != own->n)
		return -EEXIST;
	if (own->n == WEIR_OWN6_MAX)
		return -ENOSPC;
	memcpy(own->address[own->n++], address->bytes, WEIR_ADDRESS6_BYTES);
	at->parse.own6 = own;
	join_groups(at->port, own);
	weir_engine_join(engine, at);
	return 0;
}

static int
add_address(struct weir_engine *engine, uint32_t i, const struct weir_addr *address,
	    uint32_t prefix_len)
{
	struct weir_attached *at = &engine->ports[i];

	if (address->family == 6)
		return add_address6(engine, i, address);
	if (at->parse.ip != 0)
		return at->parse.ip == ipv4_of(address) ? -EEXIST : -ENOSPC;
	weir_parse_set_ip(&at->parse, ipv4_of(address), prefix_len);
	return 0;
}

/* Inside one machine a link of bare IP packets may have a loopback address (RFC 1122 3.2.1.3 (g)). */
static bool
is_host_address(const struct weir_addr *address, bool l3)
{
	if (address->family == 6)
		return weir_source6_valid(address->bytes);
	return address->family == 4 && (weir_source_valid(ipv4_of(address)) ||
					(l3 && weir_loopback4(ipv4_of(address))));
}

/* Not the first and the last address of a network, which are the network's and everybody's, nor the
 * first one of IPv6, which is that of all its routers (RFC 1122 3.2.1.3, RFC 4291 2.6.1, RFC 6164). */
static bool
is_host_of(const struct weir_addr *address, uint32_t prefix_len)
{
	uint32_t host = weir_host_mask4(prefix_len);

	if (address->family == 6)
		return !weir_routers6(address->bytes, prefix_len);
	return host == 0 || ((ipv4_of(address) & host) != 0 && (ipv4_of(address) & host) != host);
}

/* A host of the network of the address, which is another's. Only of IPv4, where ARP finds it. */
static bool
is_gateway(const struct weir_port_config *config)
{
	uint32_t differ = ipv4_of(&config->address) ^ ipv4_of(&config->gateway);

	return config->gateway.family == 4 && config->address.family == 4 && differ != 0 &&
	       (differ & netmask_of(config->prefix_len)) == 0 &&
	       is_host_of(&config->gateway, config->prefix_len);
}

static void
set_gateway(struct weir_engine *engine, uint32_t i, const struct weir_port_config *config)
{
	struct weir_attached *at = &engine->ports[i];

	engine->tcp.ports[i].gateway_known = false;
	engine->tcp.ports[i].netmask = 0; /* all are near */
	if (config->address.family != 4)
		return;
	engine->tcp.ports[i].network = ipv4_of(&config->address);
	engine->tcp.ports[i].netmask = netmask_of(config->prefix_len);
	if (config->gateway.family == 0 || at->parse.l3)
		return;
	at->gateway = ipv4_of(&config->gateway);
	engine->gateway_due_ns = 0;
}

int
weir_stack_attach(struct weir_stack *stack, struct weir_port *port,
		  const struct weir_port_config *config)
{
	struct weir_engine *engine = stack->engine;
	uint32_t i = engine->n_ports;
	struct weir_attached *at = &engine->ports[i];
	struct weir_tcp_port *known = &engine->tcp.ports[i];
	int error = 0;

	if (config->size != sizeof(*config) ||
	    !is_host_address(&config->address, (port->capabilities & WEIR_PORT_L3) != 0) ||
	    config->prefix_len > (config->address.family == 4 ? 32 : 128) ||
	    !is_host_of(&config->address, config->prefix_len) ||
	    (config->gateway.family != 0 && !is_gateway(config)))
		return -EINVAL;
	if (i == WEIR_STATS_PORTS)
		return -ENOSPC;
	if (port->frame_room > stack->config.buffer_bytes)
		return -EMSGSIZE;
	memset(at, 0, sizeof(*at));
	at->port = port;
	if (port->start != NULL)
		error = port->start(port->ctx, &stack->pool);
	if (error != 0)
		return error;
	/* Only now: a device may settle its addresses and sizes when it starts. */
	weir_parse_init(&at->parse, port->mac, 0, (port->capabilities & WEIR_PORT_L3) != 0,
			(uint8_t)i);
	memcpy(known->mac, port->mac, sizeof(port->mac));
	known->l3 = at->parse.l3;
	known->mss = (uint16_t)((port->mtu != 0 ? port->mtu : WEIR_MTU_DEFAULT) - WEIR_HEADERS_MIN);
	known->own6 = (struct weir_own6){.first = i * WEIR_OWN6_MAX};
	weir_engine_join(engine, at);
	engine->n_ports++;
	set_gateway(engine, i, config);
	return add_address(engine, i, &config->address, config->prefix_len);
}

int
weir_stack_add_address(struct weir_stack *stack, const struct weir_port *port,
		       const struct weir_addr *address)
{
	struct weir_engine *engine = stack->engine;

	for (uint32_t i = 0; i < engine->n_ports; i++)
		if (engine->ports[i].port == port)
			return is_host_address(address, engine->ports[i].parse.l3)
				       ? add_address(engine, i, address, 0)
				       : -EINVAL;
	return -EINVAL;
}

static bool
limits_valid(const struct weir_listen_config *config, uint32_t buffer_bytes)
{
	return in_range(config->connections, 0, 1 << 20) &&
	       in_range(config->connections_per_address, 0, 1 << 20) &&
	       (config->memory_bytes == 0 ||
		config->memory_bytes / buffer_bytes >= WEIR_LISTEN_BUFFERS_MIN);
}

static uint32_t
whole_bufs(uint64_t bytes, uint32_t buffer_bytes)
{
	uint64_t bufs = bytes / buffer_bytes;

	return bufs < UINT32_MAX ? (uint32_t)bufs : UINT32_MAX;
}

static bool
buffers_are_valid(const struct weir_listen_config *config)
{
	const uint32_t least = 4096, most = 1u << 30;

	if (config->receive_buffer != 0)
		return in_range(config->receive_buffer, least, most);
	return in_range(config->receive_buffer_min, least, most) &&
	       in_range(config->receive_buffer_max, config->receive_buffer_min, most);
}

/* The scale is for the largest buffer; the smallest one has units enough that rounding stays small. */
static void
set_buffers(struct weir_listener *listener, const struct weir_listen_config *config)
{
	uint32_t least = config->receive_buffer, most = least;

	if (least == 0) {
		least = config->receive_buffer_min;
		most = config->receive_buffer_max;
	}
	listener->wscale = weir_window_scale(most);
	listener->receive_buffer = RTE_MAX(least, WEIR_WINDOW_UNITS_MIN << listener->wscale);
	listener->receive_buffer_max = most;
}

int
weir_listen(struct weir_stack *stack, const struct weir_listen_config *config)
{
	struct weir_tcp *tcp = &stack->engine->tcp;
	struct weir_listener *listener = &tcp->listeners[tcp->n_listeners];

	if (config->size != sizeof(*config) || config->port == 0 ||
	    config->ack_policy > WEIR_ACK_DELAYED || !buffers_are_valid(config) ||
	    !in_range(config->keepalive_ms, 0, 1 << 30) ||
	    !in_range(config->keepalive_interval_ms, 1, 1 << 30) ||
	    !in_range(config->keepalive_probes, 1, 15) ||
	    !in_range(config->user_timeout_ms, 0, 1 << 30) ||
	    !in_range(config->backlog, 1, 1 << 20) || !in_range(config->syn_cookies, 0, 1) ||
	    config->ecn > WEIR_ECN_ACCURATE || !limits_valid(config, stack->config.buffer_bytes))
		return -EINVAL;
	if (weir_listen_find(tcp, config->port) != NULL)
		return -EADDRINUSE;
	if (tcp->n_listeners == WEIR_LISTENERS_MAX)
		return -ENOSPC;
	if (open_peers(stack, config->connections_per_address) != 0)
		return -ENOMEM;
	*listener = (struct weir_listener){
		.cookie = config->cookie,
		.port = config->port,
		.ack_policy = (uint8_t)config->ack_policy,
		.backlog = config->backlog,
		.keepalive_ms = config->keepalive_ms,
		.keepalive_interval_ms = config->keepalive_interval_ms,
		.keepalive_probes = (uint8_t)config->keepalive_probes,
		.user_timeout_ms = config->user_timeout_ms,
		.cookies = config->syn_cookies != 0,
		.ecn = (uint8_t)config->ecn,
		.connections = config->connections,
		.per_address = config->connections_per_address,
		.budget_bufs = whole_bufs(config->memory_bytes, stack->config.buffer_bytes),
	};
	set_buffers(listener, config);
	tcp->n_listeners++;
	return 0;
}

int
weir_listen_info(struct weir_stack *stack, uint16_t port, struct weir_listen_info *info)
{
	const struct weir_tcp *tcp = &stack->engine->tcp;
	const struct weir_listener *listener = weir_listen_find(tcp, port);
	const struct weir_listener_use *use;

	if (info->size != sizeof(*info))
		return -EINVAL;
	if (listener == NULL)
		return -ENOENT;
	use = &tcp->listener_uses[listener - tcp->listeners];
	info->half_open = use->half_open;
	info->connections = use->connections;
	info->memory_bytes = (uint64_t)use->held_bufs * stack->config.buffer_bytes;
	return 0;
}

int
weir_engine_record(struct weir_engine *engine, const char *path)
{
	return engine->record.size == 0 ? -ENOTSUP : weir_record_write(&engine->record, path);
}
