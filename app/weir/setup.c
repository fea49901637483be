/* SPDX-License-Identifier: BSD-3-Clause */
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include "eal_args.h"
#include "say.h"

#define LINE 512

/* ---- before EAL ---- */

static const char *
path_mend(int error)
{
	switch (error) {
	case ENOENT:
		return "make the directory first";
	case ENOSPC:
	case EDQUOT:
		return "make room on the disk";
	default:
		return "give one that can be written to";
	}
}

static int
check_dir(const struct listen_option *listener)
{
	char probe[4096];
	struct stat status;
	int fd, error = 0;

	if (stat(listener->dir, &status) != 0)
		error = errno;
	else if (!S_ISDIR(status.st_mode))
		error = ENOTDIR;
	if (error == 0 &&
	    snprintf(probe, sizeof(probe), "%s/.weir-XXXXXX", listener->dir) >= (int)sizeof(probe))
		error = ENAMETOOLONG;
	if (error == 0) {
		fd = mkostemp(probe, O_CLOEXEC);
		error = fd < 0 ? errno : 0;
		/* A full disk makes empty files: only a byte tells. */
		if (fd >= 0 && write(fd, "", 1) != 1)
			error = errno;
		if (fd >= 0 && close(fd) == 0)
			unlink(probe);
	}
	if (error == 0)
		return 0;
	say("--listen %u:file=%s: %s: %s", listener->port, listener->dir, strerror(error),
	    path_mend(error));
	return -1;
}

static int
check_record(const char *path)
{
	bool existed = access(path, F_OK) == 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0) {
		say("--record %s: %s: %s", path, strerror(errno), path_mend(errno));
		return -1;
	}
	close(fd);
	if (!existed)
		unlink(path);
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

/* Wrap `port`, which is closed when that fails. */
static int
impair(const char *spec, struct weir_port **port)
{
	struct weir_port *inner = *port;
	const char *word = NULL;
	int rc = weir_port_open_impair(inner, spec, port, &word);

	if (rc == 0)
		return 0;
	say("--impair '%s': %s%s%s: give words such as seed=1,loss=1%%,dup=1%%,reorder=2%%,"
	    "corrupt=0.1%%,truncate=0%%,delay=200us,both=1",
	    spec, word != NULL ? "'" : "", word != NULL ? word : strerror(-rc),
	    word != NULL ? "' is wrong" : "");
	weir_port_close(inner);
	*port = NULL;
	return -1;
}

static int
check_impair(const char *spec)
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
	if (impair(spec, &port) != 0)
		return -1;
	weir_port_close(port);
	return 0;
}

int
setup_check(const struct options *options)
{
	for (uint32_t i = 0; i < options->n_listeners; i++)
		if (options->listeners[i].kind == SINK_FILE &&
		    check_dir(&options->listeners[i]) != 0)
			return -1;
	if (options->record != NULL && check_record(options->record) != 0)
		return -1;
	if (options->impair != NULL && check_impair(options->impair) != 0)
		return -1;
	return 0;
}

/* ---- ports ---- */

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
no_such_port(const struct setup *setup, const char *name)
{
	const char *said = setup->eal_said;
	char names[LINE / 2];

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
	say("there is no port%s%s: give EAL one before --, such as --vdev net_tap0 or "
	    "-a 0000:00:05.0",
	    setup->eal_said[0] != '\0' ? ": EAL says " : "", setup->eal_said);
	return -1;
}

_Static_assert(sizeof(((struct setup *)0)->name_text[0]) >= RTE_ETH_NAME_MAX_LEN, "name");

int
setup_find_ports(struct setup *setup, const struct options *options, uint32_t buffer_bytes,
		 const char *eal_said)
{
	uint16_t id, mtu;

	memset(setup, 0, sizeof(*setup));
	setup->buffer_bytes = buffer_bytes;
	setup->eal_said = eal_said;
	if (name_ports(setup, options) != 0)
		return -1;
	for (uint32_t i = 0; i < setup->n_ports; i++) {
		if (rte_eth_dev_get_port_by_name(setup->names[i], &id) != 0)
			return no_such_port(setup, setup->names[i]);
		if (rte_eth_dev_get_mtu(id, &mtu) == 0 &&
		    eal_args_buffer_bytes(mtu) > setup->buffer_bytes)
			setup->buffer_bytes = eal_args_buffer_bytes(mtu);
	}
	if (options->n_ips != 1 && options->n_ips != setup->n_ports) {
		say("--ip is given %u times for %u ports: give one, or one for each in order",
		    options->n_ips, setup->n_ports);
		return -1;
	}
	return 0;
}

