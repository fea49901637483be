/* SPDX-License-Identifier: BSD-3-Clause */
/* Loss: when it is taken for one, and what is sent again. No congestion control, so no window
 * falls. */
#include <errno.h>
#include <stdlib.h>

#include "app/generator/state.h"

#define RECOVERIES_MOST 16384

int
gen_recoveries_open(struct generator *g)
{
	uint32_t n = g->n_flows < RECOVERIES_MOST ? g->n_flows : RECOVERIES_MOST;

	g->recoveries = calloc(n + 1, sizeof(*g->recoveries));
	if (g->recoveries == NULL)
		return -ENOMEM;
	g->n_recoveries = n;
	for (uint32_t i = 0; i < n; i++)
		g->recoveries[i].next_free = i + 1 < n ? i + 1 : GEN_NONE;
	g->free_recovery = n == 0 ? GEN_NONE : 0;
	return 0;
}

/* NULL when all are taken: then only the timeout mends. */
static struct gen_recovery *
attach(struct generator *g, struct gen_flow *f)
{
	struct gen_recovery *recovery = gen_recovery_of(g, f);

	if (recovery != NULL || g->free_recovery == GEN_NONE)
		return recovery;
	recovery = &g->recoveries[g->free_recovery];
	f->recovery = (uint16_t)(g->free_recovery + 1);
	g->free_recovery = recovery->next_free;
	scoreboard_reset(&recovery->board);
	recovery->active = 0;
	return recovery;
}

void
gen_recovery_end(struct generator *g, struct gen_flow *f)
{
	if (f->recovery == 0)
		return;
	g->recoveries[f->recovery - 1].next_free = g->free_recovery;
	g->free_recovery = f->recovery - 1u;
	f->recovery = 0;
}

static void
take_blocks(struct generator *g, const struct gen_flow *f, struct gen_recovery *recovery,
	    const struct gen_seg *seg)
{
	for (uint32_t i = 0; i < seg->n_sacks; i++) {
		uint32_t start = seg->sacks[i][0], end = seg->sacks[i][1];

		g->stats.sacks++;
		/* Not a D-SACK, and nothing that was never sent. */
		if (weir_seq_lt(f->una, start) && weir_seq_leq(end, f->high))
			scoreboard_add(&recovery->board, start, end);
	}
}

static uint32_t
highest(const struct gen_recovery *recovery, const struct gen_flow *f)
{
	const struct scoreboard *board = &recovery->board;

	return board->n == 0 ? f->una : board->ranges[board->n - 1][1];
}

/* RFC 5681 3.2 and RFC 6675 section 5: three duplicates, or that much more beyond the hole. */
static bool
looks_lost(const struct gen_recovery *recovery, const struct gen_flow *f)
{
	return f->una != f->high && (f->dup_acks >= GEN_DUP_ACKS ||
				     scoreboard_bytes(&recovery->board) >= GEN_DUP_ACKS * f->mss);
}

static void
begin_pass(const struct gen_flow *f, struct gen_recovery *recovery)
{
	recovery->resend = f->una;
	recovery->until = f->una + f->mss;
	recovery->mark = f->high;
}

static void
begin(struct generator *g, const struct gen_flow *f, struct gen_recovery *recovery)
{
	g->stats.fast_recoveries++;
	recovery->active = 1;
	recovery->recover = f->high;
	begin_pass(f, recovery);
}

/* Data sent after the current pass has arrived and the hole at una has not closed: what was resent
 * into it is lost, too. */
static bool
resent_in_vain(const struct gen_recovery *recovery, const struct gen_flow *f)
{
	return weir_seq_lt(recovery->mark + GEN_DUP_ACKS * f->mss, highest(recovery, f)) &&
	       weir_seq_lt(f->una, recovery->resend);
}

static void
go_on(const struct gen_flow *f, struct gen_recovery *recovery, uint32_t advanced)
{
	recovery->resend = weir_seq_max(recovery->resend, f->una);
	if (recovery->board.n == 0 && advanced != 0)
		begin_pass(f, recovery); /* partial ACK (RFC 6582): the next segment is lost, too */
	else if (resent_in_vain(recovery, f))
		begin_pass(f, recovery);
}

void
gen_recovery_ack(struct generator *g, struct gen_flow *f, const struct gen_seg *seg,
		 uint32_t advanced, bool duplicate)
{
	struct gen_recovery *recovery = gen_recovery_of(g, f);

	if (advanced != 0)
		f->dup_acks = 0;
	if (duplicate && f->dup_acks < UINT8_MAX)
		f->dup_acks++;
	if (recovery == NULL && (seg->n_sacks != 0 || f->dup_acks >= GEN_DUP_ACKS))
		recovery = attach(g, f);
	if (recovery == NULL)
		return;
	scoreboard_advance(&recovery->board, f->una);
	take_blocks(g, f, recovery, seg);
	if (recovery->active && weir_seq_leq(recovery->recover, f->una))
		recovery->active = 0;
	if (recovery->active)
		go_on(f, recovery, advanced);
	else if (looks_lost(recovery, f))
		begin(g, f, recovery);
	if (!recovery->active && recovery->board.n == 0)
		gen_recovery_end(g, f);
}

bool
gen_recovery_next(const struct generator *g, const struct gen_flow *f, uint32_t *start,
		  uint32_t *end)
{
	const struct gen_recovery *recovery = gen_recovery_of(g, f);

	if (recovery == NULL || !recovery->active || f->next != f->high)
		return false;
	if (recovery->board.n != 0)
		return scoreboard_hole(&recovery->board, recovery->resend, start, end);
	*start = recovery->resend;
	*end = weir_seq_min(recovery->until, f->high);
	return weir_seq_lt(*start, *end);
}
