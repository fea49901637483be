/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <string.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/header.h"
#include "wire/seg.h"
#include "wire/tags.h"

#define MAC_BYTES 6
#define IP_BYTES  WEIR_HEADER_IP4
#define IP6_BYTES 40
#define TCP_BYTES 20
#define TS_BYTES  12 /* NOP NOP TIMESTAMP */

#define ETHERTYPE_IP4  0x0800
#define ETHERTYPE_IP6  0x86dd
#define PROTOCOL_TCP   6
#define DONT_FRAGMENT  0x4000
#define TTL	       64

/* TCP options. */
#define NOP	       1
#define MSS	       2
#define WSCALE	       3
#define SACK_PERMITTED 4
#define SACK	       5
#define TIMESTAMP      8

/* Offsets in the TCP header. */
#define SEQ    4
#define ACK    8
#define OFFSET 12
#define FLAGS  13
#define WINDOW 14
#define SUM    16
#define TSVAL  24
#define TSECR  28

static void
store_sum(uint8_t *to, uint64_t sum)
{
	uint16_t field = (uint16_t)~weir_csum_fold(sum);

	memcpy(to, &field, sizeof(field));
}

static uint8_t *
put_tag(uint8_t *to, uint16_t ethertype, uint16_t tci)
{
	weir_store_be16(to, ethertype);
	weir_store_be16(to + 2, tci);
	return to + 4;
}

/* Returns the length of the link header. */
static uint8_t
put_link(uint8_t *bytes, const struct weir_link *link, uint16_t ethertype)
{
	uint8_t *to = bytes;

	if (link->l3)
		return 0;
	memcpy(to, link->remote_mac, MAC_BYTES);
	memcpy(to + MAC_BYTES, link->local_mac, MAC_BYTES);
	to += 2 * MAC_BYTES;
	for (uint32_t i = 0; i < link->n_tags; i++)
		to = put_tag(to, weir_tags_id(link->tags, i), link->tci[i]);
	weir_store_be16(to, ethertype);
	return (uint8_t)(to + 2 - bytes);
}

static bool
is_ip6(const uint8_t *ip)
{
	return ip[0] >> 4 == 6;
}

/* What depends on the packet: its length, its ECN codepoint and, in IPv4, the header sum. */
static void
finish_ip(uint8_t *ip, uint32_t tcp_len, uint8_t ecn)
{
	if (is_ip6(ip)) {
		ip[1] = (uint8_t)((ip[1] & 0x0f) | ecn << 4);
		weir_store_be16(ip + 4, (uint16_t)tcp_len);
		return;
	}
	ip[1] = ecn;
	weir_store_be16(ip + 2, (uint16_t)(IP_BYTES + tcp_len));
	weir_store_be16(ip + 10, 0);
	store_sum(ip + 10, weir_csum_add(ip, IP_BYTES, 0));
}

static void
put_ip(uint8_t *ip, const struct weir_key4 *key)
{
	ip[0] = 0x45;
	weir_store_be16(ip + 6, DONT_FRAGMENT);
	ip[8] = TTL;
	ip[9] = PROTOCOL_TCP;
	weir_store_be32(ip + 12, key->laddr);
	weir_store_be32(ip + 16, key->raddr);
}

static void
put_ip6(uint8_t *ip, const struct weir_link *link, const struct weir_key *key)
{
	weir_store_be32(ip, 0x60000000 | link->flow_label);
	ip[6] = PROTOCOL_TCP;
	ip[7] = TTL;
	memcpy(ip + 8, link->local6, WEIR_ADDRESS6_BYTES);
	for (uint32_t i = 0; i < 3; i++)
		weir_store_be32(ip + 24 + 4 * i, key->raddr_high[i]);
	weir_store_be32(ip + 36, key->low.raddr);
}

static uint8_t *
put_nops(uint8_t *to, uint32_t n)
{
	memset(to, NOP, n);
	return to + n;
}

static uint8_t *
put_timestamp(uint8_t *to, uint32_t tsval, uint32_t tsecr)
{
	to[0] = TIMESTAMP;
	to[1] = 10;
	weir_store_be32(to + 2, tsval);
	weir_store_be32(to + 6, tsecr);
	return to + 10;
}

static void
put_tcp(uint8_t *tcp, const struct weir_key4 *key, int has_ts)
{
	weir_store_be16(tcp, key->lport);
	weir_store_be16(tcp + 2, key->rport);
	tcp[OFFSET] = (uint8_t)((TCP_BYTES + (has_ts ? TS_BYTES : 0)) / 4 << 4);
	tcp[FLAGS] = WEIR_HEADER_FLAGS;
	if (has_ts)
		put_timestamp(put_nops(tcp + TCP_BYTES, 2), 0, 0);
}

