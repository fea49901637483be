/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/engine_test.h"
#include "wire/siphash.h"

/* ---- what a poll says ---- */

START_TEST(an_idle_poll_returns_nothing)
{
	open_default();
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns + 1), 0);
	ck_assert_uint_eq(stats_now()->polls, 10);
	ck_assert_uint_eq(stats_now()->busy_polls, 0);
	ck_assert_uint_eq(stats_now()->events, 0);
	world_close(&world);
}
END_TEST

START_TEST(a_poll_returns_packets_and_segments)
{
	struct weir_config config;
	struct remote remote;
	struct frame_spec spec;

	world_config(&config);
	config.budget_segs = 6;
	open_with(&config);
	open_remotes(&remote, 1);
	stream_segs(&remote, 10);
	remote_spec(&remote, &spec, remote.snd_nxt, WEIR_TCP_ACK, NULL, 0);
	spec.bad_tcp_csum = 1; /* received, never served */
	world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 11 + 6);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 4);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 0);
	world_poll(&world, 0); /* takes the replies */
	world_close(&world);
}
END_TEST

START_TEST(a_burst_is_as_long_as_configured)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	config.burst = 3;
	open_with(&config);
	open_remotes(&remote, 1);
	stream_segs(&remote, 7);
	for (uint32_t left = 7; left != 0; left -= left < 3 ? left : 3)
		ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns),
				  2 * (left < 3 ? left : 3));
	world_poll(&world, 0); /* takes the replies */
	world_close(&world);
}
END_TEST

/* ---- several bursts in one poll, where there are many connections ---- */

enum { MANY = 512, FEW_BUDGET = 5 };
static struct remote many[MANY];

static void
open_many(uint32_t n, uint32_t burst, uint32_t queue, uint32_t budget)
{
	struct weir_config config;

	world_config(&config);
	config.flows = 2 * MANY;
	config.burst = burst;
	config.rx_queue_segs = queue;
	config.budget_segs = budget;
	open_with(&config);
	open_remotes(many, n);
}

/* Packets that one poll takes of 20 that wait, and serves. */
static uint32_t
first_poll(uint32_t n, uint32_t budget)
{
	uint32_t work;

	open_many(n, 4, 64, budget);
	for (uint32_t i = 0; i < 20; i++)
		stream_segs(&many[i % 8], 1);
	work = weir_engine_poll(world.engine, world.now_ns);
	while (weir_engine_poll(world.engine, world.now_ns) != 0)
		;
	world_poll(&world, 0); /* takes the replies */
	for (uint32_t i = 0; i < 8; i++)
		ck_assert_uint_eq(info_of(many[i].conn).unread_bytes,
				  (i < 4 ? 3 : 2) * ENGINE_TEST_MSS);
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	world_close(&world);
	return work;
}

START_TEST(many_connections_have_several_bursts)
{
	ck_assert_uint_eq(first_poll(MANY - 1, 256), 2 * 4);
	ck_assert_uint_eq(first_poll(MANY, 256), 2 * 4 * WEIR_BURSTS);
	ck_assert_uint_eq(first_poll(MANY, 11), 2 * 4 * 2); /* no more than can be served */
	ck_assert_uint_eq(first_poll(MANY, FEW_BUDGET), 2 * 4);
	ck_assert_uint_eq(first_poll(MANY, 1), 4 + 1);
}
END_TEST

/* Who is not connected yet does not count, and a flood of SYNs keeps polls short. */
START_TEST(a_flood_has_one_burst)
{
	struct remote half;
	struct frame_spec spec;

	open_many(MANY - 1, 4, 64, 256);
	remote_init(&half, 50000);
	remote_spec(&half, &spec, half.iss, WEIR_TCP_SYN, NULL, 0);
	world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_eq(world.engine->tcp.table.count, MANY);
	stream_segs(&many[0], 12);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 2 * 4);
	world_poll(&world, 0);
	world_poll(&world, 0);
	world_close(&world);
	open_many(MANY, 4, 64, 256);
	stream_segs(&many[0], 12);
	world.engine->ports[0].parse.syns_left = 0;
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 2 * 4);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 2 * 8);
	world_poll(&world, 0);
	world_close(&world);
}
END_TEST

