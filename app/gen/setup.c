/* SPDX-License-Identifier: BSD-3-Clause */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "app/cli/say.h"
#include "app/generator/pattern.h"
#include "engine/port.h"

#define MTU_DEFAULT 1500
#define HEADERS	    40 /* IPv4 and TCP */
#define HEADERS6    60
#define TIMESTAMPS  12
#define POOL_CACHE  256

int
setup_check(const struct options *options)
{
	return options->impair != NULL ? port_check_impair(options->impair) : 0;
}

int
setup_find_port(struct setup *setup, const struct options *options, uint32_t buffer_bytes,
		const char *eal_said)
{
	uint16_t id;

	memset(setup, 0, sizeof(*setup));
	setup->buffer_bytes = buffer_bytes;
	setup->eal_said = eal_said;
	if (options->port != NULL) {
		snprintf(setup->name, sizeof(setup->name), "%s", options->port);
	} else {
		id = (uint16_t)rte_eth_find_next(0);
		if (id >= RTE_MAX_ETHPORTS || rte_eth_dev_get_name_by_port(id, setup->name) != 0)
			return port_none(eal_said);
	}
	return port_find(setup->name, eal_said, &setup->buffer_bytes);
}

static int
open_port(struct setup *setup, const struct options *options)
{
	int rc = weir_port_open_ethdev(setup->name, &setup->port);

	if (rc != 0)
		return port_refuse(setup->name, setup->eal_said, setup->buffer_bytes, rc);
	watch_add(&setup->watch, setup->name);
	if (port_claim(&setup->watch.ports[0], &options->ip, &setup->claim) != 0)
		return -1;
	return options->impair != NULL ? port_impair(options->impair, &setup->port) : 0;
}

static int
open_pools(struct setup *setup, const struct options *options)
{
	static const char *const names[2] = {"sent", "received"};

	for (int i = 0; i < 2; i++) {
		setup->mempools[i] =
		    rte_pktmbuf_pool_create(names[i], options->tool.buffers / 2, POOL_CACHE, 0,
					    (uint16_t)setup->buffer_bytes, SOCKET_ID_ANY);
		if (setup->mempools[i] == NULL) {
			say("there is no memory for %u buffers of %u bytes: %s: give fewer "
			    "--buffers, or EAL more with -m",
			    options->tool.buffers, setup->buffer_bytes, rte_strerror(rte_errno));
			return -1;
		}
		weir_pool_open_mempool(&setup->pools[i], setup->mempools[i]);
	}
	return 0;
}

static uint32_t
longest_payload(const struct setup *setup, const struct options *options)
{
	uint32_t mtu = setup->port->mtu != 0 ? setup->port->mtu : MTU_DEFAULT;
	uint32_t headers = options->ip.address.family == 6 ? HEADERS6 : HEADERS;
	uint32_t payload = mtu - headers - (options->timestamps ? TIMESTAMPS : 0);

	return payload < GENERATOR_PATTERN_PIECE ? payload : GENERATOR_PATTERN_PIECE;
}

static uint32_t
host_order(const struct weir_addr *address)
{
	const uint8_t *b = address->bytes + 12;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void
fill_amounts(struct generator_config *config, const struct options *options)
{
	config->flows = options->flows;
	config->hold = options->hold;
	config->run = options->run;
	config->mode = (uint8_t)options->mode;
	config->attack = (uint8_t)options->attack;
	config->request_bytes = options->request_bytes;
	config->open_loop_pps = options->open_loop_pps;
	if (options->mode == GENERATOR_CONNECT)
		config->connections_most = options->bytes / options->request_bytes * options->flows;
	else
		config->bytes_per_flow = options->bytes;
}

/* The bytes of a gateway that is not given are zero, too. */
static void
fill_addresses(struct generator_config *config, const struct options *options)
{
	config->sources = options->sources;
	config->prefix_len = options->ip.prefix_len;
	config->ip6 = options->ip.address.family == 6;
	if (config->ip6) {
		memcpy(config->address6, options->ip.address.bytes, sizeof(config->address6));
		memcpy(config->gateway6, options->gateway.bytes, sizeof(config->gateway6));
		memcpy(config->target6, options->target.bytes, sizeof(config->target6));
		return;
	}
	config->address = host_order(&options->ip.address);
	config->gateway = options->gateway.family != 0 ? host_order(&options->gateway) : 0;
	config->target = host_order(&options->target);
}

static void
fill_config(const struct setup *setup, struct generator_config *config,
	    const struct options *options)
{
	generator_config_init(config);
	config->port = setup->port;
	config->pool = (struct weir_pool *)(uintptr_t)&setup->pools[0];
	config->rx_pool = (struct weir_pool *)(uintptr_t)&setup->pools[1];
	fill_addresses(config, options);
	config->target_port = options->target_port;
	config->first_port = OPTIONS_FIRST_PORT;
	config->mss = setup->mss;
	config->timestamps = options->timestamps;
	config->verify = options->verify;
	config->refill = options->impair != NULL;
	config->seed = options->tool.seed;
	fill_amounts(config, options);
}

static int
refuse_generator(const struct setup *setup, const struct options *options, int rc)
{
	if (rc == -EMSGSIZE)
		say("--mss %u: its frames do not fit into the MTU of %s or buffers of %u bytes: "
		    "give at most %u",
		    setup->mss, setup->name, setup->buffer_bytes, longest_payload(setup, options));
	else if (rc == -ENOMEM)
		say("there is no memory for %u flows, or %s has no room: %s: give fewer --flows "
		    "or --buffers",
		    options->flows + options->hold, setup->name, strerror(-rc));
	else
		return port_refuse(setup->name, setup->eal_said, setup->buffer_bytes, rc);
	return -1;
}

int
setup_generator(struct setup *setup, const struct options *options, uint64_t now_ns)
{
	struct generator_config config;
	int rc;

	if (open_port(setup, options) != 0 || open_pools(setup, options) != 0)
		return -1;
	setup->mss = options->mss != 0 ? options->mss : longest_payload(setup, options);
	fill_config(setup, &config, options);
	rc = generator_create(&config, now_ns, &setup->generator);
	return rc == 0 ? 0 : refuse_generator(setup, options, rc);
}

uint32_t
setup_close(struct setup *setup)
{
	uint32_t missing = 0;

	if (setup->generator != NULL)
		generator_destroy(setup->generator);
	if (setup->port != NULL)
		weir_port_close(setup->port);
	for (int i = 0; i < 2; i++) {
		if (setup->mempools[i] == NULL)
			continue;
		missing += weir_pool_close(&setup->pools[i]);
		rte_mempool_free(setup->mempools[i]);
	}
	if (setup->claim > 0)
		close(setup->claim);
	memset(setup, 0, sizeof(*setup));
	return missing;
}
