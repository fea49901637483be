/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections over IPv6 through the whole engine: what the other tests of it cannot say of IPv4. */
#include <errno.h>
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;

static void
open_world(void)
{
	struct weir_config config;

	world_config(&config);
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
}

static struct weir_addr
address_of(const char *text)
{
	struct weir_addr address;

	ck_assert_int_eq(weir_addr_parse(text, &address), 0);
	return address;
}

static void
open6(struct remote *remote, uint16_t port)
{
	remote_init(remote, port);
	remote->ip6 = true;
	remote_open(&world, remote);
}

static const char *
remote_text(const struct remote *remote)
{
	static char text[WEIR_ADDR_TEXT];
	struct weir_conn_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_conn_info(world.stack, remote->conn, &info), 0);
	return weir_addr_format(&info.remote, text, sizeof(text));
}

START_TEST(mss_leaves_room_for_the_longer_header)
{
	struct remote four, six;

	open_world();
	remote_init(&four, 40000);
	remote_open(&world, &four);
	ck_assert_uint_eq(world.replies[0].mss, 1460);
	world_forget(&world);
	open6(&six, 40000);
	ck_assert_uint_eq(world.replies[0].mss, 1440);
	world_close(&world);
}
END_TEST

START_TEST(connections_say_who_they_are)
{
	struct weir_conn_info info = {.size = sizeof(info)};
	char text[WEIR_ADDR_TEXT];
	struct remote six;

	open_world();
	open6(&six, 40000);
	ck_assert_str_eq(remote_text(&six), "2001:db8::c000:202");
	ck_assert_int_eq(weir_conn_info(world.stack, six.conn, &info), 0);
	ck_assert_str_eq(weir_addr_format(&info.local, text, sizeof(text)), "2001:db8::1");
	ck_assert_uint_eq(info.remote.family, 6);
	ck_assert_uint_eq(info.remote.scope, 0);
	ck_assert_uint_eq(info.remote_port, 40000);
	ck_assert_uint_eq(info.local_port, WORLD_PORT);
	world_close(&world);
}
END_TEST

/* The same ports, and of the address the same last word. */
START_TEST(families_are_different_connections)
{
	struct remote four, six;

	open_world();
	remote_init(&four, 40000);
	remote_open(&world, &four);
	open6(&six, 40000);
	ck_assert_uint_ne(four.conn, six.conn);
	remote_stream(&world, &six, 0, 100);
	remote_stream(&world, &four, 0, 200);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_discard(world.stack, six.conn, 1000), 100);
	ck_assert_int_eq(weir_conn_discard(world.stack, four.conn, 1000), 200);
	ck_assert_str_eq(remote_text(&four), "192.0.2.2");
	world_close(&world);
}
END_TEST

