/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"

#define MSS 1448

static struct world world;
static struct remote remote;

static void
open_policy(enum weir_ack_policy policy)
{
	struct weir_config config;

	world_config(&config);
	world_open(&world, &config, 1 << 20, policy);
	remote_init(&remote, 30000);
	remote_warm(&world, &remote);
	world_forget(&world);
}

static void
stream(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		remote_stream(&world, &remote, 0, MSS);
}

/* Past the first 16, which are acknowledged each at once; one of them went into the warm-up. */
static void
leave_quick_acks(void)
{
	stream(15);
	ck_assert_uint_eq(world_poll(&world, 1000), 15);
	weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	world_forget(&world);
}

START_TEST(first_sixteen_each_at_once)
{
	open_policy(WEIR_ACK_TRAIN);
	stream(18);
	ck_assert_uint_eq(world_poll(&world, 1000), 16); /* 15 at once, then every second */
	for (uint32_t i = 0; i < 15; i++)
		ck_assert_uint_eq(world.replies[i].ack, remote.iss + 2 + (i + 1) * MSS);
	ck_assert_uint_eq(world.replies[15].ack, remote.iss + 2 + 17 * MSS);
	world_close(&world);
}
END_TEST

START_TEST(train_acknowledges_every_second_segment)
{
	uint32_t start;

	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	start = remote.snd_nxt;
	stream(20);
	ck_assert_uint_eq(world_poll(&world, 1000), 10);
	for (uint32_t i = 0; i < 10; i++)
		ck_assert_uint_eq(world.replies[i].ack, start + (i + 1) * 2 * MSS);
	ck_assert_uint_eq(tcp_of(&world)->stats.acks_single, 0);
	world_close(&world);
}
END_TEST

START_TEST(delayed_ack_after_forty_ms)
{
	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	stream(1);
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	ck_assert_uint_eq(world_poll(&world, 38 * TCP_TEST_MS), 0);
	ck_assert_uint_eq(world_poll(&world, 3 * TCP_TEST_MS), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_poll(&world, 100 * TCP_TEST_MS), 0);
	world_close(&world);
}
END_TEST

START_TEST(stretch_acknowledges_aggregates)
{
	open_policy(WEIR_ACK_STRETCH);
	leave_quick_acks();
	stream(20);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	world_close(&world);
}
END_TEST

/* Hatori & Oi: two aggregates, one ACK. */
START_TEST(delayed_counts_aggregates_as_segments)
{
	open_policy(WEIR_ACK_DELAYED);
	leave_quick_acks();
	stream(20);
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	stream(20);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	world_close(&world);
}
END_TEST

START_TEST(quick_acks_return_after_idle)
{
	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	world_poll(&world, 1100 * TCP_TEST_MS);
	stream(4);
	ck_assert_uint_eq(world_poll(&world, 1000), 4);
	world_close(&world);
}
END_TEST

/* A segment that waits for `wait_ms` for the one before it; what then comes is `acks` for four more. */
static void
fill_after(uint64_t wait_ms, uint32_t acks)
{
	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	remote_send(&world, &remote, remote.snd_nxt + MSS, 0, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 1);
	stream(1);
	remote.snd_nxt += MSS;
	ck_assert_uint_eq(world_poll(&world, wait_ms * TCP_TEST_MS), 1); /* gap filled: at once */
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 0);
	stream(4);
	ck_assert_uint_eq(world_poll(&world, 1000), acks);
	world_close(&world);
}

START_TEST(quick_acks_return_after_timeout)
{
	fill_after(WEIR_TCP_STUCK_MS, 4);
}
END_TEST

START_TEST(one_ack_at_once_for_what_was_late)
{
	fill_after(WEIR_TCP_STUCK_MS - 1, 2);
}
END_TEST

