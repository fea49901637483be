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

/* Why `seg` cannot follow `prev`, in full; only asked when it cannot. */
static uint32_t
follow_causes(const struct weir_seg *prev, const struct weir_seg *seg)
{
	uint32_t causes = alone_causes(prev) | alone_causes(seg);

	causes |= seg->seq != prev->seq + prev->len ? CAUSE_BIT(SEQUENCE) : 0;
	causes |= (seg->ack - prev->ack) >> WEIR_SEG_ACK_BITS ? CAUSE_BIT(ACK) : 0;
	causes |= (seg->tsval - prev->tsval) >> WEIR_SEG_TS_BITS ? CAUSE_BIT(TIMESTAMP) : 0;
	causes |= seg->shape != prev->shape ? CAUSE_BIT(OPTIONS) : 0;
	causes |= seg->tos != prev->tos || seg->ttl != prev->ttl || seg->port != prev->port
			  ? CAUSE_BIT(HEADER)
			  : 0;
	causes |= prev->flags & WEIR_TCP_PSH ? CAUSE_BIT(PUSH) : 0;
	return causes;
}

/* Segments from segs[0], which may have company, that follow one another, at most `most`. The parser
 * has looked at those that it saw one after the other; whether none between them is missing, and
 * what it did not see, is looked at here. */
static uint32_t
count_followers(const struct weir_seg *segs, uint32_t most)
{
	uint32_t next = segs[0].seq + segs[0].len, i;

	for (i = 1; i < most; i++) {
		const struct weir_seg *seg = &segs[i];

		if ((!seg->follows || seg->seq != next) && follow_causes(seg - 1, seg) != 0)
			break;
		next += seg->len;
	}
	return i;
}

uint32_t
weir_aggregate_form(const struct weir_seg *segs, uint32_t n, uint32_t limit, uint32_t *causes)
{
	uint32_t most = n < limit ? n : limit;
	uint32_t alone = alone_causes(&segs[0]);
	uint32_t i;

	if (alone != 0) {
		*causes = alone;
		return 1;
	}
	i = count_followers(segs, most);
	if (i < most)
		*causes = follow_causes(&segs[i - 1], &segs[i]);
	else if (segs[i - 1].flags & WEIR_TCP_PSH)
		*causes = CAUSE_BIT(PUSH);
	else
		*causes = i == limit ? CAUSE_BIT(LIMIT) : CAUSE_BIT(EMPTY);
	return i;
}
