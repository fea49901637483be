/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two ports joined in memory: one ring each way, single producer and single consumer, so that each
 * end may belong to a thread of its own. Control calls take a lock; bursts never do.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/port.h"

#define LINE	     64
#define CAPACITY_MAX (1u << 24)
#define DRAIN_BURST  64
/* Smallest pool there is: only a door to free through, see pair_drain. */
#define DOOR_ROOM (RTE_PKTMBUF_HEADROOM + 1)

/* Free-running positions; each side keeps the other's as last seen, to spare its cache line. */
struct ring {
	_Alignas(LINE) _Atomic uint32_t head; /* next to write */
	uint32_t tail_seen;
	_Alignas(LINE) _Atomic uint32_t tail; /* next to read */
	uint32_t head_seen;
	_Alignas(LINE) uint32_t capacity;
	struct rte_mbuf **slots;
};

enum end_state {
	END_NEW, /* perhaps used without having been started */
	END_RUNNING,
	END_STOPPED,
	END_CLOSED,
};

struct end {
	struct weir_port port;
	struct pair *pair;
	struct end *peer;
	struct ring *rx;
	struct ring *tx;
	struct weir_pool *pool; /* while running */
	enum end_state state;
};

struct pair {
	struct ring rings[2]; /* [i]: towards end i */
	struct end ends[2];
	struct weir_pool door;
	pthread_mutex_t lock;
};

/* Between `bufs` and the n slots from position `at` on, in one piece or in two. */
static inline void
ring_copy(struct ring *ring, uint32_t at, struct rte_mbuf **bufs, uint32_t n, bool in)
{
	uint32_t first = at & (ring->capacity - 1);
	uint32_t k = n < ring->capacity - first ? n : ring->capacity - first;

	if (in) {
		memcpy(ring->slots + first, bufs, k * sizeof(*bufs));
		memcpy(ring->slots, bufs + k, (n - k) * sizeof(*bufs));
	} else {
		memcpy(bufs, ring->slots + first, k * sizeof(*bufs));
		memcpy(bufs + k, ring->slots, (n - k) * sizeof(*bufs));
	}
}

static uint32_t
ring_put(struct ring *ring, struct rte_mbuf **bufs, uint32_t n)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t room = ring->capacity - (head - ring->tail_seen);

	if (room < n) {
		ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
		room = ring->capacity - (head - ring->tail_seen);
	}
	if (n > room)
		n = room;
	ring_copy(ring, head, bufs, n, true);
	atomic_store_explicit(&ring->head, head + n, memory_order_release);
	return n;
}

static uint32_t
ring_take(struct ring *ring, struct rte_mbuf **bufs, uint32_t n)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (ring->head_seen - tail < n)
		ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
	if (n > ring->head_seen - tail)
		n = ring->head_seen - tail;
	if (n == 0) /* keep the line shared: an idle end polls often */
		return 0;
	ring_copy(ring, tail, bufs, n, false);
	atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
	return n;
}

static uint16_t
pair_rx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct end *end = ctx;

	(void)now_ns;
	return (uint16_t)ring_take(end->rx, bufs, n);
}

static uint16_t
pair_tx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct end *end = ctx;

	(void)now_ns;
	return (uint16_t)ring_put(end->tx, bufs, n);
}

static void
ring_drain(struct ring *ring, struct weir_pool *pool)
{
	struct rte_mbuf *bufs[DRAIN_BURST];
	uint32_t n;

	while ((n = ring_take(ring, bufs, DRAIN_BURST)) != 0)
		weir_buf_free_bulk(pool, bufs, n);
}

/*
 * What waits for this end, and what it sent to a peer that will not take it any more: else those
 * buffers would be missing in the pool they came from. Locked.
 */
static void
end_drain(struct end *end)
{
	struct weir_pool *pool = end->pool != NULL ? end->pool : &end->pair->door;

	ring_drain(end->rx, pool);
	if (end->peer->state == END_STOPPED || end->peer->state == END_CLOSED)
		ring_drain(end->tx, pool);
}

static int
pair_start(void *ctx, struct weir_pool *pool)
{
	struct end *end = ctx;

	pthread_mutex_lock(&end->pair->lock);
	end->pool = pool;
	end->state = END_RUNNING;
	pthread_mutex_unlock(&end->pair->lock);
	return 0;
}

static void
pair_stop(void *ctx)
{
	struct end *end = ctx;

	pthread_mutex_lock(&end->pair->lock);
	end_drain(end);
	end->pool = NULL;
	end->state = END_STOPPED;
	pthread_mutex_unlock(&end->pair->lock);
}

static void
pair_free(struct pair *pair)
{
	for (uint32_t i = 0; i < 2; i++)
		free(pair->rings[i].slots);
	weir_pool_close(&pair->door);
	pthread_mutex_destroy(&pair->lock);
	free(pair);
}

static void
pair_close(void *ctx)
{
	struct end *end = ctx;
	struct pair *pair = end->pair;
	bool last;

	pthread_mutex_lock(&pair->lock);
	end_drain(end);
	end->pool = NULL;
	end->state = END_CLOSED;
	last = end->peer->state == END_CLOSED;
	pthread_mutex_unlock(&pair->lock);
	if (last)
		pair_free(pair);
}

static void
end_init(struct pair *pair, uint32_t i)
{
	struct end *end = &pair->ends[i];

	*end = (struct end){
	    .pair = pair,
	    .peer = &pair->ends[!i],
	    .rx = &pair->rings[i],
	    .tx = &pair->rings[!i],
	    .port =
		{
		    .rx_burst = pair_rx_burst,
		    .tx_burst = pair_tx_burst,
		    .ctx = end,
		    .mac = {0x02, 0, 0, 0, 0, (uint8_t)(i + 1)},
		    .start = pair_start,
		    .stop = pair_stop,
		    .close = pair_close,
		},
	};
	snprintf(end->port.name, sizeof(end->port.name), "pair%u", i);
}

static struct pair *
pair_alloc(uint32_t capacity)
{
	struct pair *pair = aligned_alloc(LINE, (sizeof(*pair) + LINE - 1) & ~(size_t)(LINE - 1));

	if (pair == NULL)
		return NULL;
	memset(pair, 0, sizeof(*pair));
	for (uint32_t i = 0; i < 2; i++) {
		pair->rings[i].capacity = capacity;
		pair->rings[i].slots = calloc(capacity, sizeof(struct rte_mbuf *));
		end_init(pair, i);
	}
	pthread_mutex_init(&pair->lock, NULL);
	if (pair->rings[0].slots == NULL || pair->rings[1].slots == NULL ||
	    weir_pool_open_heap(&pair->door, 1, DOOR_ROOM) != 0) {
		pair_free(pair);
		return NULL;
	}
	return pair;
}

int
weir_port_open_pair(uint32_t capacity, struct weir_port *ends[2])
{
	struct pair *pair;

	if (ends == NULL || capacity == 0 || capacity > CAPACITY_MAX ||
	    (capacity & (capacity - 1)) != 0)
		return -EINVAL;
	pair = pair_alloc(capacity);
	if (pair == NULL)
		return -ENOMEM;
	ends[0] = &pair->ends[0].port;
	ends[1] = &pair->ends[1].port;
	return 0;
}