/* A queue has to hold one burst, however many a poll takes, and whatever is left from before. */
START_TEST(several_bursts_of_one_connection)
{
	open_many(MANY, 4, 4, 256);
	stream_segs(&many[0], 4 * WEIR_BURSTS);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 2 * 4 * WEIR_BURSTS);
	ck_assert_uint_eq(info_of(many[0].conn).unread_bytes, 4 * WEIR_BURSTS * ENGINE_TEST_MSS);
	world.engine->budget_segs = 0;
	stream_segs(&many[1], 4);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 4);
	world.engine->budget_segs = 256;
	stream_segs(&many[2], 4 * WEIR_BURSTS);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 4 + 8);
	ck_assert_uint_eq(stats_now()->packets_dropped, 0);
	while (weir_engine_poll(world.engine, world.now_ns) != 0)
		;
	ck_assert_uint_eq(info_of(many[2].conn).unread_bytes, 4 * WEIR_BURSTS * ENGINE_TEST_MSS);
	world_poll(&world, 0);
	world_close(&world);
}
END_TEST

/* What a burst brings is looked up in the table as the bursts before it have left it. */
START_TEST(a_burst_changes_whose_the_next_is)
{
	open_many(MANY, 2, 64, 256);
	remote_send(&world, &many[0], many[0].snd_nxt, WEIR_TCP_RST, 0);
	stream_segs(&many[1], 1);
	stream_segs(&many[0], 1); /* the listener's by now */
	stream_segs(&many[1], 1);
	stream_segs(&many[2], 2);
	ck_assert_uint_eq(weir_engine_poll(world.engine, world.now_ns), 6 + 6);
	ck_assert_uint_eq(drops_of(WEIR_DROP_LISTEN_BAD_ACK), 1);
	ck_assert_uint_eq(info_of(many[1].conn).unread_bytes, 2 * ENGINE_TEST_MSS);
	ck_assert_uint_eq(info_of(many[2].conn).unread_bytes, 2 * ENGINE_TEST_MSS);
	world_poll(&world, 0);
	world_close(&world);
}
END_TEST

/* ---- events ---- */

START_TEST(one_data_event_per_connection_and_poll)
{
	struct remote remotes[2];

	open_default();
	open_remotes(remotes, 2);
	for (int i = 0; i < 5; i++) { /* alternating, and with PSH, so that nothing merges */
		remote_stream(&world, &remotes[0], WEIR_TCP_PSH, 100);
		remote_stream(&world, &remotes[1], WEIR_TCP_PSH, 200);
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 2);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(world.events[i].type, WEIR_EVENT_DATA);
		ck_assert_uint_eq(world.events[i].conn, remotes[i].conn);
		ck_assert_uint_eq(world.events[i].bytes, 500 * (i + 1));
	}
	remote_stream(&world, &remotes[0], 0, 7);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 3); /* the next poll has its own */
	ck_assert_uint_eq(world.events[2].bytes, 7);
	world_close(&world);
}
END_TEST

START_TEST(events_come_in_order)
{
	struct remote remote;
	uint32_t n;

	open_default();
	open_remotes(&remote, 1);
	remote_stream(&world, &remote, 0, 300);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 200);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, 2);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[0].bytes, 500);
	ck_assert_uint_eq(world.events[1].type, WEIR_EVENT_FIN);
	ck_assert_uint_eq(world.events[1].bytes, ENGINE_TEST_FIRST + 500); /* total */
	/* data, FIN and reset of another in one poll */
	remote_init(&remote, 45000);
	remote_open(&world, &remote);
	n = world.n_events;
	remote_stream(&world, &remote, 0, 10);
	remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
	remote_send(&world, &remote, remote.snd_nxt, WEIR_TCP_RST, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, n + 3);
	ck_assert_uint_eq(world.events[n].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[n + 1].type, WEIR_EVENT_FIN);
	ck_assert_uint_eq(world.events[n + 2].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[n + 2].flags, WEIR_CLOSE_RESET);
	world_close(&world);
}
END_TEST

