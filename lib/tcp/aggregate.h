/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive Aggregation (Menon & Zwaenepoel 3): a run of queued descriptors that TCP may take in one
 * pass. Nothing is rebuilt; an aggregate is always divisible.
 */
#ifndef WEIR_TCP_AGGREGATE_H
#define WEIR_TCP_AGGREGATE_H

#include <stdbool.h>
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

/* segs[0, n) of one flow, in sequence. */
struct weir_aggregate {
	struct weir_seg *segs;
	uint32_t n;
	uint32_t last;   /* segs[last] begins the block that ends with segs[n - 1] */
	uint32_t causes; /* a bit (1 << enum weir_close_cause) for each reason why segs[n] was not merged;
			    WEIR_CAUSE_EMPTY alone when nothing more is queued */
};

/* May a segment have company? A look at what the merge word says at once. */
static inline bool
weir_aggregate_is_plain(const struct weir_seg *seg)
{
	const uint64_t rest = (uint64_t)(0xff ^ WEIR_TCP_PSH) << WEIR_SEG_MERGE_BIT(flags) |
			      (uint64_t)WEIR_OPT_OTHER << WEIR_SEG_MERGE_BIT(shape) |
			      UINT64_C(0xff) << WEIR_SEG_MERGE_BIT(mark);

	return (weir_seg_merge_word(seg) & rest) == (uint64_t)WEIR_TCP_ACK << WEIR_SEG_MERGE_BIT(flags) &&
	       seg->len != 0;
}

/* What keeps a segment from any company, in full. */
uint32_t weir_aggregate_alone_causes(const struct weir_seg *seg);

/* Why `seg` cannot follow the block, behind which `next` is expected, in full. */
uint32_t weir_aggregate_follow_causes(const struct weir_seg *block, uint32_t next,
				      const struct weir_seg *seg);

/*
 * The aggregate that starts at segs[0], where `n` segments are queued and at most `limit` may be taken,
 * both 1 at least. A block that is longer than what may be taken is cut in two.
 */
static inline struct weir_aggregate
weir_aggregate_form(struct weir_seg *segs, uint32_t n, uint32_t limit)
{
	struct weir_aggregate a = {.segs = segs, .n = 1};
	uint32_t most = n < limit ? n : limit, next = weir_seg_block_end(&segs[0]);

	if (__builtin_expect(!weir_aggregate_is_plain(&segs[0]), 0)) {
		a.causes = weir_aggregate_alone_causes(&segs[0]);
		return a;
	}
	/* The parser has looked at those that it saw one after the other; whether none between them is
	 * missing, and what it did not see, is looked at here. */
	for (a.n += segs[0].alike; a.n < most; a.n += 1u + segs[a.last].alike) {
		const struct weir_seg *seg = &segs[a.n];

		if (!seg->follows || seg->seq != next) {
			a.causes = weir_aggregate_follow_causes(&segs[a.last], next, seg);
			if (a.causes != 0)
				return a;
		}
		a.last = a.n;
		next = weir_seg_block_end(seg);
	}
	if (a.n > most) {
		weir_seg_split(&segs[a.last], most - a.last);
		a.n = most;
	}
	if (segs[a.last].flags & WEIR_TCP_PSH)
		a.causes = 1u << WEIR_CAUSE_PUSH;
	else
		a.causes = a.n == limit ? 1u << WEIR_CAUSE_LIMIT : 1u << WEIR_CAUSE_EMPTY;
	return a;
}

/* Buffer segments of all of it. */
static inline uint32_t
weir_aggregate_bufs(const struct weir_aggregate *a)
{
	uint32_t bufs = 0, len;

	for (uint32_t i = 0; i < a->n; i += len) {
		len = 1u + a->segs[i].alike;
		bufs += a->segs[i].nb_segs * len;
	}
	return bufs;
}

/* The first segment, if it begins a block, becomes one of its own. */
static inline void
weir_aggregate_part(struct weir_aggregate *a)
{
	if (a->segs[0].alike == 0)
		return;
	weir_seg_split(&a->segs[0], 1);
	a->last += a->last == 0;
}

/* The first `n` segments, whole blocks, are dealt with. */
static inline void
weir_aggregate_drop(struct weir_aggregate *a, uint32_t n)
{
	a->segs += n;
	a->n -= n;
	a->last -= a->last < n ? a->last : n;
}

const char *weir_aggregate_cause_name(uint32_t cause);

#endif
