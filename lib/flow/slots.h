/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connection handles: {generation, slot} in 64 bits, resolved through one table per stack, so that a
 * handle survives the move of its flow. A stale handle is told from a live one by its generation.
 */
#ifndef WEIR_FLOW_SLOTS_H
#define WEIR_FLOW_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include <rte_prefetch.h>

struct weir_slot {
	uint32_t gen; /* odd while in use */
	uint32_t flow; /* in use: flow index; free: next free slot + 1, 0: last */
	uint16_t engine;
	uint16_t spare[3];
};
_Static_assert(sizeof(struct weir_slot) == 16, "an idle connection pays for it");

struct weir_slots {
	struct weir_slot *slots;
	uint32_t size;
	uint32_t free; /* index + 1 */
	uint32_t touched;
	uint32_t used;
};

int weir_slots_open(struct weir_slots *slots, uint32_t size, int node);
void weir_slots_close(struct weir_slots *slots);

/* Handle of a new slot that names `flow` on `engine`; 0 when none is left. Never 0 otherwise. */
uint64_t weir_slots_take(struct weir_slots *slots, uint16_t engine, uint32_t flow);
/* -EBADF when stale. */
int weir_slots_give(struct weir_slots *slots, uint64_t conn);
/* `conn`, a valid handle, will be looked up soon. */
static inline void
weir_slots_prefetch(const struct weir_slots *slots, uint64_t conn)
{
	rte_prefetch0(&slots->slots[(uint32_t)conn]);
}

/* The slot, or NULL when the handle is stale or was never given out. */
static inline struct weir_slot *
weir_slots_find(const struct weir_slots *slots, uint64_t conn)
{
	uint32_t idx = (uint32_t)conn;
	uint32_t gen = (uint32_t)(conn >> 32);

	if (idx >= slots->touched || (gen & 1) == 0 || slots->slots[idx].gen != gen)
		return NULL;
	return &slots->slots[idx];
}

#endif
