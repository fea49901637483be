/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * VLAN tags between the kernel, which has no 802.1Q here, and weir: the tool linked with this file
 * opens each port through it. The TCP port of weir's side chooses what weir sees of a packet (`layouts`
 * from FIRST_PORT on); replies have to carry the same tags, which are taken off again. A reply with
 * other tags is lost and told on standard error at the end.
 *
 *   weir-tagged: options as weir
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "engine/port.h"
#include "wire/bytes.h"

#define FIRST_PORT 9000
#define BURST	   64
#define MACS	   12
#define ETHER	   14
#define TAG	   4
#define OUTER	   200 /* VIDs */
#define INNER	   100

int __real_weir_port_open_ethdev(const char *name, struct weir_port **port);
int __wrap_weir_port_open_ethdev(const char *name, struct weir_port **port);

enum { STRIPPED_NONE, STRIPPED_OUTER, STRIPPED_ALL, STRIPPED_IN_TURN };

static const struct layout {
	uint16_t tci[2]; /* outermost first */
	uint8_t n_tags;
	uint8_t stripped;
	uint8_t n_replied; /* the last tags, which weir has to answer with */
} layouts[] = {
	{{0}, 0, STRIPPED_NONE, 0},
	{{INNER}, 1, STRIPPED_NONE, 1},
	{{INNER}, 1, STRIPPED_ALL, 1},
	{{OUTER, INNER}, 2, STRIPPED_NONE, 2},
	{{OUTER, INNER}, 2, STRIPPED_ALL, 2},
	{{OUTER, INNER}, 2, STRIPPED_OUTER, 2},
	{{INNER}, 1, STRIPPED_IN_TURN, 1},
	{{0xe000, INNER}, 2, STRIPPED_NONE, 1}, /* a priority tag is no domain */
};

struct tagged {
	struct weir_port port;
	struct weir_port *inner;
	struct weir_pool *pool;
	uint64_t turn;
	uint64_t wrong;
};

/* The layout of a TCP packet whose IP header lies at `off`, by the port that lies `at` in its TCP
 * header; NULL for anything else. */
static const struct layout *
layout_of(const struct rte_mbuf *buf, uint32_t off, uint32_t at)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(buf, const uint8_t *, off);
	uint32_t tcp, port;

	if (buf->data_len < off + 40)
		return NULL;
	if (ip[0] >> 4 == 4 && ip[9] == 6)
		tcp = (ip[0] & 15) * 4u;
	else if (ip[0] >> 4 == 6 && ip[6] == 6)
		tcp = 40;
	else
		return NULL;
	if (buf->data_len < off + tcp + at + 2)
		return NULL;
	port = weir_load_be16(ip + tcp + at);
	return port - FIRST_PORT < RTE_DIM(layouts) ? &layouts[port - FIRST_PORT] : NULL;
}

/* Into the frame, the tags [first, n_tags) behind those that stay outside. */
static void
push(struct rte_mbuf *buf, const struct layout *layout, uint32_t first)
{
	uint32_t bytes = (layout->n_tags - first) * TAG;
	uint8_t *to = (uint8_t *)rte_pktmbuf_prepend(buf, (uint16_t)bytes);

	if (to == NULL)
		abort();
	memmove(to, to + bytes, MACS);
	to += MACS;
	for (uint32_t i = first; i < layout->n_tags; i++, to += TAG) {
		weir_store_be16(to, i + 1 < layout->n_tags ? 0x88a8 : 0x8100);
		weir_store_be16(to + 2, layout->tci[i]);
	}
}

/* Beside the frame: as a port tells it that took them off. */
static void
strip(struct rte_mbuf *buf, const struct layout *layout, uint32_t n)
{
	buf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	buf->vlan_tci = layout->tci[n - 1];
	if (n == 2) {
		buf->ol_flags |= RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
		buf->vlan_tci_outer = layout->tci[0];
	}
}

static uint16_t
tagged_rx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct tagged *tagged = ctx;
	uint16_t got = tagged->inner->rx_burst(tagged->inner->ctx, bufs, n, now_ns);

	for (uint16_t i = 0; i < got; i++) {
		const struct layout *layout = layout_of(bufs[i], ETHER, 2);
		uint32_t stripped = 0;

		if (layout == NULL || layout->n_tags == 0)
			continue;
		if (layout->stripped == STRIPPED_OUTER)
			stripped = 1;
		else if (layout->stripped == STRIPPED_ALL ||
			 (layout->stripped == STRIPPED_IN_TURN && tagged->turn++ % 2 != 0))
			stripped = layout->n_tags;
		if (stripped != 0)
			strip(bufs[i], layout, stripped);
		if (stripped < layout->n_tags)
			push(bufs[i], layout, stripped);
	}
	return got;
}

