/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A world for tests of single segments: connections walked into each state, and exact expectations
 * of how every packet left, what was sent and what was reported.
 */
#ifndef WEIR_TESTS_SCENE_H
#define WEIR_TESTS_SCENE_H

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

/* Exits that are no enum weir_drop. */
#define SCENE_CONSUMED  (-1)
#define SCENE_DELIVERED (-2)

#define SCENE_MS  1000000ull
#define SCENE_SEC (1000 * SCENE_MS)

/* enum weir_tcp_state, and the two states that have tables of their own. */
#define SCENE_SYN_RECEIVED WEIR_TCP_STATE_COUNT
#define SCENE_TIME_WAIT    (WEIR_TCP_STATE_COUNT + 1)

/* One listener with `receive_buffer` bytes, policy train, defaults of the world. */
void scene_open(struct world *world, uint32_t receive_buffer);
/* Aborts what lives and asserts that flows, memory and packets are all accounted for. */
void scene_close(struct world *world);

/* Poll 1 us later: exactly `n` packets leave, all through `exit`, and `replies` packets are sent;
 * they are the only ones in world->replies then. */
void scene_expect(struct world *world, int exit, uint32_t n, uint32_t replies);
/* Poll at now + advance: nothing comes, `replies` packets are sent. */
void scene_pass(struct world *world, uint64_t advance_ns, uint32_t replies);
/* The events since the last call, in order: A(ccepted), D(ata), F(in), C(losed) followed by the
 * reason d(one), r(eset), a(borted) or t(imeout). */
void scene_events(struct world *world, const char *expected);

/* A segment with exactly these flags and this ACK number. */
void scene_raw(struct world *world, const struct remote *remote, uint32_t seq, uint32_t ack,
	       uint8_t flags, uint32_t len);
/* A SYN with `len` bytes of options behind the timestamp that remote->ts stands for. */
void scene_syn(struct world *world, const struct remote *remote, uint8_t flags,
	       const uint8_t *options, uint8_t len);
/* The options that `remote` offers; returns their length. */
uint8_t scene_options(const struct remote *remote, uint8_t options[12]);

/* A new connection from `port`, walked into `state`; its events are forgotten. rcv_nxt of the
 * remote is what it acknowledged: snd_una of the engine. */
void scene_enter(struct world *world, struct remote *remote, uint16_t port, uint32_t state);
/* Take over what a SYN-ACK says, as remote_open does. */
void scene_take_syn_ack(struct remote *remote, const struct reply *syn_ack);
struct weir_flow *scene_flow(const struct world *world, const struct remote *remote);
/* State of a live connection, WEIR_TCP_CLOSED when its handle is stale. */
uint32_t scene_state(const struct world *world, const struct remote *remote);
uint64_t scene_drops(const struct world *world, enum weir_drop reason);

#endif
