/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * weir: a poll-mode TCP receive stack.
 *
 * A stack owns engines, ports and listeners. One thread polls an engine; that thread alone may call
 * whatever is marked "engine thread". Functions return 0 or a count, or a negative errno. Nothing
 * here exits, prints, or reads a clock: time is an argument. Structs that grow start with their size;
 * the *_init functions fill in defaults. Times are nanoseconds, lengths u32, stream offsets u64.
 */
#ifndef WEIR_H
#define WEIR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_stack;
struct weir_engine;
struct weir_port;
struct weir_channel;
struct rte_mbuf;

/* Connection handle: {generation, slot}; 0 is never one. A stale handle gives -EBADF. */
typedef uint64_t weir_conn;

/* An address: IPv4 in mapped form (::ffff:a.b.c.d). family is 4 or 6. scope: of a link-local address of
 * IPv6, which port it belongs to, counted from 1 in the order of weir_stack_attach(); else 0. 20 bytes. */
struct weir_addr {
	uint16_t family;
	uint16_t scope;
	uint8_t bytes[16];
};

/* Parse and print addresses ("192.0.2.1", "2001:db8::1", "fe80::1%1"). -EINVAL. Any thread.
 * weir_addr_format writes at most `size` bytes, terminator included, and returns `to`. */
int weir_addr_parse(const char *text, struct weir_addr *addr);
char *weir_addr_format(const struct weir_addr *addr, char *to, size_t size);
#define WEIR_ADDR_TEXT 64

/* ---- configuration ---- */

enum weir_flush { /* how long an aggregate that could still grow is held */
	WEIR_FLUSH_NOW,      /* not at all: a poll delivers what it received */
	WEIR_FLUSH_POLLS,    /* flush_value polls (Oi & Nakajima: 2) */
	WEIR_FLUSH_US,       /* flush_value microseconds */
	WEIR_FLUSH_ADAPTIVE, /* up to 200 us, while the flow's gap says that more comes in time */
};

enum weir_ack_policy {
	WEIR_ACK_TRAIN,   /* as RFC 5681 on the segments of the wire, sent as trains */
	WEIR_ACK_STRETCH, /* one per aggregate */
	WEIR_ACK_DELAYED, /* aggregates counted as segments (Hatori & Oi), for reproduction */
};

enum weir_ecn { /* explicit congestion notification, where the peer asks for it */
	WEIR_ECN_OFF,
	WEIR_ECN_ON,       /* RFC 3168: marks are echoed until the peer has slowed down */
	WEIR_ECN_ACCURATE, /* also AccECN (RFC 9768), whose feedback counts the marks */
};

struct weir_config {
	uint32_t size;            /* sizeof(struct weir_config) */
	uint32_t flows;           /* connections at once, default 65536, at most 1048576 */
	uint32_t syn_entries;     /* SYN-RECEIVED, default 1024 */
	uint32_t time_wait_entries; /* default 16384 */
	uint32_t buffers;         /* packet buffers, default 16384 */
	uint32_t buffer_bytes;    /* data room of one, headroom included, default 2176 */
	uint32_t rx_queue_segs;   /* capacity of a flow's receive queue, default 64 */
	uint32_t aggregate_limit; /* wire descriptors per aggregate, 1 to 64, default 20 */
	uint32_t flush;           /* enum weir_flush */
	uint32_t flush_value;
	uint32_t budget_segs;     /* segments served per poll, default 256 */
	uint32_t quantum_segs;    /* segments served per flow and turn, default 64 */
	uint32_t burst;           /* packets taken from a port at once, default 64, at most 64; a poll takes one
				     burst, with 512 connections and more up to three that the budget allows */
	uint32_t time_wait_ms;    /* 0 to 2^30, default 60000 */
	uint32_t fin_wait_ms;     /* how long a closed connection waits for the peer's FIN, 1 to 2^30,
				     default 60000 */
	uint32_t orphans;         /* connections that are closed here and not yet by the peer; beyond it
				     closing resets. Default 8192 */
	uint32_t datagrams;       /* datagrams in fragments that wait at once for the rest of them, default
				     64, at most 4096; 0: fragments are dropped, as they are without EAL */
	uint32_t mld;             /* 1 (default): multicast groups of IPv6 are reported (RFC 3810) */
	uint32_t huge_tables;     /* 1: what is kept of connections lies in transparent huge pages where the
				     kernel has them: faster with very many, and 2 MiB are zeroed at a
				     time as connections come. Default 0 */
	uint32_t record_frames;   /* frames whose headers are kept for weir_engine_record, default 0 */
	int32_t numa_node;        /* -1: any */
	uint32_t heap;            /* 1: buffers from the heap, no EAL needed; 0: a DPDK mempool */
	uint64_t seed;            /* every secret and every random choice comes from it */
	uint64_t now_ns;          /* time of creation */
};

