/* SPDX-License-Identifier: BSD-3-Clause */
/* First half of the parser: the link and IP headers of one frame. Private to wire/. */
#ifndef WEIR_WIRE_HEAD_H
#define WEIR_WIRE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/address4.h"
#include "wire/address6.h"
#include "wire/parse.h"

struct rte_mbuf;

#define WEIR_ETHER_BYTES 14
#define WEIR_TAG_BYTES	 4
#define WEIR_IP4_BYTES	 20
#define WEIR_IP6_BYTES	 40
#define WEIR_TCP_BYTES	 20
#define WEIR_TS_BYTES	 12	    /* NOP NOP TIMESTAMP */
#define WEIR_TS_WORD	 0x0101080a /* its first four */

#define WEIR_ETHERTYPE_IP4 0x0800
#define WEIR_PROTOCOL_ICMP  1
#define WEIR_PROTOCOL_TCP   6
#define WEIR_PROTOCOL_ICMP6 58
#define WEIR_IP4_FRAGMENT   0x3fff /* more fragments, and the offset */
#define WEIR_IP6_FRAGMENT   0xfff9 /* the same in a fragment header */

#define WEIR_IP6_EXTENSIONS_MAX 128 /* bytes of extension headers that are read through */

/* Longest headers: Ethernet, two tags, IPv6 with extensions and TCP with all its options. */
#define WEIR_HEAD_MAX                                                                              \
	(WEIR_ETHER_BYTES + 2 * WEIR_TAG_BYTES + WEIR_IP6_BYTES + WEIR_IP6_EXTENSIONS_MAX + 60)

enum weir_head_kind {
	WEIR_HEAD_TCP,
	WEIR_HEAD_ARP,
	WEIR_HEAD_ICMP,
	WEIR_HEAD_FRAGMENT, /* of TCP */
	WEIR_HEAD_ICMP6,
};

/* What the steps of the parser hand to one another. Offsets from the start of the frame. */
struct weir_head {
	struct rte_mbuf *buf;
	const uint8_t *bytes; /* start of the frame, WEIR_HEAD_MAX bytes or all of it, contiguous */
	uint32_t l3_off;
	uint32_t l4_off;
	uint32_t end;  /* of the IP packet, padding excluded; of the frame for ARP */
	uint32_t vlan; /* as in struct weir_key4 */
	uint32_t kind; /* enum weir_head_kind */
	bool is6;
	bool group;    /* IPv6: to a group */
	uint32_t own6; /* IPv6, no group: number of the own address it goes to */
	uint8_t problem; /* enum weir_problem, when it is rejected */
	uint16_t problem_off; /* from the IP header on */
};

/* plain.c: what a plain frame to `mac` and `address` looks like, with a timestamp or without. */
void weir_plain_init(struct weir_plain *plain, const uint8_t mac[WEIR_MAC_BYTES], uint32_t address,
		     bool l3, bool has_ts, uint8_t port);

/* options.c: what the options, seg->opt_len bytes, say. */
void weir_parse_options(struct weir_parse *parse, const uint8_t *options, struct weir_seg *seg);

/* head6.c: the same for what stands behind the link header of an IPv6 packet, as weir_head_read(). */
enum weir_drop weir_head_read6(const struct weir_parse *parse, struct weir_head *head);

/* May an IPv4 packet from `src` come in at this port? Not from itself, nor from all of its network. */
static inline bool
weir_head_source_valid(const struct weir_parse *parse, uint32_t src)
{
	return weir_source_valid(src) && src != parse->ip && src != parse->broadcast;
}

/* The same of IPv6, where the port has addresses of it. */
static inline bool
weir_head_source6_valid(const struct weir_parse *parse, const uint8_t *source)
{
	return weir_source6_valid(source) &&
	       weir_own6_find(parse->own6, source) == parse->own6->n;
}

/* The sum of an IPv4 header, as far as the port leaves one that can be verified. */
bool weir_head_sum_valid(const struct rte_mbuf *buf, const uint8_t *ip, uint32_t ihl);

/*
 * Read link and IP header of any frame, however it is tagged, split or damaged. `scratch` holds
 * WEIR_HEAD_MAX bytes and lives as long as `head`. WEIR_PARSE_OK or the drop reason.
 */
enum weir_drop weir_head_read(const struct weir_parse *parse, struct rte_mbuf *buf,
			      uint8_t *scratch, struct weir_head *head);

#endif
