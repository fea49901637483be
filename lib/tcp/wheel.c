/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Level 0 has a slot for each of the next 256 ms, level 1 one for each 256 ms, level 2 one for each
 * 65,536 ms. When the time enters the span of a slot of a higher level, its timers move down. The
 * slot of now_ms itself holds what was armed for the past.
 */
#include "tcp/wheel.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "flow/arena.h"

#define FIRST	 0x80000000u /* weir_wheel_node.prev: first of a slot */
#define SPAN_MAX ((1u << WEIR_WHEEL_BITS * WEIR_WHEEL_LEVELS) - 1)
#define WORD	 64

int
weir_wheel_open(struct weir_wheel *wheel, uint32_t size, uint32_t now_ms, int numa_node)
{
	if (size == 0 || size >= FIRST)
		return -EINVAL;
	memset(wheel, 0, sizeof(*wheel));
	wheel->nodes = weir_arena_alloc((size_t)size * sizeof(*wheel->nodes), numa_node);
	if (wheel->nodes == NULL)
		return -ENOMEM;
	wheel->size = size;
	wheel->now_ms = now_ms;
	wheel->late_ms = now_ms;
	return 0;
}

void
weir_wheel_close(struct weir_wheel *wheel)
{
	weir_arena_free(wheel->nodes, (size_t)wheel->size * sizeof(*wheel->nodes));
	memset(wheel, 0, sizeof(*wheel));
}

/* Milliseconds from b to a, negative when a is before b. */
static inline int32_t
ms_diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static inline uint32_t
slot_of(uint32_t ms, uint32_t level)
{
	return ms >> level * WEIR_WHEEL_BITS & (WEIR_WHEEL_SLOTS - 1);
}

static void
link_first(struct weir_wheel *wheel, uint32_t entry, uint32_t level, uint32_t slot)
{
	struct weir_wheel_node *node = &wheel->nodes[entry];
	uint32_t *head = &wheel->slots[level][slot];

	node->next = *head;
	node->prev = FIRST | level * WEIR_WHEEL_SLOTS | slot;
	if (*head != 0)
		wheel->nodes[*head - 1].prev = entry + 1;
	*head = entry + 1;
	wheel->occupied[level][slot / WORD] |= 1ull << slot % WORD;
}

static void
unlink_node(struct weir_wheel *wheel, struct weir_wheel_node *node)
{
	if (node->next != 0)
		wheel->nodes[node->next - 1].prev = node->prev;
	if (node->prev & FIRST) {
		uint32_t level = (node->prev & ~FIRST) / WEIR_WHEEL_SLOTS;
		uint32_t slot = node->prev % WEIR_WHEEL_SLOTS;

		wheel->slots[level][slot] = node->next;
		if (node->next == 0)
			wheel->occupied[level][slot / WORD] &= ~(1ull << slot % WORD);
	} else {
		wheel->nodes[node->prev - 1].next = node->next;
	}
	node->prev = 0;
}

/* Put a node into the slot for its deadline, which is not before now_ms. */
static void
place(struct weir_wheel *wheel, uint32_t entry)
{
	uint32_t due_ms = wheel->nodes[entry].due_ms;
	uint32_t wait_ms = due_ms - wheel->now_ms;
	uint32_t level = 0;

	if (wait_ms > SPAN_MAX) { /* comes back here when that time has come */
		wait_ms = SPAN_MAX;
		due_ms = wheel->now_ms + SPAN_MAX;
	}
	while (wait_ms >> (level + 1) * WEIR_WHEEL_BITS != 0)
		level++;
	link_first(wheel, entry, level, slot_of(due_ms, level));
}

void
weir_wheel_arm(struct weir_wheel *wheel, uint32_t entry, uint32_t due_ms)
{
	struct weir_wheel_node *node = &wheel->nodes[entry];

	assert(entry < wheel->size);
	if (node->prev != 0)
		unlink_node(wheel, node);
	else
		wheel->armed++;
	node->due_ms = ms_diff(due_ms, wheel->now_ms) > 0 ? due_ms : wheel->late_ms;
	place(wheel, entry);
}

void
weir_wheel_arm_by(struct weir_wheel *wheel, uint32_t entry, uint32_t due_ms)
{
	const struct weir_wheel_node *node = &wheel->nodes[entry];

	if (node->prev == 0 || ms_diff(due_ms, node->due_ms) < 0)
		weir_wheel_arm(wheel, entry, due_ms);
}

void
weir_wheel_cancel(struct weir_wheel *wheel, uint32_t entry)
{
	struct weir_wheel_node *node = &wheel->nodes[entry];

	if (node->prev == 0)
		return;
	unlink_node(wheel, node);
	wheel->armed--;
}

