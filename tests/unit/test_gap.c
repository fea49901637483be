/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"
#include "wire/siphash.h"

#define MSS  1000
#define MOST 24

static struct world world;
static struct remote remote;

/* `n` segments, the first of them `at` segments behind snd_nxt, which does not move; then a poll. */
static uint32_t
send_behind(uint32_t at, uint32_t n)
{
	world_forget(&world);
	for (uint32_t i = at; i < at + n; i++)
		remote_send(&world, &remote, remote.snd_nxt + i * MSS, 0, MSS);
	return world_poll(&world, 1000);
}

static uint64_t
slow_segs(void)
{
	return tcp_of(&world)->stats.slow_segs;
}

static void
open_warm(bool sack)
{
	uint64_t at = 1;

	remote_init(&remote, 40000);
	world_simple(&world, &remote, 1 << 20, WEIR_ACK_TRAIN);
	if (!sack)
		flow_of(&world, &remote)->opts &= (uint8_t)~WEIR_FLOW_SACK;
	end_quick_acks(&world, &remote, MSS);
	read_all(&world, &remote, &at);
}

/* All that was sent behind the hole, which is filled now, comes out in order. */
static void
fill_and_check(uint32_t segs)
{
	uint64_t at = remote.snd_nxt - remote.iss - 1;

	remote_stream(&world, &remote, 0, MSS);
	remote.snd_nxt += segs * MSS;
	world_poll(&world, 1000);
	ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.snd_nxt);
	read_all(&world, &remote, &at);
	ck_assert_uint_eq(at, remote.snd_nxt - remote.iss - 1);
	check_memory(&world);
	world_close(&world);
}

START_TEST(each_of_a_run_is_answered)
{
	uint64_t slow;

	open_warm(true);
	slow = slow_segs();
	ck_assert_uint_eq(send_behind(1, 6), 6);
	ck_assert_uint_eq(slow_segs(), slow);
	for (uint32_t i = 0; i < 6; i++) {
		const struct reply *reply = &world.replies[i];

		ck_assert_uint_eq(reply->ack, remote.snd_nxt);
		ck_assert_uint_eq(reply->win, world.replies[0].win);
		ck_assert_uint_eq(reply->n_sacks, 1);
		ck_assert_uint_eq(reply->sacks[0][0], remote.snd_nxt + MSS);
		ck_assert_uint_eq(reply->sacks[0][1], remote.snd_nxt + (i + 2) * MSS);
	}
	ck_assert_uint_eq(tcp_of(&world)->stats.dup_acks, 6);
	check_memory(&world);
	ck_assert_uint_eq(send_behind(7, 3), 3);
	ck_assert_uint_eq(slow_segs(), slow);
	fill_and_check(9);
}
END_TEST

/* More than one aggregate, and more than are sent at once; then the hole is filled in two parts. */
START_TEST(a_long_run_is_answered)
{
	uint64_t slow;

	open_warm(true);
	slow = slow_segs();
	ck_assert_uint_eq(send_behind(2, 50), 50);
	for (uint32_t i = 0; i < 50; i++) {
		ck_assert_uint_eq(world.replies[i].n_sacks, 1);
		ck_assert_uint_eq(world.replies[i].sacks[0][0], remote.snd_nxt + 2 * MSS);
		ck_assert_uint_eq(world.replies[i].sacks[0][1], remote.snd_nxt + (i + 3) * MSS);
	}
	check_memory(&world);
	world_forget(&world);
	remote_stream(&world, &remote, 0, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world.replies[0].ack, remote.snd_nxt);
	ck_assert_uint_eq(world.replies[0].sacks[0][1], remote.snd_nxt + 51 * MSS);
	ck_assert_uint_eq(slow_segs(), slow);
	world_forget(&world);
	remote_stream(&world, &remote, 0, MSS);
	remote.snd_nxt += 50 * MSS;
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world.replies[0].ack, remote.snd_nxt);
	ck_assert_uint_eq(slow_segs(), slow);
	check_memory(&world);
	world_close(&world);
}
END_TEST

/* Not one answer is lost from the count when the pool has nothing left for some of them. */
START_TEST(answers_without_buffers_are_counted)
{
	const struct weir_stats *stats;
	uint32_t sent;

	open_warm(true);
	stats = &tcp_of(&world)->stats;
	world.stack->pool.fail_every = 2;
	world.stack->pool.fail_count = 1; /* all at once, then the second of those that are taken alone */
	sent = send_behind(1, 9);
	world.stack->pool.fail_every = 0;
	ck_assert_uint_lt(sent, 9);
	ck_assert_uint_eq(sent + stats->drops[WEIR_DROP_TX_NO_BUFFER], 9);
	fill_and_check(9);
}
END_TEST

/* Frames for them are of a pool of their own as long as it has enough; then of the others'. */
START_TEST(answers_have_their_own_frames)
{
	struct weir_pool *own;
	uint64_t others;

	open_warm(true);
	own = &world.stack->duplicates;
	ck_assert_int_eq(weir_pool_open_heap(own, 6, RTE_PKTMBUF_HEADROOM + WEIR_PACKET_MAX), 0);
	others = world.stack->pool.allocated;
	ck_assert_uint_eq(send_behind(1, 6), 6);
	ck_assert_uint_eq(own->allocated, 6);
	ck_assert_uint_eq(world.stack->pool.allocated, others);
	ck_assert_uint_eq(send_behind(7, 7), 7);
	ck_assert_uint_eq(own->allocated, 6);
	ck_assert_uint_eq(world.stack->pool.allocated, others + 7);
	ck_assert_uint_eq(world_last(&world)->sacks[0][1], remote.snd_nxt + 14 * MSS);
	ck_assert_uint_eq(weir_pool_available(own), 6);
	fill_and_check(13);
}
END_TEST

