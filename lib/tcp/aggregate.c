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

uint32_t
weir_aggregate_alone_causes(const struct weir_seg *seg)
{
	uint32_t causes = 0;

	causes |= (seg->flags & ~WEIR_TCP_PSH) != WEIR_TCP_ACK ? CAUSE_BIT(FLAGS) : 0;
	causes |= seg->shape == WEIR_OPT_OTHER ? CAUSE_BIT(OPTIONS) : 0;
	causes |= seg->mark != 0 ? CAUSE_BIT(HEADER) : 0;
	causes |= seg->len == 0 ? CAUSE_BIT(PURE_ACK) : 0;
	return causes;
}

uint32_t
weir_aggregate_follow_causes(const struct weir_seg *block, uint32_t next, const struct weir_seg *seg)
{
	uint32_t causes = seg->seq != next ? CAUSE_BIT(SEQUENCE) : 0;

	causes |= (seg->ack - block->ack) >> WEIR_SEG_ACK_BITS ? CAUSE_BIT(ACK) : 0;
	causes |= (seg->tsval - block->tsval) >> WEIR_SEG_TS_BITS ? CAUSE_BIT(TIMESTAMP) : 0;
	causes |= block->flags & WEIR_TCP_PSH ? CAUSE_BIT(PUSH) : 0;
	if (weir_seg_merge_word(block) == weir_seg_merge_word(seg) && weir_aggregate_is_plain(block) &&
	    seg->len != 0) /* they say the same, as most do */
		return causes;
	causes |= weir_aggregate_alone_causes(block) | weir_aggregate_alone_causes(seg);
	causes |= seg->shape != block->shape ? CAUSE_BIT(OPTIONS) : 0;
	causes |= seg->tos != block->tos || seg->ttl != block->ttl || seg->port != block->port
			  ? CAUSE_BIT(HEADER)
			  : 0;
	return causes;
}
