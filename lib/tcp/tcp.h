/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything of one engine that TCP draws on, and the verbs of the rooms 5 to 8. All of it belongs
 * to the thread that polls the engine.
 */
#ifndef WEIR_TCP_TCP_H
#define WEIR_TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/buffer.h"
#include "flow/flow.h"
#include "flow/free_list.h"
#include "flow/held.h"
#include "flow/peers.h"
#include "flow/queue.h"
#include "flow/sched.h"
#include "flow/slots.h"
#include "flow/table.h"
#include "tcp/accecn.h"
#include "tcp/aggregate.h"
#include "tcp/budget.h"
#include "tcp/cookie.h"
#include "tcp/gather.h"
#include "tcp/reassembly.h"
#include "tcp/tune.h"
#include "tcp/wheel.h"
#include "weir.h"
#include "wire/drop.h"
#include "wire/parse.h"
#include "wire/syn_ack.h"

#define WEIR_TCP_QUICK_ACKS  16   /* segments acknowledged each at once while the sender starts slowly */
#define WEIR_TCP_STUCK_MS    200  /* a hole so old: the sender's timer may have fired (Linux: the least) */
#define WEIR_TCP_DELACK_MS   40   /* RFC 9293 3.8.6.3 allows 500 */
#define WEIR_TCP_IDLE_MS     1000 /* silence after which a flow counts as idle */
#define WEIR_TCP_RTO_MS      1000 /* of SYN-ACK and FIN, the least; doubled each time (RFC 6298) */
#define WEIR_TCP_RTO_LOST_MS 3000 /* of the FIN when the SYN-ACK was sent again (RFC 6298 5.7) */
#define WEIR_TCP_RTO_MOST_MS 60000 /* RFC 6298 2.5, of what a sample says */
#define WEIR_TCP_BACKOFF_MS  128000 /* the longest wait between two retransmissions */
#define WEIR_TCP_SYN_RETRIES 5
#define WEIR_TCP_FIN_RETRIES 7
#define WEIR_TCP_OOW_MS      500   /* RFC 5961 7: answers to empty segments outside the window */
#define WEIR_TCP_OOW_BURST   64    /* answers to data outside the window: burst, one more each ms */
#define WEIR_TCP_MSS_DEFAULT  536  /* of a peer that names none (RFC 9293 3.7.1) */
#define WEIR_TCP_MSS6_DEFAULT 1220
#define WEIR_TCP_IP6_MORE     20   /* bytes by which an IPv6 header is longer */
#define WEIR_LISTENERS_MAX   WEIR_PEERS_LISTENERS
#define WEIR_WINDOW_PER_BUFFER 1024 /* bytes of window that a free buffer is worth: half of a full one */
#define WEIR_WINDOW_UNITS_MIN 16u /* units of the scale in the smallest receive buffer: its 16th is one */
#define WEIR_RECEIVE_RESERVE 16 /* buffers kept for data in order: a hole can always be filled */
#define WEIR_FREE_BATCH      64
#define WEIR_SYN_ACK_IMAGES  16 /* one for each set of TS, SACK, window scale and ECN */

/* A half-open connection (RFC 9293 SYN-RECEIVED). */
struct weir_syn {
	struct weir_key key;
	union {
		uint32_t irs;
		uint32_t next_free;
	};
	uint32_t iss;
	uint32_t ts_recent;
	uint32_t ts_offset;
	uint32_t rcv_adv; /* right edge advertised by the SYN-ACK */
	uint16_t mss;     /* the peer's */
	uint16_t listener;
	uint8_t opts;
	uint8_t snd_wscale;
	uint8_t rcv_wscale;
	uint8_t retries : 6;
	uint8_t ecn : 2; /* IP ECN field of the latest SYN */
	uint8_t port;
	struct weir_hop hop;
};
_Static_assert(sizeof(struct weir_syn) == 64, "one cache line");

/* What remains of a connection in TIME-WAIT. */
struct weir_time_wait {
	struct weir_key key;
	uint32_t snd_nxt;
	uint32_t rcv_nxt;
	uint32_t ts_recent;
	uint32_t ts_offset;
	uint32_t next_free;
	uint32_t oow_last_ms;
	uint16_t win;
	struct weir_hop hop;
	uint8_t opts;
	uint8_t port;
	uint8_t ace; /* AE, CWR and ECE of its answers, from the lowest bit on */
};
_Static_assert(sizeof(struct weir_time_wait) == 64, "one cache line");

