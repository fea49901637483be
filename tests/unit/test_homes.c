/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/homes.h"

#include "tests/unit/fake_mempool.h"
#include "tests/unit/unit.h"

static struct fake *fakes[2];
static struct weir_pool pools[2];

static void
open_pools(void)
{
	for (int i = 0; i < 2; i++) {
		fakes[i] = fake_open();
		ck_assert_int_eq(weir_pool_open_mempool(&pools[i], &fakes[i]->mp), 0);
	}
}

static void
close_pools(void)
{
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(weir_pool_close(&pools[i]), 0);
		fake_close(fakes[i]);
	}
}

START_TEST(a_port_s_home_is_that_of_its_first_simple_buffer)
{
	struct weir_homes homes = {.n = 0};
	struct rte_mbuf *first, *other, *heap;
	struct weir_pool pool;

	open_pools();
	ck_assert_int_eq(weir_pool_open_heap(&pool, 4, 512), 0);
	first = weir_buf_alloc(&pools[0]);
	other = weir_buf_alloc(&pools[1]);
	heap = weir_buf_alloc(&pool);
	ck_assert_uint_eq(weir_homes_find(&homes, heap, 0), 0);
	rte_mbuf_refcnt_set(first, 2);
	ck_assert_uint_eq(weir_homes_find(&homes, first, 0), 0);
	ck_assert_ptr_null(homes.pools[1]);
	rte_mbuf_refcnt_set(first, 1);
	first->nb_segs = 2;
	ck_assert_uint_eq(weir_homes_find(&homes, first, 0), 0);
	first->nb_segs = 1;
	first->ol_flags = RTE_MBUF_F_INDIRECT;
	ck_assert_uint_eq(weir_homes_find(&homes, first, 0), 0);
	first->ol_flags = 0;
	for (int round = 0; round < 2; round++) {
		ck_assert_uint_eq(weir_homes_find(&homes, first, 0), 1);
		ck_assert_uint_eq(weir_homes_find(&homes, other, 0), 0);
		ck_assert_uint_eq(weir_homes_find(&homes, heap, 0), 0);
		ck_assert_uint_eq(weir_homes_find(&homes, other, WEIR_HOMES - 1), WEIR_HOMES);
	}
	weir_buf_free(&pools[0], first);
	weir_buf_free(&pools[0], other);
	weir_buf_free(&pool, heap);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
	close_pools();
}
END_TEST

START_TEST(a_row_goes_at_once)
{
	enum { N = 20 };
	struct weir_homes homes = {.n = 0};
	struct weir_pool *pool = &pools[0];
	struct rte_mbuf *bufs[3 * WEIR_HOMES_STEP] = {NULL};

	open_pools();
	for (uint32_t round = 0; round < 4; round++) {
		ck_assert(weir_buf_alloc_bulk(pool, bufs, N));
		ck_assert_uint_eq(weir_homes_find(&homes, bufs[0], 0), 1);
		weir_homes_give_row(&homes, pool, bufs, N, 1);
		ck_assert_uint_eq(fakes[0]->puts, round / 3);
	}
	weir_homes_flush(&homes, pool);
	ck_assert_uint_eq(pool->freed, 4 * N);
	close_pools();
}
END_TEST

START_TEST(ports_of_one_mempool_share_a_batch)
{
	struct weir_homes homes = {.n = 0};
	struct weir_pool *pool = &pools[0];
	struct rte_mbuf *bufs[WEIR_HOMES_WAIT + 1];

	open_pools();
	ck_assert(weir_buf_alloc_bulk(pool, bufs, WEIR_HOMES_WAIT + 1));
	for (uint8_t i = 0; i <= WEIR_HOMES_WAIT; i++) {
		ck_assert_uint_eq(weir_homes_find(&homes, bufs[i], i % 2), i % 2 + 1);
		ck_assert_uint_eq(fakes[0]->puts, 0);
		weir_homes_give(&homes, pool, bufs[i], i % 2 + 1);
	}
	ck_assert_uint_eq(fakes[0]->puts, 1);
	weir_homes_flush(&homes, pool);
	ck_assert_uint_eq(pool->freed, WEIR_HOMES_WAIT + 1);
	close_pools();
}
END_TEST

START_TEST(a_batch_goes_when_it_is_full_or_another_home_s_come)
{
	struct weir_homes homes = {.n = 0};
	struct weir_pool *pool = &pools[0];
	struct rte_mbuf *bufs[WEIR_HOMES_WAIT + 1], *other;

	open_pools();
	weir_homes_flush(&homes, pool);
	ck_assert_uint_eq(pool->freed, 0);
	ck_assert(weir_buf_alloc_bulk(pool, bufs, WEIR_HOMES_WAIT + 1));
	other = weir_buf_alloc(&pools[1]);
	ck_assert_uint_eq(weir_homes_find(&homes, bufs[0], 0), 1);
	ck_assert_uint_eq(weir_homes_find(&homes, other, 3), 4);
	for (uint32_t i = 0; i < WEIR_HOMES_WAIT; i++)
		weir_homes_give(&homes, pool, bufs[i], 1);
	ck_assert_uint_eq(fakes[0]->puts, 0);
	weir_homes_give(&homes, pool, bufs[WEIR_HOMES_WAIT], 1);
	ck_assert_uint_eq(fakes[0]->puts, 1);
	ck_assert_uint_eq(pool->freed, WEIR_HOMES_WAIT);
	weir_homes_give(&homes, pool, other, 4);
	ck_assert_uint_eq(fakes[0]->n, FAKE_SIZE);
	ck_assert_uint_eq(fakes[1]->puts, 0);
	weir_homes_flush(&homes, pool);
	ck_assert_uint_eq(pool->freed, WEIR_HOMES_WAIT + 2);
	close_pools();
}
END_TEST

#ifdef WEIR_DEBUG
START_TEST(what_goes_home_is_poisoned)
{
	struct weir_homes homes = {.n = 0};
	struct rte_mbuf *buf;

	open_pools();
	buf = weir_buf_alloc(&pools[0]);
	ck_assert_uint_eq(weir_homes_find(&homes, buf, 0), 1);
	memset(buf->buf_addr, 0x11, FAKE_ROOM);
	weir_homes_give(&homes, &pools[0], buf, 1);
	weir_homes_flush(&homes, &pools[0]);
	ck_assert_uint_ne(*(uint8_t *)buf->buf_addr, 0x11);
	ck_assert_int_eq(memcmp(buf->buf_addr, (uint8_t *)buf->buf_addr + 1, FAKE_ROOM - 1), 0);
	close_pools();
}
END_TEST
#endif

static void
add(Suite *s)
{
	UNIT_CASE(s, a_port_s_home_is_that_of_its_first_simple_buffer);
	UNIT_CASE(s, a_row_goes_at_once);
	UNIT_CASE(s, ports_of_one_mempool_share_a_batch);
	UNIT_CASE(s, a_batch_goes_when_it_is_full_or_another_home_s_come);
#ifdef WEIR_DEBUG
	UNIT_CASE(s, what_goes_home_is_poisoned);
#endif
}

UNIT_MAIN("homes", add)
