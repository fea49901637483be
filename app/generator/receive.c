/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes back: ACKs above all, in a loop that looks at each once and settles each flow once. */
#include <string.h>

#include "app/generator/state.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
#include "wire/header.h"
#include "wire/options.h"

#define BURSTS	      64 /* of one call at most */
#define AHEAD	      4
#define FLOWS_CACHED  2048
#define HEADERS_MOST  (GEN_ETHER + 60 + 60)
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define ETHERTYPE_ARP 0x0806
#define PROTOCOL_TCP  6
#define PROTOCOL_ICMP6 58
#define FRAGMENT      0x3fff /* more fragments, and the offset */
#define NOP_NOP_TS    0x0101080au
#define OPTION_NOP    1
#define OPTION_SACK   5

/* A received packet as it lies. */
struct view {
	struct rte_mbuf *buf;
	const uint8_t *ip;
	const uint8_t *tcp;
	uint32_t ip_off;  /* in the frame */
	uint32_t ip_len;  /* header */
	uint32_t tcp_len; /* header and payload */
	uint32_t address; /* ours; of IPv6 the last word */
};

static void
touch(struct generator *g, struct gen_flow *f)
{
	if (f->flags & GEN_TOUCHED)
		return;
	f->flags |= GEN_TOUCHED;
	g->touched[g->n_touched++] = gen_index(g, f);
}

/* Once per flow and burst, however many ACKs there were. */
static void
settle_touched(struct generator *g)
{
	for (uint32_t i = 0; i < g->n_touched; i++) {
		struct gen_flow *f = &g->flows[g->touched[i]];

		f->flags &= (uint8_t)~GEN_TOUCHED;
		if (f->timed_ns != 0 && weir_seq_leq(f->timed, f->una)) {
			gen_rtt_sample(g, f, g->now_ns - f->timed_ns);
			f->timed_ns = 0;
		}
		gen_settle(g, f);
	}
	g->n_touched = 0;
}

static void
advance(struct generator *g, struct gen_flow *f, uint32_t ack)
{
	uint32_t advanced = ack - f->una;

	f->una = ack;
	f->una_offset += advanced;
	f->next = weir_seq_max(f->next, ack);
	f->retries = 0;
	g->stats.bytes_acked += advanced;
}

static void
take_edge(struct gen_flow *f, uint32_t ack, uint16_t win)
{
	f->edge = weir_seq_max(f->edge, ack + ((uint32_t)win << f->shift));
}

/* An ACK that only advances. False when it has to be looked at closely. */
static bool
take_plain(struct generator *g, const struct view *view)
{
	const uint8_t *tcp = view->tcp;
	uint32_t header = (tcp[12] >> 4) * 4u, ack = weir_load_be32(tcp + 8);
	struct gen_flow *f;

	if (tcp[13] != WEIR_TCP_ACK || header != view->tcp_len ||
	    (header != GEN_TCP &&
	     (header != GEN_TCP + GEN_TS || weir_load_be32(tcp + 20) != NOP_NOP_TS)))
		return false;
	f = gen_flow_find(g, view->address, weir_load_be16(tcp + 2));
	if (f == NULL || f->state != GEN_OPEN || f->recovery != 0 || f->dup_acks != 0 ||
	    ack - f->una - 1 >= f->high - f->una)
		return false;
	advance(g, f, ack);
	take_edge(f, ack, weir_load_be16(tcp + 14));
	if (header != GEN_TCP)
		f->ts_recent = weir_load_be32(tcp + 24);
	g->stats.acks_received++;
	touch(g, f);
	return true;
}

/* ---- everything else ---- */

static void
read_sacks(const uint8_t *options, uint32_t len, struct gen_seg *seg)
{
	for (uint32_t at = 0; at < len && options[at] != 0;) {
		uint32_t size = options[at] == OPTION_NOP ? 1 : at + 1 < len ? options[at + 1] : 0;

		if (size == 0 || (size == 1 && options[at] != OPTION_NOP) || at + size > len)
			return;
		if (options[at] == OPTION_SACK)
			for (uint32_t i = at + 2; i + 8 <= at + size && seg->n_sacks < 4; i += 8) {
				seg->sacks[seg->n_sacks][0] = weir_load_be32(options + i);
				seg->sacks[seg->n_sacks++][1] = weir_load_be32(options + i + 4);
			}
		at += size;
	}
}

