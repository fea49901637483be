/* SPDX-License-Identifier: BSD-3-Clause */
/* The direction that is treated only with both=1. */
#include "tests/unit/impairing.h"

START_TEST(sent_frames_pass_unless_both)
{
	struct rte_mbuf *buf;
	struct fixture f;

	set_up(&f, "loss=100%");
	buf = make(&f);
	ck_assert_uint_eq(f.port->tx_burst(f.port->ctx, &buf, 1, 1), 1);
	ck_assert_uint_eq(f.below.n_sent, 1);
	tear_down(&f);
	set_up(&f, "loss=100%,both=1");
	buf = make(&f);
	ck_assert_uint_eq(f.port->tx_burst(f.port->ctx, &buf, 1, 1), 1);
	ck_assert_uint_eq(f.below.n_sent, 0);
	tear_down(&f);
}
END_TEST

START_TEST(sent_frames_leave_when_due)
{
	struct rte_mbuf *bufs[2];
	struct fixture f;

	set_up(&f, "delay=1ms,both=1");
	bufs[0] = make(&f);
	bufs[1] = make(&f);
	ck_assert_uint_eq(f.port->tx_burst(f.port->ctx, bufs, 2, 0), 2);
	ck_assert_uint_eq(f.port->deadline(f.port->ctx), 1000000);
	poll_port(&f, 999999, BURST);
	ck_assert_uint_eq(f.below.n_sent, 0);
	/* Nothing more is sent: the poll of the receive side moves them. */
	poll_port(&f, 1000000, BURST);
	ck_assert_uint_eq(f.below.n_sent, 2);
	ck_assert_ptr_eq(f.below.sent[0], bufs[0]);
	ck_assert_ptr_eq(f.below.sent[1], bufs[1]);
	tear_down(&f);
}
END_TEST

/* The port below takes none, then one at a time: all frames get there in order or are refused. */
START_TEST(pitfall_49_port_below_takes_fewer)
{
	struct rte_mbuf *bufs[BURST];
	uint32_t taken = 0, seen = 0;
	struct fixture f;

	set_up(&f, "both=1");
	f.below.takes = 0;
	for (int i = 0; i < 40; i++) {
		uint32_t n;

		for (uint32_t k = 0; k < BURST; k++)
			bufs[k] = make(&f);
		n = f.port->tx_burst(f.port->ctx, bufs, BURST, 1);
		f.sequence -= BURST - n;
		taken += n;
		weir_buf_free_bulk(&f.pool, bufs + n, BURST - n);
	}
	ck_assert_uint_ge(taken, BUFFERS / 16);
	ck_assert_uint_le(taken, BUFFERS / 8);
	for (int i = 0; i < 2000; i++) {
		f.below.takes = (uint16_t)(i % 3);
		poll_port(&f, 1, BURST);
	}
	ck_assert_uint_eq(f.below.n_sent, taken);
	for (; seen < taken; seen++)
		ck_assert_uint_eq(sequence_of(f.below.sent[seen]), seen);
	tear_down(&f);
}
END_TEST

START_TEST(stop_frees_what_is_held)
{
	struct rte_mbuf *bufs[5];
	struct fixture f;

	set_up(&f, "delay=1s,both=1");
	arrive(&f, 20);
	ck_assert_uint_eq(poll_port(&f, 1, BURST), 0);
	for (int i = 0; i < 5; i++)
		bufs[i] = make(&f);
	ck_assert_uint_eq(f.port->tx_burst(f.port->ctx, bufs, 5, 1), 5);
	ck_assert_uint_eq(weir_pool_available(&f.pool), BUFFERS - 25);
	f.port->stop(f.port->ctx);
	ck_assert_uint_eq(weir_pool_available(&f.pool), BUFFERS);
	tear_down(&f);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, sent_frames_pass_unless_both);
	UNIT_CASE(s, sent_frames_leave_when_due);
	UNIT_CASE(s, pitfall_49_port_below_takes_fewer);
	UNIT_CASE(s, stop_frees_what_is_held);
}

UNIT_MAIN("impair_sent", add)
