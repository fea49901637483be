/* SPDX-License-Identifier: BSD-3-Clause */
/* The limits of a listener: when they stand, and that all is given back. The scripts listener_* play what
 * a peer sees of them. */
#include "tests/unit/tcp_test.h"

#include "tests/unit/engine_test.h"
#include "wire/siphash.h"

#define LIMITED 9100

static struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

static struct weir_listen_config
limits(uint32_t connections, uint32_t per_address, uint32_t bufs)
{
	struct weir_listen_config config;

	weir_listen_config_init(&config);
	config.port = LIMITED;
	config.receive_buffer = 1 << 20;
	config.connections = connections;
	config.connections_per_address = per_address;
	config.memory_bytes = (uint64_t)bufs * world.stack->config.buffer_bytes;
	return config;
}

static void
begin(uint32_t connections, uint32_t per_address, uint32_t bufs)
{
	struct weir_listen_config config;

	open_default();
	config = limits(connections, per_address, bufs);
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
}

static struct weir_listen_info
info_now(void)
{
	struct weir_listen_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_listen_info(world.stack, LIMITED, &info), 0);
	return info;
}

/* What the listener is said to hold is what its connections hold. */
static void
check_books(void)
{
	uint32_t bufs = 0, n = 0;

	for (uint32_t i = 0; i < tcp()->flow_free.touched; i++)
		if (tcp()->flows[i].conn != 0 && tcp()->flows[i].key.lport == LIMITED) {
			bufs += tcp()->flows[i].held_bufs;
			n++;
		}
	ck_assert_uint_eq(tcp()->listener_uses[1].held_bufs, bufs);
	ck_assert_uint_eq(tcp()->listener_uses[1].connections, n);
	ck_assert_uint_eq(info_now().connections, n);
	ck_assert_uint_eq(info_now().memory_bytes, (uint64_t)bufs * 2176);
}

static void
is_empty(void)
{
	struct weir_listen_info info = info_now();

	ck_assert_uint_eq(info.connections, 0);
	ck_assert_uint_eq(info.half_open, 0);
	ck_assert_uint_eq(info.memory_bytes, 0);
	ck_assert_uint_eq(tcp()->peers.used, 0);
}

static void
remote_at(struct remote *remote, uint32_t host, uint16_t port)
{
	remote_init(remote, port);
	remote->ip += host;
	remote->to = LIMITED;
}

static void
is_refused(struct remote *remote, enum weir_drop reason)
{
	uint64_t before = drops_of(reason);
	struct frame_spec spec;

	remote->rcv_nxt = 0;
	remote_spec(remote, &spec, remote->iss, WEIR_TCP_SYN, NULL, 0);
	world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	ck_assert_uint_eq(drops_of(reason), before + 1);
}

/* ---- settings ---- */

START_TEST(settings_have_their_range)
{
	struct weir_listen_config config;
	struct weir_listen_info info = {.size = sizeof(info)};

	open_default();
	config = limits((1 << 20) + 1, 0, 0);
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config = limits(0, (1 << 20) + 1, 0);
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config = limits(0, 0, 64);
	config.memory_bytes--;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config.memory_bytes = 1;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config.memory_bytes = UINT64_MAX;
	config.connections = config.connections_per_address = 1 << 20;
	ck_assert_int_eq(weir_listen_info(world.stack, LIMITED, &info), -ENOENT);
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	ck_assert_int_eq(weir_listen_info(world.stack, LIMITED, &info), 0);
	info.size--;
	ck_assert_int_eq(weir_listen_info(world.stack, LIMITED, &info), -EINVAL);
	world_close(&world);
}
END_TEST

