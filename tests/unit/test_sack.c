/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/sack.h"

#include "tests/unit/reassembling.h"
#include "tests/unit/unit.h"

static struct reassembling it;
static uint32_t base; /* what the offsets below count from */

static void
open_at(uint32_t seq)
{
	reassembling_open(&it, 64, 64, 64);
	base = seq;
}

static enum weir_reass_result
arrive(uint32_t start, uint32_t end)
{
	return reassembling_insert(&it, base + start, end - start, 0);
}

struct block {
	uint32_t start, end;
};

static void
check_blocks(uint32_t most, const struct block *expected, uint32_t n)
{
	uint32_t sacks[WEIR_SACK_MAX + 1][2];

	memset(sacks, 0xaa, sizeof(sacks));
	ck_assert_uint_eq(weir_reass_sacks(&it.pool, it.r, sacks, most), n);
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_eq(sacks[i][0] - base, expected[i].start);
		ck_assert_uint_eq(sacks[i][1] - base, expected[i].end);
	}
	/* Room that was not given stays untouched. */
	ck_assert_uint_eq(sacks[most][0], 0xaaaaaaaa);
}

/* BLOCKS(most, {start, end}, ...): exactly these, in this order. */
#define BLOCKS(most, ...)                                                                          \
	do {                                                                                       \
		const struct block expected_[] = {__VA_ARGS__};                                    \
		check_blocks(most, expected_, sizeof(expected_) / sizeof(expected_[0]));           \
	} while (0)

START_TEST(empty_reports_nothing)
{
	open_at(0);
	check_blocks(4, NULL, 0);
	check_blocks(0, NULL, 0);
	reassembling_close(&it);
}
END_TEST

/* The example of RFC 2018 section 4 and on: each arrival's block comes first, the others repeat. */
START_TEST(pitfall_27_latest_arrival_first)
{
	open_at(5000);
	arrive(500, 1000);
	BLOCKS(4, {500, 1000});
	arrive(1500, 2000);
	BLOCKS(4, {1500, 2000}, {500, 1000});
	arrive(2500, 2800);
	BLOCKS(4, {2500, 2800}, {1500, 2000}, {500, 1000});
	arrive(400, 500);
	BLOCKS(4, {400, 1000}, {2500, 2800}, {1500, 2000});
	arrive(3000, 3100);
	BLOCKS(4, {3000, 3100}, {400, 1000}, {2500, 2800}, {1500, 2000});
	arrive(3200, 3300);
	BLOCKS(4, {3200, 3300}, {3000, 3100}, {400, 1000}, {2500, 2800});
	BLOCKS(3, {3200, 3300}, {3000, 3100}, {400, 1000});
	BLOCKS(1, {3200, 3300});
	reassembling_close(&it);
}
END_TEST

/* What a join swallows is not reported beside or inside the whole. */
START_TEST(pitfall_27_no_block_inside_another)
{
	open_at(0u - 1000);
	arrive(100, 200);
	arrive(700, 800);
	arrive(300, 400);
	arrive(200, 300);
	BLOCKS(4, {100, 400}, {700, 800});
	arrive(50, 900);
	BLOCKS(4, {100, 400}, {50, 900}); /* the first is a D-SACK */
	BLOCKS(4, {50, 900});
	reassembling_close(&it);
}
END_TEST

/* Growing one range again and again must not push the others out of memory. */
START_TEST(growing_range_takes_one_place)
{
	open_at(0);
	for (uint32_t at = 1000; at <= 4000; at += 1000)
		arrive(at, at + 10);
	for (uint32_t i = 0; i < 10; i++)
		arrive(4010 + 10 * i, 4020 + 10 * i);
	arrive(2010, 2020);
	BLOCKS(4, {2000, 2020}, {4000, 4110}, {3000, 3010}, {1000, 1010});
	reassembling_close(&it);
}
END_TEST

