/* SPDX-License-Identifier: BSD-3-Clause */
/* The application's side of a connection. */
#include <errno.h>

#include "engine/engine.h"
#include "wire/address6.h"
#include "wire/bytes.h"

#define WEIR_FETCH_BYTES 2048u /* of a packet; a longer one the hardware goes on fetching */
#define WEIR_FETCH_AHEAD 2     /* packets; one is not enough when lines come from far */

/* A handler reads the connections in the order of its events: the node that is probably copied when
 * the list of `conn` has come to its end. 0: none. */
static uint32_t
next_read(struct weir_stack *stack, weir_conn conn)
{
	struct weir_tcp *tcp = &stack->engine->tcp;
	const struct weir_flow *flow;

	if (tcp->read_event < tcp->n_events && tcp->events[tcp->read_event].conn == conn)
		tcp->read_event++;
	if (tcp->read_event >= tcp->n_events)
		return 0;
	flow = weir_stack_flow(stack, tcp->events[tcp->read_event].conn);
	return flow == NULL ? 0 : flow->unread.head;
}

/* Payload comes slower than it is copied: ask for what is copied next. */
static void
fetch(const struct weir_held *held, uint32_t at)
{
	const uint8_t *data = weir_held_data(held, at);
	uint32_t len = RTE_MIN(held->len, WEIR_FETCH_BYTES);

	if (unlikely(held->home == WEIR_HELD_CHAIN))
		return;
	for (uint32_t off = 0; off < len; off += RTE_CACHE_LINE_SIZE)
		rte_prefetch0(data + off);
}

/* What is fetched next: packet `at` of node `idx`, 0: nothing; behind the end of its list that which
 * begins with node `behind`. */
struct cursor {
	uint32_t idx;
	uint32_t at;
	uint32_t behind;
};

static inline void
cursor_step(struct cursor *cursor, const struct weir_held *nodes)
{
	if (++cursor->at < nodes[cursor->idx].packets)
		return;
	cursor->at = 0;
	cursor->idx = nodes[cursor->idx].next;
	if (cursor->idx == 0) {
		cursor->idx = cursor->behind;
		cursor->behind = 0;
	}
}

/* WEIR_FETCH_AHEAD packets after the first one of node `idx`, at most the first of `behind`. */
static struct cursor
cursor_ahead(const struct weir_held *nodes, uint32_t idx, uint32_t behind)
{
	struct cursor cursor = {.idx = idx, .behind = behind};

	for (uint32_t i = 0; i < WEIR_FETCH_AHEAD && cursor.idx != 0 && cursor.idx != behind; i++)
		cursor_step(&cursor, nodes);
	return cursor;
}

static inline void
fetch_next(struct cursor *cursor, const struct weir_held *nodes)
{
	if (cursor->idx == 0)
		return;
	fetch(&nodes[cursor->idx], cursor->at);
	cursor_step(cursor, nodes);
}

/* All of node `idx`, while what is copied later is fetched. */
static uint32_t
copy_node(const struct weir_held *nodes, uint32_t idx, struct cursor *ahead, uint8_t *to)
{
	const struct weir_held *held = &nodes[idx];
	uint32_t done = 0;

	if (held->packets == 1) {
		fetch_next(ahead, nodes);
		return weir_held_copy(held, held->len, to);
	}
	for (uint32_t i = 0; i < held->packets; i++) {
		fetch_next(ahead, nodes);
		memcpy(to + done, weir_held_data(held, i), held->len);
		done += held->len;
	}
	return done;
}

/* Take `len` bytes, all of them unread, off the front; copies them where `to` is not NULL, while what is
 * copied next is fetched, at the end of the list that which begins with node `behind`. */
static void
take_unread(struct weir_tcp *tcp, struct weir_flow *flow, uint8_t *to, uint32_t len, uint32_t behind)
{
	struct weir_held *nodes = tcp->held.nodes;
	uint32_t first = flow->unread.head, idx = first, last = 0;
	struct cursor ahead = {0};

	if (to != NULL)
		ahead = cursor_ahead(nodes, first, behind);
	flow->unread_bytes -= len;
	while (len != 0) {
		const struct weir_held *held = &nodes[idx];
		uint32_t bytes = weir_held_bytes(held);

		if (bytes > len) {
			if (held->packets == 1)
				break;
			weir_held_unfold(&tcp->held, &flow->unread, idx);
			continue;
		}
		if (to != NULL)
			to += copy_node(nodes, idx, &ahead, to);
		len -= bytes;
		last = idx;
		idx = held->next;
	}
	if (last != 0) {
		flow->unread.head = idx;
		if (idx == 0)
			flow->unread.tail = 0;
		nodes[last].next = 0;
		weir_tcp_release(tcp, flow, first);
	}
	if (len == 0)
		return;
	if (to != NULL)
		weir_held_copy(&nodes[idx], len, to);
	weir_held_trim(&nodes[idx], len);
}

