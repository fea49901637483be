/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state of one connection. flow/ owns the struct; tcp/ owns the meaning of TCP's fields. The
 * first two cache lines are what a segment of an established flow touches.
 */
#ifndef WEIR_FLOW_FLOW_H
#define WEIR_FLOW_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include "flow/held.h"
#include "wire/header.h"
#include "wire/key.h"

#define WEIR_NONE UINT32_MAX /* no flow, no queue, no node */

enum weir_tcp_state { /* RFC 9293 section 3.3.2; SYN-RECEIVED and TIME-WAIT have tables of their own */
	WEIR_TCP_CLOSED = 0,
	WEIR_TCP_ESTABLISHED,
	WEIR_TCP_FIN_WAIT_1,
	WEIR_TCP_FIN_WAIT_2,
	WEIR_TCP_CLOSE_WAIT,
	WEIR_TCP_CLOSING,
	WEIR_TCP_LAST_ACK,
	WEIR_TCP_STATE_COUNT
};

/* weir_flow.opts: what the handshake agreed on */
#define WEIR_FLOW_TS   0x01
#define WEIR_FLOW_SACK 0x02
#define WEIR_FLOW_WS   0x04
#define WEIR_FLOW_ECN  0x08 /* RFC 3168 */
#define WEIR_FLOW_IP6  0x10 /* not agreed on, but as lasting */
#define WEIR_FLOW_ACCECN 0x20 /* RFC 9768; never with WEIR_FLOW_ECN */
#define WEIR_FLOW_ACCECN_OPTION 0x40 /* with AccECN alone: ACKs carry its option, weir_tcp.accecn */
#define WEIR_FLOW_CHARGED 0x80 /* not agreed on: what it holds counts against its listener */

/* weir_flow.marks */
#define WEIR_FLOW_ECE         0x01 /* echo congestion until CWR (RFC 3168 6.1.3); AccECN: always */
#define WEIR_FLOW_LAST_CE     0x02 /* last segment carried CE; AccECN: never */
#define WEIR_FLOW_DELACK      0x04 /* an ACK is owed by delack_due_ms */
#define WEIR_FLOW_APP_CLOSED  0x08 /* the application closed: data is answered with RST */
#define WEIR_FLOW_FIN_QUEUED  0x10 /* peer's FIN is in order and was reported */
#define WEIR_FLOW_FIN_SENT    0x20
#define WEIR_FLOW_DEAD        0x40 /* released at the end of this poll */
#define WEIR_FLOW_ZERO_WINDOW 0x80 /* last ACK advertised less than one segment */

/* weir_flow.gives_up: what ends a connection, each at its time */
#define WEIR_GIVE_UP_USER   0x1 /* the FIN stays without an ACK: user timeout */
#define WEIR_GIVE_UP_LINGER 0x2 /* the application waits no longer */

/* Where a flow's time goes; changed only at transitions. */
enum weir_limit {
	WEIR_LIMIT_SENDER,
	WEIR_LIMIT_APPLICATION,
	WEIR_LIMIT_MEMORY,
	WEIR_LIMIT_ENGINE,
	WEIR_LIMIT_LOSS,
	WEIR_LIMIT_COUNT
};

