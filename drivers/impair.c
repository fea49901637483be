/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad link: wraps a port and treats the IP frames that pass. ARP and neighbour discovery go through
 * untouched, so that the ends always find each other. Everything random comes from the seed in the
 * specification.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/port.h"
#include "impair_line.h"
#include "impair_mark.h"
#include "impair_spec.h"
#include "wire/bytes.h"
#include "wire/chain.h"

#define BURST	       64 /* frames treated at once */
#define REORDER_FRAMES 8  /* at most so many frames overtake one */
#define COPY_SEGS      8
#define ETHERNET_BYTES 14
#define TAGS_MAX       2
#define IP6_BYTES      40
#define ICMP6	       58
#define CLAIMS	       (RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK)

struct impair {
	struct weir_port port;
	struct weir_port *inner;
	struct weir_pool *pool; /* while running; without one nothing is treated */
	struct weir_impair_spec spec;
	uint64_t random;
	uint64_t impaired;
	struct weir_line rx;
	struct weir_line tx;
};

/* splitmix64 */
static uint64_t
draw(struct impair *impair)
{
	uint64_t z = (impair->random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* 0 to n - 1 */
static uint32_t
draw_below(struct impair *impair, uint32_t n)
{
	return (uint32_t)(((draw(impair) >> 32) * n) >> 32);
}

static bool
happens(struct impair *impair, enum weir_impair_effect effect)
{
	uint32_t rate = impair->spec.rate[effect];

	return rate != 0 && draw_below(impair, WEIR_IMPAIR_ALWAYS) < rate;
}

/* Where the header of either IP starts, or UINT32_MAX when the frame carries something else. */
static uint32_t
ip_offset(const struct impair *impair, struct rte_mbuf *buf)
{
	uint8_t scratch[2];
	const uint8_t *type;
	uint32_t off = 12;

	if (impair->port.capabilities & WEIR_PORT_L3) {
		type = weir_chain_read(buf, 0, 1, scratch);
		return type != NULL && (type[0] >> 4 == 4 || type[0] >> 4 == 6) ? 0 : UINT32_MAX;
	}
	for (uint32_t tags = 0; tags <= TAGS_MAX; tags++, off += 4) {
		type = weir_chain_read(buf, off, 2, scratch);
		if (type == NULL)
			return UINT32_MAX;
		switch (weir_load_be16(type)) {
		case 0x0800:
		case 0x86dd:
			return off + 2;
		case 0x8100:
		case 0x88a8:
			continue;
		default:
			return UINT32_MAX;
		}
	}
	return UINT32_MAX;
}

/* What ARP is to IPv4: ICMPv6 133 to 137 (RFC 4861). */
static bool
is_discovery(struct rte_mbuf *buf, uint32_t l3_off)
{
	uint8_t scratch[IP6_BYTES + 1];
	const uint8_t *ip = weir_chain_read(buf, l3_off, sizeof(scratch), scratch);

	return ip != NULL && ip[0] >> 4 == 6 && ip[6] == ICMP6 && ip[IP6_BYTES] >= 133 &&
	       ip[IP6_BYTES] <= 137;
}

/* Where the IP header of a frame that is to be treated starts, beyond its end when it is not. */
static uint32_t
treated_offset(const struct impair *impair, struct rte_mbuf *buf)
{
	uint32_t l3_off = ip_offset(impair, buf);

	return l3_off != UINT32_MAX && is_discovery(buf, l3_off) ? UINT32_MAX : l3_off;
}

/* A copy in buffers of our pool; NULL when there are none. */
static struct rte_mbuf *
copy_frame(struct impair *impair, struct rte_mbuf *buf)
{
	uint32_t room = impair->pool->data_room - RTE_PKTMBUF_HEADROOM, off = 0, n = 0;
	struct rte_mbuf *segs[COPY_SEGS];

	while (n * room < buf->pkt_len)
		if (++n > COPY_SEGS)
			return NULL;
	if (n == 0 || !weir_buf_alloc_bulk(impair->pool, segs, n))
		return NULL;
	for (uint32_t i = 0; i < n; i++, off += room) {
		segs[i]->data_len =
		    (uint16_t)weir_chain_copy(buf, off, room, rte_pktmbuf_mtod(segs[i], uint8_t *));
		segs[i]->next = i + 1 < n ? segs[i + 1] : NULL;
	}
	segs[0]->nb_segs = (uint16_t)n;
	segs[0]->pkt_len = buf->pkt_len;
	segs[0]->ol_flags = buf->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	segs[0]->vlan_tci = buf->vlan_tci;
	segs[0]->vlan_tci_outer = buf->vlan_tci_outer;
	segs[0]->tso_segsz = buf->tso_segsz;
	return segs[0];
}

/* `*buf` as a frame that nobody else sees; false when that would take a buffer and there is none. */
static bool
make_private(struct impair *impair, struct rte_mbuf **buf)
{
	struct rte_mbuf *copy;

	if (weir_buf_ours(*buf))
		return true;
	copy = copy_frame(impair, *buf);
	if (copy == NULL)
		return false;
	weir_buf_free(impair->pool, *buf);
	*buf = copy;
	return true;
}

/*
 * Flip one bit of the IP packet. The Ethernet header is left alone: a real link's frame check would
 * catch that, and nothing above it could.
 */
static bool
corrupt(struct impair *impair, struct rte_mbuf **buf, uint32_t l3_off)
{
	uint32_t bit = draw_below(impair, ((*buf)->pkt_len - l3_off) * 8);
	struct weir_chunk chunk;

	if (!make_private(impair, buf))
		return false;
	chunk = weir_chain_at(*buf, l3_off + bit / 8, 1);
	*chunk.data ^= (uint8_t)(1u << (bit & 7));
	(*buf)->ol_flags &= ~CLAIMS;
	return true;
}

static void
chain_cut(struct weir_pool *pool, struct rte_mbuf *buf, uint32_t len)
{
	struct rte_mbuf *seg = buf;

	buf->pkt_len = len;
	buf->nb_segs = 1;
	for (; len > seg->data_len; seg = seg->next, buf->nb_segs++)
		len -= seg->data_len;
	seg->data_len = (uint16_t)len;
	if (seg->next != NULL)
		weir_buf_free(pool, seg->next);
	seg->next = NULL;
}

/* Cut at least one byte, at most everything behind the first byte of the IP packet. */
static bool
truncate_frame(struct impair *impair, struct rte_mbuf **buf, uint32_t l3_off)
{
	uint32_t most = (*buf)->pkt_len - l3_off - 1;

	if (most == 0 || !make_private(impair, buf))
		return false;
	chain_cut(impair->pool, *buf, l3_off + 1 + draw_below(impair, most));
	(*buf)->ol_flags &= ~CLAIMS;
	return true;
}

static bool
mark(struct impair *impair, struct rte_mbuf **buf, uint32_t l3_off)
{
	if (!weir_impair_capable(*buf, l3_off) || !make_private(impair, buf))
		return false;
	weir_impair_mark(*buf, l3_off);
	return true;
}

static bool
duplicate(struct impair *impair, struct weir_line *line, struct rte_mbuf *buf, uint64_t due_ns)
{
	struct rte_mbuf *copy = copy_frame(impair, buf);

	if (copy != NULL)
		weir_line_add(line, copy, due_ns, 0);
	return copy != NULL;
}

/* Put what becomes of one IP frame on the line: nothing, one frame or two. */
static void
treat(struct impair *impair, struct weir_line *line, struct rte_mbuf *buf, uint32_t l3_off,
      uint64_t now_ns)
{
	uint64_t due_ns = now_ns + impair->spec.delay_ns;
	uint32_t skip = 0;
	bool touched = false;

	if (happens(impair, WEIR_IMPAIR_LOSS)) {
		weir_buf_free(impair->pool, buf);
		impair->impaired++;
		return;
	}
	if (happens(impair, WEIR_IMPAIR_DUP))
		touched |= duplicate(impair, line, buf, due_ns);
	if (happens(impair, WEIR_IMPAIR_CE))
		touched |= mark(impair, &buf, l3_off);
	if (happens(impair, WEIR_IMPAIR_CORRUPT))
		touched |= corrupt(impair, &buf, l3_off);
	if (happens(impair, WEIR_IMPAIR_TRUNCATE))
		touched |= truncate_frame(impair, &buf, l3_off);
	if (happens(impair, WEIR_IMPAIR_REORDER))
		skip = 1 + draw_below(impair, REORDER_FRAMES);
	impair->impaired += touched || skip != 0;
	weir_line_add(line, buf, due_ns, skip);
}

/* Offer frames to the inner port; those it does not take go back to the front of the line. */
static uint32_t
offer(struct impair *impair, struct rte_mbuf **bufs, uint32_t n, uint64_t now_ns)
{
	struct weir_port *inner = impair->inner;
	uint32_t sent = n != 0 ? inner->tx_burst(inner->ctx, bufs, (uint16_t)n, now_ns) : 0;

	weir_line_return(&impair->tx, bufs + sent, n - sent);
	return sent;
}

/* Send what is due, until the inner port takes no more. */
static void
tx_flush(struct impair *impair, uint64_t now_ns)
{
	struct rte_mbuf *bufs[BURST];
	uint32_t n;

	do
		n = weir_line_release(&impair->tx, bufs, BURST, now_ns);
	while (n != 0 && offer(impair, bufs, n, now_ns) == n);
}

/* The inner port's frames: IP to the line, the rest straight to `out`. Returns those. */
static uint32_t
rx_pull(struct impair *impair, struct rte_mbuf **out, uint32_t n, uint64_t now_ns)
{
	struct weir_port *inner = impair->inner;
	struct rte_mbuf *bufs[BURST];
	uint32_t got = 0;

	n = inner->rx_burst(inner->ctx, bufs, (uint16_t)RTE_MIN(n, BURST), now_ns);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t l3_off = treated_offset(impair, bufs[i]);

		if (l3_off >= bufs[i]->pkt_len)
			out[got++] = bufs[i];
		else
			treat(impair, &impair->rx, bufs[i], l3_off, now_ns);
	}
	return got;
}

static uint16_t
impair_rx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct impair *impair = ctx;
	struct weir_line *line = &impair->rx;
	uint32_t got;

	if (impair->pool == NULL)
		return impair->inner->rx_burst(impair->inner->ctx, bufs, n, now_ns);
	tx_flush(impair, now_ns);
	got = weir_line_release(line, bufs, n, now_ns);
	got += weir_line_force(line, bufs + got, n - got, 2 * BURST);
	if (got < n && weir_line_room(line) >= 2 * BURST)
		got += rx_pull(impair, bufs + got, n - got, now_ns);
	return (uint16_t)(got + weir_line_release(line, bufs + got, n - got, now_ns));
}

