/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream_head.h"

#include <string.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/seg.h"

#define TTL 64

const uint8_t stream_server_ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [12] = STREAM_SERVER_IP >> 24,
				       [15] = STREAM_SERVER_IP & 0xff};

static uint32_t
client_ip(uint32_t i)
{
	return STREAM_CLIENT_IP + i / STREAM_PORTS;
}

static void
finish_ip(const struct stream *stream, uint8_t *frame, uint32_t tcp_bytes)
{
	uint8_t *ip = frame + STREAM_IP_AT;
	uint16_t sum;

	if (stream->config.ip6) {
		weir_store_be16(ip + 4, (uint16_t)tcp_bytes);
		return;
	}
	weir_store_be16(ip + 2, (uint16_t)(WEIR_IP4_BYTES + tcp_bytes));
	memset(ip + 10, 0, 2);
	sum = (uint16_t)~weir_csum_fold(weir_csum_add(ip, WEIR_IP4_BYTES, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
}

/* The pseudo header of a frame with so many bytes of TCP. */
static uint64_t
pseudo_sum(const struct stream *stream, const uint8_t *frame, uint32_t tcp_bytes)
{
	const uint8_t *ip = frame + STREAM_IP_AT;

	if (stream->config.ip6)
		return weir_csum_pseudo6(ip + 8, WEIR_PROTOCOL_TCP, tcp_bytes);
	return weir_csum_pseudo4(weir_load_be32(ip + 12), weir_load_be32(ip + 16),
				 WEIR_PROTOCOL_TCP, (uint16_t)tcp_bytes);
}

static void
write_ip(const struct stream *stream, uint32_t i, uint8_t *ip)
{
	if (stream->config.ip6) {
		ip[0] = 0x60;
		ip[6] = WEIR_PROTOCOL_TCP;
		ip[7] = TTL;
		memcpy(ip + 8, stream_server_ip6, 12);
		weir_store_be32(ip + 20, client_ip(i));
		memcpy(ip + 24, stream_server_ip6, 16);
		return;
	}
	ip[0] = 0x45;
	ip[6] = 0x40;
	ip[8] = TTL;
	ip[9] = WEIR_PROTOCOL_TCP;
	weir_store_be32(ip + 12, client_ip(i));
	weir_store_be32(ip + 16, STREAM_SERVER_IP);
}

void
stream_write_head(struct stream *stream, uint32_t i)
{
	struct stream_flow *flow = &stream->flows[i];
	uint8_t *head = flow->head, *tcp = head + stream_tcp_at(stream);
	uint32_t tcp_bytes = WEIR_TCP_BYTES + (stream->config.timestamps ? WEIR_TS_BYTES : 0);

	memcpy(head, stream->server_mac, 6);
	head[6] = 0x02;
	head[11] = 0x99;
	weir_store_be16(head + 12, stream->config.ip6 ? 0x86dd : WEIR_ETHERTYPE_IP4);
	write_ip(stream, i, head + STREAM_IP_AT);
	weir_store_be16(tcp, stream_client_port(i));
	weir_store_be16(tcp + 2, STREAM_LISTENER);
	tcp[12] = (uint8_t)(tcp_bytes / 4 << 4);
	tcp[13] = WEIR_TCP_ACK;
	weir_store_be16(tcp + 14, 512);
	if (stream->config.timestamps)
		memcpy(tcp + WEIR_TCP_BYTES, "\x01\x01\x08\x0a", 4);
	flow->len = (uint8_t)(stream_tcp_at(stream) + tcp_bytes);
	finish_ip(stream, head, tcp_bytes + stream->config.payload_bytes);
}

void
stream_sum_head(struct stream *stream, uint32_t i)
{
	struct stream_flow *flow = &stream->flows[i];
	uint32_t tcp_at = stream_tcp_at(stream);
	uint64_t sum =
	    pseudo_sum(stream, flow->head, flow->len - tcp_at + stream->config.payload_bytes);

	flow->sum = weir_csum_fold(weir_csum_add(flow->head + tcp_at, flow->len - tcp_at, sum));
}

static void
finish_tcp(const struct stream *stream, uint8_t *frame, uint32_t tcp_bytes)
{
	uint8_t *tcp = frame + stream_tcp_at(stream);
	uint16_t folded;

	memset(tcp + 16, 0, 2);
	folded = (uint16_t)~weir_csum_fold(
	    weir_csum_add(tcp, tcp_bytes, pseudo_sum(stream, frame, tcp_bytes)));
	memcpy(tcp + 16, &folded, sizeof(folded));
}

struct rte_mbuf *
stream_control_frame(struct stream *stream, uint32_t i, uint8_t flags)
{
	static const uint8_t syn_options[20] = {2, 4,  1460 >> 8, 1460 & 255, 4, 2,
						8, 10, [16] = 1,  3,	      3, 9};
	struct stream_flow *flow = &stream->flows[i];
	struct rte_mbuf *frame = rte_pktmbuf_alloc(stream->pool);
	uint32_t tcp_at = stream_tcp_at(stream), len = flow->len;
	uint8_t *bytes, *tcp, *options;

	if (frame == NULL)
		return NULL;
	bytes = rte_pktmbuf_mtod(frame, uint8_t *);
	tcp = bytes + tcp_at;
	options = tcp + WEIR_TCP_BYTES;
	memcpy(bytes, flow->head, flow->len);
	if ((flags & WEIR_TCP_SYN) != 0) {
		len = tcp_at + WEIR_TCP_BYTES + (stream->config.timestamps ? 20 : 4);
		memcpy(options, syn_options, len - tcp_at - WEIR_TCP_BYTES);
		tcp[12] = (uint8_t)((len - tcp_at) / 4 << 4);
		if (stream->config.timestamps)
			weir_store_be32(options + 8, stream->tsval);
	} else if (stream->config.timestamps) {
		weir_store_be32(options + 4, stream->tsval);
		weir_store_be32(options + 8, flow->ts_echo);
	}
	tcp[13] = flags;
	weir_store_be32(tcp + 4, flow->snd_nxt);
	weir_store_be32(tcp + 8, flow->rcv_nxt);
	finish_ip(stream, bytes, len - tcp_at);
	finish_tcp(stream, bytes, len - tcp_at);
	frame->data_len = (uint16_t)len;
	frame->pkt_len = len;
	return frame;
}
