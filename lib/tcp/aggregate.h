/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive Aggregation (Menon & Zwaenepoel 3): a run of queued descriptors that TCP may take in one
 * pass. Nothing is rebuilt; an aggregate is always divisible.
 */
#ifndef WEIR_TCP_AGGREGATE_H
#define WEIR_TCP_AGGREGATE_H

#include <stdint.h>

#include "wire/seg.h"

#include "wire/seg.h"

/* Why an aggregate ended where it did; several reasons may hold at once. */
enum weir_close_cause {
#define CAUSE(id, name) WEIR_CAUSE_##id,
#include "tcp/cause.def"
#undef CAUSE
	WEIR_CAUSE_COUNT
};

#define WEIR_AGGREGATE_MAX 64 /* largest aggregation limit */

/* segs[0, n) of one flow, in sequence. */
struct weir_aggregate {
	struct weir_seg *segs;
	uint32_t n;
	uint32_t last;   /* segs[last] begins the block that ends with segs[n - 1] */
	uint32_t causes; /* a bit (1 << enum weir_close_cause) for each reason why segs[n] was not merged;
			    WEIR_CAUSE_EMPTY alone when nothing more is queued */
};

/*
 * The aggregate that starts at segs[0], where `n` segments are queued and at most `limit` may be taken,
 * both 1 at least. A block that is longer than what may be taken is cut in two.
 */
struct weir_aggregate weir_aggregate_form(struct weir_seg *segs, uint32_t n, uint32_t limit);

const char *weir_aggregate_cause_name(uint32_t cause);

#endif