/* Take over one frame to be sent; false when the inner port does not take what is not treated. */
static bool
tx_one(struct impair *impair, struct rte_mbuf *buf, uint64_t now_ns)
{
	struct weir_port *inner = impair->inner;
	uint32_t l3_off = treated_offset(impair, buf);

	if (l3_off >= buf->pkt_len)
		return inner->tx_burst(inner->ctx, &buf, 1, now_ns) == 1;
	treat(impair, &impair->tx, buf, l3_off, now_ns);
	return true;
}

/* Make room for one frame and its double. */
static bool
tx_room(struct impair *impair, uint64_t now_ns)
{
	struct rte_mbuf *bufs[BURST];
	uint32_t n;

	if (weir_line_room(&impair->tx) >= 2)
		return true;
	n = weir_line_force(&impair->tx, bufs, BURST, BURST);
	return offer(impair, bufs, n, now_ns) >= 2;
}

static uint16_t
impair_tx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct impair *impair = ctx;
	uint16_t taken = 0;

	if (impair->pool == NULL || !impair->spec.both)
		return impair->inner->tx_burst(impair->inner->ctx, bufs, n, now_ns);
	while (taken < n && tx_room(impair, now_ns) && tx_one(impair, bufs[taken], now_ns))
		taken++;
	tx_flush(impair, now_ns);
	return taken;
}

