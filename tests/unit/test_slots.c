/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/slots.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

START_TEST(sizes_are_checked)
{
	struct weir_slots slots;

	ck_assert_int_eq(weir_slots_open(&slots, 0, -1), -EINVAL);
	ck_assert_int_eq(weir_slots_open(&slots, UINT32_MAX, -1), -EINVAL);
	ck_assert_int_eq(weir_slots_open(&slots, 1, -1), 0);
	weir_slots_close(&slots);
	weir_slots_close(&slots);
}
END_TEST

START_TEST(a_handle_finds_its_flow)
{
	struct weir_slots slots;
	struct weir_slot *slot;
	uint64_t conn;

	ck_assert_int_eq(weir_slots_open(&slots, 10, -1), 0);
	conn = weir_slots_take(&slots, 3, 70000);
	ck_assert_uint_ne(conn, 0);
	slot = weir_slots_find(&slots, conn);
	ck_assert_ptr_nonnull(slot);
	ck_assert_uint_eq(slot->engine, 3);
	ck_assert_uint_eq(slot->flow, 70000);
	ck_assert_uint_eq(slots.used, 1);
	/* The flow moves: the handle stays. */
	slot->engine = 4;
	slot->flow = 5;
	ck_assert_ptr_eq(weir_slots_find(&slots, conn), slot);
	ck_assert_int_eq(weir_slots_give(&slots, conn), 0);
	ck_assert_uint_eq(slots.used, 0);
	weir_slots_close(&slots);
}
END_TEST

START_TEST(a_stale_handle_is_told)
{
	struct weir_slots slots;
	uint64_t old, new;

	ck_assert_int_eq(weir_slots_open(&slots, 1, -1), 0);
	old = weir_slots_take(&slots, 0, 1);
	ck_assert_int_eq(weir_slots_give(&slots, old), 0);
	ck_assert_ptr_null(weir_slots_find(&slots, old));
	ck_assert_int_eq(weir_slots_give(&slots, old), -EBADF);
	new = weir_slots_take(&slots, 0, 2);
	ck_assert_uint_ne(new, 0);
	ck_assert_uint_ne(new, old);
	ck_assert_ptr_null(weir_slots_find(&slots, old));
	ck_assert_int_eq(weir_slots_give(&slots, old), -EBADF);
	ck_assert_ptr_nonnull(weir_slots_find(&slots, new));
	ck_assert_uint_eq(slots.used, 1);
	weir_slots_close(&slots);
}
END_TEST

START_TEST(forged_handles_are_refused)
{
	struct weir_slots slots;
	uint64_t conn;

	ck_assert_int_eq(weir_slots_open(&slots, 4, -1), 0);
	ck_assert_ptr_null(weir_slots_find(&slots, 0));
	ck_assert_ptr_null(weir_slots_find(&slots, 1ull << 32));
	conn = weir_slots_take(&slots, 0, 1);
	ck_assert_ptr_null(weir_slots_find(&slots, 0));
	ck_assert_ptr_null(weir_slots_find(&slots, conn + 1)); /* slot never used */
	ck_assert_ptr_null(weir_slots_find(&slots, conn + 4)); /* no such slot */
	ck_assert_ptr_null(weir_slots_find(&slots, conn | 0xffffffff));
	ck_assert_ptr_null(weir_slots_find(&slots, conn + (1ull << 32)));
	ck_assert_ptr_null(weir_slots_find(&slots, conn + (2ull << 32)));
	/* A free slot has an even generation; a handle that says so is not valid for it. */
	ck_assert_int_eq(weir_slots_give(&slots, conn), 0);
	ck_assert_ptr_null(weir_slots_find(&slots, conn + (1ull << 32)));
	ck_assert_int_eq(weir_slots_give(&slots, 0), -EBADF);
	ck_assert_int_eq(weir_slots_give(&slots, UINT64_MAX), -EBADF);
	weir_slots_close(&slots);
}
END_TEST

