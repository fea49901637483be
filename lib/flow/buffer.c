/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LINE   64
#define POISON 0xdb
#define GATHER 64 /* buffers returned to their mempool at once */

/*
 * Heap form: one block of struct heap, the LIFO of free buffers, and the buffers. A NULL in the
 * LIFO stands for a buffer that was never used; such lie at the bottom, so memory that is never
 * needed is never touched.
 *
 * A buffer that is freed through another pool's door goes to `returned` of its home, from which the
 * owner collects: ends of an in-memory port may belong to two threads.
 */
struct heap {
	_Atomic(struct rte_mbuf *) returned; /* linked through `next` */
	_Atomic uint32_t n_returned;
	uint32_t untouched;
	uint8_t *first;
	size_t stride;
	size_t bytes; /* of all buffers */
} __attribute__((aligned(LINE)));

/* Stands in the private area of each heap buffer. */
struct heap_priv {
	struct heap *home;
} __attribute__((aligned(LINE)));

static size_t
whole_lines(size_t bytes)
{
	return (bytes + LINE - 1) & ~(size_t)(LINE - 1);
}

static struct heap *
heap_of(const struct weir_pool *pool)
{
	return (struct heap *)(void *)pool->free - 1;
}

static bool
heap_holds(const struct heap *heap, const struct rte_mbuf *buf)
{
	return (uintptr_t)buf - (uintptr_t)heap->first < heap->bytes;
}

int
weir_pool_open_heap(struct weir_pool *pool, uint32_t size, uint32_t data_room)
{
	size_t head = sizeof(struct heap) + whole_lines((size_t)size * sizeof(*pool->free));
	size_t stride = whole_lines(sizeof(struct rte_mbuf) + sizeof(struct heap_priv) + data_room);
	struct heap *heap;

	if (size == 0 || data_room <= RTE_PKTMBUF_HEADROOM || data_room > UINT16_MAX)
		return -EINVAL;
	heap = aligned_alloc(LINE, head + size * stride);
	if (heap == NULL)
		return -ENOMEM;
	memset(heap, 0, head);
	heap->untouched = size;
	heap->first = (uint8_t *)heap + head;
	heap->stride = stride;
	heap->bytes = size * stride;
	*pool = (struct weir_pool){
	    .size = size,
	    .data_room = data_room,
	    .free = (void *)(heap + 1),
	    .n_free = size,
	};
	return 0;
}

int
weir_pool_open_mempool(struct weir_pool *pool, struct rte_mempool *mempool)
{
	if (mempool == NULL || mempool->private_data_size < sizeof(struct rte_pktmbuf_pool_private))
		return -EINVAL;
	*pool = (struct weir_pool){
	    .mempool = mempool,
	    .size = mempool->size,
	    .data_room = rte_pktmbuf_data_room_size(mempool),
	    .n_free = rte_mempool_avail_count(mempool), /* expected back at close */
	};
	return 0;
}

/* Take back what came home through other doors. */
static void
heap_collect(struct weir_pool *pool)
{
	struct heap *heap = heap_of(pool);
	struct rte_mbuf *buf =
	    atomic_exchange_explicit(&heap->returned, NULL, memory_order_acquire);
	uint32_t n = 0;

	for (; buf != NULL; n++) {
		struct rte_mbuf *next = buf->next;

		buf->next = NULL;
		pool->free[pool->n_free++] = buf;
		buf = next;
	}
	atomic_fetch_sub_explicit(&heap->n_returned, n, memory_order_relaxed);
}

uint32_t
weir_pool_close(struct weir_pool *pool)
{
	uint32_t missing = 0;

	if (pool->mempool != NULL) {
		uint32_t now = rte_mempool_avail_count(pool->mempool);

		missing = now < pool->n_free ? pool->n_free - now : 0;
	} else if (pool->free != NULL) {
		heap_collect(pool);
		missing = pool->size - pool->n_free;
		/* Whoever still has a buffer may touch it or free it: the block stays. */
		if (missing == 0)
			free(heap_of(pool));
	}
	memset(pool, 0, sizeof(*pool));
	return missing;
}

