/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/icmp_write.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/address6.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
#include "wire/head.h"

#define VERSION	    0x60000000
#define SOURCE	    8 /* addresses in the header of IPv6 */
#define DESTINATION 24
#define TTL	    64
#define DONT_FRAGMENT 0x4000

#define ICMP_BYTES   8
#define QUOTE4_MOST  (576 - WEIR_IP4_BYTES - ICMP_BYTES) /* RFC 1812 4.3.2.3 */
#define QUOTE6_MOST  (1280 - WEIR_IP6_BYTES - ICMP_BYTES)
#define ERROR6_LIMIT 128 /* types of ICMPv6 below are errors */
#define REDIRECT6    137

/* Next headers that a packet may have in front of what it is. */
#define HOP_BY_HOP	 0
#define ROUTING		 43
#define FRAGMENT	 44
#define DESTINATION_OPTS 60
#define EXTENSIONS_MAX	 8

/* What is being written. */
struct error {
	const struct weir_parse *parse;
	struct rte_mbuf *about;
	uint32_t l3_off;
	const struct weir_icmp_say *say;
	uint8_t ip[WEIR_IP6_BYTES]; /* of the packet, as much as there is */
	uint8_t *to;		    /* behind the link header */
	uint32_t room;
};

/* One frame would be multiplied: the link address of a group is no host's, either. */
static bool
to_one_host(const struct error *error)
{
	uint8_t macs[2 * WEIR_MAC_BYTES];

	if (error->parse->l3)
		return true;
	return weir_chain_copy(error->about, 0, sizeof(macs), macs) == sizeof(macs) &&
	       (macs[WEIR_MAC_BYTES] & 1) == 0 && ((macs[0] & 1) == 0 || error->say->to_groups);
}

static void
write_link(const struct error *error, uint8_t *to)
{
	uint8_t *macs = to;

	if (error->l3_off == 0)
		return;
	weir_chain_copy(error->about, 0, error->l3_off, to);
	memcpy(macs, macs + WEIR_MAC_BYTES, WEIR_MAC_BYTES);
	memcpy(macs + WEIR_MAC_BYTES, error->parse->mac, WEIR_MAC_BYTES);
}

/* Type, code, pointer and the quotation of `len` bytes; the sum is still open. */
static void
write_message(const struct error *error, uint8_t *message, uint32_t len)
{
	memset(message, 0, ICMP_BYTES);
	message[0] = error->say->type;
	message[1] = error->say->code;
	weir_store_be32(message + 4, error->say->pointer);
	weir_chain_copy(error->about, error->l3_off, len, message + ICMP_BYTES);
}

static void
store_sum(uint8_t *to, uint64_t sum)
{
	uint16_t field = (uint16_t)~weir_csum_fold(sum);

	memcpy(to, &field, sizeof(field));
}

static uint32_t
quoted(const struct error *error, uint32_t packet, uint32_t most, uint32_t headers)
{
	uint32_t len = packet < most ? packet : most;

	return len + headers <= error->room ? len : error->room - headers;
}

/* ---- IPv4 ---- */

static uint32_t
write4(const struct error *error)
{
	const uint8_t *ip = error->ip;
	uint32_t packet = error->about->pkt_len - error->l3_off, len;
	uint8_t *to = error->to, *message = to + WEIR_IP4_BYTES;

	if (ip[9] != WEIR_PROTOCOL_TCP || !weir_head_source_valid(error->parse, weir_load_be32(ip + 12)) ||
	    weir_load_be32(ip + 16) != error->parse->ip)
		return 0; /* it is no error that it is about: only TCP waits here */
	len = quoted(error, packet, QUOTE4_MOST, WEIR_IP4_BYTES + ICMP_BYTES);
	write_message(error, message, len);
	store_sum(message + 2, weir_csum_add(message, ICMP_BYTES + len, 0));
	memset(to, 0, WEIR_IP4_BYTES);
	to[0] = 0x45;
	to[1] = 0xc0; /* internetwork control (RFC 1812 4.3.2.5) */
	weir_store_be16(to + 2, (uint16_t)(WEIR_IP4_BYTES + ICMP_BYTES + len));
	weir_store_be16(to + 6, DONT_FRAGMENT);
	to[8] = TTL;
	to[9] = WEIR_PROTOCOL_ICMP;
	memcpy(to + 12, ip + 16, 4);
	memcpy(to + 16, ip + 12, 4);
	store_sum(to + 10, weir_csum_add(to, WEIR_IP4_BYTES, 0));
	return WEIR_IP4_BYTES + ICMP_BYTES + len;
}

