/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/frame.h"

#include <stdlib.h>
#include <string.h>

/* Tags, the longer IP header, TCP with options padded to 4 behind a timestamp. */
#define HEADERS_MAX (26 + 60 + 76)

const uint8_t frame_local_mac[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
const uint8_t frame_local_ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
const uint8_t frame_remote_ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 2};
const uint8_t frame_remote_mac[6] = {0x02, 0x00, 0x00, 0x00, 0x00, 0x02};

void
frame_spec_init(struct frame_spec *spec)
{
	*spec = (struct frame_spec){
	    .src = FRAME_REMOTE_IP,
	    .dst = FRAME_LOCAL_IP,
	    .sport = 40000,
	    .dport = 9000,
	    .flags = 0x10,
	    .win = 65535,
	    .ttl = 64,
	    .ip_id = 0x1234,
	};
	memcpy(spec->src6, frame_remote_ip6, 16);
	memcpy(spec->dst6, frame_local_ip6, 16);
	memcpy(spec->src_mac, frame_remote_mac, 6);
	memcpy(spec->dst_mac, frame_local_mac, 6);
}

/* The builder shares no code with the library: what it gets wrong must not cancel out. */
uint16_t
frame_csum(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++) {
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)~sum;
}

static uint8_t *
put(uint8_t *to, uint32_t v, int bytes)
{
	while (bytes-- > 0)
		*to++ = (uint8_t)(v >> 8 * bytes);
	return to;
}

static uint8_t *
put_bytes(uint8_t *to, const void *from, uint32_t len)
{
	if (len != 0)
		memcpy(to, from, len);
	return to + len;
}

static uint8_t *
put_padded(uint8_t *to, const uint8_t *options, uint32_t len)
{
	to = put_bytes(to, options, len);
	while (len++ % 4 != 0)
		*to++ = 0;
	return to;
}

static uint8_t *
put_link(uint8_t *to, const struct frame_spec *spec)
{
	if (spec->l3)
		return to;
	to = put_bytes(to, spec->dst_mac, 6);
	to = put_bytes(to, spec->src_mac, 6);
	for (int i = 0; i < spec->n_tags; i++) {
		to = put(to, spec->tpid[i] != 0 ? spec->tpid[i] : 0x8100, 2);
		to = put(to, spec->tci[i], 2);
	}
	return put(to, spec->ethertype != 0 ? spec->ethertype : spec->ip6 ? 0x86dd : 0x0800, 2);
}

static uint32_t
protocol_of(const struct frame_spec *spec)
{
	return spec->protocol != 0 ? spec->protocol : 6;
}

/* Header up to its options; length and sum come with finish_ip(). */
static uint8_t *
put_ip(uint8_t *ip, const struct frame_spec *spec)
{
	uint32_t words = 5 + (spec->ip_options_len + 3u) / 4;
	uint8_t *to = ip;

	to = put(to, spec->version_ihl != 0 ? spec->version_ihl : 0x40 | words, 1);
	to = put(to, spec->tos, 1);
	to = put(to, spec->ip_id, 4); /* length is put later */
	to = put(to, spec->ip_frag, 2);
	to = put(to, spec->ttl, 1);
	to = put(to, protocol_of(spec), 1);
	to = put(to, 0, 2);
	to = put(to, spec->src, 4);
	to = put(to, spec->dst, 4);
	return put_padded(to, spec->ip_options, spec->ip_options_len);
}

static uint8_t *
put_ip6(uint8_t *ip, const struct frame_spec *spec)
{
	uint8_t *to = put(ip, 6u << 28 | (uint32_t)spec->tos << 20 | spec->flow_label, 4);

	if (spec->version_ihl != 0)
		ip[0] = spec->version_ihl;
	to = put(to, 0, 2); /* the length is put later */
	to = put(to, spec->extensions_len != 0 ? spec->first_extension : protocol_of(spec), 1);
	to = put(to, spec->ttl, 1);
	to = put_bytes(to, spec->src6, 16);
	to = put_bytes(to, spec->dst6, 16);
	return put_bytes(to, spec->extensions, spec->extensions_len);
}

static void
finish_ip(uint8_t *ip, const struct frame_spec *spec, uint32_t header_len, uint32_t total)
{
	if (spec->ip6) {
		put(ip + 4, total - 40 + (uint32_t)spec->ip_total_delta, 2);
		return;
	}
	put(ip + 2, total + (uint32_t)spec->ip_total_delta, 2);
	put(ip + 10, frame_csum(ip, header_len, 0) ^ (spec->bad_ip_csum ? 0x0100 : 0), 2);
}

static uint8_t *
put_tcp(uint8_t *tcp, const struct frame_spec *spec)
{
	uint8_t *to = tcp;

	to = put(to, spec->sport, 2);
	to = put(to, spec->dport, 2);
	to = put(to, spec->seq, 4);
	to = put(to, spec->ack, 4);
	to = put(to, 0, 1);
	to = put(to, spec->flags & 0xff, 1);
	to = put(to, spec->win, 2);
	to = put(to, 0, 2); /* the sum is put later */
	to = put(to, spec->urgent, 2);
	if (spec->has_ts) {
		to = put(to, 0x0101080a, 4);
		to = put(to, spec->tsval, 4);
		to = put(to, spec->tsecr, 4);
	}
	to = put_padded(to, spec->tcp_options, spec->tcp_options_len);
	put(tcp + 12,
	    (spec->data_offset != 0 ? spec->data_offset : (uint32_t)(to - tcp) / 4) << 4 |
		    spec->flags >> 8,
	    1);
	return to;
}

