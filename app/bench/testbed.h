/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One stack, one stream and the ring between them. The stream is filled in by portions, which is
 * never timed; what drains the ring, the engine or a floor, is. Time is counted by polls, so that a
 * run is the same each time.
 */
#ifndef APP_BENCH_TESTBED_H
#define APP_BENCH_TESTBED_H

#include <stdbool.h>
#include <stdint.h>

#include "crew.h"
#include "sink.h"
#include "stream.h"
#include "weir.h"

#define TESTBED_PORTION 1024 /* segments */

enum testbed_set {
	TESTBED_NEAR,	/* the stream is written by the engine's own core */
	TESTBED_CROSS,	/* by another one, in lockstep */
	TESTBED_MEMORY, /* by the engine's own, header lines flushed */
	TESTBED_SETS
};
extern const char *const testbed_set_names[TESTBED_SETS];

struct testbed_config {
	enum testbed_set set;
	enum sink_kind sink;
	bool cold; /* connections do not pass their first ACKs before */
	struct stream_config stream;
	struct weir_config stack;
	struct weir_listen_config listen;
};

struct testbed {
	struct testbed_config config;
	struct weir_stack *stack;
	struct weir_engine *engine;
	struct weir_port *near_end; /* the engine's */
	struct weir_port *far_end;  /* the stream's */
	struct stream stream;
	struct sink sink;
	struct crew *crew; /* where the stream runs; NULL: here */
	/* The poll that is measured; the profile puts its own here. */
	uint32_t (*poll)(struct weir_engine *engine, uint64_t now_ns);
	uint64_t now_ns;
	uint32_t portion;     /* segments that the stream is asked for */
	uint32_t filled;      /* and that it put into the ring */
	uint64_t fill_cycles; /* what all portions and their answers cost the stream's core */
	uint64_t fill_segs;
};

/* 1448 bytes, timestamps, checksums good, train, defaults of the library; `flows` and `run` given.
 */
void testbed_config_init(struct testbed_config *config, uint32_t flows, uint32_t run);

/*
 * Opens all connections, lets them pass their first ACKs, and checks the payload of one portion.
 * `crew` runs the stream in the set cross. NULL, or why not: then all is closed.
 */
const char *testbed_open(struct testbed *bed, const struct testbed_config *config,
			 struct crew *crew);
/* The same in steps: everything but the connections; these; what goes on over them. A step that
 * failed has closed nothing but the first, which closes all. */
const char *testbed_prepare(struct testbed *bed, const struct testbed_config *config,
			    struct crew *crew);
const char *testbed_connect(struct testbed *bed);
const char *testbed_begin(struct testbed *bed); /* connect, and all that comes then */
/* NULL, or what was wrong: a buffer missing, a byte different. */
const char *testbed_close(struct testbed *bed);

/* Read the answers to the last portion and fill in the next. False when the ring or the window of a
 * connection did not take all of it. */
bool testbed_fill(struct testbed *bed, uint32_t segments);
/* Read the answers only. */
void testbed_settle(struct testbed *bed);
/* The engine takes the portion: TSC cycles, or 0 when it did not take it whole. */
uint64_t testbed_drain(struct testbed *bed);
/* One poll, one step of its time later. */
uint32_t testbed_poll(struct testbed *bed);
/* The portion in the ring went to somebody else: the next one is the same again. */
void testbed_rewind(struct testbed *bed);

#endif