START_TEST(every_bit_of_the_address_tells_remotes_apart)
{
	const struct weir_tcp *tcp;
	struct rte_mbuf *answer;
	struct frame_spec spec;
	struct remote six;

	open_world();
	tcp = &world.engine->tcp;
	remote_init(&six, 40000);
	six.ip6 = true;
	for (uint32_t bit = 0; bit < 128; bit += 3) {
		remote_spec(&six, &spec, six.iss, WEIR_TCP_SYN, NULL, 0);
		spec.src6[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		world_inject(&world, frame_build(&world.pool, &spec));
		weir_engine_poll(world.engine, world.now_ns += 1000);
		ck_assert_uint_eq(world.far->rx_burst(world.far->ctx, &answer, 1, world.now_ns), 1);
		weir_buf_free(&world.pool, answer);
	}
	ck_assert_uint_eq(tcp->stats.syn_received, 43);
	ck_assert_uint_eq(tcp->table6.count, 43);
	ck_assert_uint_eq(tcp->table.count, 0);
	world_close(&world);
}
END_TEST

/* RFC 6528, RFC 6437: both ends' addresses choose the numbers and the label. */
START_TEST(numbers_and_labels_depend_on_both_ends)
{
	uint32_t seq[3], tsval[3], label[3];
	struct weir_addr second = address_of("2001:db8::9");
	struct rte_mbuf *answer;
	struct frame_spec spec;
	struct remote six;

	open_world();
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &second), 0);
	remote_init(&six, 40000);
	six.ip6 = true;
	for (int i = 0; i < 3; i++) {
		const uint8_t *ip;

		remote_spec(&six, &spec, six.iss, WEIR_TCP_SYN, NULL, 0);
		if (i == 1)
			spec.src6[0] ^= 0x10;
		if (i == 2)
			memcpy(spec.dst6, second.bytes, 16);
		world_inject(&world, frame_build(&world.pool, &spec));
		weir_engine_poll(world.engine, world.now_ns);
		ck_assert_uint_eq(world.far->rx_burst(world.far->ctx, &answer, 1, world.now_ns), 1);
		ip = rte_pktmbuf_mtod_offset(answer, const uint8_t *, 14);
		ck_assert_mem_eq(ip + 8, spec.dst6, 16);
		ck_assert_mem_eq(ip + 24, spec.src6, 16);
		memcpy(&label[i], ip, 4);
		memcpy(&seq[i], ip + 44, 4);
		memcpy(&tsval[i], ip + 40 + 20 + 6, 4);
		weir_buf_free(&world.pool, answer);
		for (int k = 0; k < i; k++) {
			ck_assert_uint_ne(label[k], label[i]);
			ck_assert_uint_ne(seq[k], seq[i]);
			ck_assert_uint_ne(tsval[k], tsval[i]);
		}
	}
	world_close(&world);
}
END_TEST

/* A stream in bursts is taken in aggregates, and acknowledged by trains. */
START_TEST(a_stream_is_aggregated)
{
	const struct weir_stats *stats;
	struct remote six;

	open_world();
	stats = &world.engine->tcp.stats;
	open6(&six, 40000);
	for (uint32_t poll = 0; poll < 20; poll++) {
		for (uint32_t i = 0; i < 20; i++)
			remote_stream(&world, &six, 0, 1000);
		world_poll(&world, 100000);
		ck_assert_int_eq(weir_conn_discard(world.stack, six.conn, 1 << 20), 20000);
	}
	ck_assert_uint_eq(stats->bytes, 400000);
	ck_assert_uint_eq(stats->aggregate_sizes[20], 20);
	ck_assert_uint_gt(stats->acks_train, 180);
	ck_assert_uint_eq(stats->acks_single, 0);
	world_close(&world);
}
END_TEST

/* Extension headers keep a segment alone, between others of its flow. */
START_TEST(pitfall_06_extensions_are_never_merged)
{
	static const uint8_t extension[8] = {6, 0, 1, 4};
	const struct weir_stats *stats;
	struct frame_spec spec;
	struct remote six;
	uint8_t payload[1000];

	open_world();
	stats = &world.engine->tcp.stats;
	open6(&six, 40000);
	remote_stream(&world, &six, 0, 1000);
	remote_stream(&world, &six, 0, 1000);
	remote_spec(&six, &spec, six.snd_nxt, WEIR_TCP_ACK, payload, sizeof(payload));
	spec.extensions = extension;
	spec.extensions_len = sizeof(extension);
	spec.first_extension = 60;
	world_inject(&world, frame_build(&world.pool, &spec));
	six.snd_nxt += 1000;
	remote_stream(&world, &six, 0, 1000);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats->bytes, 4000);
	ck_assert_uint_eq(stats->aggregate_sizes[2], 1);
	ck_assert_uint_eq(stats->aggregate_sizes[1], 2);
	world_close(&world);
}
END_TEST

