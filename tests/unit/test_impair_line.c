/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/impair_line.h"
#include "tests/unit/unit.h"

#define FRAMES 4096

static struct rte_mbuf frames[FRAMES]; /* only their addresses matter */
static struct weir_line line = {.limit = WEIR_LINE_FRAMES};

static uint32_t
number(const struct rte_mbuf *buf)
{
	return (uint32_t)(buf - frames);
}

/* Release up to n at `now_ns` and compare with the numbers expected. */
static void
assert_release(uint64_t now_ns, uint32_t n, const uint32_t *expected, uint32_t n_expected)
{
	struct rte_mbuf *out[64];
	uint32_t got = weir_line_release(&line, out, n, now_ns);

	ck_assert_uint_eq(got, n_expected);
	for (uint32_t i = 0; i < got; i++)
		ck_assert_uint_eq(number(out[i]), expected[i]);
}

#define ck_assert_release(now_ns, n, ...)                                                          \
	assert_release(now_ns, n, (const uint32_t[]){__VA_ARGS__},                                 \
		       sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

START_TEST(overtaken_exactly_so_often)
{
	weir_line_add(&line, &frames[0], 0, 2);
	for (uint32_t i = 1; i < 5; i++)
		weir_line_add(&line, &frames[i], 0, 0);
	ck_assert_release(0, 64, 1, 2, 0, 3, 4);
	ck_assert_uint_eq(weir_line_room(&line), WEIR_LINE_FRAMES);
}
END_TEST

START_TEST(held_ones_keep_their_order)
{
	weir_line_add(&line, &frames[0], 0, 8);
	weir_line_add(&line, &frames[1], 0, 1);
	weir_line_add(&line, &frames[2], 0, 0);
	weir_line_add(&line, &frames[3], 0, 0);
	ck_assert_release(0, 64, 2, 0, 1, 3);
}
END_TEST

START_TEST(full_burst_leaves_the_rest_due)
{
	weir_line_add(&line, &frames[0], 5, 1);
	weir_line_add(&line, &frames[1], 5, 0);
	weir_line_add(&line, &frames[2], 6, 0);
	ck_assert_release(7, 1, 1);
	ck_assert_uint_eq(weir_line_deadline(&line), 5);
	ck_assert_release(7, 1, 0);
	ck_assert_release(7, 1, 2);
	ck_assert_uint_eq(weir_line_deadline(&line), UINT64_MAX);
}
END_TEST

START_TEST(returned_frames_go_first)
{
	struct rte_mbuf *back[2] = {&frames[0], &frames[1]};

	weir_line_add(&line, &frames[2], 9, 0);
	weir_line_return(&line, back, 2);
	ck_assert_uint_eq(weir_line_deadline(&line), 0);
	ck_assert_release(1, 64, 0, 1);
	ck_assert_uint_eq(weir_line_deadline(&line), 9);
	ck_assert_release(9, 64, 2);
}
END_TEST

START_TEST(force_makes_room_from_the_oldest)
{
	struct rte_mbuf *out[64];

	for (uint32_t i = 0; i < WEIR_LINE_FRAMES; i++)
		weir_line_add(&line, &frames[i], 1000, i % 2);
	ck_assert_uint_eq(weir_line_room(&line), 0);
	ck_assert_uint_eq(weir_line_force(&line, out, 64, 3), 3);
	ck_assert_uint_eq(weir_line_force(&line, out + 3, 2, 60), 2);
	ck_assert_uint_eq(weir_line_force(&line, out, 64, 5), 0);
	for (uint32_t i = 3; i < 5; i++)
		ck_assert_uint_eq(number(out[i]), i);
	line.head = line.tail;
}
END_TEST

/*
 * Random traffic: every frame comes out once, none before its delay, none later than its last
 * moment when the deadline is obeyed, and nothing comes before the deadline.
 */
START_TEST(traffic_obeys_the_deadline)
{
	static uint64_t due[FRAMES];
	static uint8_t seen[FRAMES];
	uint32_t seed = 11, made = 0, released = 0;
	uint64_t now = 0;

	while (released < FRAMES) {
		uint64_t deadline;
		struct rte_mbuf *out[16];
		uint32_t want, got;

		seed = seed * 1664525 + 1013904223;
		want = 1 + (seed >> 28);
		for (uint32_t i = seed >> 29; i > 0 && made < FRAMES; i--) {
			due[made] = now + 300000;
			weir_line_add(&line, &frames[made++], now + 300000,
				      seed >> 12 & 1 ? (seed >> 8) % 9 : 0);
		}
		deadline = weir_line_deadline(&line);
		ck_assert((deadline == UINT64_MAX) == (made == released));
		if (made < FRAMES || deadline <= now)
			now += (seed >> 9) % 100000;
		else
			now = deadline;
		got = weir_line_release(&line, out, want, now);
		ck_assert((got != 0) == (now >= deadline));
		for (uint32_t i = 0; i < got; i++) {
			uint32_t k = number(out[i]);

			ck_assert_uint_eq(seen[k]++, 0);
			ck_assert_uint_ge(now, due[k]);
		}
		released += got;
		ck_assert_uint_eq(weir_line_room(&line), WEIR_LINE_FRAMES - (made - released));
		ck_assert_uint_ge(weir_line_room(&line), 8);
	}
	ck_assert_uint_eq(made, FRAMES);
}
END_TEST

START_TEST(drain_frees_everything)
{
	struct weir_pool pool;

	ck_assert_int_eq(weir_pool_open_heap(&pool, 8, RTE_PKTMBUF_HEADROOM + 64), 0);
	for (uint32_t i = 0; i < 8; i++)
		weir_line_add(&line, weir_buf_alloc(&pool), i, i);
	weir_line_drain(&line, &pool);
	ck_assert_uint_eq(weir_line_room(&line), WEIR_LINE_FRAMES);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, overtaken_exactly_so_often);
	UNIT_CASE(s, held_ones_keep_their_order);
	UNIT_CASE(s, full_burst_leaves_the_rest_due);
	UNIT_CASE(s, returned_frames_go_first);
	UNIT_CASE(s, force_makes_room_from_the_oldest);
	UNIT_CASE(s, traffic_obeys_the_deadline);
	UNIT_CASE(s, drain_frees_everything);
}

UNIT_MAIN("impair_line", add)
