/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may hold how much of the engine's buffers, and of its listener's. */
#ifndef WEIR_TCP_BUDGET_H
#define WEIR_TCP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"

struct weir_tcp;

enum weir_budget_answer {
	WEIR_BUDGET_ADMITTED,
	WEIR_BUDGET_OWN_LIMIT, /* the connection holds what it may at most */
	WEIR_BUDGET_SHORT,     /* the engine is short of memory */
	WEIR_BUDGET_LISTENER,  /* the listener's connections are */
};

/* Level of pressure, each with those below it: 0 none, 1 edges stand, 2 collapse, 3 prune, 4 refuse
 * new connections: next to nothing is left. */
uint32_t weir_budget_pressure(const struct weir_tcp *tcp);
/* The same of what the listener's connections may hold together, and the higher one of both, for a flow. */
uint32_t weir_budget_listener_pressure(const struct weir_tcp *tcp, uint32_t listener);
uint32_t weir_budget_flow_pressure(const struct weir_tcp *tcp, const struct weir_flow *flow);
/* With `bufs` buffers more the flow's listener, where that has a limit, would be far from it. */
bool weir_budget_listener_is_roomy(const struct weir_tcp *tcp, const struct weir_flow *flow,
				   uint32_t bufs);
/* May the flow hold `bufs` buffers more? */
enum weir_budget_answer weir_budget_ask(const struct weir_tcp *tcp, const struct weir_flow *flow,
					uint32_t bufs);
/* Bytes that may be promised to the right of rcv_nxt, and what closes a window that shrinks. Negative
 * when more waits than may: what rounding let in must not be promised again. */
int32_t weir_budget_promise(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t mss,
			    enum weir_limit *closes);
/* Bytes that the flow's receive buffer may be raised to: half of what nobody holds, so that no connection
 * can have it all; nothing under pressure. */
uint32_t weir_budget_share(const struct weir_tcp *tcp, const struct weir_flow *flow);
/* The promise of a SYN-ACK for a connection with a receive buffer of `limit` bytes. */
uint32_t weir_budget_first_window(const struct weir_tcp *tcp, uint32_t limit, uint32_t mss);
/* The application has read `bytes`: they are free. */
void weir_budget_read(const struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes);

#endif
