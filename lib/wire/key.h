/* SPDX-License-Identifier: BSD-3-Clause */
/* Flow keys of both families and their keyed hash. */
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

/*
 * The key of either family, for all that is not the fast path of IPv4. IPv4 stands in mapped form:
 * raddr_high is ::ffff and `low` its own key. IPv6: low.raddr is the last word of the remote address
 * and low.laddr the number of the local one (struct weir_own6), which names its port too: link-local
 * addresses of two links are never the same flow.
 */
struct weir_key {
	uint32_t raddr_high[3]; /* host order */
	struct weir_key4 low;
};
_Static_assert(sizeof(struct weir_key) == 28, "SYN-RECEIVED and TIME-WAIT hold one in 64 bytes");

#define WEIR_ADDRESS6_BYTES 16
#define WEIR_OWN6_MAX	    8 /* IPv6 addresses of one port */

/* The IPv6 addresses of one port; address i is numbered first + i over all ports. */
struct weir_own6 {
	uint32_t first;
	uint32_t n;
	uint8_t address[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES];
};

static inline struct weir_key
weir_key_of4(const struct weir_key4 *key)
{
	return (struct weir_key){.raddr_high = {0, 0, 0xffff}, .low = *key};
}

/* An IPv6 packet from a mapped address is never taken, so that this is no guess. */
static inline bool
weir_key_is4(const struct weir_key *key)
{
	return (key->raddr_high[0] | key->raddr_high[1] | (key->raddr_high[2] ^ 0xffff)) == 0;
}

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

/* In four words of 64 bits, the last two of which overlap. */
static inline void
weir_key_words(const struct weir_key *key, uint64_t words[4])
{
	memcpy(words, key, 24);
	memcpy(&words[3], (const uint8_t *)key + sizeof(*key) - 8, 8);
}

static inline bool
weir_key_equal(const struct weir_key *a, const struct weir_key *b)
{
	uint64_t x[4], y[4];

	weir_key_words(a, x);
	weir_key_words(b, y);
	return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
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

/* The same for either family's key, three rounds over its 28 bytes. */
static inline uint64_t
weir_key_hash(const struct weir_key *key, const struct weir_hash_key *secret)
{
	uint64_t w[4], h;

	weir_key_words(key, w);
	h = weir_hash_fold(w[0] ^ secret->word[0], w[1] ^ secret->word[1]);
	h = weir_hash_fold(w[2] ^ h ^ secret->word[2], w[3] ^ secret->word[0]);
	return weir_hash_fold(h ^ secret->word[2], secret->word[3] | 1);
}

#endif