/* Nothing is counted by address, and nothing costs anything, until somebody asks for it. */
START_TEST(no_limit_is_the_default)
{
	struct weir_listen_config config;
	struct weir_config large;
	uint64_t idle;

	world_config(&large);
	large.flows = 65536;
	large.time_wait_entries = 16384;
	world_open(&world, &large, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
	config = limits(0, 0, 0);
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	ck_assert_ptr_null(tcp()->peers.items);
	idle = stats_now()->state_bytes_per_idle;
	ck_assert_uint_eq(weir_admit_ask(tcp(), 1, &(struct weir_key){.low.lport = LIMITED}),
			  WEIR_PARSE_OK);
	config.port++;
	config.connections_per_address = 5;
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	ck_assert_ptr_nonnull(tcp()->peers.items);
	ck_assert_uint_gt(stats_now()->state_bytes_per_idle, idle);
	ck_assert_uint_le(stats_now()->state_bytes_per_idle, 512);
	world_close(&world);
}
END_TEST

/* ---- connections and addresses ---- */

/* A thousand connections of twenty hosts, opened and ended in every way, at all limits at once. */
START_TEST(all_is_given_back)
{
	enum { HOSTS = 20, PER_HOST = 3, AT_ONCE = 40, ROUNDS = 3000 };
	struct remote live[AT_ONCE];
	uint32_t n = 0, of_host[HOSTS] = {0}, refused = 0;
	uint64_t random = 7;

	begin(AT_ONCE, PER_HOST, 1024);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t host = (uint32_t)(weir_seed_next(&random) % HOSTS);
		struct remote remote;

		remote_at(&remote, host, (uint16_t)(1024 + round));
		remote.ip6 = host % 2 != 0; /* all of one /64 */
		world_forget(&world);
		if (weir_seed_next(&random) % 2 == 0 || n == AT_ONCE) {
			uint32_t at = (uint32_t)(weir_seed_next(&random) % AT_ONCE);

			if (at >= n)
				continue;
			remote_stream(&world, &live[at], 0, 100);
			world_poll(&world, 1000);
			weir_conn_abort(world.stack, live[at].conn);
			world_poll(&world, 1000);
			of_host[live[at].ip6 ? 1 : live[at].ip - FRAME_REMOTE_IP]--;
			live[at] = live[--n];
		} else if (of_host[remote.ip6 ? 1 : host] == PER_HOST) {
			is_refused(&remote, WEIR_DROP_LISTENER_ADDRESS);
			refused++;
		} else {
			remote_open(&world, &remote);
			of_host[remote.ip6 ? 1 : host]++;
			live[n++] = remote;
		}
		check_books();
	}
	ck_assert_uint_gt(refused, 100);
	while (n > 0)
		weir_conn_abort(world.stack, live[--n].conn);
	world_poll(&world, 1000);
	is_empty();
	world_close(&world);
}
END_TEST

/* Who is at its limit, and tries a thousand times a millisecond, hinders nobody. */
START_TEST(one_address_does_not_hinder_another)
{
	struct remote greedy, other;

	begin(0, 1, 0);
	remote_at(&greedy, 0, 1024);
	remote_open(&world, &greedy);
	for (uint16_t i = 0; i < 1000; i++) {
		remote_at(&greedy, 0, (uint16_t)(2000 + i));
		is_refused(&greedy, WEIR_DROP_LISTENER_ADDRESS);
		if (i % 20 == 0 && i / 20 < 50) {
			remote_at(&other, 1 + i / 20, 1024);
			remote_open(&world, &other);
			world_forget(&world);
		}
	}
	ck_assert_uint_eq(info_now().connections, 51);
	ck_assert_uint_eq(info_now().half_open, 0);
	world_close(&world);
}
END_TEST

/* An ended connection counts no more, even while its CLOSED waits; a half-open one never does. */
START_TEST(half_open_ones_take_no_place)
{
	struct remote remote;
	struct frame_spec spec;

	begin(1, 1, 0);
	for (uint16_t i = 0; i < 20; i++) {
		remote_at(&remote, 0, (uint16_t)(3000 + i));
		remote_spec(&remote, &spec, remote.iss, WEIR_TCP_SYN, NULL, 0);
		world_inject(&world, frame_build(&world.pool, &spec));
	}
	ck_assert_uint_eq(world_poll(&world, 1000), 20);
	ck_assert_uint_eq(info_now().half_open, 20);
	ck_assert_uint_eq(info_now().connections, 0);
	remote_at(&remote, 0, 1024);
	remote_open(&world, &remote);
	check_books();
	for (uint32_t s = 0; s < 100; s++)
		world_poll(&world, 1000000000);
	ck_assert_uint_eq(info_now().half_open, 0);
	ck_assert_uint_eq(info_now().connections, 1);
	world_close(&world);
}
END_TEST

/* A reset of the stack keeps the limits and forgets what was counted. */
START_TEST(a_reset_begins_anew)
{
	struct remote remote;

	begin(1, 1, 64);
	for (uint64_t seed = 1; seed < 4; seed++) {
		remote_at(&remote, 0, 1024);
		remote_open(&world, &remote);
		check_books();
		remote_at(&remote, 0, 1025);
		is_refused(&remote, WEIR_DROP_LISTENER_CONNECTIONS);
		ck_assert_int_eq(weir_stack_reset(world.stack, seed, world.now_ns), 0);
		is_empty();
		world_forget(&world);
	}
	world_close(&world);
}
END_TEST

/* ---- memory ---- */

/* Full segments until nothing more is taken; returns how many were. */
static uint32_t
fill(struct remote *remote, uint32_t most)
{
	uint32_t n = 0;

	while (n < most) {
		uint64_t before = info_of(remote->conn).bytes;

		remote_send(&world, remote, remote->snd_nxt, 0, ENGINE_TEST_MSS);
		world_poll(&world, 1000);
		check_books();
		if (info_of(remote->conn).bytes == before)
			break;
		remote->snd_nxt += ENGINE_TEST_MSS;
		n++;
	}
	return n;
}

