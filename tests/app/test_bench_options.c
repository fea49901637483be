/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of cases among options. */
#include "../unit/unit.h"

#include <string.h>

#include "options.h"

#include "app/cli/say.h"

const char say_name[] = "weir-bench";

static const struct options_name names[] = {{"bulk", true}, {"copy", true}, {"kernel", false}};
static struct options options;
static char error[OPTIONS_ERROR];

/* Up to five words. */
static enum options_result
parse(const char *a, const char *b, const char *c, const char *d)
{
	char *words[] = {(char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)c,
			 (char *)(uintptr_t)d};
	int n = 0;

	while (n < 4 && words[n] != NULL)
		n++;
	error[0] = '\0';
	return options_parse(&options, n, words, names, 3, error);
}

START_TEST(cases)
{
	ck_assert_int_eq(parse("copy", NULL, NULL, NULL), OPTIONS_RUN);
	ck_assert_uint_eq(options.cases, 2);
	ck_assert_uint_eq(options.rounds, 15);
	ck_assert(!options.json && !options.in_short && !options.strict);
	ck_assert_int_eq(parse("all", NULL, NULL, NULL), OPTIONS_RUN);
	ck_assert_uint_eq(options.cases, 3);
	ck_assert_int_eq(parse("kernel", "all", NULL, NULL), OPTIONS_RUN);
	ck_assert_uint_eq(options.cases, 7);
}
END_TEST

START_TEST(words)
{
	ck_assert_int_eq(parse("--json", "bulk", "--short", "--strict"), OPTIONS_RUN);
	ck_assert(options.json && options.in_short && options.strict);
	ck_assert_uint_eq(options.rounds, 1);
	ck_assert_int_eq(parse("--rounds", "7", "bulk", "--short"), OPTIONS_RUN);
	ck_assert_uint_eq(options.rounds, 7);
	ck_assert_uint_eq(options.cases, 1);
	ck_assert_int_eq(parse("bulk", "--rounds=101", NULL, NULL), OPTIONS_RUN);
	ck_assert_uint_eq(options.rounds, 101);
	ck_assert_int_eq(parse("bulk", "--help", "nonsense", NULL), OPTIONS_HELP);
	ck_assert_int_eq(parse("--version", NULL, NULL, NULL), OPTIONS_VERSION);
}
END_TEST

static void
refused(const char *a, const char *b, const char *why)
{
	ck_assert_int_eq(parse(a, b, NULL, NULL), OPTIONS_BAD);
	ck_assert_msg(strstr(error, why) != NULL, "%s", error);
	ck_assert_ptr_null(strchr(error, '\n'));
}

START_TEST(bad_words)
{
	refused("bulk", "tofu", "'tofu' is no case: give all");
	refused("--json", NULL, "no case is named");
	refused("bulk", "--rounds", "--rounds has no value");
	refused("bulk", "--rounds=0", "--rounds: '0' is out of range: give 1 to 101");
	refused("bulk", "--rounds=102", "out of range");
	refused("--rounds", "bulk", "--rounds: 'bulk'");
	refused("bulk", "--json=1", "--json takes no value");
	refused("bulk", "--quick", "--quick: there is no such option");
}
END_TEST

START_TEST(begin)
{
	char *plain[] = {(char[]){"weir-bench"}, (char[]){"bulk"}};
	char *with[] = {(char[]){"weir-bench"}, (char[]){"-l"}, (char[]){"1"}, (char[]){"--"},
			(char[]){"bulk"}};

	ck_assert_int_eq(options_begin(2, plain), 1);
	ck_assert_int_eq(options_begin(5, with), 4);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, cases);
	UNIT_CASE(s, words);
	UNIT_CASE(s, bad_words);
	UNIT_CASE(s, begin);
}

UNIT_MAIN("app_bench_options", add)
