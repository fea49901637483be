/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/wheel.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#define ENTRIES 200

static struct weir_wheel wheel;

static void
open_at(uint32_t size, uint32_t now_ms)
{
	ck_assert_int_eq(weir_wheel_open(&wheel, size, now_ms, -1), 0);
}

/* What fired, and when by the wheel's own time. */
static struct {
	uint32_t entry[4096];
	uint32_t at_ms[4096];
	uint32_t n;
} fired;

static void
note(void *user, uint32_t entry)
{
	(void)user;
	ck_assert_uint_lt(fired.n, 4096);
	ck_assert(!weir_wheel_armed(&wheel, entry));
	fired.entry[fired.n] = entry;
	fired.at_ms[fired.n++] = wheel.now_ms;
}

static uint32_t
advance(uint32_t now_ms)
{
	fired.n = 0;
	return weir_wheel_advance(&wheel, now_ms, UINT32_MAX, note, NULL);
}

START_TEST(sizes_are_checked)
{
	ck_assert_int_eq(weir_wheel_open(&wheel, 0, 0, -1), -EINVAL);
	ck_assert_int_eq(weir_wheel_open(&wheel, UINT32_MAX, 0, -1), -EINVAL);
	open_at(1, 77);
	ck_assert_uint_eq(wheel.now_ms, 77);
	ck_assert(!weir_wheel_armed(&wheel, 0));
	ck_assert_uint_eq(weir_wheel_next(&wheel), UINT32_MAX);
	ck_assert_uint_eq(advance(1000), 0);
	ck_assert_uint_eq(wheel.now_ms, 1000);
	weir_wheel_close(&wheel);
}
END_TEST

/* Each delay, from each phase of the wheel, fires in its own millisecond and not one before. */
START_TEST(fires_in_its_millisecond)
{
	static const uint32_t delays[] = {
	    1,	   2,	  255,	  256,		 257,	  511,		 512,	  65535,
	    65536, 65537, 131071, (1 << 24) - 1, 1 << 24, (1 << 24) + 1, 1 << 30, INT32_MAX};
	static const uint32_t starts[] = {0,	      1,	  255,	      256,
					  65535,      65536,	  0x00ffffff, 0x7fffffff,
					  0xffff0000, 0xffffff00, 0xffffffff};

	for (size_t s = 0; s < sizeof(starts) / sizeof(starts[0]); s++)
		for (size_t d = 0; d < sizeof(delays) / sizeof(delays[0]); d++) {
			uint32_t due_ms = starts[s] + delays[d];

			open_at(4, starts[s]);
			weir_wheel_arm(&wheel, 3, due_ms);
			ck_assert(weir_wheel_armed(&wheel, 3));
			ck_assert_uint_eq(wheel.armed, 1);
			ck_assert_uint_eq(advance(due_ms - 1), 0);
			ck_assert_uint_eq(weir_wheel_next(&wheel), 1);
			ck_assert_uint_eq(advance(due_ms), 1);
			ck_assert_uint_eq(fired.entry[0], 3);
			ck_assert_uint_eq(fired.at_ms[0], due_ms);
			ck_assert_uint_eq(wheel.armed, 0);
			ck_assert_uint_eq(weir_wheel_next(&wheel), UINT32_MAX);
			weir_wheel_close(&wheel);
		}
}
END_TEST

START_TEST(arm_replaces_and_arm_by_only_hastens)
{
	open_at(2, 0xfffffff0);
	weir_wheel_arm(&wheel, 0, 10);
	weir_wheel_arm_by(&wheel, 0, 20); /* later: left alone */
	ck_assert_uint_eq(advance(9), 0);
	ck_assert_uint_eq(advance(10), 1);
	weir_wheel_arm(&wheel, 0, 500);
	weir_wheel_arm(&wheel, 0, 700); /* replaced, later */
	ck_assert_uint_eq(wheel.armed, 1);
	ck_assert_uint_eq(advance(699), 0);
	weir_wheel_arm(&wheel, 0, 1000);
	weir_wheel_arm_by(&wheel, 0, 705); /* sooner */
	weir_wheel_arm_by(&wheel, 1, 702); /* was not armed */
	ck_assert_uint_eq(advance(705), 2);
	ck_assert_uint_eq(fired.at_ms[0], 702);
	ck_assert_uint_eq(fired.at_ms[1], 705);
	ck_assert_uint_eq(advance(5000), 0);
	weir_wheel_close(&wheel);
}
END_TEST

