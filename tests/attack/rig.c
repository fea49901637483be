/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/attack/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "app/generator/pattern.h"
#include "wire/bytes.h"

#define RING	   1024 /* of the device */
#define LANE	   8192
#define BUFFERS	   16384
#define ROOM	   2176
#define CACHE	   256 /* of mempools, as the stack's */
#define SERVER	   0x0a000001u /* 10.0.0.1/8 */
#define SIDE_SHIFT 20	       /* addresses of one side: 10.0.0.0, 10.16.0.0, 10.32.0.0 */
#define IDLE_NS	   1000	       /* how long a poll lasts that found nothing */
#define BURST	   512
#define CHECKSUMS_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

static struct generator_pattern pattern;

static void __attribute__((noreturn))
die(const char *what)
{
	fprintf(stderr, "attacks: %s\n", what);
	exit(1);
}

/* ---- rings ---- */

static void
ring_open(struct rig_ring *ring, uint32_t capacity)
{
	*ring = (struct rig_ring){.slots = calloc(capacity, sizeof(*ring->slots)),
				  .capacity = capacity};
	if (ring->slots == NULL)
		die("no memory");
}

static uint32_t
ring_length(const struct rig_ring *ring)
{
	return ring->tail - ring->head;
}

static uint16_t
ring_put(struct rig_ring *ring, struct rte_mbuf **bufs, uint32_t n)
{
	uint32_t room = ring->capacity - ring_length(ring);

	n = n < room ? n : room;
	for (uint32_t i = 0; i < n; i++)
		ring->slots[ring->tail++ % ring->capacity] = bufs[i];
	return (uint16_t)n;
}

static uint16_t
ring_take(struct rig_ring *ring, struct rte_mbuf **bufs, uint32_t n)
{
	uint32_t length = ring_length(ring);

	n = n < length ? n : length;
	for (uint32_t i = 0; i < n; i++)
		bufs[i] = ring->slots[ring->head++ % ring->capacity];
	return (uint16_t)n;
}

static void
ring_close(struct rig_ring *ring, struct weir_pool *pool)
{
	struct rte_mbuf *buf;

	while (ring_take(ring, &buf, 1) != 0)
		weir_buf_free(pool, buf);
	free(ring->slots);
}

/* ---- ports ---- */

static uint16_t
lane_rx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct rig_lane *lane = ctx;

	(void)now_ns;
	return ring_take(&lane->in, bufs, n);
}

static uint16_t
lane_tx(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct rig_lane *lane = ctx;

	(void)now_ns;
	return ring_put(&lane->out, bufs, n);
}

static uint16_t
engine_rx(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct rig *rig = user;

	(void)now_ns;
	return ring_take(&rig->received, bufs, n);
}

static uint16_t
engine_tx(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct rig *rig = user;

	(void)now_ns;
	return ring_put(&rig->sent, bufs, n);
}

/* ---- the application ---- */

/* A connection's place in the table of streams: its slot, which no other has while it lives. */
static struct rig_stream *
stream_of(struct rig *rig, weir_conn conn)
{
	return &rig->streams[(uint32_t)conn % rig->stack_config.flows];
}

static void
take(struct rig *rig, struct weir_stack *stack, weir_conn conn)
{
	struct rig_stream *stream = stream_of(rig, conn);
	struct weir_span spans[64];
	int n;

	if (!rig->verify) {
		rig->bytes += (uint64_t)weir_conn_discard(stack, conn, UINT32_MAX);
		return;
	}
	while ((n = weir_conn_lease(stack, conn, spans, 64)) > 0)
		for (int i = 0; i < n; i++) {
			if (!generator_pattern_check(&pattern, stream->port, stream->taken,
						     spans[i].data, spans[i].len))
				rig->wrong += spans[i].len;
			stream->taken += spans[i].len;
			rig->bytes += spans[i].len;
			if (spans[i].last)
				weir_lease_release(stack, &spans[i].lease, 1);
		}
}

