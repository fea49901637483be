/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive buffer autotuning: dynamic right-sizing (Fisk & Feng, 2001). In each round trip as the
 * receiver sees it, what the application took is measured; twice that is what a sender needs to be held
 * up by nothing but the path. Everything depends on time and on places in the stream, nothing on how
 * segments came in aggregates.
 */
#ifndef WEIR_TCP_TUNE_H
#define WEIR_TCP_TUNE_H

#include <stdint.h>

struct weir_tcp;
struct weir_flow;
struct weir_seg;

/* Of one flow, apart from it: only those that are tuned touch it, once a millisecond at most. */
struct weir_tune {
	uint32_t round_ms; /* when this round began */
	uint32_t taken;    /* bytes that the application had taken by then, on lease too; modulo 2^32 */
	uint32_t edge;     /* right edge advertised at edge_ms: what lies beyond comes a round trip later */
	uint32_t edge_ms;
	uint16_t copied_kib; /* taken in the round before, rounded up */
	uint16_t busy;       /* when it last needed half of its receive buffer or more; 128 ms */
	uint16_t rtt_ms;     /* 0: nothing measured yet */
	uint16_t low_ms;     /* the least of this round, UINT16_MAX: none */
};
_Static_assert(sizeof(struct weir_tune) == 24, "an idle connection pays for it");

/* For flows whose listener fixes the receive buffer both do nothing. */

/* A flow begins, its limit set; rtt_ms: of the handshake, UINT32_MAX when there is no sample. */
void weir_tune_open(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t rtt_ms);
/* `seg`, in order, is the first of the flow for a millisecond or more; before it is taken. Raises or
 * lowers flow->limit; no right edge moves by that. */
void weir_tune_arrival(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg);

#endif
