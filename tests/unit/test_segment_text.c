/* SPDX-License-Identifier: BSD-3-Clause */
/* The last steps of RFC 9293 3.10.7.4: what a segment carries, its FIN, and its congestion marks.
 */
#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;
static struct remote remote;

/* The ACK of a connection as it stands: nothing but ACK, at snd_nxt, of rcv_nxt. */
static void
is_plain_ack(const struct reply *reply, const struct weir_flow *flow)
{
	ck_assert_uint_eq(reply->flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(reply->seq, flow->snd_nxt);
	ck_assert_uint_eq(reply->ack, flow->rcv_nxt);
	ck_assert_uint_eq(reply->len, 0);
}

/* A receive buffer of 4096 bytes, 96 of them taken: the window is all that is left. */
static void
open_4096(void)
{
	scene_open(&world, 4096);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_stream(&world, &remote, 0, 96);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->win, 4000);
}

static void
read_all(uint64_t from, int len)
{
	uint8_t data[65536];

	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, data, sizeof(data)), len);
	for (int i = 0; i < len; i++)
		ck_assert_uint_eq(data[i], remote_byte(from + (uint64_t)i));
}

/* The urgent pointer does not take its byte out of the stream, and what follows is not held up. */
START_TEST(pitfall_38_urgent_data_stays_in_line)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_stream(&world, &remote, WEIR_TCP_URG | WEIR_TCP_PSH, 100);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote_stream(&world, &remote, WEIR_TCP_URG, 1);
	remote_stream(&world, &remote, 0, 99);
	scene_expect(&world, SCENE_DELIVERED, 2, 2);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	read_all(0, 200);
	scene_close(&world);
}
END_TEST

/* After any odd segment the flow is on the fast path again. */
START_TEST(pitfall_39_unusual_flags_do_not_park_a_flow)
{
	static const uint8_t odd[] = {WEIR_TCP_URG, WEIR_TCP_ECE, WEIR_TCP_CWR,
				      WEIR_TCP_URG | WEIR_TCP_PSH | WEIR_TCP_ECE | WEIR_TCP_CWR};
	uint64_t slow;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	for (uint32_t i = 0; i < 2 * sizeof(odd); i++) {
		remote_stream(&world, &remote, odd[i / 2], i % 2 != 0 ? 50 : 0);
		world_poll(&world, 1000);
		slow = world.engine->tcp.stats.slow_segs;
		remote_stream(&world, &remote, 0, 50);
		scene_expect(&world, SCENE_DELIVERED, 1, 1);
		ck_assert_uint_eq(world.engine->tcp.stats.slow_segs, slow);
	}
	read_all(0, 12 * 50);
	scene_close(&world);
}
END_TEST

/* ---- FIN ---- */

START_TEST(fin_in_order_alone_and_with_data)
{
	scene_open(&world, 1 << 20);
	for (uint32_t len = 0; len < 200; len += 100) {
		scene_enter(&world, &remote, (uint16_t)(40000 + len), WEIR_TCP_ESTABLISHED);
		remote_stream(&world, &remote, WEIR_TCP_FIN, len);
		scene_expect(&world, len == 0 ? SCENE_CONSUMED : SCENE_DELIVERED, 1, 1);
		ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
		ck_assert_uint_eq(world.events[world.n_events - 1].bytes, len);
		scene_events(&world, len == 0 ? "F" : "DF");
		ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_CLOSE_WAIT);
		read_all(0, (int)len);
	}
	scene_close(&world);
}
END_TEST

/* The FIN stands behind a hole of 100 bytes; `tail` bytes come with it. */
static void
fin_waits(uint32_t tail)
{
	uint32_t hole;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	hole = remote.snd_nxt;
	remote.snd_nxt += 100;
	remote_stream(&world, &remote, WEIR_TCP_FIN, tail);
	scene_expect(&world, tail == 0 ? SCENE_CONSUMED : SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, hole);
	ck_assert_uint_eq(world_last(&world)->n_sacks, tail != 0);
	scene_events(&world, "");
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_ESTABLISHED);
	remote_send(&world, &remote, hole, 0, 60);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	scene_events(&world, "D");
	remote_send(&world, &remote, hole + 60, 0, 40);
	world.n_replies = 0;
	world_poll(&world, 1000);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	scene_events(&world, "DF");
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_CLOSE_WAIT);
	read_all(0, 100 + (int)tail);
	scene_close(&world);
}

