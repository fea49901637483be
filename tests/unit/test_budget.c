/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/tcp_test.h"
#include "tests/unit/unit.h"

#define LIMIT  (1u << 20)
#define BUDGET 3200u
#define CHARGE 2048u
#define MSS    1448u

static struct weir_tcp tcp;
static struct weir_flow flow;

/* An engine that holds `held` of its 3,200 buffers, and an idle flow. */
static void
begin(uint32_t held)
{
	memset(&tcp, 0, sizeof(tcp));
	memset(&flow, 0, sizeof(flow));
	tcp.budget_bufs = BUDGET;
	tcp.charge_bytes = CHARGE;
	tcp.held_bufs = held;
	tcp.now_ms = 50000;
	flow.limit = LIMIT;
	flow.read_ms = 1000;
}

/* The flow holds `bufs` of them, none of which is read. */
static void
waits(uint32_t bufs)
{
	flow.held_bufs = bufs;
	flow.unread_bytes = bufs * MSS;
	flow.read_ms = tcp.now_ms;
}

static bool
admitted(uint32_t bufs)
{
	return weir_budget_ask(&tcp, &flow, bufs) == WEIR_BUDGET_ADMITTED;
}

static int32_t
promise(void)
{
	enum weir_limit closes;

	return weir_budget_promise(&tcp, &flow, MSS, &closes);
}

START_TEST(pressure_rises_with_what_is_held)
{
	static const uint32_t first[] = {0, BUDGET * 3 / 4, BUDGET * 7 / 8, BUDGET * 15 / 16,
					 BUDGET * 31 / 32};

	for (uint32_t level = 0; level < 5; level++) {
		begin(first[level]);
		ck_assert_uint_eq(weir_budget_pressure(&tcp), level);
		if (level == 0)
			continue;
		tcp.held_bufs--;
		ck_assert_uint_eq(weir_budget_pressure(&tcp), level - 1);
	}
}
END_TEST

START_TEST(without_pressure_the_receive_buffer_bounds)
{
	begin(0);
	ck_assert_int_eq(promise(), LIMIT);
	waits(100);
	ck_assert_int_eq(promise(), LIMIT - 100 * MSS);
	flow.leased_bytes = 1000;
	ck_assert_int_eq(promise(), LIMIT - 100 * MSS - 1000);
	ck_assert(admitted(1024 - 100));
	ck_assert_int_eq(weir_budget_ask(&tcp, &flow, 1025 - 100), WEIR_BUDGET_OWN_LIMIT);
	flow.unread_bytes = LIMIT + 5;
	ck_assert_int_eq(promise(), -1005); /* what rounding let in is not promised again */
	flow.limit = 1; /* however small it is, some buffers are granted */
	waits(1);
	ck_assert(admitted(63));
	ck_assert_int_eq(weir_budget_ask(&tcp, &flow, 64), WEIR_BUDGET_OWN_LIMIT);
}
END_TEST

START_TEST(who_is_not_read_gets_a_few_then_nothing)
{
	enum weir_limit closes;

	begin(BUDGET * 3 / 4);
	ck_assert_int_eq(promise(), 4 * MSS);
	ck_assert(admitted(1));
	waits(3);
	ck_assert(admitted(1));
	ck_assert_int_eq(weir_budget_ask(&tcp, &flow, 2), WEIR_BUDGET_SHORT);
	ck_assert_int_eq(promise(), MSS);
	tcp.held_bufs = BUDGET * 7 / 8;
	ck_assert(!admitted(1));
	ck_assert_int_eq(weir_budget_promise(&tcp, &flow, MSS, &closes), -3 * (int)MSS);
	ck_assert_int_eq(closes, WEIR_LIMIT_MEMORY);
	waits(0);
	ck_assert(!admitted(1));
}
END_TEST

START_TEST(who_is_read_finds_room_to_the_last_buffer)
{
	begin(BUDGET - 2);
	weir_budget_read(&tcp, &flow, 1);
	ck_assert(admitted(2)); /* idle, however long */
	ck_assert_int_eq(weir_budget_ask(&tcp, &flow, 3), WEIR_BUDGET_SHORT);
	ck_assert_uint_ge(promise(), 2 * MSS); /* whatever there is: it moves */
	tcp.held_bufs = BUDGET * 7 / 8;
	weir_budget_read(&tcp, &flow, 100 * CHARGE);
	waits(100);
	ck_assert(admitted(104)); /* twice what was read, in half full buffers, and a few */
	ck_assert(!admitted(105));
}
END_TEST

START_TEST(reading_counts_half_after_each_period_of_waiting)
{
	begin(BUDGET * 7 / 8);
	waits(1);
	weir_budget_read(&tcp, &flow, 64 * CHARGE);
	tcp.now_ms += 127;
	ck_assert(admitted(131) && !admitted(132));
	tcp.now_ms += 1;
	ck_assert(admitted(67) && !admitted(68));
	tcp.now_ms += 128 * 40;
	ck_assert(!admitted(1));
	flow.unread_bytes = 0; /* all was read meanwhile: time does not count */
	ck_assert(admitted(1));
}
END_TEST