static bool
read_segment(const struct view *view, struct gen_seg *seg)
{
	const uint8_t *tcp = view->tcp;
	uint32_t header = (tcp[12] >> 4) * 4u;
	struct weir_tcp_options options;

	if (header < GEN_TCP || header > view->tcp_len)
		return false;
	weir_tcp_options_read(tcp + GEN_TCP, header - GEN_TCP, &options);
	*seg = (struct gen_seg){
	    .seq = weir_load_be32(tcp + 4),
	    .ack = weir_load_be32(tcp + 8),
	    .address = view->address,
	    .len = view->tcp_len - header,
	    .tsval = options.tsval,
	    .port = weir_load_be16(tcp + 2),
	    .win = weir_load_be16(tcp + 14),
	    .mss = options.mss,
	    .flags = tcp[13],
	    .has_ts = options.has_ts,
	    .sack_permitted = options.sack_permitted,
	    .wscale = options.has_wscale ? (int8_t)options.wscale : -1,
	};
	read_sacks(tcp + GEN_TCP, header - GEN_TCP, seg);
	return true;
}

static void
answer(struct generator *g, const struct gen_seg *seg, uint32_t seq, uint32_t ack, uint8_t flags)
{
	const struct weir_packet packet = {.seq = seq, .ack = ack, .flags = flags, .wscale = -1};

	gen_send_packet(g, seg->address, seg->port, false, &packet);
}

/* For no live connection: a lost last ACK is sent again, all else is told that there is nothing. */
static void
take_stranger(struct generator *g, const struct gen_seg *seg)
{
	g->stats.strangers++;
	if ((seg->flags & WEIR_TCP_RST) || !(seg->flags & WEIR_TCP_ACK) ||
	    g->config.attack == GENERATOR_ATTACK_SYN ||
	    seg->address - g->config.address >= g->config.sources)
		return;
	if (seg->flags & WEIR_TCP_FIN)
		answer(g, seg, seg->ack, seg->seq + seg->len + 1, WEIR_TCP_ACK);
	else
		answer(g, seg, seg->ack, 0, WEIR_TCP_RST);
}

/* An ACK without SYN comes from a connection that the peer has left over from an earlier run; the
 * RST clears it (RFC 9293 3.5.1), also where it happens to acknowledge our SYN. */
static void
take_in_syn_sent(struct generator *g, struct gen_flow *f, const struct gen_seg *seg)
{
	bool syn = (seg->flags & WEIR_TCP_SYN) != 0;

	if (!(seg->flags & WEIR_TCP_ACK))
		return;
	if (seg->flags & WEIR_TCP_RST) {
		if (seg->ack == f->high)
			gen_end(g, f, GEN_END_RESET);
	} else if (syn && seg->ack == f->high) {
		gen_established(g, f, seg);
	} else {
		answer(g, seg, seg->ack, 0, WEIR_TCP_RST);
	}
}

static void
take_ack(struct generator *g, struct gen_flow *f, const struct gen_seg *seg)
{
	const uint32_t edge = f->edge;
	uint32_t advanced = 0;
	bool duplicate;

	g->stats.acks_received++;
	if (weir_seq_lt(f->high, seg->ack) || weir_seq_lt(seg->ack, f->una))
		return;
	duplicate = seg->ack == f->una && f->una != f->high && seg->len == 0 &&
		    !(seg->flags & WEIR_TCP_FIN);
	if (seg->ack != f->una) {
		advanced = seg->ack - f->una;
		advance(g, f, seg->ack);
	}
	take_edge(f, seg->ack, seg->win);
	if (seg->has_ts)
		f->ts_recent = seg->tsval;
	duplicate = duplicate && (f->edge == edge || seg->n_sacks != 0); /* no window update */
	g->stats.dup_acks += duplicate;
	gen_recovery_ack(g, f, seg, advanced, duplicate);
}

