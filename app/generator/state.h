/* SPDX-License-Identifier: BSD-3-Clause */
/* State of a generator and its connections. Private to app/generator. */
#ifndef WEIR_APP_GENERATOR_STATE_H
#define WEIR_APP_GENERATOR_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "app/generator/generator.h"
#include "app/generator/pattern.h"
#include "app/generator/scoreboard.h"
#include "wire/bytes.h"
#include "wire/seg.h"
#include "wire/seq.h"

#define GEN_BURST      64
#define GEN_ETHER      14
#define GEN_IP	       20
#define GEN_IP6	       40
#define GEN_TCP	       20
#define GEN_TS	       12 /* NOP NOP TIMESTAMP */
#define GEN_HEAD       (GEN_ETHER + GEN_IP + GEN_TCP + GEN_TS)
#define GEN_RUN_MOST   1024
#define GEN_DEPTH_MOST 64
#define GEN_SLOTS      64 /* of the timer wheel, a power of two */
#define GEN_TICK_MS    4
#define GEN_RUN_TABLE  4096 /* quantiles of the geometric distribution */
#define GEN_NS_PER_MS  1000000ull
#define GEN_NS_PER_S   1000000000ull
#define GEN_TICK_NS    (GEN_TICK_MS * GEN_NS_PER_MS)
#define GEN_DUP_ACKS   3 /* RFC 5681 3.2 */
#define GEN_NONE       UINT32_MAX

/* Payload lies at one place in every buffer, so that it can stay there. Packets without payload
 * begin further left, with a cache line as those of a device do, and neither they nor an answer that
 * is written over them reach it. */
#define GEN_PAYLOAD_AT (RTE_PKTMBUF_HEADROOM + GEN_HEAD)
#define GEN_CONTROL_AT (RTE_PKTMBUF_HEADROOM - RTE_CACHE_LINE_SIZE)

enum gen_state {
	GEN_CLOSED, /* not yet, or not again, opened */
	GEN_SYN_SENT,
	GEN_OPEN, /* established, or closing: GEN_FIN_SENT, GEN_PEER_FIN */
	GEN_ENDED,
};

/* gen_flow.flags */
#define GEN_READY    0x01 /* in the queue of those that can send */
#define GEN_TOUCHED  0x02 /* had an ACK in this burst */
#define GEN_USES_TS  0x04
#define GEN_SACKS    0x08
#define GEN_FIN_DUE  0x10 /* FIN follows end_offset */
#define GEN_FIN_SENT 0x20
#define GEN_PEER_FIN 0x40
#define GEN_IN_WHEEL 0x80

struct gen_flow {
	/* read for each run of segments and each ACK */
	uint32_t una;  /* oldest not acknowledged */
	uint32_t next; /* to be sent next; left of `high` after a timeout */
	uint32_t high; /* right of all that was ever sent */
	uint32_t stop; /* where sending has to stop: window, inflight_bytes, end_offset */
	uint32_t edge; /* right edge of the peer's window */
	uint32_t rcv_next;
	uint32_t ts_recent;
	uint32_t address; /* of IPv6 the last word */
	uint64_t una_offset; /* of una in the stream */
	uint64_t end_offset; /* no data beyond, for now */
	uint16_t port;
	uint16_t base_sum; /* TCP: addresses, ports, and what never changes */
	uint16_t ip_sum;   /* IPv4: header without its length */
	uint16_t mss;
	uint8_t state; /* enum gen_state */
	uint8_t flags;
	uint8_t dup_acks;
	uint8_t shift;	   /* of the windows received */
	uint16_t run_left; /* segments of the current run still to be sent */
	uint16_t recovery; /* index + 1, 0: nothing lost */
	/* the rest */
	uint64_t timed_ns; /* one segment is timed (Karn & Partridge): when sent, 0: none */
	uint64_t sent_ns;  /* rr: last segment of the request; connect: first SYN */
	uint32_t timed;	   /* ACK that ends the timing */
	uint32_t srtt_us;  /* 0: not yet measured */
	uint32_t rttvar_us;
	uint32_t rto_ms;
	uint32_t deadline;   /* tick, 0: none */
	uint32_t wheel_next; /* in the same slot */
	uint32_t held;	     /* start of the segment kept back to be reordered */
	uint16_t generation; /* connect: which of its ports */
	uint8_t held_left;   /* segments of the flow before it is sent, 0: none */
	uint8_t retries;     /* timeouts in a row */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct gen_flow) == 128, "a million of them");
_Static_assert(offsetof(struct gen_flow, timed_ns) == 64, "one line for the fast paths");

/* Attached to a connection while something is missing. */
struct gen_recovery {
	struct scoreboard board;
	uint32_t recover; /* `high` when it began: it ends when this is acknowledged */
	uint32_t resend;  /* holes right of here are still to be resent */
	uint32_t until;	  /* without SACK: resend up to here */
	uint32_t mark;	  /* `high` when the current pass over the holes began */
	uint32_t active;  /* 0: only SACK blocks, not yet taken for loss */
	uint32_t next_free;
};

