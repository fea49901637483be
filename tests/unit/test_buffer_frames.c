/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames of a known length, of buffers that their last owner left in any state. */
#include "flow/buffer.h"
#include "tests/unit/fake_mempool.h"

#define N 8

/* One thing that a buffer may say otherwise. */
static void
change(struct rte_mbuf *buf, int what)
{
	switch (what) {
	case 0: buf->data_off++; break;
	case 1: buf->pkt_len++; break;
	case 2: buf->data_len++; break;
	case 3: buf->vlan_tci = 1; break;
	case 4: buf->packet_type = 1; break;
	case 5: buf->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM; break;
	default: break;
	}
}

static void
assert_frame(const struct rte_mbuf *buf, uint16_t len)
{
	ck_assert_uint_eq(buf->pkt_len, len);
	ck_assert_uint_eq(buf->data_len, len);
	ck_assert_uint_eq(buf->data_off, RTE_PKTMBUF_HEADROOM);
	ck_assert_uint_eq(buf->nb_segs, 1);
	ck_assert_uint_eq(buf->ol_flags, 0);
	ck_assert_uint_eq(buf->vlan_tci, 0);
	ck_assert_uint_eq(buf->packet_type, 0);
	ck_assert_ptr_null(buf->next);
}

static void
take_and_change(struct weir_pool *pool, uint16_t len, int what)
{
	struct rte_mbuf *bufs[N];

	ck_assert(weir_buf_alloc_frames(pool, bufs, N, len));
	for (uint32_t i = 0; i < N; i++) {
		assert_frame(bufs[i], len);
		change(bufs[i], what);
	}
	weir_buf_free_bulk(pool, bufs, N);
}

/* One that says otherwise among some that do not. */
static void
change_one(struct weir_pool *pool)
{
	struct rte_mbuf *bufs[N];

	for (uint32_t i = 0; i < 6 * N; i++) {
		ck_assert(weir_buf_alloc_frames(pool, bufs, N, 66));
		change(bufs[i % N], (int)(i / N));
		weir_buf_free_bulk(pool, bufs, N);
		take_and_change(pool, 66, 6);
	}
}

static void
check(struct weir_pool *pool)
{
	struct rte_mbuf *none;

	change_one(pool);
	for (int what = 0; what < 7; what++)
		for (uint16_t len = 66; len <= 67; len++)
			take_and_change(pool, len, what);
	take_and_change(pool, 0, 0);
	take_and_change(pool, 0, 0);
	ck_assert(weir_buf_alloc_frames(pool, &none, 0, 66));
	ck_assert_uint_eq(pool->freed, pool->allocated);
	ck_assert_uint_eq(weir_pool_close(pool), 0);
}

START_TEST(frames_of_a_mempool)
{
	struct fake *fake = fake_open();
	struct weir_pool pool;

	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), 0);
	check(&pool);
	fake_close(fake);
}
END_TEST

START_TEST(frames_of_the_heap)
{
	struct weir_pool pool;

	ck_assert_int_eq(weir_pool_open_heap(&pool, N, FAKE_ROOM), 0);
	check(&pool);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, frames_of_a_mempool);
	UNIT_CASE(s, frames_of_the_heap);
}

UNIT_MAIN("buffer_frames", add)
