/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What applications do to a receive stack, each over the in-memory pair with content checked and every
 * buffer accounted for: never read, read one byte at a time, hold leases across close, close with
 * unread data, close in the event handler, keep thousands of idle connections.
 *   WEIR_IDLE=N  how many idle connections (5000; 500 under sanitizers)
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/engine_test.h"
#include "wire/seq.h"

#define BUFFER 65536u
#define MSS    ENGINE_TEST_MSS

static uint8_t data[1 << 20];

static void
open_small(uint32_t flows)
{
	struct weir_config config;

	world_config(&config);
	config.flows = flows;
	config.syn_entries = 1024;
	world_open(&world, &config, BUFFER, WEIR_ACK_TRAIN);
}

static void
nothing_is_held(void)
{
	const struct weir_stats *stats = stats_now();

	ck_assert_uint_eq(stats->buffers_held, 0);
	ck_assert_uint_eq(stats->leases, 0);
	ck_assert_uint_eq(stats->bytes_unread + stats->bytes_leased + stats->bytes_out_of_order, 0);
	ck_assert_uint_eq(stats->established, 0);
	ck_assert_uint_eq(stats->orphans, 0);
}

/* Right edge that the last reply to this remote advertised. */
static uint32_t
edge_of(const struct remote *remote)
{
	for (uint32_t i = world.n_replies; i-- != 0;)
		if (world.replies[i].dport == remote->port)
			return world.replies[i].ack +
			       ((uint32_t)world.replies[i].win << remote->shift);
	ck_abort_msg("no reply to port %u", remote->port);
	return 0;
}

/* As much as the window takes, up to `most` bytes; returns the bytes sent. */
static uint32_t
fill_window(struct remote *remote, uint32_t segment, uint32_t most)
{
	uint32_t sent = 0;

	while (sent < most) {
		uint32_t room = edge_of(remote) - remote->snd_nxt;
		uint32_t len = room < segment ? room : segment;

		if (len == 0)
			return sent;
		if (len > most - sent)
			len = most - sent;
		remote_stream(&world, remote, 0, len);
		world_poll(&world, 1000);
		if (world.n_replies > WORLD_REPLIES / 2) {
			world.replies[0] = world.replies[world.n_replies - 1];
			world.n_replies = 1;
		}
		world.n_events = 0;
		sent += len;
	}
	return sent;
}

static void
open_one(struct remote *remote)
{
	open_small(64);
	remote_init(remote, 40000);
	remote_open(&world, remote);
	remote_stream(&world, remote, 0, 1);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote->conn, 1), 1);
}

static void
reset_by_remote(const struct remote *remote)
{
	remote_send(&world, remote, remote->snd_nxt, WEIR_TCP_RST, 0);
	world_poll(&world, 1000);
	nothing_is_held();
}

/* The window closes and stays closed, probes are answered, nothing that was promised is dropped; an
 * application that changes its mind finds all of it. */
START_TEST(never_reads)
{
	struct remote remote;
	uint32_t sent, edge;

	open_one(&remote);
	sent = fill_window(&remote, MSS, UINT32_MAX);
	edge = edge_of(&remote);
	ck_assert_uint_eq(edge, remote.snd_nxt);
	ck_assert_uint_ge(sent, BUFFER - MSS);
	ck_assert_uint_le(sent, BUFFER + BUFFER / 16 + 64);
	for (int i = 0; i < 100; i++) { /* hours of probes, with a byte and without */
		uint32_t before = world.n_replies;

		remote_send(&world, &remote, remote.snd_nxt, 0, i % 2);
		remote_send(&world, &remote, remote.snd_nxt - 1, 0, 0);
		world_poll(&world, 60 * SCENE_SEC);
		ck_assert_uint_gt(world.n_replies, before);
		ck_assert_uint_eq(edge_of(&remote), edge);
	}
	ck_assert_uint_eq(info_of(remote.conn).unread_bytes, sent);
	ck_assert_uint_eq(info_of(remote.conn).state, 1);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, data, sizeof(data)), (int)sent);
	check_content(data, 1, sent);
	world_poll(&world, 1000);
	ck_assert(weir_seq_lt(edge, edge_of(&remote)));
	ck_assert_uint_gt(fill_window(&remote, MSS, 3 * MSS), 2 * MSS);
	reset_by_remote(&remote);
	world_close(&world);
}
END_TEST