struct gen_queue {
	uint32_t *flows;
	uint32_t mask;
	uint32_t head;
	uint32_t tail;
	uint32_t drawn; /* random order: positions from head that have been drawn */
};

struct generator {
	struct generator_config config;
	struct weir_port *port;
	struct weir_pool *pool;
	uint64_t now_ns;
	uint64_t start_ns;
	uint64_t began_ns; /* see generator_began_ns */
	uint32_t tick; /* now, for the wheel */
	uint64_t random;
	uint8_t mac[6];
	uint8_t next_hop_mac[6];
	bool l3;
	bool refill;
	bool resolved;
	bool closing;
	bool aborted;
	bool blocked; /* port or pool had no more room in this call */
	uint32_t next_hop;
	uint8_t next_hop6[16];
	uint64_t ask_due_ns; /* for the next hop's MAC */
	uint8_t ether;	  /* bytes of the link header */
	uint8_t ip_bytes; /* of an IP header that is sent */
	uint32_t tsval;
	uint8_t link[16]; /* header, two bytes longer than it is so that it is copied at once */
	/* payload sums, host representation as in wire/checksum.h */
	uint32_t sums_len;			 /* they are for segments of so many bytes */
	uint16_t sums[GENERATOR_PATTERN_PERIOD]; /* by position in the pattern */
	/* packets on their way out */
	struct rte_mbuf *spare[GEN_BURST];
	uint32_t n_spare;
	struct rte_mbuf *staged[GEN_BURST];
	uint32_t n_staged;
	/* connections */
	struct gen_flow *flows;
	uint32_t n_flows; /* idle ones included */
	uint32_t live;	  /* of the active ones: not ended */
	uint32_t live_hold;
	uint32_t syn_sent; /* now */
	uint32_t established;
	uint32_t abort_at;
	uint32_t port_mask;   /* slots of ports, a power of two minus one */
	uint32_t generations; /* of ports for mode connect */
	struct gen_queue ready;
	struct gen_queue opening;
	struct gen_recovery *recoveries;
	uint32_t n_recoveries;
	uint32_t free_recovery;
	uint32_t wheel[GEN_SLOTS]; /* first flow, GEN_NONE */
	uint32_t wheel_tick;	   /* all before it have been expired */
	uint32_t wheel_count;
	uint32_t touched[GEN_BURST];
	uint32_t n_touched;
	/* pace of the open loop and of attacks */
	uint64_t paced_ns; /* packets due until then have been sent, 0: not begun */
	uint32_t pace_at;  /* flow whose turn it is */
	uint16_t *run_table;
	struct generator_stats stats;
	struct histogram latency;
	struct generator_pattern pattern;
};

/* ---- generator.c ---- */

static inline uint32_t
gen_index(const struct generator *g, const struct gen_flow *f)
{
	return (uint32_t)(f - g->flows);
}

static inline bool
gen_is_idle(const struct generator *g, const struct gen_flow *f)
{
	return gen_index(g, f) >= g->config.flows;
}

