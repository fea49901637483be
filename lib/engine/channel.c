/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A channel: one ring of messages from one other thread to the engine. Handles, no pointers, so
 * that another process could map it.
 */
#ifndef RTE_USE_C11_MEM_MODEL
#define RTE_USE_C11_MEM_MODEL /* the form of rte_ring that a race detector can follow */
#endif
#include <errno.h>

#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "engine/engine.h"
#include "flow/arena.h"

#define WEIR_CHANNEL_BURST 256
#define WEIR_CHANNEL_MOST  (1u << 24)

enum message_op {
	MESSAGE_RELEASE,
	MESSAGE_CLOSE,
	MESSAGE_ABORT,
	MESSAGE_SHUTDOWN,
	MESSAGE_LINGER,
};

struct message {
	uint64_t handle;
	uint32_t op;
	uint32_t linger_ms; /* MESSAGE_LINGER */
};
_Static_assert(sizeof(struct message) % 4 == 0, "what rte_ring moves");

struct weir_channel {
	struct weir_engine *engine;
	size_t bytes;
	struct rte_ring *ring;
};

int
weir_channel_open(struct weir_engine *engine, uint32_t capacity, struct weir_channel **out)
{
	struct weir_channel *channel;
	ssize_t ring_bytes;

	if (capacity == 0 || capacity > WEIR_CHANNEL_MOST || (capacity & (capacity - 1)) != 0)
		return -EINVAL;
	/* A ring of n slots holds n - 1 unless it is told to hold exactly so many. */
	ring_bytes = rte_ring_get_memsize_elem(sizeof(struct message), 2 * capacity);
	if (ring_bytes < 0)
		return -EINVAL;
	if (engine->n_channels == WEIR_CHANNELS_MAX)
		return -ENOSPC;
	channel = weir_arena_alloc(RTE_CACHE_LINE_SIZE + (size_t)ring_bytes, -1);
	if (channel == NULL)
		return -ENOMEM;
	channel->engine = engine;
	channel->bytes = RTE_CACHE_LINE_SIZE + (size_t)ring_bytes;
	channel->ring = (struct rte_ring *)((uint8_t *)channel + RTE_CACHE_LINE_SIZE);
	rte_ring_init(channel->ring, "weir_channel", capacity,
		      RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
	engine->channels[engine->n_channels++] = channel;
	*out = channel;
	return 0;
}

static void
carry_out(struct weir_stack *stack, const struct message *message)
{
	switch ((enum message_op)message->op) {
	case MESSAGE_RELEASE:
		weir_lease_release(stack, &message->handle, 1);
		break;
	case MESSAGE_CLOSE:
		weir_conn_close(stack, message->handle);
		break;
	case MESSAGE_ABORT:
		weir_conn_abort(stack, message->handle);
		break;
	case MESSAGE_SHUTDOWN:
		weir_conn_shutdown(stack, message->handle);
		break;
	case MESSAGE_LINGER:
		weir_conn_linger(stack, message->handle, message->linger_ms);
		break;
	}
}

static void
drain(struct weir_channel *channel, uint32_t most)
{
	struct message messages[32];
	uint32_t n;

	do {
		n = rte_ring_sc_dequeue_burst_elem(channel->ring, messages, sizeof(messages[0]),
						   RTE_DIM(messages), NULL);
		for (uint32_t i = 0; i < n; i++)
			carry_out(channel->engine->stack, &messages[i]);
		most -= n < most ? n : most;
	} while (n != 0 && most != 0);
}

void
weir_channel_drain(struct weir_engine *engine)
{
	for (uint32_t i = 0; i < engine->n_channels; i++)
		drain(engine->channels[i], WEIR_CHANNEL_BURST);
}

void
weir_channel_forget(struct weir_engine *engine)
{
	for (uint32_t i = 0; i < engine->n_channels; i++)
		drain(engine->channels[i], UINT32_MAX);
}

void
weir_channel_close(struct weir_channel *channel)
{
	struct weir_engine *engine = channel->engine;

	drain(channel, UINT32_MAX);
	for (uint32_t i = 0; i < engine->n_channels; i++) {
		if (engine->channels[i] != channel)
			continue;
		engine->channels[i] = engine->channels[--engine->n_channels];
		break;
	}
	weir_arena_free(channel, channel->bytes);
}

static bool
post(struct weir_channel *channel, enum message_op op, uint64_t handle, uint32_t linger_ms)
{
	const struct message message = {.handle = handle, .op = op, .linger_ms = linger_ms};

	return rte_ring_sp_enqueue_burst_elem(channel->ring, &message, sizeof(message), 1, NULL) == 1;
}

uint32_t
weir_channel_release(struct weir_channel *channel, const uint64_t *leases, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && post(channel, MESSAGE_RELEASE, leases[i], 0); i++)
		;
	return i;
}

int
weir_channel_close_conn(struct weir_channel *channel, weir_conn conn)
{
	return post(channel, MESSAGE_CLOSE, conn, 0) ? 0 : -EAGAIN;
}

int
weir_channel_abort_conn(struct weir_channel *channel, weir_conn conn)
{
	return post(channel, MESSAGE_ABORT, conn, 0) ? 0 : -EAGAIN;
}

int
weir_channel_shutdown_conn(struct weir_channel *channel, weir_conn conn)
{
	return post(channel, MESSAGE_SHUTDOWN, conn, 0) ? 0 : -EAGAIN;
}

int
weir_channel_linger_conn(struct weir_channel *channel, weir_conn conn, uint32_t linger_ms)
{
	if (linger_ms > INT32_MAX)
		return -EINVAL;
	return post(channel, MESSAGE_LINGER, conn, linger_ms) ? 0 : -EAGAIN;
}
