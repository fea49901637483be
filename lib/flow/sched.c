/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/sched.h"

#include <assert.h>

void
weir_sched_init(struct weir_sched *sched, struct weir_flow *flows)
{
	sched->flows = flows;
	for (uint32_t i = 0; i < WEIR_CLASS_COUNT; i++)
		sched->lists[i] = (struct weir_sched_list){.head = WEIR_NONE, .tail = WEIR_NONE};
}

/* Take out the flow behind `prev`; `prev` is WEIR_NONE for the first. */
static void
unlink_after(struct weir_sched *sched, struct weir_sched_list *list, uint32_t prev, uint32_t flow)
{
	struct weir_flow *f = &sched->flows[flow];

	if (prev != WEIR_NONE)
		sched->flows[prev].sched_next = f->sched_next;
	else
		list->head = f->sched_next;
	if (list->tail == flow)
		list->tail = prev;
	list->count--;
	f->sched_next = WEIR_NONE;
	f->sched_class = WEIR_CLASS_IDLE;
}

uint32_t
weir_sched_peek(const struct weir_sched *sched, enum weir_class class)
{
	return sched->lists[class].head;
}

void
weir_sched_remove(struct weir_sched *sched, uint32_t flow)
{
	uint32_t class = sched->flows[flow].sched_class;
	struct weir_sched_list *list;
	uint32_t prev = WEIR_NONE;

	if (class == WEIR_CLASS_IDLE)
		return;
	list = &sched->lists[class];
	for (uint32_t at = list->head; at != flow; at = sched->flows[at].sched_next) {
		assert(at != WEIR_NONE);
		prev = at;
	}
	unlink_after(sched, list, prev, flow);
}
