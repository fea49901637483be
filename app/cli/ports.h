/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tools do with DPDK's ports. Each returns 0, or -1 after one line that names the thing
 * and the mend. `said` is what EAL said while it started, which explains a port that is not there;
 * may be empty. */
#ifndef APP_CLI_PORTS_H
#define APP_CLI_PORTS_H

#include <stdint.h>

#include "app/cli/value.h"
#include "app/cli/watch.h"
#include "weir.h"

#define PORT_NAME 64

/* Is there a port of this name? *buffer_bytes is raised to the data room that its MTU needs. */
int port_find(const char *name, const char *said, uint32_t *buffer_bytes);

/* There is no port at all: returns -1. */
int port_none(const char *said);

/* `name` could not be opened or started with buffers of that size, for the reason `rc`: returns
 * -1. */
int port_refuse(const char *name, const char *said, uint32_t buffer_bytes, int rc);

/* On a network of the kernel's: neither it nor another weir may answer for our address. *claim is a
 * descriptor that holds it until it is closed, above 0, or 0. */
int port_claim(const struct watch_port *port, const struct ip_option *ip, int *claim);

/* Before EAL starts: is the text of an impairment right? */
int port_check_impair(const char *spec);

/* Wrap *port, which is closed when that fails. */
int port_impair(const char *spec, struct weir_port **port);

#endif
