/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RFC 9768 3.2.3.3 lets the implementer choose every how many ACKs carry a counter that moves on and on.
 * Those that do are built one by one, the others travel in trains: what changes, and each mark, is told
 * by the next ACK, all else by every eighth. Where ACKs are few (stretch, delayed) each one tells.
 *
 * We send no ECT, so the peer's counters never move and nothing of its options has to be read.
 */
#include "tcp/accecn.h"

#include <string.h>

#include "flow/flow.h"
#include "weir.h"

#define EVERY	  8 /* ACKs of a train policy: of far less than 2^22 bytes */
#define CHANGED	  2 /* ACKs that tell a change: the next one, and the one behind it */
#define LOST_MOST 3 /* times that such an ACK is lost before it is the last one... */
#define LOST_OF	  64 /* ...unless so many did no harm */

#define BIT(codepoint) (1u << (codepoint))

void
weir_accecn_open(struct weir_accecn *accecn)
{
	memset(accecn, 0, sizeof(*accecn));
	accecn->bytes[WEIR_ECN_ECT0] = accecn->bytes[WEIR_ECN_ECT1] = 1; /* 3.2.1 */
}

void
weir_accecn_count(struct weir_accecn *accecn, const struct weir_seg *seg)
{
	uint8_t codepoint = seg->tos & WEIR_ECN_MASK;

	if (codepoint == WEIR_ECN_NOT_ECT || seg->len == 0)
		return;
	accecn->bytes[codepoint] += seg->len;
	accecn->ever |= BIT(codepoint);
	accecn->fresh |= BIT(codepoint);
	if (codepoint != accecn->last)
		accecn->demand = CHANGED;
	else if (codepoint == WEIR_ECN_CE && accecn->demand == 0)
		accecn->demand = 1;
	accecn->last = codepoint;
}

bool
weir_accecn_is_due(struct weir_accecn *accecn, const struct weir_flow *flow)
{
	accecn->sent = 0;
	if (accecn->fresh == 0)
		return false;
	if (accecn->demand != 0 || flow->ack_policy != WEIR_ACK_TRAIN || accecn->turn == EVERY - 1)
		return true;
	accecn->turn++;
	return false;
}

/* How many counters an option needs that tells those of `set`. */
static uint32_t
counters_for(uint32_t set)
{
	const uint32_t both = BIT(WEIR_ECN_ECT0) | BIT(WEIR_ECN_ECT1);

	if ((set & both) == both)
		return 3;
	return set & BIT(WEIR_ECN_CE) ? 2 : 1;
}

/* Table 5; of what the order leaves open, order 0. */
static void
fill(const struct weir_accecn *accecn, uint32_t set, struct weir_accecn_echo *echo)
{
	bool order1 = (set & BIT(WEIR_ECN_ECT1)) != 0 && !(set & BIT(WEIR_ECN_ECT0));

	echo->kind = order1 ? WEIR_OPT_KIND_ACCECN1 : WEIR_OPT_KIND_ACCECN0;
	echo->n = (uint8_t)counters_for(set);
	echo->counters[0] = accecn->bytes[order1 ? WEIR_ECN_ECT1 : WEIR_ECN_ECT0];
	echo->counters[1] = accecn->bytes[WEIR_ECN_CE];
	echo->counters[2] = accecn->bytes[order1 ? WEIR_ECN_ECT0 : WEIR_ECN_ECT1];
}

struct weir_accecn_echo
weir_accecn_take(struct weir_accecn *accecn, uint32_t most)
{
	struct weir_accecn_echo echo = {.kind = 0};
	uint32_t set = accecn->ever;

	if (counters_for(set) > most) /* only what nobody knows yet; without it the option is none */
		set = accecn->fresh;
	if (counters_for(set) > most)
		return echo;
	fill(accecn, set, &echo);
	accecn->fresh = 0;
	accecn->turn = 0;
	accecn->demand -= accecn->demand != 0;
	accecn->sent = 1;
	if (++accecn->since == LOST_OF)
		accecn->since = accecn->lost = 0;
	return echo;
}

bool
weir_accecn_is_blocked(struct weir_accecn *accecn)
{
	if (!accecn->sent)
		return false;
	accecn->sent = accecn->since = 0;
	return ++accecn->lost == LOST_MOST;
}
