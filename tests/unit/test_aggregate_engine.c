/* SPDX-License-Identifier: BSD-3-Clause */
/* Aggregation through the engine: holds, order, and what closes a run. */
#include "tcp/aggregate.h"
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"
#include "wire/siphash.h"

#define BIT(id) (1u << WEIR_CAUSE_##id)

static struct world world;
static struct remote remote;

static uint64_t
reason(uint32_t cause)
{
	return tcp_of(&world)->stats.aggregate_reasons[cause];
}

static uint64_t
of_size(uint32_t n)
{
	return tcp_of(&world)->stats.aggregate_sizes[n];
}

static void
open_with(enum weir_flush flush, uint32_t value)
{
	struct weir_config config;

	world_config(&config);
	config.flush = flush;
	config.flush_value = value;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
	remote_init(&remote, 40000);
	remote_warm(&world, &remote);
	weir_engine_poll(world.engine, world.now_ns); /* nothing is held or owed */
	world_forget(&world);
	memset(&tcp_of(&world)->stats.aggregate_sizes, 0,
	       sizeof(tcp_of(&world)->stats.aggregate_sizes));
	memset(&tcp_of(&world)->stats.aggregate_reasons, 0,
	       sizeof(tcp_of(&world)->stats.aggregate_reasons));
}

/* A held run, then FIN: the data is delivered first, the FIN behind it, in one poll. */
START_TEST(pitfall_40_closing_segment_never_overtakes)
{
	uint64_t at = 1;

	open_with(WEIR_FLUSH_US, 1000);
	send_run(&world, &remote, 3, 1000);
	ck_assert_uint_eq(world_poll(&world, 1000), 0); /* held */
	ck_assert_uint_eq(world.n_events, 0);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 500);
	ck_assert_uint_gt(world_poll(&world, 1000), 0);
	ck_assert_uint_eq(of_size(3), 1);
	ck_assert_uint_eq(reason(WEIR_CAUSE_FLAGS), 2); /* what it closed, and itself */
	ck_assert_uint_eq(world.n_events, 2);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[0].bytes, 3500);
	ck_assert_uint_eq(world.events[1].type, WEIR_EVENT_FIN);
	ck_assert_uint_eq(world.events[1].bytes, 3501);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 3500);
	world_close(&world);
}
END_TEST

/* RST right behind held data: data is taken, then the connection ends. */
START_TEST(pitfall_40_reset_is_not_pulled_ahead)
{
	open_with(WEIR_FLUSH_US, 1000);
	send_run(&world, &remote, 3, 1000);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 0);
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_RST, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 2);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[0].bytes, 3000);
	ck_assert_uint_eq(world.events[1].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[1].flags, WEIR_CLOSE_RESET);
	ck_assert_uint_eq(world.events[1].bytes, 3001);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_40_push_ends_the_hold)
{
	open_with(WEIR_FLUSH_US, 1000);
	send_run(&world, &remote, 2, 1000);
	remote_stream(&world, &remote, WEIR_TCP_PSH, 700);
	ck_assert_uint_gt(world_poll(&world, 1000), 0);
	ck_assert_uint_eq(of_size(3), 1);
	ck_assert_uint_eq(reason(WEIR_CAUSE_PUSH), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	world_close(&world);
}
END_TEST

/* Many segments, each a chain of several buffers, in one aggregate and in order. */
START_TEST(pitfall_41_chains_keep_their_order)
{
	struct frame_spec spec;
	uint8_t payload[1400];
	uint64_t at = 1;

	open_with(WEIR_FLUSH_NOW, 0);
	for (uint32_t i = 0; i < 20; i++) {
		remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, 1400);
		spec.split = (uint16_t)(200 + 50 * (i % 4)); /* up to eight buffers */
		world_inject(&world, frame_build(&world.pool, &spec));
		remote.snd_nxt += 1400;
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(of_size(20), 1);
	world_poll(&world, 41000000); /* the delayed ACK */
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	check_memory(&world);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 20 * 1400);
	world_close(&world);
}
END_TEST

