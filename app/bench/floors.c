/* SPDX-License-Identifier: BSD-3-Clause */
#include "floors.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "engine/engine.h"
#include "rounds.h"

#define BURST_MOST    256
#define PEER_BURST    64
#define SEARCH_ROUNDS 7
#define SEARCH_ACKS   512
#define TRAIN_FLOWS   8
#define TRAIN_MOST    16
#define TRAIN_BURST   32 /* ACKs that a poll of 64 segments owes */

/* So that what is read counts as used. */
static volatile uint64_t used;

static inline uint64_t
look_at(const struct rte_mbuf *frame)
{
	uint64_t line;

	memcpy(&line, rte_pktmbuf_mtod(frame, const void *), sizeof(line));
	return line + frame->ol_flags + frame->pkt_len + frame->data_len;
}

static inline void
prefetch_ahead(struct rte_mbuf **frames, uint32_t i, uint32_t n, const struct floor_shape *shape)
{
	if (shape->buffers && i + 2 * shape->ahead < n)
		rte_prefetch0(frames[i + 2 * shape->ahead]);
	if (i + shape->ahead < n)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i + shape->ahead], const void *));
}

static uint64_t
touch_plain(struct rte_mbuf **frames, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += look_at(frames[i]);
	return sum;
}

static uint64_t
touch_ahead(struct rte_mbuf **frames, uint32_t n, const struct floor_shape *shape)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < shape->ahead && i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], const void *));
	for (uint32_t i = 0; i < n; i++) {
		prefetch_ahead(frames, i, n, shape);
		sum += look_at(frames[i]);
	}
	return sum;
}

/* Each frame is one buffer of one pool with one owner, but that has to be found out. */
static uint64_t
touch_and_free(struct rte_mbuf **frames, uint32_t n, const struct floor_shape *shape)
{
	struct rte_mempool *pool = frames[0]->pool;
	uint32_t kept = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < shape->ahead && i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], const void *));
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *frame = frames[i];

		if (shape->ahead != 0)
			prefetch_ahead(frames, i, n, shape);
		sum += look_at(frame);
		if (unlikely(frame->pool != pool || frame->next != NULL)) {
			rte_pktmbuf_free(frame);
			continue;
		}
		frame = rte_pktmbuf_prefree_seg(frame);
		if (likely(frame != NULL))
			frames[kept++] = frame;
	}
	rte_mempool_put_bulk(pool, (void **)frames, kept);
	return sum;
}

static inline uint64_t
touch_burst(struct rte_mbuf **frames, uint32_t n, const struct floor_shape *shape)
{
	uint64_t sum;

	if (shape->fused)
		return touch_and_free(frames, n, shape);
	sum = shape->ahead == 0 ? touch_plain(frames, n) : touch_ahead(frames, n, shape);
	rte_pktmbuf_free_bulk(frames, n);
	return sum;
}

uint64_t
floor_touch(struct testbed *bed, const struct floor_shape *shape)
{
	struct weir_port *port = bed->near_end;
	struct rte_mbuf *frames[BURST_MOST];
	uint64_t sum = 0, begin = rte_rdtsc_precise(), end;
	uint32_t left = bed->filled;

	while (left != 0) {
		uint32_t n = port->rx_burst(port->ctx, frames, (uint16_t)shape->burst, 0);

		if (n == 0)
			break;
		sum += touch_burst(frames, n, shape);
		left -= n;
	}
	end = rte_rdtsc_precise();
	used = sum;
	return left == 0 ? end - begin : 0;
}

/* ---- A ---- */

struct acks_taken {
	struct weir_port *port;
	uint32_t n;
	uint64_t free_cycles;
};

/* The peer looks at the ACKs and frees them, on its own core, as it does with those of the engine.
 */
static void
take_acks(void *context)
{
	struct acks_taken *taken = context;
	struct rte_mbuf *frames[PEER_BURST];
	uint32_t n;

	taken->n = 0;
	taken->free_cycles = 0;
	while ((n = taken->port->rx_burst(taken->port->ctx, frames, PEER_BURST, 0)) != 0) {
		uint64_t begin;

		used = touch_plain(frames, n);
		begin = rte_rdtsc();
		rte_pktmbuf_free_bulk(frames, n);
		taken->free_cycles += rte_rdtsc() - begin;
		taken->n += n;
	}
}

static uint64_t
send_acks(struct testbed *bed, uint32_t n, uint32_t burst)
{
	static const uint8_t head[FLOOR_ACK_BYTES] = {0x02};
	struct weir_port *port = bed->near_end;
	struct rte_mempool *pool = bed->stack->pool.mempool;
	struct rte_mbuf *frames[BURST_MOST];
	uint64_t begin = rte_rdtsc_precise();

	for (uint32_t done = 0; done < n; done += burst) {
		if (rte_pktmbuf_alloc_bulk(pool, frames, burst) != 0)
			return 0;
		for (uint32_t i = 0; i < burst; i++) {
			memcpy(rte_pktmbuf_mtod(frames[i], void *), head, sizeof(head));
			frames[i]->data_len = sizeof(head);
			frames[i]->pkt_len = sizeof(head);
		}
		if (port->tx_burst(port->ctx, frames, (uint16_t)burst, 0) != burst)
			return 0;
	}
	return rte_rdtsc_precise() - begin;
}

