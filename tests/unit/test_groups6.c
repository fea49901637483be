/* SPDX-License-Identifier: BSD-3-Clause */
/* When the groups of a port are reported, and how often, through a whole engine. */
#include "tests/unit/engine_test.h"
#include "tests/unit/mld.h"
#include "wire/chain.h"

#define MS 1000000ull

static struct mld_spec query;
static uint8_t got[512];
static uint32_t got_len;

static void
open_reporting(uint64_t seed)
{
	struct weir_config config;

	world_config(&config);
	config.mld = 1;
	config.seed = seed;
	open_with(&config);
	query = mld_general();
}

/* Frames that leave by `end_ns`, when the engine runs each time that it wants to; the last to `got`, the
 * time of the first is returned, UINT64_MAX: none. */
static uint64_t
run_until(uint64_t end_ns, uint32_t *n)
{
	uint64_t first_ns = UINT64_MAX;
	struct rte_mbuf *buf;

	for (*n = 0;;) {
		weir_engine_poll(world.engine, world.now_ns);
		while (world.far->rx_burst(world.far->ctx, &buf, 1, world.now_ns) == 1) {
			got_len = weir_chain_copy(buf, 0, sizeof(got), got);
			weir_buf_free(&world.pool, buf);
			first_ns = first_ns < world.now_ns ? first_ns : world.now_ns;
			++*n;
		}
		if (weir_engine_deadline(world.engine) > end_ns)
			break;
		world.now_ns = weir_engine_deadline(world.engine);
	}
	world.now_ns = end_ns;
	return first_ns;
}

static void
check_report(uint32_t version, bool changed)
{
	uint8_t want[FRAME_MAX], message[8 + 20 * WEIR_OWN6_MAX];
	struct frame_spec spec;

	mld_report(world.engine->ports[0].parse.own6, version, changed, message, &spec);
	ck_assert_uint_eq(got_len, frame_write(&spec, want));
	ck_assert_mem_eq(got, want, got_len);
}

static void
ask(void)
{
	struct frame_spec spec;

	mld_frame(&query, &spec);
	world_inject(&world, frame_build(&world.pool, &spec));
}

/* At once, and again within a second: the one may have got lost. Then no more. */
START_TEST(joined_twice)
{
	uint64_t began_ns, again_ns;
	uint32_t n;

	open_reporting(1);
	began_ns = world.now_ns;
	ck_assert_uint_eq(run_until(began_ns, &n), began_ns);
	ck_assert_uint_eq(n, 1);
	check_report(2, true);
	again_ns = run_until(began_ns + 1000 * MS + 1, &n);
	ck_assert_uint_gt(again_ns, began_ns);
	ck_assert_uint_eq(n, 1);
	check_report(2, true);
	run_until(began_ns + 1000000 * MS, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX);
	ck_assert_uint_eq(stats_now()->mld_reports, 2);
	world_close(&world);
}
END_TEST

/* A later address is one more group, and an engine that begins again joins again. */
START_TEST(joined_again)
{
	struct weir_addr address;
	uint32_t n;

	open_reporting(1);
	run_until(world.now_ns + 5000 * MS, &n);
	ck_assert_int_eq(weir_addr_parse("fe80::5", &address), 0);
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &address), 0);
	run_until(world.now_ns + 5000 * MS, &n);
	ck_assert_uint_eq(n, 2);
	check_report(2, true);
	ck_assert_uint_eq(got[14 + 8], 0xfe); /* from there now */
	ck_assert_int_eq(weir_stack_reset(world.stack, 2, world.now_ns), 0);
	run_until(world.now_ns + 5000 * MS, &n);
	ck_assert_uint_eq(n, 2);
	world_close(&world);
}
END_TEST