struct weir_listener {
	uint64_t cookie;
	uint32_t receive_buffer;     /* bytes, of a new connection */
	uint32_t receive_buffer_max; /* it is tuned up to this; the same: it is fixed */
	uint16_t port;
	uint8_t ack_policy;
	uint8_t wscale;
	uint32_t keepalive_ms; /* silence before the first probe, 0: none is sent */
	uint32_t keepalive_interval_ms;
	uint32_t user_timeout_ms; /* 0: none */
	uint8_t keepalive_probes;
	uint32_t backlog; /* half-open connections */
	bool cookies;     /* SYN cookies beyond it */
	uint8_t ecn;      /* enum weir_ecn */
	/* limits, 0: none */
	uint32_t connections;
	uint32_t per_address; /* connections of one remote address */
	uint32_t budget_bufs; /* what its connections hold together */
};

/* What a listener has now. */
struct weir_listener_use {
	uint64_t cookies_until_ns; /* ACKs may answer cookies until then */
	uint32_t half_open;
	uint32_t connections;
	uint32_t held_bufs; /* of those that are WEIR_FLOW_CHARGED */
};

/* What TCP knows of a port. */
struct weir_tcp_port {
	uint8_t mac[6];
	uint8_t l3;
	uint16_t mss; /* to announce to an IPv4 peer; weir_tcp_port_mss() */
	struct weir_own6 own6;
	uint32_t network; /* of IPv4: whoever is in it has `netmask` bits in common with it */
	uint32_t netmask;
	bool gateway_known; /* route.c: the way to whoever is not */
	uint8_t gateway_mac[6];
};

struct weir_tcp {
	/* time of this poll */
	uint64_t now_ns;
	uint32_t now_ms;
	uint32_t poll_no;
	/* state */
	struct weir_flow *flows;
	struct weir_table table;  /* of IPv4 */
	struct weir_table table6; /* of IPv6 */
	struct weir_key *keys6;   /* of the flows of IPv6, by flow; untouched where there are none */
	struct weir_accecn *accecn; /* of WEIR_FLOW_ACCECN_OPTION, the same way */
	struct weir_tune *tunes;  /* of the flows that are tuned, the same way */
	struct weir_sched sched;
	struct weir_queue_pool queues;
	struct weir_held_pool held;
	struct weir_reass_pool reass;
	struct weir_gather gather;
	struct weir_event *events;
	uint32_t n_events;
	uint32_t max_events;
	uint32_t read_event; /* the one that the consumer is at when it reads in their order */
	uint32_t dead_head; /* flows that ended, linked by sched_next */
	uint32_t dead_tail;
	uint32_t dsack[2]; /* of the segment in hand: received twice; empty when equal */
	/* buffers on their way home */
	struct rte_mbuf *free_batch[WEIR_FREE_BATCH];
	uint32_t n_free_batch;
	struct weir_pool *pool;
	/* memory */
	uint32_t held_bufs; /* payload of all flows; at most budget_bufs */
	uint32_t budget_bufs;
	uint32_t relief_flow; /* the next flow to be collapsed or pruned for others' sake */
	uint32_t relief_poll; /* poll in which that was last done */
	uint32_t buffer_bytes; /* data room of one */
	uint32_t charge_bytes; /* what one counts against a connection's receive buffer */
	/* configuration */
	uint32_t aggregate_limit;
	uint32_t flush;
	uint32_t flush_value;
	uint32_t time_wait_ms;
	uint32_t fin_wait_ms; /* FIN-WAIT-2 of a closed connection */
	uint32_t orphans;     /* connections that the application closed, at most */
	uint64_t secret[2]; /* of sequence numbers and timestamp offsets */
	uint64_t label_secret[2];
	struct weir_listener listeners[WEIR_LISTENERS_MAX];
	struct weir_listener_use listener_uses[WEIR_LISTENERS_MAX];
	uint32_t n_listeners;
	struct weir_peers peers; /* while a listener limits connections by address */
	struct weir_cookie_keys cookies;
	struct weir_syn_ack_image syn_acks[WEIR_SYN_ACK_IMAGES]; /* by what was agreed on */
	struct weir_tcp_port ports[WEIR_STATS_PORTS];
	/* less often */
	struct weir_slots *slots;
	struct weir_wheel wheel; /* flows, then SYN-RECEIVED, then TIME-WAIT */
	struct weir_syn *syns;
	struct weir_time_wait *time_waits;
	struct weir_free_list flow_free;
	struct weir_free_list syn_free;
	struct weir_free_list time_wait_free;
	uint32_t reset_tokens; /* RSTs to nobody, refilled by the millisecond */
	uint32_t reset_ms;
	uint32_t challenge_tokens; /* challenge ACKs of all connections, random refill */
	uint32_t challenge_ms;
	uint64_t random; /* splitmix state */
	struct weir_stats stats;
};

