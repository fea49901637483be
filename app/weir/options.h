/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of weir: parsed before EAL starts, so that a wrong option never starts it. */
#ifndef APP_WEIR_OPTIONS_H
#define APP_WEIR_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir.h"

#define OPTIONS_PORTS	  WEIR_STATS_PORTS
#define OPTIONS_LISTENERS 64
#define OPTIONS_ERROR	  512

enum sink_kind {
	SINK_DISCARD,
	SINK_FILE,
};

struct listen_option {
	uint16_t port;
	enum sink_kind kind;
	const char *dir; /* SINK_FILE */
};

struct ip_option {
	const char *text;
	struct weir_addr address;
	uint32_t prefix_len;
};

struct options {
	const char *ports[OPTIONS_PORTS]; /* none: every ethdev */
	uint32_t n_ports;
	struct ip_option ips[OPTIONS_PORTS];
	uint32_t n_ips;
	struct weir_addr gateway; /* family 0: none */
	const char *gateway_text;
	struct listen_option listeners[OPTIONS_LISTENERS];
	uint32_t n_listeners;
	uint32_t aggregate_limit;
	uint32_t flush; /* enum weir_flush */
	uint32_t flush_value;
	uint32_t ack_policy; /* enum weir_ack_policy */
	uint32_t rx_queue_segs;
	uint32_t receive_buffer;
	uint32_t budget_segs;
	const char *impair; /* NULL: none */
	uint32_t seconds;   /* 0: until a signal */
	uint32_t stats_seconds;
	bool json;
	const char *record; /* NULL: none */
	uint32_t flows;
	uint32_t buffers;
	bool seed_given;
	uint64_t seed;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_BAD, /* error (OPTIONS_ERROR bytes): one line, the thing and the mend */
};

/*
 * Parse argv[0..argc), which holds options only (no program name). Strings stay in argv. No
 * file, device or clock is looked at.
 */
enum options_result options_parse(struct options *options, int argc, char **argv, char *error);

/* Where argv's own options begin: one past "--", or argc when there is none. */
int options_start(int argc, char **argv);

/* Does `argv` ask for help or the version before any "--"? */
enum options_result options_early(int argc, char **argv);

/* The text of --help. */
extern const char options_help[];

/* Does `address` lie in the network of `ip`? */
bool options_in_network(const struct ip_option *ip, const struct weir_addr *address);

#endif
