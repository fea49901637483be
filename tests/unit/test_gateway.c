/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP for a gateway, and what is sent once it has answered. */
#include <errno.h>

#include "engine/engine.h"
#include "tests/unit/asking.h"

#define GATEWAY_IP 0xc00002feu /* 192.0.2.254 */
#define FAR_IP	   0xc6336401u /* 198.51.100.1 */
#define MS	   UINT64_C(1000000)
#define SECOND	   (1000 * MS)

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0xee, 1};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0xee, 2};

static struct weir_stack *stack;
static struct weir_engine *engine;
static struct weir_port *near, *far;
static struct fixture f; /* frames of the far end */
static uint64_t now_ns;
static struct bytes sent[64]; /* by the engine at the last poll */
static uint32_t n_sent;

static void
fill_port(struct weir_port_config *config, const char *address, const char *gateway)
{
	*config = (struct weir_port_config){.size = sizeof(*config), .prefix_len = 24};
	ck_assert_int_eq(weir_addr_parse(address, &config->address), 0);
	if (gateway != NULL)
		ck_assert_int_eq(weir_addr_parse(gateway, &config->gateway), 0);
}

static void
open_road(void)
{
	struct weir_port_config port;
	struct weir_listen_config listen;
	struct weir_port *ends[2];
	struct weir_config config;

	weir_config_init(&config);
	config.flows = config.syn_entries = config.time_wait_entries = 64;
	config.buffers = 1024;
	config.heap = 1;
	config.seed = 1;
	config.now_ns = now_ns = SECOND;
	ck_assert_int_eq(weir_stack_create(&config, &stack), 0);
	engine = weir_stack_engine(stack, 0);
	set_up(&f);
	ck_assert_int_eq(weir_port_open_pair(256, ends), 0);
	near = ends[0];
	far = ends[1];
	memcpy(near->mac, frame_local_mac, 6);
	ck_assert_int_eq(far->start(far->ctx, &f.pool), 0);
	fill_port(&port, "192.0.2.1", "192.0.2.254");
	ck_assert_int_eq(weir_stack_attach(stack, near, &port), 0);
	weir_listen_config_init(&listen);
	listen.port = 9000;
	ck_assert_int_eq(weir_listen(stack, &listen), 0);
}

static void
close_road(void)
{
	ck_assert_int_eq(weir_stack_destroy(stack), 0);
	far->stop(far->ctx);
	weir_port_close(near);
	weir_port_close(far);
	tear_down(&f);
}

static void
poll_after(uint64_t ns, uint32_t n)
{
	struct rte_mbuf *bufs[64];

	now_ns += ns;
	weir_engine_poll(engine, now_ns);
	n_sent = far->rx_burst(far->ctx, bufs, 64, now_ns);
	for (uint32_t i = 0; i < n_sent; i++) {
		sent[i].len = bufs[i]->pkt_len;
		memcpy(sent[i].at, rte_pktmbuf_mtod(bufs[i], void *), bufs[i]->pkt_len);
	}
	weir_buf_free_bulk(&f.pool, bufs, n_sent);
	ck_assert_uint_eq(n_sent, n);
}

static void
inject(struct rte_mbuf *frame)
{
	ck_assert_uint_eq(far->tx_burst(far->ctx, &frame, 1, now_ns), 1);
}

static const struct weir_stats *
stats_now(void)
{
	static struct weir_stats stats;

	weir_stack_stats(stack, &stats);
	return &stats;
}

static void
is_request(void)
{
	struct bytes want;

	put_ethernet(&want, broadcast, frame_local_mac, 0, 0x0806);
	put_arp(&want, 1, frame_local_mac, FRAME_LOCAL_IP, no_mac, GATEWAY_IP);
	ck_assert_uint_eq(sent[0].len, want.len);
	ck_assert_mem_eq(sent[0].at, want.at, want.len);
}

/* A poll that takes an ARP message of `operation` and says nothing. */
static void
hear(uint32_t operation, const uint8_t *to, const uint8_t *mac, uint32_t ip)
{
	struct bytes in;

	put_ethernet(&in, to, mac, 0, 0x0806);
	put_arp(&in, operation, mac, ip, operation == 2 ? frame_local_mac : no_mac,
		operation == 2 ? FRAME_LOCAL_IP : ip);
	inject(frame_of(&f, &in, 0));
	poll_after(0, 0);
}

static void
answer(const uint8_t *mac)
{
	hear(2, frame_local_mac, mac, GATEWAY_IP);
}