_Static_assert(WEIR_HOMES >= WEIR_STATS_PORTS, "each port may have its own mempool");

/* Numbers of entries in table and wheel. */
static inline uint32_t
weir_tcp_syn_entry(const struct weir_tcp *tcp, uint32_t i)
{
	return tcp->flow_free.size + i;
}

static inline uint32_t
weir_tcp_time_wait_entry(const struct weir_tcp *tcp, uint32_t i)
{
	return tcp->flow_free.size + tcp->syn_free.size + i;
}

/* ---- keys: either family's ---- */

static inline struct weir_key
weir_flow_key(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	return flow->opts & WEIR_FLOW_IP6 ? tcp->keys6[flow->id] : weir_key_of4(&flow->key);
}

/* The own address that an IPv6 key names. */
static inline const uint8_t *
weir_tcp_own6(const struct weir_tcp *tcp, uint32_t number)
{
	const struct weir_own6 *own = &tcp->ports[number / WEIR_OWN6_MAX].own6;

	return own->address[number % WEIR_OWN6_MAX];
}

/* The MSS to announce: what the port's MTU leaves without options (RFC 9293 3.7.1, RFC 8200 8.3). */
static inline uint16_t
weir_tcp_port_mss(const struct weir_tcp *tcp, uint8_t port, bool is6)
{
	return (uint16_t)(tcp->ports[port].mss - (is6 ? WEIR_TCP_IP6_MORE : 0));
}

static inline uint32_t
weir_tcp_find(const struct weir_tcp *tcp, const struct weir_key *key)
{
	return weir_key_is4(key) ? weir_table_find(&tcp->table, &key->low)
				 : weir_table_find_wide(&tcp->table6, key);
}

/* As weir_table_insert(), weir_table_remove() and weir_table_replace(). */
static inline int
weir_tcp_insert(struct weir_tcp *tcp, const struct weir_key *key, uint32_t entry)
{
	return weir_key_is4(key) ? weir_table_insert(&tcp->table, &key->low, entry)
				 : weir_table_insert_wide(&tcp->table6, key, entry);
}

static inline int
weir_tcp_remove(struct weir_tcp *tcp, const struct weir_key *key)
{
	return weir_key_is4(key) ? weir_table_remove(&tcp->table, &key->low)
				 : weir_table_remove_wide(&tcp->table6, key);
}

static inline int
weir_tcp_replace(struct weir_tcp *tcp, const struct weir_key *key, uint32_t entry)
{
	return weir_key_is4(key) ? weir_table_replace(&tcp->table, &key->low, entry)
				 : weir_table_replace_wide(&tcp->table6, key, entry);
}

/* ---- exits: every packet leaves through exactly one ---- */

static inline void
weir_tcp_free_flush(struct weir_tcp *tcp)
{
	weir_buf_free_bulk(tcp->pool, tcp->free_batch, tcp->n_free_batch);
	tcp->n_free_batch = 0;
	weir_homes_flush(&tcp->held.homes, tcp->pool);
}

/* Give a buffer back at the latest at the end of the poll. */
static inline void
weir_tcp_free(struct weir_tcp *tcp, struct rte_mbuf *buf)
{
	tcp->free_batch[tcp->n_free_batch++] = buf;
	if (tcp->n_free_batch == WEIR_FREE_BATCH)
		weir_tcp_free_flush(tcp);
}

