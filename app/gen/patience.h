/* SPDX-License-Identifier: BSD-3-Clause */
/* Is the peer still there? Says when it becomes doubtful, and when to give up. No clock. */
#ifndef APP_GEN_PATIENCE_H
#define APP_GEN_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/generator/generator.h"

#define PATIENCE_DOUBT_NS (UINT64_C(2) * 1000000000)
#define PATIENCE_LIMIT_NS (UINT64_C(10) * 1000000000)
/* With nothing on its way but probes of closed windows, which are up to a minute apart. */
#define PATIENCE_CLOSED_NS (UINT64_C(75) * 1000000000)

enum patience_cause {
	PATIENCE_GOOD,
	PATIENCE_GONE,	     /* the device below the port has gone */
	PATIENCE_LINK,	     /* the port has no link */
	PATIENCE_UNRESOLVED, /* nobody answers ARP */
	PATIENCE_SILENT,     /* nothing for our connections */
};

struct patience {
	uint64_t since_ns; /* last sign of life, or when there was last nothing to wait for */
	uint64_t seen;	   /* sum of what counts as one */
	bool said;
};

struct patience_facts {
	const struct generator_stats *stats;
	bool gone;
	bool link_up;
	bool resolved;
	bool waiting; /* for the peer */
};

/* What has gone wrong, in the order of the enum. */
enum patience_cause patience_cause(const struct patience_facts *facts);

void patience_start(struct patience *patience, uint64_t now_ns);

/* `say`: this is the moment to tell the user, once until life returns (but not of a link, which
 * app/cli/watch.c does). True: give up. */
bool patience_tick(struct patience *patience, const struct patience_facts *facts, uint64_t now_ns,
		   bool *say);

#endif
