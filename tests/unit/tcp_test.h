/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of tcp/ share beyond the world: looks into the engine, and the laws of every poll. */
#ifndef WEIR_TESTS_TCP_TEST_H
#define WEIR_TESTS_TCP_TEST_H

#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"
#include "wire/seq.h"

#define TCP_TEST_MS 1000000u /* nanoseconds */

static inline struct weir_tcp *
tcp_of(struct world *world)
{
	return &world->engine->tcp;
}

static inline struct weir_flow *
flow_of(struct world *world, const struct remote *remote)
{
	struct weir_tcp *tcp = tcp_of(world);

	for (uint32_t i = 0; i < tcp->flow_free.touched; i++)
		if (tcp->flows[i].conn == remote->conn)
			return &tcp->flows[i];
	ck_abort_msg("no such flow");
	return NULL;
}

/* ---- drop counters ---- */

struct drops {
	uint64_t count[WEIR_STATS_DROPS];
};

static inline void
drops_note(struct world *world, struct drops *drops)
{
	memcpy(drops->count, tcp_of(world)->stats.drops, sizeof(drops->count));
}

/* Since drops_note(), exactly `n` packets left by `reason` and none by another. */
static inline void
drops_moved(struct world *world, const struct drops *before, uint32_t reason, uint64_t n)
{
	const struct weir_stats *stats = &tcp_of(world)->stats;

	for (uint32_t i = 0; i < WEIR_STATS_DROPS; i++)
		ck_assert_msg(stats->drops[i] == before->count[i] + (i == reason ? n : 0),
			      "drop %u moved by %llu", i,
			      (unsigned long long)(stats->drops[i] - before->count[i]));
}

/* ---- laws ---- */

static inline uint32_t
reply_edge(const struct remote *remote, const struct reply *reply)
{
	return reply->ack + ((uint32_t)reply->win << remote->shift);
}

static inline void
check_flow_memory(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t *bufs)
{
	uint32_t unread = 0, held = 0;

	for (uint32_t i = flow->unread.head; i != 0; i = tcp->held.nodes[i].next) {
		unread += weir_held_bytes(&tcp->held.nodes[i]);
		held += weir_held_bufs(&tcp->held.nodes[i]);
	}
	ck_assert_uint_eq(unread, flow->unread_bytes);
	if (flow->reass != WEIR_NONE)
		held += tcp->reass.items[flow->reass].bufs;
	if (flow->leased_bytes == 0)
		ck_assert_uint_eq(held, flow->held_bufs);
	else
		ck_assert_uint_le(held, flow->held_bufs);
	*bufs += flow->held_bufs;
	ck_assert(weir_seq_leq(flow->rcv_nxt, flow->rcv_adv));
}

/* Books against what lies there: call between polls, while no lease outlives its connection. */
static inline void
check_memory(struct world *world)
{
	const struct weir_tcp *tcp = tcp_of(world);
	uint32_t bufs = 0;

	for (uint32_t i = 0; i < tcp->flow_free.touched; i++)
		if (tcp->flows[i].conn != 0)
			check_flow_memory(tcp, &tcp->flows[i], &bufs);
	ck_assert_uint_eq(bufs, tcp->held_bufs);
}

/* ---- a world with one remote ---- */

/* The window of a SYN-ACK is small: one byte, read and acknowledged, opens it. */
static inline void
remote_warm(struct world *world, struct remote *remote)
{
	remote_open(world, remote);
	remote_stream(world, remote, WEIR_TCP_PSH, 1); /* which no flush mode holds */
	world_poll(world, 1000);
	ck_assert_uint_eq(world_last(world)->ack, remote->snd_nxt);
	remote->edge = reply_edge(remote, world_last(world));
	ck_assert_int_eq(weir_conn_discard(world->stack, remote->conn, 1), 1);
}

static inline void
world_simple(struct world *world, struct remote *remote, uint32_t receive_buffer,
	     enum weir_ack_policy policy)
{
	struct weir_config config;

	world_config(&config);
	world_open(world, &config, receive_buffer, policy);
	remote_init(remote, 40000);
	remote_warm(world, remote);
	world_forget(world);
}

/* The application reads everything and checks it; `at` is the offset of the next byte. */
static inline void
read_all(struct world *world, const struct remote *remote, uint64_t *at)
{
	static uint8_t data[65536];
	int n;

	while ((n = weir_conn_read(world->stack, remote->conn, data, sizeof(data))) > 0)
		for (int i = 0; i < n; i++, ++*at)
			if (data[i] != remote_byte(*at))
				ck_abort_msg("wrong byte at %llu", (unsigned long long)*at);
	ck_assert_int_eq(n, 0);
}

/* `n` segments of `len` bytes in sequence, without a poll. */
static inline void
send_run(struct world *world, struct remote *remote, uint32_t n, uint32_t len)
{
	while (n-- > 0)
		remote_stream(world, remote, 0, len);
}

/* Send, poll and have everything acknowledged until the first sixteen are over. */
static inline void
end_quick_acks(struct world *world, struct remote *remote, uint32_t len)
{
	uint32_t left = flow_of(world, remote)->quick_acks;

	send_run(world, remote, left, len);
	ck_assert_uint_eq(world_poll(world, 1000), left);
	ck_assert_uint_eq(flow_of(world, remote)->quick_acks, 0);
	ck_assert_uint_eq(world_last(world)->ack, remote->snd_nxt);
	remote->edge = reply_edge(remote, world_last(world));
	world_forget(world);
}

#endif
