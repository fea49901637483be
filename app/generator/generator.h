/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The closed-loop TCP sender that weir-gen and weir-bench share: up to a million connections over
 * one struct weir_port, every window kept full, nothing held but state. Segments are rebuilt from
 * their stream offset, so no sent buffer is kept for retransmission.
 *
 * One thread per generator. No clock: now_ns, monotonic, is an argument, and all chance comes from
 * config.seed, so a run can be repeated exactly. Errors are negative errno. IPv4, or with `ip6` IPv6.
 *
 * Flow i has source address `address + i % sources` and source port `first_port + i / sources`
 * (attack collide: address + i, and a port that falls as i rises). In mode connect a flow goes on
 * to another port for each new connection. Flows [flows, flows + hold) are the idle ones.
 */
#ifndef WEIR_APP_GENERATOR_GENERATOR_H
#define WEIR_APP_GENERATOR_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "app/generator/histogram.h"
#include "engine/port.h"
#include "flow/buffer.h"

struct generator;

enum generator_mode {
	GENERATOR_STREAM,  /* bytes_per_flow, then FIN; 0: until closed */
	GENERATOR_RR,	   /* request_bytes, wait until all of it is acknowledged, the next one */
	GENERATOR_CONNECT, /* open, request_bytes, close, open again */
};

enum generator_attack {
	GENERATOR_ATTACK_NONE,
	GENERATOR_ATTACK_SYN,  /* SYNs from random sources and ports, never completed; no flows */
	GENERATOR_ATTACK_RST,  /* beside the streams: RSTs with random sequence numbers */
	GENERATOR_ATTACK_SEQ,  /* beside the streams: data with random seq and ack */
	GENERATOR_ATTACK_OOO,  /* tiny ranges all over the window, the first byte never sent */
	GENERATOR_ATTACK_TINY, /* streams of one byte per segment */
	GENERATOR_ATTACK_COLLIDE, /* streams whose address + port is always the same; and whose
				     address ^ port, when `address` ends in enough zero bits */
};

enum generator_order {
	GENERATOR_SEQUENTIAL, /* flows with room in their window take turns */
	GENERATOR_RANDOM,     /* each run is of a flow drawn among them */
};

struct generator_config {
	uint32_t size;		   /* sizeof(struct generator_config) */
	struct weir_port *port;	   /* opened; started by generator_create, the caller's to close */
	struct weir_pool *pool;	   /* segments that are sent; see generator_create */
	struct weir_pool *rx_pool; /* given to port->start; NULL: pool */
	/* addresses, host order */
	uint32_t address;    /* first source */
	uint32_t sources;    /* source addresses, default 1; ARP is answered for all */
	uint32_t prefix_len; /* of the link, default 24; of IPv6 up to 128 */
	uint32_t gateway;    /* 0: none; asked for by ARP when target is not on the link */
	uint32_t target;
	uint16_t target_port;
	uint16_t first_port;   /* of the sources, default 1024 */
	/* IPv6: addresses as they lie in a packet, in place of `address`, `gateway` and `target`. Sources
	 * differ in the last word alone; solicitations are answered for all. */
	uint8_t ip6;
	uint8_t address6[16];
	uint8_t gateway6[16]; /* all zero: none */
	uint8_t target6[16];
	uint8_t mac[6];	       /* own, all zero: the port's */
	uint8_t target_mac[6]; /* next hop, all zero: by ARP or neighbour discovery */
	/* connections */
	uint32_t flows;		  /* default 1; flows + hold at most 1,000,000 + 65,536 */
	uint32_t hold;		  /* idle connections kept besides */
	uint32_t handshakes_most; /* at once, default 256: below the peer's SYN backlog */
	uint32_t mss;	    /* payload of a segment, timestamps already taken off; default 1448 */
	uint8_t timestamps; /* default 1; the peer may refuse */
	uint8_t fixed_timestamp;   /* 1: TSval and TSecr never change, so that rte_gro can merge */
	uint8_t sack;		   /* default 1; the peer may refuse */
	uint8_t verify;		   /* 1: payload is struct generator_pattern's */
	uint8_t refill;		   /* 1: payload is written into every segment, see below */
	uint8_t trust_checksums;   /* 1: do not verify what is received */
	uint8_t mode;		   /* enum generator_mode */
	uint8_t attack;		   /* enum generator_attack */
	uint8_t order;		   /* enum generator_order */
	uint8_t together;	   /* 1: no data before all connections are established */
	uint8_t geometric;	   /* 1: run lengths are geometric with mean `run` */
	uint32_t run;		   /* segments of one flow in a row, default 1, at most 1024 */
	uint32_t request_bytes;	   /* rr, connect: default 1024 */
	uint64_t bytes_per_flow;   /* stream, rr; 0: endless */
	uint64_t connections_most; /* connect: stop after so many, 0: never */
	uint32_t inflight_bytes;   /* per flow at most, 0: as the window allows */
	uint32_t reorder_permille; /* segments sent later than their turn */
	uint32_t reorder_depth; /* by 1 to so many segments of their flow, default 8, at most 64 */
	uint64_t open_loop_pps; /* data segments a second regardless of ACKs, or attack packets
				   a second; 0: closed loop, attack as fast as it goes */
	uint32_t rto_min_ms;	/* default 200 (RFC 6298 says 1000) */
	uint32_t retries_most;	/* timeouts in a row before a connection is given up, default 8 */
	uint64_t stamp;		/* ol_flags of every segment that is sent */
	uint64_t seed;
};

