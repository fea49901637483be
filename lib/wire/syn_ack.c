/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/syn_ack.h"

#include <string.h>

#include "wire/bytes.h"

#define IP_SUM	   10
#define IP_REMOTE  16
#define TCP_REMOTE 2
#define TCP_SEQ	   4
#define TCP_ACK	   8
#define TCP_SUM	   16
#define TCP_BYTES  20

#define MSS_BYTES  4
#define SACK_BYTES 2
#define TS_VALUE   2 /* of the option */

/* The sum that a checksum field was made of. */
static uint64_t
sum_of(const uint8_t *field)
{
	uint16_t value;

	memcpy(&value, field, sizeof(value));
	return (uint16_t)~value;
}

void
weir_syn_ack_image(struct weir_syn_ack_image *image, const struct weir_syn_ack_kind *kind,
		   const struct weir_link *link)
{
	const struct weir_key4 key = {
		.laddr = kind->laddr, .lport = kind->lport, .vlan = kind->vlan};
	struct weir_packet packet = {
		.win = kind->win,
		.flags = kind->flags,
		.mss = kind->mss,
		.wscale = kind->wscale,
		.sack_permitted = kind->sack_permitted,
	};
	struct weir_header header;

	if (kind->accecn)
		packet.accecn = weir_accecn_first();
	memset(image, 0, sizeof(*image));
	weir_header_init(&header, link, &key, kind->has_ts);
	image->kind = *kind;
	image->len = (uint8_t)weir_header_build(&header, &packet, image->bytes);
	image->l3_off = header.l3_off;
	image->l4_off = header.l4_off;
	image->ts_off = (uint8_t)(header.l4_off + TCP_BYTES + (kind->mss != 0 ? MSS_BYTES : 0) +
				  (kind->sack_permitted ? SACK_BYTES : 0) + TS_VALUE);
	image->ip_sum = sum_of(image->bytes + image->l3_off + IP_SUM);
	image->tcp_sum = sum_of(image->bytes + image->l4_off + TCP_SUM);
}

/* Store a number at an even place and add it to the sum, in the order in which it lies. */
static inline uint64_t
patch32(uint8_t *to, uint32_t v, uint64_t sum)
{
	weir_store_be32(to, v);
	return sum + __builtin_bswap32(v);
}

static inline void
store_sum(uint8_t *to, uint64_t sum)
{
	uint16_t field;

	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	field = (uint16_t)~(sum + (sum >> 16));
	memcpy(to, &field, sizeof(field));
}

uint32_t
weir_syn_ack_write(const struct weir_syn_ack_image *image, const struct weir_syn_ack *syn_ack,
		   uint8_t *to)
{
	uint8_t *ip = to + image->l3_off, *tcp = to + image->l4_off;
	uint64_t sum = image->tcp_sum;

	memcpy(to, image->bytes, WEIR_SYN_ACK_MAX);
	if (image->l3_off != 0)
		memcpy(to, syn_ack->remote_mac, sizeof(syn_ack->remote_mac));
	store_sum(ip + IP_SUM, patch32(ip + IP_REMOTE, syn_ack->raddr, image->ip_sum));
	sum += __builtin_bswap32(syn_ack->raddr); /* of the pseudo header */
	weir_store_be16(tcp + TCP_REMOTE, syn_ack->rport);
	sum += __builtin_bswap16(syn_ack->rport);
	sum = patch32(tcp + TCP_SEQ, syn_ack->seq, sum);
	sum = patch32(tcp + TCP_ACK, syn_ack->ack, sum);
	if (image->kind.has_ts) {
		sum = patch32(to + image->ts_off, syn_ack->tsval, sum);
		sum = patch32(to + image->ts_off + 4, syn_ack->tsecr, sum);
	}
	store_sum(tcp + TCP_SUM, sum);
	return image->len;
}
