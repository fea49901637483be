/* SPDX-License-Identifier: BSD-3-Clause */
/* The IPv4 flow key and its keyed hash. */
#ifndef WEIR_WIRE_KEY_H
#define WEIR_WIRE_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Host order. vlan: outer VID << 12 | inner VID, 0 when untagged; the domain a flow lives in. */
struct weir_key4 {
	uint32_t raddr;
	uint32_t laddr;
	uint16_t rport;
	uint16_t lport;
	uint32_t vlan;
};
_Static_assert(sizeof(struct weir_key4) == 16, "two 64-bit words");

/* Secret of one engine's hash; four words drawn from the configured seed. */
struct weir_hash_key {
	uint64_t word[4];
};

static inline bool
weir_key4_equal(const struct weir_key4 *a, const struct weir_key4 *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

__extension__ typedef unsigned __int128 weir_u128;

/* Both halves of a 64 x 64 product folded into one word. */
static inline uint64_t
weir_hash_fold(uint64_t a, uint64_t b)
{
	weir_u128 product = (weir_u128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/*
 * Keyed hash of a flow key: two rounds of folded multiplication with 256 secret bits. Unlike a CRC,
 * which key pairs collide depends on the secret, so a sender cannot choose colliding flows.
 */
static inline uint64_t
weir_key4_hash(const struct weir_key4 *key, const struct weir_hash_key *secret)
{
	uint64_t w[2], h;

	memcpy(w, key, sizeof(w));
	h = weir_hash_fold(w[0] ^ secret->word[0], w[1] ^ secret->word[1]);
	return weir_hash_fold(h ^ secret->word[2], secret->word[3] | 1);
}

#endif
