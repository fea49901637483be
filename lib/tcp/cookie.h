/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN cookies (RFC 4987 section 3.6): when no SYN-RECEIVED entry is left, what one would hold goes into
 * the SYN-ACK's sequence number and timestamp, and comes back with the ACK.
 *
 * Sequence number: 28 bits of SipHash over the connection, the peer's number and all that was agreed
 * on; 3 bits for the MSS; 1 bit for the key. TSval, where the peer has timestamps: its low 6 bits are
 * window scale, SACK and ECN; without timestamps none of these is agreed on. Keys last
 * WEIR_COOKIE_KEY_MS, and the one before is still accepted.
 */
#ifndef WEIR_TCP_COOKIE_H
#define WEIR_TCP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#define WEIR_COOKIE_KEY_MS  60000
#define WEIR_COOKIE_LIFE_MS (2 * WEIR_COOKIE_KEY_MS)

struct weir_syn;

struct weir_cookie_keys {
	uint64_t secret[2]; /* from which the keys are drawn */
	uint64_t key[2][2]; /* by the lowest bit of their period */
	uint64_t period;    /* of the newer one, counted from time 0 */
};

void weir_cookie_open(struct weir_cookie_keys *keys, const uint64_t secret[2], uint64_t now_ns);

/*
 * `syn` with key, irs, mss, opts and both scales as offered becomes what the cookie can tell: iss,
 * ts_offset, a smaller MSS, options fewer. Returns the TSval of the SYN-ACK, which is up to 63 ms old.
 */
uint32_t weir_cookie_bake(struct weir_cookie_keys *keys, uint64_t now_ns, struct weir_syn *syn);

/*
 * `syn` with key, irs and iss from an ACK that carries TSecr `tsecr` if has_ts. True when it answers a
 * cookie of ours; mss, opts, snd_wscale and ts_offset are then what was agreed on.
 */
bool weir_cookie_taste(struct weir_cookie_keys *keys, uint64_t now_ns, bool has_ts, uint32_t tsecr,
		       struct weir_syn *syn);

#endif
