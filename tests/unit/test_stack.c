/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <time.h>

#include "tests/unit/engine_test.h"
#include "wire/siphash.h"

/* ---- configuration ---- */

static int
try_config(const struct weir_config *config)
{
	struct weir_stack *stack = NULL;
	int error = weir_stack_create(config, &stack);

	if (error == 0)
		ck_assert_int_eq(weir_stack_destroy(stack), 0);
	else
		ck_assert_ptr_null(stack);
	return error;
}

static void
small_config(struct weir_config *config)
{
	world_config(config);
	config->flows = 16;
	config->syn_entries = 16;
	config->time_wait_entries = 16;
	config->buffers = 64;
}

/* [least, most] is taken, what lies outside is not. */
static void
check_range(size_t field_off, uint32_t least, uint32_t most, bool try_most)
{
	struct weir_config config;
	uint32_t *field = (uint32_t *)((uint8_t *)&config + field_off);

	small_config(&config);
	*field = least;
	ck_assert_int_eq(try_config(&config), 0);
	if (least != 0) {
		*field = least - 1;
		ck_assert_int_eq(try_config(&config), -EINVAL);
	}
	if (try_most) {
		*field = most;
		ck_assert_int_eq(try_config(&config), 0);
	}
	*field = most + 1;
	ck_assert_int_eq(try_config(&config), -EINVAL);
	*field = UINT32_MAX;
	ck_assert_int_eq(try_config(&config), -EINVAL);
}

START_TEST(every_setting_has_its_range)
{
	struct weir_config config;

#define RANGE(field, least, most, try)                                                             \
	check_range(offsetof(struct weir_config, field), least, most, try)
	RANGE(size, sizeof(config), sizeof(config), true);
	RANGE(flows, 1, 1 << 20, true);
	RANGE(syn_entries, 1, 1 << 20, true);
	RANGE(time_wait_entries, 1, 1 << 20, true);
	RANGE(buffers, 64, 1 << 24, false);
	RANGE(buffer_bytes, RTE_PKTMBUF_HEADROOM + 256, UINT16_MAX, true);
	RANGE(rx_queue_segs, 1, 4096, true);
	RANGE(aggregate_limit, 1, 64, true);
	RANGE(flush, WEIR_FLUSH_NOW, WEIR_FLUSH_ADAPTIVE, true);
	RANGE(budget_segs, 1, 65536, true);
	RANGE(quantum_segs, 1, 65536, true);
	RANGE(burst, 1, 64, true);
	RANGE(time_wait_ms, 0, 1 << 30, true);
	RANGE(fin_wait_ms, 1, 1 << 30, true);
	RANGE(mld, 0, 1, true);
	RANGE(huge_tables, 0, 1, true);
#undef RANGE
	small_config(&config);
	config.heap = 2;
	ck_assert_int_eq(try_config(&config), -EINVAL);
}
END_TEST

START_TEST(the_defaults_are_those_documented)
{
	struct weir_config config;
	struct weir_listen_config listen;

	memset(&config, 0x55, sizeof(config));
	weir_config_init(&config);
	ck_assert_uint_eq(config.size, sizeof(config));
	ck_assert_uint_eq(config.flows, 65536);
	ck_assert_uint_eq(config.syn_entries, 1024);
	ck_assert_uint_eq(config.time_wait_entries, 16384);
	ck_assert_uint_eq(config.buffers, 16384);
	ck_assert_uint_eq(config.buffer_bytes, 2176);
	ck_assert_uint_eq(config.rx_queue_segs, 64);
	ck_assert_uint_eq(config.aggregate_limit, 20);
	ck_assert_uint_eq(config.flush, WEIR_FLUSH_NOW);
	ck_assert_uint_eq(config.budget_segs, 256);
	ck_assert_uint_eq(config.quantum_segs, 64);
	ck_assert_uint_eq(config.burst, 64);
	ck_assert_uint_eq(config.time_wait_ms, 60000);
	ck_assert_uint_eq(config.record_frames, 0);
	ck_assert_uint_eq(config.datagrams, 64);
	ck_assert_int_eq(config.numa_node, -1);
	ck_assert_uint_eq(config.heap, 0);
	config.heap = 1;
	ck_assert_int_eq(try_config(&config), 0);
	memset(&listen, 0x55, sizeof(listen));
	weir_listen_config_init(&listen);
	ck_assert_uint_eq(listen.size, sizeof(listen));
	ck_assert_uint_eq(listen.ack_policy, WEIR_ACK_TRAIN);
	ck_assert_uint_eq(listen.receive_buffer, 0);
	ck_assert_uint_eq(listen.receive_buffer_min, 64 << 10);
	ck_assert_uint_eq(listen.receive_buffer_max, 4 << 20);
	ck_assert_uint_eq(listen.cookie, 0);
}
END_TEST

