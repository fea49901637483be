/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack in memory with a hand-driven peer: tests build frames, poll the engine at a time they
 * choose, and read what it answered. Everything is heap-backed; no EAL.
 */
#ifndef WEIR_TESTS_WORLD_H
#define WEIR_TESTS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "flow/buffer.h"
#include "tests/unit/frame.h"
#include "weir.h"

#define WORLD_REPLIES 4096
#define WORLD_PORT    9000
#define WORLD_TUNED   16384

/* One packet that the engine sent, read back by the test's own parser, checksums verified. */
struct reply {
	uint32_t seq, ack, tsval, tsecr;
	uint32_t dst; /* the last word of an address of IPv6 */
	uint16_t win, sport, dport, mss;
	uint16_t flags; /* AE in the ninth bit */
	uint8_t has_ts, n_sacks, sack_permitted;
	int8_t wscale; /* -1: absent */
	uint8_t accecn[11]; /* the AccECN option as it came; kind 0: none */
	uint32_t sacks[4][2];
	uint32_t len; /* payload */
};

struct world {
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *near; /* attached */
	struct weir_port *far;  /* the test's end */
	struct weir_pool pool;  /* frames of the peer */
	bool believed;          /* the port calls their checksums good, see world_believe() */
	uint64_t now_ns;
	struct reply replies[WORLD_REPLIES];
	uint32_t n_replies;
	/* events of all polls so far, appended by the default handler */
	struct weir_event events[WORLD_REPLIES];
	uint32_t n_events;
};

/* A remote connection, as its own TCP would see it. */
struct remote {
	uint32_t ip; /* with ip6 the last word of an address that begins as frame_remote_ip6 */
	uint16_t port;
	uint16_t to; /* listener */
	bool ts, sack, ecn, accecn, ip6; /* accecn: with ecn */
	int8_t wscale;     /* -1: none offered */
	uint16_t mss;
	uint32_t iss;
	uint32_t snd_nxt;
	uint32_t rcv_nxt;  /* = what it acknowledges */
	uint32_t tsval;
	uint32_t ts_echo;
	uint8_t shift;     /* scale of the windows it receives */
	uint32_t edge;     /* right edge last advertised to it */
	weir_conn conn;
};

/* Defaults for small in-memory stacks: heap, few flows, 4096 buffers, no reports of groups, time 1 s. */
void world_config(struct weir_config *config);
/* Stack, pair, one listener on WORLD_PORT with `receive_buffer` (0: tuned, from WORLD_TUNED on), the
 * default handler. */
void world_open(struct world *world, const struct weir_config *config, uint32_t receive_buffer,
		enum weir_ack_policy policy);
/* Ends it and asserts that every buffer of both pools is back. */
void world_close(struct world *world);

/* Frames into the engine's port; asserts that they fit. */
void world_inject(struct world *world, struct rte_mbuf *frame);
/* From now on the port calls the checksums of all frames good, and is believed: they take the plain path. */
void world_believe(struct world *world);
/* Poll once at now + advance_ns and append what was sent to replies. Returns the replies added. */
uint32_t world_poll(struct world *world, uint64_t advance_ns);
/* The last reply; asserts that there is one. */
const struct reply *world_last(const struct world *world);
/* All that does not depend on when it was sent, but for the window. */
bool world_reply_equal(const struct reply *a, const struct reply *b);
void world_reply_print(const char *name, const struct reply *r); /* on standard error */
void world_forget(struct world *world); /* n_replies = n_events = 0 */

/* Set up a remote on `port` with everything on, MSS 1460, scale 7. */
void remote_init(struct remote *remote, uint16_t port);
/* Are the packets to `port` the same in two logs? Says on stderr what is not. */
bool world_replies_equal(uint16_t port, const struct reply *one, uint32_t n_one,
			 const struct reply *other, uint32_t n_other);
/* SYN, SYN-ACK, ACK in three polls; asserts each step; conn is from the ACCEPTED event. */
void remote_open(struct world *world, struct remote *remote);
/* A segment with `flags` | ACK at `seq`; does not move snd_nxt. Payload byte i is
 * remote_byte(seq - iss - 1 + i). The frame builder's other fields may be changed before injection. */
void remote_spec(const struct remote *remote, struct frame_spec *spec, uint32_t seq, uint8_t flags,
		 uint8_t *payload, uint32_t len);
void remote_send(struct world *world, const struct remote *remote, uint32_t seq, uint8_t flags,
		 uint32_t len);
/* The same at snd_nxt, which moves by len, plus one for FIN. */
void remote_stream(struct world *world, struct remote *remote, uint8_t flags, uint32_t len);
/* Content of the stream at a given offset. */
uint8_t remote_byte(uint64_t offset);

/* ---- scenes: connections walked into a state, and exact expectations ---- */

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
