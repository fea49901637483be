/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Timer wheel: one timer per entry (flows, SYN-RECEIVED, TIME-WAIT share one numbering), one
 * millisecond fine, hierarchical, 12 bytes an entry. It reads no clock. A timer is cheap to leave
 * armed too early: whoever it wakes looks at its own deadlines and arms again.
 */
#ifndef WEIR_TCP_WHEEL_H
#define WEIR_TCP_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WEIR_WHEEL_BITS   8
#define WEIR_WHEEL_SLOTS  (1u << WEIR_WHEEL_BITS)
#define WEIR_WHEEL_LEVELS 3 /* 2^24 ms = 4.6 hours; later deadlines wait in the last level */

/* All zero, as memory comes, means not armed. */
struct weir_wheel_node {
	uint32_t next;   /* index + 1, 0 ends */
	uint32_t prev;   /* 0: not armed; top bit set: first of the slot that the rest numbers; else
			    index + 1 */
	uint32_t due_ms;
};

struct weir_wheel {
	struct weir_wheel_node *nodes;
	uint32_t size;
	uint32_t armed;
	uint32_t now_ms;  /* every timer due before it has fired */
	uint32_t late_ms; /* when a timer fires that is armed for the past */
	uint32_t slots[WEIR_WHEEL_LEVELS][WEIR_WHEEL_SLOTS]; /* index + 1 of the first, 0: empty */
	uint64_t occupied[WEIR_WHEEL_LEVELS][WEIR_WHEEL_SLOTS / 64]; /* one bit a slot */
};

int weir_wheel_open(struct weir_wheel *wheel, uint32_t size, uint32_t now_ms, int numa_node);
void weir_wheel_close(struct weir_wheel *wheel);

/* Fire entry at due_ms (now_ms modulo 2^32; at once if past), replacing an earlier arming. O(1). */
void weir_wheel_arm(struct weir_wheel *wheel, uint32_t entry, uint32_t due_ms);
/* Only bring a deadline forward: arm when not armed or armed for later. */
void weir_wheel_arm_by(struct weir_wheel *wheel, uint32_t entry, uint32_t due_ms);
void weir_wheel_cancel(struct weir_wheel *wheel, uint32_t entry);
/* Of an armed entry. */
static inline uint32_t
weir_wheel_due_ms(const struct weir_wheel *wheel, uint32_t entry)
{
	return wheel->nodes[entry].due_ms;
}
bool weir_wheel_armed(const struct weir_wheel *wheel, uint32_t entry);

/*
 * Advance to now_ms and call `fire` for each entry that is due, in order of milliseconds; entries
 * are disarmed before the call and may be armed again in it: for the past counts as now_ms + 1 then,
 * so that nothing comes round twice in one call for being late. At most `most` calls; returns how
 * many, and if `most` was reached, the rest follows on the next call. `fire` must not advance.
 */
uint32_t weir_wheel_advance(struct weir_wheel *wheel, uint32_t now_ms, uint32_t most,
			    void (*fire)(void *user, uint32_t entry), void *user);

/*
 * Milliseconds from wheel->now_ms until the wheel next has to be advanced: never later than the
 * first deadline, possibly earlier. UINT32_MAX when nothing is armed.
 */
uint32_t weir_wheel_next(const struct weir_wheel *wheel);

#endif
