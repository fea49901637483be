/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/slots.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "flow/arena.h"

int
weir_slots_open(struct weir_slots *slots, uint32_t size, int node)
{
	if (size == 0 || size == UINT32_MAX)
		return -EINVAL;
	memset(slots, 0, sizeof(*slots));
	slots->slots = weir_arena_alloc((size_t)size * sizeof(*slots->slots), node);
	if (slots->slots == NULL)
		return -ENOMEM;
	slots->size = size;
	return 0;
}

void
weir_slots_close(struct weir_slots *slots)
{
	weir_arena_free(slots->slots, (size_t)slots->size * sizeof(*slots->slots));
	memset(slots, 0, sizeof(*slots));
}

uint64_t
weir_slots_take(struct weir_slots *slots, uint16_t engine, uint32_t flow)
{
	struct weir_slot *slot;
	uint32_t idx;

	if (slots->free != 0) {
		idx = slots->free - 1;
		slots->free = slots->slots[idx].flow;
	} else if (slots->touched < slots->size) {
		idx = slots->touched++;
	} else {
		return 0;
	}
	slot = &slots->slots[idx];
	slot->gen++;
	slot->flow = flow;
	slot->engine = engine;
	slots->used++;
	return (uint64_t)slot->gen << 32 | idx;
}

int
weir_slots_give(struct weir_slots *slots, uint64_t conn)
{
	struct weir_slot *slot = weir_slots_find(slots, conn);

	if (slot == NULL)
		return -EBADF;
	slots->used--;
	slot->gen++;
	/* After 2^31 uses the generations of a slot are spent: it is never used again, so that no
	 * handle, however old, becomes valid a second time. */
	if (slot->gen == 0)
		return 0;
	slot->flow = slots->free;
	slots->free = (uint32_t)conn + 1;
	return 0;
}