START_TEST(a_stack_has_one_engine)
{
	open_default();
	ck_assert_ptr_nonnull(weir_stack_engine(world.stack, 0));
	ck_assert_ptr_null(weir_stack_engine(world.stack, 1));
	ck_assert_ptr_null(weir_stack_engine(world.stack, UINT32_MAX));
	ck_assert_str_eq(weir_version(), WEIR_VERSION);
	ck_assert_int_eq(weir_engine_record(world.engine, "/nonexistent/x"), -ENOTSUP);
	world_close(&world);
}
END_TEST

/* ---- ports ---- */

static uint16_t
nothing(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	(void)ctx, (void)bufs, (void)n, (void)now_ns;
	return 0;
}

static int
start_fails(void *ctx, struct weir_pool *pool)
{
	(void)ctx, (void)pool;
	return -EIO;
}

static const struct {
	const char *address;
	uint32_t prefix_len;
} no_hosts[] = {
    {"0.0.0.0", 24},	    {"0.0.0.1", 24},	   {"127.0.0.1", 8},	 {"127.255.0.1", 24},
    {"224.0.0.1", 24},	    {"239.255.255.255", 32}, {"255.255.255.255", 32}, {"192.0.2.0", 24},
    {"192.0.2.255", 24},    {"10.1.2.3", 30},	   {"::", 64},		 {"::1", 128},
    {"ff02::1", 64},	    {"2001:db8::", 64},	   {"2001:db8::", 126},	 {"fe80::", 10},
};

START_TEST(attach_checks_what_it_gets)
{
	struct weir_port port = {.rx_burst = nothing, .tx_burst = nothing, .name = "test"};
	struct weir_port_config good = {.size = sizeof(good), .prefix_len = 24}, config;

	open_default();
	ck_assert_int_eq(weir_addr_parse("192.0.2.1", &good.address), 0);
	config = good;
	config.size--;
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &config), -EINVAL);
	config = good;
	config.prefix_len = 33;
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &config), -EINVAL);
	config = good;
	config.address.family = 6;
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &config), -EINVAL);
	config.address.family = 0;
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &config), -EINVAL);
	for (uint32_t i = 0; i < sizeof(no_hosts) / sizeof(no_hosts[0]); i++) {
		config = good;
		config.prefix_len = no_hosts[i].prefix_len;
		ck_assert_int_eq(weir_addr_parse(no_hosts[i].address, &config.address), 0);
		ck_assert_msg(weir_stack_attach(world.stack, &port, &config) == -EINVAL, "%s/%u",
			      no_hosts[i].address, no_hosts[i].prefix_len);
	}
	port.frame_room = 2177;
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &good), -EMSGSIZE);
	port.frame_room = 2176;
	port.start = start_fails;
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &good), -EIO);
	ck_assert_uint_eq(stats_now()->n_ports, 1); /* nothing half done */
	port.start = NULL;
	for (uint32_t i = 1; i < WEIR_STATS_PORTS; i++)
		ck_assert_int_eq(weir_stack_attach(world.stack, &port, &good), 0);
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &good), -ENOSPC);
	ck_assert_uint_eq(stats_now()->n_ports, WEIR_STATS_PORTS);
	world_poll(&world, 1000);
	world_close(&world);
}
END_TEST

