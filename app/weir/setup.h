/* SPDX-License-Identifier: BSD-3-Clause */
/* From options to a running stack's parts. Each returns 0, or -1 after one line that names the
 * thing and the mend. */
#ifndef APP_WEIR_SETUP_H
#define APP_WEIR_SETUP_H

#include "app/cli/loop.h"
#include "app/cli/ports.h"
#include "app/cli/watch.h"
#include "options.h"
#include "weir.h"

#define RECORD_FRAMES 16384

struct setup {
	const char *names[OPTIONS_PORTS];
	char name_text[OPTIONS_PORTS][PORT_NAME];
	struct weir_port *ports[OPTIONS_PORTS];
	uint32_t n_ports;
	uint32_t buffer_bytes;
	const char *eal_said;
	struct weir_stack *stack;
	struct watch watch;
	int claims[2 * OPTIONS_PORTS]; /* of addresses, 0: none */
	uint32_t n_claims;
};

/* Before EAL starts: sink directories, the record file, the impairment. */
int setup_check(const struct options *options);

/* After EAL has started: which ports, and the buffers they need (at least buffer_bytes). What EAL
 * said while it started explains a port that is not there; may be empty. */
int setup_find_ports(struct setup *setup, const struct options *options, uint32_t buffer_bytes,
		     const char *eal_said);

int setup_stack(struct setup *setup, const struct options *options, uint64_t now_ns);
/* One after the other while the loop is not stopped. */
int setup_ports(struct setup *setup, const struct options *options, const struct loop *loop);
int setup_listeners(struct setup *setup, const struct options *options);

/* Stops and frees all of it, whatever there is. Returns the buffers that were not given back. */
int setup_close(struct setup *setup);

/* One line about what runs. */
void setup_describe(const struct setup *setup, const struct options *options);

#endif
