/* SPDX-License-Identifier: BSD-3-Clause */
/* ck_assert() writes to a file each time, which is too slow for what holds millions of times. */
#ifndef WEIR_TESTS_MUST_H
#define WEIR_TESTS_MUST_H

#include <check.h>

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

#endif
