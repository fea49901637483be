/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/generator/segment.h"

#define VERSION_IHL   0x45
#define DONT_FRAGMENT 0x40 /* first byte of its word */
#define TTL	      64
#define PROTOCOL_TCP  6
#define ETHERTYPE_IP4 0x0800
#define ETHERTYPE_IP6 0x86dd
#define VERSION6      0x60 /* first byte of its word */
#define NOP_NOP_TS    0x0a080101u /* NOP NOP TIMESTAMP 10 as they lie */
#define WINDOW	      0xffff

void
gen_link_header(struct generator *g)
{
	memset(g->link, 0, sizeof(g->link));
	memcpy(g->link, g->next_hop_mac, 6);
	memcpy(g->link + 6, g->mac, 6);
	weir_store_be16(g->link + 12, g->config.ip6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
}

void
gen_sums_init(struct generator *g, uint32_t len)
{
	uint32_t n = g->config.verify ? GENERATOR_PATTERN_PERIOD : 1;

	g->sums_len = len;
	for (uint32_t i = 0; i < n; i++)
		g->sums[i] = weir_csum_fold(weir_csum_add(g->pattern.bytes + i, len, 0));
}

static uint64_t
address_sum(const struct generator *g, const struct gen_flow *f)
{
	uint8_t addresses[32];

	if (!g->config.ip6)
		return (uint64_t)__builtin_bswap32(f->address) +
		       __builtin_bswap32(g->config.target);
	gen_source6(g, f->address, addresses);
	memcpy(addresses + 16, g->config.target6, 16);
	return weir_csum_add(addresses, sizeof(addresses), 0);
}

/* What never changes while the connection lives. */
void
gen_flow_sums(struct generator *g, struct gen_flow *f)
{
	uint64_t addresses = address_sum(g, f);
	uint64_t ports =
	    (uint64_t)__builtin_bswap16(f->port) + __builtin_bswap16(g->config.target_port);

	f->ip_sum =
	    weir_csum_fold(addresses + VERSION_IHL + DONT_FRAGMENT + TTL + (PROTOCOL_TCP << 8));
	f->base_sum = weir_csum_fold(addresses + ports + __builtin_bswap16(PROTOCOL_TCP) +
				     (f->flags & GEN_USES_TS ? NOP_NOP_TS : 0));
	if (f->mss < g->sums_len)
		gen_sums_init(g, f->mss);
}

static uint64_t
ports_of(const struct generator *g, const struct gen_flow *f)
{
	return __builtin_bswap16(f->port) | (uint64_t)__builtin_bswap16(g->config.target_port) << 16;
}

static void
begin_ip6(const struct generator *g, const struct gen_flow *f, struct gen_head *head)
{
	uint16_t len = __builtin_bswap16((uint16_t)(head->packet_len - GEN_IP6 + head->payload));
	uint8_t source[16];

	gen_source6(g, f->address, source);
	head->ip[0] = VERSION6 | (uint64_t)len << 32 | (uint64_t)PROTOCOL_TCP << 48 |
		      (uint64_t)TTL << 56;
	memcpy(&head->ip[1], source, sizeof(source));
	memcpy(&head->ip[3], g->config.target6, sizeof(g->config.target6));
	head->ip[5] = ports_of(g, f);
}

static void
begin_ip(const struct generator *g, const struct gen_flow *f, struct gen_head *head)
{
	uint16_t total = __builtin_bswap16((uint16_t)(head->packet_len + head->payload));
	uint16_t sum = (uint16_t)~weir_csum_fold((uint64_t)f->ip_sum + total);

	head->ip[0] = VERSION_IHL | (uint64_t)total << 16 | (uint64_t)DONT_FRAGMENT << 48;
	head->ip[1] = TTL | PROTOCOL_TCP << 8 | (uint64_t)sum << 16 |
		      (uint64_t)__builtin_bswap32(f->address) << 32;
	head->ip[2] = __builtin_bswap32(g->config.target) | ports_of(g, f) << 32;
}

void
gen_head_begin(const struct generator *g, const struct gen_flow *f, uint32_t len, uint8_t flags,
	       struct gen_head *head)
{
	uint32_t tcp_len = GEN_TCP, tsval = 0;

	head->tsecr = 0;
	if (f->flags & GEN_USES_TS) {
		tcp_len += GEN_TS;
		tsval = __builtin_bswap32(g->tsval);
		head->tsecr = g->config.fixed_timestamp ? 0 : __builtin_bswap32(f->ts_recent);
	}
	head->ts = NOP_NOP_TS | (uint64_t)tsval << 32;
	head->ack = __builtin_bswap32(f->rcv_next);
	head->flags = tcp_len << 2 | (uint32_t)flags << 8 | (uint32_t)WINDOW << 16;
	head->payload = len;
	head->packet_len = g->ip_bytes + tcp_len;
	head->frame_len = g->ether + head->packet_len;
	head->sum = (uint64_t)f->base_sum + head->ack + head->flags + tsval + head->tsecr +
		    __builtin_bswap16((uint16_t)(tcp_len + len));
	if (g->config.ip6)
		begin_ip6(g, f, head);
	else
		begin_ip(g, f, head);
}

uint32_t
gen_position(const struct generator *g, const struct gen_flow *f, uint32_t seq)
{
	if (!g->config.verify)
		return 0;
	return generator_pattern_position(f->port, f->una_offset + (seq - f->una));
}

void
gen_prefill(struct generator *g)
{
	struct rte_mbuf *first = NULL, *buf;

	while ((buf = weir_buf_alloc(g->pool)) != NULL) {
		memcpy((uint8_t *)buf->buf_addr + GEN_PAYLOAD_AT, g->pattern.bytes, g->config.mss);
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
