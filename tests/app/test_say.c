/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines that are too long keep both ends. */
#include "../unit/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli/say.h"

#define SIZE 64

__attribute__((format(printf, 2, 3))) static void
fit(char *to, const char *format, ...)
{
	va_list args;

	memset(to, 'x', SIZE + 1);
	va_start(args, format);
	say_fit(to, SIZE, format, args);
	va_end(args);
	ck_assert_int_eq(to[SIZE], 'x');
}

static long
ftell_end(FILE *file)
{
	return fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
}

START_TEST(what_fits)
{
	char line[SIZE + 1], all[SIZE];

	fit(line, "--ip: '%s' is wrong", "");
	ck_assert_str_eq(line, "--ip: '' is wrong");
	memset(all, 'a', sizeof(all) - 1);
	all[sizeof(all) - 1] = '\0';
	fit(line, "%s", all);
	ck_assert_str_eq(line, all);
}
END_TEST

/* From one byte too many on. */
START_TEST(what_does_not)
{
	char line[SIZE + 1], value[4096];

	for (size_t len = SIZE - 14; len < sizeof(value); len++) {
		memset(value, 'a', len);
		value[len] = '\0';
		fit(line, "--ip: '%s' give 1", value);
		if (len + 15 < SIZE)
			continue;
		ck_assert_uint_eq(strlen(line), SIZE - 1);
		ck_assert_msg(strncmp(line, "--ip: 'aaaaaaaaaaaaaaaaaaaaaa", 29) == 0, "%s", line);
		ck_assert_ptr_nonnull(strstr(line, "a ... a"));
		ck_assert_str_eq(line + SIZE - 1 - 10, "aa' give 1");
	}
}
END_TEST

START_TEST(one_line)
{
	char line[SIZE + 1];

	fit(line, "'%s' is no number", "1\n2\r\033[2J\177\xc3\xa4");
	ck_assert_str_eq(line, "'1?2??[2J?\xc3\xa4' is no number");
}
END_TEST

/* Each check runs in a process of its own. */
START_TEST(lost_output_is_told_once)
{
	FILE *said = tmpfile();
	int err = dup(STDERR_FILENO);

	ck_assert_ptr_nonnull(said);
	ck_assert_ptr_nonnull(freopen("/dev/full", "w", stdout));
	ck_assert_int_ge(dup2(fileno(said), STDERR_FILENO), 0);
	puts("lost");
	ck_assert(!say_printed());
	ck_assert_int_gt(ftell_end(said), 0);
	ck_assert_int_eq(ftruncate(fileno(said), 0), 0);
	say_told();
	puts("lost, too");
	ck_assert(!say_printed());
	ck_assert_int_eq(ftell_end(said), 0);
	ck_assert_int_ge(dup2(err, STDERR_FILENO), 0);
	fclose(said);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, what_fits);
	UNIT_CASE(s, what_does_not);
	UNIT_CASE(s, one_line);
	UNIT_CASE(s, lost_output_is_told_once);
}

UNIT_MAIN("app_say", add)
