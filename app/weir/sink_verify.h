/* SPDX-License-Identifier: BSD-3-Clause */
/* The verify sink: every byte against the generator's pattern, in the buffers it arrived in. */
#ifndef APP_WEIR_SINK_VERIFY_H
#define APP_WEIR_SINK_VERIFY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/generator/pattern.h"
#include "weir.h"

/* Where a stream stands. Zeros at its beginning. */
struct verify_stream {
	uint64_t offset; /* of the next byte */
	uint16_t remote_port;
	bool differed;
};

struct verify_counters {
	uint64_t bytes;	      /* compared and equal */
	uint64_t wrong_bytes; /* compared and different */
	uint64_t wrong_conns; /* connections with any of them */
	/* The first different byte, when wrong_bytes is not 0. */
	struct weir_addr first_remote;
	uint16_t first_port;
	uint8_t first_expected;
	uint8_t first_found;
	uint64_t first_offset;
};

struct verify {
	struct generator_pattern pattern;
	struct verify_counters counters; /* the engine thread's */
	_Atomic int wrong;		 /* 1: counters.first_* are known and stay */
};

/* Before the first connection. */
void verify_init(struct verify *verify);

/*
 * Compare the next `len` bytes of a stream. Returns true when these are the first ones of all that
 * differ: then the caller fills counters.first_remote and first_port and sets `wrong`.
 */
bool verify_bytes(struct verify *verify, struct verify_stream *stream, const uint8_t *data,
		  uint32_t len);

/* Compare and release whatever is unread of `conn`. Engine thread. */
void verify_unread(struct verify *verify, struct weir_stack *stack, weir_conn conn,
		   struct verify_stream *stream);

#endif