uint32_t
weir_pool_available(const struct weir_pool *pool)
{
	if (pool->mempool != NULL)
		return rte_mempool_avail_count(pool->mempool);
	return pool->n_free +
	       atomic_load_explicit(&heap_of(pool)->n_returned, memory_order_relaxed);
}

/* First use of the next buffer of the block. */
static struct rte_mbuf *
heap_touch(const struct weir_pool *pool)
{
	struct heap *heap = heap_of(pool);
	struct rte_mbuf *buf =
	    (void *)(heap->first + (pool->size - heap->untouched) * heap->stride);
	struct heap_priv *priv = (void *)(buf + 1);

	heap->untouched--;
	memset((void *)buf, 0, sizeof(*buf));
	buf->priv_size = sizeof(*priv);
	buf->buf_addr = priv + 1;
	buf->buf_len = (uint16_t)pool->data_room;
	rte_mbuf_refcnt_set(buf, 1);
	priv->home = heap;
	return buf;
}

static bool
heap_take(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n)
{
	if (pool->n_free < n)
		heap_collect(pool);
	if (pool->n_free < n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		bufs[i] = pool->free[--pool->n_free];
		if (bufs[i] == NULL)
			bufs[i] = heap_touch(pool);
		rte_pktmbuf_reset(bufs[i]);
	}
	return true;
}

/* Fault injection: is this the allocation that fails? */
static bool
fails_now(struct weir_pool *pool)
{
	if (pool->fail_every == 0 || ++pool->fail_count < pool->fail_every)
		return false;
	pool->fail_count = 0;
	return true;
}

/* What a frame of one length says of itself, in two vectors, and which bits of them count. */
typedef uint64_t frame_words __attribute__((vector_size(16), may_alias));
#define WORDS_AT offsetof(struct rte_mbuf, data_off)

_Static_assert(WORDS_AT % sizeof(frame_words) == 0 &&
		       offsetof(struct rte_mbuf, ol_flags) == WORDS_AT + 8 &&
		       offsetof(struct rte_mbuf, packet_type) == WORDS_AT + 16 &&
		       offsetof(struct rte_mbuf, data_len) == WORDS_AT + 24,
	       "what_are_they() reads four words");
_Static_assert(offsetof(struct rte_mbuf, pkt_len) == offsetof(struct rte_mbuf, packet_type) + 4 &&
		       offsetof(struct rte_mbuf, vlan_tci) ==
			       offsetof(struct rte_mbuf, data_len) + 2,
	       "which hold these, too, the lengths in one word with the tag");

#define LENGTHS_STEP 64

enum frames {
	FRAMES,
	OTHER_LENGTHS, /* or tags: the rest is right */
	OTHER,
};

/*
 * What buffers from a mempool do not have already: one segment, one owner and no successor they
 * have by DPDK's contract for free buffers, so their second line stays untouched. Whoever sent them last
 * from another core may still share the first: it is only written when it says something else, and
 * buffers that carry one ACK after the other seldom do.
 */
static inline enum frames
what_are_they(struct rte_mbuf **bufs, uint32_t n, uint16_t len)
{
	const frame_words begin = {RTE_PKTMBUF_HEADROOM, 0}, sizes = {(uint64_t)len << 32, len};
	const frame_words begin_mask = {UINT16_MAX, ~RTE_MBUF_F_EXTERNAL}; /* set in pinned buffers */
	frame_words other = {0, 0}, other_sizes = {0, 0};

	for (uint32_t i = 0; i < n; i++) {
		const frame_words *words = (const void *)((const uint8_t *)bufs[i] + WORDS_AT);

		other |= words[0] ^ begin;
		other_sizes |= words[1] ^ sizes;
	}
	other &= begin_mask;
	if (unlikely((other[0] | other[1] | (uint32_t)other_sizes[0]) != 0))
		return OTHER;
	return ((other_sizes[0] >> 32) | (uint32_t)other_sizes[1]) == 0 ? FRAMES : OTHER_LENGTHS;
}