/* Two connections that nobody reads stop within their listener's memory; one of another listener is not
 * concerned; reading gives all of it back. */
START_TEST(memory_is_bounded_and_given_back)
{
	struct remote a, b, other, late;
	struct weir_stats before;
	uint64_t read = 0;

	begin(0, 0, 64);
	remote_at(&a, 0, 1024);
	remote_at(&b, 1, 1024);
	remote_open(&world, &a);
	remote_open(&world, &b);
	fill(&a, 1000);
	fill(&b, 1000);
	ck_assert_uint_ge(info_now().memory_bytes, 48 * 2176); /* the first step is at 3/4 */
	ck_assert_uint_le(info_now().memory_bytes, 64 * 2176);
	ck_assert_uint_eq(stats_now()->pressure, 0); /* the engine has plenty */
	open_remotes(&other, 1);
	before = *stats_now();
	stream_segs(&other, 200);
	for (uint32_t i = 0; i < 8; i++)
		world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->bytes - before.bytes, 200 * ENGINE_TEST_MSS);
	read_all(&world, &a, &read);
	ck_assert_uint_eq(read, info_of(a.conn).bytes);
	check_books();
	world_poll(&world, 1000);
	remote_at(&late, 2, 1024);
	remote_open(&world, &late);
	weir_conn_abort(world.stack, a.conn);
	weir_conn_abort(world.stack, b.conn);
	weir_conn_abort(world.stack, late.conn);
	world_poll(&world, 1000);
	is_empty();
	world_close(&world);
}
END_TEST

/* At the last step new connections are refused, by SYN and at the end of their handshake. */
START_TEST(without_memory_nobody_new)
{
	struct remote a, late;

	begin(0, 0, 64);
	remote_at(&a, 0, 1024);
	remote_open(&world, &a);
	tcp()->listener_uses[1].held_bufs += 61;
	ck_assert_uint_eq(weir_budget_listener_pressure(tcp(), 1), 3);
	remote_at(&late, 1, 1024);
	remote_open(&world, &late);
	tcp()->listener_uses[1].held_bufs++;
	ck_assert_uint_eq(weir_budget_listener_pressure(tcp(), 1), 4);
	remote_at(&late, 1, 1025);
	is_refused(&late, WEIR_DROP_LISTENER_MEMORY);
	tcp()->listener_uses[1].held_bufs -= 62;
	check_books();
	world_close(&world);
}
END_TEST

/* What is leased counts until its connection has ended, then for the engine alone. */
START_TEST(leases_count_until_the_end)
{
	struct weir_span spans[16];
	struct remote remote;
	int n;

	begin(0, 0, 64);
	remote_at(&remote, 0, 1024);
	remote_open(&world, &remote);
	ck_assert_uint_eq(fill(&remote, 10), 10);
	n = weir_conn_lease(world.stack, remote.conn, spans, 16);
	ck_assert_int_eq(n, 10);
	ck_assert_uint_eq(info_now().memory_bytes, 10 * 2176);
	weir_conn_abort(world.stack, remote.conn);
	world_poll(&world, 1000);
	is_empty();
	ck_assert_uint_eq(tcp()->held_bufs, 10);
	ck_assert_int_eq(weir_lease_release(world.stack, &spans[n - 1].lease, 1), 0);
	ck_assert_uint_eq(tcp()->held_bufs, 0);
	is_empty();
	world_close(&world);
}
END_TEST

/* Bursts that are taken whole, behind holes, collapsed and pruned: the books are right after each. */
START_TEST(every_way_of_holding_is_booked)
{
	struct remote remotes[3];
	uint64_t random = 3, read[3] = {0};

	begin(0, 0, 96);
	for (uint32_t i = 0; i < 3; i++) {
		remote_at(&remotes[i], i, 1024);
		remote_open(&world, &remotes[i]);
	}
	for (uint32_t round = 0; round < 4000; round++) {
		uint32_t i = (uint32_t)(weir_seed_next(&random) % 3);
		uint32_t len = weir_seed_next(&random) % 4 == 0 ? 20 : ENGINE_TEST_MSS;
		struct remote *remote = &remotes[i];
		uint32_t hole = weir_seed_next(&random) % 3 == 0 ? len : 0;

		remote->snd_nxt = flow_of(&world, remote)->rcv_nxt;
		for (uint32_t k = (uint32_t)(weir_seed_next(&random) % 24); k > 0; k--) {
			remote_send(&world, remote, remote->snd_nxt + hole, 0, len);
			remote->snd_nxt += len;
		}
		world_poll(&world, 100000);
		world_forget(&world);
		check_books();
		ck_assert_uint_le(tcp()->listener_uses[1].held_bufs, 96);
		if (weir_seed_next(&random) % 4 == 0)
			read_all(&world, remote, &read[i]);
		check_books();
	}
	ck_assert_uint_gt(drops_of(WEIR_DROP_LISTENER_MEMORY), 0);
	ck_assert_uint_gt(stats_now()->collapsed, 0);
	ck_assert_uint_gt(stats_now()->pruned, 0);
	ck_assert_uint_gt(stats_now()->edges_held, 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_NO_MEMORY), 0);
	for (uint32_t i = 0; i < 3; i++)
		weir_conn_abort(world.stack, remotes[i].conn);
	world_poll(&world, 1000);
	is_empty();
	world_close(&world);
}
END_TEST