static int
refuse_port(const struct setup *setup, uint32_t i, int rc)
{
	if (rc == -ENODEV)
		return no_such_port(setup, setup->names[i]);
	if (rc == -EMSGSIZE || rc == -ENOMEM)
		say("--port %s: %s: its frames do not fit into buffers of %u bytes, or --buffers "
		    "is too small for its rings: make frames (framesz=, MTU) smaller or give more",
		    setup->names[i], strerror(-rc), setup->buffer_bytes);
	else
		say("--port %s: %s: check that its device is up and nobody else uses it",
		    setup->names[i], strerror(-rc));
	return -1;
}

static int
attach(struct setup *setup, const struct options *options, uint32_t i)
{
	const struct ip_option *ip = &options->ips[options->n_ips == 1 ? 0 : i];
	struct weir_port_config config = {
	    .size = sizeof(config),
	    .prefix_len = ip->prefix_len,
	    .address = ip->address,
	};
	int rc;

	if (options->gateway.family != 0 && options_in_network(ip, &options->gateway))
		config.gateway = options->gateway;
	rc = weir_stack_attach(setup->stack, setup->ports[i], &config);
	return rc == 0 ? 0 : refuse_port(setup, i, rc);
}

int
setup_ports(struct setup *setup, const struct options *options)
{
	for (uint32_t i = 0; i < setup->n_ports; i++) {
		int rc = weir_port_open_ethdev(setup->names[i], &setup->ports[i]);

		if (rc != 0)
			return refuse_port(setup, i, rc);
		if (options->impair != NULL && impair(options->impair, &setup->ports[i]) != 0)
			return -1;
		if (attach(setup, options, i) != 0)
			return -1;
	}
	return 0;
}

/* ---- stack and listeners ---- */

int
setup_stack(struct setup *setup, const struct options *options, uint64_t now_ns)
{
	struct weir_config config;
	int rc;

	weir_config_init(&config);
	config.flows = options->flows;
	config.buffers = options->buffers;
	config.buffer_bytes = setup->buffer_bytes;
	config.rx_queue_segs = options->rx_queue_segs;
	config.aggregate_limit = options->aggregate_limit;
	config.flush = options->flush;
	config.flush_value = options->flush_value;
	config.budget_segs = options->budget_segs;
	config.record_frames = options->record != NULL ? RECORD_FRAMES : 0;
	config.seed = options->seed;
	config.now_ns = now_ns;
	rc = weir_stack_create(&config, &setup->stack);
	if (rc == -ENOMEM)
		say("there is too little memory for %u buffers of %u bytes and %u flows: give "
		    "fewer --buffers or --flows, or EAL more with -m",
		    config.buffers, config.buffer_bytes, config.flows);
	else if (rc != 0)
		say("the stack refuses its settings: %s: see weir --help for the ranges",
		    strerror(-rc));
	return rc == 0 ? 0 : -1;
}

int
setup_listeners(struct setup *setup, const struct options *options)
{
	for (uint32_t i = 0; i < options->n_listeners; i++) {
		struct weir_listen_config config;
		int rc;

		weir_listen_config_init(&config);
		config.port = options->listeners[i].port;
		config.ack_policy = (uint16_t)options->ack_policy;
		config.receive_buffer = options->receive_buffer;
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

	for (uint32_t i = 0; i < setup->n_ports; i++)
		if (setup->ports[i] != NULL)
			weir_port_close(setup->ports[i]);
	memset(setup, 0, sizeof(*setup));
	return missing;
}

void
setup_describe(const struct setup *setup, const struct options *options)
{
	char line[LINE];
	size_t used = 0;

	for (uint32_t i = 0; i < setup->n_ports && used < sizeof(line); i++)
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s %s",
					 i != 0 ? ", " : "", setup->names[i],
					 options->ips[options->n_ips == 1 ? 0 : i].text);
	for (uint32_t i = 0; i < options->n_listeners && used < sizeof(line); i++) {
		const struct listen_option *listener = &options->listeners[i];
		bool file = listener->kind == SINK_FILE;

		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%u:%s%s",
					 i != 0 ? ", " : ", listening on ", listener->port,
					 file ? "file=" : "discard", file ? listener->dir : "");
	}
	say("ready: %s", line);
}
