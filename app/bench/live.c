/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_dev.h>

#include "namespace.h"
#include "service.h"

#define DEVICE	     "net_af_packet0"
#define ASK_POLLS    1024 /* between two looks at the caller's condition */
#define CALIBRATE_MS 20

static const char *
attach(struct live *live, uint32_t policy)
{
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = VETH_PREFIX_BITS};
	struct weir_listen_config listen;

	if (weir_addr_parse("198.19.0.1", &port.address) != 0 ||
	    weir_stack_attach(live->stack, live->port, &port) != 0)
		return "cannot attach the af_packet port";
	weir_listen_config_init(&listen);
	listen.port = LIVE_LISTENER;
	listen.ack_policy = (uint16_t)policy;
	listen.receive_buffer = 4 << 20;
	if (weir_listen(live->stack, &listen) != 0)
		return "cannot listen";
	weir_stack_set_handler(live->stack, service_handle, &live->sink);
	return NULL;
}

static const char *
open_stack(struct live *live, const struct veth *net, uint32_t policy)
{
	struct weir_config config;
	char arguments[128];

	snprintf(arguments, sizeof(arguments),
		 "iface=%s,blocksz=1048576,framesz=2048,framecnt=4096", net->weir_receiver);
	if (rte_eal_hotplug_add("vdev", DEVICE, arguments) != 0)
		return "cannot open an af_packet device: is DPDK's af_packet driver installed?";
	if (weir_port_open_ethdev(DEVICE, &live->port) != 0)
		return "cannot open the af_packet port";
	weir_config_init(&config);
	config.flows = 1024;
	config.seed = 7;
	config.now_ns = (uint64_t)((double)rte_rdtsc() / live->cycles_per_ns);
	if (weir_stack_create(&config, &live->stack) != 0)
		return "cannot make a stack";
	live->engine = weir_stack_engine(live->stack, 0);
	return attach(live, policy);
}

/* What the device looks at while it is opened is the receiver's namespace; sockets stay there. */
static const char *
open_there(struct live *live, const struct veth *net, uint32_t policy)
{
	struct namespace here;
	const char *why;

	if (namespace_here(&here) != 0 || namespace_enter_net(&net->receiver) != 0)
		why = "cannot enter a network namespace";
	else
		why = open_stack(live, net, policy);
	if (here.net >= 0 && namespace_enter_net(&here) != 0 && why == NULL)
		why = "cannot leave a network namespace";
	namespace_close(&here);
	return why;
}

const char *
live_open(struct live *live, const struct veth *net, enum sink_kind kind, uint32_t policy)
{
	const char *why;

	memset(live, 0, sizeof(*live));
	live->cycles_per_ns = (double)rte_get_tsc_hz() / 1e9;
	if (sink_open(&live->sink, kind) != 0)
		return "out of memory";
	why = open_there(live, net, policy);
	if (why != NULL) {
		live_close(live);
		return why;
	}
	live->empty_cycles = (double)live_run(live, CALIBRATE_MS, NULL, NULL) / (double)live->empty;
	return NULL;
}

const char *
live_close(struct live *live)
{
	int missing = 0;

	if (live->stack != NULL)
		missing = weir_stack_destroy(live->stack);
	if (live->port != NULL)
		weir_port_close(live->port);
	rte_eal_hotplug_remove("vdev", DEVICE);
	sink_close(&live->sink);
	live->stack = NULL;
	live->port = NULL;
	return missing != 0 ? "buffers are missing at the end" : NULL;
}

uint64_t
live_run(struct live *live, uint32_t ms, bool (*until)(const void *context), const void *context)
{
	uint64_t begin = rte_rdtsc(), now = begin;
	uint64_t end = begin + (uint64_t)(ms * 1e6 * live->cycles_per_ns);
	double ns_per_cycle = 1 / live->cycles_per_ns;

	live->empty = 0;
	do {
		for (uint32_t i = 0; i < ASK_POLLS && now < end; i++) {
			uint64_t now_ns = (uint64_t)((double)now * ns_per_cycle);

			live->empty += weir_engine_poll(live->engine, now_ns) == 0;
			now = rte_rdtsc();
		}
	} while (now < end && (until == NULL || !until(context)));
	return now - begin;
}
