/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive buffer tuning against a model of sender, path and application (path.h): it reaches what the
 * path needs and stays near it, does not grow for who is slow, keeps to the engine's memory, and moves
 * no right edge left, whatever happens.
 */
#include "tests/sim/path.h"
#include "tests/unit/tcp_test.h"
#include "wire/siphash.h"

#define TUNED_PORT 9100
#define FIRST	   (64u << 10)
#define MOST	   (4u << 20)
#define MS	   1000000ull
#define SEC	   1000000000ull

static struct world world;
static struct path one, other;

static void
open_world(uint32_t buffers, uint32_t least, uint32_t most)
{
	struct weir_listen_config listen;
	struct weir_config config;

	world_config(&config);
	config.buffers = buffers;
	config.rx_queue_segs = 1024;
	config.budget_segs = 4096;
	world_open(&world, &config, FIRST, WEIR_ACK_TRAIN);
	weir_listen_config_init(&listen);
	listen.port = TUNED_PORT;
	listen.receive_buffer_min = least;
	listen.receive_buffer_max = most;
	ck_assert_int_eq(weir_listen(world.stack, &listen), 0);
}

static void
set_path(struct path *path, uint64_t rtt_ns, uint64_t rate)
{
	memset(path, 0, sizeof(*path));
	path->rtt_ns = rtt_ns;
	path->tick_ns = rtt_ns / 10 < MS ? rtt_ns / 10 : MS;
	path->rate = rate;
}

static void
run(struct path *path, uint64_t ns)
{
	path_run(&path, 1, ns);
}

/* Whatever happens in between, this holds at the end. */
static void
close_world(struct path *const *paths, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_eq(paths[i]->edge_left, 0);
		path_end(paths[i]);
	}
	check_memory(&world);
	ck_assert_uint_eq(tcp_of(&world)->stats.drops[WEIR_DROP_CONN_MEMORY], 0);
	ck_assert_uint_eq(tcp_of(&world)->stats.drops[WEIR_DROP_TCP_BEYOND_WINDOW], 0);
	world_close(&world);
}

static void
without_timestamps(struct remote *remote)
{
	remote->ts = false;
}

static void
without_scale(struct remote *remote)
{
	remote->wscale = -1;
}

/* ---- it grows to what the path needs ---- */

static const struct {
	uint64_t rtt_ns, rate;
	bool ts;
} grown[] = {
	{1 * MS, 400000000, true},   {1 * MS, 400000000, false}, {10 * MS, 60000000, true},
	{10 * MS, 60000000, false},  {50 * MS, 12000000, true},  {50 * MS, 12000000, false},
	{200 * MS, 6000000, true},
};

