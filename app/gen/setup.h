/* SPDX-License-Identifier: BSD-3-Clause */
/* From options to a port and a generator on it. Each returns 0, or -1 after one line that names the
 * thing and the mend. */
#ifndef APP_GEN_SETUP_H
#define APP_GEN_SETUP_H

#include "app/cli/ports.h"
#include "app/cli/watch.h"
#include "options.h"

struct setup {
	char name[PORT_NAME];
	struct watch watch;
	int claim; /* descriptor of our address, above 0 */
	uint32_t buffer_bytes;
	uint32_t mss;
	const char *eal_said;
	struct weir_port *port;
	struct rte_mempool *mempools[2]; /* what is sent, what is received */
	struct weir_pool pools[2];
	struct generator *generator;
};

/* Before EAL starts. */
int setup_check(const struct options *options);

/* After EAL has started: which port, and the buffers it needs (at least buffer_bytes). */
int setup_find_port(struct setup *setup, const struct options *options, uint32_t buffer_bytes,
		    const char *eal_said);

int setup_generator(struct setup *setup, const struct options *options, uint64_t now_ns);

/* Stops and frees all of it, whatever there is. Returns the buffers that were not given back. */
uint32_t setup_close(struct setup *setup);

#endif