/* ---- and how many segments were taken at once makes no difference ---- */

static struct reply one_by_one[WORLD_REPLIES];

/* The replies of the same scene with aggregates of 1 and of 20, which ends in the same `state`. */
static void
is_the_same(void (*scene)(uint32_t *state))
{
	struct weir_config config;
	uint32_t states[2] = {0, 0}, n = 0;

	for (uint32_t i = 0; i < 2; i++) {
		world_config(&config);
		config.aggregate_limit = i == 0 ? 1 : 20;
		open_with(&config);
		scene(&states[i]);
		check_books();
		if (i == 0) {
			n = world.n_replies;
			memcpy(one_by_one, world.replies, sizeof(one_by_one));
		}
		ck_assert_uint_eq(world.n_replies, n);
		for (uint32_t k = 0; k < n; k++) {
			ck_assert(world_reply_equal(&world.replies[k], &one_by_one[k]));
			ck_assert_uint_eq(world.replies[k].win, one_by_one[k].win);
		}
		ck_assert_uint_eq(states[i], states[0]);
		world_close(&world);
	}
}

/* A run behind a hole, in whose middle pressure begins. */
static void
run_into_pressure(uint32_t *state)
{
	struct weir_listen_config config = limits(0, 0, 128);
	struct remote remote;

	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	remote_at(&remote, 0, 1024);
	remote_open(&world, &remote);
	for (uint32_t i = 0; i < 88; i++) { /* small ones: the window stays open */
		remote_stream(&world, &remote, 0, 100);
		world_poll(&world, 1000);
	}
	world_forget(&world);
	for (uint32_t i = 1; i <= 20; i++)
		remote_send(&world, &remote, remote.snd_nxt + i * 100, 0, 100);
	world_poll(&world, 1000);
	*state = tcp()->listener_uses[1].held_bufs;
	ck_assert_uint_eq(*state, 96); /* of 128: there pressure begins, and nothing was read */
}

START_TEST(runs_behind_holes_meet_pressure_as_one_by_one)
{
	is_the_same(run_into_pressure);
}
END_TEST

/* A reader so fast that its buffer grows to what is left of the listener's memory. */
static void
grow_to_the_share(uint32_t *state)
{
	struct weir_listen_config config = limits(0, 0, 128);
	struct remote remote;

	config.receive_buffer = 0;
	config.receive_buffer_min = 40 << 10;
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	remote_at(&remote, 0, 1024);
	remote_open(&world, &remote);
	for (uint32_t round = 0; round < 60; round++) {
		remote.snd_nxt = flow_of(&world, &remote)->rcv_nxt;
		stream_segs(&remote, 24);
		world_poll(&world, 10000000);
		remote.ts_echo = world_last(&world)->tsval;
		weir_conn_discard(world.stack, remote.conn, UINT32_MAX);
		world_poll(&world, 1000);
	}
	*state = (uint32_t)flow_of(&world, &remote)->limit;
	ck_assert_uint_ge(stats_now()->receive_buffers_refused, 1);
}

START_TEST(buffers_grow_as_one_by_one)
{
	is_the_same(grow_to_the_share);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, runs_behind_holes_meet_pressure_as_one_by_one);
	UNIT_CASE(s, buffers_grow_as_one_by_one);
	UNIT_CASE(s, settings_have_their_range);
	UNIT_CASE(s, no_limit_is_the_default);
	UNIT_CASE(s, all_is_given_back);
	UNIT_CASE(s, one_address_does_not_hinder_another);
	UNIT_CASE(s, half_open_ones_take_no_place);
	UNIT_CASE(s, a_reset_begins_anew);
	UNIT_CASE(s, memory_is_bounded_and_given_back);
	UNIT_CASE(s, without_memory_nobody_new);
	UNIT_CASE(s, leases_count_until_the_end);
	UNIT_CASE(s, every_way_of_holding_is_booked);
}

UNIT_MAIN("admit", add)