/* Rejected, with a name. */
static inline void
weir_tcp_drop(struct weir_tcp *tcp, struct rte_mbuf *buf, enum weir_drop reason)
{
	tcp->stats.drops[reason]++;
	tcp->stats.packets_dropped++;
	weir_tcp_free(tcp, buf);
}

/* Control that was handled and holds nothing. */
static inline void
weir_tcp_consume(struct weir_tcp *tcp, struct rte_mbuf *buf)
{
	tcp->stats.packets_consumed++;
	weir_tcp_free(tcp, buf);
}

/* The flow holds `bufs` buffers more, or fewer. */
static inline void
weir_tcp_hold(struct weir_tcp *tcp, struct weir_flow *flow, int32_t bufs)
{
	tcp->held_bufs += (uint32_t)bufs;
	flow->held_bufs += (uint32_t)bufs;
	if (__builtin_expect((flow->opts & WEIR_FLOW_CHARGED) != 0, 0))
		tcp->listener_uses[flow->listener].held_bufs += (uint32_t)bufs;
}

/* ---- input.c: room 6 ---- */

/* One aggregate of an existing flow; takes over its buffers. RFC 9293 3.10.7.4, Menon & Zwaenepoel 3. */
void weir_tcp_input(struct weir_tcp *tcp, struct weir_flow *flow,
		    const struct weir_aggregate *aggregate);

/* ---- segment.c: the slow path, one segment ---- */
void weir_tcp_segment(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_seg *seg);
/* RFC 9293 3.10.7.4: the send window, from the newest segment: one like `seg` that begins with `seq`. */
void weir_tcp_send_window(struct weir_flow *flow, const struct weir_seg *seg, uint32_t seq);

/* ---- gap.c: runs behind a hole ---- */

/* What is left of an aggregate: how many segments from its front, whole blocks, were taken, as the slow path
 * takes them, and answered. 0: the first of them has to take that path. */
uint32_t weir_gap_take(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_aggregate *run);

/* ---- receive.c: payload into the stream ---- */

/* weir_tcp_note_arrival() when time has passed since the last arrival. */
void weir_tcp_note_gap(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg);
/* `seg` covers the last ACK sent and carries a timestamp: how much longer it was on its way than the
 * segment that ts_recent is of, its clock taken as milliseconds. Before ts_recent changes. */
void weir_tcp_note_late(struct weir_tcp *tcp, const struct weir_flow *flow,
			const struct weir_seg *seg);
/* The nodes linked from `first` (0: none) on, buffers included, go home; returns their payload bytes.
 * `flow` is whose they are, NULL when it has ended. */
uint32_t weir_tcp_release(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t first);

/* The flow, which has none, gets a reassembly, empty; false when none is left. */
bool weir_tcp_begin_reassembly(struct weir_tcp *tcp, struct weir_flow *flow);
/* Nothing is held out of order any more: there is no hole to wait for. */
void weir_tcp_end_reassembly(struct weir_tcp *tcp, struct weir_flow *flow);
/* In-order payload: true when it is held and rcv_nxt has moved; otherwise it was dropped by name. */
bool weir_tcp_take(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg);
/* Payload right of rcv_nxt. */
void weir_tcp_take_out_of_order(struct weir_tcp *tcp, struct weir_flow *flow,
				const struct weir_seg *seg);
/* In-order payload of which some is held out of order already: the first copy wins. As above. */
bool weir_tcp_take_overlapping(struct weir_tcp *tcp, struct weir_flow *flow,
			       const struct weir_seg *seg);
/* rcv_nxt has moved: what a hole that closed releases goes into the stream, and after a long standstill
 * segments are acknowledged each at once again. True when there was a hole. */
bool weir_tcp_pull(struct weir_tcp *tcp, struct weir_flow *flow);
/* Free all that the flow holds and nobody leased. */
void weir_tcp_forget_data(struct weir_tcp *tcp, struct weir_flow *flow);
/* Copy the unread small segments together. */
void weir_tcp_collapse(struct weir_tcp *tcp, struct weir_flow *flow);

/* ---- ack.c: what is owed ---- */