/* Through TIME-WAIT to nothing: the table of IPv6 is empty at the end, that of IPv4 always. */
START_TEST(closed_to_the_end)
{
	const struct weir_tcp *tcp;
	struct remote six;

	open_world();
	tcp = &world.engine->tcp;
	open6(&six, 40000);
	ck_assert_int_eq(weir_conn_close(world.stack, six.conn), 0);
	world_poll(&world, 1000);
	six.rcv_nxt++;
	remote_stream(&world, &six, WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	ck_assert_uint_eq(tcp->stats.time_wait, 1);
	ck_assert_uint_eq(tcp->table6.count, 1);
	world_forget(&world);
	remote_send(&world, &six, six.snd_nxt - 1, WEIR_TCP_FIN, 0); /* again: it is answered */
	ck_assert_uint_eq(world_poll(&world, 1000), 1);
	world_poll(&world, 61 * SCENE_SEC);
	ck_assert_uint_eq(tcp->stats.time_wait, 0);
	ck_assert_uint_eq(tcp->table6.count, 0);
	ck_assert_uint_eq(tcp->table.count, 0);
	world_close(&world);
}
END_TEST

START_TEST(addresses_of_a_port)
{
	struct weir_addr wrong[] = {address_of("ff02::1"), address_of("::"), address_of("::1"),
				    address_of("0.0.0.0")};
	struct weir_addr address = address_of("2001:db8::1"), four = address_of("192.0.2.1");
	struct weir_port stranger = {.ctx = NULL};

	open_world();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &wrong[i]),
				 -EINVAL);
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &address), -EEXIST);
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &four), -EEXIST);
	four.bytes[15]++;
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &four), -ENOSPC);
	for (uint8_t i = 1; i < WEIR_OWN6_MAX; i++) {
		address.bytes[15]++;
		ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &address), 0);
	}
	address.bytes[15]++;
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &address), -ENOSPC);
	ck_assert_int_eq(weir_stack_add_address(world.stack, &stranger, &address), -EINVAL);
	ck_assert_int_eq(weir_stack_reset(world.stack, 2, world.now_ns), 0);
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &address), -ENOSPC);
	world_close(&world);
}
END_TEST

START_TEST(addresses_outlive_a_reset)
{
	struct remote six;

	open_world();
	open6(&six, 40000);
	ck_assert_int_eq(weir_stack_reset(world.stack, 2, world.now_ns), 0);
	world_forget(&world);
	open6(&six, 40000);
	remote_stream(&world, &six, 0, 100);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_discard(world.stack, six.conn, 1000), 100);
	world_close(&world);
}
END_TEST

