/* SPDX-License-Identifier: BSD-3-Clause */
/* Buffers, the way out through the port, and packets without payload. */
#include <string.h>

#include "app/generator/segment.h"
#include "wire/header.h"

#define WINDOW	     0xffff
#define WINDOW_SCALE 7

static void
fetch(struct rte_mbuf **bufs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *head = (const uint8_t *)bufs[i]->buf_addr + RTE_PKTMBUF_HEADROOM;

		__builtin_prefetch(head, 1);
		__builtin_prefetch(head + 64, 1);
	}
}

uint32_t
gen_spare(struct generator *g, uint32_t n)
{
	uint32_t more = GEN_BURST - g->n_spare;

	if (g->n_spare >= n)
		return n;
	/* A pool that cannot fill the whole array may still have what is needed, or one. */
	while (!weir_buf_alloc_bulk(g->pool, g->spare + g->n_spare, more)) {
		g->stats.no_buffer++;
		if (more == 1)
			return g->n_spare;
		more = more > n - g->n_spare ? n - g->n_spare : 1;
	}
	fetch(g->spare + g->n_spare, more);
	g->n_spare += more;
	return n < g->n_spare ? n : g->n_spare;
}

bool
gen_flush(struct generator *g)
{
	uint32_t sent;

	if (g->n_staged == 0)
		return true;
	sent = g->port->tx_burst(g->port->ctx, g->staged, (uint16_t)g->n_staged, g->now_ns);
	g->stats.packets_sent += sent;
	g->n_staged -= sent;
	if (g->n_staged == 0)
		return true;
	g->stats.tx_refused++;
	memmove(g->staged, g->staged + sent, g->n_staged * sizeof(g->staged[0]));
	return false;
}

void
gen_stage(struct generator *g, struct rte_mbuf *buf)
{
	if (g->n_staged == GEN_BURST)
		gen_flush(g);
	if (g->n_staged == GEN_BURST)
		weir_buf_free(g->pool, buf);
	else
		g->staged[g->n_staged++] = buf;
}

bool
gen_send_bytes(struct generator *g, const uint8_t *bytes, uint32_t len)
{
	struct rte_mbuf *buf;

	if (gen_spare(g, 1) == 0)
		return false;
	buf = g->spare[--g->n_spare];
	buf->data_off = GEN_CONTROL_AT;
	buf->data_len = (uint16_t)len;
	buf->pkt_len = len;
	buf->ol_flags = g->config.stamp;
	memcpy(rte_pktmbuf_mtod(buf, void *), bytes, len);
	gen_stage(g, buf);
	return true;
}

static void
init_header(const struct generator *g, struct weir_link *link, uint32_t address, uint16_t port,
	    bool has_ts, struct weir_header *header)
{
	struct weir_key key = {.low = {.raddr = g->config.target,
				       .laddr = address,
				       .rport = g->config.target_port,
				       .lport = port}};
	uint8_t source[16];

	if (!g->config.ip6) {
		weir_header_init(header, link, &key.low, has_ts);
		return;
	}
	for (uint32_t i = 0; i < 3; i++)
		key.raddr_high[i] = weir_load_be32(g->config.target6 + 4 * i);
	key.low.raddr = weir_load_be32(g->config.target6 + 12);
	gen_source6(g, address, source);
	link->local6 = source;
	weir_header_init6(header, link, &key, has_ts);
}

bool
gen_send_packet(struct generator *g, uint32_t address, uint16_t port, bool has_ts,
		const struct weir_packet *packet)
{
	struct weir_link link = {.l3 = g->l3};
	struct weir_header header;
	uint8_t bytes[WEIR_PACKET_MAX];

	memcpy(link.local_mac, g->mac, sizeof(link.local_mac));
	memcpy(link.remote_mac, g->next_hop_mac, sizeof(link.remote_mac));
	init_header(g, &link, address, port, has_ts, &header);
	return gen_send_bytes(g, bytes, weir_header_build(&header, packet, bytes));
}

/* Of an established connection: a segment without payload. */
static void
send_plain(struct generator *g, const struct gen_flow *f, uint32_t seq, uint8_t flags)
{
	struct gen_head head;
	struct rte_mbuf *buf;

	if (gen_spare(g, 1) == 0)
		return;
	gen_head_begin(g, f, 0, flags, &head);
	buf = g->spare[--g->n_spare];
	gen_fill_segment(g, &head, buf, seq, 0);
	gen_stage(g, buf);
}

static void
send_syn(struct generator *g, const struct gen_flow *f, uint32_t seq)
{
	const struct generator_config *config = &g->config;
	const struct weir_packet packet = {
	    .seq = seq,
	    .tsval = g->tsval,
	    .win = WINDOW,
	    .flags = WEIR_TCP_SYN,
	    .mss = (uint16_t)(config->mss + (config->timestamps ? GEN_TS : 0)),
	    .wscale = WINDOW_SCALE,
	    .sack_permitted = config->sack,
	};

	gen_send_packet(g, f->address, f->port, config->timestamps, &packet);
}

void
gen_send_control(struct generator *g, const struct gen_flow *f, uint32_t seq, uint8_t flags)
{
	const struct weir_packet packet = {.seq = seq, .flags = flags, .wscale = -1};

	if (f->state == GEN_OPEN)
		send_plain(g, f, seq, flags | WEIR_TCP_ACK);
	else if (flags & WEIR_TCP_SYN)
		send_syn(g, f, seq);
	else
		gen_send_packet(g, f->address, f->port, false, &packet);
}