/* Sum of the pseudo header, as RFC 9293 3.1 and RFC 8200 8.1 draw it. */
static uint32_t
pseudo_sum(const struct frame_spec *spec, uint32_t len)
{
	uint8_t pseudo[40], *to = pseudo;

	if (spec->ip6) {
		to = put_bytes(to, spec->src6, 16);
		to = put_bytes(to, spec->dst6, 16);
		to = put(to, len, 4);
		to = put(to, protocol_of(spec), 4);
	} else {
		to = put(to, spec->src, 4);
		to = put(to, spec->dst, 4);
		to = put(to, protocol_of(spec), 2);
		to = put(to, len, 2);
	}
	return (uint16_t)~frame_csum(pseudo, (uint32_t)(to - pseudo), 0);
}

static void
finish_icmp6(uint8_t *icmp, const struct frame_spec *spec, uint32_t len)
{
	put(icmp + 2, 0, 2);
	put(icmp + 2,
	    frame_csum(icmp, len, pseudo_sum(spec, len)) ^ (spec->bad_tcp_csum ? 0x0100 : 0), 2);
}

static void
finish_tcp(uint8_t *tcp, const struct frame_spec *spec, uint32_t len)
{
	uint32_t sum = pseudo_sum(spec, len);

	if (!spec->partial_csum)
		sum = frame_csum(tcp, len, sum);
	put(tcp + 16, sum ^ (spec->bad_tcp_csum ? 0x0100 : 0), 2);
}

uint32_t
frame_write(const struct frame_spec *spec, uint8_t *to)
{
	uint8_t *ip = put_link(to, spec);
	uint8_t *l4 = spec->ip6 ? put_ip6(ip, spec) : put_ip(ip, spec);
	uint8_t *payload = protocol_of(spec) == 6 ? put_tcp(l4, spec) : l4;
	uint8_t *end = put_bytes(payload, spec->payload, spec->len);

	if (protocol_of(spec) == 6)
		finish_tcp(l4, spec, (uint32_t)(end - l4));
	else if (spec->ip6 && protocol_of(spec) == 58 && spec->len >= 4)
		finish_icmp6(l4, spec, spec->len);
	finish_ip(ip, spec, (uint32_t)(l4 - ip), (uint32_t)(end - ip));
	memset(end, FRAME_PAD, spec->pad);
	return (uint32_t)(end - to) + spec->pad;
}

/* `len` bytes in one more segment at the end of the chain. */
static void
chain(struct rte_mbuf *head, struct rte_mbuf **last, struct rte_mbuf *buf, const uint8_t *bytes,
      uint32_t len)
{
	memcpy(rte_pktmbuf_mtod(buf, uint8_t *), bytes, len);
	buf->data_len = (uint16_t)len;
	head->pkt_len += len;
	if (buf != head) {
		(*last)->next = buf;
		head->nb_segs++;
	}
	*last = buf;
}

struct rte_mbuf *
frame_build(struct weir_pool *pool, const struct frame_spec *spec)
{
	const uint32_t room = pool->data_room - RTE_PKTMBUF_HEADROOM;
	uint32_t most = spec->split != 0 ? spec->split : room;
	uint8_t *bytes = malloc(HEADERS_MAX + spec->extensions_len + spec->len + spec->pad);
	uint32_t len = frame_write(spec, bytes), done = 0;
	struct rte_mbuf *head = NULL, *last = NULL, *buf;

	if (most > room)
		abort();
	do {
		uint32_t piece = len - done < most ? len - done : most;

		buf = weir_buf_alloc(pool);
		if (buf == NULL)
			break;
		if (head == NULL)
			head = buf;
		chain(head, &last, buf, bytes + done, piece);
		done += piece;
	} while (done < len);
	free(bytes);
	if (buf == NULL && head != NULL) {
		weir_buf_free(pool, head);
		head = NULL;
	}
	return head;
}

static struct rte_mbuf *
exact_buf(uint32_t len)
{
	struct rte_mbuf *buf = aligned_alloc(64, sizeof(*buf));

	memset(buf, 0, sizeof(*buf));
	buf->buf_addr = malloc(len != 0 ? len : 1);
	buf->buf_len = (uint16_t)len;
	buf->nb_segs = 1;
	return buf;
}

struct rte_mbuf *
frame_exact(const uint8_t *bytes, uint32_t len, uint32_t split)
{
	const uint32_t most = split != 0 ? split : UINT16_MAX;
	struct rte_mbuf *head = NULL, *last = NULL;
	uint32_t done = 0;

	do {
		uint32_t piece = len - done < most ? len - done : most;
		struct rte_mbuf *buf = exact_buf(piece);

		if (head == NULL)
			head = buf;
		chain(head, &last, buf, bytes + done, piece);
		done += piece;
	} while (done < len);
	return head;
}

void
frame_exact_free(struct rte_mbuf *buf)
{
	while (buf != NULL) {
		struct rte_mbuf *next = buf->next;

		free(buf->buf_addr);
		free(buf);
		buf = next;
	}
}