/* Five ranges; three of the latest four become one. The fifth was forgotten, but there is room. */
START_TEST(room_left_by_joins_is_filled)
{
	open_at(0);
	for (uint32_t at = 1000; at <= 6000; at += 1000)
		arrive(at, at + 100);
	BLOCKS(4, {6000, 6100}, {5000, 5100}, {4000, 4100}, {3000, 3100});
	arrive(4000, 6100);
	BLOCKS(4, {4000, 4100}, {4000, 6100}, {3000, 3100}, {1000, 1100}); /* D-SACK first */
	BLOCKS(4, {4000, 6100}, {3000, 3100}, {1000, 1100}, {2000, 2100});
	reassembling_close(&it);
}
END_TEST

/* RFC 2883: the duplicate first, once, then the range that it is a part of. */
START_TEST(pitfall_27_dsack_first_and_once)
{
	open_at(0u - 150);
	arrive(100, 200);
	arrive(300, 400);
	ck_assert_int_eq(arrive(120, 140), WEIR_REASS_DUPLICATE);
	BLOCKS(4, {120, 140}, {100, 200}, {300, 400});
	BLOCKS(4, {100, 200}, {300, 400});
	reassembling_close(&it);
}
END_TEST

/* The whole of a duplicate follows it even when another segment came between. */
START_TEST(pitfall_27_dsack_before_its_range)
{
	open_at(0);
	arrive(100, 200);
	arrive(100, 200);
	arrive(300, 400);
	BLOCKS(3, {100, 200}, {100, 200}, {300, 400});
	BLOCKS(3, {300, 400}, {100, 200});
	reassembling_close(&it);
}
END_TEST

/* Partly old: the first part that is held already, not the one after the hole. */
START_TEST(dsack_is_the_first_overlap)
{
	open_at(0);
	arrive(100, 200);
	arrive(300, 400);
	ck_assert_int_eq(arrive(150, 350), WEIR_REASS_HELD);
	BLOCKS(4, {150, 200}, {100, 400});
	/* Touching is no overlap. */
	arrive(400, 450);
	arrive(50, 100);
	BLOCKS(4, {50, 450});
	reassembling_close(&it);
}
END_TEST

/* A duplicate left of rcv_nxt, noted by the caller: there is no whole to report. */
START_TEST(dsack_below_what_is_held)
{
	open_at(0u - 50);
	arrive(100, 200);
	it.r->dsack[0] = base + 10;
	it.r->dsack[1] = base + 90;
	BLOCKS(4, {10, 90}, {100, 200});
	BLOCKS(4, {100, 200});
	reassembling_close(&it);
}
END_TEST

START_TEST(dsack_waits_for_room)
{
	open_at(0);
	arrive(100, 200);
	arrive(100, 110);
	check_blocks(0, NULL, 0);
	BLOCKS(1, {100, 110});
	BLOCKS(1, {100, 200});
	reassembling_close(&it);
}
END_TEST

START_TEST(delivered_ranges_are_forgotten)
{
	open_at(0);
	arrive(300, 400);
	arrive(100, 200);
	ck_assert_uint_eq(reassembling_deliver(&it, base + 100), 100);
	BLOCKS(4, {300, 400});
	ck_assert_uint_eq(reassembling_deliver(&it, base + 500), 0);
	check_blocks(4, NULL, 0);
	/* Nothing of it comes back with what arrives later. */
	arrive(600, 700);
	BLOCKS(4, {600, 700});
	ck_assert_uint_eq(it.r->n_recent, 1);
	reassembling_close(&it);
}
END_TEST