static void
accept(struct rig *rig, struct weir_stack *stack, weir_conn conn)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	weir_conn_info(stack, conn, &info);
	*stream_of(rig, conn) = (struct rig_stream){.conn = conn, .port = info.remote_port};
	rig->accepted++;
}

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct rig *rig = user;

	for (uint32_t i = 0; i < n; i++) {
		const struct weir_event *event = &events[i];

		if (event->type == WEIR_EVENT_ACCEPTED) {
			accept(rig, stack, event->conn);
		} else if (event->type == WEIR_EVENT_DATA) {
			if (!rig->stalled)
				take(rig, stack, event->conn);
		} else if (event->type == WEIR_EVENT_FIN) {
			take(rig, stack, event->conn);
			weir_conn_close(stack, event->conn);
		} else {
			stream_of(rig, event->conn)->conn = 0;
			rig->closed++;
			rig->resets += event->flags == WEIR_CLOSE_RESET;
		}
	}
}

/* ---- from the generators to the engine and back ---- */

static uint32_t
address_of(enum rig_side side)
{
	return SERVER + 1 + ((uint32_t)side << SIDE_SHIFT);
}

/* How many packets of a lane are due, at most BURST. */
static uint32_t
due_packets(const struct rig *rig, struct rig_lane *lane, double ns)
{
	if (lane->pps == 0)
		return rig->fill > ring_length(&rig->received)
			       ? rig->fill - ring_length(&rig->received)
			       : 0;
	lane->tokens += ns * (double)lane->pps / 1e9;
	if (lane->tokens > BURST)
		lane->tokens = BURST;
	return lane->tokens > 0 ? (uint32_t)lane->tokens : 0; /* answers go out at once */
}

static void
generate(struct rig *rig, struct rig_lane *lane, double ns)
{
	uint32_t due = due_packets(rig, lane, ns), before = ring_length(&lane->out);

	generator_receive(lane->generator, (uint64_t)rig->now);
	generator_send(lane->generator, due, (uint64_t)rig->now);
	if (lane->pps != 0)
		lane->tokens -= ring_length(&lane->out) - before;
}

/* The lanes' packets into the ring, evenly mixed; what does not fit is lost. */
static void
mix(struct rig *rig)
{
	uint32_t left[RIG_SIDES], total = 0, credit[RIG_SIDES] = {0};
	struct rte_mbuf *buf;

	for (uint32_t i = 0; i < RIG_SIDES; i++)
		total += left[i] = ring_length(&rig->lanes[i].out);
	for (uint32_t n = 0; n < total;)
		for (uint32_t i = 0; i < RIG_SIDES; i++) {
			struct rig_lane *lane = &rig->lanes[i];

			credit[i] += left[i];
			if (credit[i] < total || ring_take(&lane->out, &buf, 1) == 0)
				continue;
			credit[i] -= total;
			n++;
			if (ring_put(&rig->received, &buf, 1) == 0) {
				weir_buf_free(&lane->pool, buf);
				lane->missed++;
			}
		}
}

/* Whose it is stands in the destination address; ARP and what nobody waits for is freed. */
static void
deal(struct rig *rig)
{
	struct rte_mbuf *buf;

	while (ring_take(&rig->sent, &buf, 1) != 0) {
		const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
		uint32_t side = weir_load_be32(frame + 30) >> SIDE_SHIFT & 3;
		struct rig_lane *lane = &rig->lanes[side < RIG_SIDES ? side : 0];

		if (weir_load_be16(frame + 12) != 0x0800 || lane->generator == NULL ||
		    lane->config.attack == GENERATOR_ATTACK_SYN ||
		    ring_put(&lane->in, &buf, 1) == 0)
			weir_buf_free(&lane->rx_pool, buf);
	}
}

static void
feed(void *user)
{
	struct rig *rig = user;

	deal(rig);
	for (uint32_t i = 0; i < RIG_SIDES; i++)
		if (rig->lanes[i].generator != NULL && !rig->lanes[i].waits)
			generate(rig, &rig->lanes[i], rig->fed_ns);
	mix(rig);
}

uint32_t
rig_step(struct rig *rig)
{
	uint64_t begin, cycles;
	uint32_t work;
	double ns;

	begin = rte_rdtsc_precise();
	work = weir_engine_poll(rig->engine, (uint64_t)rig->now);
	cycles = rte_rdtsc_precise() - begin;
	if ((double)cycles > RIG_LONG_US * 1000 * rig->cycles_per_ns) {
		cycles = (uint64_t)rig->usual_cycles;
		rig->long_polls++;
	} else if (work != 0) {
		rig->usual_cycles += ((double)cycles - rig->usual_cycles) / 64;
	}
	rig->cycles += cycles;
	if (work != 0)
		rig->busy_cycles += cycles;
	ns = rig->counted ? (double)cycles / rig->cycles_per_ns : RIG_STEP_NS;
	if (work == 0 && ns < IDLE_NS)
		ns = IDLE_NS;
	rig->now += ns;
	rig->fed_ns = ns;
	crew_call(rig->crew, feed, rig);
	return work;
}