START_TEST(pitfall_35_fin_out_of_order_waits_for_the_hole)
{
	fin_waits(50);
}
END_TEST

/* Without data nothing is held that marks the flow: the last data segment must still find it. */
START_TEST(pitfall_35_bare_fin_out_of_order_waits_for_the_hole)
{
	fin_waits(0);
}
END_TEST

START_TEST(pitfall_35_trimmed_fin_does_not_count)
{
	open_4096();
	remote_stream(&world, &remote, 0, 1400);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote_stream(&world, &remote, 0, 1200);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	/* |1400 in the window|FIN outside */
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_FIN, 1400);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote.snd_nxt += 1400;
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_last(&world)->win, 0);
	scene_events(&world, "DDDD");
	/* FIN alone at the closed window is a probe */
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TCP_BEYOND_WINDOW, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	scene_events(&world, "");
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_ESTABLISHED);
	read_all(0, 4096);
	scene_pass(&world, 1000, 1);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	scene_events(&world, "F");
	scene_close(&world);
}
END_TEST

START_TEST(fin_retransmitted_is_acknowledged_once_more)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_CLOSE_WAIT);
	remote_send(&world, &remote, remote.snd_nxt - 1, WEIR_TCP_FIN, 0);
	scene_expect(&world, WEIR_DROP_TCP_OLD, 1, 1);
	is_plain_ack(world_last(&world), scene_flow(&world, &remote));
	scene_events(&world, "");
	scene_close(&world);
}
END_TEST

/* What contradicts a FIN that is known, or lies behind it, is not taken. */
START_TEST(data_behind_the_fin_is_dropped)
{
	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	remote_send(&world, &remote, remote.snd_nxt + 100, WEIR_TCP_FIN, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	remote_send(&world, &remote, remote.snd_nxt + 100, 0, 50);
	scene_expect(&world, WEIR_DROP_TCP_AFTER_FIN, 1, 1);
	remote_send(&world, &remote, remote.snd_nxt, 0, 150);
	scene_expect(&world, WEIR_DROP_TCP_AFTER_FIN, 1, 1);
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_FIN, 50);
	scene_expect(&world, WEIR_DROP_TCP_AFTER_FIN, 1, 0);
	scene_events(&world, "");
	scene_enter(&world, &remote, 40001, WEIR_TCP_ESTABLISHED);
	remote_send(&world, &remote, remote.snd_nxt + 100, 0, 50); /* held: the FIN lies before */
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_FIN, 120);
	scene_expect(&world, WEIR_DROP_TCP_AFTER_FIN, 1, 0);
	scene_events(&world, "");
	scene_close(&world);
}
END_TEST

START_TEST(data_after_the_fin_was_taken_is_dropped)
{
	scene_open(&world, 1 << 20);
	for (uint32_t s = WEIR_TCP_CLOSE_WAIT; s <= WEIR_TCP_LAST_ACK; s++) { /* CLOSING, too */
		scene_enter(&world, &remote, (uint16_t)(40000 + s), s);
		remote_send(&world, &remote, remote.snd_nxt, 0, 100);
		scene_expect(&world, WEIR_DROP_TCP_AFTER_FIN, 1, 1);
		is_plain_ack(world_last(&world), scene_flow(&world, &remote));
		scene_events(&world, "");
	}
	scene_close(&world);
}
END_TEST

/* ---- windows and trimming ---- */