void weir_config_init(struct weir_config *config);

/*
 * Make a stack with one engine. -EINVAL (a value out of range), -ENOMEM. With heap == 0 rte_eal_init
 * must have been called by the program. The stack is the caller's until weir_stack_destroy, which
 * stops its ports (they stay the caller's), closes nothing politely and returns the number of
 * buffers that were not given back, 0 when all is well.
 */
int weir_stack_create(const struct weir_config *config, struct weir_stack **stack);
int weir_stack_destroy(struct weir_stack *stack);

/* Back to the state after creation, ports and listeners kept, with a new seed and time; for tests
 * that run thousands of cases. Leases become invalid. Engine thread. */
int weir_stack_reset(struct weir_stack *stack, uint64_t seed, uint64_t now_ns);

struct weir_engine *weir_stack_engine(struct weir_stack *stack, uint32_t index);

/* ---- ports ---- */

/* A started or startable DPDK device by name ("0000:00:05.0", "net_af_packet0"); one rx and one tx
 * queue. -ENODEV when there is none of that name, -ENOTSUP for net_af_xdp without hugepages, where it
 * receives nothing; errors of the driver. */
int weir_port_open_ethdev(const char *name, struct weir_port **port);

/* Two ends joined in memory, `capacity` frames each way (a power of two), one thread per end. */
int weir_port_open_pair(uint32_t capacity, struct weir_port *ends[2]);

/* The caller's own functions. `bufs` are whole frames, next NULL where nb_segs is 1, as DPDK has it;
 * rx hands them over, tx takes over the first n of them and returns n. The struct is copied. */
struct weir_port_functions {
	uint32_t size;
	uint16_t (*rx_burst)(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns);
	uint16_t (*tx_burst)(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns);
	void *user;
	uint8_t mac[6];
	uint8_t l3; /* 1: frames are bare IP packets */
};
int weir_port_open_custom(const struct weir_port_functions *functions, struct weir_port **port);

/*
 * Wrap `inner`: what arrives is lost, doubled, reordered, corrupted, truncated or delayed at random
 * but repeatably. spec: "seed=1,loss=1%,dup=1%,reorder=2%,corrupt=0.1%,truncate=0%,delay=200us",
 * "ce=1%" marks ECN-capable packets, "both=1" treats what is sent, too. On -EINVAL `error` (may be NULL) names the word. Closing
 * the wrapper closes `inner`.
 */
int weir_port_open_impair(struct weir_port *inner, const char *spec, struct weir_port **port,
			  const char **error);

/* The port must not be attached to a stack any more. */
void weir_port_close(struct weir_port *port);

struct weir_port_config {
	uint32_t size;
	uint32_t prefix_len;
	struct weir_addr address; /* of either family */
	/* Of IPv4, another host in the network of `address`, which is of IPv4 then; family 0: none. */
	struct weir_addr gateway;
};

/* Attach and start. Replies go back the way the SYN came (its source MAC and tags). With a gateway
 * those without tags to peers of IPv4 outside of the network go through it, as soon as it has answered
 * ARP: it is asked every 30 s, and connections follow when its link address changes.
 * -EINVAL, also for an address that no host of the network can have (of a group, broadcast, loopback but
 * on a port of bare IP packets, in net 0, the network's first or last one, of IPv6 its first one);
 * prefix_len 0: of no network that is known. -ENOSPC (too many ports), -EMSGSIZE (buffers too small for
 * the port), errors of the driver. */
int weir_stack_attach(struct weir_stack *stack, struct weir_port *port,
		      const struct weir_port_config *config);