/* First, middle and last of one slot's list. */
START_TEST(cancel_takes_out_any_of_a_slot)
{
	static const uint32_t delays[] = {5, 300, 70000};

	for (uint32_t d = 0; d < 3; d++)
		for (uint32_t out = 0; out < 4; out++) {
			open_at(4, 0);
			for (uint32_t i = 0; i < 4; i++)
				weir_wheel_arm(&wheel, i, delays[d]);
			weir_wheel_cancel(&wheel, out);
			weir_wheel_cancel(&wheel, out); /* not armed: nothing happens */
			ck_assert(!weir_wheel_armed(&wheel, out));
			ck_assert_uint_eq(wheel.armed, 3);
			ck_assert_uint_eq(advance(delays[d]), 3);
			for (uint32_t i = 0; i < 3; i++)
				ck_assert_uint_ne(fired.entry[i], out);
			weir_wheel_close(&wheel);
		}
	open_at(4, 0);
	weir_wheel_arm(&wheel, 1, 70000);
	weir_wheel_cancel(&wheel, 1);
	ck_assert_uint_eq(weir_wheel_next(&wheel), UINT32_MAX);
	weir_wheel_close(&wheel);
}
END_TEST

START_TEST(the_past_fires_at_once)
{
	open_at(4, 1000);
	weir_wheel_arm(&wheel, 0, 1000);
	weir_wheel_arm(&wheel, 1, 1);
	weir_wheel_arm(&wheel, 2, 1000 - INT32_MAX);
	weir_wheel_arm(&wheel, 3, 1001);
	ck_assert_uint_eq(weir_wheel_next(&wheel), 0);
	ck_assert_uint_eq(advance(1000), 3);
	ck_assert_uint_eq(weir_wheel_next(&wheel), 1);
	weir_wheel_arm(&wheel, 0, 999);
	ck_assert_uint_eq(advance(900), 1); /* time never goes back */
	ck_assert_uint_eq(wheel.now_ms, 1000);
	ck_assert_uint_eq(advance(1001), 1);
	weir_wheel_close(&wheel);
}
END_TEST

static void
rearm_in_the_past(void *user, uint32_t entry)
{
	(void)user;
	note(NULL, entry);
	weir_wheel_arm(&wheel, entry, wheel.now_ms - 1);
}

/* A handler that always wants to run again does not keep the engine from its work. */
START_TEST(late_rearming_does_not_spin)
{
	open_at(1, 0);
	weir_wheel_arm(&wheel, 0, 10);
	for (uint32_t now_ms = 1000000; now_ms < 1000100; now_ms += 7) {
		fired.n = 0;
		ck_assert_uint_eq(
		    weir_wheel_advance(&wheel, now_ms, UINT32_MAX, rearm_in_the_past, NULL), 1);
		ck_assert(weir_wheel_armed(&wheel, 0));
		ck_assert_uint_eq(weir_wheel_next(&wheel), 1);
	}
	weir_wheel_close(&wheel);
}
END_TEST

static void
rearm_every_ten(void *user, uint32_t entry)
{
	(void)user;
	note(NULL, entry);
	weir_wheel_arm(&wheel, entry, wheel.now_ms + 10);
}

START_TEST(a_periodic_timer_keeps_its_beat)
{
	open_at(1, 0xfffffc00);
	weir_wheel_arm(&wheel, 0, 0xfffffc00 + 10);
	fired.n = 0;
	ck_assert_uint_eq(
	    weir_wheel_advance(&wheel, 0xfffffc00 + 2000, UINT32_MAX, rearm_every_ten, NULL), 200);
	for (uint32_t i = 0; i < 200; i++)
		ck_assert_uint_eq(fired.at_ms[i], 0xfffffc00 + 10 * (i + 1));
	weir_wheel_close(&wheel);
}
END_TEST