bool
weir_wheel_armed(const struct weir_wheel *wheel, uint32_t entry)
{
	return wheel->nodes[entry].prev != 0;
}

/* How many slots on from `from`, round the level, the first occupied one lies; WEIR_WHEEL_SLOTS
 * when all are empty. */
static uint32_t
first_occupied(const uint64_t *occupied, uint32_t from)
{
	uint32_t words = WEIR_WHEEL_SLOTS / WORD;
	uint64_t bits = occupied[from / WORD] >> from % WORD;
	uint32_t on = 0;

	if (bits != 0)
		return (uint32_t)__builtin_ctzll(bits);
	for (uint32_t i = 1; i <= words; i++) {
		on = i * WORD - from % WORD;
		bits = occupied[(from / WORD + i) % words];
		if (bits != 0)
			break;
	}
	if (bits == 0)
		return WEIR_WHEEL_SLOTS;
	return on + (uint32_t)__builtin_ctzll(bits);
}

/* Milliseconds until the time enters the span of the next occupied slot of `level`. */
static uint32_t
level_next(const struct weir_wheel *wheel, uint32_t level)
{
	uint32_t shift = level * WEIR_WHEEL_BITS;
	/* The higher slots that now_ms lies in were emptied: what is there is one turn off. */
	uint32_t behind = level != 0;
	uint32_t slot = (slot_of(wheel->now_ms, level) + behind) % WEIR_WHEEL_SLOTS;
	uint32_t on = first_occupied(wheel->occupied[level], slot);

	if (on == WEIR_WHEEL_SLOTS)
		return UINT32_MAX;
	return ((on + behind) << shift) - (wheel->now_ms & ((1u << shift) - 1));
}

uint32_t
weir_wheel_next(const struct weir_wheel *wheel)
{
	uint32_t next_ms = UINT32_MAX;

	if (wheel->armed == 0)
		return UINT32_MAX;
	for (uint32_t level = 0; level < WEIR_WHEEL_LEVELS; level++) {
		uint32_t ms = level_next(wheel, level);

		if (ms < next_ms)
			next_ms = ms;
	}
	return next_ms;
}

/* Timers of the slot whose span begins now move to lower levels. */
static void
cascade(struct weir_wheel *wheel, uint32_t level)
{
	uint32_t slot = slot_of(wheel->now_ms, level);
	uint32_t at = wheel->slots[level][slot];

	wheel->slots[level][slot] = 0;
	wheel->occupied[level][slot / WORD] &= ~(1ull << slot % WORD);
	while (at != 0) {
		uint32_t entry = at - 1;

		at = wheel->nodes[entry].next;
		place(wheel, entry);
	}
}

static void
step_to(struct weir_wheel *wheel, uint32_t now_ms)
{
	wheel->now_ms = now_ms;
	for (uint32_t level = WEIR_WHEEL_LEVELS - 1; level > 0; level--)
		if ((now_ms & ((1u << level * WEIR_WHEEL_BITS) - 1)) == 0)
			cascade(wheel, level);
}

/* Fire what is due at now_ms. The list is read anew each time: `fire` may cancel any of it. */
static uint32_t
fire_now(struct weir_wheel *wheel, uint32_t most, void (*fire)(void *user, uint32_t entry),
	 void *user)
{
	const uint32_t *head = &wheel->slots[0][slot_of(wheel->now_ms, 0)];
	uint32_t fired = 0;

	while (*head != 0 && fired < most) {
		uint32_t entry = *head - 1;

		weir_wheel_cancel(wheel, entry);
		fired++;
		fire(user, entry);
	}
	return fired;
}

uint32_t
weir_wheel_advance(struct weir_wheel *wheel, uint32_t now_ms, uint32_t most,
		   void (*fire)(void *user, uint32_t entry), void *user)
{
	uint32_t target = ms_diff(now_ms, wheel->now_ms) > 0 ? now_ms : wheel->now_ms;
	uint32_t fired = 0;

	wheel->late_ms = target + 1;
	for (;;) {
		uint32_t step_ms;

		fired += fire_now(wheel, most - fired, fire, user);
		if (wheel->now_ms == target) /* most polls find it so */
			break;
		step_ms = weir_wheel_next(wheel);
		if (step_ms == 0) /* `most` was reached */
			break;
		if (step_ms > target - wheel->now_ms) {
			wheel->now_ms = target;
			break;
		}
		step_to(wheel, wheel->now_ms + step_ms);
	}
	wheel->late_ms = wheel->now_ms;
	return fired;
}
