/* SPDX-License-Identifier: BSD-3-Clause */
/* The file sink: the engine's half, which passes leases on, and the writer thread. */
#ifndef APP_WEIR_SINK_FILE_H
#define APP_WEIR_SINK_FILE_H

#include "file_ring.h"
#include "sink.h"

/*
 * Pass on what `conn` owes the writer, in stream order: that it was accepted, its unread data, its
 * end, that it is gone. Returns true when nothing is left, false when the ring is full: the data
 * stays unread then, and the window closes. Engine thread.
 */
bool sink_file_serve(struct sinks *sinks, uint32_t slot);

struct file_writer_config {
	const struct options *options;
	struct file_ring *ring;
	struct weir_channel *channel; /* the writer's own */
	uint32_t slots;
};

/* Start the writer thread. 0 or -errno. */
int file_writer_start(const struct file_writer_config *config, struct file_writer **writer);

/* Ask the writer to end when the ring is empty; file_writer_ended says when it has. While it has
 * not, the engine must be polled, since leases go back through its channel. */
void file_writer_finish(struct file_writer *writer);
bool file_writer_ended(const struct file_writer *writer);

/* Wait for the thread and free it. Returns the channel. */
struct weir_channel *file_writer_join(struct file_writer *writer);

void file_writer_counters(const struct file_writer *writer, struct sink_counters *counters);

#endif