/* `most` cuts a crowd into pieces; order and completeness hold, newcomers included. */
START_TEST(most_is_kept_and_resumed)
{
	uint32_t total = 0, calls = 0, last_ms = 0;

	open_at(1000, 0);
	for (uint32_t i = 0; i < 1000; i++)
		weir_wheel_arm(&wheel, i, 100 + i / 300 * 400);
	fired.n = 0;
	while (wheel.armed != 0) {
		uint32_t n = weir_wheel_advance(&wheel, 5000, 64, note, NULL);

		ck_assert_uint_eq(n, total + 64 <= 1000 ? 64 : 1000 - total);
		total += n;
		calls++;
		if (wheel.armed != 0)
			ck_assert_uint_le(wheel.now_ms + weir_wheel_next(&wheel), 1300);
	}
	ck_assert_uint_eq(calls, 16);
	ck_assert_uint_eq(fired.n, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert_uint_eq(fired.at_ms[i], 100 + fired.entry[i] / 300 * 400);
		ck_assert_uint_ge(fired.at_ms[i], last_ms);
		last_ms = fired.at_ms[i];
	}
	ck_assert_uint_eq(weir_wheel_advance(&wheel, 5000, 0, note, NULL), 0);
	weir_wheel_close(&wheel);
}
END_TEST

/* 10,000 jumps of twelve days each with something armed far beyond: impossible step by step. */
START_TEST(a_long_gap_costs_no_more_than_its_timers)
{
	uint32_t now_ms = 0;

	open_at(2, 0);
	for (int i = 0; i < 10000; i++) {
		weir_wheel_arm(&wheel, 0, now_ms + (1u << 30) + 5);
		weir_wheel_arm(&wheel, 1, now_ms + 3);
		now_ms += 1u << 30;
		ck_assert_uint_eq(advance(now_ms), 1);
		ck_assert_uint_eq(fired.entry[0], 1);
		weir_wheel_arm(&wheel, 1, now_ms + 4);
		now_ms += 5;
		ck_assert_uint_eq(advance(now_ms), 2);
		ck_assert_uint_eq(fired.entry[1], 0);
	}
	weir_wheel_close(&wheel);
}
END_TEST

/* Who sleeps until weir_wheel_next() says wakes a few times at most before a deadline. */
START_TEST(next_converges)
{
	open_at(1, 0);
	random_state = 3;
	for (int i = 0; i < 3000; i++) {
		uint32_t due_ms = wheel.now_ms + 1 + random_below(1u << random_below(24));
		uint32_t wakes = 0;

		weir_wheel_arm(&wheel, 0, due_ms);
		while (weir_wheel_armed(&wheel, 0)) {
			ck_assert_uint_le(weir_wheel_next(&wheel), due_ms - wheel.now_ms);
			advance(wheel.now_ms + weir_wheel_next(&wheel));
			wakes++;
		}
		ck_assert_uint_eq(fired.at_ms[0], due_ms);
		ck_assert_uint_le(wakes, WEIR_WHEEL_LEVELS);
	}
	weir_wheel_close(&wheel);
}
END_TEST

/* ---- against a plain array of deadlines ---- */

static struct {
	bool armed[ENTRIES];
	uint32_t due_ms[ENTRIES];
	uint32_t n;
	uint32_t late_ms;
	uint32_t target_ms;
	bool busy; /* handlers arm and cancel too */
} model;

static uint32_t
random_span(void)
{
	static const uint32_t spans[] = {2, 20, 300, 600, 70000, 140000, 1 << 25, 1 << 29};

	return random_below(spans[random_below(sizeof(spans) / sizeof(spans[0]))]);
}

static int32_t
ahead(uint32_t entry)
{
	return (int32_t)(model.due_ms[entry] - wheel.now_ms);
}

static void
both_arm(uint32_t entry, uint32_t due_ms, bool by)
{
	uint32_t effective_ms = (int32_t)(due_ms - wheel.now_ms) > 0 ? due_ms : model.late_ms;

	if (by)
		weir_wheel_arm_by(&wheel, entry, due_ms);
	else
		weir_wheel_arm(&wheel, entry, due_ms);
	if (by && model.armed[entry] && (int32_t)(due_ms - model.due_ms[entry]) >= 0)
		return;
	model.n += !model.armed[entry];
	model.armed[entry] = true;
	model.due_ms[entry] = effective_ms;
}

static void
both_cancel(uint32_t entry)
{
	weir_wheel_cancel(&wheel, entry);
	model.n -= model.armed[entry];
	model.armed[entry] = false;
}

static void
random_change(void)
{
	uint32_t entry = random_below(ENTRIES);
	uint32_t kind = random_below(8);

	if (kind == 0)
		both_cancel(entry);
	else if (kind == 1)
		both_arm(entry, wheel.now_ms - random_span(), random_below(2));
	else
		both_arm(entry, wheel.now_ms + random_span(), random_below(2));
}

/* Armed entries that are due less than `least_ms` from now. Counted without an assertion each:
 * Check makes a system call of every one. */
