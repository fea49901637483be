/* SPDX-License-Identifier: BSD-3-Clause */
/* /proc/stat and /proc/PID/stat as Linux writes them. */
#include "../unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../app/bench/core_time.h"

static const char text[] = "cpu  145403 18185 37731 235806 1558 0 594 193 0 0\n"
			   "cpu0 22413 9057 19266 167690 808 0 54 109 0 0\n"
			   "cpu1 122990 9128 18464 68116 749 0 540 84 0 0\n"
			   "cpu10 1 2 3 4 5 6 7 8 9 10\n"
			   "intr 17 0 0\n";

START_TEST(each_core_has_its_own_line)
{
	struct core_time time;

	ck_assert_int_eq(core_time_parse(text, 0, &time), 0);
	ck_assert_uint_eq(time.user, 22413 + 9057);
	ck_assert_uint_eq(time.idle, 167690 + 808);
	ck_assert_uint_eq(time.steal, 109);
	ck_assert_int_eq(core_time_parse(text, 1, &time), 0);
	ck_assert_uint_eq(time.idle, 68116 + 749);
	ck_assert_int_eq(core_time_parse(text, 10, &time), 0);
	ck_assert_uint_eq(time.user, 1 + 2);
	ck_assert_uint_eq(time.idle, 4 + 5);
	ck_assert_uint_eq(time.steal, 8);
}
END_TEST

START_TEST(a_core_that_is_not_there_or_cut_off_is_an_error)
{
	struct core_time time;

	ck_assert_int_eq(core_time_parse(text, 2, &time), -ENOENT);
	ck_assert_int_eq(core_time_parse("", 0, &time), -ENOENT);
	ck_assert_int_eq(core_time_parse("cpu 1 2\ncpu0 1 2 3 4\nintr 5\n", 0, &time), -ENOENT);
}
END_TEST

START_TEST(what_a_process_burns_is_its_own)
{
	uint64_t before = core_time_process_user(getpid());
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		volatile uint64_t turns = 1;

		while (turns % 1000000 != 0 || clock() < CLOCKS_PER_SEC / 5)
			turns++;
		raise(SIGSTOP);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
	/* 200 ms in ticks of 10 ms, of which samples may miss some */
	ck_assert_uint_ge(core_time_process_user(pid), 10);
	ck_assert_uint_le(core_time_process_user(getpid()) - before, 10);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_uint_eq(core_time_process_user(pid), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, each_core_has_its_own_line);
	UNIT_CASE(s, a_core_that_is_not_there_or_cut_off_is_an_error);
	UNIT_CASE(s, what_a_process_burns_is_its_own);
}

UNIT_MAIN("app_core_time", add)