/* An ACK of all that is in order goes out with this poll. */
void weir_ack_now(struct weir_tcp *tcp, struct weir_flow *flow);
/* The same, carrying SACK blocks as of now and never opening the window: duplicate ACK. */
void weir_ack_duplicate(struct weir_tcp *tcp, struct weir_flow *flow);
/* One for each of `n` segments, whole blocks, that went one behind the other to the end of the latest range. */
void weir_ack_duplicates(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *segs,
			 uint32_t n);
/* Count an accepted in-order segment and acknowledge if the policy says so. */
void weir_ack_count(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t len, uint32_t wire_segs);
/* After an aggregate: the policies that count aggregates, and the delayed-ACK timer. */
void weir_ack_aggregate_end(struct weir_tcp *tcp, struct weir_flow *flow);
/* Challenge ACK (RFC 5961), rate-limited per connection and by a randomised engine cap. */
void weir_ack_challenge(struct weir_tcp *tcp, struct weir_flow *flow);
/* Answer to a segment outside the window, rate-limited per connection. has_data: it carried payload,
 * so it cannot be part of an ACK loop. */
void weir_ack_outside(struct weir_tcp *tcp, struct weir_flow *flow, bool has_data);
/* Remember [start, end) as received twice; the answer to the segment in hand reports it, once
 * (RFC 2883). */
void weir_ack_note_duplicate(struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t start,
			     uint32_t end);
/* FIN, RST or a bare ACK with the flow's header, in order with its ACKs; all but RST carry what they
 * do of ECN. */
void weir_ack_control(struct weir_tcp *tcp, struct weir_flow *flow, uint16_t flags, uint32_t seq);

/* ---- ecn.c: congestion that the path marked (RFC 3168, RFC 9768) ---- */

/* What a SYN asks for and the listener's setting (enum weir_ecn) grants becomes part of syn->opts. */
void weir_ecn_agree(struct weir_syn *syn, uint32_t setting, const struct weir_seg *seg);
/* The same SYN again: it changes nothing but what is fed back of it. False when it asks for the other
 * kind of ECN: neither end could know which is in force, the connection has to be reset (RFC 9768
 * 3.1.5). */
bool weir_ecn_agree_again(struct weir_syn *syn, uint32_t setting, const struct weir_seg *seg);
/* What a SYN-ACK, and an ACK before the handshake has ended, say of ECN; the latter with ACK. */
uint16_t weir_ecn_syn_ack_flags(const struct weir_syn *syn);
uint16_t weir_ecn_syn_received_flags(const struct weir_syn *syn);
/* A flow that was made from a handshake. */
void weir_ecn_open(struct weir_flow *flow);
/* WEIR_TCP_ACK and what an ACK says of ECN as of now. */
uint16_t weir_ecn_ack_flags(const struct weir_flow *flow);
/* An acceptable segment arrived by the slow path. True: it is acknowledged at once. */
bool weir_ecn_segment(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg);

/* ---- admit.c: the limits of a listener, named by its index ---- */

/* May the peer of `key` have a connection more? WEIR_PARSE_OK, or the limit that stands against it. */
enum weir_drop weir_admit_ask(const struct weir_tcp *tcp, uint32_t listener,
			      const struct weir_key *key);
/* One begins. -ENOSPC. */
int weir_admit_begin(struct weir_tcp *tcp, uint32_t listener, const struct weir_key *key);
/* It has ended. */
void weir_admit_end(struct weir_tcp *tcp, uint32_t listener, const struct weir_key *key);

/* ---- window.c ---- */

/* Let the right edge follow the free buffer, as far as memory and SWS avoidance allow. */
void weir_window_open(struct weir_tcp *tcp, struct weir_flow *flow);
/* Window field of an ACK of `ack`; moves rcv_adv right where rounding up does. */
uint16_t weir_window_field(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t ack);
/* The window fields of `n` ACKs, at least one, in their order. */
void weir_window_fields(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_ack *acks,
			uint32_t n);
/* Both for a train. */
void weir_window_train(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_ack *acks,
		       uint32_t n);
/* The application freed `bytes`: book them, and send a window update if the peer needs one. */
void weir_window_freed(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes);
/* Scale that lets a window field express `limit` bytes (RFC 7323 2.3). */
uint8_t weir_window_scale(uint32_t limit);