void
rig_run(struct rig *rig, uint64_t ns)
{
	for (double end = rig->now + (double)ns; rig->now < end;)
		rig_step(rig);
}

bool
rig_connect(struct rig *rig, uint32_t flows)
{
	bool open = false;

	rig->lanes[RIG_ATTACKER].waits = rig->lanes[RIG_CLIENTS].waits = true;
	for (double end = rig->now + 10.0 * RIG_SECOND; rig->now < end && !open;) {
		rig_step(rig);
		open = generator_established(rig->lanes[RIG_STREAMS].generator) == flows;
	}
	rig->lanes[RIG_ATTACKER].waits = rig->lanes[RIG_CLIENTS].waits = false;
	return open;
}

void
rig_release(struct rig *rig)
{
	if (!rig->stalled)
		return;
	rig->stalled = false;
	for (uint32_t i = 0; i < rig->stack_config.flows; i++)
		if (rig->streams[i].conn != 0)
			take(rig, rig->stack, rig->streams[i].conn);
}

bool
rig_finish(struct rig *rig, uint64_t most_ns)
{
	for (double end = rig->now + (double)most_ns; rig->now < end;) {
		if (generator_done(rig->lanes[RIG_STREAMS].generator))
			return true;
		rig_step(rig);
	}
	return false;
}

/* ---- beginning and end ---- */

/* The TSC against the clock, for 20 ms. */
static double
measure_clock(void)
{
	struct timespec begin, now;
	uint64_t tsc;
	double ns;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	tsc = rte_rdtsc();
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		ns = (double)(now.tv_sec - begin.tv_sec) * 1e9 +
		     (double)(now.tv_nsec - begin.tv_nsec);
	} while (ns < 20e6);
	return (double)(rte_rdtsc() - tsc) / ns;
}

static void
init_lane(struct rig *rig, enum rig_side side)
{
	struct rig_lane *lane = &rig->lanes[side];

	generator_config_init(&lane->config);
	lane->buffers = BUFFERS;
	lane->config.address = address_of(side);
	lane->config.prefix_len = 8;
	lane->config.target = SERVER;
	lane->config.target_port = RIG_PORT;
	lane->config.stamp = CHECKSUMS_GOOD; /* verified by the device, as NICs do */
	lane->config.seed = 7 + (uint64_t)side;
}

void
rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->now = RIG_SECOND;
	weir_config_init(&rig->stack_config);
	rig->stack_config.heap = 1;
	rig->stack_config.seed = 1;
	rig->stack_config.now_ns = RIG_SECOND;
	weir_listen_config_init(&rig->listen_config);
	rig->listen_config.port = RIG_PORT;
	rig->listen_config.receive_buffer = 1 << 20;
	rig->fill = BURST;
	for (uint32_t i = 0; i < RIG_SIDES; i++)
		init_lane(rig, i);
	rig->lanes[RIG_STREAMS].config.flows = 64;
	rig->lanes[RIG_STREAMS].config.run = 8;
	rig->lanes[RIG_ATTACKER].config.flows = 0;
	rig->lanes[RIG_CLIENTS].config.flows = 0;
}

void
rig_attack(struct rig *rig, uint8_t attack, uint64_t pps)
{
	struct rig_lane *lane = &rig->lanes[RIG_ATTACKER];

	lane->config.attack = attack;
	lane->config.sources = 65536;
	lane->pps = pps;
}

void
rig_clients(struct rig *rig, uint32_t clients, uint64_t pps)
{
	struct rig_lane *lane = &rig->lanes[RIG_CLIENTS];

	lane->config.flows = clients;
	lane->config.mode = GENERATOR_CONNECT;
	lane->pps = pps;
}

