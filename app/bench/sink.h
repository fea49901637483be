/* SPDX-License-Identifier: BSD-3-Clause */
/* The application of a testbed: what it does with the bytes that arrive. */
#ifndef APP_BENCH_SINK_H
#define APP_BENCH_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "app/generator/pattern.h"
#include "weir.h"

#define SINK_CYCLIC_BYTES (256u << 10)

enum sink_kind {
	SINK_LEASE,	  /* leased, and released before the handler returns */
	SINK_COPY,	  /* read with a copy, into a cyclic buffer */
	SINK_DIGEST,	  /* leased, CRC32C of it */
	SINK_COPY_DIGEST, /* leased, both in one pass */
};

struct sink {
	enum sink_kind kind;
	const struct generator_pattern *pattern; /* compare with it; NULL: do not look */
	bool wrong;				 /* a difference, or an error of the library */
	uint64_t bytes;				 /* taken */
	uint64_t accepted;			 /* connections */
	uint8_t *cyclic;
	uint32_t cyclic_at;
	uint32_t crc; /* of all bytes since the start, as they were taken */
};

int sink_open(struct sink *sink, enum sink_kind kind);
void sink_close(struct sink *sink);

/* A weir_event_handler; `user` is the sink. */
void sink_handle(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n);

/* Where the next `len` bytes of a copy go. */
uint8_t *sink_cyclic(struct sink *sink, uint32_t len);

#endif