/* The pseudo header from an IP header as it lies. */
static uint64_t
pseudo_sum(const uint8_t *ip, uint32_t tcp_len)
{
	if (is_ip6(ip))
		return weir_csum_pseudo6(ip + 8, PROTOCOL_TCP, tcp_len);
	return weir_csum_pseudo4(weir_load_be32(ip + 12), weir_load_be32(ip + 16), PROTOCOL_TCP,
				 (uint16_t)tcp_len);
}

/* The link header of `out` and the places behind it; returns that of the IP header. */
static uint8_t *
begin(struct weir_header *out, const struct weir_link *link, uint16_t ethertype, int has_ts)
{
	memset(out, 0, sizeof(*out));
	out->has_ts = has_ts != 0;
	out->l3_off = put_link(out->bytes, link, ethertype);
	out->l4_off = out->l3_off + (ethertype == ETHERTYPE_IP6 ? IP6_BYTES : IP_BYTES);
	out->len = (uint8_t)(out->l4_off + TCP_BYTES + (has_ts ? TS_BYTES : 0));
	return out->bytes + out->l3_off;
}

static void
finish(struct weir_header *out, const struct weir_key4 *ports)
{
	uint8_t *ip = out->bytes + out->l3_off, *tcp = out->bytes + out->l4_off;
	uint32_t tcp_len = (uint32_t)out->len - out->l4_off;

	finish_ip(ip, tcp_len, 0);
	put_tcp(tcp, ports, out->has_ts);
	out->base_sum = weir_csum_fold(weir_csum_add(tcp, tcp_len, pseudo_sum(ip, tcp_len)));
}

void
weir_header_init(struct weir_header *out, const struct weir_link *link, const struct weir_key4 *key,
		 int has_ts)
{
	put_ip(begin(out, link, ETHERTYPE_IP4, has_ts), key);
	finish(out, key);
}

void
weir_header_init6(struct weir_header *out, const struct weir_link *link, const struct weir_key *key,
		  int has_ts)
{
	put_ip6(begin(out, link, ETHERTYPE_IP6, has_ts), link, key);
	finish(out, &key->low);
}

static uint8_t *
put_accecn(uint8_t *to, const struct weir_accecn_echo *echo)
{
	if (echo->kind == 0)
		return to;
	to[0] = echo->kind;
	to[1] = (uint8_t)(2 + 3 * echo->n);
	to += 2;
	for (uint32_t i = 0; i < echo->n; i++, to += 3) {
		to[0] = (uint8_t)(echo->counters[i] >> 16);
		weir_store_be16(to + 1, (uint16_t)echo->counters[i]);
	}
	return to;
}

/* Options in an order that needs no padding in a full set: 4 + 2 + 10 + 1 + 3. */
static uint8_t *
put_syn_options(uint8_t *to, const struct weir_header *header, const struct weir_packet *packet)
{
	if (packet->mss != 0) {
		to[0] = MSS;
		to[1] = 4;
		weir_store_be16(to + 2, packet->mss);
		to += 4;
	}
	if (packet->sack_permitted) {
		to[0] = SACK_PERMITTED;
		to[1] = 2;
		to += 2;
	}
	if (header->has_ts)
		to = put_timestamp(to, packet->tsval, packet->tsecr);
	if (packet->wscale >= 0) {
		to[0] = NOP;
		to[1] = WSCALE;
		to[2] = 3;
		to[3] = (uint8_t)packet->wscale;
		to += 4;
	}
	return put_accecn(to, &packet->accecn);
}

/* Forty bytes hold four blocks, or three beside a timestamp (RFC 2018 section 3); AccECN takes the
 * place of one. */
static uint8_t *
put_sacks(uint8_t *to, const struct weir_header *header, const struct weir_packet *packet)
{
	const uint32_t most = (header->has_ts ? 3 : 4) - (packet->accecn.kind != 0);
	const uint32_t n = packet->n_sacks < most ? packet->n_sacks : most;

	if (n == 0)
		return to;
	to = put_nops(to, 2);
	to[0] = SACK;
	to[1] = (uint8_t)(2 + 8 * n);
	to += 2;
	for (uint32_t i = 0; i < n; i++, to += 8) {
		weir_store_be32(to, packet->sacks[i][0]);
		weir_store_be32(to + 4, packet->sacks[i][1]);
	}
	return to;
}