/* The peer may send; it is acknowledged, and that is all. */
static void
take_data(struct generator *g, struct gen_flow *f, const struct gen_seg *seg)
{
	bool fin = (seg->flags & WEIR_TCP_FIN) != 0;

	if (seg->len == 0 && !fin)
		return;
	if (seg->seq == f->rcv_next) {
		f->rcv_next += seg->len + fin;
		if (fin)
			f->flags |= GEN_PEER_FIN;
	}
	gen_send_control(g, f, f->high, WEIR_TCP_ACK);
}

static void
take_segment(struct generator *g, const struct gen_seg *seg)
{
	struct gen_flow *f = gen_flow_find(g, seg->address, seg->port);

	if (f == NULL) {
		take_stranger(g, seg);
	} else if (f->state == GEN_SYN_SENT) {
		take_in_syn_sent(g, f, seg);
	} else if (seg->flags & WEIR_TCP_RST) {
		if (seg->seq == f->rcv_next)
			gen_end(g, f, GEN_END_RESET);
	} else if (seg->flags & WEIR_TCP_SYN) {
		gen_send_control(g, f, f->high, WEIR_TCP_ACK); /* ours was lost */
	} else if (seg->flags & WEIR_TCP_ACK) {
		take_ack(g, f, seg);
		take_data(g, f, seg);
		touch(g, f);
	}
}

