/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IP datagrams of which only some fragments have come. They wait here, bounded in number and in
 * buffers; a datagram that is whole goes through DPDK's rte_ip_frag, which puts it together.
 *
 * rte_ip_frag's own table never holds anything between two calls: it knows neither protocol nor VLAN,
 * its hash is not keyed, it takes a repeated fragment for a broken datagram, and what is stale leaves
 * it by an experimental call only, or past the buffer door.
 */
#ifndef WEIR_FLOW_DATAGRAM_H
#define WEIR_FLOW_DATAGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/buffer.h"
#include "wire/fragment.h"

struct rte_ip_frag_tbl;

#define WEIR_DATAGRAM_PIECES 8	/* what rte_ip_frag takes */
#define WEIR_DATAGRAM_IP4_MS 15000 /* RFC 791 section 3.2; longer, and identifications come again */
#define WEIR_DATAGRAM_IP6_MS 60000 /* RFC 8200 section 4.5 */

/* One fragment of a datagram, [start, end) of its payload. */
struct weir_piece {
	struct rte_mbuf *buf;
	uint16_t start;
	uint16_t end;
	uint16_t l3_off;
	uint16_t l4_off;
};

struct weir_datagram {
	struct weir_fragment_key key;
	uint32_t next;	 /* in its bucket, or on the free list; index + 1 */
	uint32_t older;	 /* neighbours by age in its family, index + 1 */
	uint32_t newer;
	uint32_t n;	 /* pieces, in the order of their bytes */
	uint32_t bytes;	 /* that they hold */
	uint32_t total;	 /* payload of the datagram; 0: its last fragment has not come */
	uint32_t ecn;	 /* bit per codepoint seen */
	uint64_t born_ns;
	struct weir_piece pieces[WEIR_DATAGRAM_PIECES];
};

/* Takes over one fragment that is lost, for `reason`; NULL for one whose buffer another holds. */
typedef void (*weir_datagram_lost)(void *user, struct rte_mbuf *buf, enum weir_drop reason);

/* The first fragment of `datagram` came, and not all others in time; its pieces are lost next. */
typedef void (*weir_datagram_expired)(void *user, const struct weir_datagram *datagram);

struct weir_datagrams {
	struct rte_ip_frag_tbl *table; /* NULL: nothing is put together */
	struct weir_datagram *items;
	uint32_t *buckets; /* heads, index + 1; as many as items, a power of two */
	uint32_t size;
	uint32_t free; /* index + 1 */
	uint32_t oldest[2]; /* of IPv4 and of IPv6 */
	uint32_t newest[2];
	uint32_t fragments; /* held now */
	uint32_t bufs;	    /* buffers held now */
	uint32_t max_bufs;
	int node;
	uint64_t secret[2];
	struct weir_pool *pool;
	weir_datagram_lost lost;
	weir_datagram_expired expired; /* NULL: nobody wants to know */
	void *user;
};

/*
 * Room for `size` datagrams (0: none) in at most `max_bufs` buffers, on NUMA node `node`; `secret` keys
 * the hash. Without an EAL rte_ip_frag has no memory: `table` stays NULL. -ENOMEM.
 */
int weir_datagrams_open(struct weir_datagrams *datagrams, uint32_t size, uint32_t max_bufs,
			const uint64_t secret[2], struct weir_pool *pool, int node);
/* Gives every buffer back; `lost` is not called. */
void weir_datagrams_close(struct weir_datagrams *datagrams);

/*
 * A fragment that weir_fragment_read() found good; takes over `buf`. Returns the datagram when this
 * completes it: one chain, or one buffer where it fits into one, its IP header as of a packet that was
 * never cut and with a valid sum, no claims of the port left; *fragments is then how many it is made
 * of. Otherwise NULL: the fragment waits, or was lost, and others with it. When there is no room the
 * oldest datagram goes. Engine thread. RFC 791 3.2, RFC 8200 4.5, RFC 3168 5.3; overlaps end a
 * datagram (RFC 5722).
 */
struct rte_mbuf *weir_datagrams_add(struct weir_datagrams *datagrams,
				    const struct weir_fragment *fragment, struct rte_mbuf *buf,
				    uint64_t now_ns, uint32_t *fragments);

/* Lose what has waited for too long. */
void weir_datagrams_age(struct weir_datagrams *datagrams, uint64_t now_ns);
/* When there is something to lose; UINT64_MAX when nothing waits. */
uint64_t weir_datagrams_deadline(const struct weir_datagrams *datagrams);

#endif
