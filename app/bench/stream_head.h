/* SPDX-License-Identifier: BSD-3-Clause */
/* The headers of a stream's frames, of both families. Private to the stream. */
#ifndef APP_BENCH_STREAM_HEAD_H
#define APP_BENCH_STREAM_HEAD_H

#include "stream.h"
#include "wire/head.h"

#define STREAM_IP_AT	 14
#define STREAM_PORTS	 50000 /* of one client address */
#define STREAM_PORT_MIN	 1024
#define STREAM_CLIENT_IP 0x0a010000u
#define STREAM_HEAD_MOST (STREAM_IP_AT + WEIR_IP6_BYTES + WEIR_TCP_BYTES + WEIR_TS_BYTES)

struct stream_flow {
	uint8_t head[STREAM_HEAD_MOST]; /* complete but for seq, ack, timestamps and the checksum */
	uint8_t len;	     /* of it */
	uint8_t opened;
	uint32_t sum; /* of what the checksum covers in head and pseudo header, folded to 32 bits */
	uint32_t iss;
	uint32_t snd_nxt;
	uint32_t snd_una;
	uint32_t rcv_nxt;
	uint32_t edge; /* right edge of the receiver's window */
	uint32_t ts_echo;
	uint32_t scale;
};

/* Where the TCP header lies in a frame, and where its options do. */
static inline uint32_t
stream_tcp_at(const struct stream *stream)
{
	return STREAM_IP_AT + (stream->config.ip6 ? WEIR_IP6_BYTES : WEIR_IP4_BYTES);
}

static inline uint32_t
stream_options_at(const struct stream *stream)
{
	return stream_tcp_at(stream) + WEIR_TCP_BYTES;
}

static inline uint16_t
stream_client_port(uint32_t i)
{
	return (uint16_t)(STREAM_PORT_MIN + i % STREAM_PORTS);
}

/* The header of flow i, and the sum of what stays the same between its segments. */
void stream_write_head(struct stream *stream, uint32_t i);
void stream_sum_head(struct stream *stream, uint32_t i);
/* A frame without payload, NULL when there is no buffer. */
struct rte_mbuf *stream_control_frame(struct stream *stream, uint32_t i, uint8_t flags);

#endif
