/* SPDX-License-Identifier: BSD-3-Clause */
/* Looks at the ports from time to time and says what happens to them: a port whose device has gone
 * is silent otherwise. One thread, which may wait. */
#ifndef APP_CLI_WATCH_H
#define APP_CLI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "app/cli/interface.h"

#define WATCH_PORTS 8

struct watch_port {
	char name[64]; /* EAL's */
	char interface[INTERFACE_NAME];
	uint16_t id;
	unsigned int index; /* of the kernel's interface, 0: none */
	enum interface_state state;
};

struct watch {
	struct watch_port ports[WATCH_PORTS];
	uint32_t n_ports;
	uint64_t next_ns;
};

/* From now on look at the port called `name`, too. */
void watch_add(struct watch *watch, const char *name);

/* Look when it is time, a line for each change. False when all ports have gone. */
bool watch_tick(struct watch *watch, uint64_t now_ns);

#endif
