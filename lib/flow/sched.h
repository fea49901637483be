/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four classes of receive queues (TCPServers 3.3), round robin inside each. A class belongs to a
 * queue, never to a packet. Quantum and budget count segments, so the order of service does not
 * depend on the aggregation limit. Lists are linked through weir_flow.sched_next.
 */
#ifndef WEIR_FLOW_SCHED_H
#define WEIR_FLOW_SCHED_H

#include <stdint.h>

#include "flow/flow.h"

enum weir_class {
	WEIR_CLASS_FORWARDING, /* passed on to a host or guest; later */
	WEIR_CLASS_CONTROL,    /* connections being closed */
	WEIR_CLASS_READY,      /* something is queued */
	WEIR_CLASS_WAIT,       /* an open run is held for more segments */
	WEIR_CLASS_COUNT,
	WEIR_CLASS_IDLE = WEIR_CLASS_COUNT, /* nothing queued, on no list */
};

struct weir_sched_list {
	uint32_t head; /* WEIR_NONE: empty */
	uint32_t tail;
	uint32_t count;
};

struct weir_sched {
	struct weir_flow *flows;
	struct weir_sched_list lists[WEIR_CLASS_COUNT];
};

void weir_sched_init(struct weir_sched *sched, struct weir_flow *flows);

/* Put a flow that is on no list (WEIR_CLASS_IDLE) at the end of class `class`. */
void weir_sched_push(struct weir_sched *sched, uint32_t flow, enum weir_class class);

/* Take the next flow of the highest class that is not empty, WAIT excepted; it is IDLE then.
 * WEIR_NONE when there is none. */
uint32_t weir_sched_pop(struct weir_sched *sched);

/* First flow of a class without taking it, or WEIR_NONE. */
uint32_t weir_sched_peek(const struct weir_sched *sched, enum weir_class class);

/* Take the flow out of whatever list it is on; linear in the list, for closing flows and ended
 * holds only. */
void weir_sched_remove(struct weir_sched *sched, uint32_t flow);

#endif
