/* SPDX-License-Identifier: BSD-3-Clause */
/* A generator and a real stack on the two ends of an in-memory port, everything on the heap. */
#ifndef WEIR_TESTS_GENERATOR_TEST_H
#define WEIR_TESTS_GENERATOR_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "app/generator/generator.h"
#include "app/generator/pattern.h"
#include "flow/buffer.h"
#include "tests/unit/unit.h"
#include "weir.h"

#define RIG_FRAMES  1024
#define RIG_PORT    9000
#define RIG_STEP_NS 20000
#define RIG_MS	    1000000ull
#define RIG_SEC	    (1000 * RIG_MS)
#define RIG_BUFFER  (1 << 20)

struct rig {
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *near; /* the stack's */
	struct weir_port *far;	/* the generator's */
	struct weir_port tap;	/* with tap_tx: the generator's end, but for how it sends */
	uint16_t (*tap_tx)(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns);
	struct weir_port *below; /* l3: what carries the packets */
	bool l3;
	struct weir_pool pool; /* what it sends */
	struct weir_pool rx_pool;
	struct generator *generator;
	struct generator_config config;
	struct weir_config stack_config;
	uint32_t receive_buffer;
	uint16_t mtu; /* of the stack's port, 0: 1500 */
	uint64_t now_ns;
	bool stalled;	       /* the application does not read */
	uint64_t taken[65536]; /* bytes of each connection's stream, see rig_taken */
	uint64_t bytes;
	uint64_t accepted, fins, closed, resets;
};

static struct rig rig;
static struct generator_pattern rig_pattern;

/* Few ports and few sources: each has a place of its own. */
static inline uint64_t *
rig_taken(weir_conn conn, uint16_t *port)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_conn_info(rig.stack, conn, &info), 0);
	*port = info.remote_port;
	if (rig.config.attack == GENERATOR_ATTACK_COLLIDE)
		return &rig.taken[info.remote_port];
	return &rig.taken[(info.remote_port + info.remote.bytes[15] * 1021u) % 65536];
}

static inline void
rig_take(weir_conn conn)
{
	struct weir_span spans[64];
	uint16_t port;
	uint64_t *taken = rig_taken(conn, &port);
	int n;

	while ((n = weir_conn_lease(rig.stack, conn, spans, 64)) > 0)
		for (int i = 0; i < n; i++) {
			if (rig.config.verify &&
			    !generator_pattern_check(&rig_pattern, port, *taken, spans[i].data,
						     spans[i].len))
				ck_abort_msg("content of port %u differs near %llu", port,
					     (unsigned long long)*taken);
			*taken += spans[i].len;
			rig.bytes += spans[i].len;
			if (spans[i].last)
				weir_lease_release(rig.stack, &spans[i].lease, 1);
		}
}

static inline void
rig_event(struct weir_stack *stack, const struct weir_event *event)
{
	uint16_t port;

	switch (event->type) {
	case WEIR_EVENT_ACCEPTED:
		*rig_taken(event->conn, &port) = 0;
		rig.accepted++;
		break;
	case WEIR_EVENT_DATA:
		if (!rig.stalled)
			rig_take(event->conn);
		break;
	case WEIR_EVENT_FIN:
		rig_take(event->conn);
		ck_assert_uint_eq(event->bytes, *rig_taken(event->conn, &port));
		rig.fins++;
		weir_conn_close(stack, event->conn);
		break;
	default:
		rig.closed += event->flags == WEIR_CLOSE_DONE;
		rig.resets += event->flags == WEIR_CLOSE_RESET;
	}
}

static inline void
rig_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)user;
	for (uint32_t i = 0; i < n; i++)
		rig_event(stack, &events[i]);
}

/* Defaults; what differs is written into rig.config and rig.stack_config before rig_open(). */
static inline void
rig_init(void)
{
	memset(&rig, 0, sizeof(rig));
	generator_pattern_fill(&rig_pattern);
	rig.now_ns = RIG_SEC;
	rig.receive_buffer = RIG_BUFFER;
	weir_config_init(&rig.stack_config);
	rig.stack_config.flows = 4096;
	rig.stack_config.buffers = 4096;
	rig.stack_config.heap = 1;
	rig.stack_config.seed = 1;
	rig.stack_config.now_ns = rig.now_ns;
	generator_config_init(&rig.config);
	rig.config.address = 0xc0000202; /* 192.0.2.2 */
	rig.config.target = 0xc0000201;
	rig.config.target_port = RIG_PORT;
	rig.config.verify = 1;
	rig.config.seed = 7;
}

/* The same between 2001:db8::1 and 2001:db8::2. */
static inline void
rig_init6(void)
{
	struct weir_addr address;

	rig_init();
	rig.config.ip6 = 1;
	rig.config.prefix_len = 64;
	rig.config.mss = 1428;
	ck_assert_int_eq(weir_addr_parse("2001:db8::2", &address), 0);
	memcpy(rig.config.address6, address.bytes, sizeof(rig.config.address6));
	ck_assert_int_eq(weir_addr_parse("2001:db8::1", &address), 0);
	memcpy(rig.config.target6, address.bytes, sizeof(rig.config.target6));
}

