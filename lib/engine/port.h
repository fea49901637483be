/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The port table: all that the engine knows of a device, one indirect call per burst. Implemented in
 * drivers/.
 */
#ifndef WEIR_ENGINE_PORT_H
#define WEIR_ENGINE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/buffer.h"
#include "weir.h"
#include "wire/header.h"

#define WEIR_PORT_L3 0x01 /* bare IP packets */

struct weir_port {
	/* Frames received, at most n; the engine owns them afterwards. */
	uint16_t (*rx_burst)(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns);
	/* The port owns the first k frames afterwards, k being what it returns. */
	uint16_t (*tx_burst)(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns);
	void *ctx;
	uint32_t capabilities;
	uint8_t mac[6];
	uint16_t mtu;        /* longest IP packet; 0: 1500 */
	uint16_t frame_room; /* data room a buffer needs, headroom included; 0: any */
	char name[64];
	/* Control path. `pool` feeds the rx rings, copies of the impairment, and takes back whatever
	 * the port frees itself; it outlives the port's running. Any but close may be NULL. */
	int (*start)(void *ctx, struct weir_pool *pool);
	void (*stop)(void *ctx); /* frees all frames it still holds */
	void (*stats)(void *ctx, struct weir_port_stats *stats); /* adds what the device knows */
	/* The Ethernet groups whose frames are wanted, all of them; a device that cannot choose may
	 * receive more. After start. */
	void (*groups)(void *ctx, const uint8_t (*macs)[6], uint32_t n);
	uint64_t (*deadline)(void *ctx); /* when rx_burst next has something by itself (delay) */
	void (*close)(void *ctx);        /* frees ctx and the port */
};

/* Frames for all trains of a poll, or for the copies of one duplicate ACK, taken at once. */
#define WEIR_ACK_STOCK 1024
struct weir_ack_stock {
	uint32_t n;
	uint32_t len; /* of each */
	struct rte_mbuf *frames[WEIR_ACK_STOCK];
};

/* Fill an empty stock with `n` frames of `len` bytes, or as many as the pool still has buffers for.
 * Engine thread. */
void weir_ack_stock_fill(struct weir_ack_stock *stock, struct weir_pool *pool, uint32_t n,
			 uint32_t len);

/*
 * Expand a train to ACK frames, by copy and patch (Menon & Zwaenepoel 4.1): writes up to `train->n`
 * frames of the stock to `out` and returns how many. Fewer when the stock has not as many: then the
 * LAST ACKs of the train survive, since an ACK is cumulative. Engine thread.
 */
uint32_t weir_ack_train_expand(struct weir_ack_stock *stock, const struct weir_ack_template *train,
			       struct rte_mbuf **out);

/* The same for the duplicate ACKs of one image: up to `n`, of which the last survive. Engine thread. */
uint32_t weir_ack_copies_expand(struct weir_ack_stock *stock, const struct weir_sack_image *image,
				const struct weir_ack *edges, uint32_t n, struct rte_mbuf **out);

#endif