static void
make_frame(struct rte_mbuf *buf, uint16_t len)
{
	uint64_t flags = buf->ol_flags & RTE_MBUF_F_EXTERNAL;

	buf->data_off = RTE_PKTMBUF_HEADROOM;
	buf->ol_flags = flags;
	buf->packet_type = 0;
	buf->pkt_len = len;
	buf->vlan_tci = 0;
	buf->data_len = len;
}

static inline uint64_t
lengths_of(const struct rte_mbuf *buf)
{
	uint64_t word;

	memcpy(&word, &buf->pkt_len, sizeof(word));
	return word;
}

/* ACKs with SACK blocks are longer than the others and anywhere among them, but few: they are picked out
 * without a branch for each. */
static void __attribute__((noinline))
set_lengths(struct rte_mbuf **bufs, uint32_t n, uint16_t len)
{
	const struct rte_mbuf like = {.pkt_len = len, .data_len = len};
	const uint64_t lengths = lengths_of(&like);
	struct rte_mbuf *others[LENGTHS_STEP];

	for (uint32_t step; n != 0; bufs += step, n -= step) {
		uint32_t n_others = 0;

		step = RTE_MIN(n, (uint32_t)LENGTHS_STEP);
		for (uint32_t i = 0; i < step; i++) {
			others[n_others] = bufs[i];
			n_others += lengths_of(bufs[i]) != lengths;
		}
		for (uint32_t i = 0; i < n_others; i++)
			memcpy(&others[i]->pkt_len, &lengths, sizeof(lengths));
	}
}

static bool
mempool_take(struct rte_mempool *mempool, struct rte_mbuf **bufs, uint32_t n, uint16_t len)
{
	enum frames what;

	if (rte_mempool_get_bulk(mempool, (void **)bufs, n) != 0)
		return false;
	what = what_are_they(bufs, n, len);
	if (unlikely(what == OTHER_LENGTHS))
		set_lengths(bufs, n, len);
	else if (unlikely(what == OTHER))
		for (uint32_t i = 0; i < n; i++)
			if (what_are_they(&bufs[i], 1, len) != FRAMES)
				make_frame(bufs[i], len);
	return true;
}

static bool
take(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n, uint16_t len)
{
	if (pool->mempool != NULL)
		return mempool_take(pool->mempool, bufs, n, len);
	if (!heap_take(pool, bufs, n))
		return false;
	for (uint32_t i = 0; i < n; i++)
		bufs[i]->pkt_len = bufs[i]->data_len = len;
	return true;
}

bool
weir_buf_alloc_frames(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n, uint16_t len)
{
	if (n == 0)
		return true;
	if (fails_now(pool) || !take(pool, bufs, n, len)) {
		pool->failed++;
		return false;
	}
	pool->allocated += n;
	return true;
}

bool
weir_buf_alloc_bulk(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n)
{
	return weir_buf_alloc_frames(pool, bufs, n, 0);
}

struct rte_mbuf *
weir_buf_alloc(struct weir_pool *pool)
{
	struct rte_mbuf *buf;

	return weir_buf_alloc_bulk(pool, &buf, 1) ? buf : NULL;
}

/* Segments on their way back to one mempool. */
struct gather {
	struct rte_mempool *home;
	uint32_t n;
	struct rte_mbuf *segs[GATHER];
};

static inline void
gather_flush(struct gather *gather)
{
	if (gather->n != 0)
		rte_mempool_put_bulk(gather->home, (void **)gather->segs, gather->n);
	gather->n = 0;
}

static inline void
gather_add(struct gather *gather, struct rte_mbuf *seg)
{
	if (seg->pool != gather->home || gather->n == GATHER) {
		gather_flush(gather);
		gather->home = seg->pool;
	}
	gather->segs[gather->n++] = seg;
}

