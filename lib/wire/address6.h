/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 addresses as they lie in a packet: 16 bytes (RFC 4291). */
#ifndef WEIR_WIRE_ADDRESS6_H
#define WEIR_WIRE_ADDRESS6_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "wire/key.h"

static const uint8_t weir_all_nodes6[WEIR_ADDRESS6_BYTES] = {0xff, 0x02, [15] = 1};

static inline bool
weir_address6_equal(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, WEIR_ADDRESS6_BYTES) == 0;
}

static inline bool
weir_multicast6(const uint8_t *address)
{
	return address[0] == 0xff;
}

static inline bool
weir_link_local6(const uint8_t *address)
{
	return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static inline bool
weir_unspecified6(const uint8_t *address)
{
	static const uint8_t none[WEIR_ADDRESS6_BYTES];

	return weir_address6_equal(address, none);
}

/* May a packet on the wire come from `source`? Not from a group, nobody, loopback, nor from an IPv4
 * address in mapped form (RFC 4291 2.5.2, 2.5.3, 2.7; RFC 4942 2.2). */
static inline bool
weir_source6_valid(const uint8_t *source)
{
	static const uint8_t loopback[WEIR_ADDRESS6_BYTES] = {[15] = 1};
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return !weir_multicast6(source) && !weir_unspecified6(source) &&
	       !weir_address6_equal(source, loopback) &&
	       memcmp(source, mapped, sizeof(mapped)) != 0;
}

/* Is it the address of all routers of the network that has its first `prefix_len` bits (RFC 4291 2.6.1)?
 * Where that leaves a host one bit or none, there is no such address (RFC 6164). */
static inline bool
weir_routers6(const uint8_t *address, uint32_t prefix_len)
{
	uint8_t host = 0;

	if (prefix_len == 0 || prefix_len > 126)
		return false;
	for (uint32_t i = prefix_len / 8; i < WEIR_ADDRESS6_BYTES; i++)
		host |= i == prefix_len / 8 ? address[i] & (0xff >> prefix_len % 8) : address[i];
	return host == 0;
}

/* Which of `own` an address is, own->n when it is none of them. */
static inline uint32_t
weir_own6_find(const struct weir_own6 *own, const uint8_t *address)
{
	uint32_t i = 0;

	while (i < own->n && !weir_address6_equal(own->address[i], address))
		i++;
	return i;
}

/* The group that is asked for the link address of `address` (RFC 4291 2.7.1). */
static inline void
weir_solicited_node6(const uint8_t *address, uint8_t group[WEIR_ADDRESS6_BYTES])
{
	static const uint8_t prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};

	memcpy(group, prefix, sizeof(prefix));
	memcpy(group + sizeof(prefix), address + sizeof(prefix), 3);
}

/* The Ethernet address of a group (RFC 2464 7). */
static inline void
weir_group_mac6(const uint8_t *group, uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

#endif