static bool
checksums_good(const struct generator *g, const struct view *view)
{
	uint64_t flags = view->buf->ol_flags, l4 = flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint64_t sum;

	if (g->config.trust_checksums || l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD ||
	    l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return true;
	if (!g->config.ip6 && weir_csum_fold(weir_csum_add(view->ip, view->ip_len, 0)) != 0xffff)
		return false;
	if (g->config.ip6)
		sum = weir_csum_pseudo6(view->ip + 8, PROTOCOL_TCP, view->tcp_len);
	else
		sum = weir_csum_pseudo4(weir_load_be32(view->ip + 12),
					weir_load_be32(view->ip + 16), PROTOCOL_TCP,
					(uint16_t)view->tcp_len);
	sum = weir_csum_add_chain(view->buf, view->ip_off + view->ip_len, view->tcp_len, sum);
	return weir_csum_fold(sum) == 0xffff;
}

/* IPv4 and TCP from the target to one of its clients, all of it there? */
static bool
look_at_ip(const struct generator *g, struct view *view, uint32_t len)
{
	const uint8_t *ip = view->ip;
	uint32_t total;

	if (len < GEN_IP + GEN_TCP || ip[0] >> 4 != 4)
		return false;
	view->ip_len = (ip[0] & 15) * 4u;
	total = weir_load_be16(ip + 2);
	if (view->ip_len < GEN_IP || total < view->ip_len + GEN_TCP ||
	    view->ip_len + GEN_TCP > len || view->ip_off + total > view->buf->pkt_len ||
	    ip[9] != PROTOCOL_TCP || (weir_load_be16(ip + 6) & FRAGMENT) != 0)
		return false;
	view->tcp = ip + view->ip_len;
	view->tcp_len = total - view->ip_len;
	view->address = weir_load_be32(ip + 16);
	return weir_load_be32(ip + 12) == g->config.target &&
	       weir_load_be16(view->tcp) == g->config.target_port;
}

/* The same of IPv6, without extension headers. */
static bool
look_at_ip6(const struct generator *g, struct view *view, uint32_t len)
{
	const uint8_t *ip = view->ip;

	if (len < GEN_IP6 + GEN_TCP || ip[0] >> 4 != 6 || ip[6] != PROTOCOL_TCP)
		return false;
	view->ip_len = GEN_IP6;
	view->tcp = ip + GEN_IP6;
	view->tcp_len = weir_load_be16(ip + 4);
	view->address = weir_load_be32(ip + 36);
	return view->tcp_len >= GEN_TCP &&
	       view->ip_off + GEN_IP6 + view->tcp_len <= view->buf->pkt_len &&
	       memcmp(ip + 8, g->config.target6, 16) == 0 &&
	       memcmp(ip + 24, g->config.address6, 12) == 0 &&
	       weir_load_be16(view->tcp) == g->config.target_port;
}

/* What is no IP packet of our family, or is about the link; true: taken. */
static bool
take_other(struct generator *g, const struct rte_mbuf *buf, const uint8_t *bytes, uint32_t len)
{
	uint16_t ethertype = g->l3 ? 0 : weir_load_be16(bytes + 12);

	if (!g->l3 && ethertype != (g->config.ip6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4)) {
		if (ethertype == ETHERTYPE_ARP && !g->config.ip6)
			gen_link_arp(g, bytes, len);
		return true;
	}
	if (!g->config.ip6 || len - g->ether < GEN_IP6 ||
	    bytes[g->ether + 6] != PROTOCOL_ICMP6)
		return false;
	if (!g->l3)
		gen_link6_take(g, buf, bytes, len);
	return true;
}

static void
take_packet(struct generator *g, struct rte_mbuf *buf)
{
	uint8_t scratch[HEADERS_MOST];
	uint32_t len = buf->pkt_len < HEADERS_MOST ? buf->pkt_len : HEADERS_MOST;
	const uint8_t *bytes = buf->data_len >= len ? rte_pktmbuf_mtod(buf, const uint8_t *)
						    : weir_chain_read(buf, 0, len, scratch);
	struct view view = {.buf = buf, .ip_off = g->ether};
	struct gen_seg seg;

	if (bytes == NULL || len <= g->ether)
		return;
	if (take_other(g, buf, bytes, len))
		return;
	view.ip = bytes + g->ether;
	if (g->config.ip6 ? !look_at_ip6(g, &view, len - g->ether)
			  : !look_at_ip(g, &view, len - g->ether))
		return;
	if (!checksums_good(g, &view)) {
		g->stats.bad_checksums++;
		return;
	}
	if (!take_plain(g, &view) && read_segment(&view, &seg))
		take_segment(g, &seg);
}

/* With very many connections their state is not in the cache: fetch it while others are looked at.
 */
static void
fetch_flow(struct generator *g, const struct rte_mbuf *buf)
{
	const uint8_t *ip = rte_pktmbuf_mtod_offset(buf, const uint8_t *, g->ether);
	struct gen_flow *f;

	if (buf->data_len < g->ether + g->ip_bytes + GEN_TCP ||
	    ip[0] >> 4 != (g->config.ip6 ? 6 : 4))
		return;
	/* The last word of the destination stands in front of the ports. */
	f = gen_flow_at(g, weir_load_be32(ip + g->ip_bytes - 4),
			weir_load_be16(ip + g->ip_bytes + 2));
	if (f == NULL)
		return;
	__builtin_prefetch(f, 1);
	__builtin_prefetch(&f->timed_ns, 1);
}

uint32_t
generator_receive(struct generator *g, uint64_t now_ns)
{
	struct rte_mbuf *bufs[GEN_BURST];
	uint32_t total = 0, n;

	gen_set_now(g, now_ns);
	for (uint32_t round = 0; round < BURSTS; round++) {
		n = g->port->rx_burst(g->port->ctx, bufs, GEN_BURST, now_ns);
		if (n == 0)
			break;
		for (uint32_t i = 0; i < n; i++) {
			if (i + 2 * AHEAD < n)
				__builtin_prefetch(bufs[i + 2 * AHEAD]);
			if (i + AHEAD < n)
				__builtin_prefetch(rte_pktmbuf_mtod(bufs[i + AHEAD], void *));
			if (i + AHEAD / 2 < n && g->n_flows > FLOWS_CACHED)
				fetch_flow(g, bufs[i + AHEAD / 2]);
			take_packet(g, bufs[i]);
		}
		settle_touched(g);
		weir_buf_free_bulk(g->config.rx_pool, bufs, n);
		total += n;
	}
	g->stats.packets_received += total;
	gen_expire(g);
	gen_flush(g);
	return total;
}