/* The same for further addresses; what only a network can say is not asked there. */
START_TEST(further_addresses_are_a_hosts)
{
	static const char *const wrong[] = {"127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
					    "::", "::1", "ff02::1"};
	struct weir_port_config config = {.size = sizeof(config), .prefix_len = 64};
	struct weir_port port = {.rx_burst = nothing, .tx_burst = nothing, .name = "test"};
	struct weir_addr address;

	open_default();
	ck_assert_int_eq(weir_addr_parse("2001:db8::5", &config.address), 0);
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &config), 0);
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(weir_addr_parse(wrong[i], &address), 0);
		ck_assert_msg(weir_stack_add_address(world.stack, &port, &address) == -EINVAL, "%s",
			      wrong[i]);
	}
	address = (struct weir_addr){.family = 6, .bytes = {[10] = 0xff, 0xff, 192, 0, 2, 7}};
	ck_assert_int_eq(weir_stack_add_address(world.stack, &port, &address), -EINVAL);
	ck_assert_int_eq(weir_addr_parse("192.0.2.255", &address), 0);
	ck_assert_int_eq(weir_stack_add_address(world.stack, &port, &address), 0);
	world_close(&world);
}
END_TEST

/* Between programs of one machine, in bare IP packets, a loopback address is one like another. */
START_TEST(loopback_is_for_bare_packets)
{
	struct weir_port_config config = {.size = sizeof(config), .prefix_len = 8};
	struct weir_port port = {.rx_burst = nothing,
				 .tx_burst = nothing,
				 .capabilities = WEIR_PORT_L3,
				 .name = "test"};

	open_default();
	ck_assert_int_eq(weir_addr_parse("127.0.0.1", &config.address), 0);
	ck_assert_int_eq(weir_stack_attach(world.stack, &port, &config), 0);
	world_close(&world);
}
END_TEST

/* A reset keeps what is known of the own network. */
START_TEST(a_reset_keeps_the_network)
{
	struct frame_spec spec;

	open_default();
	frame_spec_init(&spec);
	spec.src = FRAME_LOCAL_IP | 0xff;
	spec.flags = WEIR_TCP_SYN;
	for (uint32_t i = 0; i < 2; i++) {
		world_inject(&world, frame_build(&world.pool, &spec));
		ck_assert_uint_eq(world_poll(&world, 1000), 0);
		ck_assert_uint_eq(drops_of(WEIR_DROP_IP_SOURCE), 1);
		ck_assert_int_eq(weir_stack_reset(world.stack, 2, world.now_ns), 0);
	}
	world_close(&world);
}
END_TEST

/* ---- listeners ---- */

START_TEST(listen_checks_what_it_gets)
{
	struct weir_listen_config good, config;

	open_default();
	weir_listen_config_init(&good);
	good.port = 9100;
	config = good;
	config.size++;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config = good;
	config.port = 0;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config = good;
	config.ack_policy = WEIR_ACK_DELAYED + 1;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config = good;
	config.receive_buffer = 4095;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config.receive_buffer = (1u << 30) + 1;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config = good;
	config.receive_buffer_min = 4095;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config.receive_buffer_min = config.receive_buffer_max + 1;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config.receive_buffer_min = 65536;
	config.receive_buffer_max = (1u << 30) + 1;
	ck_assert_int_eq(weir_listen(world.stack, &config), -EINVAL);
	config.receive_buffer = 1u << 30; /* the range does not count then */
	ck_assert_int_eq(weir_listen(world.stack, &config), 0);
	ck_assert_int_eq(weir_listen(world.stack, &good), -EADDRINUSE);
	for (uint32_t i = 2; i < WEIR_LISTENERS_MAX; i++) {
		good.port++;
		good.receive_buffer = 4096;
		ck_assert_int_eq(weir_listen(world.stack, &good), 0);
	}
	good.port++;
	ck_assert_int_eq(weir_listen(world.stack, &good), -ENOSPC);
	good.port = 9100;
	ck_assert_int_eq(weir_listen(world.stack, &good), -EADDRINUSE);
	world_close(&world);
}
END_TEST

/* ---- replay ---- */

static const uint64_t digest_key[2] = {3, 4};
static uint64_t digest;
static uint16_t (*true_tx)(void *, struct rte_mbuf **, uint16_t, uint64_t);

/* Every byte that the engine sends, as it sends it. */
static uint16_t
digest_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	for (uint16_t i = 0; i < n; i++) {
		uint64_t parts[2] = {
		    digest,
		    weir_siphash(digest_key, rte_pktmbuf_mtod(bufs[i], void *), bufs[i]->data_len)};

		digest = weir_siphash(digest_key, parts, sizeof(parts));
	}
	return true_tx(ctx, bufs, n, now_ns);
}