/* One more address for a port that is attached: one of IPv4 where it has none, up to 8 of IPv6. Its
 * listeners hear on all of them. -EINVAL (no address of a host), -EEXIST, -ENOSPC. Engine thread. */
int weir_stack_add_address(struct weir_stack *stack, const struct weir_port *port,
			   const struct weir_addr *address);

/* ---- listeners ---- */

#define WEIR_LISTEN_BUFFERS_MIN 64 /* packet buffers that a limit of memory must hold */

struct weir_listen_config {
	uint32_t size;
	uint16_t port;
	uint16_t ack_policy;     /* enum weir_ack_policy */
	uint32_t receive_buffer; /* bytes per connection, 4096 to 1 GiB; 0 (default): tuned, from
				    receive_buffer_min up to receive_buffer_max. Fixes the window scale */
	uint64_t cookie;         /* in every event of its connections until weir_conn_set_cookie */
	uint32_t backlog;        /* half-open connections, 1 to 1048576, default 1024; the listeners
				    share config.syn_entries */
	/* Off by default, as RFC 9293 3.8.4 wants. After keepalive_ms without a segment a connection
	 * that is not closed is probed, every keepalive_interval_ms; that many keepalive_probes without
	 * an answer end it (WEIR_CLOSE_TIMEOUT). */
	uint32_t keepalive_ms;          /* 0 (default): off; at most 2^30 */
	uint32_t keepalive_interval_ms; /* 1 to 2^30, default 75000 */
	uint32_t keepalive_probes;      /* 1 to 15, default 9 */
	uint32_t user_timeout_ms; /* how long a FIN or probes may stay without an answer (RFC 9293
				     3.8.3); 0 (default): 7 retransmissions, keepalive_probes */
	uint32_t syn_cookies;    /* 1 (default): beyond the backlog a SYN is answered by a cookie
				    (RFC 4987); 0: it is dropped */
	uint32_t ecn;            /* enum weir_ecn, default WEIR_ECN_ON */
	/* Limits, 0 (default): none but the stack's. At one of them a new connection is refused without an
	 * answer, so that its peer tries again: the SYN is dropped, and the end of a handshake that began
	 * before. Connections count from the end of their handshake until CLOSED is due. */
	uint32_t connections;  /* at once, at most 1048576 */
	uint64_t memory_bytes; /* that its connections hold together, as whole packet buffers of
				  config.buffer_bytes, at least 64 of them. Towards it windows stop growing,
				  small segments are copied together, out-of-order data is given back, new
				  connections are refused, in this order; what was acknowledged stays. Leases
				  count until their connection has ended */
	uint32_t connections_per_address; /* of one remote address at once, at most 1048576. Of IPv6 a /64
					     is one address, but of link-local ones each */
	/*
	 * With receive_buffer 0: a connection begins with receive_buffer_min and gets, while memory is
	 * there, twice what its application gives back in a round trip, up to receive_buffer_max, for
	 * which the window scale is chosen (with a minimum of 16 of its units). 4096 <= min <= max <=
	 * 1 GiB, default 64 KiB and 4 MiB.
	 */
	uint32_t receive_buffer_min;
	uint32_t receive_buffer_max;
};
void weir_listen_config_init(struct weir_listen_config *config);

/* -EADDRINUSE: the port has a listener; -EINVAL; -ENOSPC; -ENOMEM. Engine thread. */
int weir_listen(struct weir_stack *stack, const struct weir_listen_config *config);

struct weir_listen_info {
	uint32_t size;
	uint32_t half_open;    /* now, but for those that a cookie stands for */
	uint32_t connections;  /* now */
	uint64_t memory_bytes; /* held by them, where config.memory_bytes limits it; else 0 */
};
/* What the listener on `port` has. -ENOENT, -EINVAL. Engine thread. */
int weir_listen_info(struct weir_stack *stack, uint16_t port, struct weir_listen_info *info);

/* ---- events ---- */

enum weir_event_type {
	WEIR_EVENT_ACCEPTED = 1, /* a connection was established; the handle is new */
	WEIR_EVENT_DATA,         /* `bytes` more can be read */
	WEIR_EVENT_FIN,          /* the peer sends no more; what is unread can still be read */
	WEIR_EVENT_CLOSED,       /* last event; the handle ends when the handler returns. Within one poll
				    ACCEPTED of the next connection from the same ports may come before */
};

