/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/sack.h"

#include "wire/seq.h"

void
weir_sack_forget(const struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t idx)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < r->n_recent; i++) {
		uint32_t found = weir_ranges_find(&pool->ranges, &r->ranges, r->recent[i]);

		if (found != 0 && found != idx)
			r->recent[kept++] = r->recent[i];
	}
	r->n_recent = kept;
}

void
weir_sack_remember(const struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t idx,
		   uint32_t seq)
{
	if (r->ranges.count == 1) /* it is the only one */
		r->n_recent = 0;
	else
		weir_sack_forget(pool, r, idx);
	if (r->n_recent == WEIR_SACK_RECENT)
		r->n_recent--;
	for (uint32_t i = r->n_recent; i != 0; i--)
		r->recent[i] = r->recent[i - 1];
	r->recent[0] = seq;
	r->n_recent++;
}

void
weir_sack_forget_dsack(struct weir_reassembly *r, const struct weir_range *range)
{
	if (weir_seq_leq(range->start, r->dsack[0]) && weir_seq_lt(r->dsack[0], range->end))
		r->dsack[0] = r->dsack[1] = 0;
}

/* Write range `idx` as block `n`, unless it is one of [from, n) already; the number of blocks. */
static uint32_t
add_sack(const struct weir_reass_pool *pool, uint32_t idx, uint32_t (*sacks)[2], uint32_t from,
	 uint32_t n)
{
	const struct weir_range *range = &pool->ranges.nodes[idx];

	for (uint32_t i = from; i < n; i++)
		if (sacks[i][0] == range->start)
			return n;
	sacks[n][0] = range->start;
	sacks[n][1] = range->end;
	return n + 1;
}

/* The D-SACK, and behind it the range that its bytes are a part of (RFC 2883 section 4). */
static uint32_t
add_dsack(const struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t (*sacks)[2],
	  uint32_t most)
{
	uint32_t idx = weir_ranges_find(&pool->ranges, &r->ranges, r->dsack[0]);

	sacks[0][0] = r->dsack[0];
	sacks[0][1] = r->dsack[1];
	r->dsack[0] = r->dsack[1] = 0;
	return idx != 0 && most > 1 ? add_sack(pool, idx, sacks, 1, 1) : 1;
}

/*
 * When joins have left fewer recent ranges than there is room for, the lowest others follow: as
 * many distinct blocks as possible (RFC 2018 section 4).
 */
uint32_t
weir_reass_sacks(struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t (*sacks)[2],
		 uint32_t most)
{
	const struct weir_ranges *set = &r->ranges;
	bool is_dup = most != 0 && r->dsack[0] != r->dsack[1];
	uint32_t n, idx;

	if (set->count == 1 && !is_dup && most != 0)
		return add_sack(pool, set->root, sacks, 0, 0);
	n = is_dup ? add_dsack(pool, r, sacks, most) : 0;
	idx = weir_ranges_first(&pool->ranges, set);
	for (uint8_t i = 0; i < r->n_recent && n < most; i++) {
		uint32_t recent = weir_ranges_find(&pool->ranges, set, r->recent[i]);

		n = add_sack(pool, recent, sacks, is_dup, n);
	}
	while (idx != 0 && n < most) {
		n = add_sack(pool, idx, sacks, is_dup, n);
		idx = weir_ranges_after(&pool->ranges, set, pool->ranges.nodes[idx].end);
	}
	return n;
}