static uint32_t
model_before(int32_t least_ms)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ENTRIES; i++)
		n += model.armed[i] && ahead(i) < least_ms;
	return n;
}

/* The one that fires is due now, and nothing else was due before it. */
static void
model_fire(void *user, uint32_t entry)
{
	ck_assert_ptr_eq(user, &model);
	ck_assert(model.armed[entry]);
	ck_assert(!weir_wheel_armed(&wheel, entry));
	ck_assert_uint_eq(model.due_ms[entry], wheel.now_ms);
	ck_assert_int_le((int32_t)(wheel.now_ms - model.target_ms), 0);
	ck_assert_uint_eq(model_before(0), 0);
	model.armed[entry] = false;
	model.n--;
	for (uint32_t i = model.busy ? random_below(3) : 0; i != 0; i--)
		random_change();
}

static void
assert_like_model(void)
{
	uint32_t next_ms = weir_wheel_next(&wheel), differ = 0;

	for (uint32_t i = 0; i < ENTRIES; i++)
		differ += weir_wheel_armed(&wheel, i) != model.armed[i];
	ck_assert_uint_eq(differ, 0);
	ck_assert_uint_eq(wheel.armed, model.n);
	ck_assert_uint_eq(model_before(0), 0);
	ck_assert((next_ms == UINT32_MAX) == (model.n == 0));
	ck_assert((next_ms == 0) == (model_before(1) != 0));
	if (model.n != 0) { /* never later than the first deadline */
		ck_assert_uint_lt(next_ms, INT32_MAX);
		ck_assert_uint_eq(model_before((int32_t)next_ms), 0);
	}
}

static void
both_advance(void)
{
	uint32_t most = random_below(3) == 0 ? random_below(5) : UINT32_MAX;
	uint32_t n;

	model.target_ms = wheel.now_ms + random_span();
	model.late_ms = model.target_ms + 1;
	n = weir_wheel_advance(&wheel, model.target_ms, most, model_fire, &model);
	model.late_ms = wheel.now_ms;
	ck_assert_uint_le(n, most);
	if (n == most)
		return;
	ck_assert_uint_eq(wheel.now_ms, model.target_ms);
	ck_assert_uint_eq(model_before(1), 0);
}

static void
run_model(uint64_t seed)
{
	memset(&model, 0, sizeof(model));
	random_state = seed;
	model.busy = seed % 2 != 0;
	open_at(ENTRIES, 0u - random_below(1000000));
	model.late_ms = wheel.now_ms;
	for (int step = 0; step < 3000; step++) {
		if (random_below(4) != 0)
			random_change();
		else
			both_advance();
		assert_like_model();
	}
	weir_wheel_close(&wheel);
}

START_TEST(behaves_like_an_array_of_deadlines)
{
	for (uint64_t seed = 1; seed <= 12; seed++)
		run_model(seed);
}
END_TEST

START_TEST(pitfall_09_more_than_65536_timers)
{
	enum { N = 200000 };
	uint32_t total = 0, wrong = 0;

	open_at(N, 0);
	for (uint32_t i = 0; i < N; i++)
		weir_wheel_arm(&wheel, i, 1 + i);
	for (uint32_t i = 0; i < N; i += 2)
		weir_wheel_cancel(&wheel, i);
	for (uint32_t now_ms = 1000; now_ms <= N; now_ms += 1000) {
		total += advance(now_ms);
		for (uint32_t i = 0; i < fired.n; i++)
			wrong += fired.entry[i] % 2 == 0 || fired.at_ms[i] != 1 + fired.entry[i];
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(total, N / 2);
	weir_wheel_close(&wheel);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, fires_in_its_millisecond);
	UNIT_CASE(s, arm_replaces_and_arm_by_only_hastens);
	UNIT_CASE(s, cancel_takes_out_any_of_a_slot);
	UNIT_CASE(s, the_past_fires_at_once);
	UNIT_CASE(s, late_rearming_does_not_spin);
	UNIT_CASE(s, a_periodic_timer_keeps_its_beat);
	UNIT_CASE(s, most_is_kept_and_resumed);
	UNIT_CASE(s, a_long_gap_costs_no_more_than_its_timers);
	UNIT_CASE(s, next_converges);
	UNIT_CASE(s, behaves_like_an_array_of_deadlines);
	UNIT_CASE(s, pitfall_09_more_than_65536_timers);
}

UNIT_MAIN("wheel", add)