START_TEST(accepted_stands_before_the_data_of_the_handshake)
{
	struct remote remote;
	uint32_t n;

	open_default();
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	/* the ACK of the next one carries data */
	remote_init(&remote, 40001);
	remote.rcv_nxt = 0;
	{
		struct frame_spec spec;

		remote_spec(&remote, &spec, remote.iss, WEIR_TCP_SYN, NULL, 0);
		world_inject(&world, frame_build(&world.pool, &spec));
	}
	world_poll(&world, 1000);
	remote.rcv_nxt = world_last(&world)->seq + 1;
	remote.ts_echo = world_last(&world)->tsval;
	remote.snd_nxt = remote.iss + 1;
	remote_stream(&world, &remote, WEIR_TCP_PSH, 50);
	n = world.n_events;
	world_poll(&world, 1000);
	ck_assert_uint_eq(world.n_events, n + 2);
	ck_assert_uint_eq(world.events[n].type, WEIR_EVENT_ACCEPTED);
	ck_assert_uint_eq(world.events[n + 1].type, WEIR_EVENT_DATA);
	ck_assert_uint_eq(world.events[n].conn, world.events[n + 1].conn);
	ck_assert_uint_eq(world.events[n + 1].bytes, 50);
	world_close(&world);
}
END_TEST

START_TEST(without_a_handler_events_are_lost_and_data_is_not)
{
	struct remote remote;
	uint8_t to[100];

	open_default();
	open_remotes(&remote, 1);
	weir_stack_set_handler(world.stack, NULL, NULL);
	remote_stream(&world, &remote, 0, 100);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_read(world.stack, remote.conn, to, 100), 100);
	weir_conn_abort(world.stack, remote.conn);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 1), -EBADF);
	world_close(&world);
}
END_TEST

/* ---- deadline ---- */

START_TEST(the_deadline_is_that_of_the_first_timer)
{
	struct remote remote;
	uint64_t deadline;

	open_default();
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX);
	open_remotes(&remote, 1);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX); /* idle connection */
	stream_segs(&remote, WEIR_TCP_QUICK_ACKS - 1); /* the last of those acknowledged at once */
	world_poll(&world, 1000);
	weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
	stream_segs(&remote, 1);
	world_poll(&world, 1000);
	while (world_poll(&world, 1000) != 0)
		;
	deadline = weir_engine_deadline(world.engine);
	ck_assert_uint_gt(deadline, world.now_ns);
	ck_assert_uint_le(deadline, world.now_ns + 41 * 1000000);
	/* nothing before, the ACK then */
	ck_assert_uint_eq(world_poll(&world, deadline - world.now_ns - 1), 0);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), deadline);
	ck_assert_uint_eq(world_poll(&world, 1), 1);
	ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX);
	world_close(&world);
}
END_TEST

START_TEST(the_deadline_follows_the_api)
{
	struct remote remote;
	uint64_t deadline;

	open_default();
	open_remotes(&remote, 1);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX);
	weir_conn_close(world.stack, remote.conn); /* outside of a poll: a FIN is to be sent */
	ck_assert_uint_le(weir_engine_deadline(world.engine), world.now_ns);
	world_poll(&world, 1000);
	for (int i = 0; i < 3; i++) { /* retransmissions */
		uint32_t n;

		deadline = weir_engine_deadline(world.engine);
		ck_assert_uint_gt(deadline, world.now_ns);
		ck_assert_uint_le(deadline, world.now_ns + (1001ull << i) * 1000000);
		n = world_poll(&world, deadline - world.now_ns);
		if (n == 0) { /* a level of the wheel, not yet the timer */
			i--;
			continue;
		}
		ck_assert_uint_eq(n, 1);
		ck_assert_uint_eq(world_last(&world)->flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
	}
	world_close(&world);
}
END_TEST

/* More timers than one poll fires: the deadline says that it is not over. */
START_TEST(many_timers_take_several_polls)
{
	struct weir_config config;
	struct frame_spec spec;
	uint32_t n = 0, polls = 0;

	world_config(&config);
	config.syn_entries = 1024;
	open_with(&config);
	for (uint32_t i = 0; i < 600; i++) {
		frame_spec_init(&spec);
		spec.sport = (uint16_t)(20000 + i);
		spec.flags = WEIR_TCP_SYN;
		world_inject(&world, frame_build(&world.pool, &spec));
		if (i % 50 == 49)
			n += world_poll(&world, 0);
	}
	ck_assert_uint_eq(n, 600);
	world_forget(&world);
	n = world_poll(&world, 1001 * 1000000ull);
	ck_assert_uint_eq(n, WEIR_TIMERS_MOST);
	for (; n < 600 && polls < 10; polls++) {
		ck_assert_uint_eq(weir_engine_deadline(world.engine), world.now_ns);
		n += world_poll(&world, 0);
	}
	ck_assert_uint_eq(n, 600); /* each SYN-ACK again, once */
	ck_assert_uint_eq(polls, 2);
	ck_assert_uint_eq(stats_now()->syn_received, 600);
	world_close(&world);
}
END_TEST

