/* SPDX-License-Identifier: BSD-3-Clause */
/* Answers to those who ask whether we are there: ARP (RFC 826), neighbour discovery (RFC 4861) and
 * echo of ICMP and ICMPv6 (RFC 792, RFC 4443). Nothing is remembered: nobody can fill a table. */
#ifndef WEIR_ENGINE_NEIGHBOUR_H
#define WEIR_ENGINE_NEIGHBOUR_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/drop.h"
#include "wire/parse.h"

struct rte_mbuf;

#define WEIR_ARP_REQUEST   1
#define WEIR_ARP_REPLY	   2
#define WEIR_ETHERTYPE_ARP 0x0806

/* An ARP message between IPv4 hosts on Ethernet. */
struct weir_arp {
	uint16_t operation;
	uint8_t sender[WEIR_MAC_BYTES];
	uint32_t sender_ip;
	uint32_t target_ip;
};

struct weir_neighbour_reply {
	struct rte_mbuf *frame; /* to be sent as it is; NULL: nothing to say */
	uint32_t reason;	/* enum weir_drop, when frame is NULL */
	bool advertises;	/* it says what our link address is */
};

/*
 * Turn an ARP request or a neighbour solicitation for our address, or an echo request to it, into its
 * answer in place. Tags that the port stripped are put back into the frame, padding is cut off. With a
 * reply `frame` is other->buf; without one other->buf is unchanged and to be dropped for `reason`. The
 * caller owns it either way. Shared buffers are never written to: they are dropped. Engine thread.
 */
struct weir_neighbour_reply weir_neighbour_handle(const struct weir_parse *parse,
						  const struct weir_other *other);

/* False when `other` is no such message, or not all of it. Private to engine/. */
bool weir_neighbour_read_arp(const struct weir_other *other, struct weir_arp *arp);

/*
 * neighbour6.c: the same for a message of ICMPv6; true when it has become its answer. Otherwise
 * reply->reason says why not. Private to engine/.
 */
bool weir_neighbour6_handle(const struct weir_parse *parse, const struct weir_other *other,
			    struct weir_neighbour_reply *reply);

#endif
