/* SPDX-License-Identifier: BSD-3-Clause */
/* What an event handler may do inside lib/engine/poll.c. */
#include "tests/unit/engine_test.h"

struct script {
	uint32_t calls, closed, data;
	weir_conn conns[8];
	uint32_t n_conns;
	void (*on_data)(struct weir_stack *stack, const struct weir_event *event);
	uint32_t on_accepted; /* 1: abort, 2: close */
};
static struct script script;

static void
scripted(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct script *s = user;

	s->calls++;
	for (uint32_t i = 0; i < n; i++) {
		if (events[i].type == WEIR_EVENT_ACCEPTED) {
			s->conns[s->n_conns++ % 8] = events[i].conn;
			if (s->on_accepted == 1)
				weir_conn_abort(stack, events[i].conn);
			if (s->on_accepted == 2)
				weir_conn_close(stack, events[i].conn);
		}
		if (events[i].type == WEIR_EVENT_DATA) {
			s->data++;
			if (s->on_data != NULL)
				s->on_data(stack, &events[i]);
		}
		s->closed += events[i].type == WEIR_EVENT_CLOSED;
	}
}

static void
run_script(void (*on_data)(struct weir_stack *, const struct weir_event *))
{
	memset(&script, 0, sizeof(script));
	script.on_data = on_data;
	weir_stack_set_handler(world.stack, scripted, &script);
}

static void
discard_all(struct weir_stack *stack, const struct weir_event *event)
{
	ck_assert_int_eq(weir_conn_discard(stack, event->conn, UINT32_MAX), (int)event->bytes);
}

START_TEST(what_the_handler_releases_is_in_the_windows_of_this_poll)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	world_open(&world, &config, 16384, WEIR_ACK_TRAIN);
	open_remotes(&remote, 1);
	run_script(discard_all);
	for (int i = 0; i < 50; i++) {
		stream_segs(&remote, 4);
		ck_assert_uint_ge(world_poll(&world, 1000), 1);
		ck_assert_uint_ge(((uint32_t)world_last(&world)->win << remote.shift) +
				      world_last(&world)->ack - remote.snd_nxt,
				  16384 - 1024);
	}
	ck_assert_uint_eq(script.data, 50);
	ck_assert_uint_eq(script.calls, 50); /* once per poll with events */
	ck_assert_uint_eq(stats_now()->window_updates, 0);
	world_close(&world);
}
END_TEST

static void
abort_it(struct weir_stack *stack, const struct weir_event *event)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_conn_abort(stack, event->conn), 0);
	/* the handle lives until CLOSED, the data is gone */
	ck_assert_int_eq(weir_conn_info(stack, event->conn, &info), 0);
	ck_assert_uint_eq(info.state, 0);
	ck_assert_int_eq(weir_conn_discard(stack, event->conn, 1), 0);
	ck_assert_int_eq(weir_conn_close(stack, event->conn), 0);
}

START_TEST(abort_inside_the_handler)
{
	struct remote remotes[2];

	open_default();
	open_remotes(remotes, 2);
	run_script(abort_it);
	stream_segs(&remotes[0], 3);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_RST | WEIR_TCP_ACK);
	ck_assert_uint_eq(script.closed, 0);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), world.now_ns); /* CLOSED is due */
	world_poll(&world, 0);
	ck_assert_uint_eq(script.closed, 1);
	world_poll(&world, 1000);
	ck_assert_uint_eq(script.closed, 1);
	ck_assert_int_eq(weir_conn_abort(world.stack, remotes[0].conn), -EBADF);
	ck_assert_uint_eq(info_of(remotes[1].conn).state, 1);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

static void
abort_others(struct weir_stack *stack, const struct weir_event *event)
{
	for (uint32_t i = 0; i < 8; i++)
		if (script.conns[i] != 0 && script.conns[i] != event->conn)
			weir_conn_abort(stack, script.conns[i]);
}