static inline void
rig_open_stack(void)
{
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 24};
	struct weir_listen_config listen;

	ck_assert_int_eq(weir_stack_create(&rig.stack_config, &rig.stack), 0);
	rig.engine = weir_stack_engine(rig.stack, 0);
	ck_assert_int_eq(weir_addr_parse("192.0.2.1", &port.address), 0);
	ck_assert_int_eq(weir_stack_attach(rig.stack, rig.near, &port), 0);
	ck_assert_int_eq(weir_addr_parse("2001:db8::1", &port.address), 0);
	ck_assert_int_eq(weir_stack_add_address(rig.stack, rig.near, &port.address), 0);
	weir_listen_config_init(&listen);
	listen.port = RIG_PORT;
	listen.receive_buffer = rig.receive_buffer;
	ck_assert_int_eq(weir_listen(rig.stack, &listen), 0);
	weir_stack_set_handler(rig.stack, rig_events, NULL);
}

static inline uint16_t
rig_l3_rx(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct weir_port *below = user;

	return below->rx_burst(below->ctx, bufs, n, now_ns);
}

static inline uint16_t
rig_l3_tx(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct weir_port *below = user;

	return below->tx_burst(below->ctx, bufs, n, now_ns);
}

/* Both ends carry bare IP packets. */
static inline void
rig_open_l3(void)
{
	struct weir_port_functions functions = {
	    .size = sizeof(functions),
	    .rx_burst = rig_l3_rx,
	    .tx_burst = rig_l3_tx,
	    .user = rig.near,
	    .l3 = 1,
	};

	rig.below = rig.near;
	rig.far->capabilities |= WEIR_PORT_L3;
	ck_assert_int_eq(weir_port_open_custom(&functions, &rig.near), 0);
}

/* `impairment` of what the stack receives and, with both=1, sends; NULL: none. */
static inline void
rig_open(const char *impairment)
{
	struct weir_port *ends[2];

	ck_assert_int_eq(weir_port_open_pair(RIG_FRAMES, ends), 0);
	rig.near = ends[0];
	rig.near->mtu = rig.mtu;
	rig.far = ends[1];
	if (impairment != NULL)
		ck_assert_int_eq(weir_port_open_impair(ends[0], impairment, &rig.near, NULL), 0);
	ck_assert_int_eq(
	    weir_pool_open_heap(&rig.pool, rig.stack_config.buffers + RIG_FRAMES, 2176), 0);
	ck_assert_int_eq(weir_pool_open_heap(&rig.rx_pool, 64, 2176), 0);
	rig_open_stack();
	rig.tap = *rig.far;
	rig.tap.tx_burst = rig.tap_tx;
	rig.config.port = rig.tap_tx != NULL ? &rig.tap : rig.far;
	rig.config.pool = &rig.pool;
	rig.config.rx_pool = &rig.rx_pool;
	ck_assert_int_eq(generator_create(&rig.config, rig.now_ns, &rig.generator), 0);
}

static inline uint32_t
rig_step(void)
{
	uint32_t n;

	rig.now_ns += RIG_STEP_NS;
	n = generator_poll(rig.generator, rig.now_ns);
	return n + weir_engine_poll(rig.engine, rig.now_ns);
}

/* A step that neither side uses goes on to when one of them wants to run. */
static inline void
rig_stride(uint64_t end)
{
	uint64_t next, theirs;

	if (rig_step() != 0)
		return;
	next = generator_deadline(rig.generator);
	theirs = weir_engine_deadline(rig.engine);
	next = theirs < next ? theirs : next;
	next = end < next ? end : next;
	if (next > rig.now_ns + RIG_STEP_NS)
		rig.now_ns = next - RIG_STEP_NS;
}

static inline void
rig_run(uint64_t ns)
{
	for (uint64_t end = rig.now_ns + ns; rig.now_ns < end;)
		rig_stride(end);
}

static inline bool
rig_run_until_done(uint64_t most_ns)
{
	for (uint64_t end = rig.now_ns + most_ns; rig.now_ns < end;) {
		if (generator_done(rig.generator))
			return true;
		rig_stride(end);
	}
	return generator_done(rig.generator);
}

static inline const struct generator_stats *
rig_stats(void)
{
	static struct generator_stats stats;

	stats.size = sizeof(stats);
	generator_stats(rig.generator, &stats);
	return &stats;
}

/* Every buffer of all three pools is home. */
static inline void
rig_close(void)
{
	generator_destroy(rig.generator);
	ck_assert_int_eq(weir_stack_destroy(rig.stack), 0);
	weir_port_close(rig.near);
	if (rig.below != NULL)
		weir_port_close(rig.below);
	weir_port_close(rig.far);
	ck_assert_uint_eq(weir_pool_close(&rig.pool), 0);
	ck_assert_uint_eq(weir_pool_close(&rig.rx_pool), 0);
}

#endif
