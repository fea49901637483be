/* SPDX-License-Identifier: BSD-3-Clause */
/* What to believe of a port's word on TCP checksums; see struct weir_csum_trust. Private to wire/.
 */
#ifndef WEIR_WIRE_TRUST_H
#define WEIR_WIRE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "wire/head.h"

/*
 * Count one claim; true when it settles the matter: the packet is good. Otherwise the packet has to
 * go through weir_trust_verify(). The checksum field of a frame that the port merged belongs to no
 * packet of the wire (drivers leave the first one's, or part of it): there GOOD means NONE.
 */
static inline bool
weir_trust_believes(struct weir_csum_trust *trust, uint64_t ol_flags)
{
	uint64_t claim = ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, seen;

	if (claim == RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN) {
		trust->unknown++;
		return false;
	}
	if (claim == RTE_MBUF_F_RX_L4_CKSUM_BAD) {
		trust->claims[WEIR_CLAIM_BAD]++;
		return false;
	}
	if (claim == RTE_MBUF_F_RX_L4_CKSUM_NONE ||
	    (!trust->software && (ol_flags & RTE_MBUF_F_RX_LRO) != 0)) {
		trust->none++;
		return true;
	}
	seen = ++trust->claims[WEIR_CLAIM_GOOD];
	return !trust->software && seen > WEIR_CLAIM_FIRST &&
	       (seen - WEIR_CLAIM_FIRST) % WEIR_CLAIM_EVERY != 0;
}

/* How many claims of GOOD from now on are believed without a look. */
static inline uint32_t
weir_trust_credit(const struct weir_csum_trust *trust)
{
	uint64_t seen = trust->claims[WEIR_CLAIM_GOOD];

	if (trust->software || seen < WEIR_CLAIM_FIRST)
		return 0;
	return WEIR_CLAIM_EVERY - 1 - (uint32_t)((seen - WEIR_CLAIM_FIRST) % WEIR_CLAIM_EVERY);
}

/* The sum of an IP header was found wrong; a port that called it GOOD is not believed any more. Returns
 * the drop reason. */
enum weir_drop weir_trust_ip_wrong(struct weir_csum_trust *trust, uint64_t ol_flags);

/* Verify the TCP checksum in software and the claim by it. WEIR_PARSE_OK or the drop reason. */
enum weir_drop weir_trust_verify(struct weir_csum_trust *trust, const struct weir_head *head);

#endif
