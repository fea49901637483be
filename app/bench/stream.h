/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stream that everything is measured on: connections whose segments are written into a ring in
 * portions. It counts on a receiver that takes a portion whole before it asks for the next, so it
 * keeps no timers and repeats nothing; what a receiver without TCP took is taken back and sent
 * again to the next one (stream_rewind), which thus sees the same frames. All calls by one thread
 * at a time.
 */
#ifndef APP_BENCH_STREAM_H
#define APP_BENCH_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "app/generator/pattern.h"
#include "weir.h"

#define STREAM_PORTION_MOST 4096
#define STREAM_PAYLOAD	    1448
#define STREAM_LISTENER	    9000
#define STREAM_PAYLOAD6	    1428
#define STREAM_SERVER_IP    0x0a000001u /* 10.0.0.1/8 */

enum stream_order {
	STREAM_ROUND_ROBIN, /* runs of `run` segments, one flow after the other */
	STREAM_RANDOM,	    /* the same, each flow by chance */
	STREAM_GEOMETRIC,   /* runs by chance, of `run` in the mean */
};

struct stream_config {
	uint32_t flows;
	uint32_t run;
	enum stream_order order;
	uint32_t payload_bytes;
	uint32_t buffers;
	bool timestamps;
	bool ip6;
	bool unverified; /* the port claims nothing of checksums; else it says good */
	bool written;	 /* payload is written into every segment, as a device does; else it lies
			    in the buffer as it always did */
	bool described;	 /* frames carry packet type and header lengths, for rte_gro */
	bool flushed;	 /* header lines are flushed from the caches before queueing */
	uint32_t reorder_permille; /* segments that are late, by 1 to reorder_depth places */
	uint32_t reorder_depth;
	uint64_t seed;
};

extern const uint8_t stream_server_ip6[16]; /* 2001:db8::a00:1 */

struct stream_flow;

/* In the private area of each buffer. */
struct stream_note {
	uint64_t sum;		 /* of the payload that lies in the buffer, unfolded */
	uint64_t of_receiver[7]; /* for whoever holds the frame */
};

struct stream {
	struct stream_config config;
	struct weir_port *port; /* where it sends */
	struct rte_mempool *pool;
	struct stream_flow *flows;
	uint32_t cursor; /* flow of the current run */
	uint32_t left;	 /* segments left of it */
	uint64_t random;
	bool compared; /* segments carry the pattern from now on, whatever the configuration says */
	struct generator_pattern content;
	uint32_t tsval;
	uint8_t server_mac[6];
	uint32_t n_sent; /* segments of the last portion, and whose they were */
	uint32_t *sent;
	struct rte_mbuf **frames;
	uint64_t segments; /* since the start, rewound ones not counted */
	uint64_t acks;	   /* since the start */
	uint64_t unacked_bytes;
};

/* Make the flows and buffers; nothing is sent. -ENOMEM. */
int stream_open(struct stream *stream, const struct stream_config *config, struct weir_port *port,
		const uint8_t server_mac[6]);
void stream_close(struct stream *stream);

/*
 * Open all connections; `poll` lets the receiver work. False when one was not accepted.
 */
bool stream_connect(struct stream *stream, void (*poll)(void *context), void *context);

/* Write `n` segments to the port, n <= STREAM_PORTION_MOST; a flow whose window has no
 * room loses its turn, and fewer are written when none has any. Returns how many went. */
uint32_t stream_fill(struct stream *stream, uint32_t n);

/* Read what the receiver sent; returns the number of frames. */
uint32_t stream_settle(struct stream *stream);

/* The last portion was never sent: the next one is the same again. */
void stream_rewind(struct stream *stream);

#endif