enum weir_close_reason { /* flags of WEIR_EVENT_CLOSED */
	WEIR_CLOSE_DONE,     /* both sides closed */
	WEIR_CLOSE_RESET,    /* the peer reset */
	WEIR_CLOSE_ABORTED,  /* weir_conn_abort, or unread data at weir_conn_close */
	WEIR_CLOSE_TIMEOUT,  /* the peer did not answer */
};

struct weir_event {
	weir_conn conn;
	uint64_t cookie;
	uint32_t type;  /* enum weir_event_type */
	uint32_t flags;
	uint64_t bytes; /* DATA: newly readable; FIN, CLOSED: total of the stream */
};

/*
 * Called once per poll that has events, on the engine thread, with all of them in order. Whatever
 * the handler releases opens the window of the ACKs that this same poll sends. It may call any
 * engine-thread function but weir_engine_poll, weir_stack_reset and weir_stack_destroy.
 */
typedef void (*weir_event_handler)(void *user, struct weir_stack *stack,
				   const struct weir_event *events, uint32_t n);
void weir_stack_set_handler(struct weir_stack *stack, weir_event_handler handler, void *user);

/* ---- running ---- */

/* One turn through all rooms at time now_ns, which never goes back. Returns the packets received
 * plus segments served, 0 when idle. Engine thread. */
uint32_t weir_engine_poll(struct weir_engine *engine, uint64_t now_ns);

/* When the engine next needs a poll if no packet comes: UINT64_MAX when it never does. */
uint64_t weir_engine_deadline(const struct weir_engine *engine);

/* ---- connections: engine thread ---- */

struct weir_span {
	const uint8_t *data;
	uint64_t lease;
	uint32_t len;
	uint32_t last; /* 1: the last span of its lease; release once per lease */
};

/*
 * Hand out up to `most` spans of unread data in stream order without copying. A lease covers one or
 * several consecutive spans, of at most 32 packets; its bytes stay valid, and count against the
 * window, until it is released as a whole, also after close. Who wants to keep little asks for
 * little: with `most` 1 a lease is one packet. A packet whose spans do not all fit is left for the
 * next call. Returns the number of spans, 0 when nothing is unread. -EBADF; -ENOSPC when the spans of
 * the first packet are more than `most` (16 are enough for frames of one port burst without LRO).
 */
int weir_conn_lease(struct weir_stack *stack, weir_conn conn, struct weir_span *spans,
		    uint32_t most);
/* -EINVAL for a lease that is not out; the others are released all the same. */
int weir_lease_release(struct weir_stack *stack, const uint64_t *leases, uint32_t n);

/* Copy up to `len` unread bytes and release them. Returns the count, 0 when nothing is unread. */
int weir_conn_read(struct weir_stack *stack, weir_conn conn, void *to, uint32_t len);

/* Drop up to `len` unread bytes without looking at them, as a discard service does. */
int weir_conn_discard(struct weir_stack *stack, weir_conn conn, uint32_t len);

/* Send FIN; unread data makes it an RST (RFC 2525 2.17). The handle lives until CLOSED. */
int weir_conn_close(struct weir_stack *stack, weir_conn conn);
/* Close, and wait at most linger_ms (below 2^31) for the peer to close, too: then RST
 * (WEIR_CLOSE_TIMEOUT). */
int weir_conn_linger(struct weir_stack *stack, weir_conn conn, uint32_t linger_ms);
/* Send FIN but go on reading (RFC 9293 3.6, half-close); weir_conn_close is still to come, CLOSED
 * follows only that. */
int weir_conn_shutdown(struct weir_stack *stack, weir_conn conn);
/* Send RST; CLOSED follows in this or the next poll. */
int weir_conn_abort(struct weir_stack *stack, weir_conn conn);
int weir_conn_set_cookie(struct weir_stack *stack, weir_conn conn, uint64_t cookie);

