/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where received buffers came from, and those that are on their way back. Ports receive into a mempool,
 * most often all into one. A buffer of one segment, ours alone, of the mempool that its port began with
 * has that mempool as its *home*, by number: whoever holds such a buffer keeps the number and gives it
 * back without looking at the buffer again. All others have none and leave through weir_buf_free().
 */
#ifndef WEIR_FLOW_HOMES_H
#define WEIR_FLOW_HOMES_H

#include <stdint.h>
#include <string.h>

#include "flow/buffer.h"

#define WEIR_HOMES	8 /* one a port */
#define WEIR_HOMES_WAIT 64
#define WEIR_HOMES_STEP 8 /* a row is read in steps of so many */

struct weir_homes {
	struct rte_mempool *pools[WEIR_HOMES + 1]; /* by number; [0] is no home */
	/* given back: they wait until they are many, or until another home's come */
	uint32_t home;
	uint32_t n;
	struct rte_mbuf *bufs[WEIR_HOMES_WAIT + WEIR_HOMES_STEP];
};

/* weir_homes_find() when `port` has no home yet. */
uint8_t weir_homes_learn(struct weir_homes *homes, const struct rte_mbuf *buf, uint8_t port);

/*
 * The home of a frame that `port`, below WEIR_HOMES, received; 0: none. It stays true as long as nobody
 * adds an owner or a segment.
 */
static inline uint8_t
weir_homes_find(struct weir_homes *homes, const struct rte_mbuf *buf, uint8_t port)
{
	if (__builtin_expect(weir_buf_is_of(buf, homes->pools[port + 1]), 1))
		return (uint8_t)(port + 1);
	return weir_homes_learn(homes, buf, port);
}

/* What waits goes home; `pool` is the engine's own, for accounting. */
static inline void
weir_homes_flush(struct weir_homes *homes, struct weir_pool *pool)
{
	weir_buf_put(pool, homes->pools[homes->home], homes->bufs, homes->n);
	homes->n = 0;
}

/* weir_homes_make_room() when what waits may have to go first. */
void weir_homes_turn(struct weir_homes *homes, struct weir_pool *pool, uint8_t home, uint32_t n);

/* There is room for `n` more, at most WEIR_HOMES_WAIT, of `home`, not 0. */
static inline void
weir_homes_make_room(struct weir_homes *homes, struct weir_pool *pool, uint8_t home, uint32_t n)
{
	if (__builtin_expect(homes->home != home || homes->n + n > WEIR_HOMES_WAIT, 0))
		weir_homes_turn(homes, pool, home, n);
}

/* Give `buf` back, whose home is `home`, not 0. */
static inline void
weir_homes_give(struct weir_homes *homes, struct weir_pool *pool, struct rte_mbuf *buf, uint8_t home)
{
	weir_homes_make_room(homes, pool, home, 1);
	homes->bufs[homes->n++] = buf;
}

/* The same for `n`, 1 to WEIR_HOMES_WAIT. The array of `bufs` is a multiple of WEIR_HOMES_STEP long. */
static inline void
weir_homes_give_row(struct weir_homes *homes, struct weir_pool *pool, struct rte_mbuf *const *bufs,
		    uint32_t n, uint8_t home)
{
	struct rte_mbuf *const *end = bufs + n;
	struct rte_mbuf **to;

	weir_homes_make_room(homes, pool, home, n);
	to = homes->bufs + homes->n;
	homes->n += n;
	do {
		memcpy(to, bufs, WEIR_HOMES_STEP * sizeof(*to));
		to += WEIR_HOMES_STEP;
		bufs += WEIR_HOMES_STEP;
	} while (bufs < end);
}

#endif