/* An event for a connection that an earlier one of the same array ended. */
START_TEST(abort_of_others_inside_the_handler)
{
	struct remote remotes[4];

	open_default();
	open_remotes(remotes, 4);
	run_script(abort_others);
	for (int i = 0; i < 4; i++) {
		script.conns[i] = remotes[i].conn;
		stream_segs(&remotes[i], 2);
	}
	world_poll(&world, 1000);
	world_poll(&world, 1000);
	world_poll(&world, 1000);
	ck_assert_uint_eq(script.closed, 4);
	ck_assert_uint_eq(stats_now()->established, 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

static uint64_t kept_leases[8];
static uint32_t n_kept;

static void
lease_and_close(struct weir_stack *stack, const struct weir_event *event)
{
	struct weir_span spans[8];
	int n = weir_conn_lease(stack, event->conn, spans, 8);

	for (int i = 0; i < n; i++)
		if (spans[i].last)
			kept_leases[n_kept++] = spans[i].lease;
	ck_assert_int_eq(weir_conn_close(stack, event->conn), 0); /* nothing unread: FIN */
}

START_TEST(lease_and_close_inside_the_handler)
{
	struct remote remote;

	open_default();
	open_remotes(&remote, 1);
	run_script(lease_and_close);
	n_kept = 0;
	stream_segs(&remote, 3);
	world_poll(&world, 1000);
	ck_assert_uint_eq(n_kept, 1);
	ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	remote.rcv_nxt++;
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(script.closed, 1);
	ck_assert_uint_eq(stats_now()->bytes_leased, 3 * ENGINE_TEST_MSS);
	ck_assert_int_eq(weir_lease_release(world.stack, kept_leases, n_kept), 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

START_TEST(the_end_inside_accepted)
{
	struct remote remote;
	uint32_t closed = 0;

	open_default();
	run_script(NULL);
	for (int i = 0; i < 20; i++) {
		struct frame_spec spec;

		script.on_accepted = 1 + (uint32_t)i % 2;
		remote_init(&remote, (uint16_t)(40000 + i));
		remote_spec(&remote, &spec, remote.iss, WEIR_TCP_SYN, NULL, 0);
		world_inject(&world, frame_build(&world.pool, &spec));
		world_poll(&world, 1000);
		remote.rcv_nxt = world_last(&world)->seq + 1;
		remote.ts_echo = world_last(&world)->tsval;
		remote.snd_nxt = remote.iss + 1;
		remote_send(&world, &remote, remote.snd_nxt, 0, 0);
		world_poll(&world, 1000);
		ck_assert_uint_eq(world_last(&world)->flags & ~WEIR_TCP_ACK,
				  i % 2 == 0 ? WEIR_TCP_RST : WEIR_TCP_FIN);
		world_poll(&world, 1000);
		closed += i % 2 == 0;
		ck_assert_uint_eq(script.closed, closed);
	}
	ck_assert_uint_eq(stats_now()->accepted, 20);
	ck_assert_uint_eq(stats_now()->established, 10);
	world_close(&world);
}
END_TEST

/* Unread data can still be read when CLOSED is reported, and the buffers are gone afterwards. */
static void
closed_handler(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	uint32_t *seen = user;
	uint8_t to[64];

	for (uint32_t i = 0; i < n; i++)
		if (events[i].type == WEIR_EVENT_CLOSED) {
			ck_assert_int_eq(weir_conn_read(stack, events[i].conn, to, 64), 0);
			ck_assert_int_eq(weir_conn_set_cookie(stack, events[i].conn, 1), 0);
			ck_assert_int_eq(weir_conn_abort(stack, events[i].conn), 0);
			ck_assert_int_eq(weir_conn_close(stack, events[i].conn), 0);
			(*seen)++;
		}
}

START_TEST(the_handle_is_valid_inside_closed)
{
	struct remote remote;
	uint32_t seen = 0;

	open_default();
	open_remotes(&remote, 1);
	weir_stack_set_handler(world.stack, closed_handler, &seen);
	stream_segs(&remote, 1);
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_RST, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(seen, 1);
	ck_assert_int_eq(weir_conn_abort(world.stack, remote.conn), -EBADF);
	world_poll(&world, 1000);
	ck_assert_uint_eq(seen, 1);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

/* ---- who reads in another order than that of the events, or not all ---- */

struct reader {
	uint32_t order; /* 0: as the events come, 1: backwards, 2: each twice by halves, the middle one
			   aborted before the others are read */
	uint64_t offsets[3];
	uint32_t aborted;
};

static void
read_event(struct weir_stack *stack, struct reader *reader, const struct weir_event *event,
	   uint32_t len)
{
	static uint8_t to[8 * ENGINE_TEST_MSS];
	uint64_t *offset = &reader->offsets[info_of(event->conn).remote_port - 40000];

	ck_assert_int_eq(weir_conn_read(stack, event->conn, to, len), (int)len);
	check_content(to, *offset, len);
	*offset += len;
}

static void
reading_handler(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct reader *reader = user;
	uint32_t len = 3 * ENGINE_TEST_MSS;

	for (uint32_t i = 0; i < n; i++)
		if (events[i].type != WEIR_EVENT_DATA)
			return;
	ck_assert_uint_eq(n, 3);
	if (reader->order == 2) {
		ck_assert_int_eq(weir_conn_abort(stack, events[1].conn), 0);
		reader->aborted++;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct weir_event *event = &events[reader->order == 1 ? n - 1 - i : i];

		if (reader->order == 2 && i == 1)
			continue;
		read_event(stack, reader, event, len / 2);
		read_event(stack, reader, event, len - len / 2);
	}
}

START_TEST(the_handler_reads_in_any_order)
{
	struct reader reader = {.offsets = {ENGINE_TEST_FIRST, ENGINE_TEST_FIRST, ENGINE_TEST_FIRST}};
	struct remote remotes[3];

	open_default();
	open_remotes(remotes, 3);
	weir_stack_set_handler(world.stack, reading_handler, &reader);
	for (reader.order = 0; reader.order < 3; reader.order++) {
		for (uint32_t i = 0; i < 3; i++) {
			stream_segs(&remotes[i], 2);
			stream_split(&remotes[i], ENGINE_TEST_MSS, 500);
		}
		world_poll(&world, 1000);
	}
	ck_assert_uint_eq(reader.aborted, 1);
	ck_assert_uint_eq(reader.offsets[0], ENGINE_TEST_FIRST + 9 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(reader.offsets[1], ENGINE_TEST_FIRST + 6 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(reader.offsets[2], ENGINE_TEST_FIRST + 9 * ENGINE_TEST_MSS);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, what_the_handler_releases_is_in_the_windows_of_this_poll);
	UNIT_CASE(s, abort_inside_the_handler);
	UNIT_CASE(s, abort_of_others_inside_the_handler);
	UNIT_CASE(s, lease_and_close_inside_the_handler);
	UNIT_CASE(s, the_end_inside_accepted);
	UNIT_CASE(s, the_handle_is_valid_inside_closed);
	UNIT_CASE(s, the_handler_reads_in_any_order);
}

UNIT_MAIN("poll_handler", add)
