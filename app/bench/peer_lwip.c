/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lwIP as Debian builds it: threads and core locking, a window of 64 KiB, no SACK, no timestamps,
 * checksums in software. Fed with whole bursts under one lock, IP packets in place of frames (it
 * need not look at Ethernet headers), payload not copied, answers sent by bursts.
 */
#include "peer_lwip.h"

#include <stdlib.h>
#include <string.h>

#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>

#include "engine/engine.h"

#define BURST	  64
#define IP_AT	  14
#define MTU	  1500
#define WAIT_MOST 1024 /* answers of one burst */

struct peer_conn {
	struct tcp_pcb *pcb;
	struct peer_conn *next;
	uint64_t offset; /* of what comes next */
};

static struct {
	struct testbed *bed;
	struct netif netif;
	struct tcp_pcb *listener;
	struct peer_conn *conns;
	struct rte_mbuf *freed[BURST];
	uint32_t n_freed;
	struct rte_mbuf *answers[WAIT_MOST];
	uint32_t n_answers;
} peer;

/* In struct stream_note, behind the sum. */
static struct pbuf_custom *
pbuf_of(struct rte_mbuf *frame)
{
	struct stream_note *note = rte_mbuf_to_priv(frame);

	_Static_assert(sizeof(struct pbuf_custom) <= sizeof(note->of_receiver), "room for it");
	return (void *)note->of_receiver;
}

static struct rte_mbuf *
frame_of(struct pbuf *p)
{
	return (void *)((char *)p - offsetof(struct stream_note, of_receiver) -
			sizeof(struct rte_mbuf));
}

static void
flush_freed(void)
{
	rte_pktmbuf_free_bulk(peer.freed, peer.n_freed);
	peer.n_freed = 0;
}

static void
free_frame(struct pbuf *p)
{
	if (peer.n_freed == BURST)
		flush_freed();
	peer.freed[peer.n_freed++] = frame_of(p);
}

static void
flush_answers(void)
{
	struct weir_port *port = peer.bed->near_end;
	uint32_t sent = 0;

	while (sent < peer.n_answers) {
		uint16_t want = (uint16_t)(peer.n_answers - sent);
		uint16_t n = port->tx_burst(port->ctx, peer.answers + sent, want, 0);

		sent += n;
		if (n < want)
			break;
	}
	rte_pktmbuf_free_bulk(peer.answers + sent, peer.n_answers - sent);
	peer.n_answers = 0;
}

static err_t
send_packet(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
	struct rte_mbuf *frame = rte_pktmbuf_alloc(peer.bed->stack->pool.mempool);
	uint8_t *bytes;

	(void)netif;
	(void)to;
	if (frame == NULL)
		return ERR_MEM;
	bytes = rte_pktmbuf_mtod(frame, uint8_t *);
	memset(bytes, 0, IP_AT);
	bytes[12] = 0x08;
	pbuf_copy_partial(p, bytes + IP_AT, p->tot_len, 0);
	frame->data_len = (uint16_t)(IP_AT + p->tot_len);
	frame->pkt_len = frame->data_len;
	if (peer.n_answers == WAIT_MOST)
		flush_answers();
	peer.answers[peer.n_answers++] = frame;
	return ERR_OK;
}

static err_t
init_netif(struct netif *netif)
{
	netif->name[0] = 'w';
	netif->name[1] = 'b';
	netif->mtu = MTU;
	netif->output = send_packet;
	netif->flags = NETIF_FLAG_UP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

/* ---- the application ---- */

static void
compare(struct peer_conn *conn, const struct pbuf *p)
{
	struct sink *sink = &peer.bed->sink;

	for (; p != NULL; p = p->next) {
		if (sink->pattern != NULL &&
		    !generator_pattern_check(sink->pattern, conn->pcb->remote_port, conn->offset,
					     p->payload, p->len))
			sink->wrong = true;
		conn->offset += p->len;
	}
}

static err_t
take(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
	struct peer_conn *conn = arg;

	if (p == NULL || error != ERR_OK)
		return ERR_OK;
	peer.bed->sink.bytes += p->tot_len;
	if (peer.bed->sink.pattern != NULL)
		compare(conn, p);
	else
		conn->offset += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t
accepted(void *arg, struct tcp_pcb *pcb, err_t error)
{
	struct peer_conn *conn = calloc(1, sizeof(*conn));

	(void)arg;
	if (conn == NULL || error != ERR_OK)
		return ERR_MEM;
	conn->pcb = pcb;
	conn->next = peer.conns;
	peer.conns = conn;
	tcp_arg(pcb, conn);
	tcp_recv(pcb, take);
	peer.bed->sink.accepted++;
	return ERR_OK;
}

/* ---- the poll ---- */

static void
feed(struct rte_mbuf *frame)
{
	struct pbuf_custom *custom = pbuf_of(frame);
	uint16_t len = (uint16_t)(frame->pkt_len - IP_AT);
	struct pbuf *p;

	custom->custom_free_function = free_frame;
	p = pbuf_alloced_custom(PBUF_RAW, len, PBUF_REF, custom,
				rte_pktmbuf_mtod_offset(frame, void *, IP_AT), len);
	if (ip4_input(p, &peer.netif) != ERR_OK)
		pbuf_free(p);
}

static uint32_t
poll_lwip(struct weir_engine *engine, uint64_t now_ns)
{
	struct weir_port *port = peer.bed->near_end;
	struct rte_mbuf *frames[BURST];
	uint32_t n = port->rx_burst(port->ctx, frames, BURST, now_ns);

	(void)engine;
	LOCK_TCPIP_CORE();
	for (uint32_t i = 0; i < n; i++)
		feed(frames[i]);
	flush_answers();
	flush_freed();
	UNLOCK_TCPIP_CORE();
	return n;
}

/* ---- begin and end ---- */

static const char *
start_listener(void)
{
	ip4_addr_t address, mask, gateway;
	struct tcp_pcb *pcb;

	address.addr = lwip_htonl(STREAM_SERVER_IP);
	mask.addr = lwip_htonl(0xff000000);
	gateway.addr = 0;
	if (netif_add(&peer.netif, &address, &mask, &gateway, NULL, init_netif, ip_input) == NULL)
		return "lwIP does not take the interface";
	netif_set_default(&peer.netif);
	pcb = tcp_new();
	if (pcb == NULL || tcp_bind(pcb, IP4_ADDR_ANY, STREAM_LISTENER) != ERR_OK)
		return "lwIP does not take the port";
	peer.listener = tcp_listen(pcb);
	tcp_accept(peer.listener, accepted);
	return NULL;
}

const char *
peer_lwip_open(struct testbed *bed)
{
	static bool initialised;
	const char *why;

	if (!initialised)
		tcpip_init(NULL, NULL);
	initialised = true;
	memset(&peer, 0, sizeof(peer));
	peer.bed = bed;
	LOCK_TCPIP_CORE();
	why = start_listener();
	UNLOCK_TCPIP_CORE();
	bed->poll = poll_lwip;
	return why;
}

void
peer_lwip_close(void)
{
	LOCK_TCPIP_CORE();
	while (peer.conns != NULL) {
		struct peer_conn *conn = peer.conns;

		peer.conns = conn->next;
		tcp_recv(conn->pcb, NULL);
		tcp_abort(conn->pcb);
		free(conn);
	}
	if (peer.listener != NULL)
		tcp_close(peer.listener);
	flush_answers();
	flush_freed();
	netif_remove(&peer.netif);
	UNLOCK_TCPIP_CORE();
	peer.bed->poll = weir_engine_poll;
}
