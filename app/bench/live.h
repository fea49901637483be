/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack that answers Linux, in real time: on af_packet's ring over weir's end of the network. All
 * calls on the main lcore.
 */
#ifndef APP_BENCH_LIVE_H
#define APP_BENCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "sink.h"
#include "veth.h"
#include "weir.h"

#define LIVE_LISTENER 9000

struct live {
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *port;
	struct sink sink;
	double cycles_per_ns;
	double empty_cycles; /* of a poll while nothing comes */
	uint64_t empty;	     /* polls that found nothing */
};

/* NULL, or why not: then nothing is left. `policy` is an enum weir_ack_policy. */
const char *live_open(struct live *live, const struct veth *net, enum sink_kind kind,
		      uint32_t policy);
/* NULL, or what was wrong: a buffer missing. */
const char *live_close(struct live *live);

/* Poll for so long, or until `until` (may be NULL) says so. TSC cycles. */
uint64_t live_run(struct live *live, uint32_t ms, bool (*until)(const void *context),
		  const void *context);

#endif
