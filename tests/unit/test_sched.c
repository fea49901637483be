/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/sched.h"

#include <string.h>

#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#define FLOWS 40

static struct weir_flow flows[FLOWS];
static struct weir_sched sched;

static void
setup(void)
{
	memset(flows, 0, sizeof(flows));
	for (uint32_t i = 0; i < FLOWS; i++)
		flows[i].sched_class = WEIR_CLASS_IDLE;
	weir_sched_init(&sched, flows);
}

START_TEST(starts_empty)
{
	setup();
	ck_assert_uint_eq(weir_sched_pop(&sched), WEIR_NONE);
	for (uint32_t class = 0; class < WEIR_CLASS_COUNT; class++) {
		ck_assert_uint_eq(weir_sched_peek(&sched, class), WEIR_NONE);
		ck_assert_uint_eq(sched.lists[class].count, 0);
	}
	weir_sched_remove(&sched, 3); /* on no list: nothing happens */
	ck_assert_uint_eq(weir_sched_pop(&sched), WEIR_NONE);
}
END_TEST

START_TEST(serves_a_class_round_robin)
{
	setup();
	for (uint32_t i = 0; i < 3; i++)
		weir_sched_push(&sched, i, WEIR_CLASS_READY);
	for (uint32_t turn = 0; turn < 9; turn++) {
		uint32_t flow = weir_sched_pop(&sched);

		ck_assert_uint_eq(flow, turn % 3);
		ck_assert_uint_eq(flows[flow].sched_class, WEIR_CLASS_IDLE);
		weir_sched_push(&sched, flow, WEIR_CLASS_READY);
		ck_assert_uint_eq(flows[flow].sched_class, WEIR_CLASS_READY);
	}
	ck_assert_uint_eq(sched.lists[WEIR_CLASS_READY].count, 3);
}
END_TEST

START_TEST(serves_the_highest_class_first)
{
	setup();
	weir_sched_push(&sched, 1, WEIR_CLASS_READY);
	weir_sched_push(&sched, 2, WEIR_CLASS_CONTROL);
	weir_sched_push(&sched, 3, WEIR_CLASS_FORWARDING);
	weir_sched_push(&sched, 4, WEIR_CLASS_CONTROL);
	ck_assert_uint_eq(weir_sched_pop(&sched), 3);
	ck_assert_uint_eq(weir_sched_pop(&sched), 2);
	ck_assert_uint_eq(weir_sched_pop(&sched), 4);
	ck_assert_uint_eq(weir_sched_pop(&sched), 1);
	ck_assert_uint_eq(weir_sched_pop(&sched), WEIR_NONE);
}
END_TEST

START_TEST(never_pops_a_held_run)
{
	setup();
	weir_sched_push(&sched, 1, WEIR_CLASS_WAIT);
	ck_assert_uint_eq(weir_sched_pop(&sched), WEIR_NONE);
	ck_assert_uint_eq(weir_sched_peek(&sched, WEIR_CLASS_WAIT), 1);
	weir_sched_remove(&sched, 1);
	ck_assert_uint_eq(weir_sched_peek(&sched, WEIR_CLASS_WAIT), WEIR_NONE);
	weir_sched_push(&sched, 1, WEIR_CLASS_READY);
	ck_assert_uint_eq(weir_sched_pop(&sched), 1);
}
END_TEST

/* First, middle and last of a list, then a push: the tail is right each time. */
START_TEST(remove_keeps_the_rest_in_order)
{
	for (uint32_t out = 0; out < 4; out++) {
		setup();
		for (uint32_t i = 0; i < 4; i++)
			weir_sched_push(&sched, i, WEIR_CLASS_CONTROL);
		weir_sched_remove(&sched, out);
		ck_assert_uint_eq(flows[out].sched_class, WEIR_CLASS_IDLE);
		ck_assert_uint_eq(sched.lists[WEIR_CLASS_CONTROL].count, 3);
		weir_sched_push(&sched, 9, WEIR_CLASS_CONTROL);
		for (uint32_t i = 0; i < 4; i++)
			if (i != out)
				ck_assert_uint_eq(weir_sched_pop(&sched), i);
		ck_assert_uint_eq(weir_sched_pop(&sched), 9);
		ck_assert_uint_eq(weir_sched_pop(&sched), WEIR_NONE);
	}
}
END_TEST

/* Model: an array per class. */
struct model {
	uint32_t list[WEIR_CLASS_COUNT][FLOWS];
	uint32_t n[WEIR_CLASS_COUNT];
};

static void
model_take(struct model *m, uint32_t class, uint32_t at)
{
	m->n[class]--;
	memmove(&m->list[class][at], &m->list[class][at + 1],
		(m->n[class] - at) * sizeof(m->list[class][0]));
}

static uint32_t
model_pop(struct model *m)
{
	for (uint32_t class = 0; class < WEIR_CLASS_WAIT; class++)
		if (m->n[class] != 0) {
			uint32_t flow = m->list[class][0];

			model_take(m, class, 0);
			return flow;
		}
	return WEIR_NONE;
}

static void
model_remove(struct model *m, uint32_t flow)
{
	for (uint32_t class = 0; class < WEIR_CLASS_COUNT; class++)
		for (uint32_t i = 0; i < m->n[class]; i++)
			if (m->list[class][i] == flow) {
				model_take(m, class, i);
				return;
			}
}

static void
assert_like_model(const struct model *m)
{
	uint32_t wrong = 0;

	for (uint32_t class = 0; class < WEIR_CLASS_COUNT; class++) {
		uint32_t at = weir_sched_peek(&sched, class);

		wrong += sched.lists[class].count != m->n[class];
		for (uint32_t i = 0; i < m->n[class] && at < FLOWS; i++) {
			wrong += at != m->list[class][i] || flows[at].sched_class != class;
			at = flows[at].sched_next;
		}
		wrong += at != WEIR_NONE;
	}
	ck_assert_uint_eq(wrong, 0);
}

START_TEST(behaves_like_arrays)
{
	static struct model m;

	setup();
	random_state = 11;
	for (int step = 0; step < 50000; step++) {
		uint32_t flow = random_below(FLOWS), class = random_below(WEIR_CLASS_COUNT);

		switch (random_below(4)) {
		case 0:
			ck_assert_uint_eq(weir_sched_pop(&sched), model_pop(&m));
			break;
		case 1:
			weir_sched_remove(&sched, flow);
			model_remove(&m, flow);
			break;
		default:
			if (flows[flow].sched_class != WEIR_CLASS_IDLE)
				break;
			weir_sched_push(&sched, flow, class);
			m.list[class][m.n[class]++] = flow;
		}
		assert_like_model(&m);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, starts_empty);
	UNIT_CASE(s, serves_a_class_round_robin);
	UNIT_CASE(s, serves_the_highest_class_first);
	UNIT_CASE(s, never_pops_a_held_run);
	UNIT_CASE(s, remove_keeps_the_rest_in_order);
	UNIT_CASE(s, behaves_like_arrays);
}

UNIT_MAIN("sched", add)
