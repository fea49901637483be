/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/aggregate.h"

#define CAUSE_BIT(id) (1u << WEIR_CAUSE_##id)

static const char *const cause_names[WEIR_CAUSE_COUNT] = {
#define CAUSE(id, name) [WEIR_CAUSE_##id] = name,
#include "tcp/cause.def"
#undef CAUSE
};

const char *
weir_aggregate_cause_name(uint32_t cause)
{
	return cause < WEIR_CAUSE_COUNT ? cause_names[cause] : NULL;
}

/* What keeps a segment from any company. */
static inline uint32_t
alone_causes(const struct weir_seg *seg)
{
	uint32_t causes = 0;

	causes |= (seg->flags & ~WEIR_TCP_PSH) != WEIR_TCP_ACK ? CAUSE_BIT(FLAGS) : 0;
	causes |= seg->shape == WEIR_OPT_OTHER ? CAUSE_BIT(OPTIONS) : 0;
	causes |= seg->mark != 0 ? CAUSE_BIT(HEADER) : 0;
	causes |= seg->len == 0 ? CAUSE_BIT(PURE_ACK) : 0;
	return causes;
}

/* Why `seg` cannot follow the block, behind which `next` is expected, in full; only asked when it
 * cannot. */
static uint32_t
follow_causes(const struct weir_seg *block, uint32_t next, const struct weir_seg *seg)
{
	uint32_t causes = alone_causes(block) | alone_causes(seg);

	causes |= seg->seq != next ? CAUSE_BIT(SEQUENCE) : 0;
	causes |= (seg->ack - block->ack) >> WEIR_SEG_ACK_BITS ? CAUSE_BIT(ACK) : 0;
	causes |= (seg->tsval - block->tsval) >> WEIR_SEG_TS_BITS ? CAUSE_BIT(TIMESTAMP) : 0;
	causes |= seg->shape != block->shape ? CAUSE_BIT(OPTIONS) : 0;
	causes |= seg->tos != block->tos || seg->ttl != block->ttl || seg->port != block->port
			  ? CAUSE_BIT(HEADER)
			  : 0;
	causes |= block->flags & WEIR_TCP_PSH ? CAUSE_BIT(PUSH) : 0;
	return causes;
}

static inline uint32_t
block_end(const struct weir_seg *block)
{
	return block->seq + block->len * (1u + block->alike);
}

struct weir_aggregate
weir_aggregate_form(struct weir_seg *segs, uint32_t n, uint32_t limit)
{
	struct weir_aggregate a = {.segs = segs, .n = 1, .causes = alone_causes(&segs[0])};
	uint32_t most = n < limit ? n : limit, next = block_end(&segs[0]);

	if (a.causes != 0)
		return a;
	/* The parser has looked at those that it saw one after the other; whether none between them is
	 * missing, and what it did not see, is looked at here. */
	for (a.n += segs[0].alike; a.n < most; a.n += 1u + segs[a.last].alike) {
		const struct weir_seg *seg = &segs[a.n];

		if (!seg->follows || seg->seq != next) {
			a.causes = follow_causes(&segs[a.last], next, seg);
			if (a.causes != 0)
				return a;
		}
		a.last = a.n;
		next = block_end(seg);
	}
	if (a.n > most) {
		weir_seg_split(&segs[a.last], most - a.last);
		a.n = most;
	}
	if (segs[a.last].flags & WEIR_TCP_PSH)
		a.causes = CAUSE_BIT(PUSH);
	else
		a.causes = a.n == limit ? CAUSE_BIT(LIMIT) : CAUSE_BIT(EMPTY);
	return a;
}