START_TEST(it_is_asked_until_it_answers)
{
	open_road();
	ck_assert_uint_le(weir_engine_deadline(engine), now_ns);
	for (uint32_t i = 1; i <= 3; i++) {
		poll_after(i == 1 ? 0 : MS, 1);
		is_request();
		ck_assert_uint_eq(weir_engine_deadline(engine), now_ns + SECOND);
		poll_after(999 * MS, 0);
		ck_assert_uint_eq(stats_now()->arp_requests, i);
	}
	answer(gateway_mac);
	ck_assert_uint_eq(stats_now()->gateway_changes, 1);
	ck_assert_uint_eq(stats_now()->packets_received, 1);
	ck_assert_uint_eq(stats_now()->packets_consumed, 1);
	ck_assert_uint_eq(weir_engine_deadline(engine), now_ns + 30 * SECOND);
	poll_after(30 * SECOND - 1, 0);
	poll_after(1, 1);
	is_request();
	answer(gateway_mac);
	ck_assert_uint_eq(stats_now()->gateway_changes, 1);
	close_road();
}
END_TEST

/* A segment to `port` from a router whose link address is frame_remote_mac. */
static void
segment(uint32_t ip, uint16_t from, uint16_t to, uint16_t flags, uint32_t seq, uint32_t ack)
{
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.src = ip;
	spec.sport = from;
	spec.dport = to;
	spec.flags = flags;
	spec.seq = seq;
	spec.ack = ack;
	inject(frame_build(&f.pool, &spec));
}

static void
is_sent_to(const uint8_t *mac)
{
	ck_assert_mem_eq(sent[0].at, mac, 6);
	ck_assert_mem_eq(sent[0].at + 6, frame_local_mac, 6);
}

/* Before it has answered they go back the way they came. */
START_TEST(it_gets_what_leaves_the_network)
{
	open_road();
	poll_after(0, 1);
	segment(FAR_IP, 40000, 9000, WEIR_TCP_SYN, 100, 0);
	poll_after(1000, 1);
	is_sent_to(frame_remote_mac);
	answer(gateway_mac);
	segment(FAR_IP, 40001, 9000, WEIR_TCP_SYN, 100, 0);
	poll_after(1000, 1);
	is_sent_to(gateway_mac);
	segment(FRAME_REMOTE_IP, 40002, 9000, WEIR_TCP_SYN, 100, 0);
	poll_after(1000, 1);
	is_sent_to(frame_remote_mac);
	segment(FAR_IP, 40003, 9999, WEIR_TCP_SYN, 100, 0); /* nobody listens: RST */
	poll_after(1000, 1);
	is_sent_to(gateway_mac);
	close_road();
}
END_TEST

/* It says that it moved, or answers with another address: what is open moves with it. */
START_TEST(it_may_change)
{
	uint32_t seq;

	open_road();
	poll_after(0, 1);
	answer(gateway_mac);
	segment(FAR_IP, 40000, 9000, WEIR_TCP_SYN, 100, 0);
	poll_after(1000, 1);
	seq = weir_load_be32(sent[0].at + 14 + 20 + 4);
	segment(FAR_IP, 40000, 9000, WEIR_TCP_ACK, 101, seq + 1);
	poll_after(1000, 0);
	ck_assert_uint_eq(stats_now()->established, 1);
	poll_after(SECOND, 0);
	hear(1, broadcast, other_mac, GATEWAY_IP); /* a question of its own, to all (RFC 5227 3) */
	ck_assert_uint_eq(stats_now()->gateway_changes, 2);
	ck_assert_uint_eq(stats_now()->drops[WEIR_DROP_ARP], 1); /* which we do not answer */
	segment(FAR_IP, 40000, 9000, WEIR_TCP_ACK, 101 - 1, seq + 1); /* keepalive */
	poll_after(1000, 1);
	is_sent_to(other_mac);
	poll_after(SECOND, 0);
	answer(gateway_mac);
	ck_assert_uint_eq(stats_now()->gateway_changes, 3);
	segment(FAR_IP, 40000, 9000, WEIR_TCP_ACK, 101 - 1, seq + 1);
	poll_after(SECOND, 1);
	is_sent_to(gateway_mac);
	close_road();
}
END_TEST

/* Two that claim its address: all connections move once a second at most, not by each frame. */
START_TEST(two_that_take_turns)
{
	uint64_t moved_ns;

	open_road();
	poll_after(0, 1);
	answer(gateway_mac);
	moved_ns = now_ns;
	for (uint32_t i = 1; i < 1000; i++) {
		poll_after(1000, 0);
		answer(i % 2 == 0 ? gateway_mac : other_mac);
	}
	ck_assert_uint_eq(stats_now()->gateway_changes, 1);
	ck_assert_uint_eq(stats_now()->packets_consumed, 1000);
	ck_assert_uint_eq(weir_engine_deadline(engine), moved_ns + SECOND); /* who is it? */
	poll_after(SECOND, 1);
	is_request();
	answer(other_mac);
	ck_assert_uint_eq(stats_now()->gateway_changes, 2);
	ck_assert_uint_eq(weir_engine_deadline(engine), now_ns + 30 * SECOND);
	close_road();
}
END_TEST

