/* SPDX-License-Identifier: BSD-3-Clause */
/* One Check program per twin test: list its test cases in UNIT_MAIN. */
#ifndef WEIR_TESTS_UNIT_H
#define WEIR_TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

typedef void (*unit_add)(Suite *suite);

static inline int
unit_run(const char *name, const unit_add *add, size_t n)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	for (size_t i = 0; i < n; i++)
		add[i](suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A test case of its own, so that a failing one names the pitfall or behaviour. */
#define UNIT_CASE(suite, function)                                                                 \
	do {                                                                                       \
		TCase *tcase_ = tcase_create(#function);                                           \
		tcase_set_timeout(tcase_, 120);                                                    \
		tcase_add_test(tcase_, function);                                                  \
		suite_add_tcase(suite, tcase_);                                                    \
	} while (0)

#define UNIT_MAIN(name, ...)                                                                       \
	int main(void)                                                                             \
	{                                                                                          \
		static const unit_add add_[] = {__VA_ARGS__};                                      \
		return unit_run(name, add_, sizeof(add_) / sizeof(add_[0]));                       \
	}

#endif
