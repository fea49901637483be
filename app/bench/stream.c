/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "engine/port.h"
#include "flow/flow.h"
#include "stream_head.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/seg.h"
#include "wire/seq.h"

#define BURST	   64
#define POOL_CACHE 256
#define SYN_BATCH  256
#define TURNS_MOST 4096 /* that flows lose before the portion ends */
#define LINE	   64
#ifdef WEIR_DEBUG
#define POISONED true /* what comes home through the library's door has lost its payload */
#else
#define POISONED false
#endif

/* xorshift64* */
static uint64_t
next_random(struct stream *stream)
{
	stream->random ^= stream->random >> 12;
	stream->random ^= stream->random << 25;
	stream->random ^= stream->random >> 27;
	return stream->random * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t
random_below(struct stream *stream, uint32_t n)
{
	return (uint32_t)((next_random(stream) >> 32) * n >> 32);
}

static bool
send_control(struct stream *stream, uint32_t i, uint8_t flags)
{
	struct rte_mbuf *frame = stream_control_frame(stream, i, flags);

	if (frame == NULL)
		return false;
	if (stream->port->tx_burst(stream->port->ctx, &frame, 1, 0) == 1)
		return true;
	rte_pktmbuf_free(frame);
	return false;
}

/* ---- payload ---- */

static struct stream_note *
note_of(struct rte_mbuf *frame)
{
	return rte_mbuf_to_priv(frame);
}

static void
write_payload(struct rte_mempool *pool, void *context, void *object, unsigned int i)
{
	const struct stream_config *config = context;
	struct rte_mbuf *frame = object;
	uint32_t ip = config->ip6 ? WEIR_IP6_BYTES : WEIR_IP4_BYTES;
	uint32_t at = STREAM_IP_AT + ip + WEIR_TCP_BYTES + (config->timestamps ? WEIR_TS_BYTES : 0);
	uint8_t *payload = (uint8_t *)frame->buf_addr + RTE_PKTMBUF_HEADROOM + at;

	(void)pool;
	for (uint32_t k = 0; k < config->payload_bytes; k++)
		payload[k] = (uint8_t)(k * 7 + i);
	note_of(frame)->sum = weir_csum_add(payload, config->payload_bytes, 0);
}

static void
write_pattern(struct stream *stream, uint32_t i, struct rte_mbuf *frame)
{
	const struct stream_flow *flow = &stream->flows[i];
	uint8_t *payload = rte_pktmbuf_mtod_offset(frame, uint8_t *, flow->len);
	uint32_t offset = flow->snd_nxt - flow->iss - 1;

	memcpy(payload, generator_pattern_at(&stream->content, stream_client_port(i), offset),
	       stream->config.payload_bytes);
	note_of(frame)->sum = weir_csum_add(payload, stream->config.payload_bytes, 0);
}

/* ---- data ---- */

static uint32_t
run_length(struct stream *stream)
{
	uint32_t n = 1;

	if (stream->config.order != STREAM_GEOMETRIC)
		return stream->config.run;
	while (random_below(stream, stream->config.run) != 0)
		n++;
	return n;
}

static uint32_t
next_flow(struct stream *stream)
{
	if (stream->left == 0) {
		if (stream->config.order == STREAM_ROUND_ROBIN)
			stream->cursor =
			    stream->cursor + 1 < stream->config.flows ? stream->cursor + 1 : 0;
		else
			stream->cursor = random_below(stream, stream->config.flows);
		stream->left = run_length(stream);
	}
	stream->left--;
	return stream->cursor;
}

static void
describe(const struct stream *stream, struct rte_mbuf *frame, uint32_t header_len)
{
	uint32_t ip = stream->config.ip6 ? RTE_PTYPE_L3_IPV6 : RTE_PTYPE_L3_IPV4;

	frame->packet_type = RTE_PTYPE_L2_ETHER | ip | RTE_PTYPE_L4_TCP;
	frame->l2_len = STREAM_IP_AT;
	frame->l3_len = (uint16_t)(stream_tcp_at(stream) - STREAM_IP_AT) & 0x1ff;
	frame->l4_len = (uint16_t)(header_len - stream_tcp_at(stream)) & 0xff;
}

static void
write_segment(struct stream *stream, uint32_t i, struct rte_mbuf *frame)
{
	struct stream_flow *flow = &stream->flows[i];
	uint8_t *bytes = rte_pktmbuf_mtod(frame, uint8_t *), *tcp = bytes + stream_tcp_at(stream);
	uint64_t sum;
	uint16_t folded;

	if (stream->compared || stream->config.written || POISONED)
		write_pattern(stream, i, frame);
	sum = flow->sum + note_of(frame)->sum;
	memcpy(bytes, flow->head, flow->len);
	weir_store_be32(tcp + 4, flow->snd_nxt);
	weir_store_be32(tcp + 8, flow->rcv_nxt);
	sum = weir_csum_add(tcp + 4, 8, sum);
	if (stream->config.timestamps) {
		weir_store_be32(tcp + 24, stream->tsval);
		weir_store_be32(tcp + 28, flow->ts_echo);
		sum = weir_csum_add(tcp + 24, 8, sum);
	}
	folded = (uint16_t)~weir_csum_fold(sum);
	memcpy(tcp + 16, &folded, sizeof(folded));
	frame->data_len = (uint16_t)(flow->len + stream->config.payload_bytes);
	frame->pkt_len = frame->data_len;
	frame->ol_flags = stream->config.unverified
			      ? 0
			      : RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	if (stream->config.described)
		describe(stream, frame, flow->len);
	flow->snd_nxt += stream->config.payload_bytes;
	stream->unacked_bytes += stream->config.payload_bytes;
}

/* The place of the next segment of the flow whose segment is at `at`; n when there is none. */
static uint32_t
next_of_flow(const struct stream *stream, uint32_t at, uint32_t n)
{
	uint32_t next = at + 1;

	while (next < n && stream->sent[next] != stream->sent[at])
		next++;
	return next;
}

/* Each chosen segment goes 1 to `depth` places of its flow back; those between move up. */
static void
reorder(struct stream *stream, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *late = stream->frames[i];
		uint32_t at = i, by, next;

		if (random_below(stream, 1000) >= stream->config.reorder_permille)
			continue;
		by = 1 + random_below(stream, stream->config.reorder_depth);
		for (; by != 0 && (next = next_of_flow(stream, at, n)) < n; by--) {
			stream->frames[at] = stream->frames[next];
			at = next;
		}
		stream->frames[at] = late;
	}
}

