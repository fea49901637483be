/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four classes of receive queues (TCPServers 3.3), round robin inside each. A class belongs to a
 * queue, never to a packet. Quantum and budget count segments, so the order of service does not
 * depend on the aggregation limit. Lists are linked through weir_flow.sched_next.
 */
#ifndef WEIR_FLOW_SCHED_H
#define WEIR_FLOW_SCHED_H

#include <assert.h>
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
static inline void
weir_sched_push(struct weir_sched *sched, uint32_t flow, enum weir_class class)
{
	struct weir_sched_list *list = &sched->lists[class];
	struct weir_flow *f = &sched->flows[flow];

	assert(f->sched_class == WEIR_CLASS_IDLE);
	f->sched_class = (uint8_t)class;
	f->sched_next = WEIR_NONE;
	if (list->tail != WEIR_NONE)
		sched->flows[list->tail].sched_next = flow;
	else
		list->head = flow;
	list->tail = flow;
	list->count++;
}

/* Take the next flow of the highest class that is not empty, WAIT excepted; it is IDLE then.
 * WEIR_NONE when there is none. */
static inline uint32_t
weir_sched_pop(struct weir_sched *sched)
{
	for (uint32_t i = 0; i < WEIR_CLASS_WAIT; i++) {
		struct weir_sched_list *list = &sched->lists[i];
		uint32_t flow = list->head;
		struct weir_flow *f;

		if (flow == WEIR_NONE)
			continue;
		f = &sched->flows[flow];
		list->head = f->sched_next;
		if (list->head == WEIR_NONE)
			list->tail = WEIR_NONE;
		list->count--;
		f->sched_next = WEIR_NONE;
		f->sched_class = WEIR_CLASS_IDLE;
		return flow;
	}
	return WEIR_NONE;
}

/* First flow of a class without taking it, or WEIR_NONE. */
uint32_t weir_sched_peek(const struct weir_sched *sched, enum weir_class class);

/* Take the flow out of whatever list it is on; linear in the list, for closing flows and ended
 * holds only. */
void weir_sched_remove(struct weir_sched *sched, uint32_t flow);

#endif