/* As soon as the sender has doubled its way there it is held up no more: the path is full. */
START_TEST(reaches_what_the_path_needs)
{
	const uint64_t rtt_ns = grown[_i].rtt_ns, trips = 12;
	uint64_t product, clock_ms = 2, read;

	open_world(8192, FIRST, MOST);
	set_path(&one, rtt_ns, grown[_i].rate);
	path_open(&one, &world, TUNED_PORT, grown[_i].ts ? NULL : without_timestamps);
	product = path_product(&one);
	ck_assert_uint_gt(product, 5 * FIRST);
	ck_assert_uint_eq(path_buffer(&one), FIRST);
	run(&one, trips * rtt_ns);
	ck_assert_uint_ge(path_buffer(&one), 2 * product);
	read = one.read;
	run(&one, 10 * rtt_ns);
	ck_assert_uint_ge(one.read - read, 10 * product * 98 / 100);
	/* twice, and twice for slow start; a short round trip is known to a millisecond or two */
	ck_assert_uint_le(path_buffer(&one), 4 * one.rate * (rtt_ns + clock_ms * MS) / SEC);
	printf("round trip %llu ms, %llu KiB in the path, timestamps %s: %u KiB\n",
	       (unsigned long long)(rtt_ns / MS), (unsigned long long)(product >> 10),
	       grown[_i].ts ? "on" : "off", path_buffer(&one) >> 10);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

/* The same with the buffer fixed at where tuning begins. */
START_TEST(fixed_at_the_beginning_it_is_held_up)
{
	open_world(8192, FIRST, MOST);
	set_path(&one, 50 * MS, 12000000);
	path_open(&one, &world, WORLD_PORT, NULL);
	run(&one, 20 * one.rtt_ns);
	ck_assert_uint_le(one.read, 20 * (FIRST + FIRST / 16));
	ck_assert_uint_eq(path_buffer(&one), FIRST);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

START_TEST(never_beyond_the_most)
{
	open_world(8192, FIRST, 300000);
	set_path(&one, 50 * MS, 40000000);
	path_open(&one, &world, TUNED_PORT, NULL);
	run(&one, 30 * one.rtt_ns);
	ck_assert_uint_eq(path_buffer(&one), 300000);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

START_TEST(never_beyond_what_unscaled_windows_express)
{
	open_world(8192, 16384, MOST);
	set_path(&one, 50 * MS, 40000000);
	path_open(&one, &world, TUNED_PORT, without_scale);
	ck_assert_uint_eq(path_buffer(&one), 16384);
	run(&one, 30 * one.rtt_ns);
	ck_assert_uint_eq(path_buffer(&one), UINT16_MAX);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

/* The scale is for the most, and its unit is not large for the least. */
START_TEST(the_scale_is_chosen_for_the_most)
{
	static const struct {
		uint32_t least, most, first, scale;
	} cases[] = {
		{4096, 61680, 4096, 0},
		{4096, 1 << 20, 4096, 5},
		{FIRST, MOST, FIRST, 7},
		{FIRST, 1 << 30, 16 << 14, 14},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_world(1024, cases[i].least, cases[i].most);
		set_path(&one, 10 * MS, 1000000);
		path_open(&one, &world, TUNED_PORT, NULL);
		ck_assert_uint_eq(one.remote.shift, cases[i].scale);
		ck_assert_uint_eq(path_buffer(&one), cases[i].first);
		run(&one, 20 * one.rtt_ns);
		close_world((struct path *[]){&one}, 1);
	}
}
END_TEST

/* ---- it does not grow for who is slow ---- */

static const uint64_t slow_rates[] = {20000, 200000, 500000, 2000000};

/* However much the sender has: four times what is read in a round trip at most, and never short of data. */
START_TEST(a_slow_application_needs_little)
{
	uint64_t rate = slow_rates[_i], most, read;

	open_world(8192, FIRST, MOST);
	set_path(&one, 50 * MS, 12000000);
	one.reader = PATH_READS_SLOW;
	one.read_rate = rate;
	path_open(&one, &world, TUNED_PORT, NULL);
	run(&one, SEC);
	read = one.read;
	run(&one, 3 * SEC);
	most = 4 * rate * one.rtt_ns / SEC;
	ck_assert_uint_le(path_buffer(&one), most > FIRST ? most : FIRST);
	ck_assert_uint_ge(one.read - read, 3 * rate * 99 / 100);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

/* What is on lease for 20 ms needs a buffer for 21 ms, though the path has only 1. */
START_TEST(leases_lengthen_the_path)
{
	uint64_t read;

	open_world(16384, FIRST, MOST);
	set_path(&one, 1 * MS, 40000000);
	one.reader = PATH_LEASES;
	one.lease_ns = 20 * MS;
	path_open(&one, &world, TUNED_PORT, NULL);
	run(&one, SEC / 2);
	read = one.read;
	run(&one, SEC / 2);
	ck_assert_uint_ge(one.read - read, one.rate / 2 * 95 / 100);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

START_TEST(leases_held_for_long_earn_nothing)
{
	open_world(16384, FIRST, MOST);
	set_path(&one, 1 * MS, 40000000);
	one.reader = PATH_LEASES;
	one.lease_ns = 150 * MS;
	path_open(&one, &world, TUNED_PORT, NULL);
	run(&one, 2 * SEC);
	ck_assert_uint_eq(path_buffer(&one), FIRST);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

/* ---- memory ---- */

/* The engine has 768 buffers for payload: half of that is the most, and the other one gets its rate. */
START_TEST(short_memory_bounds_it_and_is_fair)
{
	struct path *const both[] = {&one, &other};
	const struct weir_stats *stats;

	open_world(1024, FIRST, MOST);
	set_path(&one, 20 * MS, 60000000);
	set_path(&other, 20 * MS, 2000000);
	path_open(&one, &world, TUNED_PORT, NULL);
	path_open(&other, &world, TUNED_PORT, NULL);
	path_run(both, 2, 4 * SEC);
	stats = &tcp_of(&world)->stats;
	ck_assert_uint_le(path_buffer(&one), 768 * 1024 / 2);
	ck_assert_uint_gt(path_buffer(&one), FIRST);
	ck_assert_uint_gt(stats->receive_buffers_refused, 10);
	ck_assert_uint_ge(other.read, 4 * other.rate * 9 / 10);
	close_world(both, 2);
}
END_TEST

/* One that is full and not read any more leaves the other its rate. */
START_TEST(a_full_buffer_leaves_room_for_others)
{
	struct path *const both[] = {&one, &other};
	uint64_t read;

	open_world(4096, FIRST, MOST);
	set_path(&one, 20 * MS, 100000000);
	set_path(&other, 20 * MS, 2000000);
	path_open(&one, &world, TUNED_PORT, NULL);
	path_open(&other, &world, TUNED_PORT, NULL);
	path_run(both, 2, SEC);
	one.reader = PATH_READS_SLOW;
	path_run(both, 2, SEC);
	ck_assert_uint_gt(flow_of(&world, &one.remote)->unread_bytes, 1000000);
	read = other.read;
	path_run(both, 2, SEC);
	ck_assert_uint_ge(other.read - read, other.rate * 9 / 10);
	close_world(both, 2);
}
END_TEST

/* ---- it shrinks, and what was promised is kept ---- */

START_TEST(lowered_when_little_comes_for_long)
{
	const struct weir_stats *stats;
	uint32_t grown_to;

	open_world(8192, FIRST, MOST);
	set_path(&one, 20 * MS, 40000000);
	path_open(&one, &world, TUNED_PORT, NULL);
	run(&one, SEC);
	grown_to = path_buffer(&one);
	ck_assert_uint_ge(grown_to, 2 * path_product(&one));
	one.rate = 100000;
	run(&one, 9 * SEC);
	ck_assert_uint_eq(path_buffer(&one), grown_to);
	run(&one, 60 * SEC);
	ck_assert_uint_eq(path_buffer(&one), FIRST);
	stats = &tcp_of(&world)->stats;
	ck_assert_uint_ge(stats->receive_buffers_lowered, 4);
	close_world((struct path *[]){&one}, 1);
}
END_TEST

/* Lowered while the whole window is open and nobody reads: every byte of it is taken all the same. */
START_TEST(a_promise_is_kept_while_the_buffer_shrinks)
{
	struct weir_flow *flow;
	uint32_t promised;

	open_world(8192, FIRST, MOST);
	set_path(&one, 20 * MS, 20000000);
	path_open(&one, &world, TUNED_PORT, NULL);
	run(&one, SEC);
	flow = flow_of(&world, &one.remote);
	promised = flow->rcv_adv - flow->rcv_nxt;
	ck_assert_uint_ge(promised, 700000);
	flow->limit = FIRST; /* by more than tuning would at once */
	one.reader = PATH_READS_SLOW;
	run(&one, SEC);
	ck_assert_uint_gt(flow->unread_bytes, promised - PATH_MSS);
	ck_assert_uint_lt(flow->rcv_adv - flow->rcv_nxt, PATH_MSS);
	one.reader = PATH_READS_ALL;
	run(&one, SEC);
	ck_assert_uint_ge(path_buffer(&one), 2 * path_product(&one)); /* and it grows again */
	close_world((struct path *[]){&one}, 1);
}
END_TEST

/* ---- whatever happens ---- */

static uint32_t
draw(uint64_t *random, uint32_t below)
{
	return (uint32_t)(weir_seed_next(random) % below);
}

static void
change_manners(struct path *path, uint64_t *random)
{
	path->rate = 20000 + draw(random, 30000000);
	path->reader = path->reader == PATH_LEASES ? PATH_LEASES : draw(random, 2);
	path->read_rate = draw(random, 10000000);
	path->lease_ns = draw(random, 200) * MS;
}

/* The buffer stays between the least and the most and what half of the memory allows, edges stay, and
 * the books are right. */
START_TEST(limits_hold_whatever_happens)
{
	uint64_t random = (uint64_t)_i + 1;
	uint32_t least = 4096 << draw(&random, 6), most = least << draw(&random, 8);
	uint32_t buffers = 512u << draw(&random, 4);
	uint32_t share = (buffers - buffers / 4) * 1024 / 2, before;
	struct path *const both[] = {&one, &other};

	open_world(buffers, least, most);
	for (uint32_t i = 0; i < 2; i++) {
		set_path(both[i], (10 + draw(&random, 60)) * MS, 1000000);
		both[i]->reader = draw(&random, 3);
		change_manners(both[i], &random);
		path_open(both[i], &world, TUNED_PORT, draw(&random, 2) != 0 ? NULL : without_timestamps);
	}
	before = path_buffer(&one);
	for (uint32_t step = 0; step < 40; step++) {
		path_run(both, 2, draw(&random, 60) * 5 * MS + MS);
		for (uint32_t i = 0; i < 2; i++) {
			uint32_t now = path_buffer(both[i]);

			ck_assert_uint_ge(now, least < 16 ? 16 : least);
			ck_assert_uint_le(now, most);
			ck_assert(now == before || now <= share || now <= least || i == 1);
			if (draw(&random, 4) == 0)
				change_manners(both[i], &random);
		}
		before = path_buffer(&one);
		check_memory(&world);
	}
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(both[i]->edge_left, 0);
		path_end(both[i]);
	}
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	TCase *tcase = tcase_create("tuning");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, reaches_what_the_path_needs, 0,
			    sizeof(grown) / sizeof(grown[0]));
	tcase_add_test(tcase, fixed_at_the_beginning_it_is_held_up);
	tcase_add_test(tcase, never_beyond_the_most);
	tcase_add_test(tcase, never_beyond_what_unscaled_windows_express);
	tcase_add_test(tcase, the_scale_is_chosen_for_the_most);
	tcase_add_loop_test(tcase, a_slow_application_needs_little, 0,
			    sizeof(slow_rates) / sizeof(slow_rates[0]));
	tcase_add_test(tcase, leases_lengthen_the_path);
	tcase_add_test(tcase, leases_held_for_long_earn_nothing);
	tcase_add_test(tcase, short_memory_bounds_it_and_is_fair);
	tcase_add_test(tcase, a_full_buffer_leaves_room_for_others);
	tcase_add_test(tcase, lowered_when_little_comes_for_long);
	tcase_add_test(tcase, a_promise_is_kept_while_the_buffer_shrinks);
	tcase_add_loop_test(tcase, limits_hold_whatever_happens, 0, 20);
	suite_add_tcase(s, tcase);
}

UNIT_MAIN("tuning", add)