/* A little now and then does not keep what much reading once earned. */
START_TEST(slow_reading_earns_little)
{
	begin(BUDGET * 7 / 8);
	waits(1);
	weir_budget_read(&tcp, &flow, LIMIT * 2);
	ck_assert_uint_eq(flow.read_bytes, LIMIT);
	for (uint32_t i = 0; i < 100; i++) {
		tcp.now_ms += 50;
		weir_budget_read(&tcp, &flow, 1000);
	}
	ck_assert_uint_lt(flow.read_bytes, 6000);
	ck_assert_uint_gt(flow.read_bytes, 2000);
}
END_TEST

START_TEST(one_packet_fits_however_many_buffers_it_has)
{
	begin(BUDGET * 3 / 4);
	ck_assert(admitted(8)); /* a jumbo frame as a chain */
	waits(8);
	ck_assert(!admitted(1));
}
END_TEST

START_TEST(never_more_is_promised_than_there_is)
{
	enum weir_limit closes;

	begin(0);
	tcp.budget_bufs = 100;
	ck_assert_int_eq(weir_budget_promise(&tcp, &flow, MSS, &closes), 100 * 1024);
	ck_assert_int_eq(closes, WEIR_LIMIT_MEMORY);
	flow.limit = 5000;
	ck_assert_int_eq(weir_budget_promise(&tcp, &flow, MSS, &closes), 5000);
	ck_assert_int_eq(closes, WEIR_LIMIT_APPLICATION);
}
END_TEST

START_TEST(half_of_what_is_left_may_go_to_one)
{
	begin(0);
	ck_assert_uint_eq(weir_budget_share(&tcp, &flow), BUDGET * 1024 / 2);
	tcp.held_bufs = BUDGET / 2;
	ck_assert_uint_eq(weir_budget_share(&tcp, &flow), BUDGET * 1024 / 4);
	tcp.held_bufs = BUDGET * 3 / 4; /* pressure */
	ck_assert_uint_eq(weir_budget_share(&tcp, &flow), 0);
	tcp.held_bufs = 0;
	tcp.budget_bufs = 1 << 24;
	ck_assert_uint_eq(weir_budget_share(&tcp, &flow), INT32_MAX);
	flow.opts = WEIR_FLOW_CHARGED; /* and of what is left of its listener's */
	tcp.listeners[0].budget_bufs = 100;
	tcp.listener_uses[0].held_bufs = 60;
	ck_assert_uint_eq(weir_budget_share(&tcp, &flow), 40 * 1024 / 2);
	tcp.listener_uses[0].held_bufs = 75;
	ck_assert_uint_eq(weir_budget_share(&tcp, &flow), 0);
}
END_TEST

/* What was promised before the receive buffer became smaller is held all the same. */
START_TEST(a_promise_outlives_the_limit)
{
	begin(0);
	waits(100);
	flow.limit = 4096;
	ck_assert(!admitted(100));
	flow.rcv_nxt = 1000;
	flow.rcv_adv = 1000 + 100 * MSS;
	ck_assert(admitted(100)); /* 200 segments' worth, in half full buffers */
	ck_assert_int_eq(promise(), 4096 - 100 * (int)MSS);
}
END_TEST

START_TEST(a_syn_ack_promises_a_few_segments)
{
	begin(0);
	ck_assert_uint_eq(weir_budget_first_window(&tcp, LIMIT, MSS), 16 * MSS);
	ck_assert_uint_eq(weir_budget_first_window(&tcp, 3000, MSS), 3000);
	tcp.held_bufs = BUDGET * 3 / 4;
	ck_assert_uint_eq(weir_budget_first_window(&tcp, LIMIT, MSS), 4 * MSS);
	tcp.held_bufs = BUDGET;
	ck_assert_uint_eq(weir_budget_first_window(&tcp, LIMIT, MSS), 2 * MSS);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pressure_rises_with_what_is_held);
	UNIT_CASE(s, without_pressure_the_receive_buffer_bounds);
	UNIT_CASE(s, who_is_not_read_gets_a_few_then_nothing);
	UNIT_CASE(s, who_is_read_finds_room_to_the_last_buffer);
	UNIT_CASE(s, reading_counts_half_after_each_period_of_waiting);
	UNIT_CASE(s, slow_reading_earns_little);
	UNIT_CASE(s, one_packet_fits_however_many_buffers_it_has);
	UNIT_CASE(s, never_more_is_promised_than_there_is);
	UNIT_CASE(s, half_of_what_is_left_may_go_to_one);
	UNIT_CASE(s, a_promise_outlives_the_limit);
	UNIT_CASE(s, a_syn_ack_promises_a_few_segments);
}

UNIT_MAIN("budget", add)