struct weir_conn_info {
	uint32_t size;
	uint16_t local_port;
	uint16_t remote_port;
	struct weir_addr local;
	struct weir_addr remote;
	uint64_t bytes;        /* handed up so far */
	uint32_t unread_bytes;
	uint32_t leased_bytes;
	uint32_t out_of_order_bytes;
	uint32_t receive_window; /* advertised right edge - rcv_nxt */
	uint32_t state;        /* RFC 9293 order: 0 closed, 1 established, 2 fin-wait-1, 3 fin-wait-2,
				  4 close-wait, 5 closing, 6 last-ack */
	uint32_t limited_ms[5]; /* by sender, application, memory, engine, loss */
	uint32_t receive_buffer; /* bytes, as it is tuned now */
};
int weir_conn_info(struct weir_stack *stack, weir_conn conn, struct weir_conn_info *info);

/* ---- other threads ---- */

/*
 * A channel carries the calls of one other thread to the engine; single producer. `capacity` is a
 * power of two. Open and close on the engine thread (or while nothing is polled).
 */
int weir_channel_open(struct weir_engine *engine, uint32_t capacity, struct weir_channel **channel);
void weir_channel_close(struct weir_channel *channel);
/* The channel's thread. Return how many were taken, fewer when the channel is full: try again. */
uint32_t weir_channel_release(struct weir_channel *channel, const uint64_t *leases, uint32_t n);
/* 0 or -EAGAIN when full. */
int weir_channel_close_conn(struct weir_channel *channel, weir_conn conn);
int weir_channel_abort_conn(struct weir_channel *channel, weir_conn conn);
int weir_channel_shutdown_conn(struct weir_channel *channel, weir_conn conn);
/* Also -EINVAL as weir_conn_linger(). */
int weir_channel_linger_conn(struct weir_channel *channel, weir_conn conn, uint32_t linger_ms);

/* ---- statistics: engine thread ---- */

#define WEIR_STATS_DROPS   64
#define WEIR_STATS_REASONS 32
#define WEIR_STATS_SIZES   65
#define WEIR_STATS_PORTS   8

struct weir_port_stats {
	char name[64];
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_missed;      /* lost by the device, as far as it says */
	uint64_t rx_no_buffer;
	uint64_t csum_good;      /* claims by the port, and what observation found */
	uint64_t csum_bad;
	uint64_t csum_none;
	uint64_t csum_unknown;
	uint64_t csum_verified;
	uint64_t csum_contradictions;
	uint64_t impaired;       /* frames touched by the impairment wrapper */
	uint32_t csum_software;  /* 1: the port's claims are not believed any more */
	uint32_t frame_max;      /* longest frame received, bytes */
};