static void
digest_events(uint32_t from)
{
	for (uint32_t i = from; i < world.n_events; i++) {
		uint64_t parts[4] = {digest, world.events[i].conn, world.events[i].type,
				     world.events[i].bytes};

		digest = weir_siphash(digest_key, parts, sizeof(parts));
	}
}

/* Some connections with loss, reordering, challenges and closes, from one seed. */
static uint64_t
play(uint64_t script, uint16_t port)
{
	struct remote remotes[3];
	uint64_t start = world.now_ns;

	digest = 0;
	world_forget(&world);
	for (uint32_t i = 0; i < 3; i++) {
		remote_init(&remotes[i], (uint16_t)(port + i));
		remote_open(&world, &remotes[i]);
	}
	for (int i = 0; i < 150; i++) {
		struct remote *remote = &remotes[weir_seed_next(&script) % 3];
		uint32_t what = (uint32_t)(weir_seed_next(&script) % 8);
		uint32_t len = (uint32_t)(weir_seed_next(&script) % 1448) + 1;

		if (what < 4)
			remote_stream(&world, remote, what == 0 ? WEIR_TCP_PSH : 0, len);
		else if (what == 4)
			remote_send(&world, remote, remote->snd_nxt + len, 0, len);
		else if (what == 5)
			remote_send(&world, remote, remote->snd_nxt - 700, 0, 1000);
		else if (what == 6)
			remote_send(&world, remote, remote->snd_nxt + 5, WEIR_TCP_RST, 0);
		else
			weir_conn_discard(world.stack, remote->conn, len * 4);
		world_poll(&world, weir_seed_next(&script) % 20000000);
	}
	weir_conn_close(world.stack, remotes[0].conn);
	weir_conn_abort(world.stack, remotes[1].conn);
	world_poll(&world, 3000000000u);
	world_poll(&world, 1000);
	digest_events(0);
	ck_assert_uint_gt(world.n_replies, 50);
	ck_assert_uint_gt(world.now_ns, start);
	return digest;
}

static void
open_digest(uint64_t seed, uint64_t now_ns)
{
	struct weir_config config;

	world_config(&config);
	config.seed = seed;
	config.now_ns = now_ns;
	world_open(&world, &config, 65536, WEIR_ACK_TRAIN);
	true_tx = world.near->tx_burst;
	world.near->tx_burst = digest_tx;
}

START_TEST(the_same_input_gives_the_same_output)
{
	uint64_t first, other;

	open_digest(7, 1000000000);
	first = play(1, 40000);
	world_close(&world);
	for (int i = 0; i < 3; i++) { /* in a fresh stack */
		open_digest(7, 1000000000);
		ck_assert_uint_eq(play(1, 40000), first);
		world_close(&world);
	}
	open_digest(8, 1000000000); /* another seed: other secrets */
	other = play(1, 40000);
	ck_assert_uint_ne(other, first);
	for (int i = 0; i < 20; i++) { /* after a reset, whatever was before */
		play((uint64_t)i + 100, 50000);
		world.now_ns = 1000000000;
		ck_assert_int_eq(weir_stack_reset(world.stack, 7, world.now_ns), 0);
		ck_assert_uint_eq(play(1, 40000), first);
		world.now_ns = 1000000000;
		ck_assert_int_eq(weir_stack_reset(world.stack, 8, world.now_ns), 0);
		ck_assert_uint_eq(play(1, 40000), other);
	}
	world_close(&world);
}
END_TEST

/* ---- reset ---- */

