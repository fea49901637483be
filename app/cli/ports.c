/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_ethdev.h>

#include "app/cli/eal_args.h"
#include "app/cli/say.h"

_Static_assert(PORT_NAME >= RTE_ETH_NAME_MAX_LEN, "name");

static void
list_ports(char *line, size_t size)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	size_t used = 0;
	uint16_t id;

	line[0] = '\0';
	RTE_ETH_FOREACH_DEV(id)
	{
		if (rte_eth_dev_get_name_by_port(id, name) == 0 && used < size)
			used += (size_t)snprintf(line + used, size - used, "%s%s",
						 used != 0 ? ", " : "", name);
	}
}

static int
no_such_port(const char *name, const char *said)
{
	char names[256];

	list_ports(names, sizeof(names));
	if (names[0] != '\0')
		say("--port %s: there is no such port%s%s: give one of %s, or give EAL another "
		    "before --",
		    name, said[0] != '\0' ? ": EAL says " : "", said, names);
	else
		say("--port %s: there is no such port, nor any other%s%s: give EAL one before "
		    "--, such as --vdev net_tap0 or -a 0000:00:05.0",
		    name, said[0] != '\0' ? ": EAL says " : "", said);
	return -1;
}

int
port_none(const char *said)
{
	say("there is no port%s%s: give EAL one before --, such as --vdev net_tap0 or "
	    "-a 0000:00:05.0",
	    said[0] != '\0' ? ": EAL says " : "", said);
	return -1;
}

int
port_find(const char *name, const char *said, uint32_t *buffer_bytes)
{
	uint16_t id, mtu;

	if (rte_eth_dev_get_port_by_name(name, &id) != 0)
		return no_such_port(name, said);
	if (rte_eth_dev_get_mtu(id, &mtu) == 0 && eal_args_buffer_bytes(mtu) > *buffer_bytes)
		*buffer_bytes = eal_args_buffer_bytes(mtu);
	return 0;
}

int
port_refuse(const char *name, const char *said, uint32_t buffer_bytes, int rc)
{
	if (rc == -ENODEV)
		return no_such_port(name, said);
	if (rc == -EMSGSIZE || rc == -ENOMEM)
		say("--port %s: %s: its frames do not fit into buffers of %u bytes, or --buffers "
		    "is too small for its rings: make frames (framesz=, MTU) smaller or give more",
		    name, strerror(-rc), buffer_bytes);
	else
		say("--port %s: %s: check that its device is up and nobody else uses it", name,
		    strerror(-rc));
	return -1;
}

int
port_claim(const struct watch_port *port, const struct ip_option *ip, int *claim)
{
	char name[INTERFACE_NAME];
	int fd;

	if (port->index == 0)
		return 0;
	if (interface_kernel_has(port->index, &ip->address, name)) {
		say("--ip %s: the kernel has this address on %s and would answer, too: give "
		    "another, or ip addr del it there",
		    ip->text, name);
		return -1;
	}
	fd = interface_claim(port->index, &ip->address);
	if (fd == -EADDRINUSE) {
		say("--ip %s: another weir answers for this address on %s: give another, or end "
		    "that one",
		    ip->text, port->interface);
		return -1;
	}
	*claim = fd > 0 ? fd : 0;
	return 0;
}

static uint16_t
no_packets(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	(void)user;
	(void)bufs;
	(void)n;
	(void)now_ns;
	return 0;
}

int
port_impair(const char *spec, struct weir_port **port)
{
	struct weir_port *inner = *port;
	const char *word = NULL;
	int rc = weir_port_open_impair(inner, spec, port, &word);

	if (rc == 0)
		return 0;
	say("--impair '%s': %s%s%s: give words, each once, such as seed=1,loss=1%%,dup=1%%,reorder=2%%,"
	    "corrupt=0.1%%,truncate=0%%,ce=5%%,delay=200us,both=1; rates up to 100%%, the delay up to 60s",
	    spec, word != NULL ? "'" : "", word != NULL ? word : strerror(-rc),
	    word != NULL ? "' is wrong" : "");
	weir_port_close(inner);
	*port = NULL;
	return -1;
}

int
port_check_impair(const char *spec)
{
	struct weir_port_functions functions = {
	    .size = sizeof(functions),
	    .rx_burst = no_packets,
	    .tx_burst = no_packets,
	};
	struct weir_port *port;

	if (weir_port_open_custom(&functions, &port) != 0) {
		say("--impair '%s': there is no memory for a port: free some", spec);
		return -1;
	}
	if (port_impair(spec, &port) != 0)
		return -1;
	weir_port_close(port);
	return 0;
}