struct weir_stats {
	uint32_t size;
	uint32_t n_ports;
	uint32_t n_drops;   /* names: weir_stats_drop_name */
	uint32_t n_reasons; /* names: weir_stats_reason_name */
	/* engine */
	uint64_t polls;
	uint64_t busy_polls;
	uint64_t segs;            /* data and control segments of TCP that reached a queue */
	uint64_t data_segs;       /* wire segments with payload taken by TCP */
	uint64_t bytes;           /* payload handed up in order */
	uint64_t slow_segs;       /* segments that took the slow path */
	uint64_t acks_train;      /* ACKs sent in trains */
	uint64_t trains;
	uint64_t acks_single;     /* ACKs built one by one */
	uint64_t dup_acks;        /* of them for data out of order */
	uint64_t window_updates;
	uint64_t window_rounded_down;
	uint64_t ts_missing;      /* PITFALLS 19: timestamp absent though negotiated, accepted */
	uint64_t options_malformed;
	uint64_t answers_limited; /* answers withheld by a rate limit */
	uint64_t events;
	uint64_t arp_replies;
	uint64_t arp_requests;    /* for the link address of a gateway */
	uint64_t gateway_changes; /* times it was learnt or was another */
	uint64_t icmp_replies;
	uint64_t nd_replies;       /* neighbour advertisements */
	uint64_t mld_queries;     /* by multicast routers, that are answered */
	uint64_t mld_reports;     /* sent */
	uint64_t icmp_errors_sent; /* parameter problem of ICMPv6, and that fragments waited for too long */
	uint64_t icmp_errors_limited; /* not sent: there were too many */
	uint64_t icmp_errors;     /* that concern a connection; none ends one that is established */
	uint64_t icmp_aborted;    /* half-open connections that one ended */
	uint64_t path_mtu_lowered; /* times one left room for fewer SACK blocks in the ACKs */
	uint64_t budget_exhausted; /* polls that ended with segments still queued */
	uint64_t fragments;       /* of IP, that may be put together */
	uint64_t reassembled;     /* packets that came of them */
	uint64_t fragments_held;  /* now, until the rest of their packets comes */
	/* aggregates */
	uint64_t aggregates;
	uint64_t aggregated_segs;
	uint64_t aggregate_sizes[WEIR_STATS_SIZES];     /* [n]: aggregates of n segments */
	uint64_t aggregate_reasons[WEIR_STATS_REASONS]; /* what closed them */
	/* drops */
	uint64_t drops[WEIR_STATS_DROPS];
	/* connections */
	uint64_t accepted;
	uint64_t established;    /* now */
	uint64_t syn_received;   /* now */
	uint64_t time_wait;      /* now */
	uint64_t closed;
	uint64_t resets_received;
	uint64_t resets_sent;
	uint64_t syn_acks;         /* sent, those below included */
	uint64_t syn_acks_again;   /* of them for a SYN that came again or an ACK that did not come */
	uint64_t syn_expired;      /* half-open connections given up */
	uint64_t cookies_sent;     /* SYN-ACKs that were cookies */
	uint64_t cookies_accepted; /* connections made of them */
	uint64_t cookies_refused;  /* ACKs to a listener that answered none, while cookies were out */
	uint64_t orphans;        /* now: closed here, not yet by the peer */
	uint64_t orphans_reset;  /* reset at close, since there were too many of them */
	uint64_t time_wait_skipped; /* closed without TIME-WAIT: no entry was left */
	uint64_t timeouts;       /* ended because the peer did not answer */
	uint64_t fins_again;     /* FINs retransmitted */
	uint64_t keepalives;     /* keepalive probes sent */
	uint64_t max_gap_ms;     /* longest time between two deliveries of one connection */
	uint64_t max_late_ms;    /* most that data was on its way longer than what came before it, by the
				    sender's timestamps taken as milliseconds */
	uint64_t limited_ms[5];  /* closed connections: by sender, application, memory, engine, loss */
	/* memory */
	uint64_t buffers;        /* in the pool */
	uint64_t buffers_free;   /* of them free now */
	uint64_t buffers_held;   /* unread, leased, out of order or queued */
	uint64_t bytes_unread;
	uint64_t bytes_leased;
	uint64_t bytes_out_of_order;
	uint64_t leases;         /* out now */
	uint64_t pressure;       /* 0 none, 1 edges stand, 2 collapse, 3 prune, 4 refuse connections */
	uint64_t edges_held;     /* ACKs whose window did not grow because memory is short */
	uint64_t collapsed;      /* segments copied together */
	uint64_t pruned;         /* buffers of out-of-order data given back */
	uint64_t refused;        /* new connections, for memory (of drop syn_refused) */
	uint64_t receive_buffers_raised;  /* times that tuning gave a connection more */
	uint64_t receive_buffers_lowered; /* or less */
	uint64_t receive_buffers_refused; /* round trips in which memory kept it from giving what was needed */
	uint64_t receive_buffer_max_bytes; /* the largest that it gave so far */
	uint64_t state_bytes_per_idle; /* state of one idle connection, everything included */
	/* balance of packets: received = delivered + consumed + dropped + queued */
	uint64_t packets_received;
	uint64_t packets_delivered; /* payload taken into a stream, now or later out of reassembly */
	uint64_t packets_consumed;  /* control: handled, nothing held */
	uint64_t packets_dropped;
	uint64_t packets_queued;    /* in receive queues, or fragments that wait, now */
	struct weir_port_stats ports[WEIR_STATS_PORTS];
};
void weir_stack_stats(struct weir_stack *stack, struct weir_stats *stats);
const char *weir_stats_drop_name(uint32_t i);
const char *weir_stats_drop_text(uint32_t i);
const char *weir_stats_reason_name(uint32_t i);

/*
 * Write the headers of the last record_frames frames, received and sent, to `path` as pcapng.
 * Blocks on the file: call it on the engine thread only when the poll may stall, or while nothing
 * is polled. -ENOTSUP when config.record_frames is 0; errors of the file.
 */
int weir_engine_record(struct weir_engine *engine, const char *path);

const char *weir_version(void);

#ifdef __cplusplus
}
#endif

#endif