/* ---- what cannot be queued ---- */

START_TEST(unknown_segments_leave_by_name)
{
	struct frame_spec spec;

	open_default();
	frame_spec_init(&spec);
	spec.dport = 77;
	world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	ck_assert_uint_ne(world_last(&world)->flags & WEIR_TCP_RST, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_NO_FLOW), 1);
	ck_assert_uint_eq(stats_now()->packets_dropped, 1);
	world_close(&world);
}
END_TEST

/* Data of no flow that is parsed as one block: each segment is answered for itself. */
START_TEST(a_block_of_a_stranger)
{
	struct remote stranger;

	open_default();
	world_believe(&world);
	remote_init(&stranger, 40000);
	stranger.to = 77;
	stranger.rcv_nxt = 7000;
	for (uint16_t i = 0; i < 6; i++) { /* in the descriptors stands what is not answered */
		stranger.port = (uint16_t)(50000 + i);
		remote_send(&world, &stranger, 1, WEIR_TCP_RST, 0);
	}
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	stranger.port = 40000;
	stream_segs(&stranger, 6);
	ck_assert_uint_eq(world_poll(&world, 1000), 6);
	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(world.replies[i].flags, WEIR_TCP_RST);
		ck_assert_uint_eq(world.replies[i].seq, 7000);
	}
	ck_assert_uint_eq(drops_of(WEIR_DROP_NO_FLOW), 12);
	world_close(&world);
}
END_TEST

/* A whole burst for this port, of no flow. */
static uint16_t
strangers_rx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct frame_spec spec;

	(void)now_ns;
	frame_spec_init(&spec);
	spec.dst = *(const uint32_t *)ctx;
	spec.dport = 77;
	spec.flags = WEIR_TCP_RST;
	for (uint16_t i = 0; i < n; i++) {
		spec.sport = (uint16_t)(1000 + i);
		bufs[i] = frame_build(&world.pool, &spec);
	}
	return n;
}

static uint16_t
no_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	(void)ctx, (void)bufs, (void)n, (void)now_ns;
	return 0;
}

/* Each port brings all that one poll takes from it: the queue holds that, and is empty behind it. */
START_TEST(pitfall_48_control_queue_takes_all_ports)
{
	struct weir_port_functions functions = {
	    .size = sizeof(functions), .rx_burst = strangers_rx, .tx_burst = no_tx};
	struct weir_port_config config = {.size = sizeof(config), .prefix_len = 24};
	struct weir_port *ports[WEIR_STATS_PORTS];
	uint32_t addresses[WEIR_STATS_PORTS];
	struct frame_spec spec;
	char text[32];

	open_default();
	memcpy(functions.mac, frame_local_mac, sizeof(functions.mac));
	for (uint32_t i = 1; i < WEIR_STATS_PORTS; i++) {
		addresses[i] = FRAME_LOCAL_IP + 10 + i;
		functions.user = &addresses[i];
		snprintf(text, sizeof(text), "192.0.2.%u", 11 + i);
		ck_assert_int_eq(weir_addr_parse(text, &config.address), 0);
		ck_assert_int_eq(weir_port_open_custom(&functions, &ports[i]), 0);
		ck_assert_int_eq(weir_stack_attach(world.stack, ports[i], &config), 0);
	}
	frame_spec_init(&spec);
	spec.dport = 77;
	spec.flags = WEIR_TCP_RST;
	for (uint32_t i = 0; i < WEIR_BURST_MAX; i++)
		world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	ck_assert_uint_eq(stats_now()->packets_received, WEIR_CONTROL_SEGS);
	ck_assert_uint_eq(drops_of(WEIR_DROP_NO_FLOW), WEIR_CONTROL_SEGS);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_eq(world.engine->n_control, 0);
	world_close(&world);
	for (uint32_t i = 1; i < WEIR_STATS_PORTS; i++)
		weir_port_close(ports[i]);
}
END_TEST

