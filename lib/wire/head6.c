/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6: the header and the extension headers between it and TCP (RFC 8200 section 4), bounded. */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/address6.h"
#include "wire/bytes.h"
#include "wire/head.h"

/* Next header values. */
#define HOP_BY_HOP  0
#define ROUTING	    43
#define FRAGMENT    44
#define DESTINATION 60
#define NO_NEXT	    59

#define EXTENSIONS_MAX	 4 /* headers; hop-by-hop, destination, routing, destination (RFC 8200 4.1) */
#define DESTINATIONS_MAX 2
#define EXTENSION_UNIT	 8 /* a length is a multiple of it, and is the least */

#define PAD1	    0
#define ACTION_MASK 0xc0 /* of an option's type: what to do when it is not known */
#define ACTION_SKIP 0x00
#define ACTION_DROP 0x40 /* and say nothing; of the other two: tell the sender */
#define ACTION_TELL 0x80 /* wherever the packet went */

/* What the walk has passed. */
struct walk {
	uint32_t off;  /* of the header that is looked at, from the start of the frame */
	uint8_t next;  /* its kind */
	uint32_t next_off; /* where that stands */
	uint32_t n;
	uint32_t n_destinations;
	bool routing;
	bool fragment; /* the walk has ended at a part of a packet, with what follows as its kind */
};

/* Lengths of the fixed header. No payload at all may be a jumbogram: not for us, either. */
static enum weir_drop
read_fixed(struct weir_head *head)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	uint32_t room = rte_pktmbuf_pkt_len(head->buf) - head->l3_off, total;

	if (room < WEIR_IP6_BYTES)
		return WEIR_DROP_FRAME_TRUNCATED;
	total = WEIR_IP6_BYTES + weir_load_be16(ip + 4);
	if (ip[0] >> 4 != 6 || total == WEIR_IP6_BYTES)
		return WEIR_DROP_IP_HEADER;
	if (total > room)
		return WEIR_DROP_FRAME_TRUNCATED;
	head->end = head->l3_off + total;
	return WEIR_PARSE_OK;
}

/* A group that a host with our addresses is in: all nodes, and the solicited-node ones. */
static bool
is_our_group(const struct weir_own6 *own, const uint8_t *address)
{
	uint8_t group[WEIR_ADDRESS6_BYTES];

	if (weir_address6_equal(address, weir_all_nodes6))
		return true;
	for (uint32_t i = 0; i < own->n; i++) {
		weir_solicited_node6(own->address[i], group);
		if (weir_address6_equal(address, group))
			return true;
	}
	return false;
}

/* Where it goes: the number of an own address, or a group of ours. A frame to a group holds no packet
 * to one host (RFC 1122 3.3.6 says so of broadcasts). */
static enum weir_drop
read_destination(const struct weir_parse *parse, struct weir_head *head)
{
	const uint8_t *address = head->bytes + head->l3_off + 24;
	const struct weir_own6 *own = parse->own6;
	uint32_t i;

	if (weir_multicast6(address)) {
		head->group = true;
		return is_our_group(own, address) ? WEIR_PARSE_OK : WEIR_DROP_IP_NOT_OURS;
	}
	i = weir_own6_find(own, address);
	if (i == own->n)
		return WEIR_DROP_IP_NOT_OURS;
	head->own6 = own->first + i;
	return head->group ? WEIR_DROP_FRAME_NOT_OURS : WEIR_PARSE_OK;
}

/* The sender is told, what lies at `off` is to blame. False. */
static bool
blame(struct weir_head *head, enum weir_problem problem, uint32_t off)
{
	head->problem = (uint8_t)problem;
	head->problem_off = (uint16_t)(off - head->l3_off);
	return false;
}

static bool
option_skippable(struct weir_head *head, const uint8_t *option)
{
	uint32_t off = (uint32_t)(option - head->bytes);

	switch (option[0] & ACTION_MASK) {
	case ACTION_SKIP:
		return true;
	case ACTION_DROP:
		return false;
	case ACTION_TELL:
		return blame(head, WEIR_PROBLEM_OPTION_OF_ALL, off);
	default:
		return blame(head, WEIR_PROBLEM_OPTION, off);
	}
}

/* Every option is one that may be skipped by who does not know it, and none runs past the end. */
static bool
options_skippable(struct weir_head *head, const uint8_t *option, uint32_t len)
{
	while (len != 0) {
		uint32_t size = 1;

		if (!option_skippable(head, option))
			return false;
		if (option[0] != PAD1) {
			if (len < 2)
				return false;
			size = 2u + option[1];
		}
		if (size > len)
			return false;
		option += size;
		len -= size;
	}
	return true;
}