START_TEST(full_table_gives_zero)
{
	enum { SIZE = 100 };
	struct weir_slots slots;
	uint64_t conns[SIZE];

	ck_assert_int_eq(weir_slots_open(&slots, SIZE, -1), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		ck_assert_uint_ne(conns[i] = weir_slots_take(&slots, 0, i), 0);
	ck_assert_uint_eq(weir_slots_take(&slots, 0, 7), 0);
	ck_assert_uint_eq(slots.used, SIZE);
	for (uint32_t i = 0; i < SIZE; i++)
		ck_assert_uint_eq(weir_slots_find(&slots, conns[i])->flow, i);
	ck_assert_int_eq(weir_slots_give(&slots, conns[50]), 0);
	ck_assert_uint_ne(weir_slots_take(&slots, 0, 50), 0);
	ck_assert_uint_eq(weir_slots_take(&slots, 0, 7), 0);
	weir_slots_close(&slots);
}
END_TEST

/* A slot whose generations are spent is not used again: the very first handle stays stale. */
START_TEST(generation_wrap_revives_nothing)
{
	struct weir_slots slots;
	uint64_t first, last, other;

	ck_assert_int_eq(weir_slots_open(&slots, 2, -1), 0);
	first = weir_slots_take(&slots, 0, 1);
	ck_assert_int_eq(weir_slots_give(&slots, first), 0);
	slots.slots[0].gen = UINT32_MAX - 1; /* two thousand million uses later */
	last = weir_slots_take(&slots, 0, 2);
	ck_assert_uint_eq(last >> 32, UINT32_MAX);
	ck_assert_ptr_nonnull(weir_slots_find(&slots, last));
	ck_assert_int_eq(weir_slots_give(&slots, last), 0);
	ck_assert_uint_eq(slots.used, 0);
	other = weir_slots_take(&slots, 0, 3);
	ck_assert_uint_eq((uint32_t)other, 1);
	ck_assert_uint_eq(weir_slots_take(&slots, 0, 4), 0);
	ck_assert_ptr_null(weir_slots_find(&slots, first));
	ck_assert_ptr_null(weir_slots_find(&slots, last));
	weir_slots_close(&slots);
}
END_TEST

/* All handles ever given out against what the model says of each. */
START_TEST(behaves_like_a_list_of_handles)
{
	enum { SIZE = 50, STEPS = 20000 };
	static struct {
		uint64_t conn;
		uint32_t flow, live;
	} all[STEPS];
	struct weir_slots slots;
	uint32_t n = 0, live = 0;

	random_state = 5;
	ck_assert_int_eq(weir_slots_open(&slots, SIZE, -1), 0);
	for (uint32_t step = 0; step < STEPS; step++) {
		if (random_below(2) != 0) {
			uint64_t conn = weir_slots_take(&slots, 1, step);

			ck_assert((conn != 0) == (live < SIZE));
			if (conn != 0) {
				all[n].conn = conn;
				all[n].flow = step;
				all[n++].live = 1;
				live++;
			}
		} else if (n != 0) {
			uint32_t back = random_below(n < 100 ? n : 100), i = n - 1 - back;

			ck_assert_int_eq(weir_slots_give(&slots, all[i].conn),
					 all[i].live ? 0 : -EBADF);
			live -= all[i].live;
			all[i].live = 0;
		}
		ck_assert_uint_eq(slots.used, live);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct weir_slot *slot = weir_slots_find(&slots, all[i].conn);

		ck_assert((slot != NULL) == (all[i].live != 0));
		if (slot != NULL)
			ck_assert_uint_eq(slot->flow, all[i].flow);
	}
	ck_assert_uint_gt(n, 20 * SIZE);
	weir_slots_close(&slots);
}
END_TEST

START_TEST(pitfall_09_more_than_65536_slots)
{
	enum { N = 200000 };
	struct weir_slots slots;
	uint64_t *conns = calloc(N, sizeof(*conns));

	ck_assert_ptr_nonnull(conns);
	ck_assert_int_eq(weir_slots_open(&slots, N, -1), 0);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_ne(conns[i] = weir_slots_take(&slots, 0, i ^ 0x15555), 0);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_eq(weir_slots_find(&slots, conns[i])->flow, i ^ 0x15555);
	weir_slots_close(&slots);
	free(conns);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, a_handle_finds_its_flow);
	UNIT_CASE(s, a_stale_handle_is_told);
	UNIT_CASE(s, forged_handles_are_refused);
	UNIT_CASE(s, full_table_gives_zero);
	UNIT_CASE(s, generation_wrap_revives_nothing);
	UNIT_CASE(s, behaves_like_a_list_of_handles);
	UNIT_CASE(s, pitfall_09_more_than_65536_slots);
}

UNIT_MAIN("slots", add)
