/* SPDX-License-Identifier: BSD-3-Clause */
#include "floors.h"

#include <string.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "engine/engine.h"

#define BURST_MOST    256
#define SEARCH_ROUNDS 5
#define SEARCH_ACKS   512

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

struct echo {
	struct weir_port *port;
	uint32_t n;
};

/* The peer takes the ACKs, looks at them and puts them back into the ring. */
static void
echo_back(void *context)
{
	struct echo *echo = context;
	struct rte_mbuf *frames[BURST_MOST];
	uint32_t n;

	echo->n = 0;
	while ((n = echo->port->rx_burst(echo->port->ctx, frames, BURST_MOST, 0)) != 0) {
		used = touch_plain(frames, n);
		echo->n += echo->port->tx_burst(echo->port->ctx, frames, (uint16_t)n, 0);
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

static uint64_t
free_acks(struct testbed *bed, uint32_t burst)
{
	struct weir_port *port = bed->near_end;
	struct rte_mbuf *frames[STREAM_PORTION_MOST];
	uint32_t total = 0, n;
	uint64_t begin;

	while (total < STREAM_PORTION_MOST &&
	       (n = port->rx_burst(port->ctx, frames + total,
				   (uint16_t)(STREAM_PORTION_MOST - total), 0)) != 0)
		total += n;
	begin = rte_rdtsc_precise();
	for (uint32_t done = 0; done < total; done += burst)
		rte_pktmbuf_free_bulk(frames + done, total - done < burst ? total - done : burst);
	return rte_rdtsc_precise() - begin;
}

uint64_t
floor_ack(struct testbed *bed, uint32_t n, uint32_t burst)
{
	struct echo echo = {.port = bed->far_end};
	uint64_t sent, freed;

	testbed_settle(bed); /* what the engine sent before */
	sent = send_acks(bed, n, burst);
	crew_call(bed->crew, echo_back, &echo);
	freed = free_acks(bed, burst);
	return sent != 0 && echo.n == n ? sent + freed : 0;
}

/* ---- search ---- */

static uint64_t
best_of(struct testbed *bed, const struct floor_shape *shape)
{
	uint64_t best = 0;

	for (uint32_t i = 0; i < SEARCH_ROUNDS; i++) {
		uint64_t cycles;

		if (!testbed_fill(bed, TESTBED_PORTION))
			return 0;
		cycles = floor_touch(bed, shape);
		if (cycles == 0)
			return 0;
		testbed_rewind(bed);
		if (best == 0 || cycles < best)
			best = cycles;
	}
	return best;
}

static bool
search_touch(struct testbed *bed, struct floor_shape *best)
{
	static const uint32_t bursts[] = {32, 64, 128, 256}, distances[] = {0, 2, 4, 8, 16};
	uint64_t least = 0;

	for (uint32_t i = 0; i < 4 * 5 * 2 * 2; i++) {
		struct floor_shape shape = {
		    .burst = bursts[i % 4],
		    .ahead = distances[i / 4 % 5],
		    .buffers = i / 20 % 2 != 0,
		    .fused = i / 40 != 0,
		};
		uint64_t cycles = best_of(bed, &shape);

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
	uint64_t least = 0;

	for (uint32_t burst = 32; burst <= BURST_MOST; burst *= 2)
		for (uint32_t i = 0; i < SEARCH_ROUNDS; i++) {
			uint64_t cycles = floor_ack(bed, SEARCH_ACKS, burst);

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
