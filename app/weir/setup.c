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

#include "app/cli/ports.h"
#include "app/cli/say.h"
#include "app/cli/value.h"

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

int
setup_check(const struct options *options)
{
	for (uint32_t i = 0; i < options->n_listeners; i++)
		if (options->listeners[i].kind == SINK_FILE &&
		    check_dir(&options->listeners[i]) != 0)
			return -1;
	if (options->record != NULL && check_record(options->record) != 0)
		return -1;
	if (options->impair != NULL && port_check_impair(options->impair) != 0)
		return -1;
	return 0;
}

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
	return port_refuse(setup->names[i], setup->eal_said, setup->buffer_bytes, rc);
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

	if (options->gateway.family != 0 && value_in_network(ip, &options->gateway))
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
		if (options->impair != NULL && port_impair(options->impair, &setup->ports[i]) != 0)
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
