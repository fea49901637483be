/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet processing engine and the stack around it. */
#ifndef WEIR_ENGINE_ENGINE_H
#define WEIR_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/port.h"
#include "engine/record.h"
#include "flow/datagram.h"
#include "tcp/tcp.h"
#include "weir.h"
#include "wire/parse.h"

/* Capacity of the control queue: all that one poll can bring, and serves. */
#define WEIR_CONTROL_SEGS  (WEIR_STATS_PORTS * WEIR_BURST_MAX)
#define WEIR_BURSTS	   3 /* of one port in one poll, at most */
#define WEIR_TX_FRAMES     1024 /* frames that wait for a port */
#define WEIR_GATHER_ITEMS  1024
_Static_assert(WEIR_GATHER_ITEMS <= WEIR_ACK_STOCK, "no gather has more ACKs");
#define WEIR_TIMERS_MOST   256  /* timers fired per poll */
#define WEIR_CHANNELS_MAX  16
#define WEIR_ECHO_BURST    100  /* echo requests answered, and errors told, at once, then one each ms */
#define WEIR_NEIGHBOURS_BURST  1024 /* who asks for our link address is answered at once, */
#define WEIR_NEIGHBOURS_PER_MS 16   /* then so many each millisecond */

/* A segment without a flow, in the one control queue of the engine. */
struct weir_control {
	struct weir_seg seg;
	struct weir_key key;
};

/* When the groups of a port are reported next. */
struct weir_reports {
	uint64_t due_ns; /* UINT64_MAX: not before somebody asks */
	uint64_t last_ns;
	uint8_t version; /* of MLD, as whoever asked last speaks it */
	uint8_t joins;	 /* still to be told by ourselves that we are in */
};

struct weir_attached {
	struct weir_port *port;
	struct weir_parse parse;
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint32_t full_bursts; /* in a row */
	bool had_flows; /* segments of connections came, the last at flows_ms */
	uint32_t flows_ms;
	uint32_t gateway; /* of IPv4; 0: none */
	uint64_t gateway_due_ns; /* it is asked for its link address then */
	uint64_t gateway_moved_ns; /* when that was last a new one */
	struct weir_reports reports;
	uint32_t n_tx; /* frames that wait in tx */
	struct rte_mbuf *tx[WEIR_TX_FRAMES];
};

static inline uint32_t
weir_engine_record_layer(const struct weir_attached *at)
{
	return at->parse.l3 ? WEIR_RECORD_L3 : 0;
}

/* How many answers may still be sent, and when that was looked at. */
struct weir_answers {
	uint32_t left;
	uint32_t ms;
};

/* A burst on its way through the rooms 2 to 4. */
struct weir_burst {
	struct weir_parsed parsed;
	struct weir_lookup lookup; /* of its runs of IPv4 */
};

struct weir_engine {
	struct weir_tcp tcp;
	struct weir_stack *stack;
	struct weir_emit emit;
	struct weir_ack_stock stock; /* empty but while a gather is sent */
	uint32_t acks_due;	     /* of the trains of a gather of which none was sent yet */
	struct weir_ack_stock duplicates; /* empty but while copies of one are sent */
	uint32_t budget_segs;
	uint32_t budget_left; /* of this poll */
	uint32_t quantum_segs;
	uint32_t burst;
	uint32_t hard_bufs; /* buffers held or queued beyond which data is not even queued */
	uint32_t n_ports;
	struct weir_attached *ports; /* WEIR_STATS_PORTS of them */
	struct weir_control *control;
	uint32_t n_control;
	struct weir_burst bursts[WEIR_BURSTS];
	struct weir_datagrams datagrams;
	struct weir_parsed whole; /* a datagram that is parsed again */
	struct weir_answers echoes; /* and errors of ICMP */
	struct weir_answers neighbours; /* ARP and neighbour discovery */
	uint64_t reports_due_ns; /* of all ports the first */
	struct weir_record record;
	struct weir_channel *channels[WEIR_CHANNELS_MAX];
	uint32_t n_channels;
	uint32_t timers_left; /* the last advance reached its limit */
	uint64_t gateway_due_ns; /* the first of the ports' */
};

struct weir_stack {
	struct weir_config config;
	struct weir_slots slots;
	struct weir_pool pool;
	struct rte_mempool *mempool; /* own, or NULL */
	struct weir_pool duplicates;	/* for duplicate ACKs, while it has any; none from the heap */
	struct rte_mempool *duplicates_mempool;
	struct weir_engine *engine;
	weir_event_handler handler;
	void *user;
};

/* The flow of a connection, NULL when its handle is stale. */
static inline struct weir_flow *
weir_stack_flow(struct weir_stack *stack, weir_conn conn)
{
	const struct weir_slot *slot = weir_slots_find(&stack->slots, conn);

	return slot == NULL ? NULL : &stack->engine->tcp.flows[slot->flow];
}

