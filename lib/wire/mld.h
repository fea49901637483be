/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Multicast listener discovery: which groups we are in, told to switches that snoop (RFC 3810, and
 * RFC 2710 for who asks in its way). A host with IPv6 addresses is in the solicited-node group of each
 * (RFC 4291 2.8); of the group of all nodes nobody has to be told.
 */
#ifndef WEIR_WIRE_MLD_H
#define WEIR_WIRE_MLD_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/parse.h"

/* Ethernet, IPv6, router alert, report of every group. */
#define WEIR_MLD_BYTES_MAX (14 + 40 + 8 + 8 + 20 * WEIR_OWN6_MAX)

struct weir_mld_query {
	uint32_t version;  /* 1 or 2 */
	uint32_t delay_ms; /* an answer is due within so many */
};

/* Is it a query, by its type? `other` is of ICMPv6. */
bool weir_mld_is_query(const struct weir_other *other);

/* Read a query. False when it is malformed, forged (it has to come from this link, by hop limit, source
 * and router alert, RFC 3810 5.1.14) or about a group that we are not in. */
bool weir_mld_read(const struct weir_other *other, const struct weir_own6 *own,
		   struct weir_mld_query *query);

/* The groups of `own`, each once. Returns how many. */
uint32_t weir_mld_groups(const struct weir_own6 *own,
			 uint8_t groups[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES]);

/*
 * The frame that reports `n` groups by version 2; `changed`: they are new. Of version 1, which knows no
 * such difference, it reports the first alone. Comes from the link-local address among `own`, or from
 * nobody (RFC 3810 5.2.13, RFC 3590). `to` has WEIR_MLD_BYTES_MAX; returns the length.
 */
uint32_t weir_mld_write(const struct weir_own6 *own, const uint8_t mac[WEIR_MAC_BYTES],
			uint32_t version, bool changed,
			const uint8_t groups[][WEIR_ADDRESS6_BYTES], uint32_t n, uint8_t *to);

#endif