/* Runs of several flows are held at once; each comes out whole, at its time, as its own. */
static void
hold_neighbours(enum weir_flush flush, uint32_t value, uint32_t polls, uint64_t step_ns)
{
	struct remote others[5];
	uint64_t at;

	open_with(flush, value);
	for (uint32_t i = 0; i < 5; i++) {
		remote_init(&others[i], (uint16_t)(41000 + i));
		remote_open(&world, &others[i]);
	}
	world_forget(&world);
	for (uint32_t i = 0; i < 5; i++)
		send_run(&world, &others[i], 1 + i, 100 + i);
	for (uint32_t p = 1; p < polls; p++) {
		ck_assert_uint_eq(world_poll(&world, step_ns), 0);
		ck_assert_uint_eq(world.n_events, 0);
		if (p == 1)
			for (uint32_t i = 0; i < 5; i++)
				send_run(&world, &others[i], 2, 300);
	}
	world_poll(&world, step_ns);
	ck_assert_uint_eq(world.n_events, 5);
	ck_assert_uint_eq(reason(WEIR_CAUSE_HELD), 5);
	for (uint32_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(of_size(3 + i), 1);
		at = 0;
		read_all(&world, &others[i], &at);
		ck_assert_uint_eq(at, (1 + i) * (100 + i) + 600);
	}
	world_close(&world);
}

START_TEST(pitfall_42_flush_by_polls_keeps_neighbours)
{
	hold_neighbours(WEIR_FLUSH_POLLS, 3, 3, 1000);
}
END_TEST

START_TEST(pitfall_42_flush_by_time_keeps_neighbours)
{
	hold_neighbours(WEIR_FLUSH_US, 100, 6, 20000);
}
END_TEST

START_TEST(pitfall_43_pure_acks_pass_one_by_one)
{
	uint64_t consumed;

	open_with(WEIR_FLUSH_NOW, 0);
	consumed = tcp_of(&world)->stats.packets_consumed;
	send_run(&world, &remote, 4, 0);
	send_run(&world, &remote, 3, 900);
	send_run(&world, &remote, 3, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(reason(WEIR_CAUSE_PURE_ACK), 4 + 1 + 3); /* with the run that they close */
	ck_assert_uint_eq(of_size(3), 1);
	ck_assert_uint_eq(tcp_of(&world)->stats.packets_consumed, consumed + 7);
	world_close(&world);
}
END_TEST

/* A forged copy with a wrong checksum stands inside a run: it leaves alone, all else merges. */
START_TEST(pitfall_45_bad_checksum_leaves_alone)
{
	struct frame_spec spec;
	uint8_t payload[1000];
	struct drops drops;
	uint64_t at = 1;

	open_with(WEIR_FLUSH_NOW, 0);
	drops_note(&world, &drops);
	for (uint32_t i = 0; i < 6; i++) {
		if (i == 3) {
			remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, 1000);
			spec.bad_tcp_csum = 1;
			payload[0] ^= 1;
			world_inject(&world, frame_build(&world.pool, &spec));
		}
		remote_stream(&world, &remote, 0, 1000);
	}
	world_poll(&world, 1000);
	drops_moved(&world, &drops, WEIR_DROP_TCP_CHECKSUM, 1);
	ck_assert_uint_eq(of_size(6), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 6000);
	world_close(&world);
}
END_TEST

/* The run itself is hurt: what stands left of the bad segment merges, what stands right of it too. */
START_TEST(pitfall_45_run_merges_around_the_gap)
{
	struct frame_spec spec;
	uint8_t payload[1000];
	uint64_t at = 1;

	open_with(WEIR_FLUSH_NOW, 0);
	send_run(&world, &remote, 3, 1000);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, payload, 1000);
	spec.bad_tcp_csum = 1;
	world_inject(&world, frame_build(&world.pool, &spec));
	remote.snd_nxt += 1000;
	send_run(&world, &remote, 4, 1000);
	world_poll(&world, 1000);
	ck_assert_uint_eq(of_size(3), 1);
	ck_assert_uint_eq(of_size(4), 1);
	ck_assert_uint_eq(reason(WEIR_CAUSE_SEQUENCE), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.iss + 2 + 3000);
	remote_send(&world, &remote, remote.iss + 2 + 3000, 0, 1000);
	world_poll(&world, 1000);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, 1 + 8000);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_40_closing_segment_never_overtakes);
	UNIT_CASE(s, pitfall_40_reset_is_not_pulled_ahead);
	UNIT_CASE(s, pitfall_40_push_ends_the_hold);
	UNIT_CASE(s, pitfall_41_chains_keep_their_order);
	UNIT_CASE(s, pitfall_42_flush_by_polls_keeps_neighbours);
	UNIT_CASE(s, pitfall_42_flush_by_time_keeps_neighbours);
	UNIT_CASE(s, pitfall_43_pure_acks_pass_one_by_one);
	UNIT_CASE(s, pitfall_45_bad_checksum_leaves_alone);
	UNIT_CASE(s, pitfall_45_run_merges_around_the_gap);
}

UNIT_MAIN("aggregate_engine", add)
