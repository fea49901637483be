/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sinks: where the bytes of a listener's connections go. Every function but sinks_open,
 * sinks_close and sinks_say_wrong runs on the engine thread and never blocks.
 */
#ifndef APP_WEIR_SINK_H
#define APP_WEIR_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "sink_verify.h"

#define CONN_NONE UINT32_MAX

struct file_ring;
struct file_writer;

/* One connection as the tool sees it. Free ones have conn 0. */
struct sink_conn {
	weir_conn conn;
	uint32_t listener; /* index into options.listeners */
	uint32_t next;	   /* list of the free, or of those with work due */
	struct verify_stream stream; /* verify sink */
	uint16_t close_reason;
	bool due; /* in the list of those with work due */
	bool open_sent;
	bool fin; /* the peer sends no more */
	bool end_sent;
	bool closed; /* the handle has ended */
};

struct sink_counters {
	uint64_t stored;     /* files complete */
	uint64_t incomplete; /* files whose connection ended early */
	uint64_t failed;     /* files that could not be written */
	struct verify_counters verify;
};

struct sinks {
	const struct options *options;
	struct weir_stack *stack;
	struct sink_conn *conns;
	uint32_t size;
	uint32_t touched; /* conns used at least once */
	uint32_t free;
	uint32_t live; /* connections whose handle is valid */
	uint32_t used; /* live, or closed with messages to the writer still to send */
	uint32_t due_head;
	uint32_t due_tail;
	uint32_t n_fresh; /* accepted in this call of the handler */
	uint32_t fresh[256];
	bool ending;		/* no connection is taken any more */
	uint64_t files;		/* accepted by file sinks: numbers the files */
	struct file_ring *ring; /* NULL: no file sink */
	struct file_writer *writer;
	struct verify *verify;	/* NULL: no verify sink */
	bool wrong_said;	/* the first different byte; the thread of sinks_say_wrong */
};

/* Tables, and with a file sink the writer thread, which must stay off the engine's core: the
 * caller pins itself before. 0 or -errno. While nothing is polled. */
int sinks_open(struct sinks *sinks, const struct options *options, struct weir_stack *stack);

/* After the engine has stopped. Returns false when a file could not be stored or a byte was wrong. */
bool sinks_close(struct sinks *sinks);

/* Once after each weir_engine_poll: what could not be passed on before. */
void sinks_retry(struct sinks *sinks);

/* Abort connections: those whose peer still sends, or all of them; take no new ones. */
void sinks_abort(struct sinks *sinks, bool all);

/* Nothing more will come: the writer finishes. Then poll until sinks_finished. */
void sinks_finish(struct sinks *sinks);
bool sinks_finished(const struct sinks *sinks);

/* Where the time of at most `most` live connections went, added to limited_ms[5]. */
void sinks_limited(const struct sinks *sinks, uint32_t most, uint64_t *limited_ms);

/* One line, once, about the first byte that differed. One thread, which may wait. */
void sinks_say_wrong(struct sinks *sinks);

void sinks_counters(const struct sinks *sinks, struct sink_counters *counters);

#endif
