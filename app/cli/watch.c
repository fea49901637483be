/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/watch.h"

#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "app/cli/say.h"

#define INTERVAL_NS UINT64_C(500000000)

void
watch_add(struct watch *watch, const char *name)
{
	struct watch_port *port = &watch->ports[watch->n_ports];
	struct rte_eth_dev_info info;

	if (watch->n_ports == WATCH_PORTS || rte_eth_dev_get_port_by_name(name, &port->id) != 0)
		return;
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->state = INTERFACE_UP; /* so that a port which is down is told once */
	port->index = rte_eth_dev_info_get(port->id, &info) == 0 ? info.if_index : 0;
	if (port->index != 0)
		interface_state(port->index, port->interface);
	watch->n_ports++;
}

/* A device without an interface of the kernel: its driver says whether there is a link. */
static enum interface_state
link_state(const struct watch_port *port)
{
	struct rte_eth_link link;

	if (rte_eth_link_get_nowait(port->id, &link) != 0)
		return port->state;
	return link.link_status == RTE_ETH_LINK_UP ? INTERFACE_UP : INTERFACE_NO_CARRIER;
}

static void
say_change(const struct watch_port *port)
{
	const char *space = port->index != 0 ? " " : "", *name = port->interface;

	switch (port->state) {
	case INTERFACE_UP:
		say("%s:%s%s is up", port->name, space, name);
		break;
	case INTERFACE_DOWN:
		say("%s: %s is down, nothing arrives: ip link set %s up", port->name, name, name);
		break;
	case INTERFACE_NO_CARRIER:
		say("%s:%s%s has no link, nothing arrives: bring its other end up", port->name,
		    space, name);
		break;
	case INTERFACE_GONE:
		say("%s: %s has gone, nothing arrives on this port any more: make it again and "
		    "start %s again",
		    port->name, name, say_name);
		break;
	}
}

static void
look(struct watch_port *port)
{
	enum interface_state state;

	if (port->state == INTERFACE_GONE)
		return;
	state = port->index != 0 ? interface_state(port->index, port->interface) : link_state(port);
	if (state == port->state)
		return;
	port->state = state;
	say_change(port);
}

bool
watch_tick(struct watch *watch, uint64_t now_ns)
{
	uint32_t gone = 0;

	if (watch->next_ns == 0) /* the first look is later: the device may just come up */
		watch->next_ns = now_ns + INTERVAL_NS;
	if (now_ns < watch->next_ns)
		return true;
	watch->next_ns = now_ns + INTERVAL_NS;
	for (uint32_t i = 0; i < watch->n_ports; i++) {
		look(&watch->ports[i]);
		gone += watch->ports[i].state == INTERFACE_GONE;
	}
	return watch->n_ports == 0 || gone < watch->n_ports;
}