/* What the inner port knows of itself, some of it only once it runs. */
static void
copy_facts(struct impair *impair)
{
	const struct weir_port *inner = impair->inner;

	impair->port.capabilities = inner->capabilities;
	impair->port.mtu = inner->mtu;
	impair->port.frame_room = inner->frame_room;
	impair->port.mtu = inner->mtu;
	memcpy(impair->port.mac, inner->mac, sizeof(inner->mac));
}

/* What is held here is no connection's and stands in no budget. Both lines together stay within the
 * quarter of the pool that the engine leaves to its ports; a burst and its doubles must fit. */
static uint32_t
line_limit(const struct weir_pool *pool)
{
	uint32_t share = RTE_MIN(pool->size / 8, WEIR_LINE_FRAMES);

	return RTE_MAX(share, 3 * BURST);
}

static int
impair_start(void *ctx, struct weir_pool *pool)
{
	struct impair *impair = ctx;
	struct weir_port *inner = impair->inner;
	int rc = inner->start != NULL ? inner->start(inner->ctx, pool) : 0;

	if (rc != 0)
		return rc;
	copy_facts(impair);
	impair->rx.limit = impair->tx.limit = line_limit(pool);
	impair->pool = pool;
	impair->random = impair->spec.seed;
	impair->impaired = 0;
	return 0;
}