__attribute__((target("clflushopt"))) static void
flush_headers(struct rte_mbuf **frames, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *bytes = rte_pktmbuf_mtod(frames[i], uint8_t *);

		__builtin_ia32_clflushopt(bytes);
		__builtin_ia32_clflushopt(bytes + LINE);
	}
	rte_mb();
}

static uint32_t
transmit(struct stream *stream, uint32_t n)
{
	uint32_t sent = 0;

	while (sent < n) {
		uint16_t want = (uint16_t)(n - sent < BURST ? n - sent : BURST);
		uint16_t got =
		    stream->port->tx_burst(stream->port->ctx, stream->frames + sent, want, 0);

		sent += got;
		if (got < want)
			break;
	}
	rte_pktmbuf_free_bulk(stream->frames + sent, n - sent);
	return sent;
}

static bool
window_is_open(const struct stream *stream, uint32_t i)
{
	const struct stream_flow *flow = &stream->flows[i];

	return weir_seq_diff(flow->edge, flow->snd_nxt) >= (int32_t)stream->config.payload_bytes;
}

/* The next flow whose window has room; one that has none loses its turn. WEIR_NONE: none has. */
static uint32_t
next_open_flow(struct stream *stream)
{
	for (uint32_t turns = 0; turns < TURNS_MOST; turns++) {
		uint32_t i = next_flow(stream);

		if (window_is_open(stream, i))
			return i;
		stream->left = 0;
	}
	return WEIR_NONE;
}

/* Write up to `n` segments to frames[from, ...); fewer when the windows or the pool are at their
 * end. */
static uint32_t
write_segments(struct stream *stream, uint32_t from, uint32_t n)
{
	struct rte_mbuf **frames = stream->frames + from;

	if (rte_pktmbuf_alloc_bulk(stream->pool, frames, n) != 0)
		return 0;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = next_open_flow(stream);

		if (i == WEIR_NONE) {
			rte_pktmbuf_free_bulk(frames + k, n - k);
			return k;
		}
		stream->sent[from + k] = i;
		write_segment(stream, i, frames[k]);
	}
	return n;
}

uint32_t
stream_fill(struct stream *stream, uint32_t n)
{
	uint32_t done = 0;

	while (done < n) {
		uint32_t want = n - done < BURST ? n - done : BURST;
		uint32_t got = write_segments(stream, done, want);

		done += got;
		if (got < want)
			break;
	}
	if (stream->config.reorder_permille != 0)
		reorder(stream, done);
	if (stream->config.flushed)
		flush_headers(stream->frames, done);
	stream->n_sent = done;
	stream->segments += done;
	return transmit(stream, done);
}

void
stream_rewind(struct stream *stream)
{
	stream->segments -= stream->n_sent;
	stream->unacked_bytes -= (uint64_t)stream->n_sent * stream->config.payload_bytes;
	for (uint32_t k = stream->n_sent; k-- > 0;)
		stream->flows[stream->sent[k]].snd_nxt -= stream->config.payload_bytes;
	stream->n_sent = 0;
}

/* ---- what comes back ---- */

/* The flow that a reply is for, or NULL. */
static struct stream_flow *
flow_of(struct stream *stream, const uint8_t *bytes)
{
	const uint8_t *tcp = bytes + stream_tcp_at(stream);
	uint32_t ip = weir_load_be32(tcp - 4) - STREAM_CLIENT_IP; /* in both families */
	uint32_t port = weir_load_be16(tcp + 2) - (uint32_t)STREAM_PORT_MIN;
	uint64_t i = (uint64_t)ip * STREAM_PORTS + port;

	return port < STREAM_PORTS && i < stream->config.flows ? &stream->flows[i] : NULL;
}

