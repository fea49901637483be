/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The way home of one held node, in line for those who release whole runs; weir_tcp_release() takes it for
 * lists. In receive.c.
 */
#ifndef WEIR_TCP_RELEASE_H
#define WEIR_TCP_RELEASE_H

#include <stdint.h>

#include "tcp/tcp.h"

/* weir_tcp_release_bufs() of those that have no home: they are looked at before they go. */
uint32_t weir_tcp_release_homeless(struct weir_tcp *tcp, const struct weir_held *held);

/* The node's buffers go home, and it is undefined; how many they were. */
static inline uint32_t
weir_tcp_release_bufs(struct weir_tcp *tcp, const struct weir_held *held)
{
	uint32_t packets = held->packets;

	if (unlikely(held->home == 0 || held->home == WEIR_HELD_CHAIN))
		return weir_tcp_release_homeless(tcp, held);
	if (packets == 1) {
		weir_homes_give(&tcp->held.homes, tcp->pool, held->buf, held->home);
	} else {
		weir_homes_give_row(&tcp->held.homes, tcp->pool, held->row->bufs, packets,
				    held->home);
		weir_held_drop_row(&tcp->held, held);
	}
	return packets;
}

/* weir_tcp_release() of node `idx` alone. */
static inline uint32_t
weir_tcp_release_node(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t idx)
{
	const struct weir_held *held = &tcp->held.nodes[idx];
	uint32_t bytes = weir_held_bytes(held), bufs = weir_tcp_release_bufs(tcp, held);

	weir_held_give(&tcp->held, idx, idx, 1);
	if (likely(flow != NULL))
		weir_tcp_hold(tcp, flow, -(int32_t)bufs);
	else
		tcp->held_bufs -= bufs;
	return bytes;
}

#endif