static void
impair_stop(void *ctx)
{
	struct impair *impair = ctx;
	struct weir_port *inner = impair->inner;

	if (impair->pool != NULL) {
		weir_line_drain(&impair->rx, impair->pool);
		weir_line_drain(&impair->tx, impair->pool);
		impair->pool = NULL;
	}
	if (inner->stop != NULL)
		inner->stop(inner->ctx);
}

static void
impair_stats(void *ctx, struct weir_port_stats *stats)
{
	struct impair *impair = ctx;
	struct weir_port *inner = impair->inner;

	if (inner->stats != NULL)
		inner->stats(inner->ctx, stats);
	stats->impaired += impair->impaired;
}

static void
impair_groups(void *ctx, const uint8_t (*macs)[6], uint32_t n)
{
	const struct impair *impair = ctx;

	if (impair->inner->groups != NULL)
		impair->inner->groups(impair->inner->ctx, macs, n);
}

static uint64_t
impair_deadline(void *ctx)
{
	struct impair *impair = ctx;
	struct weir_port *inner = impair->inner;
	uint64_t soonest = inner->deadline != NULL ? inner->deadline(inner->ctx) : UINT64_MAX;

	soonest = RTE_MIN(soonest, weir_line_deadline(&impair->rx));
	return RTE_MIN(soonest, weir_line_deadline(&impair->tx));
}

static void
impair_close(void *ctx)
{
	struct impair *impair = ctx;

	if (impair->pool != NULL)
		impair_stop(impair);
	weir_port_close(impair->inner);
	free(impair);
}

int
weir_port_open_impair(struct weir_port *inner, const char *text, struct weir_port **port,
		      const char **error)
{
	struct weir_impair_spec spec;
	struct impair *impair;
	const char *word;
	int rc;

	if (inner == NULL || text == NULL || port == NULL)
		return -EINVAL;
	rc = weir_impair_spec_parse(text, &spec, &word);
	if (error != NULL)
		*error = word;
	if (rc != 0)
		return rc;
	impair = calloc(1, sizeof(*impair));
	if (impair == NULL)
		return -ENOMEM;
	impair->inner = inner;
	impair->spec = spec;
	impair->port = (struct weir_port){
	    .rx_burst = impair_rx_burst,
	    .tx_burst = impair_tx_burst,
	    .ctx = impair,
	    .start = impair_start,
	    .stop = impair_stop,
	    .stats = impair_stats,
	    .groups = impair_groups,
	    .deadline = impair_deadline,
	    .close = impair_close,
	};
	copy_facts(impair);
	snprintf(impair->port.name, sizeof(impair->port.name), "%.55s,impair", inner->name);
	*port = &impair->port;
	return 0;
}
