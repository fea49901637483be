/* SPDX-License-Identifier: BSD-3-Clause */
#include "patience.h"

#include <string.h>

enum patience_cause
patience_cause(const struct patience_facts *facts)
{
	if (facts->gone)
		return PATIENCE_GONE;
	if (!facts->link_up)
		return PATIENCE_LINK;
	if (!facts->resolved)
		return PATIENCE_UNRESOLVED;
	return facts->waiting ? PATIENCE_SILENT : PATIENCE_GOOD;
}

void
patience_start(struct patience *patience, uint64_t now_ns)
{
	memset(patience, 0, sizeof(*patience));
	patience->since_ns = now_ns;
}

/* Anything from the peer that belongs to a connection of ours. */
static uint64_t
life(const struct generator_stats *stats)
{
	return stats->acks_received + stats->opened + stats->closed + stats->reset;
}

static uint64_t
limit_ns(const struct patience_facts *facts)
{
	const struct generator_stats *stats = facts->stats;
	enum patience_cause cause = patience_cause(facts);

	if (cause == PATIENCE_GONE)
		return 0;
	if (cause == PATIENCE_SILENT && stats->opened != 0 &&
	    stats->bytes_sent == stats->bytes_acked)
		return PATIENCE_CLOSED_NS;
	return PATIENCE_LIMIT_NS;
}

bool
patience_tick(struct patience *patience, const struct patience_facts *facts, uint64_t now_ns,
	      bool *say)
{
	enum patience_cause cause = patience_cause(facts);
	uint64_t seen = life(facts->stats), quiet_ns;

	*say = false;
	if (cause == PATIENCE_GOOD || seen != patience->seen) {
		patience->since_ns = now_ns;
		patience->seen = seen;
		patience->said = false;
	}
	if (cause == PATIENCE_GOOD)
		return false;
	quiet_ns = now_ns - patience->since_ns;
	if (!patience->said && cause >= PATIENCE_UNRESOLVED && quiet_ns >= PATIENCE_DOUBT_NS &&
	    limit_ns(facts) == PATIENCE_LIMIT_NS) {
		patience->said = true;
		*say = true;
	}
	return quiet_ns >= limit_ns(facts);
}
