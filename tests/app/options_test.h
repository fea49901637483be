/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the tools' command lines share. Included once, behind the tool's options.h. */
#ifndef WEIR_TESTS_APP_OPTIONS_TEST_H
#define WEIR_TESTS_APP_OPTIONS_TEST_H

#include "../unit/unit.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 48

static struct options options;
static char error[OPTIONS_ERROR];

/* Parse a command line given as one text. */
static enum options_result
parse(const char *line)
{
	static char text[8192];
	char *words[WORDS_MAX], *state = NULL;
	int n = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &state); word != NULL && n < WORDS_MAX;
	     word = strtok_r(NULL, " ", &state))
		words[n++] = word;
	return options_parse(&options, n, words, error);
}

/* Refused with one line that holds both the thing and the mend. */
static void
refused(const char *line, const char *thing, const char *mend)
{
	enum options_result result = parse(line);

	ck_assert_msg(result == OPTIONS_BAD, "taken: %s", line);
	ck_assert_msg(strstr(error, thing) != NULL, "%s: no '%s' in: %s", line, thing, error);
	ck_assert_msg(strstr(error, mend) != NULL, "%s: no '%s' in: %s", line, mend, error);
	ck_assert_msg(strchr(error, '\n') == NULL, "%s: more than a line: %s", line, error);
}

static void
taken(const char *line)
{
	ck_assert_msg(parse(line) == OPTIONS_RUN, "%s: %s", line, error);
}

#endif