/* ---- output.c: room 8 ---- */

/* Where output goes: a whole train, or one finished frame that the receiver of the call owns. */
struct weir_emit {
	void (*train)(void *user, uint8_t port, const struct weir_ack_template *train);
	void (*frame)(void *user, uint8_t port, struct rte_mbuf *frame);
	/* Duplicate ACKs, one for each of the edges: the `ack` of edges[0, n). */
	void (*copies)(void *user, uint8_t port, const struct weir_sack_image *image,
		       const struct weir_ack *edges, uint32_t n);
	void *user;
};

/* Send the gather: windows are filled in now, after the application was heard. The gather is empty
 * afterwards and has a new number. */
void weir_output_flush(struct weir_tcp *tcp, const struct weir_emit *emit);
/* route.c: the hop by which `key` is answered, when it is not the one that its frames come from. */
void weir_route_hop(const struct weir_tcp *tcp, uint8_t port, const struct weir_key *key,
		    struct weir_hop *hop);
/* The gateway of `port` has this link address from now on; what is open moves there, too. */
void weir_route_learn(struct weir_tcp *tcp, uint8_t port, const uint8_t mac[6]);

/* The link of a connection whose peer's frames come from `hop`. */
void weir_output_link(const struct weir_tcp *tcp, uint8_t port, uint32_t vlan,
		      const struct weir_hop *hop, struct weir_link *link);
/* The header of all packets of `key`, whose peer's frames come from `hop`. */
void weir_output_header(const struct weir_tcp *tcp, uint8_t port, const struct weir_key *key,
			const struct weir_hop *hop, bool has_ts, struct weir_header *header);
/* A packet without a flow: SYN-ACK, RST, ACK in TIME-WAIT. */
void weir_output_packet(struct weir_tcp *tcp, uint8_t port, const struct weir_key *key,
			const struct weir_hop *hop, bool has_ts, const struct weir_packet *packet);

/* The SYN-ACK `packet` for `syn`; of IPv4 by copy and patch. True when it went into the frame `asked`
 * (NULL: none), which is on its way out then; otherwise that stays the caller's. */
bool weir_output_syn_ack(struct weir_tcp *tcp, const struct weir_syn *syn,
			 const struct weir_packet *packet, struct rte_mbuf *asked);

/* ---- icmp_error.c ---- */

/* An ICMP error, as the parser found it on `port`: takes over its buffer. */
void weir_tcp_icmp(struct weir_tcp *tcp, uint8_t port, const struct weir_other *other);

/* ---- listen.c ---- */

/* A segment whose entry is not a flow: `entry` is SYN-RECEIVED, TIME-WAIT or WEIR_NONE. */
void weir_listen_input(struct weir_tcp *tcp, const struct weir_key *key, struct weir_seg *seg);
void weir_listen_timer(struct weir_tcp *tcp, uint32_t syn);
const struct weir_listener *weir_listen_find(const struct weir_tcp *tcp, uint16_t port);
/* Give the entry of a half-open connection back, without a word to the peer. */
void weir_listen_forget(struct weir_tcp *tcp, uint32_t syn);
/* RST in answer to a segment of no connection (RFC 9293 3.10.7.1), rate-limited. */
void weir_listen_reset(struct weir_tcp *tcp, const struct weir_key *key,
		       const struct weir_seg *seg);

/* ---- time_wait.c ---- */
void weir_time_wait_enter(struct weir_tcp *tcp, struct weir_flow *flow);
void weir_time_wait_remove(struct weir_tcp *tcp, uint32_t i);
/* The same, but its key names `entry` from now on. */
void weir_time_wait_replace(struct weir_tcp *tcp, uint32_t i, uint32_t entry);
/* True when the segment is a SYN that may open a new incarnation: go on as LISTEN; the entry stays until
 * it does. Otherwise the segment was handled. */
bool weir_time_wait_input(struct weir_tcp *tcp, uint32_t i, struct weir_seg *seg);

/* ---- state.c: the one door between states ---- */

