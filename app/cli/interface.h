/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's interface below a port (af_packet, af_xdp, tap), and what happens to it. */
#ifndef APP_CLI_INTERFACE_H
#define APP_CLI_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "weir.h"

#define INTERFACE_NAME 32

/* The MTU of an interface, 0 when there is none of that name. */
uint32_t interface_mtu(const char *name);

/* Does the kernel itself have this address, a link-local one on interface `index`? `name`
 * (INTERFACE_NAME bytes) is where. */
bool interface_kernel_has(unsigned int index, const struct weir_addr *address, char *name);

/*
 * Claim an address on an interface among all programs of this kind in this network namespace.
 * Returns a descriptor that holds the claim until it is closed, -EADDRINUSE, or another -errno.
 */
int interface_claim(unsigned int index, const struct weir_addr *address);

enum interface_state {
	INTERFACE_UP,
	INTERFACE_DOWN,	      /* not set up */
	INTERFACE_NO_CARRIER, /* the other end is down */
	INTERFACE_GONE,
};

/* By its index, so that another one of the same name is not taken for it. `name` (INTERFACE_NAME
 * bytes) is filled unless it has gone. */
enum interface_state interface_state(unsigned int index, char *name);

#endif