/* Every byte in its place, and no silly window: updates move by a segment or half the buffer. */
START_TEST(reads_one_byte_at_a_time)
{
	struct remote remote;
	uint32_t sent = 0, read = 0;

	open_one(&remote);
	while (read < 4 * BUFFER) {
		sent += fill_window(&remote, MSS, 4 * BUFFER - sent);
		for (int i = 0; i < 3000 && read < sent; i++, read++) {
			ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, data, 1), 1);
			check_content(data, 1 + read, 1);
		}
		world_poll(&world, 1000);
	}
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, data, 1), 0);
	ck_assert_uint_le(stats_now()->window_updates, 4 * BUFFER / MSS + 1);
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	reset_by_remote(&remote);
	world_close(&world);
}
END_TEST

/* Leased bytes are the application's until it gives them back: through FIN, TIME-WAIT, a new
 * connection in the same slot, and a reset. */
START_TEST(holds_leases_across_close)
{
	struct weir_span spans[2][32];
	struct remote remote[2];
	int n[2];

	open_small(1);
	for (int i = 0; i < 2; i++) {
		remote_init(&remote[i], (uint16_t)(40000 + i));
		remote_open(&world, &remote[i]);
		for (int k = 0; k < 20; k++)
			remote_stream(&world, &remote[i], 0, 700);
		world_poll(&world, 1000);
		n[i] = weir_conn_lease(world.stack, remote[i].conn, spans[i], 32);
		ck_assert_int_eq(n[i], 20);
		ck_assert_int_eq(weir_conn_close(world.stack, remote[i].conn), 0);
		world_poll(&world, 1000);
		ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
		remote[i].rcv_nxt++;
		if (i == 0)
			remote_stream(&world, &remote[i], WEIR_TCP_FIN, 0);
		else
			remote_send(&world, &remote[i], remote[i].snd_nxt, WEIR_TCP_RST, 0);
		world_poll(&world, 1000);
		ck_assert_uint_eq(stats_now()->established, 0);
	}
	ck_assert_uint_eq(stats_now()->bytes_leased, 2 * 20 * 700);
	ck_assert_uint_eq(stats_now()->buffers_held, 40);
	for (int i = 0; i < 2; i++) {
		uint64_t offset = 0;

		for (int k = 0; k < n[i]; offset += spans[i][k++].len)
			check_content(spans[i][k].data, offset, spans[i][k].len);
		ck_assert_uint_eq(offset, 20 * 700);
		for (int k = 0; k < n[i]; k++)
			if (spans[i][k].last)
				ck_assert_int_eq(weir_lease_release(world.stack, &spans[i][k].lease, 1),
						 0);
	}
	world_poll(&world, 1000);
	nothing_is_held();
	world_close(&world);
}
END_TEST

/* RFC 2525 2.17: the peer hears at once that its data was not read. What waits out of order goes,
 * too. */
START_TEST(closes_with_unread_data)
{
	struct remote remote;

	open_one(&remote);
	remote_stream(&world, &remote, 0, 1000);
	remote_send(&world, &remote, remote.snd_nxt + 500, 0, 200);
	world_poll(&world, 1000);
	world_forget(&world);
	ck_assert_int_eq(weir_conn_close(world.stack, remote.conn), 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_replies, 1);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_RST | WEIR_TCP_ACK);
	ck_assert_uint_eq(world_last(&world)->seq, remote.rcv_nxt);
	scene_events(&world, "Ca");
	nothing_is_held();
	world_close(&world);
}
END_TEST

/* ---- in the handler ---- */

static uint32_t close_at; /* enum weir_event_type */
static uint32_t read_in_handler;

static void
close_then(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int got = weir_conn_read(stack, events[i].conn, data, sizeof(data));

		if (got > 0) {
			check_content(data, read_in_handler, (uint32_t)got);
			read_in_handler += (uint32_t)got;
		}
		world.events[world.n_events++] = events[i];
		if (events[i].type == close_at)
			ck_assert_int_eq(weir_conn_close(stack, events[i].conn), 0);
	}
	(void)user;
}