/* A new flow, ESTABLISHED, in the table instead of what stood for its key. NULL: no room. */
struct weir_flow *weir_flow_open(struct weir_tcp *tcp, const struct weir_syn *syn);
/* The peer's FIN has been reached in order. */
void weir_flow_fin_received(struct weir_tcp *tcp, struct weir_flow *flow);
/* The peer acknowledged our FIN. */
void weir_flow_fin_acked(struct weir_tcp *tcp, struct weir_flow *flow);
/* The application closes: nobody reads any more. */
void weir_flow_close(struct weir_tcp *tcp, struct weir_flow *flow);
/* The application has nothing to send, but reads on: FIN. */
void weir_flow_shutdown(struct weir_tcp *tcp, struct weir_flow *flow);
/* The end: out of the table at once, CLOSED is reported, the flow is freed after the report. */
void weir_flow_end(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_close_reason reason);
/* The same when the key is out of the table, or names another entry, already. */
void weir_flow_finish(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_close_reason reason);
/* End with RST to the peer. */
void weir_flow_abort(struct weir_tcp *tcp, struct weir_flow *flow);
/* Give the flow of a reported end back. */
void weir_flow_free(struct weir_tcp *tcp, struct weir_flow *flow);
/* Account the time since the last transition and name what limits the flow from now on. */
void weir_flow_limited(struct weir_tcp *tcp, struct weir_flow *flow, enum weir_limit limit);
/* The same when the cause has ended: what limits from now on is another one that stands, or the
 * sender. */
void weir_flow_unlimited(struct weir_tcp *tcp, struct weir_flow *flow);

/* ---- timer.c: what a connection waits for ---- */

/* Fire of the flow's entry of the wheel: delayed ACK, FIN again, end of a wait, keepalive. */
void weir_flow_timer(struct weir_tcp *tcp, struct weir_flow *flow);
/* The flow's timer fires at the first of what it waits for now. */
void weir_timer_arm(struct weir_tcp *tcp, struct weir_flow *flow);
/* A FIN has been sent for the first time. */
void weir_timer_fin_sent(struct weir_tcp *tcp, struct weir_flow *flow);
/* FIN-WAIT-2 of a connection that the application closed begins. */
void weir_timer_fin_wait(struct weir_tcp *tcp, struct weir_flow *flow);
/* Our FIN is acknowledged. */
void weir_timer_fin_acked(struct weir_flow *flow);
/* Reset the connection after `ms` at the latest. */
void weir_timer_linger(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t ms);
/* The handshake is over; the SYN-ACK was sent again `retries` times. rtt_ms: UINT32_MAX when there
 * is no sample. RFC 6298 2 and 5.7, RFC 8961. */
void weir_timer_sample(struct weir_flow *flow, uint32_t rtt_ms, uint32_t retries);

/* ---- events ---- */

static inline struct weir_event *
weir_tcp_event(struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t type)
{
	struct weir_event *event = &tcp->events[tcp->n_events++];

	weir_slots_prefetch(tcp->slots, flow->conn); /* whoever hears of it will ask for more */
	event->conn = flow->conn;
	event->cookie = flow->cookie;
	event->type = type;
	event->flags = 0;
	event->bytes = 0;
	return event;
}

/* `bytes` more can be read: one DATA event per flow and poll. */
static inline void
weir_tcp_event_data(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes)
{
	if (flow->event_poll != tcp->poll_no || flow->poll_event == 0) {
		weir_tcp_event(tcp, flow, WEIR_EVENT_DATA);
		flow->event_poll = tcp->poll_no;
		flow->poll_event = tcp->n_events;
	}
	tcp->events[flow->poll_event - 1].bytes += bytes;
}

/* In-order data is about to be counted: end of an idle time, gap since the last. */
static inline void
weir_tcp_note_arrival(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	if (tcp->now_ms != flow->last_rx_ms)
		weir_tcp_note_gap(tcp, flow, seg);
}

/* `bytes` in order were appended to the unread list and counted in unread_bytes. */
static inline void
weir_tcp_delivered(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes)
{
	flow->delivered += bytes;
	tcp->stats.bytes += bytes;
	if (flow->unread_bytes + flow->leased_bytes == bytes) /* until now nothing waited */
		flow->read_ms = tcp->now_ms;
	weir_tcp_event_data(tcp, flow, bytes);
}

/* A fire for an entry of the wheel. */
void weir_tcp_timer(void *tcp, uint32_t entry);

#endif