/* ---- balance ---- */

/* Anything at all: every packet leaves in exactly one way, and every buffer comes back. */
START_TEST(pitfall_50_balance_of_a_soup)
{
	const uint32_t rounds = ENGINE_TEST_SANITIZED ? 4000 : 20000;
	static struct remote remotes[8];
	struct weir_config config;
	uint64_t seed = 99;

	world_config(&config);
	config.rx_queue_segs = 8;
	config.budget_segs = 24;
	config.quantum_segs = 3;
	world_open(&world, &config, 65536, WEIR_ACK_TRAIN);
	for (int i = 0; i < 8; i++) {
		remote_init(&remotes[i], (uint16_t)(40000 + i));
		remote_open(&world, &remotes[i]);
	}
	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t r = weir_seed_next(&seed);
		struct remote *remote = &remotes[r % 8];
		struct frame_spec spec;
		uint8_t payload[1448];
		uint32_t seq = remote->snd_nxt + (r >> 8 & 3) * 700 - (r >> 10 & 1) * 1000;

		remote_spec(remote, &spec, seq, WEIR_TCP_ACK, payload, (r >> 16) % 1448);
		if ((r >> 32) % 8 == 0)
			spec.flags = (uint8_t)(r >> 40);
		if ((r >> 32) % 8 == 1)
			spec.ack += (uint32_t)(r >> 48);
		spec.bad_tcp_csum = (r >> 36) % 32 == 0;
		spec.split = (r >> 37) % 4 == 0 ? 400 : 0;
		spec.dport = (r >> 39) % 32 == 0 ? 1234 : spec.dport;
		if (seq == remote->snd_nxt && (r >> 32) % 8 > 1 && !spec.bad_tcp_csum &&
		    spec.dport == WORLD_PORT)
			remote->snd_nxt += spec.len;
		world_inject(&world, frame_build(&world.pool, &spec));
		if (r >> 59 == 0)
			weir_conn_discard(world.stack, remote->conn, UINT32_MAX);
		if ((r >> 56 & 7) == 0) {
			world_poll(&world, (r >> 20) % 3000000);
			world_forget(&world);
			stats_now();
		}
	}
	while (weir_engine_poll(world.engine, world.now_ns) != 0)
		;
	ck_assert_uint_eq(stats_now()->packets_received, rounds + 8 * 2);
	ck_assert_uint_eq(stats_now()->packets_queued, 0);
	ck_assert_uint_gt(stats_now()->packets_delivered, rounds / 100);
	for (int i = 0; i < 8; i++)
		weir_conn_abort(world.stack, remotes[i].conn);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	ck_assert_uint_eq(stats_now()->buffers_free, stats_now()->buffers);
	ck_assert_uint_eq(world.engine->tcp.held.used, 0);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, an_idle_poll_returns_nothing);
	UNIT_CASE(s, a_poll_returns_packets_and_segments);
	UNIT_CASE(s, a_burst_is_as_long_as_configured);
	UNIT_CASE(s, many_connections_have_several_bursts);
	UNIT_CASE(s, a_flood_has_one_burst);
	UNIT_CASE(s, several_bursts_of_one_connection);
	UNIT_CASE(s, a_burst_changes_whose_the_next_is);
	UNIT_CASE(s, one_data_event_per_connection_and_poll);
	UNIT_CASE(s, events_come_in_order);
	UNIT_CASE(s, accepted_stands_before_the_data_of_the_handshake);
	UNIT_CASE(s, without_a_handler_events_are_lost_and_data_is_not);
	UNIT_CASE(s, the_deadline_is_that_of_the_first_timer);
	UNIT_CASE(s, the_deadline_follows_the_api);
	UNIT_CASE(s, many_timers_take_several_polls);
	UNIT_CASE(s, unknown_segments_leave_by_name);
	UNIT_CASE(s, a_block_of_a_stranger);
	UNIT_CASE(s, pitfall_48_control_queue_takes_all_ports);
	UNIT_CASE(s, pitfall_50_balance_of_a_soup);
}

UNIT_MAIN("poll", add)
