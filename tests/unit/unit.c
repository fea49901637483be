/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

const char *volatile unit_point_file;
volatile int unit_point_line;

static struct unit *units;

/* By name, so that the order does not depend on the linker. */
void
unit_register(struct unit *unit)
{
	struct unit **at = &units;

	while (*at != NULL && strcmp((*at)->name, unit->name) < 0)
		at = &(*at)->next;
	unit->next = *at;
	*at = unit;
}

/* Tell Check the last assertion that held, then crash as before. */
static void
tell_point(int sig)
{
	signal(sig, SIG_DFL);
	if (unit_point_file != NULL)
		(_mark_point)(unit_point_file, unit_point_line);
	raise(sig);
}

/* A sanitizer's own handlers stay: they say more. */
static void
handle_crashes(void)
{
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction old, new = {.sa_handler = tell_point};

	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (sigaction(sigs[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(sigs[i], &new, NULL);
}

static int
wanted(const char *name, int n_names, char **names)
{
	for (int i = 0; i < n_names; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return n_names == 0;
}

int
main(int argc, char **argv)
{
	SRunner *runner = NULL;
	int n = 0, failed;

	handle_crashes();
	for (struct unit *unit = units; unit != NULL; unit = unit->next) {
		Suite *suite;

		if (!wanted(unit->name, argc - 1, argv + 1))
			continue;
		suite = suite_create(unit->name);
		unit->add(suite);
		if (runner == NULL)
			runner = srunner_create(suite);
		else
			srunner_add_suite(runner, suite);
		n++;
	}
	if (n == 0 || (argc > 1 && n != argc - 1)) {
		fprintf(stderr, "%s: names a suite that no UNIT_MAIN has, or one twice\n", argv[0]);
		return EXIT_FAILURE;
	}
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