START_TEST(a_reset_brings_back_the_beginning)
{
	static struct weir_stats fresh, after;
	struct remote remote;
	uint64_t lease;
	struct weir_span span;

	open_default();
	fresh = *stats_now();
	for (int i = 0; i < 1100; i++) { /* a port that is believed */
		struct frame_spec spec;
		struct rte_mbuf *buf;

		frame_spec_init(&spec);
		buf = frame_build(&world.pool, &spec);
		buf->ol_flags |=
		    i == 1050 ? RTE_MBUF_F_RX_L4_CKSUM_BAD : RTE_MBUF_F_RX_L4_CKSUM_GOOD;
		world_inject(&world, buf);
		if (i % 32 == 31)
			world_poll(&world, 1000);
	}
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->ports[0].csum_software, 1);
	open_remotes(&remote, 1);
	stream_segs(&remote, 2);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_lease(world.stack, remote.conn, &span, 1), 1);
	lease = span.lease;
	ck_assert_int_eq(weir_stack_reset(world.stack, 1, 1000000000), 0);
	after = *stats_now();
	ck_assert_mem_eq(&after, &fresh, sizeof(fresh));
	ck_assert_int_eq(weir_lease_release(world.stack, &lease, 1), -EINVAL);
	ck_assert_int_eq(weir_conn_discard(world.stack, remote.conn, 1), -EBADF);
	ck_assert_uint_eq(weir_engine_deadline(world.engine), UINT64_MAX);
	/* port, listener and handler are still there */
	world.now_ns = 1000000000;
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	world_close(&world);
}
END_TEST

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

START_TEST(a_reset_takes_less_than_a_millisecond)
{
	uint64_t took[101];

	open_default();
	for (int i = 0; i < 101; i++) {
		struct remote remotes[2];

		open_remotes(remotes, 2);
		stream_segs(&remotes[0], 10);
		world_poll(&world, 1000);
		took[i] = clock_ns();
		ck_assert_int_eq(weir_stack_reset(world.stack, (uint64_t)i, world.now_ns), 0);
		took[i] = clock_ns() - took[i];
	}
	qsort(took, 101, sizeof(took[0]), by_size);
	printf("stack reset: median %llu us\n", (unsigned long long)took[50] / 1000);
	ck_assert_uint_lt(took[50], ENGINE_TEST_SANITIZED ? 20000000 : 1000000);
	world_close(&world);
}
END_TEST

/* ---- many ---- */

START_TEST(thousands_of_stacks_in_one_process)
{
	enum { STACKS = ENGINE_TEST_SANITIZED ? 1000 : 4000 };
	static struct weir_stack *stacks[STACKS];
	static struct weir_port *ends[STACKS][2];
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 24};
	struct weir_listen_config listen;
	struct weir_config config;

	small_config(&config);
	config.buffers = 64;
	weir_listen_config_init(&listen);
	listen.port = 1;
	ck_assert_int_eq(weir_addr_parse("192.0.2.1", &port.address), 0);
	for (int i = 0; i < STACKS; i++) { /* all at once */
		ck_assert_int_eq(weir_stack_create(&config, &stacks[i]), 0);
		ck_assert_int_eq(weir_port_open_pair(16, ends[i]), 0);
		ck_assert_int_eq(weir_stack_attach(stacks[i], ends[i][0], &port), 0);
		ck_assert_int_eq(weir_listen(stacks[i], &listen), 0);
		weir_engine_poll(weir_stack_engine(stacks[i], 0), config.now_ns);
	}
	for (int i = 0; i < STACKS; i++) {
		ck_assert_int_eq(weir_stack_destroy(stacks[i]), 0);
		weir_port_close(ends[i][0]);
		weir_port_close(ends[i][1]);
	}
	for (int i = 0; i < STACKS; i++) { /* and one after the other, each at work */
		struct remote remote;

		world_open(&world, &config, 65536, WEIR_ACK_TRAIN);
		remote_init(&remote, 40000);
		remote_open(&world, &remote);
		remote_stream(&world, &remote, WEIR_TCP_PSH, 100);
		world_poll(&world, 1000);
		ck_assert_uint_eq(world_last(&world)->ack, remote.snd_nxt);
		world_close(&world);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, every_setting_has_its_range);
	UNIT_CASE(s, the_defaults_are_those_documented);
	UNIT_CASE(s, a_stack_has_one_engine);
	UNIT_CASE(s, attach_checks_what_it_gets);
	UNIT_CASE(s, further_addresses_are_a_hosts);
	UNIT_CASE(s, loopback_is_for_bare_packets);
	UNIT_CASE(s, a_reset_keeps_the_network);
	UNIT_CASE(s, listen_checks_what_it_gets);
	UNIT_CASE(s, the_same_input_gives_the_same_output);
	UNIT_CASE(s, a_reset_brings_back_the_beginning);
	UNIT_CASE(s, a_reset_takes_less_than_a_millisecond);
	UNIT_CASE(s, thousands_of_stacks_in_one_process);
}

UNIT_MAIN("stack", add)