static void
read_syn_ack(struct stream_flow *flow, const uint8_t *tcp)
{
	uint32_t end = (tcp[12] >> 4) * 4u;

	for (uint32_t at = WEIR_TCP_BYTES; at < end && tcp[at] != 0;) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (tcp[at] == 3)
			flow->scale = tcp[at + 2];
		if (tcp[at] == 8)
			flow->ts_echo = weir_load_be32(tcp + at + 2);
		at += tcp[at + 1] < 2 ? 2 : tcp[at + 1];
	}
	flow->rcv_nxt = weir_load_be32(tcp + 4) + 1;
	flow->snd_una = flow->iss + 1;
	flow->opened = 1;
}

static void
read_reply(struct stream *stream, const uint8_t *bytes)
{
	struct stream_flow *flow = flow_of(stream, bytes);
	const uint8_t *tcp = bytes + stream_tcp_at(stream);
	uint32_t ack = weir_load_be32(tcp + 8);
	uint32_t win = weir_load_be16(tcp + 14);

	if (flow == NULL)
		return;
	if ((tcp[13] & WEIR_TCP_SYN) != 0) {
		read_syn_ack(flow, tcp);
	} else {
		win <<= flow->scale;
		if (tcp[12] >> 4 >= 8 && tcp[22] == 8)
			flow->ts_echo = weir_load_be32(tcp + 24);
		stream->acks++;
	}
	if (weir_seq_diff(ack, flow->snd_una) > 0) {
		stream->unacked_bytes -= ack - flow->snd_una;
		flow->snd_una = ack;
	}
	if (weir_seq_diff(ack + win, flow->edge) > 0)
		flow->edge = ack + win;
}

uint32_t
stream_settle(struct stream *stream)
{
	struct rte_mbuf *frames[BURST];
	uint32_t total = 0, n;

	while ((n = stream->port->rx_burst(stream->port->ctx, frames, BURST, 0)) != 0) {
		for (uint32_t i = 0; i < n; i++)
			read_reply(stream, rte_pktmbuf_mtod(frames[i], const uint8_t *));
		rte_pktmbuf_free_bulk(frames, n);
		total += n;
	}
	return total;
}

/* ---- begin and end ---- */

static bool
connect_batch(struct stream *stream, uint32_t from, uint32_t to, void (*poll)(void *),
	      void *context)
{
	for (uint32_t i = from; i < to; i++)
		if (!send_control(stream, i, WEIR_TCP_SYN))
			return false;
	poll(context);
	stream_settle(stream);
	for (uint32_t i = from; i < to; i++) {
		struct stream_flow *flow = &stream->flows[i];

		if (!flow->opened)
			return false;
		flow->snd_nxt++;
		stream_sum_head(stream, i);
		if (!send_control(stream, i, WEIR_TCP_ACK))
			return false;
	}
	poll(context);
	return true;
}

bool
stream_connect(struct stream *stream, void (*poll)(void *context), void *context)
{
	for (uint32_t i = 0; i < stream->config.flows; i += SYN_BATCH) {
		uint32_t to =
		    i + SYN_BATCH < stream->config.flows ? i + SYN_BATCH : stream->config.flows;

		if (!connect_batch(stream, i, to, poll, context))
			return false;
	}
	/* Options of SYNs were written where payload lies. */
	rte_mempool_obj_iter(stream->pool, write_payload, &stream->config);
	return true;
}

static int
open_pool(struct stream *stream)
{
	static atomic_uint number;
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "stream_%u", atomic_fetch_add(&number, 1));
	stream->pool = rte_pktmbuf_pool_create_by_ops(
	    name, stream->config.buffers, POOL_CACHE, sizeof(struct stream_note),
	    RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY, "stack");
	if (stream->pool == NULL)
		return -ENOMEM;
	rte_mempool_obj_iter(stream->pool, write_payload, &stream->config);
	return 0;
}

int
stream_open(struct stream *stream, const struct stream_config *config, struct weir_port *port,
	    const uint8_t server_mac[6])
{
	*stream = (struct stream){.config = *config, .port = port, .random = config->seed | 1};
	generator_pattern_fill(&stream->content);
	memcpy(stream->server_mac, server_mac, sizeof(stream->server_mac));
	stream->flows = calloc(config->flows, sizeof(stream->flows[0]));
	stream->sent = calloc(STREAM_PORTION_MOST, sizeof(stream->sent[0]));
	stream->frames = calloc(STREAM_PORTION_MOST, sizeof(struct rte_mbuf *));
	if (stream->flows == NULL || stream->sent == NULL || stream->frames == NULL ||
	    open_pool(stream) != 0) {
		stream_close(stream);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < config->flows; i++) {
		struct stream_flow *flow = &stream->flows[i];

		flow->iss = (uint32_t)next_random(stream);
		flow->snd_nxt = flow->snd_una = flow->edge = flow->iss;
		stream_write_head(stream, i);
	}
	return 0;
}

void
stream_close(struct stream *stream)
{
	free(stream->flows);
	free(stream->sent);
	free(stream->frames);
	rte_mempool_free(stream->pool);
	memset(stream, 0, sizeof(*stream));
}
