/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory pressure in the order of the design, each step counted and none before its turn: windows stop
 * growing; small segments are copied together; out-of-order data farthest from rcv_nxt is given back;
 * new connections are refused. No byte that was acknowledged is lost on the way.
 */
#include "tests/unit/engine_test.h"
#include "wire/seq.h"

#define FLOWS  24
#define MSS    ENGINE_TEST_MSS
#define BUFFER (1u << 19)

static struct remote remotes[FLOWS];
static uint64_t read_bytes[FLOWS];
static uint8_t data[1 << 20];
static struct weir_pool frames; /* what is held lies here */

static void
send_at(const struct remote *remote, uint32_t seq, uint32_t len)
{
	struct frame_spec spec;
	uint8_t payload[MSS];

	remote_spec(remote, &spec, seq, WEIR_TCP_ACK, payload, len);
	world_inject(&world, frame_build(&frames, &spec));
}

static void
stream(struct remote *remote, uint32_t len)
{
	send_at(remote, remote->snd_nxt, len);
	remote->snd_nxt += len;
}

static uint32_t
pressure(void)
{
	return weir_budget_pressure(&world.engine->tcp);
}

/* No step came before pressure had reached its level. */
static void
steps_so_far(uint32_t steps)
{
	const struct weir_stats *stats = stats_now();
	const uint64_t counters[] = {stats->edges_held, stats->collapsed, stats->pruned,
				     stats->refused};

	for (uint32_t i = steps; i < 4; i++)
		ck_assert_msg(counters[i] == 0, "step %u came at pressure %u", i + 1, pressure());
}

static uint32_t highest; /* pressure so far */

static void
step(void)
{
	highest = pressure() > highest ? pressure() : highest;
	world_poll(&world, 1000);
	world_forget(&world);
	highest = pressure() > highest ? pressure() : highest;
	steps_so_far(highest);
}

/* Every application has read enough lately for its connection to be let in under pressure. */
static void
warm_up(void)
{
	highest = 0;
	for (uint32_t i = 0; i < FLOWS; i++) {
		remote_init(&remotes[i], (uint16_t)(40000 + i));
		remote_open(&world, &remotes[i]);
		read_bytes[i] = 0;
		for (uint32_t k = 0; k < 200; k++) {
			stream(&remotes[i], MSS);
			step();
			read_bytes[i] += (uint64_t)weir_conn_discard(world.stack, remotes[i].conn, MSS);
		}
	}
}

/* Segments of `len` bytes for one flow after another, until the pressure is `level`. */
static void
press(uint32_t level, uint32_t len)
{
	for (uint32_t i = 0; pressure() < level; i++) {
		ck_assert_uint_lt(i, 20000);
		stream(&remotes[i % FLOWS], len);
		step();
	}
}

static bool
opens(uint16_t port)
{
	struct remote remote;
	uint8_t options[12], len;
	uint32_t sent;

	remote_init(&remote, port);
	len = scene_options(&remote, options);
	scene_syn(&world, &remote, 0, options, len);
	sent = world_poll(&world, 1000);
	for (uint32_t i = world.n_replies - sent; i < world.n_replies; i++)
		if (world.replies[i].dport == port)
			return true;
	return false;
}

/* Out of order, until the pressure is `level`: `hole` bytes are missing in front. */
static void
press_behind_holes(uint32_t level, uint32_t hole)
{
	for (uint32_t i = 0; pressure() < level; i++) {
		const struct remote *remote = &remotes[i % FLOWS];

		ck_assert_uint_lt(i, 20000);
		send_at(remote, remote->snd_nxt + hole + i / FLOWS * MSS, MSS);
		step();
	}
}

static void
check_all_that_was_acknowledged(void)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint32_t unread = info_of(remotes[i].conn).unread_bytes;

		ck_assert_int_eq(weir_conn_read(world.stack, remotes[i].conn, data, sizeof(data)),
				 (int)unread);
		check_content(data, read_bytes[i], unread);
		ck_assert_uint_eq(info_of(remotes[i].conn).bytes, read_bytes[i] + unread);
	}
}

START_TEST(steps_come_in_their_order)
{
	struct weir_config config;

	world_config(&config);
	config.flows = 64;
	ck_assert_int_eq(weir_pool_open_heap(&frames, 8192, 2176), 0);
	world_open(&world, &config, BUFFER, WEIR_ACK_TRAIN);
	warm_up();
	press(1, MSS);
	ck_assert(opens(50000));
	press(2, MSS); /* nothing to collapse yet: the segments are full */
	ck_assert_uint_gt(stats_now()->edges_held, 0);
	ck_assert(opens(50001));
	for (uint32_t i = 0; i < 4 * FLOWS; i++) {
		stream(&remotes[i % FLOWS], 10);
		step();
	}
	press_behind_holes(3, MSS);
	ck_assert(opens(50002));
	press(4, MSS);
	ck_assert_uint_gt(stats_now()->pruned, 0);
	ck_assert_uint_eq(stats_now()->drops[WEIR_DROP_TCP_PRUNED], stats_now()->pruned);
	ck_assert(!opens(50003));
	ck_assert_uint_eq(stats_now()->refused, 1);
	check_all_that_was_acknowledged();
	step();
	ck_assert_uint_eq(pressure(), 0);
	ck_assert(opens(50004));
	world_close(&world);
	ck_assert_uint_eq(weir_pool_close(&frames), 0);
}
END_TEST

/* Beside unread tiny segments: the second step is enough, nothing is given back, nobody refused. */
START_TEST(collapsing_comes_before_pruning)
{
	struct weir_config config;
	uint64_t held;

	world_config(&config);
	config.flows = 64;
	ck_assert_int_eq(weir_pool_open_heap(&frames, 8192, 2176), 0);
	world_open(&world, &config, BUFFER, WEIR_ACK_TRAIN);
	warm_up();
	press(2, 10);
	held = stats_now()->buffers_held;
	for (uint32_t i = 0; i < 2 * FLOWS; i++) {
		stream(&remotes[i % FLOWS], 10);
		step();
	}
	ck_assert_uint_gt(stats_now()->edges_held, 0);
	ck_assert_uint_gt(stats_now()->collapsed, 100);
	ck_assert_uint_lt(stats_now()->buffers_held, held);
	ck_assert_uint_lt(pressure(), 2);
	ck_assert_uint_eq(stats_now()->pruned, 0);
	ck_assert_uint_eq(stats_now()->refused, 0);
	check_all_that_was_acknowledged();
	world_close(&world);
	ck_assert_uint_eq(weir_pool_close(&frames), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, steps_come_in_their_order);
	UNIT_CASE(s, collapsing_comes_before_pruning);
}

UNIT_MAIN("pressure", add)