static void
heap_return(struct heap *home, struct rte_mbuf *seg)
{
	struct rte_mbuf *head = atomic_load_explicit(&home->returned, memory_order_relaxed);

	atomic_fetch_add_explicit(&home->n_returned, 1, memory_order_relaxed);
	do
		seg->next = head;
	while (!atomic_compare_exchange_weak_explicit(&home->returned, &head, seg,
						      memory_order_release, memory_order_relaxed));
}

static void
heap_put(struct weir_pool *pool, struct rte_mbuf *seg)
{
	if (pool->mempool == NULL && heap_holds(heap_of(pool), seg)) {
		assert(pool->n_free < pool->size);
		pool->free[pool->n_free++] = seg;
	} else {
		heap_return(((struct heap_priv *)rte_mbuf_to_priv(seg))->home, seg);
	}
}

/* Whoever reads a buffer after its last owner let go shall not find plausible data. */
static inline void
poison(struct rte_mbuf *seg)
{
#ifdef WEIR_DEBUG
	if (RTE_MBUF_DIRECT(seg))
		memset(seg->buf_addr, POISON, seg->buf_len);
#else
	(void)seg;
#endif
}

void
weir_buf_put(struct weir_pool *pool, struct rte_mempool *home, struct rte_mbuf **bufs, uint32_t n)
{
	if (n == 0)
		return;
#ifdef WEIR_DEBUG
	for (uint32_t i = 0; i < n; i++) {
		assert(weir_buf_is_of(bufs[i], home) && bufs[i]->next == NULL);
		poison(bufs[i]);
	}
#endif
	rte_mempool_put_bulk(home, (void **)bufs, n);
	pool->freed += n;
}

/* As many from the front as go back to one mempool as they are. */
static uint32_t
free_simple(struct rte_mbuf **bufs, uint32_t n)
{
	struct rte_mempool *home = bufs[0] == NULL ? NULL : bufs[0]->pool;
	uint32_t k = 0;

	while (k < n && bufs[k] != NULL && weir_buf_is_of(bufs[k], home)) {
		poison(bufs[k]);
		k++;
	}
	if (k != 0)
		rte_mempool_put_bulk(home, (void **)bufs, k);
	return k;
}

static uint32_t __attribute__((noinline))
free_chain(struct weir_pool *pool, struct gather *gather, struct rte_mbuf *buf)
{
	struct rte_mbuf *seg, *next;
	uint32_t freed = 0;

	for (seg = buf; seg != NULL; seg = next) {
		next = seg->next;
		seg = rte_pktmbuf_prefree_seg(seg);
		if (seg == NULL) /* somebody else still owns it */
			continue;
		poison(seg);
		freed++;
		if (seg->pool != NULL)
			gather_add(gather, seg);
		else
			heap_put(pool, seg);
	}
	return freed;
}

void
weir_buf_free_bulk(struct weir_pool *pool, struct rte_mbuf **bufs, uint32_t n)
{
	struct gather gather;
	uint64_t freed = 0;

	gather.home = NULL;
	gather.n = 0;
	for (uint32_t i = 0; i < n;) {
		uint32_t k = free_simple(bufs + i, n - i);

		freed += k;
		i += k;
		if (i < n && k == 0)
			freed += free_chain(pool, &gather, bufs[i++]);
	}
	gather_flush(&gather);
	pool->freed += freed;
}

void
weir_buf_free(struct weir_pool *pool, struct rte_mbuf *buf)
{
	struct gather gather = {.home = NULL, .n = 0};

	pool->freed += free_chain(pool, &gather, buf);
	gather_flush(&gather);
}

void
weir_buf_ref(struct rte_mbuf *buf)
{
	for (; buf != NULL; buf = buf->next)
		rte_mbuf_refcnt_update(buf, 1);
}

bool
weir_buf_ours(const struct rte_mbuf *buf)
{
	for (; buf != NULL; buf = buf->next)
		if (rte_mbuf_refcnt_read(buf) != 1 || !RTE_MBUF_DIRECT(buf))
			return false;
	return true;
}
