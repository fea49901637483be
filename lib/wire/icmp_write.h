/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors of ICMP and ICMPv6 that we send about a packet that came (RFC 792, RFC 1122 3.2.2, RFC 4443). */
#ifndef WEIR_WIRE_ICMP_WRITE_H
#define WEIR_WIRE_ICMP_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/parse.h"

struct rte_mbuf;

struct weir_icmp_say {
	uint8_t type;
	uint8_t code;
	bool to_groups;	  /* also of a packet that went to a group (RFC 4443 2.4 e.3) */
	uint32_t pointer; /* of a parameter problem, from the IP header on */
};

/*
 * Write to `to` the frame that says `say` to whom the frame `about` came from, whose IP header lies at
 * l3_off and whose link header stays, but for the addresses, which change places. It quotes as much of
 * the packet as fits into `room` bytes and into what every path lets through (576 bytes, IPv6 1280).
 * Returns the length; 0 when nothing may be said: about an error or a redirect, a packet to or from a
 * group, or from nobody (RFC 1122 3.2.2, RFC 4443 2.4 e), or one whose headers are not there.
 */
uint32_t weir_icmp_write(const struct weir_parse *parse, struct rte_mbuf *about, uint32_t l3_off,
			 const struct weir_icmp_say *say, uint8_t *to, uint32_t room);

#endif
