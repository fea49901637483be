/* SPDX-License-Identifier: BSD-3-Clause */
/* A mempool for tests that need no EAL: a stack of buffers behind the operations table of DPDK. */
#ifndef WEIR_TESTS_FAKE_MEMPOOL_H
#define WEIR_TESTS_FAKE_MEMPOOL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "flow/buffer.h"
#include "tests/unit/unit.h"

#ifndef FAKE_SIZE
#define FAKE_SIZE 100
#define FAKE_ROOM 512 /* bytes of one buffer, headroom included */
#endif

struct fake {
	struct rte_mempool mp;
	struct rte_pktmbuf_pool_private priv;
	struct rte_mbuf *stack[FAKE_SIZE];
	uint32_t n;
	uint32_t puts; /* calls that put buffers back */
	uint8_t *memory;
};

static inline int
fake_alloc(struct rte_mempool *mp)
{
	(void)mp;
	return 0;
}

static inline int
fake_put(struct rte_mempool *mp, void *const *objs, unsigned int n)
{
	struct fake *fake = mp->pool_data;

	ck_assert_uint_le(fake->n + n, FAKE_SIZE);
	for (unsigned int i = 0; i < n; i++) {
		const struct rte_mbuf *buf = objs[i];

		ck_assert_ptr_eq(buf->pool, mp);
		ck_assert_uint_eq(rte_mbuf_refcnt_read(buf), 1);
		ck_assert_uint_eq(buf->nb_segs, 1);
		ck_assert_ptr_null(buf->next);
		fake->stack[fake->n++] = objs[i];
	}
	fake->puts++;
	return 0;
}

static inline int
fake_get(struct rte_mempool *mp, void **objs, unsigned int n)
{
	struct fake *fake = mp->pool_data;

	if (fake->n < n)
		return -ENOBUFS;
	for (unsigned int i = 0; i < n; i++)
		objs[i] = fake->stack[--fake->n];
	return 0;
}

static inline unsigned int
fake_count(const struct rte_mempool *mp)
{
	return ((const struct fake *)mp->pool_data)->n;
}

static int fake_ops = -1;

static inline struct fake *
fake_open(void)
{
	static const struct rte_mempool_ops ops = {
	    .name = "fake",
	    .alloc = fake_alloc,
	    .enqueue = fake_put,
	    .dequeue = fake_get,
	    .get_count = fake_count,
	};
	size_t element = sizeof(struct rte_mbuf) + FAKE_ROOM, stride = 64 + element;
	struct fake *fake = aligned_alloc(64, (sizeof(*fake) + 63) / 64 * 64);

	ck_assert_ptr_nonnull(fake);
	memset((void *)fake, 0, sizeof(*fake));
	if (fake_ops < 0)
		fake_ops = rte_mempool_register_ops(&ops);
	ck_assert_int_ge(fake_ops, 0);
	fake->mp.pool_data = fake;
	fake->mp.ops_index = fake_ops;
	fake->mp.size = FAKE_SIZE;
	fake->mp.populated_size = FAKE_SIZE;
	fake->mp.elt_size = (uint32_t)element;
	fake->mp.private_data_size = sizeof(fake->priv);
	fake->priv.mbuf_data_room_size = FAKE_ROOM;
	ck_assert_ptr_eq(rte_mempool_get_priv(&fake->mp), &fake->priv);
	fake->memory = aligned_alloc(64, FAKE_SIZE * stride);
	ck_assert_ptr_nonnull(fake->memory);
	memset(fake->memory, 0, FAKE_SIZE * stride);
	for (uint32_t i = 0; i < FAKE_SIZE; i++) {
		struct rte_mbuf *buf = (void *)(fake->memory + i * stride + 64);

		rte_pktmbuf_init(&fake->mp, NULL, buf, i);
		fake->stack[fake->n++] = buf;
	}
	return fake;
}

/* As many buffers of `fake` or, where that is NULL, of the heap. */
static inline void
fake_pool(struct weir_pool *pool, struct fake *fake)
{
	if (fake != NULL)
		ck_assert_int_eq(weir_pool_open_mempool(pool, &fake->mp), 0);
	else
		ck_assert_int_eq(weir_pool_open_heap(pool, FAKE_SIZE, FAKE_ROOM), 0);
}

static inline void
fake_close(struct fake *fake)
{
	free(fake->memory);
	free(fake);
}

#endif