static void
open_stack(struct rig *rig)
{
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 8};
	struct weir_port_functions functions = {.size = sizeof(functions),
						.rx_burst = engine_rx,
						.tx_burst = engine_tx,
						.user = rig,
						.mac = {2, 0, 0, 0, 0, 1}};

	rig->stack_config.heap = rig->crew == NULL;
	ring_open(&rig->received, RING);
	ring_open(&rig->sent, LANE);
	rig->streams = calloc(rig->stack_config.flows, sizeof(*rig->streams));
	weir_addr_parse("10.0.0.1", &port.address);
	if (rig->streams == NULL || weir_stack_create(&rig->stack_config, &rig->stack) != 0 ||
	    weir_port_open_custom(&functions, &rig->port) != 0 ||
	    weir_stack_attach(rig->stack, rig->port, &port) != 0 ||
	    weir_listen(rig->stack, &rig->listen_config) != 0)
		die("the stack does not start");
	rig->engine = weir_stack_engine(rig->stack, 0);
	weir_stack_set_handler(rig->stack, on_events, rig);
}

/* Buffers of packets that are sent; false: there is no memory. */
static bool
open_buffers(struct rig *rig, struct rig_lane *lane, enum rig_side side)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	if (rig->crew == NULL)
		return weir_pool_open_heap(&lane->pool, lane->buffers, ROOM) == 0;
	snprintf(name, sizeof(name), "lane_%u", (unsigned int)side);
	lane->mempool = rte_pktmbuf_pool_create_by_ops(name, lane->buffers, CACHE, 0, ROOM,
						       SOCKET_ID_ANY, "stack");
	return lane->mempool != NULL && weir_pool_open_mempool(&lane->pool, lane->mempool) == 0;
}

static void
open_lane(struct rig *rig, enum rig_side side)
{
	struct rig_lane *lane = &rig->lanes[side];

	if (lane->config.flows == 0 && lane->config.attack != GENERATOR_ATTACK_SYN)
		return;
	ring_open(&lane->out, LANE);
	ring_open(&lane->in, LANE);
	lane->port = (struct weir_port){.rx_burst = lane_rx,
					.tx_burst = lane_tx,
					.ctx = lane,
					.mac = {2, 0, 0, 0, 1, (uint8_t)side}};
	memcpy(lane->config.target_mac, rig->port->mac, sizeof(lane->config.target_mac));
	lane->config.port = &lane->port;
	lane->config.pool = &lane->pool;
	lane->config.rx_pool = &lane->rx_pool;
	lane->config.verify = rig->verify;
	if (!open_buffers(rig, lane, side) ||
	    weir_pool_open_heap(&lane->rx_pool, 64, ROOM) != 0 ||
	    generator_create(&lane->config, (uint64_t)rig->now, &lane->generator) != 0)
		die("a generator does not start");
}

void
rig_open(struct rig *rig)
{
	generator_pattern_fill(&pattern);
	rig->cycles_per_ns = measure_clock();
	open_stack(rig);
	for (uint32_t i = 0; i < RIG_SIDES; i++)
		open_lane(rig, i);
}

uint32_t
rig_close(struct rig *rig)
{
	struct weir_pool *door = &rig->lanes[RIG_STREAMS].rx_pool;
	uint32_t missing = 0;

	ring_close(&rig->received, door);
	ring_close(&rig->sent, door);
	for (uint32_t i = 0; i < RIG_SIDES; i++)
		if (rig->lanes[i].generator != NULL) {
			generator_destroy(rig->lanes[i].generator);
			ring_close(&rig->lanes[i].out, door);
			ring_close(&rig->lanes[i].in, door);
		}
	missing += (uint32_t)weir_stack_destroy(rig->stack);
	weir_port_close(rig->port);
	for (uint32_t i = 0; i < RIG_SIDES; i++)
		if (rig->lanes[i].generator != NULL) {
			missing += weir_pool_close(&rig->lanes[i].pool) +
				   weir_pool_close(&rig->lanes[i].rx_pool);
			rte_mempool_free(rig->lanes[i].mempool);
		}
	free(rig->streams);
	return missing;
}

const struct weir_stats *
rig_stats(struct rig *rig)
{
	weir_stack_stats(rig->stack, &rig->stats);
	return &rig->stats;
}

const struct generator_stats *
rig_generated(struct rig *rig, enum rig_side side)
{
	rig->generator_stats.size = sizeof(rig->generator_stats);
	generator_stats(rig->lanes[side].generator, &rig->generator_stats);
	return &rig->generator_stats;
}
