/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How many connections each remote address has to each listener: an array of 16 bytes for those that
 * have any, a quarter longer than there can be connections. Where an entry lies follows from a keyed
 * hash, so that nobody can choose addresses that collide. All of it belongs to the thread that polls the
 * engine.
 */
#ifndef WEIR_FLOW_PEERS_H
#define WEIR_FLOW_PEERS_H

#include <stdint.h>

#include "wire/key.h"

struct weir_peer {
	uint64_t address;
	uint32_t domain; /* VLAN << 8 | listener << 2 | kind of address */
	uint32_t count;  /* connections, 0: free */
};
_Static_assert(sizeof(struct weir_peer) == 16, "four to a cache line");

#define WEIR_PEERS_LISTENERS 64 /* numbered from 0 on */

struct weir_peers {
	struct weir_peer *items; /* NULL: closed */
	uint32_t n;
	uint32_t size; /* of them may be used */
	uint32_t used;
	struct weir_hash_key secret;
};

/* Room for `size` addresses, on NUMA node `node`. -ENOMEM. */
int weir_peers_open(struct weir_peers *peers, uint32_t size, const struct weir_hash_key *secret,
		    int node);
void weir_peers_close(struct weir_peers *peers);
/* Memory for each address at the size it was opened with; 0 when closed. */
uint32_t weir_peers_bytes(const struct weir_peers *peers);

/*
 * Connections of the remote address of `key` to `listener`. What counts as one address: one of IPv4; of
 * IPv6 all of a /64, for whoever has one address there has them all; of link-local ones each, since all
 * neighbours share their /64. The same address in another VLAN is another one.
 */
uint32_t weir_peers_count(const struct weir_peers *peers, uint32_t listener,
			  const struct weir_key *key);
/* One more. -ENOSPC. */
int weir_peers_add(struct weir_peers *peers, uint32_t listener, const struct weir_key *key);
/* One that was added has ended. */
void weir_peers_remove(struct weir_peers *peers, uint32_t listener, const struct weir_key *key);

#endif
