/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which ranges of a reassembly are reported first (RFC 2018 section 4). Sequence numbers stand for
 * ranges, because ranges join: the latest is the one that holds the latest arrival. For the
 * reassembly alone; weir_reass_sacks() of its header is written here too.
 */
#ifndef WEIR_TCP_SACK_H
#define WEIR_TCP_SACK_H

#include <stdint.h>

#include "tcp/reassembly.h"

/* Range `idx`, which holds `seq`, is the latest; what it swallowed is no longer there by itself. */
void weir_sack_remember(const struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t idx,
			uint32_t seq);

/* Forget the recent ranges that are gone, and `idx` (0: no other). */
void weir_sack_forget(const struct weir_reass_pool *pool, struct weir_reassembly *r, uint32_t idx);

/* `range` is about to be dropped: a pending D-SACK inside it would read as a SACK of lost data. */
void weir_sack_forget_dsack(struct weir_reassembly *r, const struct weir_range *range);

#endif