static int
consume_unread(struct weir_stack *stack, weir_conn conn, uint8_t *to, uint32_t len)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);

	if (flow == NULL)
		return -EBADF;
	if (len > flow->unread_bytes)
		len = flow->unread_bytes;
	if (len > INT32_MAX)
		len = INT32_MAX;
	if (len == 0)
		return 0;
	take_unread(&stack->engine->tcp, flow, to, len, to == NULL ? 0 : next_read(stack, conn));
	weir_window_freed(&stack->engine->tcp, flow, len);
	return (int)len;
}

int
weir_conn_read(struct weir_stack *stack, weir_conn conn, void *to, uint32_t len)
{
	return to == NULL ? -EINVAL : consume_unread(stack, conn, to, len);
}

int
weir_conn_discard(struct weir_stack *stack, weir_conn conn, uint32_t len)
{
	return consume_unread(stack, conn, NULL, len);
}

int
weir_conn_close(struct weir_stack *stack, weir_conn conn)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);

	if (flow == NULL)
		return -EBADF;
	weir_flow_close(&stack->engine->tcp, flow);
	return 0;
}

int
weir_conn_shutdown(struct weir_stack *stack, weir_conn conn)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);

	if (flow == NULL)
		return -EBADF;
	weir_flow_shutdown(&stack->engine->tcp, flow);
	return 0;
}

int
weir_conn_linger(struct weir_stack *stack, weir_conn conn, uint32_t linger_ms)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);

	if (flow == NULL)
		return -EBADF;
	if (linger_ms > INT32_MAX)
		return -EINVAL;
	weir_flow_close(&stack->engine->tcp, flow);
	if (!(flow->marks & WEIR_FLOW_DEAD))
		weir_timer_linger(&stack->engine->tcp, flow, linger_ms);
	return 0;
}

int
weir_conn_abort(struct weir_stack *stack, weir_conn conn)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);

	if (flow == NULL)
		return -EBADF;
	weir_flow_abort(&stack->engine->tcp, flow);
	return 0;
}

int
weir_conn_set_cookie(struct weir_stack *stack, weir_conn conn, uint64_t cookie)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);

	if (flow == NULL)
		return -EBADF;
	flow->cookie = cookie;
	return 0;
}

static void
store_words(uint8_t *to, const uint32_t *words, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		weir_store_be32(to + 4 * i, words[i]);
}

/* Both ends of a connection in public form. A link-local address belongs to the port of our end. */
static void
fill_addresses(const struct weir_tcp *tcp, const struct weir_flow *flow,
	       struct weir_conn_info *info)
{
	const struct weir_key key = weir_flow_key(tcp, flow);

	info->local = info->remote = (struct weir_addr){.family = weir_key_is4(&key) ? 4 : 6};
	store_words(info->remote.bytes, key.raddr_high, 3);
	store_words(info->remote.bytes + 12, &key.low.raddr, 1);
	if (weir_key_is4(&key)) {
		store_words(info->local.bytes, key.raddr_high, 3);
		store_words(info->local.bytes + 12, &key.low.laddr, 1);
		return;
	}
	memcpy(info->local.bytes, weir_tcp_own6(tcp, key.low.laddr), WEIR_ADDRESS6_BYTES);
	if (weir_link_local6(info->local.bytes))
		info->local.scope = (uint16_t)(key.low.laddr / WEIR_OWN6_MAX + 1);
	if (weir_link_local6(info->remote.bytes))
		info->remote.scope = (uint16_t)(key.low.laddr / WEIR_OWN6_MAX + 1);
}

int
weir_conn_info(struct weir_stack *stack, weir_conn conn, struct weir_conn_info *info)
{
	struct weir_flow *flow = weir_stack_flow(stack, conn);
	struct weir_tcp *tcp = &stack->engine->tcp;

	if (flow == NULL)
		return -EBADF;
	if (info->size != sizeof(*info))
		return -EINVAL;
	info->local_port = flow->key.lport;
	info->remote_port = flow->key.rport;
	fill_addresses(tcp, flow, info);
	info->bytes = flow->delivered;
	info->unread_bytes = flow->unread_bytes;
	info->leased_bytes = flow->leased_bytes;
	info->out_of_order_bytes =
		flow->reass == WEIR_NONE ? 0 : tcp->reass.items[flow->reass].bytes;
	info->receive_window = flow->rcv_adv - flow->rcv_nxt;
	info->state = flow->state;
	memcpy(info->limited_ms, flow->limited_ms, sizeof(info->limited_ms));
	info->limited_ms[flow->limit_now] += tcp->now_ms - flow->limit_since_ms;
	info->receive_buffer = flow->limit;
	return 0;
}