START_TEST(pitfall_52_three_duplicates_of_equal_window)
{
	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	for (uint32_t i = 1; i <= 3; i++)
		remote_send(&world, &remote, remote.snd_nxt + 2 * i * MSS, 0, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 3);
	for (uint32_t i = 0; i < 3; i++) {
		const struct reply *reply = &world.replies[i];

		ck_assert_uint_eq(reply->ack, remote.snd_nxt);
		ck_assert_uint_eq(reply->win, world.replies[0].win);
		ck_assert_uint_eq(reply->n_sacks, i + 1);
		ck_assert_uint_eq(reply->sacks[0][0], remote.snd_nxt + 2 * (i + 1) * MSS);
	}
	ck_assert_uint_eq(tcp_of(&world)->stats.dup_acks, 3);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_43_duplicates_among_trains_are_all_sent)
{
	uint32_t base;

	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	base = remote.snd_nxt;
	stream(2);
	for (uint32_t i = 1; i <= 4; i++)
		remote_send(&world, &remote, remote.snd_nxt + i * MSS, 0, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 5);
	for (uint32_t i = 0; i < 5; i++)
		ck_assert_uint_eq(world.replies[i].ack, base + 2 * MSS);
	world_close(&world);
}
END_TEST

START_TEST(duplicate_is_reported_once)
{
	uint32_t old;

	open_policy(WEIR_ACK_TRAIN);
	leave_quick_acks();
	old = remote.snd_nxt;
	stream(2);
	world_poll(&world, 1000);
	world_forget(&world);
	remote_send(&world, &remote, old, 0, MSS);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 1);
	ck_assert_uint_eq(world_last(&world)->sacks[0][0], old);
	ck_assert_uint_eq(world_last(&world)->sacks[0][1], old + MSS);
	stream(2);
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 0);
	world_close(&world);
}
END_TEST

/* A duplicate ACK repeats the old edge, so what the application frees in the same poll needs an ACK
 * of its own. */
static void
discard_all(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++)
		if (events[i].type == WEIR_EVENT_DATA)
			weir_conn_discard(stack, events[i].conn, UINT32_MAX);
}

START_TEST(pitfall_33_update_beside_a_duplicate_ack)
{
	struct weir_config config;

	world_config(&config);
	world_open(&world, &config, 8192, WEIR_ACK_TRAIN);
	remote_init(&remote, 30000);
	remote_open(&world, &remote);
	remote_send(&world, &remote, remote.snd_nxt, 0, 1400);
	remote.snd_nxt += 1400;
	world_poll(&world, 1000);
	remote.edge = reply_edge(&remote, world_last(&world));
	while (weir_seq_diff(remote.edge, remote.snd_nxt) >= 1400) {
		remote_stream(&world, &remote, 0, 1400);
		world_poll(&world, 1000);
		remote.edge = reply_edge(&remote, world_last(&world));
	}
	weir_stack_set_handler(world.stack, discard_all, &world);
	remote_stream(&world, &remote, 0, 1); /* the event in which all is freed */
	remote_send(&world, &remote, remote.iss + 1, 0, 1400); /* a duplicate, answered last */
	world_poll(&world, 1000);
	remote.edge = reply_edge(&remote, world_last(&world));
	ck_assert_int_ge(weir_seq_diff(remote.edge, remote.snd_nxt), 1400);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, first_sixteen_each_at_once);
	UNIT_CASE(s, train_acknowledges_every_second_segment);
	UNIT_CASE(s, delayed_ack_after_forty_ms);
	UNIT_CASE(s, stretch_acknowledges_aggregates);
	UNIT_CASE(s, delayed_counts_aggregates_as_segments);
	UNIT_CASE(s, quick_acks_return_after_idle);
	UNIT_CASE(s, quick_acks_return_after_timeout);
	UNIT_CASE(s, one_ack_at_once_for_what_was_late);
	UNIT_CASE(s, pitfall_52_three_duplicates_of_equal_window);
	UNIT_CASE(s, pitfall_43_duplicates_among_trains_are_all_sent);
	UNIT_CASE(s, duplicate_is_reported_once);
	UNIT_CASE(s, pitfall_33_update_beside_a_duplicate_ack);
}

UNIT_MAIN("ack", add)