/* ---- IPv6 ---- */

static bool
is_extension(uint8_t next)
{
	return next == HOP_BY_HOP || next == DESTINATION_OPTS || next == ROUTING || next == FRAGMENT;
}

/* Is the packet itself an error or a redirect? One whose end cannot be found may be. */
static bool
is_error6(const struct error *error)
{
	uint32_t off = error->l3_off + WEIR_IP6_BYTES;
	uint8_t next = error->ip[6], header[2];

	for (uint32_t i = 0; i <= EXTENSIONS_MAX; i++) {
		if (next != WEIR_PROTOCOL_ICMP6 && !is_extension(next))
			return false;
		if (weir_chain_copy(error->about, off, sizeof(header), header) != sizeof(header))
			return true;
		if (next == WEIR_PROTOCOL_ICMP6)
			return header[0] < ERROR6_LIMIT || header[0] == REDIRECT6;
		off += next == FRAGMENT ? 8 : (header[1] + 1u) * 8;
		next = header[0];
	}
	return true;
}

/* The address that it went to, or one of ours for a group. */
static const uint8_t *
source6(const struct error *error)
{
	const struct weir_own6 *own = error->parse->own6;
	uint32_t i;

	if (own == NULL || own->n == 0)
		return NULL;
	if (weir_multicast6(error->ip + DESTINATION))
		return error->say->to_groups ? own->address[0] : NULL;
	i = weir_own6_find(own, error->ip + DESTINATION);
	return i != own->n ? own->address[i] : NULL;
}

static uint32_t
write6(const struct error *error)
{
	uint32_t packet = WEIR_IP6_BYTES + weir_load_be16(error->ip + 4), len;
	uint32_t there = error->about->pkt_len - error->l3_off;
	uint8_t *to = error->to, *message = to + WEIR_IP6_BYTES;
	const uint8_t *source = source6(error);

	if (source == NULL || !weir_head_source6_valid(error->parse, error->ip + SOURCE) || is_error6(error))
		return 0;
	len = quoted(error, packet < there ? packet : there, QUOTE6_MOST,
		     WEIR_IP6_BYTES + ICMP_BYTES);
	write_message(error, message, len);
	weir_store_be32(to, VERSION);
	weir_store_be16(to + 4, (uint16_t)(ICMP_BYTES + len));
	to[6] = WEIR_PROTOCOL_ICMP6;
	to[7] = TTL;
	memcpy(to + SOURCE, source, WEIR_ADDRESS6_BYTES);
	memcpy(to + DESTINATION, error->ip + SOURCE, WEIR_ADDRESS6_BYTES);
	store_sum(message + 2,
		  weir_csum_add(message, ICMP_BYTES + len,
				weir_csum_pseudo6(to + SOURCE, WEIR_PROTOCOL_ICMP6,
						  ICMP_BYTES + len)));
	return WEIR_IP6_BYTES + ICMP_BYTES + len;
}

uint32_t
weir_icmp_write(const struct weir_parse *parse, struct rte_mbuf *about, uint32_t l3_off,
		const struct weir_icmp_say *say, uint8_t *to, uint32_t room)
{
	struct error error = {.parse = parse, .about = about, .l3_off = l3_off, .say = say,
			      .to = to + l3_off, .room = room - l3_off};
	uint32_t have, len;

	if (about->pkt_len < l3_off + WEIR_IP4_BYTES || !to_one_host(&error))
		return 0;
	have = RTE_MIN(about->pkt_len - l3_off, (uint32_t)WEIR_IP6_BYTES);
	weir_chain_copy(about, l3_off, have, error.ip);
	if (error.ip[0] >> 4 == 4)
		len = write4(&error);
	else
		len = have == WEIR_IP6_BYTES ? write6(&error) : 0;
	if (len == 0)
		return 0;
	write_link(&error, to);
	return l3_off + len;
}
