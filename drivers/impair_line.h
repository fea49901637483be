/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames on their way along an impaired link in one direction: delayed, or waiting to be overtaken.
 */
#ifndef WEIR_DRIVERS_IMPAIR_LINE_H
#define WEIR_DRIVERS_IMPAIR_LINE_H

#include <stdint.h>

#include "flow/buffer.h"

#define WEIR_LINE_FRAMES     1024    /* a power of two */
#define WEIR_LINE_REORDER_NS 2000000 /* nothing waits longer to be overtaken */

struct weir_line_frame {
	struct rte_mbuf *buf;
	uint64_t due_ns; /* end of the delay */
	uint32_t skip;	 /* frames that still have to overtake it */
};

/* Oldest first; free-running positions. */
struct weir_line {
	uint32_t limit; /* frames at once, at most WEIR_LINE_FRAMES */
	uint32_t head;
	uint32_t tail;
	struct weir_line_frame frames[WEIR_LINE_FRAMES];
};

uint32_t weir_line_room(const struct weir_line *line);

/* Append a frame that `skip` later ones shall overtake; the line has room. due_ns never
 * goes back from one call to the next. */
void weir_line_add(struct weir_line *line, struct rte_mbuf *buf, uint64_t due_ns, uint32_t skip);

/* Put n frames back in front that were just taken out, due at once. */
void weir_line_return(struct weir_line *line, struct rte_mbuf **bufs, uint32_t n);

/* Take out up to n frames whose time has come. */
uint32_t weir_line_release(struct weir_line *line, struct rte_mbuf **out, uint32_t n,
			   uint64_t now_ns);

/* Take out the oldest frames, due or not, until the line has room for `room`; at most n. */
uint32_t weir_line_force(struct weir_line *line, struct rte_mbuf **out, uint32_t n, uint32_t room);

/* When weir_line_release has something next; UINT64_MAX when nothing is held. */
uint64_t weir_line_deadline(const struct weir_line *line);

/* Free everything. */
void weir_line_drain(struct weir_line *line, struct weir_pool *pool);

#endif