/* A SACK block of pruned data would make the sender forget it: nor may a D-SACK pose as one. */
START_TEST(pitfall_28_pruned_data_is_not_reported)
{
	uint32_t bytes;

	open_at(0u - 350);
	arrive(100, 200);
	arrive(300, 400);
	arrive(350, 360);
	ck_assert_uint_eq(weir_reass_prune(&it.pool, it.r, &bytes), 1);
	BLOCKS(4, {100, 200});
	/* A duplicate of what stays is still due. */
	arrive(300, 400);
	arrive(150, 160);
	ck_assert_uint_eq(weir_reass_prune(&it.pool, it.r, &bytes), 1);
	BLOCKS(4, {150, 160}, {100, 200});
	reassembling_close(&it);
}
END_TEST

/* 2^31 is the one number that lies on both sides of 0. */
START_TEST(pitfall_22_no_number_is_special)
{
	static const uint32_t starts[] = {0, 1, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};
	uint32_t bytes;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		open_at(starts[i]);
		arrive(0, 1);
		arrive(50, 60);
		arrive(70, 80);
		BLOCKS(4, {70, 80}, {50, 60}, {0, 1});
		weir_reass_prune(&it.pool, it.r, &bytes);
		BLOCKS(4, {50, 60}, {0, 1});
		arrive(0, 1);
		BLOCKS(4, {0, 1}, {0, 1}, {50, 60});
		reassembling_close(&it);
	}
}
END_TEST

/* ---- the three verbs alone ---- */

START_TEST(remembers_each_range_once)
{
	uint32_t a, b;

	open_at(0);
	arrive(100, 200);
	arrive(300, 400);
	a = weir_ranges_find(&it.pool.ranges, &it.r->ranges, 100);
	b = weir_ranges_find(&it.pool.ranges, &it.r->ranges, 300);
	weir_sack_remember(&it.pool, it.r, a, 150);
	ck_assert_uint_eq(it.r->n_recent, 2);
	ck_assert_uint_eq(it.r->recent[0], 150);
	ck_assert_uint_eq(it.r->recent[1], 300);
	weir_sack_forget(&it.pool, it.r, 0);
	ck_assert_uint_eq(it.r->n_recent, 2);
	weir_sack_forget(&it.pool, it.r, b);
	ck_assert_uint_eq(it.r->n_recent, 1);
	ck_assert_uint_eq(it.r->recent[0], 150);
	reassembling_close(&it);
}
END_TEST

START_TEST(forgets_a_dsack_inside_only)
{
	const struct weir_range range = {.start = 0xfffffff0, .end = 0x10};
	static const struct {
		uint32_t start, end;
		bool stays;
	} cases[] = {
		{0xffffffe0, 0xfffffff0, true}, {0xfffffff0, 0xfffffff8, false},
		{0x0, 0x10, false},             {0xf, 0x10, false},
		{0x10, 0x20, true},
	};

	open_at(0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		it.r->dsack[0] = cases[i].start;
		it.r->dsack[1] = cases[i].end;
		weir_sack_forget_dsack(it.r, &range);
		ck_assert_int_eq(it.r->dsack[0] != it.r->dsack[1], cases[i].stays);
	}
	reassembling_close(&it);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, empty_reports_nothing);
	UNIT_CASE(s, pitfall_27_latest_arrival_first);
	UNIT_CASE(s, pitfall_27_no_block_inside_another);
	UNIT_CASE(s, growing_range_takes_one_place);
	UNIT_CASE(s, room_left_by_joins_is_filled);
	UNIT_CASE(s, pitfall_27_dsack_first_and_once);
	UNIT_CASE(s, pitfall_27_dsack_before_its_range);
	UNIT_CASE(s, dsack_is_the_first_overlap);
	UNIT_CASE(s, dsack_below_what_is_held);
	UNIT_CASE(s, dsack_waits_for_room);
	UNIT_CASE(s, delivered_ranges_are_forgotten);
	UNIT_CASE(s, pitfall_28_pruned_data_is_not_reported);
	UNIT_CASE(s, pitfall_22_no_number_is_special);
	UNIT_CASE(s, remembers_each_range_once);
	UNIT_CASE(s, forgets_a_dsack_inside_only);
}

UNIT_MAIN("sack", add)
