/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive Aggregation (Menon & Zwaenepoel 3): a run of queued descriptors that TCP may take in one
 * pass. Nothing is rebuilt; an aggregate is always divisible.
 */
#ifndef WEIR_TCP_AGGREGATE_H
#define WEIR_TCP_AGGREGATE_H

#include <stdint.h>

#include "wire/seg.h"

/* Why an aggregate ended where it did; several reasons may hold at once. */
enum weir_close_cause {
#define CAUSE(id, name) WEIR_CAUSE_##id,
#include "tcp/cause.def"
#undef CAUSE
	WEIR_CAUSE_COUNT
};

#define WEIR_AGGREGATE_MAX 64 /* largest aggregation limit */

/*
 * Length of the aggregate that starts at segs[0], 1 <= result <= n, where at most `limit` (>= 1) may
 * be taken. *causes gets a bit (1 << enum weir_close_cause) for each reason why segs[result] was not
 * merged; WEIR_CAUSE_EMPTY alone when the run ended because nothing more is queued.
 */
uint32_t weir_aggregate_form(const struct weir_seg *segs, uint32_t n, uint32_t limit,
			     uint32_t *causes);

const char *weir_aggregate_cause_name(uint32_t cause);

#endif
