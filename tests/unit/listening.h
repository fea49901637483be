/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of lib/tcp/listen.c share: one remote that knocks at a world. */
#ifndef WEIR_TESTS_LISTENING_H
#define WEIR_TESTS_LISTENING_H

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

static struct world world;
static struct remote remote;

static inline struct weir_tcp *
tcp(void)
{
	return &world.engine->tcp;
}

static inline void
is_reset(const struct reply *reply, uint8_t flags, uint32_t seq, uint32_t ack)
{
	ck_assert_uint_eq(reply->flags, flags);
	ck_assert_uint_eq(reply->seq, seq);
	ck_assert_uint_eq(reply->ack, ack);
	ck_assert_uint_eq(reply->dport, remote.port);
	ck_assert_uint_eq(reply->sport, remote.to);
	ck_assert_uint_eq(reply->has_ts, 0);
	ck_assert_uint_eq(reply->win, 0);
}

static inline void
open_world(uint32_t flows, uint32_t syn_entries)
{
	struct weir_config config;

	world_config(&config);
	config.flows = flows;
	config.syn_entries = syn_entries;
	world_open(&world, &config, 1 << 20, WEIR_ACK_TRAIN);
}

/* A SYN of `remote`, as it is; expects a SYN-ACK and takes it over. */
static inline void
half_open(void)
{
	uint8_t options[12], len = scene_options(&remote, options);

	scene_syn(&world, &remote, 0, options, len);
	scene_expect(&world, SCENE_CONSUMED, 1, 1);
	scene_take_syn_ack(&remote, world_last(&world));
}

static inline void
complete(void)
{
	remote_send(&world, &remote, remote.snd_nxt, 0, 0);
	scene_expect(&world, SCENE_CONSUMED, 1, 0);
	scene_events(&world, "A");
	remote.conn = world.events[0].conn;
}

/* The ACK of the SYN that answers what SYN-RECEIVED does not accept. */
static inline void
is_syn_received_ack(const struct reply *reply)
{
	ck_assert_uint_eq(reply->flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(reply->seq, remote.rcv_nxt);
	ck_assert_uint_eq(reply->ack, remote.snd_nxt);
	ck_assert_uint_le(reply->ack + ((uint32_t)reply->win << remote.shift), remote.edge);
}

#endif