/* Returns the length of the options, a multiple of four. */
static uint32_t
put_options(uint8_t *options, const struct weir_header *header, const struct weir_packet *packet)
{
	uint8_t *to = options;

	if ((packet->flags & WEIR_TCP_SYN) != 0) {
		to = put_syn_options(to, header, packet);
	} else {
		if (header->has_ts)
			to = put_timestamp(put_nops(to, 2), packet->tsval, packet->tsecr);
		to = put_accecn(to, &packet->accecn);
		to = put_nops(to, (uint32_t)(options - to) & 3);
		to = put_sacks(to, header, packet);
	}
	to = put_nops(to, (uint32_t)(options - to) & 3);
	return (uint32_t)(to - options);
}

uint32_t
weir_header_build(const struct weir_header *header, const struct weir_packet *packet, uint8_t *to)
{
	uint8_t *ip = to + header->l3_off, *tcp = to + header->l4_off;
	uint32_t tcp_len;

	memcpy(to, header->bytes, header->l4_off + TCP_BYTES);
	weir_store_be32(tcp + SEQ, packet->seq);
	weir_store_be32(tcp + ACK, packet->ack);
	tcp[FLAGS] = (uint8_t)packet->flags;
	weir_store_be16(tcp + WINDOW, packet->win);
	tcp_len = TCP_BYTES + put_options(tcp + TCP_BYTES, header, packet);
	tcp[OFFSET] = (uint8_t)(tcp_len / 4 << 4 | packet->flags >> 8);
	finish_ip(ip, tcp_len, packet->ecn & WEIR_ECN_MASK);
	store_sum(tcp + SUM, weir_csum_add(tcp, tcp_len, pseudo_sum(ip, tcp_len)));
	return header->l4_off + tcp_len;
}

/* The option with all blocks, the first one's right edge zero; its sum. */
static uint64_t
put_sack_image(uint8_t *to, const struct weir_packet *packet)
{
	const uint32_t n = packet->n_sacks;
	const uint32_t head = __builtin_bswap32(NOP << 24 | NOP << 16 | SACK << 8 | (2 + 8 * n));
	uint64_t sum = head;

	memcpy(to, &head, sizeof(head));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t start = __builtin_bswap32(packet->sacks[i][0]);
		uint64_t end = i != 0 ? __builtin_bswap32(packet->sacks[i][1]) : 0;
		uint64_t block = start | end << 32;

		memcpy(to + 4 + 8 * i, &block, sizeof(block));
		sum += start + end;
	}
	return sum;
}

/* The lengths of `header`, which it has as they are without options, grow by `more`; what that adds to the sum of its
 * pseudo header. */
static uint64_t
grow_ip(const struct weir_header *header, uint32_t more, uint8_t *bytes)
{
	uint8_t *ip = bytes + header->l3_off;
	uint64_t sum = __builtin_bswap16((uint16_t)more);
	uint16_t field;

	if (is_ip6(ip)) {
		weir_store_be16(ip + 4, header->len - header->l4_off + more);
		return sum;
	}
	weir_store_be16(ip + 2, header->len - header->l3_off + more);
	memcpy(&field, ip + 10, sizeof(field));
	field = (uint16_t)~weir_csum_fold((uint64_t)(uint16_t)~field + sum);
	memcpy(ip + 10, &field, sizeof(field));
	return sum;
}

void
weir_sack_image(struct weir_sack_image *image, const struct weir_header *header,
		const struct weir_packet *packet)
{
	const struct weir_ack_template train = {
		.header = header, .seq = packet->seq, .tsval = packet->tsval, .flags = packet->flags};
	const struct weir_ack same = {
		.ack = packet->ack, .tsecr = packet->tsecr, .win = packet->win};
	struct weir_ack_image ack = weir_header_image(&train);
	uint32_t more = packet->n_sacks != 0 ? 4 + 8u * packet->n_sacks : 0;
	uint8_t *tcp = image->bytes + header->l4_off;
	uint16_t field;

	weir_header_ack(&ack, &same, image->bytes);
	image->len = header->len + more;
	image->edge_off = more != 0 ? header->len + 8 : 0;
	image->sum_off = header->l4_off + SUM;
	if (more == 0)
		return;
	memcpy(&field, tcp + SUM, sizeof(field));
	tcp[OFFSET] = (uint8_t)(tcp[OFFSET] + (more / 4 << 4));
	image->sum = (uint32_t)weir_csum_fold((uint64_t)(uint16_t)~field + (more / 4 << 4) +
					      grow_ip(header, more, image->bytes) +
					      put_sack_image(image->bytes + header->len, packet));
}