struct weir_flow {
	/* line 0 */
	struct weir_key4 key; /* IPv6: the lower part, all of it is in weir_tcp.keys6 */
	uint32_t rcv_nxt;
	uint32_t rcv_adv;       /* highest right edge advertised: the one that is enforced */
	uint32_t rcv_base;      /* the same without what rounding to the scale added */
	uint32_t last_ack_sent; /* Last.ACK.sent of RFC 7323 4.3 */
	uint32_t ts_recent;
	uint32_t snd_una;
	uint32_t snd_nxt;
	uint32_t snd_wnd; /* scaled up, bytes */
	uint32_t snd_wl1;
	uint32_t snd_wl2;
	uint32_t max_snd_wnd; /* lower bound of acceptable ACKs: snd_una - this (RFC 5961 5.2) */
	uint8_t state;        /* enum weir_tcp_state */
	uint8_t opts;
	uint8_t marks;
	uint8_t rcv_wscale;
	/* line 1 */
	uint8_t snd_wscale;
	uint8_t sched_class; /* class of this flow's queue, enum weir_class */
	uint8_t quick_acks;  /* wire segments still to be acknowledged each at once */
	uint8_t ack_policy;  /* enum weir_ack_policy of the listener */
	uint16_t rcv_mss;    /* largest payload of a wire segment seen, for the 2 MSS rule */
	uint16_t ack_segs;   /* wire segments since the last ACK */
	uint32_t ack_bytes;  /* bytes since the last ACK */
	uint32_t queue;      /* receive queue, WEIR_NONE while nothing is queued */
	uint32_t sched_next; /* next flow in the same class list */
	uint32_t poll_event; /* index + 1 of this poll's DATA event; valid when event_poll is this poll */
	uint32_t event_poll;
	struct weir_held_list unread;
	uint32_t unread_bytes;
	uint32_t leased_bytes;
	uint32_t reass;     /* attached reassembly, WEIR_NONE */
	uint32_t limit;     /* receive buffer, bytes */
	uint32_t held_bufs; /* buffers held: unread, leased and out of order */
	uint32_t last_rx_ms;
	uint32_t gap_ns; /* smoothed gap between segments, for the adaptive flush */
	/* line 2: of each run, not of each segment */
	uint32_t id;           /* own index */
	uint32_t ce_end;       /* AccECN: end of the last marked data */
	uint64_t conn;         /* handle */
	uint64_t cookie;       /* user's */
	uint64_t delivered;    /* bytes handed up: next stream offset */
	uint32_t read_bytes;   /* what the application has read lately; 0: nothing yet */
	uint32_t read_ms;      /* age of read_bytes, counted while data waits for the application */
	uint32_t hold_segs;    /* segments that were queued when the hold was last looked at; 0: no hold */
	uint32_t gather_no;    /* gather that an ACK of this flow was last put into */
	uint32_t ts_offset;    /* TSval = now in ms + this */
	uint32_t ts_recent_ms; /* when ts_recent changed: 24-day rule */
	uint32_t heard_ms;     /* last segment of any kind */
	uint16_t listener;
	uint16_t rto_ms;       /* of the handshake's RTT sample, before back-off */
	/* line 3: not in the steady state */
	uint64_t hold_until_ns; /* receive queue is held for more segments until then */
	uint64_t last_arrival_ns; /* adaptive flush only */
	uint32_t hold_poll;    /* poll in which the hold began */
	uint32_t delack_due_ms;
	uint32_t rexmit_due_ms; /* FIN retransmission, or the end of FIN-WAIT-2, or keepalive */
	uint32_t oow_last_ms;   /* rate limits of answers outside the window: to empty segments */
	uint32_t oow_refill_ms; /* and to data: tokens were last added then */
	uint32_t iss;
	uint32_t irs;
	uint32_t user_due_ms; /* end of the user timeout, while it runs */
	uint32_t fin_seq;   /* sequence number of the peer's FIN, valid with fin_known */
	uint32_t limit_since_ms;
	uint32_t limited_ms[WEIR_LIMIT_COUNT];
	/* lines 4 and 5: with the template, of each run */
	uint8_t fin_known;
	uint8_t retries;   /* of the FIN, or keepalive probes without an answer */
	uint8_t gives_up : 2;
	uint8_t limit_now : 3; /* enum weir_limit */
	uint8_t max_sacks : 3; /* SACK blocks that an ACK has room for */
	uint8_t oow_tokens;
	uint8_t close_reason;
	uint8_t port;     /* index of the port its packets leave through */
	uint8_t ace;      /* AccECN: low bits of r.cep (RFC 9768 3.2) */
	uint8_t ce_empty; /* AccECN: marked packets without data since the last ACK of them */
	struct weir_header header;
	uint32_t linger_due_ms;
} __attribute__((aligned(64)));
#define WEIR_FLOW_STEADY 0x37 /* lines that a run of plain segments touches, its ACKs among it */
_Static_assert(offsetof(struct weir_flow, snd_wscale) == 64, "line 1");
_Static_assert(offsetof(struct weir_flow, id) == 128, "hot state is two lines");
_Static_assert(offsetof(struct weir_flow, hold_until_ns) == 192 &&
		       offsetof(struct weir_flow, fin_known) >= 256,
	       "line 3, which WEIR_FLOW_STEADY leaves out");
_Static_assert(sizeof(struct weir_flow) <= 384, "idle connection: 512 bytes everything included");

#endif