START_TEST(both_ends_are_trimmed_to_the_window)
{
	open_4096();
	remote_stream(&world, &remote, 0, 4);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	/* |60 known|40 new|: the new bytes are taken, the others reported by D-SACK */
	remote_send(&world, &remote, remote.snd_nxt - 60, 0, 100);
	remote.snd_nxt += 40;
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_last(&world)->n_sacks, 1);
	ck_assert_uint_eq(world_last(&world)->sacks[0][0], remote.snd_nxt - 100);
	ck_assert_uint_eq(world_last(&world)->sacks[0][1], remote.snd_nxt - 40);
	/* |3956 in the window|44 beyond| in three parts */
	remote_stream(&world, &remote, 0, 1400);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote_stream(&world, &remote, 0, 1400);
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	remote_send(&world, &remote, remote.snd_nxt, 0, 1200);
	remote.snd_nxt += 1156;
	scene_expect(&world, SCENE_DELIVERED, 1, 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(world_last(&world)->win, 0);
	remote_send(&world, &remote, remote.snd_nxt, 0, 1); /* probe */
	scene_expect(&world, WEIR_DROP_TCP_BEYOND_WINDOW, 1, 1);
	is_plain_ack(world_last(&world), scene_flow(&world, &remote));
	remote_send(&world, &remote, remote.snd_nxt + 1, 0, 100);
	scene_expect(&world, WEIR_DROP_TCP_BEYOND_WINDOW, 1, 1);
	read_all(0, 4096);
	scene_close(&world);
}
END_TEST

/* The ACK and the RST of a probe count though its byte does not (RFC 9293 3.10.7.4). */
START_TEST(probe_of_a_closed_window_is_heard)
{
	struct weir_span spans[8];

	open_4096();
	for (int i = 0; i < 4; i++)
		remote_stream(&world, &remote, 0, 1000);
	scene_expect(&world, SCENE_DELIVERED, 4, 4);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, spans, 8), 5);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	scene_pass(&world, 1000, 1);
	remote.rcv_nxt++;
	remote_send(&world, &remote, remote.snd_nxt, 0, 1);
	scene_expect(&world, WEIR_DROP_TCP_BEYOND_WINDOW, 1, 1);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_FIN_WAIT_2);
	scene_raw(&world, &remote, remote.snd_nxt, 0, WEIR_TCP_RST, 1);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	scene_events(&world, "DDCr");
	for (int i = 0; i < 5; i++)
		if (spans[i].last)
			ck_assert_int_eq(weir_lease_release(world.stack, &spans[i].lease, 1), 0);
	scene_close(&world);
}
END_TEST

static void
window_is(uint32_t seq, uint32_t ack, uint16_t win, uint32_t expected)
{
	struct frame_spec spec;

	remote_spec(&remote, &spec, seq, WEIR_TCP_ACK, NULL, 0);
	spec.ack = ack;
	spec.win = win;
	world_inject(&world, frame_build(&world.pool, &spec));
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	ck_assert_uint_eq(scene_flow(&world, &remote)->snd_wnd, expected);
}

/* RFC 9293 3.10.7.4: SND.WL1 and WL2 keep an old segment from changing the window. */
START_TEST(send_window_follows_the_newest_segment)
{
	uint32_t seq, ack;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	seq = remote.snd_nxt;
	ack = remote.rcv_nxt;
	window_is(seq, ack, 100, 100 << 7);
	window_is(seq, ack - 1, 900, 100 << 7); /* older ACK */
	window_is(seq + 10, ack, 300, 300 << 7);
	window_is(seq, ack, 900, 300 << 7); /* older sequence number */
	window_is(seq + 10, ack, 0, 0);
	ck_assert_uint_eq(scene_flow(&world, &remote)->max_snd_wnd, 65535 << 7);
	scene_close(&world);
}
END_TEST

/* ---- ECN ---- */

/* A segment whose IP header says `tos`; returns the ECE flag of the answer. */
static uint8_t
ecn(uint8_t tos, uint8_t flags, uint32_t len, uint32_t replies)
{
	struct frame_spec spec;
	uint8_t payload[100];

	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK | flags, payload, len);
	spec.tos = tos;
	world_inject(&world, frame_build(&world.pool, &spec));
	remote.snd_nxt += len;
	scene_expect(&world, len != 0 ? SCENE_DELIVERED : SCENE_CONSUMED, 1, replies);
	return replies == 0 ? 0 : world_last(&world)->flags & WEIR_TCP_ECE;
}

