/* SPDX-License-Identifier: BSD-3-Clause */
/* Ring from the engine thread to the writer thread: one producer, one consumer. */
#ifndef APP_WEIR_FILE_RING_H
#define APP_WEIR_FILE_RING_H

#include <stdatomic.h>
#include <stdint.h>

#include "weir.h"

#define FILE_RING_SIZE 16384u

enum file_message_type {
	FILE_OPEN, /* make the file */
	FILE_DATA, /* write a span; give back its lease after the last one */
	FILE_END,  /* the stream is complete: close the file, then the connection */
	FILE_GONE, /* the connection has ended; `slot` is used again after this */
};

struct file_message {
	uint32_t type; /* enum file_message_type */
	uint32_t slot; /* index of the connection in the tool */
	weir_conn conn;
	union {
		struct weir_span span; /* DATA */
		struct {	       /* OPEN */
			struct weir_addr remote;
			uint16_t remote_port;
			uint16_t listener;
			uint64_t number;
		} open;
		uint32_t close_reason; /* GONE: enum weir_close_reason */
	};
};

struct file_ring {
	_Alignas(64) _Atomic uint32_t head; /* written by the producer */
	uint32_t tail_seen;
	uint32_t head_next;		    /* head with what is not published yet */
	_Alignas(64) _Atomic uint32_t tail; /* written by the consumer */
	_Alignas(64) struct file_message messages[FILE_RING_SIZE];
};

/* Is there room for n more messages? Reads the consumer's line only when it must. Producer. */
static inline int
file_ring_has_room(struct file_ring *ring, uint32_t n)
{
	if (FILE_RING_SIZE - (ring->head_next - ring->tail_seen) >= n)
		return 1;
	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	return FILE_RING_SIZE - (ring->head_next - ring->tail_seen) >= n;
}

/* The next message to fill in; there must be room. Producer. */
static inline struct file_message *
file_ring_next(struct file_ring *ring)
{
	return &ring->messages[ring->head_next++ % FILE_RING_SIZE];
}

/* Let the consumer see what was filled in. Producer. */
static inline void
file_ring_publish(struct file_ring *ring)
{
	atomic_store_explicit(&ring->head, ring->head_next, memory_order_release);
}

/* How many messages wait; the first is messages[*first % FILE_RING_SIZE]. Consumer. */
static inline uint32_t
file_ring_waiting(struct file_ring *ring, uint32_t *first)
{
	*first = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	return atomic_load_explicit(&ring->head, memory_order_acquire) - *first;
}

/* Give the places of the first n back. Consumer. */
static inline void
file_ring_done(struct file_ring *ring, uint32_t n)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + n, memory_order_release);
}

#endif
