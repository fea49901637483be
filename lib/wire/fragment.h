/* SPDX-License-Identifier: BSD-3-Clause */
/* What one IP fragment says of itself (RFC 791 3.2, RFC 8200 4.5), and the way back into a parsed
 * burst. */
#ifndef WEIR_WIRE_FRAGMENT_H
#define WEIR_WIRE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/parse.h"

#define WEIR_FRAGMENT_UNIT 8	 /* offsets count in these, and all but the last are a multiple long */
#define WEIR_DATAGRAM_MAX  65535 /* header and payload; beyond it lies the ping of death */

/* Fragments with equal keys belong to one datagram. No padding: keys are compared as bytes. */
struct weir_fragment_key {
	uint8_t source[16]; /* as it lies in the header; IPv4: the first four bytes */
	uint8_t destination[16];
	uint32_t id;
	uint32_t vlan; /* as in struct weir_key4 */
	uint8_t family; /* 4 or 6 */
	uint8_t protocol;
	uint8_t port; /* index of the port it came through */
	uint8_t spare;
};
_Static_assert(sizeof(struct weir_fragment_key) == 44, "compared as bytes");

struct weir_fragment {
	struct weir_fragment_key key;
	uint32_t start; /* [start, end) of the datagram's payload */
	uint32_t end;
	uint32_t l3_off; /* from the start of the frame */
	uint32_t l4_off; /* where its share of the payload begins */
	bool last;
	uint8_t ecn; /* codepoint */
};

/*
 * Read a fragment that the parser found. WEIR_PARSE_OK, or why it is dropped: it is not of TCP, its
 * length is none, it ends beyond the longest datagram, or the TCP header is not all in the first
 * fragment (RFC 1858, RFC 3128, RFC 7112).
 */
enum weir_drop weir_fragment_read(const struct weir_other *other, uint8_t port,
				  struct weir_fragment *fragment);

/*
 * Put a segment that was parsed apart into the burst in front of the `at`th, so that the order in
 * which packets came stays; at <= n_segs < WEIR_BURST_MAX.
 */
void weir_parsed_insert(struct weir_parsed *parsed, uint32_t at, const struct weir_seg *seg,
			const struct weir_key4 *key);
/* The same among the segments of IPv6. */
void weir_parsed_insert6(struct weir_parsed6 *parsed, uint32_t at, const struct weir_seg *seg,
			 const struct weir_key *key);

/* Bytes of a packet of 65,535 at most that its header takes; IPv6 does not count the fixed one. */
static inline uint32_t
weir_fragment_counted(uint32_t family, uint32_t header)
{
	return family == 4 ? header : 0;
}

#endif
