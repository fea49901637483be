/* SPDX-License-Identifier: BSD-3-Clause */
/* When the window does not depend on how much memory there is. */
#ifndef WEIR_TCP_WINDOW_H
#define WEIR_TCP_WINDOW_H

#include "tcp/tcp.h"

/* Less than 3/4 of the budget is held, and what is left is worth more than the flow's receive buffer:
 * nothing else bounds what may be promised (budget.c). */
static inline bool
weir_window_is_at_ease(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	int64_t left = (int64_t)tcp->budget_bufs - tcp->held_bufs;

	return !(flow->opts & WEIR_FLOW_CHARGED) && left * 4 > tcp->budget_bufs &&
	       left * WEIR_WINDOW_PER_BUFFER >= flow->limit;
}

#endif