/* splitmix64 (Steele, Lea & Flood 2014). */
static inline uint64_t
gen_draw(struct generator *g)
{
	uint64_t z = g->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint32_t
gen_draw_below(struct generator *g, uint32_t n)
{
	return (uint32_t)((gen_draw(g) >> 32) * n >> 32);
}

/* Take over now_ns. */
void gen_set_now(struct generator *g, uint64_t now_ns);

/* ---- flow.c: which connection, and in what order ---- */

int gen_flows_open(struct generator *g);
void gen_flows_close(struct generator *g);
/* The place of whoever has this local address and port, NULL when none could. */
struct gen_flow *gen_flow_at(struct generator *g, uint32_t address, uint16_t port);
/* The live connection with this local address and port, or NULL. */
struct gen_flow *gen_flow_find(struct generator *g, uint32_t address, uint16_t port);
void gen_ready(struct generator *g, struct gen_flow *f);
/* NULL: none. */
struct gen_flow *gen_ready_take(struct generator *g);
/* It goes on next time, before all others. */
void gen_ready_return(struct generator *g, struct gen_flow *f);
/* Send the first SYNs of connections that wait for it, as many as may be under way at once. */
void gen_open_more(struct generator *g, uint32_t *most);
/* Its next connection, from its next port (mode connect). */
void gen_flow_reopen(struct generator *g, struct gen_flow *f);
/* Segments of the next run. */
uint16_t gen_run_length(struct generator *g);

/* ---- life.c: how a connection begins and ends ---- */

struct gen_seg;
/* SYN-ACK taken. */
void gen_established(struct generator *g, struct gen_flow *f, const struct gen_seg *seg);
enum gen_end {
	GEN_END_CLOSED,
	GEN_END_FAILED,
	GEN_END_RESET,
	GEN_END_ABORTED,
};
void gen_end(struct generator *g, struct gen_flow *f, enum gen_end how);
/* What follows from a changed una, edge, end_offset or recovery: new stop, timer, next request, end
 * of the connection, place in the queue. */
void gen_settle(struct generator *g, struct gen_flow *f);

/* ---- timer.c ---- */

void gen_wheel_init(struct generator *g);
void gen_arm(struct generator *g, struct gen_flow *f, uint32_t delay_ms);
/* Timeout by RFC 6298, backed off. */
void gen_arm_rto(struct generator *g, struct gen_flow *f);
void gen_rtt_sample(struct generator *g, struct gen_flow *f, uint64_t rtt_ns);
void gen_expire(struct generator *g);
uint64_t gen_wheel_deadline(const struct generator *g);
/* Packets that are due at `pps`, at most `most`. */
uint32_t gen_pace(struct generator *g, uint64_t pps, uint32_t most);

/* ---- recovery.c ---- */

int gen_recoveries_open(struct generator *g);
static inline struct gen_recovery *
gen_recovery_of(const struct generator *g, const struct gen_flow *f)
{
	return f->recovery == 0 ? NULL : &g->recoveries[f->recovery - 1];
}
void gen_recovery_end(struct generator *g, struct gen_flow *f);
/* An ACK that is not plain: duplicate, with SACK blocks, or while something is missing; `advanced`
 * bytes were newly acknowledged. */
void gen_recovery_ack(struct generator *g, struct gen_flow *f, const struct gen_seg *seg,
		      uint32_t advanced, bool duplicate);
/* The next lost range to be resent; false: none. */
bool gen_recovery_next(const struct generator *g, const struct gen_flow *f, uint32_t *start,
		       uint32_t *end);

/* ---- packet.c: buffers and packets without payload ---- */

/* `n` buffers in g->spare, or as many as there are. */
uint32_t gen_spare(struct generator *g, uint32_t n);
/* Give to the port what is staged; false when it did not take all. */
bool gen_flush(struct generator *g);
/* Stage one packet; it is freed when there is no room. */
void gen_stage(struct generator *g, struct rte_mbuf *buf);
/* SYN, ACK or RST of a connection, by its state. */
void gen_send_control(struct generator *g, const struct gen_flow *f, uint32_t seq, uint8_t flags);
/* Any packet without payload from one of our addresses. */
struct weir_packet;
bool gen_send_packet(struct generator *g, uint32_t address, uint16_t port, bool has_ts,
		     const struct weir_packet *packet);
/* `bytes` as a frame of its own, the link header included. */
bool gen_send_bytes(struct generator *g, const uint8_t *bytes, uint32_t len);

/* ---- link.c ---- */

int gen_link_open(struct generator *g);
/* Ask for the next hop's MAC when it is time. */
void gen_link_poll(struct generator *g);
void gen_link_arp(struct generator *g, const uint8_t *frame, uint32_t len);
/* The next hop has answered. */
void gen_link_resolved(struct generator *g, const uint8_t mac[6]);

/* ---- link6.c: neighbour discovery (RFC 4861) ---- */

int gen_link6_open(struct generator *g);
void gen_link6_solicit(struct generator *g);
/* ICMPv6 behind a bare IPv6 header at `ip_off` of the frame, whose first `len` bytes are `frame`. */
void gen_link6_take(struct generator *g, const struct rte_mbuf *buf, const uint8_t *frame,
		    uint32_t len);
/* The whole of the source address that ends in `address`. */
static inline void
gen_source6(const struct generator *g, uint32_t address, uint8_t to[16])
{
	memcpy(to, g->config.address6, 12);
	weir_store_be32(to + 12, address);
}

/* ---- segment.c; see segment.h, too ---- */

void gen_link_header(struct generator *g);
/* base_sum and ip_sum of a new connection. */
void gen_flow_sums(struct generator *g, struct gen_flow *f);
/* Payload sums for segments of `len` bytes. */
void gen_sums_init(struct generator *g, uint32_t len);
/* Where the payload at `seq` stands in the pattern. */
uint32_t gen_position(const struct generator *g, const struct gen_flow *f, uint32_t seq);
/* Write the payload into every buffer of the pool. */
void gen_prefill(struct generator *g);

/* ---- send.c ---- */

/* Could it send now? */
bool gen_wants(const struct generator *g, const struct gen_flow *f);
uint32_t gen_make_room(struct generator *g, uint32_t n);

/* Room for `n` segments to be staged, or for fewer; 0: blocked. */
static inline uint32_t
gen_room(struct generator *g, uint32_t n)
{
	if (n <= g->n_spare && n <= GEN_BURST - g->n_staged)
		return n;
	return gen_make_room(g, n);
}

/* ---- attack.c ---- */

/* Up to `most` packets that are due; returns how many were staged. */
uint32_t gen_attack(struct generator *g, uint32_t most);

/* ---- receive.c ---- */

/* One received segment, in host order. */
struct gen_seg {
	uint32_t seq;
	uint32_t ack;
	uint32_t address; /* ours; of IPv6 the last word */
	uint32_t len;
	uint32_t tsval;
	uint16_t port; /* ours */
	uint16_t win;
	uint16_t mss;
	uint8_t flags;
	uint8_t has_ts;
	uint8_t sack_permitted;
	int8_t wscale; /* -1: absent */
	uint8_t n_sacks;
	uint32_t sacks[4][2];
};

#endif
