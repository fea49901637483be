/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers of data segments: everything that does not change is written and summed beforehand, the
 * sum of the payload too, so that a right checksum costs a few additions (RFC 1071).
 */
#include <string.h>

#include "app/generator/state.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/header.h"

#define PROTOCOL_TCP 6
#define WINDOW	     0xffff

static uint16_t
load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void
store_sum(uint8_t *to, uint64_t sum)
{
	uint16_t field = (uint16_t)~weir_csum_fold(sum);

	memcpy(to, &field, sizeof(field));
}

static void
head_init(const struct generator *g, struct gen_head *head, bool has_ts)
{
	const struct weir_key4 key = {.raddr = g->config.target, .rport = g->config.target_port};
	struct weir_link link = {.l3 = g->l3};
	struct weir_header header;
	uint8_t *tcp;

	memcpy(link.local_mac, g->mac, sizeof(link.local_mac));
	memcpy(link.remote_mac, g->next_hop_mac, sizeof(link.remote_mac));
	weir_header_init(&header, &link, &key, has_ts);
	memset(head, 0, sizeof(*head));
	head->len = header.len;
	head->ip_at = (uint8_t)(GEN_HEAD - header.len + header.l3_off);
	head->tcp_at = head->ip_at + GEN_IP;
	memcpy(head->bytes + GEN_HEAD - header.len, header.bytes, header.len);
	tcp = head->bytes + head->tcp_at;
	weir_store_be16(tcp + 14, WINDOW);
	memset(head->bytes + head->ip_at + 2, 0, 2);
	memset(head->bytes + head->ip_at + 10, 0, 2);
	head->ip_sum = weir_csum_fold(weir_csum_add(head->bytes + head->ip_at, GEN_IP, 0));
	head->sum = weir_csum_fold(weir_csum_add(tcp, GEN_HEAD - head->tcp_at, 0)) +
		    weir_csum_pseudo4(0, g->config.target, PROTOCOL_TCP, 0);
}

void
gen_heads_init(struct generator *g)
{
	head_init(g, &g->heads[0], false);
	head_init(g, &g->heads[1], true);
}

static const struct gen_head *
head_of(const struct generator *g, const struct gen_flow *f)
{
	return &g->heads[(f->flags & GEN_USES_TS) != 0];
}

void
gen_sums_init(struct generator *g, uint32_t len)
{
	uint32_t n = g->config.verify ? GENERATOR_PATTERN_PERIOD : 1;

	g->sums_len = len;
	for (uint32_t i = 0; i < n; i++)
		g->sums[i] = weir_csum_fold(weir_csum_add(g->pattern.bytes + i, len, 0));
}

void
gen_flow_sums(struct generator *g, struct gen_flow *f)
{
	const struct gen_head *head = head_of(g, f);
	uint64_t address = __builtin_bswap32(f->address);

	f->base_sum = weir_csum_fold(head->sum + address + __builtin_bswap16(f->port));
	f->ip_sum = weir_csum_fold(head->ip_sum + address);
	if (f->mss < g->sums_len)
		gen_sums_init(g, f->mss);
}

void
gen_head_length(struct gen_head *head, uint32_t len)
{
	uint8_t *ip = head->bytes + head->ip_at;
	uint32_t total = GEN_HEAD - head->ip_at + len;

	weir_store_be16(ip + 2, (uint16_t)total);
	store_sum(ip + 10, head->ip_sum + (uint64_t)load16(ip + 2));
	head->sum -= head->length_sum;
	head->length_sum = __builtin_bswap16((uint16_t)(total - GEN_IP));
	head->sum += head->length_sum;
	head->payload = len;
}

void
gen_head_begin(const struct generator *g, const struct gen_flow *f, struct gen_head *head)
{
	uint32_t tsecr = g->config.fixed_timestamp ? 0 : f->ts_recent;
	uint8_t *tcp;

	*head = *head_of(g, f);
	head->ip_sum = f->ip_sum;
	head->sum = f->base_sum + (uint64_t)__builtin_bswap32(f->rcv_next);
	tcp = head->bytes + head->tcp_at;
	weir_store_be32(tcp - 8, f->address);
	weir_store_be16(tcp, f->port);
	weir_store_be32(tcp + 8, f->rcv_next);
	if (f->flags & GEN_USES_TS) {
		weir_store_be32(tcp + 24, g->tsval);
		weir_store_be32(tcp + 28, tsecr);
		head->sum += (uint64_t)__builtin_bswap32(g->tsval) + __builtin_bswap32(tsecr);
	}
	gen_head_length(head, f->mss);
}

uint32_t
gen_position(const struct generator *g, const struct gen_flow *f, uint32_t seq)
{
	if (!g->config.verify)
		return 0;
	return generator_pattern_position(f->port, f->una_offset + (seq - f->una));
}

static uint64_t
payload_sum(const struct generator *g, uint32_t position, uint32_t len)
{
	if (len == g->sums_len)
		return g->sums[position];
	return weir_csum_add(g->pattern.bytes + position, len, 0);
}

void
gen_fill_segment(const struct generator *g, const struct gen_head *head, struct rte_mbuf *buf,
		 uint32_t seq, uint32_t position)
{
	uint8_t *at = (uint8_t *)buf->buf_addr + RTE_PKTMBUF_HEADROOM;
	uint8_t *tcp = at + head->tcp_at;
	uint32_t len = head->payload;

	buf->data_off = (uint16_t)(GEN_PAYLOAD_AT - head->len);
	buf->data_len = (uint16_t)(head->len + len);
	buf->pkt_len = head->len + len;
	buf->ol_flags = g->config.stamp;
	memcpy(at, head->bytes, GEN_HEAD);
	weir_store_be32(tcp + 4, seq);
	store_sum(tcp + 16, head->sum + __builtin_bswap32(seq) + payload_sum(g, position, len));
	if (g->refill)
		memcpy(at + GEN_HEAD, g->pattern.bytes + position, len);
}

void
gen_head_flags(struct gen_head *head, uint8_t flags)
{
	uint8_t *field = head->bytes + head->tcp_at + 13;

	/* Second byte of its word: the high one as it lies. */
	head->sum += (uint64_t)flags << 8;
	head->sum += (uint16_t) ~((uint32_t)*field << 8);
	*field = flags;
}

void
gen_prefill(struct generator *g)
{
	struct rte_mbuf *first = NULL, *buf;
	uint32_t len = g->config.mss;

	while ((buf = weir_buf_alloc(g->pool)) != NULL) {
		memcpy((uint8_t *)buf->buf_addr + GEN_PAYLOAD_AT, g->pattern.bytes, len);
		buf->next = first;
		first = buf;
	}
	while (first != NULL) {
		buf = first;
		first = buf->next;
		buf->next = NULL;
		weir_buf_free(g->pool, buf);
	}
}
