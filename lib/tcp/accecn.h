/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The AccECN option of a data receiver (RFC 9768 3.2.3): how many bytes arrived under each ECN codepoint,
 * and which ACKs say so. Beside the flows, since few connections have it: WEIR_FLOW_ACCECN_OPTION.
 */
#ifndef WEIR_TCP_ACCECN_H
#define WEIR_TCP_ACCECN_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/header.h"
#include "wire/seg.h"

struct weir_flow;
struct weir_tcp;

struct weir_accecn {
	uint32_t bytes[4]; /* by codepoint: r.e1b, r.e0b and r.ceb; none of what is not ECT */
	uint8_t ever;	   /* bit of a codepoint: its counter has moved */
	uint8_t fresh;	   /* since the last option */
	uint8_t last;	   /* codepoint of the last bytes counted */
	uint8_t demand;	   /* so many ACKs carry the option, whosever turn it is */
	uint8_t turn;	   /* ACKs without it since the last one that had it */
	uint8_t sent;	   /* the last ACK carried it */
	uint8_t lost;	   /* times that the last ACK carried it and did not arrive */
	uint8_t since;	   /* ACKs that carried it since then */
};
_Static_assert(sizeof(struct weir_accecn) == 24, "of each flow that has it");

/* A flow that was made from a handshake with the option. */
void weir_accecn_open(struct weir_accecn *accecn);
/* An acceptable segment, untrimmed (3.2). */
void weir_accecn_count(struct weir_accecn *accecn, const struct weir_seg *seg);
/* An ACK of `flow`, which has the option, falls due: must it be one that carries it? Asked once for each
 * ACK, or again when it said yes. */
bool weir_accecn_is_due(struct weir_accecn *accecn, const struct weir_flow *flow);
/* What that ACK carries; its kind is 0 where there is no room. `most`: counters that fit. */
struct weir_accecn_echo weir_accecn_take(struct weir_accecn *accecn, uint32_t most);
/* Data that was acknowledged came again: true when ACKs that carry the option seem never to arrive, so
 * that none may any more (3.2.3.2.2). */
bool weir_accecn_is_blocked(struct weir_accecn *accecn);

#endif