static void
open_ecn(bool wanted)
{
	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote.ecn = wanted;
	remote_open(&world, &remote);
	ck_assert_uint_eq(world.replies[0].flags & WEIR_TCP_ECE, wanted ? WEIR_TCP_ECE : 0);
}

START_TEST(congestion_is_echoed_until_reduced)
{
	open_ecn(true);
	ck_assert_uint_eq(ecn(WEIR_ECN_ECT0, 0, 10, 1), 0);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, 0, 10, 1), WEIR_TCP_ECE);
	ck_assert_uint_eq(ecn(WEIR_ECN_ECT0, 0, 10, 1), WEIR_TCP_ECE);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, WEIR_TCP_CWR, 10, 1), WEIR_TCP_ECE); /* both */
	ck_assert_uint_eq(ecn(WEIR_ECN_ECT0, WEIR_TCP_CWR, 10, 1), 0);
	ck_assert_uint_eq(ecn(WEIR_ECN_ECT0, 0, 10, 1), 0);
	scene_close(&world);
}
END_TEST

/* CWR counts on new data only (RFC 3168 6.1.3): on a pure ACK it would end an echo while the run of
 * CE marks, which the fast path does not look at again, goes on. */
START_TEST(reduced_on_a_pure_ack_does_not_end_the_echo)
{
	open_ecn(true);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, 0, 10, 1), WEIR_TCP_ECE);
	ecn(0, WEIR_TCP_CWR, 0, 0);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, 0, 10, 1), WEIR_TCP_ECE);
	scene_close(&world);
}
END_TEST

START_TEST(congestion_is_not_echoed_without_agreement)
{
	open_ecn(false);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, 0, 10, 1), 0);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, WEIR_TCP_CWR, 10, 1), 0);
	scene_close(&world);
}
END_TEST

/* A change of CE is acknowledged at once, also when the policy would wait. */
START_TEST(change_of_ce_is_acknowledged_at_once)
{
	open_ecn(true);
	for (int i = 0; i < WEIR_TCP_QUICK_ACKS; i++)
		ecn(WEIR_ECN_ECT0, 0, 10, 1);
	ecn(WEIR_ECN_ECT0, 0, 10, 0);
	ck_assert_uint_eq(ecn(WEIR_ECN_CE, 0, 10, 1), WEIR_TCP_ECE);
	ecn(WEIR_ECN_CE, 0, 10, 0);
	ck_assert_uint_eq(ecn(WEIR_ECN_ECT0, 0, 10, 1), WEIR_TCP_ECE);
	scene_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pitfall_38_urgent_data_stays_in_line);
	UNIT_CASE(s, pitfall_39_unusual_flags_do_not_park_a_flow);
	UNIT_CASE(s, fin_in_order_alone_and_with_data);
	UNIT_CASE(s, pitfall_35_fin_out_of_order_waits_for_the_hole);
	UNIT_CASE(s, pitfall_35_bare_fin_out_of_order_waits_for_the_hole);
	UNIT_CASE(s, pitfall_35_trimmed_fin_does_not_count);
	UNIT_CASE(s, fin_retransmitted_is_acknowledged_once_more);
	UNIT_CASE(s, data_behind_the_fin_is_dropped);
	UNIT_CASE(s, data_after_the_fin_was_taken_is_dropped);
	UNIT_CASE(s, both_ends_are_trimmed_to_the_window);
	UNIT_CASE(s, probe_of_a_closed_window_is_heard);
	UNIT_CASE(s, send_window_follows_the_newest_segment);
	UNIT_CASE(s, congestion_is_echoed_until_reduced);
	UNIT_CASE(s, reduced_on_a_pure_ack_does_not_end_the_echo);
	UNIT_CASE(s, congestion_is_not_echoed_without_agreement);
	UNIT_CASE(s, change_of_ce_is_acknowledged_at_once);
}

UNIT_MAIN("segment_text", add)
