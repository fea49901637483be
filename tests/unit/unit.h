/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every test of Check includes. A file lists its cases in one function and names it in
 * UNIT_MAIN; any number of such files make one program, which runs the suites that it is asked for:
 *   units [SUITE...]
 */
#ifndef WEIR_TESTS_UNIT_H
#define WEIR_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

struct unit {
	const char *name;
	void (*add)(Suite *suite);
	struct unit *next;
};

void unit_register(struct unit *unit);

#define UNIT_MAIN(name_, add_)                                                                     \
	static void __attribute__((constructor)) unit_register_this(void)                          \
	{                                                                                          \
		static struct unit unit = {.name = name_, .add = add_};                            \
		unit_register(&unit);                                                              \
	}

/* A test case of its own, so that a failing one names the pitfall or behaviour. */
#define UNIT_CASE(suite, function)                                                                 \
	do {                                                                                       \
		TCase *tcase_ = tcase_create(#function);                                           \
		tcase_set_timeout(tcase_, 120);                                                    \
		tcase_add_test(tcase_, function);                                                  \
		suite_add_tcase(suite, tcase_);                                                    \
	} while (0)

/*
 * Check writes every assertion that holds to a file, to know the last one before a crash. That was
 * half of the time of a run; two stores and a signal handler know it too.
 */
extern const char *volatile unit_point_file;
extern volatile int unit_point_line;
#define _mark_point(file, line) ((void)(unit_point_file = (file), unit_point_line = (line)))

#endif
