/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plain frames of IPv6: untagged (or bare IP) in one buffer, to an address of ours, TCP right behind
 * the IP header with ACK and at most PSH, no option or exactly NOP NOP TIMESTAMP. They are compared
 * with the first one of their run, as those of IPv4 are; see wire/plain.h. Private to wire/.
 */
#ifndef WEIR_WIRE_PLAIN6_H
#define WEIR_WIRE_PLAIN6_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/parse.h"

/* What a plain frame to `mac` looks like, with a timestamp or without; where it goes is looked up. */
void weir_plain6_init(struct weir_plain *plain, const uint8_t mac[WEIR_MAC_BYTES], bool l3,
		      bool has_ts, uint8_t port);

/*
 * Take of `n` frames those in front that are plain, up to the first that is not: each becomes a segment
 * of out->ip6, or a reject when its checksum is wrong. Returns how many.
 */
uint32_t weir_plain6_take(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n,
			  struct weir_parsed *out);

#endif