/* open.c: tables and queues of an engine by the stack's configuration; -ENOMEM. */
int weir_engine_open(struct weir_engine *engine, struct weir_stack *stack);
void weir_engine_close(struct weir_engine *engine);

/* assemble.c: fragments, `size` datagrams of them. -ENOMEM. */
int weir_engine_datagrams_open(struct weir_engine *engine, uint32_t size);
/*
 * One fragment of the burst `parsed` from `port`; the packet that it completes goes into that, behind
 * the segments that came before it. `inserted` counts those of this burst, of IPv4 and of IPv6.
 */
void weir_engine_fragment(struct weir_engine *engine, uint8_t port, struct weir_parsed *parsed,
			  const struct weir_other *other, uint32_t inserted[2]);
/* Once per poll while fragments wait: those that have waited for too long are dropped. */
void weir_engine_fragments_age(struct weir_engine *engine);

/* gateway.c: ask those whose time has come; call when engine->gateway_due_ns is over. */
void weir_engine_gateways_ask(struct weir_engine *engine);
/* An ARP message from `port`: true when it was the answer of the gateway, and is consumed. */
bool weir_engine_gateway_heard(struct weir_engine *engine, uint8_t port,
			       const struct weir_other *other);
/* As if nobody had answered yet. */
void weir_engine_gateways_forget(struct weir_engine *engine);

/* icmp_say.c: one answer more, of `burst` at once and so many each ms? What is sent because somebody asked
 * is bounded. */
bool weir_engine_answer_allowed(struct weir_answers *answers, uint32_t now_ms, uint32_t per_ms,
				uint32_t burst);
/* Say what is wrong with a packet that is rejected, or why fragments were lost, to whom it came from. The
 * frames stay the caller's. */
void weir_engine_say_problem(struct weir_engine *engine, uint8_t port,
			     const struct weir_reject *reject);
void weir_engine_say_expired(struct weir_engine *engine, const struct weir_datagram *datagram);

/* groups6.c: the port has joined the groups of its addresses, or some more. */
void weir_engine_join(struct weir_engine *engine, struct weir_attached *at);
/* Take over a query of multicast listener discovery; false: it is none. */
bool weir_engine_query(struct weir_engine *engine, struct weir_attached *at,
		       const struct weir_other *other);
/* Send the reports that are due. */
void weir_engine_report(struct weir_engine *engine);

/* serve.c: rooms 5 and 6. Serves up to what is left of the budget; returns the segments served. */
uint32_t weir_engine_serve(struct weir_engine *engine);
/* weir_engine_enqueue() of what is not simply lent. */
void weir_engine_enqueue_carefully(struct weir_engine *engine, struct weir_flow *flow,
				   struct weir_seg *segs, uint32_t n);
/* What is queued where the parser wrote it is copied: it is about to be overwritten. */
void weir_engine_keep(struct weir_engine *engine);
/* When the first held run has to be looked at. */
uint64_t weir_engine_hold_deadline(const struct weir_engine *engine);

static inline enum weir_class
weir_engine_class_of(const struct weir_flow *flow)
{
	return flow->state == WEIR_TCP_ESTABLISHED || flow->state == WEIR_TCP_CLOSE_WAIT
		       ? WEIR_CLASS_READY
		       : WEIR_CLASS_CONTROL;
}

/* The flow has nothing queued: its queue are the segments where they lie, until weir_engine_keep(). False:
 * they have to be copied. */
static inline bool
weir_engine_lend(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *segs, uint32_t n)
{
	uint32_t lent = weir_queue_lend(&tcp->queues, flow->id, segs, n);

	if (unlikely(lent == WEIR_NONE))
		return false;
	flow->queue = lent;
	tcp->stats.segs += n;
	tcp->stats.packets_queued += n;
	weir_sched_push(&tcp->sched, flow->id, weir_engine_class_of(flow));
	return true;
}

/* Room 4: `n` segments into the flow's queue; those for which there is no room or no memory are dropped
 * by name. */
static inline void
weir_engine_enqueue(struct weir_engine *engine, struct weir_flow *flow, struct weir_seg *segs,
		    uint32_t n)
{
	struct weir_tcp *tcp = &engine->tcp;

	if (unlikely(flow->queue != WEIR_NONE ||
		     tcp->held_bufs + tcp->stats.packets_queued + n > engine->hard_bufs ||
		     !weir_engine_lend(tcp, flow, segs, n)))
		weir_engine_enqueue_carefully(engine, flow, segs, n);
}

/* transmit.c: rooms 8 and 9. */
void weir_engine_emit_init(struct weir_engine *engine);
void weir_engine_transmit(struct weir_engine *engine);
/* A frame into the port's list; dropped by name when that stays full. */
void weir_engine_send(struct weir_engine *engine, uint8_t port, struct rte_mbuf *frame);

/* channel.c: carry out what other threads asked for. */
void weir_channel_drain(struct weir_engine *engine);
/* Everything that waits in the channels, before what it names is gone. */
void weir_channel_forget(struct weir_engine *engine);

#endif
