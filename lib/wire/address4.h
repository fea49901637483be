/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv4 addresses in host order. */
#ifndef WEIR_WIRE_ADDRESS4_H
#define WEIR_WIRE_ADDRESS4_H

#include <stdbool.h>
#include <stdint.h>

static inline bool
weir_loopback4(uint32_t address)
{
	return address >> 24 == 127;
}

/* May a packet on the wire come from `source`, and a host have it (RFC 1122 section 3.2.1.3)? Net 0 is a
 * source only while a host does not know its address. */
static inline bool
weir_source_valid(uint32_t source)
{
	return source >> 24 != 0 && !weir_loopback4(source) && source >> 28 != 14 &&
	       source != UINT32_MAX;
}

/* Bits of the host in an address whose network has the first `prefix_len` bits (RFC 4632); 0 where each
 * address is a host's (RFC 3021), and without a prefix. */
static inline uint32_t
weir_host_mask4(uint32_t prefix_len)
{
	return prefix_len == 0 || prefix_len > 30 ? 0 : UINT32_MAX >> prefix_len;
}

/* The address of all hosts of the network that `address` is in; 0: it has none, or is not known. */
static inline uint32_t
weir_broadcast4(uint32_t address, uint32_t prefix_len)
{
	uint32_t host = weir_host_mask4(prefix_len);

	return host != 0 ? address | host : 0;
}

#endif
