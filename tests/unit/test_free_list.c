/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <string.h>

#include "flow/flow.h"
#include "flow/free_list.h"
#include "tests/unit/unit.h"

struct entry {
	uint64_t body;
	uint32_t link;
};

/* Against a stack of numbers: last given is first taken, no number twice, none beyond the end. */
START_TEST(free_list_model)
{
	enum { SIZE = 37 };
	struct entry entries[SIZE];
	struct weir_free_list list = {.size = SIZE};
	uint32_t given[SIZE], n_given = 0, taken[SIZE], n_taken = 0, fresh = 0, random = 1;

	memset(entries, 0xee, sizeof(entries));
	for (int step = 0; step < 20000; step++) {
		random = random * 1664525 + 1013904223;
		if (random >> 31 != 0) {
			uint32_t i = weir_free_list_take(&list, entries, sizeof(entries[0]),
							 offsetof(struct entry, link));

			if (n_taken == SIZE) {
				ck_assert_uint_eq(i, WEIR_NONE);
				continue;
			}
			ck_assert_uint_eq(i, n_given != 0 ? given[n_given - 1] : fresh);
			if (n_given != 0)
				n_given--;
			else
				fresh++;
			taken[n_taken++] = i;
		} else if (n_taken != 0) {
			uint32_t at = (random >> 8) % n_taken, i = taken[at];

			taken[at] = taken[--n_taken];
			given[n_given++] = i;
			weir_free_list_give(&list, entries, sizeof(entries[0]),
					    offsetof(struct entry, link), i);
			ck_assert_uint_eq(entries[i].body, 0xeeeeeeeeeeeeeeee);
		}
		ck_assert_uint_eq(list.used, n_taken);
		ck_assert_uint_eq(list.touched, fresh);
	}
	ck_assert_uint_eq(fresh, SIZE);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, free_list_model);
}

UNIT_MAIN("free_list", add)
