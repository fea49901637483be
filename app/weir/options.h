/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of weir: parsed before EAL starts, so that a wrong option never starts it. */
#ifndef APP_WEIR_OPTIONS_H
#define APP_WEIR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/cli/parse.h"
#include "app/cli/value.h"
#include "weir.h"

#define OPTIONS_PORTS	  WEIR_STATS_PORTS
#define OPTIONS_LISTENERS 64

enum sink_kind {
	SINK_DISCARD,
	SINK_FILE,
	SINK_VERIFY,
};

struct listen_option {
	uint16_t port;
	enum sink_kind kind;
	const char *dir; /* SINK_FILE */
};

/* Of a connection, bytes: tuned between both; fixed when they are the same. */
struct receive_buffer_option {
	uint32_t least;
	uint32_t most;
};

struct options {
	const char *ports[OPTIONS_PORTS]; /* none: every ethdev */
	uint32_t n_ports;
	struct ip_option ips[OPTIONS_PORTS]; /* of IPv4: one for each port, or one for all */
	uint32_t n_ips;
	struct ip_option ips6[OPTIONS_PORTS]; /* of IPv6: the same, or several for a single port */
	uint32_t n_ips6;
	struct weir_addr gateway; /* family 0: none */
	const char *gateway_text;
	struct listen_option listeners[OPTIONS_LISTENERS];
	uint32_t n_listeners;
	uint32_t aggregate_limit;
	uint32_t flush; /* enum weir_flush */
	uint32_t flush_value;
	uint32_t ack_policy; /* enum weir_ack_policy */
	uint32_t ecn;        /* enum weir_ecn */
	uint32_t rx_queue_segs;
	struct receive_buffer_option receive_buffer;
	uint32_t budget_segs;
	uint32_t datagrams;
	bool mld;
	bool huge_tables;
	const char *impair; /* NULL: none */
	const char *record; /* NULL: none */
	uint32_t flows;
	uint32_t backlog;
	bool syn_cookies;
	uint32_t orphans;
	uint32_t time_waits;
	uint32_t listen_connections; /* 0: no limit, as of those that follow */
	uint32_t listen_per_address;
	uint64_t listen_memory; /* bytes */
	uint32_t keepalive_seconds; /* 0: off */
	uint32_t keepalive_interval_seconds;
	uint32_t keepalive_probes;
	uint32_t user_timeout_seconds; /* 0: none */
	struct tool_options tool;
};

/*
 * Parse argv[0..argc), which holds options only (no program name). Strings stay in argv. No
 * file, device or clock is looked at.
 */
enum options_result options_parse(struct options *options, int argc, char **argv, char *error);

/* Are there as many addresses of each family as `n_ports` ports can have? */
bool options_ips_fit(const struct options *options, uint32_t n_ports);

/* The text of --help. */
extern const char options_help[];

#endif