/* Sends by `send`; `size` is its burst or train. */
static uint64_t
send_and_free(struct testbed *bed, uint32_t n, uint32_t size,
	      uint64_t (*send)(struct testbed *bed, uint32_t n, uint32_t size))
{
	struct acks_taken taken = {.port = bed->far_end};
	uint64_t sent;

	testbed_settle(bed); /* what the engine sent before */
	sent = send(bed, n, size);
	crew_call(bed->crew, take_acks, &taken);
	return sent != 0 && taken.n == n ? sent + taken.free_cycles : 0;
}

uint64_t
floor_ack(struct testbed *bed, uint32_t n, uint32_t burst)
{
	return send_and_free(bed, n, burst, send_acks);
}

static void
open_headers(struct testbed *bed, struct weir_header headers[TRAIN_FLOWS])
{
	struct weir_link link = {.remote_mac = {0x02, [5] = 0x99}};

	memcpy(link.local_mac, bed->near_end->mac, sizeof(link.local_mac));
	for (uint32_t i = 0; i < TRAIN_FLOWS; i++) {
		const struct weir_key4 key = {.raddr = 0x0a010000,
					      .laddr = STREAM_SERVER_IP,
					      .rport = (uint16_t)(1024 + i),
					      .lport = STREAM_LISTENER};

		weir_header_init(&headers[i], &link, &key, true);
	}
}

/* A poll's worth of trains is sent in one burst. */
static uint64_t
send_trains(struct testbed *bed, uint32_t n, uint32_t acks)
{
	struct weir_port *port = bed->near_end;
	struct weir_header headers[TRAIN_FLOWS];
	struct weir_ack list[TRAIN_MOST] = {{.win = 1}};
	struct rte_mbuf *frames[TRAIN_BURST];
	struct weir_ack_stock stock;
	uint32_t waiting = 0, flow = 0;
	uint64_t begin;

	open_headers(bed, headers);
	for (uint32_t i = 0; i < TRAIN_MOST; i++)
		list[i] = (struct weir_ack){.ack = i * 2896, .tsecr = i, .win = (uint16_t)i};
	stock.n = 0;
	begin = rte_rdtsc_precise();
	for (uint32_t done = 0; done < n;) {
		struct weir_ack_template train = {.header = &headers[flow++ % TRAIN_FLOWS],
						  .acks = list,
						  .n = n - done < acks ? n - done : acks,
						  .flags = WEIR_TCP_ACK};

		if (stock.n == 0)
			weir_ack_stock_fill(&stock, &bed->stack->pool,
					    RTE_MIN(n - done, TRAIN_BURST / acks * acks), headers[0].len);
		waiting += weir_ack_train_expand(&stock, &train, frames + waiting);
		done += train.n;
		if (waiting + acks <= TRAIN_BURST && done < n)
			continue;
		if (port->tx_burst(port->ctx, frames, (uint16_t)waiting, 0) != waiting)
			return 0;
		waiting = 0;
	}
	return rte_rdtsc_precise() - begin;
}

uint64_t
floor_trains(struct testbed *bed, uint32_t n, uint32_t acks)
{
	return send_and_free(bed, n, acks, send_trains);
}

/* ---- search ---- */

/* Of a few portions; 0 when one failed. */
static double
median_touch(struct testbed *bed, const struct floor_shape *shape)
{
	struct sample sample = {0};

	for (uint32_t i = 0; i < SEARCH_ROUNDS; i++) {
		uint64_t cycles = testbed_fill(bed, TESTBED_PORTION) ? floor_touch(bed, shape) : 0;

		if (cycles == 0)
			return 0;
		testbed_rewind(bed);
		sample_add(&sample, (double)cycles);
	}
	return sample_median(&sample);
}

static double
median_ack(struct testbed *bed, uint32_t burst)
{
	struct sample sample = {0};

	for (uint32_t i = 0; i < SEARCH_ROUNDS; i++) {
		uint64_t cycles = floor_ack(bed, SEARCH_ACKS, burst);

		if (cycles == 0)
			return 0;
		sample_add(&sample, (double)cycles);
	}
	return sample_median(&sample);
}

static bool
search_touch(struct testbed *bed, struct floor_shape *best)
{
	static const uint32_t bursts[] = {32, 64, 128, 256}, distances[] = {0, 2, 4, 8, 16};
	double least = 0;

	for (uint32_t i = 0; i < 4 * 5 * 2 * 2; i++) {
		struct floor_shape shape = {
		    .burst = bursts[i % 4],
		    .ahead = distances[i / 4 % 5],
		    .buffers = i / 20 % 2 != 0,
		    .fused = i / 40 != 0,
		};
		double cycles = median_touch(bed, &shape);

		if (cycles == 0)
			return false;
		if (least == 0 || cycles < least) {
			least = cycles;
			*best = shape;
		}
	}
	return true;
}

static bool
search_ack(struct testbed *bed, uint32_t *best)
{
	double least = 0;

	for (uint32_t burst = 8; burst <= BURST_MOST; burst *= 2) {
		double cycles = median_ack(bed, burst);

		if (cycles == 0)
			return false;
		if (least == 0 || cycles < least) {
			least = cycles;
			*best = burst;
		}
	}
	return true;
}

bool
floor_search(struct testbed *bed, struct floor_shape *shape, uint32_t *ack_burst)
{
	return search_touch(bed, shape) && search_ack(bed, ack_burst);
}
