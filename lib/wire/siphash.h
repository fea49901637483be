/* SPDX-License-Identifier: BSD-3-Clause */
/* SipHash-2-4 (Aumasson & Bernstein 2012): the keyed function behind initial sequence numbers
 * (RFC 6528) and timestamp offsets. */
#ifndef WEIR_WIRE_SIPHASH_H
#define WEIR_WIRE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t weir_siphash(const uint64_t key[2], const void *data, size_t len);

/* A splitmix64 step: turns one seed into any number of secrets. */
uint64_t weir_seed_next(uint64_t *seed);

#endif
