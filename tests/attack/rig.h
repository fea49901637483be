/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stack and up to three of weir-gen's generators on one port in memory: streams, an attacker and
 * clients that come and go. Their packets meet in one receive ring of a device's size, evenly mixed;
 * what finds it full is lost, as on a NIC. Time is virtual. It advances by fixed steps or, when rates
 * are to be told, by the cycles that the engine's own polls took, so that an engine that is too slow
 * sees its ring overflow however slow the generators are.
 */
#ifndef WEIR_TESTS_ATTACK_RIG_H
#define WEIR_TESTS_ATTACK_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "app/bench/crew.h"
#include "app/generator/generator.h"
#include "engine/engine.h"
#include "weir.h"

#define RIG_PORT    9000
#define RIG_MS	    1000000ull
#define RIG_SECOND  (1000 * RIG_MS)
#define RIG_STEP_NS 20000
#define RIG_LONG_US 60 /* no poll works that long: then the machine did something else */

enum rig_side {
	RIG_STREAMS,
	RIG_ATTACKER,
	RIG_CLIENTS,
	RIG_SIDES
};

struct rig_ring {
	struct rte_mbuf **slots;
	uint32_t head, tail, capacity;
};

struct rig_lane {
	struct weir_port port; /* the generator's end */
	struct rig_ring out, in; /* its packets, and the engine's to it */
	struct weir_pool pool, rx_pool;
	struct rte_mempool *mempool; /* of pool; NULL: it is of the heap */
	struct generator_config config;
	struct generator *generator; /* NULL: not taking part */
	uint32_t buffers;
	uint64_t pps;	 /* packets a second at most, 0: as many as it wants; virtual time */
	double tokens;
	bool waits;	 /* it has not begun yet */
	uint64_t missed; /* of its packets, lost for want of room in the ring */
};

struct rig_stream {
	weir_conn conn; /* 0: none */
	uint64_t taken; /* bytes */
	uint16_t port;
};

struct rig {
	struct weir_config stack_config;
	struct weir_listen_config listen_config;
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *port;
	struct rig_ring received, sent; /* the engine's */
	struct rig_lane lanes[RIG_SIDES];
	struct rig_stream *streams; /* by slot */
	bool verify; /* every byte of every stream */
	bool stalled; /* the application does not read */
	bool counted; /* time is what the engine's polls take */
	/* The generators have a core of their own, in lockstep, and all buffers are of mempools, which two
	 * cores share as an engine shares them with a device. NULL: one core, buffers of the heap. */
	struct crew *crew;
	double fed_ns;
	uint32_t fill; /* streams are asked for packets until so many wait in the ring */
	double cycles_per_ns;
	double now; /* ns */
	uint64_t cycles, busy_cycles; /* of the engine */
	double usual_cycles; /* of a poll that had work, lately */
	uint64_t long_polls; /* longer than RIG_LONG_US: they count as a usual one */
	uint64_t bytes; /* handed up */
	uint64_t accepted, closed, resets;
	uint64_t wrong; /* bytes that were not what was sent */
	struct weir_stats stats;
	struct generator_stats generator_stats;
};

/* Defaults: 64 flows of streams, nothing else. What differs is written into the configurations. */
void rig_init(struct rig *rig);
/* The attacker's lane takes part, with `attack`, at `pps`. */
void rig_attack(struct rig *rig, uint8_t attack, uint64_t pps);
/* Clients that open, send 1 KiB and close, `pps` packets a second. */
void rig_clients(struct rig *rig, uint32_t clients, uint64_t pps);
/* Ends the program with a line when something cannot be had. */
void rig_open(struct rig *rig);
/* The number of buffers that are missing: 0. */
uint32_t rig_close(struct rig *rig);

/* One feed and one poll; returns the packets and segments of the poll. */
uint32_t rig_step(struct rig *rig);
void rig_run(struct rig *rig, uint64_t ns);
/* The streams' `flows` connections, before the other lanes begin; false when they are not established
 * within 10 s. */
bool rig_connect(struct rig *rig, uint32_t flows);
/* A stalled application reads what waits, and goes on reading. */
void rig_release(struct rig *rig);
/* Until the streams' generator is done. */
bool rig_finish(struct rig *rig, uint64_t most_ns);

const struct weir_stats *rig_stats(struct rig *rig);
const struct generator_stats *rig_generated(struct rig *rig, enum rig_side side);

#endif
