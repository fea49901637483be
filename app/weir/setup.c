/* SPDX-License-Identifier: BSD-3-Clause */
#include "setup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "app/cli/eal_args.h"
#include "app/cli/ports.h"
#include "app/cli/say.h"
#include "app/cli/value.h"

#define LINE 512
#define SYN_ENTRIES_MOST 1048576

/* ---- ports ---- */

static int
name_ports(struct setup *setup, const struct options *options)
{
	uint16_t id;

	for (uint32_t i = 0; i < options->n_ports; i++)
		setup->names[setup->n_ports++] = options->ports[i];
	if (setup->n_ports != 0)
		return 0;
	RTE_ETH_FOREACH_DEV(id)
	{
		char *name = setup->name_text[setup->n_ports];

		if (setup->n_ports == OPTIONS_PORTS) {
			say("there are more than %d ports: choose with --port", OPTIONS_PORTS);
			return -1;
		}
		if (rte_eth_dev_get_name_by_port(id, name) == 0)
			setup->names[setup->n_ports++] = name;
	}
	if (setup->n_ports != 0)
		return 0;
	return port_none(setup->eal_said);
}

int
setup_find_ports(struct setup *setup, const struct options *options, uint32_t buffer_bytes,
		 const char *eal_said)
{
	memset(setup, 0, sizeof(*setup));
	setup->buffer_bytes = buffer_bytes;
	setup->eal_said = eal_said;
	if (name_ports(setup, options) != 0)
		return -1;
	for (uint32_t i = 0; i < setup->n_ports; i++)
		if (port_find(setup->names[i], eal_said, &setup->buffer_bytes) != 0)
			return -1;
	if (!options_ips_fit(options, setup->n_ports)) {
		say("--ip: %u of IPv4 and %u of IPv6 do not fit %u port%s: give one, or one for each "
		    "in order",
		    options->n_ips, options->n_ips6, setup->n_ports, setup->n_ports == 1 ? "" : "s");
		return -1;
	}
	return 0;
}

static int
refuse_port(const struct setup *setup, uint32_t i, int rc)
{
	return port_refuse(setup->names[i], setup->eal_said, setup->buffer_bytes, rc);
}

/* The addresses of port `i` to `ips`, which has room for 1 + OPTIONS_PORTS; returns how many. */
static uint32_t
ips_of(const struct setup *setup, const struct options *options, uint32_t i,
       const struct ip_option **ips)
{
	uint32_t n = 0;

	if (options->n_ips != 0)
		ips[n++] = &options->ips[options->n_ips == 1 ? 0 : i];
	if (setup->n_ports != 1 && options->n_ips6 != 0)
		ips[n++] = &options->ips6[options->n_ips6 == 1 ? 0 : i];
	for (uint32_t k = 0; setup->n_ports == 1 && k < options->n_ips6; k++)
		ips[n++] = &options->ips6[k];
	return n;
}

static int
attach(struct setup *setup, const struct options *options, uint32_t i)
{
	const struct ip_option *ips[1 + OPTIONS_PORTS];
	uint32_t n = ips_of(setup, options, i, ips);
	struct weir_port_config config = {
	    .size = sizeof(config),
	    .prefix_len = ips[0]->prefix_len,
	    .address = ips[0]->address,
	};
	int rc;

	/* The address of IPv4, where there is one, is the first. */
	if (value_in_network(ips[0], &options->gateway))
		config.gateway = options->gateway;
	rc = weir_stack_attach(setup->stack, setup->ports[i], &config);
	for (uint32_t k = 1; rc == 0 && k < n; k++)
		rc = weir_stack_add_address(setup->stack, setup->ports[i], &ips[k]->address);
	return rc == 0 ? 0 : refuse_port(setup, i, rc);
}

static int
claim(struct setup *setup, const struct options *options, uint32_t i)
{
	const struct ip_option *ips[1 + OPTIONS_PORTS];
	uint32_t n = ips_of(setup, options, i, ips);

	for (uint32_t k = 0; k < n; k++)
		if (port_claim(&setup->watch.ports[i], ips[k], &setup->claims[setup->n_claims++]) !=
		    0)
			return -1;
	return 0;
}

int
setup_ports(struct setup *setup, const struct options *options, const struct loop *loop)
{
	for (uint32_t i = 0; i < setup->n_ports && !loop_stopped(loop); i++) {
		int rc = weir_port_open_ethdev(setup->names[i], &setup->ports[i]);

		if (rc != 0)
			return refuse_port(setup, i, rc);
		watch_add(&setup->watch, setup->names[i]);
		if (claim(setup, options, i) != 0)
			return -1;
		if (options->impair != NULL && port_impair(options->impair, &setup->ports[i]) != 0)
			return -1;
		if (attach(setup, options, i) != 0)
			return -1;
	}
	return 0;
}

/* ---- stack and listeners ---- */

/* Each port may have its backlog, as far as the stack goes. */
static uint32_t
syn_entries(const struct options *options)
{
	uint64_t most = (uint64_t)options->backlog * options->n_listeners;

	return most < SYN_ENTRIES_MOST ? (uint32_t)most : SYN_ENTRIES_MOST;
}