/* Two links, and on each a host fe80::2 that speaks to fe80::1. */
START_TEST(link_local_addresses_belong_to_their_port)
{
	struct weir_port_config config = {.size = sizeof(config), .prefix_len = 64};
	struct weir_addr own = address_of("fe80::1"), remote = address_of("fe80::2");
	struct weir_port *ends[2], *fars[2];
	const struct weir_tcp *tcp;
	struct frame_spec spec;
	struct remote six;

	open_world();
	tcp = &world.engine->tcp;
	ck_assert_int_eq(weir_port_open_pair(64, ends), 0);
	ck_assert_int_eq(ends[1]->start(ends[1]->ctx, &world.pool), 0);
	memcpy(ends[0]->mac, frame_local_mac, 6);
	config.address = own;
	ck_assert_int_eq(weir_stack_attach(world.stack, ends[0], &config), 0);
	ck_assert_int_eq(weir_stack_add_address(world.stack, world.near, &own), 0);
	fars[0] = world.far;
	fars[1] = ends[1];
	remote_init(&six, 40000);
	six.ip6 = true;
	for (int i = 0; i < 2; i++) {
		struct weir_conn_info info = {.size = sizeof(info)};
		struct rte_mbuf *frame;
		char text[WEIR_ADDR_TEXT];

		remote_spec(&six, &spec, six.iss, WEIR_TCP_SYN, NULL, 0);
		memcpy(spec.src6, remote.bytes, 16);
		memcpy(spec.dst6, own.bytes, 16);
		frame = frame_build(&world.pool, &spec);
		ck_assert_uint_eq(fars[i]->tx_burst(fars[i]->ctx, &frame, 1, world.now_ns), 1);
		weir_engine_poll(world.engine, world.now_ns);
		ck_assert_uint_eq(fars[i]->rx_burst(fars[i]->ctx, &frame, 1, world.now_ns), 1);
		memcpy(&spec.ack, rte_pktmbuf_mtod_offset(frame, uint8_t *, 14 + 40 + 4), 4);
		memcpy(&spec.tsecr, rte_pktmbuf_mtod_offset(frame, uint8_t *, 14 + 40 + 26), 4);
		weir_buf_free(&world.pool, frame);
		spec.ack = __builtin_bswap32(spec.ack) + 1;
		spec.tsecr = __builtin_bswap32(spec.tsecr);
		spec.seq++;
		spec.flags = WEIR_TCP_ACK;
		frame = frame_build(&world.pool, &spec);
		ck_assert_uint_eq(fars[i]->tx_burst(fars[i]->ctx, &frame, 1, world.now_ns), 1);
		weir_engine_poll(world.engine, world.now_ns);
		ck_assert_uint_eq(world.n_events, i + 1);
		ck_assert_int_eq(weir_conn_info(world.stack, world.events[i].conn, &info), 0);
		ck_assert_str_eq(weir_addr_format(&info.remote, text, sizeof(text)),
				 i == 0 ? "fe80::2%1" : "fe80::2%2");
		ck_assert_str_eq(weir_addr_format(&info.local, text, sizeof(text)),
				 i == 0 ? "fe80::1%1" : "fe80::1%2");
	}
	ck_assert_uint_eq(tcp->stats.established, 2);
	ck_assert_int_eq(weir_stack_destroy(world.stack), 0);
	for (int i = 0; i < 2; i++)
		fars[i]->stop(fars[i]->ctx);
	weir_port_close(world.near);
	weir_port_close(world.far);
	weir_port_close(ends[0]);
	weir_port_close(ends[1]);
	ck_assert_uint_eq(weir_pool_close(&world.pool), 0);
}
END_TEST

/* A port that has addresses of IPv6 alone takes no IPv4, not even for 0.0.0.0. */
START_TEST(ipv6_alone)
{
	static const uint32_t wrong[] = {0, FRAME_LOCAL_IP, UINT32_MAX};
	struct weir_parse parse;
	struct weir_parsed parsed;
	struct weir_pool pool;
	struct frame_spec spec;
	struct rte_mbuf *buf;

	ck_assert_int_eq(weir_pool_open_heap(&pool, 64, 2176), 0);
	weir_parse_init(&parse, frame_local_mac, 0, false, 0);
	frame_spec_init(&spec);
	for (int has_ts = 0; has_ts < 2; has_ts++)
		for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
			for (uint8_t version = 0; version < 2; version++) {
				spec.has_ts = (uint8_t)has_ts;
				spec.dst = wrong[i];
				spec.version_ihl = version == 0 ? 0 : 0x05;
				buf = frame_build(&pool, &spec);
				buf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD |
						RTE_MBUF_F_RX_L4_CKSUM_GOOD;
				parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
				weir_parse_burst(&parse, &buf, 1, &parsed);
				ck_assert_uint_eq(parsed.n_rejects, 1);
				weir_buf_free(&pool, buf);
			}
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, mss_leaves_room_for_the_longer_header);
	UNIT_CASE(s, connections_say_who_they_are);
	UNIT_CASE(s, families_are_different_connections);
	UNIT_CASE(s, every_bit_of_the_address_tells_remotes_apart);
	UNIT_CASE(s, numbers_and_labels_depend_on_both_ends);
	UNIT_CASE(s, a_stream_is_aggregated);
	UNIT_CASE(s, pitfall_06_extensions_are_never_merged);
	UNIT_CASE(s, closed_to_the_end);
	UNIT_CASE(s, addresses_of_a_port);
	UNIT_CASE(s, addresses_outlive_a_reset);
	UNIT_CASE(s, link_local_addresses_belong_to_their_port);
	UNIT_CASE(s, ipv6_alone);
}

UNIT_MAIN("ip6", add)