/* Take the tags off a reply; false when they are not those of its connection. */
static bool
pop(struct rte_mbuf *buf)
{
	uint8_t *frame = rte_pktmbuf_mtod(buf, uint8_t *);
	const struct layout *layout;
	uint16_t tci[2] = {0};
	uint32_t n = 0, first;

	for (; n < 2 && buf->data_len >= ETHER + (n + 1) * TAG; n++) {
		uint16_t type = weir_load_be16(frame + MACS + n * TAG);

		if (type != 0x8100 && type != 0x88a8)
			break;
		tci[n] = weir_load_be16(frame + ETHER + n * TAG);
	}
	layout = layout_of(buf, ETHER + n * TAG, 0);
	if (layout == NULL)
		return n == 0;
	first = layout->n_tags - layout->n_replied;
	if (n != layout->n_replied || memcmp(tci, layout->tci + first, n * sizeof(tci[0])) != 0)
		return false;
	memmove(frame + n * TAG, frame, MACS);
	rte_pktmbuf_adj(buf, (uint16_t)(n * TAG));
	return true;
}

static uint16_t
tagged_tx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct tagged *tagged = ctx;
	struct rte_mbuf *out[BURST];
	uint16_t taken = RTE_MIN(n, BURST), left = 0, sent;

	for (uint16_t i = 0; i < taken; i++) {
		if (pop(bufs[i])) {
			out[left++] = bufs[i];
			continue;
		}
		tagged->wrong++;
		weir_buf_free(tagged->pool, bufs[i]);
	}
	sent = tagged->inner->tx_burst(tagged->inner->ctx, out, left, now_ns);
	weir_buf_free_bulk(tagged->pool, out + sent, left - sent); /* lost, as on any link */
	return taken;
}

/* What the port below knows of itself, some of it only once it runs. */
static void
know(struct tagged *tagged)
{
	const struct weir_port *inner = tagged->inner;

	tagged->port.capabilities = inner->capabilities;
	tagged->port.mtu = inner->mtu;
	tagged->port.frame_room = inner->frame_room;
	memcpy(tagged->port.mac, inner->mac, sizeof(inner->mac));
}

static int
tagged_start(void *ctx, struct weir_pool *pool)
{
	struct tagged *tagged = ctx;
	struct weir_port *inner = tagged->inner;
	int rc = inner->start != NULL ? inner->start(inner->ctx, pool) : 0;

	tagged->pool = pool;
	know(tagged);
	return rc;
}

static void
tagged_stop(void *ctx)
{
	struct tagged *tagged = ctx;

	if (tagged->inner->stop != NULL)
		tagged->inner->stop(tagged->inner->ctx);
	if (tagged->wrong != 0)
		fprintf(stderr, "tagged: %llu replies with other tags than their connection\n",
			(unsigned long long)tagged->wrong);
	tagged->wrong = 0;
}

static void
tagged_stats(void *ctx, struct weir_port_stats *stats)
{
	struct tagged *tagged = ctx;

	if (tagged->inner->stats != NULL)
		tagged->inner->stats(tagged->inner->ctx, stats);
}

static void
tagged_close(void *ctx)
{
	struct tagged *tagged = ctx;

	weir_port_close(tagged->inner);
	free(tagged);
}

int
__wrap_weir_port_open_ethdev(const char *name, struct weir_port **port)
{
	struct tagged *tagged = calloc(1, sizeof(*tagged));
	int rc;

	if (tagged == NULL)
		return -ENOMEM;
	rc = __real_weir_port_open_ethdev(name, &tagged->inner);
	if (rc != 0) {
		free(tagged);
		return rc;
	}
	tagged->port = (struct weir_port){
		.rx_burst = tagged_rx_burst,
		.tx_burst = tagged_tx_burst,
		.ctx = tagged,
		.start = tagged_start,
		.stop = tagged_stop,
		.stats = tagged_stats,
		.close = tagged_close,
	};
	snprintf(tagged->port.name, sizeof(tagged->port.name), "%.50s,tagged", tagged->inner->name);
	know(tagged);
	*port = &tagged->port;
	return 0;
}