/* Others, groups, and what came in a tagged frame say nothing of it. */
START_TEST(only_itself_is_believed)
{
	static const uint8_t group[6] = {3, 0, 0, 0, 0, 1};
	struct bytes in;

	open_road();
	poll_after(0, 1);
	hear(2, frame_local_mac, other_mac, GATEWAY_IP - 1);
	hear(2, frame_local_mac, group, GATEWAY_IP);
	hear(2, frame_local_mac, no_mac, GATEWAY_IP);
	put_ethernet(&in, frame_local_mac, other_mac, 1, 0x0806);
	put_arp(&in, 2, other_mac, GATEWAY_IP, frame_local_mac, FRAME_LOCAL_IP);
	inject(frame_of(&f, &in, 0));
	poll_after(0, 0);
	ck_assert_uint_eq(stats_now()->gateway_changes, 0);
	ck_assert_uint_eq(stats_now()->drops[WEIR_DROP_ARP], 4);
	close_road();
}
END_TEST

/* Its questions for us are answered. */
START_TEST(it_may_ask)
{
	struct bytes in;

	open_road();
	poll_after(0, 1);
	put_ethernet(&in, broadcast, gateway_mac, 0, 0x0806);
	put_arp(&in, 1, gateway_mac, GATEWAY_IP, no_mac, FRAME_LOCAL_IP);
	inject(frame_of(&f, &in, 0));
	poll_after(0, 1);
	is_sent_to(gateway_mac);
	ck_assert_uint_eq(stats_now()->arp_replies, 1);
	ck_assert_uint_eq(stats_now()->gateway_changes, 1);
	close_road();
}
END_TEST

START_TEST(a_reset_forgets_it)
{
	open_road();
	poll_after(0, 1);
	answer(gateway_mac);
	ck_assert_int_eq(weir_stack_reset(stack, 2, now_ns), 0);
	poll_after(1, 1);
	is_request();
	segment(FAR_IP, 40000, 9000, WEIR_TCP_SYN, 100, 0);
	poll_after(1000, 1);
	is_sent_to(frame_remote_mac);
	close_road();
}
END_TEST

START_TEST(pitfall_47_no_buffer_to_ask_with)
{
	open_road();
	stack->pool.fail_every = 1;
	poll_after(0, 0);
	ck_assert_uint_eq(stats_now()->arp_requests, 0);
	ck_assert_uint_eq(stats_now()->drops[WEIR_DROP_TX_NO_BUFFER], 1);
	stack->pool.fail_every = 0;
	poll_after(SECOND, 1);
	is_request();
	close_road();
}
END_TEST

static int
attach(const char *address, const char *gateway)
{
	struct weir_port_config config;
	struct weir_port *ends[2];
	int rc;

	fill_port(&config, address, gateway);
	ck_assert_int_eq(weir_port_open_pair(256, ends), 0);
	rc = weir_stack_attach(stack, ends[0], &config);
	ck_assert_int_ne(rc, 0);
	weir_port_close(ends[0]);
	weir_port_close(ends[1]);
	return rc;
}

START_TEST(which_gateways_are_refused)
{
	open_road();
	ck_assert_int_eq(attach("198.51.100.1", "198.51.101.1"), -EINVAL);
	ck_assert_int_eq(attach("198.51.100.1", "198.51.100.1"), -EINVAL);
	ck_assert_int_eq(attach("198.51.100.1", "198.51.100.0"), -EINVAL);
	ck_assert_int_eq(attach("198.51.100.1", "198.51.100.255"), -EINVAL);
	ck_assert_int_eq(attach("198.51.100.1", "2001:db8::1"), -EINVAL);
	ck_assert_int_eq(attach("2001:db8::1", "2001:db8::2"), -EINVAL);
	ck_assert_int_eq(attach("2001:db8::1", "198.51.100.1"), -EINVAL);
	close_road();
}
END_TEST

/* Nobody is asked where there is none, and nothing waits for it. */
START_TEST(without_a_gateway)
{
	open_road();
	engine->ports[0].gateway = 0;
	weir_engine_gateways_forget(engine);
	ck_assert_uint_eq(weir_engine_deadline(engine), UINT64_MAX);
	poll_after(10 * SECOND, 0);
	hear(2, frame_local_mac, gateway_mac, GATEWAY_IP);
	ck_assert_uint_eq(stats_now()->drops[WEIR_DROP_ARP], 1);
	ck_assert_uint_eq(stats_now()->gateway_changes, 0);
	close_road();
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, it_is_asked_until_it_answers);
	UNIT_CASE(s, it_gets_what_leaves_the_network);
	UNIT_CASE(s, it_may_change);
	UNIT_CASE(s, two_that_take_turns);
	UNIT_CASE(s, only_itself_is_believed);
	UNIT_CASE(s, it_may_ask);
	UNIT_CASE(s, a_reset_forgets_it);
	UNIT_CASE(s, pitfall_47_no_buffer_to_ask_with);
	UNIT_CASE(s, which_gateways_are_refused);
	UNIT_CASE(s, without_a_gateway);
}

UNIT_MAIN("gateway", add)