int
setup_stack(struct setup *setup, const struct options *options, uint64_t now_ns)
{
	struct weir_config config;
	int rc;

	weir_config_init(&config);
	config.flows = options->flows;
	config.syn_entries = syn_entries(options);
	config.orphans = options->orphans;
	config.time_wait_entries = options->time_waits;
	config.buffers = options->tool.buffers;
	config.buffer_bytes = setup->buffer_bytes;
	config.rx_queue_segs = options->rx_queue_segs;
	config.aggregate_limit = options->aggregate_limit;
	config.flush = options->flush;
	config.flush_value = options->flush_value;
	config.budget_segs = options->budget_segs;
	config.datagrams = options->datagrams;
	config.mld = options->mld;
	config.huge_tables = options->huge_tables;
	config.record_frames = options->record != NULL ? RECORD_FRAMES : 0;
	config.seed = options->tool.seed;
	config.now_ns = now_ns;
	rc = weir_stack_create(&config, &setup->stack);
	if (rc == -ENOMEM)
		say("there is too little memory for %u buffers of %u bytes and %u flows: give EAL "
		    "more, with -m %" PRIu64 ", or fewer --buffers or --flows",
		    config.buffers, config.buffer_bytes, config.flows,
		    eal_args_need_mb(config.buffers, config.buffer_bytes, true));
	else if (rc != 0)
		say("the stack refuses its settings: %s: see weir --help for the ranges",
		    strerror(-rc));
	return rc == 0 ? 0 : -1;
}

/* How large a buffer is the ports say: only now it is known how many the limit holds. */
static int
check_listen_memory(const struct setup *setup, const struct options *options)
{
	uint64_t least = (uint64_t)WEIR_LISTEN_BUFFERS_MIN * setup->buffer_bytes;

	if (options->listen_memory == 0 || options->listen_memory >= least)
		return 0;
	say("--listen-memory: %" PRIu64 " bytes hold less than %d buffers of %u bytes: give at "
	    "least %" PRIu64 "K",
	    options->listen_memory, WEIR_LISTEN_BUFFERS_MIN, setup->buffer_bytes,
	    (least + 1023) / 1024);
	return -1;
}

int
setup_listeners(struct setup *setup, const struct options *options)
{
	if (check_listen_memory(setup, options) != 0)
		return -1;
	for (uint32_t i = 0; i < options->n_listeners; i++) {
		struct weir_listen_config config;
		int rc;

		weir_listen_config_init(&config);
		config.port = options->listeners[i].port;
		config.ack_policy = (uint16_t)options->ack_policy;
		config.ecn = options->ecn;
		config.receive_buffer_min = options->receive_buffer.least;
		config.receive_buffer_max = options->receive_buffer.most;
		config.backlog = options->backlog;
		config.syn_cookies = options->syn_cookies;
		config.connections = options->listen_connections;
		config.connections_per_address = options->listen_per_address;
		config.memory_bytes = options->listen_memory;
		config.keepalive_ms = options->keepalive_seconds * 1000;
		config.keepalive_interval_ms = options->keepalive_interval_seconds * 1000;
		config.keepalive_probes = options->keepalive_probes;
		config.user_timeout_ms = options->user_timeout_seconds * 1000;
		config.cookie = i;
		rc = weir_listen(setup->stack, &config);
		if (rc != 0) {
			say("--listen %u: %s: give fewer or other ports", config.port,
			    strerror(-rc));
			return -1;
		}
	}
	return 0;
}

int
setup_close(struct setup *setup)
{
	int missing = setup->stack != NULL ? weir_stack_destroy(setup->stack) : 0;

	for (uint32_t i = 0; i < setup->n_ports; i++) {
		if (setup->ports[i] != NULL)
			weir_port_close(setup->ports[i]);
	}
	for (uint32_t i = 0; i < setup->n_claims; i++)
		if (setup->claims[i] > 0)
			close(setup->claims[i]);
	memset(setup, 0, sizeof(*setup));
	return missing;
}

void
setup_describe(const struct setup *setup, const struct options *options)
{
	static const char *const sinks[] = {
	    [SINK_DISCARD] = "discard", [SINK_FILE] = "file=", [SINK_VERIFY] = "verify"};
	const struct ip_option *ips[1 + OPTIONS_PORTS];
	char line[LINE];
	size_t used = 0;

	for (uint32_t i = 0; i < setup->n_ports && used < sizeof(line); i++) {
		uint32_t n = ips_of(setup, options, i, ips);

		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s",
					 i != 0 ? ", " : "", setup->names[i]);
		for (uint32_t k = 0; k < n && used < sizeof(line); k++)
			used += (size_t)snprintf(line + used, sizeof(line) - used, " %s",
						 ips[k]->text);
	}
	for (uint32_t i = 0; i < options->n_listeners && used < sizeof(line); i++) {
		const struct listen_option *listener = &options->listeners[i];

		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%u:%s%s",
					 i != 0 ? ", " : ", listening on ", listener->port,
					 sinks[listener->kind],
					 listener->kind == SINK_FILE ? listener->dir : "");
	}
	say("ready: %s", line);
}
