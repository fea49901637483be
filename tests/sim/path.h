/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sender behind a path with a rate and a round trip time, and an application with manners of its
 * own, in virtual time: a model of what receive buffer tuning is for. The sender paces, doubles its
 * congestion window each round trip and loses nothing, so that only the receive window holds it up.
 */
#ifndef WEIR_TESTS_PATH_H
#define WEIR_TESTS_PATH_H

#include "tests/sim/world.h"

#define PATH_SEGS 16384
#define PATH_MSS  1448

enum path_reader {
	PATH_READS_ALL,  /* each tick */
	PATH_READS_SLOW, /* `read_rate` bytes a second */
	PATH_LEASES,     /* all, and gives them back after `lease_ns` */
};

struct path_seg {
	uint64_t due_ns;
	uint32_t seq, len, tsval, tsecr;
};

struct path_ack {
	uint64_t due_ns;
	uint32_t ack, edge, tsval;
};

struct path_lease {
	uint64_t due_ns, lease;
};

struct path {
	/* given */
	struct world *world;
	uint64_t rtt_ns, tick_ns;
	uint64_t rate; /* bytes a second */
	enum path_reader reader;
	uint64_t read_rate, lease_ns;
	/* state */
	struct remote remote;
	uint32_t cwnd, una, edge;
	uint64_t credit, read_credit;
	uint64_t read;      /* bytes, content checked */
	uint64_t edge_left; /* bytes that right edges moved left, rounding aside */
	struct path_seg segs[PATH_SEGS];
	uint32_t seg_head, seg_tail;
	struct path_ack acks[PATH_SEGS];
	uint32_t ack_head, ack_tail;
	struct path_lease leases[PATH_SEGS];
	uint32_t lease_head, lease_tail;
};

/* A connection to `to`, its handshake as long as the path; rtt_ns, rate and the reader are set. The
 * remote's options are its defaults unless `change`, which may be NULL, changes them. */
void path_open(struct path *path, struct world *world, uint16_t to,
	       void (*change)(struct remote *remote));
/* Let `ns` pass for all of `paths`, which are in one world, as long as they have the same tick. */
void path_run(struct path *const *paths, uint32_t n, uint64_t ns);
/* The receive buffer of the connection now, by weir_conn_info(). */
uint32_t path_buffer(const struct path *path);
/* Bytes that the path itself holds: rate times round trip. */
uint64_t path_product(const struct path *path);
/* Gives all leases back. */
void path_end(struct path *path);

#endif
