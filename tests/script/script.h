/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario script: what a remote sends, what the application does, and exactly what must come of
 * it, in virtual time. tests/scripts/README.md describes the form.
 */
#ifndef WEIR_TESTS_SCRIPT_H
#define WEIR_TESTS_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#define SCRIPT_TEXT    240 /* longest line, and longest message */
#define SCRIPT_REMOTES 16
#define SCRIPT_OPTIONS 40
#define SCRIPT_HOSTS   16

enum script_kind {
	/* settings and stimuli */
	SCRIPT_STACK,
	SCRIPT_LISTEN,
	SCRIPT_REMOTE,
	SCRIPT_WITH,
	SCRIPT_ON,
	SCRIPT_AFTER,
	SCRIPT_INJECT,
	SCRIPT_CALL,
	/* expectations */
	SCRIPT_EXPECT,
	SCRIPT_EVENT,
	SCRIPT_DROP,
	SCRIPT_COUNT,
	SCRIPT_LEVEL,
	SCRIPT_STATE,
};

/* Absolute, or relative to the highest right edge that was advertised. */
struct script_number {
	int64_t value;
	bool edge;
};

/* script_packet.given, and .absent for the options */
#define SCRIPT_GIVEN_ACK     0x0001
#define SCRIPT_GIVEN_WIN     0x0002
#define SCRIPT_GIVEN_EDGE    0x0004
#define SCRIPT_GIVEN_OPTIONS 0x0008
#define SCRIPT_GIVEN_MSS     0x0010
#define SCRIPT_GIVEN_SACKOK  0x0020
#define SCRIPT_GIVEN_WS      0x0040
#define SCRIPT_GIVEN_TSVAL   0x0080
#define SCRIPT_GIVEN_TSECR   0x0100
#define SCRIPT_GIVEN_TS      0x0200
#define SCRIPT_GIVEN_ANY     0x0400 /* this and all others of the poll, whatever they are */
#define SCRIPT_GIVEN_ACCECN  0x0800

struct script_packet {
	uint16_t flags;
	uint8_t ecn; /* of the IP header */
	uint32_t given;
	uint32_t absent;
	struct script_number seq, end, ack, edge; /* payload [seq, end) */
	uint16_t win;
	uint16_t urgent;
	uint32_t times;
	bool bad_checksum, other_bytes;
	/* options as injected */
	uint8_t options[SCRIPT_OPTIONS];
	uint8_t options_len;
	/* options as expected */
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval, tsecr;
	uint32_t n_sacks;
	uint32_t sacks[4][2];
	uint32_t accecn[4]; /* kind, and the counters that are there */
	uint32_t n_accecn;
};

struct script_stack {
	uint32_t buffers, flows, syns, time_waits, time_wait_ms;
	uint32_t orphans;
	uint32_t limit; /* 0: the script holds at every aggregation limit */
};

struct script_listen {
	uint16_t port;
	uint16_t ack_policy;
	uint32_t ecn; /* enum weir_ecn */
	uint32_t buffer, buffer_max; /* the same: fixed */
	uint32_t backlog;
	bool no_cookies;
	uint32_t keepalive_ms, interval_ms, probes, user_timeout_ms; /* 0: as in weir.h */
	uint32_t connections, memory, per_address; /* 0: no limit; memory in buffers */
};

struct script_remote {
	char name[16];
	uint16_t port, to;
	uint8_t host; /* its address: each host has one of IPv4, and a /64 of IPv6 */
	bool ts, sack;
	uint32_t ecn; /* enum weir_ecn: what its SYN asks for */
	int wscale; /* -1: none */
	uint16_t mss;
	uint32_t iss;
	uint32_t clock; /* its TSval at the start of the script */
};

enum script_call {
	SCRIPT_READ,
	SCRIPT_DISCARD,
	SCRIPT_LEASE,
	SCRIPT_RELEASE,
	SCRIPT_CLOSE,
	SCRIPT_SHUTDOWN,
	SCRIPT_LINGER,
	SCRIPT_ABORT,
	SCRIPT_NOTHING,
};

enum script_level { SCRIPT_UNREAD, SCRIPT_LEASED, SCRIPT_HELD, SCRIPT_WINDOW, SCRIPT_BUFFER };

struct script_line {
	uint32_t number;
	enum script_kind kind;
	char text[SCRIPT_TEXT];
	union {
		struct script_stack stack;
		struct script_listen listen;
		struct script_remote remote;
		uint32_t with; /* index of the remote */
		struct {
			uint32_t event; /* enum weir_event_type */
			enum script_call call;
		} on;
		uint64_t after_ns;
		struct script_packet packet; /* INJECT, EXPECT */
		struct {
			enum script_call call;
			uint32_t bytes; /* UINT32_MAX: all */
		} call;
		struct {
			uint32_t type; /* enum weir_event_type */
			uint64_t bytes; /* DATA */
			uint32_t reason; /* CLOSED */
		} event;
		struct {
			int reason; /* enum weir_drop, -1: any */
			uint32_t n;
		} drop;
		struct {
			uint32_t offset; /* into struct weir_stats */
			uint64_t n;
		} count;
		struct {
			enum script_level level;
			uint64_t n;
		} level;
		uint32_t state; /* index of script_state_names */
	};
};

struct script {
	struct script_line *lines;
	uint32_t n_lines;
	uint32_t limit; /* as in script_stack */
};

struct script_error {
	uint32_t line;
	char text[SCRIPT_TEXT];
};

/* Ends with NULL; the first eight are those of weir_conn_info, the others have no flow. */
extern const char *const script_state_names[];
#define SCRIPT_STATE_SYN_RECEIVED 7
#define SCRIPT_STATE_TIME_WAIT    8

extern const struct script_stack script_default_stack;
extern const struct script_listen script_default_listen;

extern const char *const script_event_names[]; /* by enum weir_event_type */
extern const char *const script_reason_names[]; /* by enum weir_close_reason */

/* NULL with `error` filled in when a line is bad. The caller frees the script. */
struct script *script_parse(const char *text, struct script_error *error);
void script_free(struct script *script);

/* packet.c: the part behind the direction sign; false with a message in `why` (SCRIPT_TEXT). */
bool script_packet_parse(char *text, bool expected, struct script_packet *packet, char *why);
bool script_number_parse(const char *word, struct script_number *number);
/* Flags as they are written, "S." for SYN and ACK. */
void script_flags_write(uint16_t flags, char to[10]);

#endif