/* The delay is by chance, from the seed, and no longer than asked for. */
START_TEST(asked)
{
	uint64_t first_ns = 0, asked_ns, sent_ns;
	bool differs = false;
	uint32_t n;

	for (uint64_t seed = 1; seed < 20; seed++)
		for (uint32_t again = 0; again < 2; again++) {
			open_reporting(seed);
			run_until(world.now_ns + 5000 * MS, &n);
			asked_ns = world.now_ns;
			ask();
			sent_ns = run_until(asked_ns + 20000 * MS, &n);
			ck_assert_uint_eq(n, 1);
			check_report(2, false);
			ck_assert_uint_ge(sent_ns, asked_ns);
			ck_assert_uint_le(sent_ns, asked_ns + 10000 * MS);
			if (again)
				ck_assert_uint_eq(sent_ns, first_ns);
			else
				differs = differs || (first_ns != 0 && sent_ns != first_ns);
			first_ns = sent_ns;
			ck_assert_uint_eq(stats_now()->mld_queries, 1);
			ck_assert_uint_eq(stats_now()->packets_consumed, 1);
			world_close(&world);
		}
	ck_assert(differs);
}
END_TEST

/* Who asks by version 1 is answered by it, group by group. */
START_TEST(asked_by_version_1)
{
	struct weir_addr address;
	uint32_t n;

	open_reporting(1);
	ck_assert_int_eq(weir_addr_parse("fe80::5", &address), 0);
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &address), 0);
	run_until(world.now_ns + 5000 * MS, &n);
	query.len = 24;
	ask();
	run_until(world.now_ns + 11000 * MS, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(got[14 + 48], 131);
	ck_assert_uint_eq(got[14 + 24 + 15], 5); /* the second of them */
	query.len = 28;
	ask();
	run_until(world.now_ns + 11000 * MS, &n);
	ck_assert_uint_eq(n, 1);
	check_report(2, false);
	world_close(&world);
}
END_TEST

/* However often somebody asks: ten answers a second, and one waits at a time. */
START_TEST(asked_too_often)
{
	uint64_t end_ns;
	uint32_t n, total = 0;

	open_reporting(1);
	run_until(world.now_ns + 5000 * MS, &n);
	query.code = 0;
	for (end_ns = world.now_ns + 1000 * MS; world.now_ns < end_ns; total += n) {
		ask();
		run_until(world.now_ns + MS, &n);
	}
	ck_assert_uint_ge(total, 9);
	ck_assert_uint_le(total, 11);
	ck_assert_uint_eq(stats_now()->mld_queries, 1000);
	world_close(&world);
}
END_TEST

START_TEST(not_answered)
{
	struct rte_mbuf *buf;
	struct frame_spec spec;
	uint32_t n;

	open_reporting(1);
	run_until(world.now_ns + 5000 * MS, &n);
	query.hops = 2;
	ask();
	run_until(world.now_ns + 11000 * MS, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_MLD), 1);
	query.hops = 1; /* in a VLAN */
	mld_frame(&query, &spec);
	spec.n_tags = 1;
	spec.tci[0] = 5;
	buf = frame_build(&world.pool, &spec);
	world_inject(&world, buf);
	run_until(world.now_ns + 11000 * MS, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_MLD), 2);
	world_close(&world);
	open_default(); /* whose setting is off */
	query = mld_general();
	ask();
	run_until(world.now_ns + 11000 * MS, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_MLD), 1);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_47_no_buffer_for_a_report)
{
	uint32_t n;

	open_reporting(1);
	world.stack->pool.fail_every = 1;
	run_until(world.now_ns + 5000 * MS, &n);
	ck_assert_uint_eq(n, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_NO_BUFFER), 2);
	world.stack->pool.fail_every = 0;
	ask();
	run_until(world.now_ns + 11000 * MS, &n);
	ck_assert_uint_eq(n, 1);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, joined_twice);
	UNIT_CASE(s, joined_again);
	UNIT_CASE(s, asked);
	UNIT_CASE(s, asked_by_version_1);
	UNIT_CASE(s, asked_too_often);
	UNIT_CASE(s, not_answered);
	UNIT_CASE(s, pitfall_47_no_buffer_for_a_report);
}

UNIT_MAIN("groups6", add)
