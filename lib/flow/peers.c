/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/peers.h"

#include <errno.h>
#include <string.h>

#include "flow/arena.h"

#define LINK_LOCAL_TOP 0x3fa /* fe80::/10 */

enum kind {
	KIND_IP4,
	KIND_NETWORK6,
	KIND_LINK_LOCAL,
};

int
weir_peers_open(struct weir_peers *peers, uint32_t size, const struct weir_hash_key *secret, int node)
{
	*peers = (struct weir_peers){.n = size + size / 4 + 1, .size = size, .secret = *secret};
	peers->items = weir_arena_alloc((size_t)peers->n * sizeof(peers->items[0]), node);
	return peers->items == NULL ? -ENOMEM : 0;
}

void
weir_peers_close(struct weir_peers *peers)
{
	weir_arena_free(peers->items, (size_t)peers->n * sizeof(peers->items[0]));
	memset(peers, 0, sizeof(*peers));
}

uint32_t
weir_peers_bytes(const struct weir_peers *peers)
{
	uint64_t bytes = (uint64_t)peers->n * sizeof(peers->items[0]);

	return peers->size == 0 ? 0 : (uint32_t)(bytes / peers->size);
}

/* The address whose connections count together, nothing counted yet. */
static struct weir_peer
peer_of(uint32_t listener, const struct weir_key *key)
{
	struct weir_peer peer = {.domain = key->low.vlan << 8 | listener << 2};

	if (weir_key_is4(key)) {
		peer.address = key->low.raddr;
		peer.domain |= KIND_IP4;
	} else if (key->raddr_high[0] >> 22 == LINK_LOCAL_TOP) {
		peer.address = (uint64_t)key->raddr_high[2] << 32 | key->low.raddr;
		peer.domain |= KIND_LINK_LOCAL;
	} else {
		peer.address = (uint64_t)key->raddr_high[0] << 32 | key->raddr_high[1];
		peer.domain |= KIND_NETWORK6;
	}
	return peer;
}

/* Where its entry would lie if it were alone. */
static uint32_t
home_of(const struct weir_peers *peers, const struct weir_peer *peer)
{
	const uint64_t *secret = peers->secret.word;
	uint64_t hash = weir_hash_fold(peer->address ^ secret[0], peer->domain ^ secret[1]);

	hash = weir_hash_fold(hash ^ secret[2], secret[3] | 1);
	return (uint32_t)((hash >> 32) * peers->n >> 32);
}

static uint32_t
behind(const struct weir_peers *peers, uint32_t i)
{
	return i + 1 < peers->n ? i + 1 : 0;
}

/* Its entry, or the free one where it would begin. There always is a free one. */
static struct weir_peer *
find(const struct weir_peers *peers, const struct weir_peer *peer)
{
	uint32_t i = home_of(peers, peer);

	while (peers->items[i].count != 0 && (peers->items[i].address != peer->address ||
					      peers->items[i].domain != peer->domain))
		i = behind(peers, i);
	return &peers->items[i];
}

uint32_t
weir_peers_count(const struct weir_peers *peers, uint32_t listener, const struct weir_key *key)
{
	const struct weir_peer peer = peer_of(listener, key);

	return find(peers, &peer)->count;
}

int
weir_peers_add(struct weir_peers *peers, uint32_t listener, const struct weir_key *key)
{
	const struct weir_peer peer = peer_of(listener, key);
	struct weir_peer *item = find(peers, &peer);

	if (item->count == 0) {
		if (peers->used == peers->size)
			return -ENOSPC;
		peers->used++;
		*item = peer;
	}
	item->count++;
	return 0;
}

/* Entry `gap` is free: who lies behind it only because it was not moves up, until the row ends. */
static void
close_gap(struct weir_peers *peers, uint32_t gap)
{
	for (uint32_t i = behind(peers, gap); peers->items[i].count != 0; i = behind(peers, i)) {
		uint32_t home = home_of(peers, &peers->items[i]);
		bool stays = gap < i ? gap < home && home <= i : gap < home || home <= i;

		if (stays)
			continue;
		peers->items[gap] = peers->items[i];
		gap = i;
	}
	peers->items[gap].count = 0;
}

void
weir_peers_remove(struct weir_peers *peers, uint32_t listener, const struct weir_key *key)
{
	const struct weir_peer peer = peer_of(listener, key);
	struct weir_peer *item = find(peers, &peer);

	if (--item->count != 0)
		return;
	peers->used--;
	close_gap(peers, (uint32_t)(item - peers->items));
}
