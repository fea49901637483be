/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-2-4 (Aumasson & Bernstein 2012): the keyed function behind initial sequence numbers
 * (RFC 6528) and timestamp offsets. */
#ifndef WEIR_WIRE_SIPHASH_H
#define WEIR_WIRE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t weir_siphash(const uint64_t key[2], const void *data, size_t len);

/* A splitmix64 step, for random choices that are no secret: each output tells all others. */
uint64_t weir_seed_next(uint64_t *seed);

/* What a secret is for: no two purposes share one. */
enum weir_secret {
	WEIR_SECRET_FLOWS = 1, /* hash of the flow table of IPv4 */
	WEIR_SECRET_FLOWS6,
	WEIR_SECRET_NUMBERS,   /* initial sequence numbers and timestamp offsets: 64 bits of one hash */
	WEIR_SECRET_LABELS,    /* flow labels of IPv6 */
	WEIR_SECRET_COOKIES,   /* from which the keys of SYN cookies are drawn */
	WEIR_SECRET_DATAGRAMS, /* hash of what waits in fragments */
	WEIR_SECRET_PEERS,     /* hash of remote addresses */
	WEIR_SECRET_RANDOM,    /* start of the random choices */
};

/* The first `n` words of the secret for `purpose` that follows from `seed`. From words of one purpose
 * neither the seed nor those of another can be told. */
void weir_derive(uint64_t seed, enum weir_secret purpose, uint64_t *words, uint32_t n);

#endif
