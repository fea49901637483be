/* SPDX-License-Identifier: BSD-3-Clause */
/* Plain SYNs, told at a glance: in a flood each costs what its telling costs. Private to wire/. */
#ifndef WEIR_WIRE_SYN_H
#define WEIR_WIRE_SYN_H

#include "wire/parse.h"

/* What a SYN looks like on a port whose `plain` frames are known. */
void weir_syn_init(struct weir_parse *parse);

/*
 * A frame that is not plain, while GOOD is believed unseen: true when it claims that and is a SYN that
 * stands apart, or is rejected since there are too many. `before` segments of IPv4 came before it.
 */
bool weir_syn_take(struct weir_parse *parse, struct rte_mbuf *buf, uint32_t before,
		   struct weir_parsed *out);

/* The descriptors of those that were taken; by now their options are near. */
void weir_syn_fill(struct weir_parse *parse, struct weir_parsed_syns *syns);

/* May one SYN more be taken? */
static inline bool
weir_syn_allowed(struct weir_parse *parse)
{
	if (parse->syns_left == 0)
		return false;
	parse->syns_left--;
	return true;
}

#endif