void generator_config_init(struct generator_config *config);

/*
 * Starts the port. Port and pools outlive the generator. Nothing but this generator writes into the
 * buffers of `pool`: their payload is written once, here, and stays. Where that does not hold (the
 * pool also feeds the receive ring: rx_pool NULL or the same; an impairment corrupts in place) set
 * `refill`; verify does the same. All checksums that are sent are right, whatever `stamp` says, and
 * cost a few cycles because the payload's sum is known. Over an in-memory pair the peer holds these
 * very buffers: `pool` needs more than it may hold, or nothing can be sent any more.
 *
 * -EINVAL (a value out of range), -EMSGSIZE (mss does not fit the buffers or the port's MTU),
 * -ENOSPC (more flows than sources * ports), -ENOMEM, errors of port->start.
 */
int generator_create(const struct generator_config *config, uint64_t now_ns,
		     struct generator **generator);

/* Frees what it holds and stops the port; says nothing to the peer (see generator_abort). */
void generator_destroy(struct generator *generator);

/* generator_receive, then generator_send of up to 256 segments. Returns packets received + sent. */
uint32_t generator_poll(struct generator *generator, uint64_t now_ns);

/* Everything that waits at the port, and the timers; replies are sent at once. Returns packets
 * received. */
uint32_t generator_receive(struct generator *generator, uint64_t now_ns);

/*
 * Up to `most_segs` packets that are due, whole runs where the windows allow them; fewer when
 * windows, the pool or the port have no more room. Packets that the port did not take are kept and
 * go first next time. Returns packets the port took.
 */
uint32_t generator_send(struct generator *generator, uint32_t most_segs, uint64_t now_ns);

/* When the generator next has to be polled if nothing comes: now_ns or earlier when it could send
 * at once, UINT64_MAX when never. */
uint64_t generator_deadline(const struct generator *generator);

/* Connections established now, idle ones included. */
uint32_t generator_established(const struct generator *generator);

/* Every connection has ended, or failed for good, or is an idle one; false while there is more to
 * do. Endless streams are never done before generator_close. */
bool generator_done(const struct generator *generator);

/* From now on no new data or connections: what was sent is brought home, then FIN, idle connections
 * too. Poll until generator_done. */
void generator_close(struct generator *generator, uint64_t now_ns);

/* Send RSTs for all live connections and forget them; attacks stop. Returns how many are still to
 * be told because port or pool are full: drain, call again until 0. */
uint32_t generator_abort(struct generator *generator, uint64_t now_ns);

struct generator_stats {
	uint32_t size;
	uint32_t established; /* now */
	uint64_t segs_sent;   /* with payload, retransmissions included */
	uint64_t bytes_sent;  /* payload, first time only */
	uint64_t bytes_acked;
	uint64_t packets_sent;	   /* all */
	uint64_t packets_received; /* all */
	uint64_t acks_received;	   /* segments for live connections */
	uint64_t dup_acks;
	uint64_t sacks;		/* SACK blocks */
	uint64_t retransmitted; /* segments */
	uint64_t fast_recoveries;
	uint64_t rtos;
	uint64_t window_probes;
	uint64_t reordered; /* segments sent late on purpose */
	uint64_t attack_packets; /* of tiny and collide segs_sent */
	uint64_t requests;	 /* rr: completed */
	uint64_t connects_tried; /* first SYNs */
	uint64_t opened;	 /* handshakes completed */
	uint64_t closed;	 /* both sides closed */
	uint64_t failed;	 /* given up after retries_most timeouts */
	uint64_t reset;		 /* by the peer */
	uint64_t bad_checksums;	 /* received and dropped */
	uint64_t strangers;	 /* received, for no connection of ours */
	uint64_t no_buffer;	 /* times the pool was empty */
	uint64_t tx_refused;	 /* times the port was full */
};

/* stats->size set by the caller. */
void generator_stats(const struct generator *generator, struct generator_stats *stats);

/* When the first handshake was completed, or the first SYN of attack syn sent; 0: not yet. */
uint64_t generator_began_ns(const struct generator *generator);

/* Of the first `most` connections those that are established. */
struct generator_windows {
	uint32_t flows;
	uint32_t shut;	/* of them: no room for a byte */
	uint64_t bytes; /* from the oldest byte not acknowledged to the peer's right edge */
	uint64_t inflight_bytes; /* sent and not acknowledged */
};

/* Walks over their state, idle connections included. */
void generator_windows(const struct generator *generator, uint32_t most,
		       struct generator_windows *windows);

/* rr: from the sending of a request's last segment until its ACK; connect: from the SYN until the
 * connection is closed. ns. The generator's; histogram_reset may be called on it. */
struct histogram *generator_latency(struct generator *generator);

/* The next hop's MAC is known. */
bool generator_resolved(const struct generator *generator);

#endif
