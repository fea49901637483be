/* SPDX-License-Identifier: BSD-3-Clause */
/* What an error of ICMP or ICMPv6 says, and of which packet of ours (RFC 792, 1191, 4443). */
#ifndef WEIR_WIRE_ICMP_H
#define WEIR_WIRE_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/drop.h"
#include "wire/key.h"
#include "wire/parse.h"

enum weir_icmp_kind {
	WEIR_ICMP_SOFT,	   /* may pass: net or host unreachable, time exceeded, bad parameter */
	WEIR_ICMP_HARD,	   /* protocol or port unreachable, prohibited (RFC 1122 4.2.3.9, RFC 5461) */
	WEIR_ICMP_TOO_BIG, /* fragmentation needed, or packet too big */
};

struct weir_icmp_error {
	struct weir_key key; /* of the connection whose packet is quoted */
	uint32_t seq;	     /* of that packet */
	uint32_t len;	     /* of that packet, IP header included, as it says itself */
	uint32_t mtu;	     /* TOO_BIG only: of the next hop; 0: not told */
	uint32_t kind;	     /* enum weir_icmp_kind */
};

/* Is it, by its type, anything but a question? */
bool weir_icmp_is_error(const struct weir_other *other);

/*
 * Read an error that quotes a TCP packet; `own6` are the port's addresses. WEIR_PARSE_OK, or why it
 * is dropped: it is malformed, its checksum is wrong, it quotes no TCP header or, in IPv6, no packet
 * of ours, or hosts have to ignore it (source quench by RFC 6633; redirects, since replies go back
 * the way the SYN came).
 */
enum weir_drop weir_icmp_read(const struct weir_other *other, const struct weir_own6 *own6,
			      struct weir_icmp_error *error);

#endif