/* The handler closes at each event it is told of, with everything in one burst: handshake's ACK,
 * data, FIN. What it has read is right; the connection ends by the rules of that moment. */
START_TEST(closes_in_the_handler)
{
	static const uint32_t at[] = {WEIR_EVENT_ACCEPTED, WEIR_EVENT_DATA, WEIR_EVENT_FIN,
				      WEIR_EVENT_CLOSED};
	struct remote remote;
	uint8_t options[12], len;

	for (uint32_t i = 0; i < 4; i++) {
		open_small(64);
		weir_stack_set_handler(world.stack, close_then, NULL);
		close_at = at[i];
		read_in_handler = 0;
		remote_init(&remote, 40000);
		len = scene_options(&remote, options);
		scene_syn(&world, &remote, 0, options, len);
		world_poll(&world, 1000);
		scene_take_syn_ack(&remote, world_last(&world));
		remote_send(&world, &remote, remote.snd_nxt, 0, 0);
		for (int k = 0; k < 3; k++)
			remote_stream(&world, &remote, 0, 500);
		remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
		world_poll(&world, 1000);
		ck_assert_uint_eq(read_in_handler, 1500);
		if (at[i] == WEIR_EVENT_CLOSED) { /* it never came: nobody closed */
			ck_assert_uint_eq(stats_now()->established, 1);
			reset_by_remote(&remote);
		} else {
			ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
			remote.rcv_nxt++;
			remote_send(&world, &remote, remote.snd_nxt, 0, 0);
			world_poll(&world, 1000);
		}
		ck_assert_uint_eq(world.events[world.n_events - 1].type, WEIR_EVENT_CLOSED);
		ck_assert_uint_eq(world.events[world.n_events - 1].bytes, 1500);
		nothing_is_held();
		world_close(&world);
	}
}
END_TEST

/* ---- idle ---- */

static uint32_t
setting(const char *name, uint32_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : (uint32_t)strtoul(text, NULL, 10);
}

/* Idle connections hold no buffer, no queue and no timer, do not slow a live one down, and each still
 * works when it wakes. */
START_TEST(keeps_thousands_idle)
{
	uint32_t n = setting("WEIR_IDLE", ENGINE_TEST_SANITIZED ? 500 : 5000), sent = 0;
	struct remote *idle = calloc(n, sizeof(*idle)), live;

	open_small(n + 1);
	for (uint32_t i = 0; i < n; i++) {
		remote_init(&idle[i], (uint16_t)(1024 + i));
		remote_open(&world, &idle[i]);
		world_forget(&world);
	}
	ck_assert_uint_eq(stats_now()->established, n);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	ck_assert_uint_eq(world.engine->tcp.queues.used, 0);
	ck_assert_uint_eq(world.engine->tcp.wheel.armed, 0);
	ck_assert(weir_engine_deadline(world.engine) == UINT64_MAX);
	remote_init(&live, 60000);
	remote_open(&world, &live);
	while (sent < 8 * BUFFER) {
		uint32_t bytes = fill_window(&live, MSS, 8 * BUFFER - sent);

		ck_assert_uint_gt(bytes, 0);
		ck_assert_int_eq(weir_conn_read(world.stack, live.conn, data, sizeof(data)),
				 (int)bytes);
		check_content(data, sent, bytes);
		sent += bytes;
		world_poll(&world, 1000);
	}
	world.now_ns += 3600 * SCENE_SEC;
	for (uint32_t i = 0; i < n; i++) {
		remote_stream(&world, &idle[i], 0, 100);
		world_poll(&world, 1000);
		ck_assert_int_eq(weir_conn_read(world.stack, idle[i].conn, data, sizeof(data)), 100);
		check_content(data, 0, 100);
		remote_send(&world, &idle[i], idle[i].snd_nxt, WEIR_TCP_RST, 0);
		world_poll(&world, 1000);
		world_forget(&world);
	}
	reset_by_remote(&live);
	world_close(&world);
	free(idle);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, never_reads);
	UNIT_CASE(s, reads_one_byte_at_a_time);
	UNIT_CASE(s, holds_leases_across_close);
	UNIT_CASE(s, closes_with_unread_data);
	UNIT_CASE(s, closes_in_the_handler);
	UNIT_CASE(s, keeps_thousands_idle);
}

UNIT_MAIN("application", add)
