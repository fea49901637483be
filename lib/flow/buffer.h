/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The buffer door: the one file that allocates and frees packet buffers. It accounts for every
 * buffer, can be told to fail, and poisons freed data in debug builds. Two forms behind one face: a
 * DPDK mempool, and heap-backed buffers that need no EAL (tests, in-memory stacks by the thousand).
 * Buffers are struct rte_mbuf in both; those of the heap form must leave through this door only.
 */
#ifndef WEIR_FLOW_BUFFER_H
#define WEIR_FLOW_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

struct weir_pool {
	struct rte_mempool *mempool; /* NULL: heap form */
	uint32_t size;               /* buffers */
	uint32_t data_room;          /* bytes of one buffer, headroom included */
	/* heap form: LIFO of free buffers */
	struct rte_mbuf **free;
	uint32_t n_free;
	/* fault injection: every `fail_every`th allocation fails; 0 never */
	uint32_t fail_every;
	uint32_t fail_count;
	/* accounting by whoever uses this pool through the door, one thread */
	uint64_t allocated;
	uint64_t freed;
	uint64_t failed;
};

/*
 * Heap form: `size` buffers of `data_room` bytes (RTE_PKTMBUF_HEADROOM included). Needs no EAL.
 * -EINVAL, -ENOMEM. weir_pool_close() expects every buffer back and returns the number missing;
 * when any is, the memory stays, so that its holder can still read and free it.
 */
int weir_pool_open_heap(struct weir_pool *pool, uint32_t size, uint32_t data_room);

/* DPDK form: borrows `mempool`, which must be a pktmbuf pool and outlives the door. */
int weir_pool_open_mempool(struct weir_pool *pool, struct rte_mempool *mempool);

/* Of the mempool form those are missing that were free when it was opened and are not now. */
uint32_t weir_pool_close(struct weir_pool *pool);

/* Buffers free now. The mempool form asks the mempool, which is slow: control path only. */
uint32_t weir_pool_available(const struct weir_pool *pool);

/*
 * `n` buffers, one empty segment each with default headroom and no offload flags: all or none.
 * Returns true or false. Only the thread that owns the pool's engine.
 */
bool weir_buf_alloc_bulk(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n);
struct rte_mbuf *weir_buf_alloc(struct weir_pool *pool);
/* The same, each `len` bytes long, which have to fit behind the headroom; their content is undefined. */
bool weir_buf_alloc_frames(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n, uint16_t len);

/*
 * Free `n` chains, whose nb_segs are true; of one chain nb_segs is not read, so that a tail that was
 * cut off may be freed. `pool` is the engine's own, for accounting; each segment goes home to the pool
 * it came from, which may belong to another thread. Respects reference counts. Only the thread that
 * owns the engine of `pool`.
 */
void weir_buf_free_bulk(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n);
void weir_buf_free(struct weir_pool *pool, struct rte_mbuf *buf);

_Static_assert(offsetof(struct rte_mbuf, nb_segs) == offsetof(struct rte_mbuf, refcnt) + 2,
	       "weir_buf_is_of() reads them as one");

/*
 * One segment, ours alone, of the mempool `home`: it goes back there as it is, by weir_buf_put() too, as
 * long as nobody adds an owner or a segment. False where `home` is NULL. The second line of the buffer
 * is not read.
 */
static inline bool
weir_buf_is_of(const struct rte_mbuf *buf, const struct rte_mempool *home)
{
	uint32_t owners_segs;

	memcpy(&owners_segs, &buf->refcnt, sizeof(owners_segs));
	return buf->pool == home && home != NULL && owners_segs == 0x00010001 &&
	       RTE_MBUF_DIRECT(buf);
}

/* Put back `n` buffers of `home` (0: it may be NULL), each as weir_buf_is_of() says; none is looked at.
 * Otherwise as weir_buf_free_bulk(). */
void weir_buf_put(struct weir_pool *pool, struct rte_mempool *home, struct rte_mbuf **bufs, uint32_t n);

/* One more owner of every segment of the chain. */
void weir_buf_ref(struct rte_mbuf *buf);

/* May the chain be written to? Every segment is ours alone, header and data. */
bool weir_buf_ours(const struct rte_mbuf *buf);

#endif