/* A fragment that is a whole packet is one like any other (RFC 6946). */
static bool
is_atomic(const uint8_t *fragment)
{
	return (weir_load_be16(fragment + 2) & WEIR_IP6_FRAGMENT) == 0;
}

/* One extension header of `len` bytes. Hop-by-hop stands in front or nowhere; a route is at its end. */
static bool
extension_valid(struct weir_head *head, struct walk *walk, const uint8_t *extension, uint32_t len)
{
	switch (walk->next) {
	case HOP_BY_HOP:
		if (walk->n != 1)
			return blame(head, WEIR_PROBLEM_NEXT_HEADER, walk->next_off);
		return options_skippable(head, extension + 2, len - 2);
	case DESTINATION:
		return ++walk->n_destinations <= DESTINATIONS_MAX &&
		       options_skippable(head, extension + 2, len - 2);
	case ROUTING:
		if (walk->routing)
			return false;
		walk->routing = true;
		if (extension[3] != 0) /* segments left, of whatever type (RFC 5095, RFC 8200 4.4) */
			return blame(head, WEIR_PROBLEM_HEADER, walk->off + 2);
		return true;
	default:
		return true;
	}
}

static bool
is_extension(uint8_t next)
{
	return next == HOP_BY_HOP || next == DESTINATION || next == ROUTING || next == FRAGMENT;
}

/* Step over the header that the walk stands at. */
static enum weir_drop
step(struct weir_head *head, struct walk *walk)
{
	const uint8_t *extension = head->bytes + walk->off;
	uint32_t limit = head->l3_off + WEIR_IP6_BYTES + WEIR_IP6_EXTENSIONS_MAX, len;

	if (limit > head->end)
		limit = head->end;
	if (++walk->n > EXTENSIONS_MAX || limit - walk->off < EXTENSION_UNIT)
		return WEIR_DROP_IP6_EXTENSION;
	if (walk->next == FRAGMENT && !is_atomic(extension)) {
		walk->fragment = true;
		if (walk->n != 1) /* rte_ip_frag knows no header in front of it */
			return WEIR_DROP_IP_FRAGMENT;
	}
	len = walk->next == FRAGMENT ? EXTENSION_UNIT : (extension[1] + 1u) * EXTENSION_UNIT;
	if (len > limit - walk->off || !extension_valid(head, walk, extension, len))
		return WEIR_DROP_IP6_EXTENSION;
	walk->next = extension[0];
	walk->next_off = walk->off;
	walk->off += len;
	return WEIR_PARSE_OK;
}

/* To the header above IPv6, or into a fragment; walk->next becomes its kind. */
static enum weir_drop
read_extensions(struct weir_head *head, struct walk *walk)
{
	*walk = (struct walk){
		.off = head->l3_off + WEIR_IP6_BYTES,
		.next = head->bytes[head->l3_off + 6],
		.next_off = head->l3_off + 6,
	};
	while (is_extension(walk->next) && !walk->fragment) {
		enum weir_drop verdict = step(head, walk);

		if (verdict != WEIR_PARSE_OK)
			return verdict;
	}
	head->l4_off = walk->off;
	return WEIR_PARSE_OK;
}

enum weir_drop
weir_head_read6(const struct weir_parse *parse, struct weir_head *head)
{
	const uint8_t *source = head->bytes + head->l3_off + 8;
	enum weir_drop verdict;
	struct walk walk;
	bool unspecified;

	if (parse->own6 == NULL)
		return WEIR_DROP_IP_NOT_OURS;
	verdict = read_fixed(head);
	if (verdict != WEIR_PARSE_OK)
		return verdict;
	unspecified = weir_unspecified6(source);
	if (!unspecified && !weir_head_source6_valid(parse, source))
		return WEIR_DROP_IP_SOURCE;
	verdict = read_destination(parse, head);
	if (verdict == WEIR_PARSE_OK)
		verdict = read_extensions(head, &walk);
	if (verdict != WEIR_PARSE_OK)
		return verdict;
	if (walk.fragment && walk.next != WEIR_PROTOCOL_TCP)
		return WEIR_DROP_IP_FRAGMENT;
	if (walk.next == WEIR_PROTOCOL_ICMP6) { /* may come from who has no address yet, and go to a group */
		head->kind = WEIR_HEAD_ICMP6;
		return WEIR_PARSE_OK;
	}
	if (walk.next != WEIR_PROTOCOL_TCP) {
		if (walk.next != NO_NEXT)
			blame(head, WEIR_PROBLEM_NEXT_HEADER, walk.next_off);
		return WEIR_DROP_IP_PROTOCOL;
	}
	if (unspecified)
		return WEIR_DROP_IP_SOURCE;
	if (walk.fragment)
		head->kind = WEIR_HEAD_FRAGMENT;
	return head->group ? WEIR_DROP_IP_NOT_OURS : WEIR_PARSE_OK;
}
