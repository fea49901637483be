/* SPDX-License-Identifier: BSD-3-Clause */
/* Unread data handed out where it lies, and taken back. */
#include <errno.h>

#include "engine/engine.h"
#include "tcp/release.h"
#include "wire/chain.h"

#define WEIR_LEASE_SEGS 32 /* packets that one lease covers at most */

/* Spans of one node of several buffer segments; 0 when they do not fit into `most`. */
static uint32_t __attribute__((noinline))
node_spans(const struct weir_held *held, uint64_t lease, struct weir_span *spans, uint32_t most)
{
	uint32_t off = (uint32_t)held->off, left = held->len, n = 0;

	while (left != 0) {
		struct weir_chunk chunk = weir_chain_at(held->buf, off, left);

		if (n == most)
			return 0;
		spans[n++] = (struct weir_span){
			.data = chunk.data, .lease = lease, .len = chunk.len};
		off += chunk.len;
		left -= chunk.len;
	}
	return n;
}

/* Spans of a node whose packets are contiguous. */
static inline void
packets_spans(const struct weir_held *held, uint64_t lease, struct weir_span *spans)
{
	const struct weir_span *end = spans + held->packets;
	struct rte_mbuf *const *bufs = held->row->bufs;
	struct weir_span span = {.data = held->data, .lease = lease, .len = held->len};
	ptrdiff_t ahead = held->ahead;

	if (held->packets == 1) {
		*spans = span;
		return;
	}
	for (; spans != end; spans++) { /* a span might be what the node is, for all the compiler knows */
		span.data = (const uint8_t *)*bufs++ + ahead;
		*spans = span;
	}
}

/* Spans of node `idx`, the first of those of `flow` that are not leased; what is too much for one lease
 * or for `most` is made another's. 0: not even those of the first packet fit. */
static inline uint32_t
lease_node(struct weir_held_pool *pool, struct weir_flow *flow, uint32_t idx, uint64_t lease,
	   struct weir_span *spans, uint32_t most)
{
	struct weir_held *held = &pool->nodes[idx];

	if (__builtin_expect(held->packets > most, 0)) {
		if (most == 0)
			return 0;
		weir_held_unfold(pool, &flow->unread, idx);
	}
	if (unlikely(held->home == WEIR_HELD_CHAIN))
		return node_spans(held, lease, spans, most);
	packets_spans(held, lease, spans);
	return held->packets;
}

/* The first nodes of the unread list become one lease. Returns its spans, 0 when not even those of
 * the first packet fit into `most`. */
static inline uint32_t
lease_run(struct weir_held_pool *pool, struct weir_flow *flow, weir_conn conn,
	  struct weir_span *spans, uint32_t most)
{
	struct weir_held *nodes = pool->nodes;
	uint32_t first = flow->unread.head, next = first, last = 0, bytes = 0, n = 0;
	uint32_t left = WEIR_LEASE_SEGS;
	uint64_t lease = (uint64_t)(nodes[first].gen + 1) << 32 | first;

	while (next != 0 && nodes[next].packets <= left) {
		uint32_t got = lease_node(pool, flow, next, lease, spans + n, most - n);

		if (got == 0)
			break;
		n += got;
		left -= nodes[next].packets;
		bytes += weir_held_bytes(&nodes[next]);
		last = next;
		next = nodes[next].next;
	}
	if (n == 0)
		return 0;
	spans[n - 1].last = 1;
	flow->unread.head = next;
	if (next == 0)
		flow->unread.tail = 0;
	nodes[last].next = 0;
	nodes[first].gen++;
	nodes[first].conn = conn;
	flow->unread_bytes -= bytes;
	flow->leased_bytes += bytes;
	return n;
}

/* All that is unread, as long as it fits into `most`. */
static int __attribute__((noinline))
lease_list(struct weir_held_pool *pool, struct weir_flow *flow, weir_conn conn,
	   struct weir_span *spans, uint32_t most)
{
	uint32_t n = 0;

	while (flow->unread.head != 0) {
		uint32_t got = lease_run(pool, flow, conn, spans + n, most - n);

		if (got == 0)
			return n == 0 ? -ENOSPC : (int)n;
		n += got;
	}
	return (int)n;
}

/* All that is unread, which one node holds. */
static inline int
lease_node_alone(struct weir_held_pool *pool, struct weir_flow *flow, weir_conn conn,
		 struct weir_span *spans)
{
	uint32_t idx = flow->unread.head;
	struct weir_held *held = &pool->nodes[idx];

	packets_spans(held, (uint64_t)++held->gen << 32 | idx, spans);
	spans[held->packets - 1].last = 1;
	held->conn = conn;
	flow->unread.head = flow->unread.tail = 0;
	flow->leased_bytes += flow->unread_bytes;
	flow->unread_bytes = 0;
	return held->packets;
}

int
weir_conn_lease(struct weir_stack *stack, weir_conn conn, struct weir_span *spans, uint32_t most)
{
	struct weir_held_pool *pool = &stack->engine->tcp.held;
	struct weir_flow *flow = weir_stack_flow(stack, conn);
	const struct weir_held *first;

	if (flow == NULL)
		return -EBADF;
	if (flow->unread.head == 0)
		return 0;
	first = &pool->nodes[flow->unread.head];
	if (first->next == 0 && first->home != WEIR_HELD_CHAIN && first->packets <= most)
		return lease_node_alone(pool, flow, conn, spans);
	return lease_list(pool, flow, conn, spans, most);
}

static bool
lease_is_out(const struct weir_held_pool *pool, uint64_t lease)
{
	uint32_t idx = (uint32_t)lease, gen = (uint32_t)(lease >> 32);

	return idx != 0 && idx <= pool->touched && (gen & 1) != 0 && pool->nodes[idx].gen == gen;
}

/* The lease that begins with node `idx` ends; its payload bytes. */
static inline uint32_t
end_lease(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t idx)
{
	uint32_t next = tcp->held.nodes[idx].next, bytes;

	tcp->held.nodes[idx].gen++;
	bytes = weir_tcp_release_node(tcp, flow, idx);
	if (next != 0)
		bytes += weir_tcp_release(tcp, flow, next);
	return bytes;
}

int
weir_lease_release(struct weir_stack *stack, const uint64_t *leases, uint32_t n)
{
	struct weir_tcp *tcp = &stack->engine->tcp;
	struct weir_flow *last = NULL;
	uint32_t freed = 0;
	int error = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t idx = (uint32_t)leases[i], bytes;
		struct weir_flow *flow;

		if (!lease_is_out(&tcp->held, leases[i])) {
			error = -EINVAL;
			continue;
		}
		flow = weir_stack_flow(stack, tcp->held.nodes[idx].conn);
		bytes = end_lease(tcp, flow, idx);
		if (flow == NULL)
			continue;
		if (last != NULL && last != flow) {
			weir_window_freed(tcp, last, freed);
			freed = 0;
		}
		flow->leased_bytes -= bytes;
		freed += bytes;
		last = flow;
	}
	if (last != NULL)
		weir_window_freed(tcp, last, freed);
	return error;
}