/* The latest range first, the others as they were; and a range that is met is joined. */
START_TEST(a_run_between_two_ranges)
{
	uint64_t slow;

	open_warm(true);
	ck_assert_uint_eq(send_behind(8, 1), 1);
	ck_assert_uint_eq(send_behind(2, 1), 1);
	slow = slow_segs();
	ck_assert_uint_eq(send_behind(3, 2), 2);
	ck_assert_uint_eq(slow_segs(), slow);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(world.replies[i].n_sacks, 2);
		ck_assert_uint_eq(world.replies[i].sacks[0][0], remote.snd_nxt + 2 * MSS);
		ck_assert_uint_eq(world.replies[i].sacks[0][1], remote.snd_nxt + (4 + i) * MSS);
		ck_assert_uint_eq(world.replies[i].sacks[1][0], remote.snd_nxt + 8 * MSS);
		ck_assert_uint_eq(world.replies[i].sacks[1][1], remote.snd_nxt + 9 * MSS);
	}
	ck_assert_uint_eq(send_behind(5, 3), 3);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 1);
	ck_assert_uint_eq(world_last(&world)->sacks[0][0], remote.snd_nxt + 2 * MSS);
	ck_assert_uint_eq(world_last(&world)->sacks[0][1], remote.snd_nxt + 9 * MSS);
	check_memory(&world);
	ck_assert_uint_eq(send_behind(1, 1), 1);
	fill_and_check(8);
}
END_TEST

START_TEST(without_sack_they_are_plain_duplicates)
{
	open_warm(false);
	ck_assert_uint_eq(send_behind(1, 5), 5);
	for (uint32_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(world.replies[i].ack, remote.snd_nxt);
		ck_assert_uint_eq(world.replies[i].n_sacks, 0);
	}
	fill_and_check(5);
}
END_TEST

/* What is not plain, or beyond the window, is looked at one by one. */
START_TEST(doubts_go_the_slow_way)
{
	struct frame_spec spec;
	uint8_t payload[MSS];
	uint64_t slow;

	open_warm(true);
	ck_assert_uint_eq(send_behind(1, 2), 2);
	for (int kind = 0; kind < 4; kind++) {
		world_forget(&world);
		slow = slow_segs();
		remote_spec(&remote, &spec, remote.snd_nxt + 3 * MSS, WEIR_TCP_ACK, payload, MSS);
		if (kind == 0)
			spec.flags |= WEIR_TCP_URG;
		else if (kind == 1)
			spec.ack += 1; /* of what was never sent */
		else if (kind == 2)
			spec.tsval -= 1;
		else
			spec.seq = flow_of(&world, &remote)->rcv_adv - 10;
		world_inject(&world, frame_build(&world.pool, &spec));
		world_poll(&world, 1000);
		ck_assert_uint_eq(slow_segs(), slow + 1);
		check_memory(&world);
	}
	world_close(&world);
}
END_TEST

/* Segments in any order and number, in polls of any size: what is delivered is what was sent. */
START_TEST(any_order_comes_out_right)
{
	uint64_t seed = 11, at;

	open_warm(true);
	at = remote.snd_nxt - remote.iss - 1;
	for (uint32_t round = 0; round < 400; round++) {
		uint32_t order[MOST], n = 2 + (uint32_t)(weir_seed_next(&seed) % (MOST - 1));

		for (uint32_t i = 0; i < n; i++)
			order[i] = i;
		for (uint32_t swaps = (uint32_t)(weir_seed_next(&seed) % 4); swaps > 0; swaps--) {
			uint32_t a = (uint32_t)(weir_seed_next(&seed) % n);
			uint32_t late = order[a];

			memmove(order + a, order + a + 1, (n - 1 - a) * sizeof(order[0]));
			order[n - 1] = late;
		}
		for (uint32_t i = 0; i < n; i++) {
			remote_send(&world, &remote, remote.snd_nxt + order[i] * MSS, 0, MSS);
			if (weir_seed_next(&seed) % 8 == 0)
				world_poll(&world, 1000);
		}
		world_poll(&world, 1000);
		remote.snd_nxt += n * MSS;
		ck_assert_uint_eq(flow_of(&world, &remote)->rcv_nxt, remote.snd_nxt);
		read_all(&world, &remote, &at);
		check_memory(&world);
		world_forget(&world);
	}
	ck_assert_uint_eq(at, remote.snd_nxt - remote.iss - 1);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, each_of_a_run_is_answered);
	UNIT_CASE(s, a_long_run_is_answered);
	UNIT_CASE(s, answers_without_buffers_are_counted);
	UNIT_CASE(s, answers_have_their_own_frames);
	UNIT_CASE(s, a_run_between_two_ranges);
	UNIT_CASE(s, without_sack_they_are_plain_duplicates);
	UNIT_CASE(s, doubts_go_the_slow_way);
	UNIT_CASE(s, any_order_comes_out_right);
}

UNIT_MAIN("gap", add)
