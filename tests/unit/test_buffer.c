/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/buffer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/unit/fake_mempool.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"

#define ROOM FAKE_ROOM

/* ---- what holds for both forms ---- */

static void
assert_fresh(const struct rte_mbuf *buf)
{
	ck_assert_uint_eq(buf->nb_segs, 1);
	ck_assert_ptr_null(buf->next);
	ck_assert_uint_eq(buf->pkt_len, 0);
	ck_assert_uint_eq(buf->data_len, 0);
	ck_assert_uint_eq(buf->data_off, RTE_PKTMBUF_HEADROOM);
	ck_assert_uint_eq(buf->buf_len, ROOM);
	ck_assert_uint_eq(buf->ol_flags, 0);
	ck_assert_uint_eq(buf->vlan_tci, 0);
	ck_assert_uint_eq(buf->packet_type, 0);
	ck_assert_uint_eq(rte_mbuf_refcnt_read(buf), 1);
}

/* Join bufs[0..n) to one chain and return it. */
static struct rte_mbuf *
chain(struct rte_mbuf **bufs, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		bufs[i - 1]->next = bufs[i];
	bufs[0]->nb_segs = (uint16_t)n;
	return bufs[0];
}

static void
run_basics(struct weir_pool *pool)
{
	enum { N = 70 };
	struct rte_mbuf *bufs[N];

	for (int round = 0; round < 3; round++) {
		ck_assert(weir_buf_alloc_bulk(pool, bufs, N));
		ck_assert_uint_eq(weir_pool_available(pool), pool->size - N);
		for (uint32_t i = 0; i < N; i++) {
			assert_fresh(bufs[i]);
			memset(bufs[i]->buf_addr, (int)i, ROOM);
		}
		for (uint32_t i = 0; i < N; i++) {
			const uint8_t *data = bufs[i]->buf_addr;

			ck_assert_uint_eq(data[0], i);
			ck_assert_int_eq(memcmp(data, data + 1, ROOM - 1), 0);
			bufs[i]->data_off = 7;
			bufs[i]->pkt_len = bufs[i]->data_len = 9;
			bufs[i]->vlan_tci = 5;
			bufs[i]->packet_type = 1;
			bufs[i]->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
		}
		/* Chains of seven; a chain is one entry of the burst. */
		for (uint32_t i = 0; i < N; i += 7)
			bufs[i / 7] = chain(&bufs[i], 7);
		bufs[N / 7] = NULL;
		weir_buf_free_bulk(pool, bufs, N / 7 + 1);
		ck_assert_uint_eq(weir_pool_available(pool), pool->size);
		ck_assert_uint_eq(pool->allocated, N * (round + 1));
		ck_assert_uint_eq(pool->freed, pool->allocated);
	}
	weir_buf_free(pool, NULL);
	ck_assert_uint_eq(pool->freed, pool->allocated);
}

/* Two owners: what one frees stays the other's, segment by segment. */
static void
run_references(struct weir_pool *pool)
{
	struct rte_mbuf *bufs[3], *head;

	ck_assert(weir_buf_alloc_bulk(pool, bufs, 3));
	head = chain(bufs, 3);
	ck_assert(weir_buf_ours(head));
	rte_mbuf_refcnt_set(bufs[2], 2);
	ck_assert(!weir_buf_ours(head)); /* not all of it */
	rte_mbuf_refcnt_set(bufs[2], 1);
	weir_buf_ref(head);
	weir_buf_ref(head);
	for (int owner = 0; owner < 2; owner++) {
		weir_buf_free(pool, head);
		ck_assert_uint_eq(weir_pool_available(pool), pool->size - 3);
		ck_assert_ptr_eq(head->next, bufs[1]);
		ck_assert_uint_eq(rte_mbuf_refcnt_read(bufs[2]), 2 - owner);
		ck_assert_int_eq(weir_buf_ours(head), owner);
	}
	weir_buf_free(pool, head);
	ck_assert_uint_eq(weir_pool_available(pool), pool->size);
	ck_assert_uint_eq(pool->freed, pool->allocated);
	/* Twice the same buffer in one burst, as two leases of one frame are. */
	ck_assert(weir_buf_alloc_bulk(pool, bufs, 1));
	weir_buf_ref(bufs[0]);
	bufs[1] = bufs[0];
	weir_buf_free_bulk(pool, bufs, 2);
	ck_assert_uint_eq(weir_pool_available(pool), pool->size);
	ck_assert(weir_buf_alloc_bulk(pool, bufs, 1));
	assert_fresh(bufs[0]);
	weir_buf_free(pool, bufs[0]);
}

/* Every third allocation fails, whatever its size, and spends nothing. */
static void
run_injection(struct weir_pool *pool)
{
	struct rte_mbuf *bufs[4];

	pool->fail_every = 3;
	for (uint32_t i = 1; i <= 30; i++) {
		uint32_t n = 1 + i % 4;
		uint64_t allocated = pool->allocated;
		bool ok = weir_buf_alloc_bulk(pool, bufs, n);

		ck_assert(ok == (i % 3 != 0));
		ck_assert_uint_eq(pool->failed, i / 3);
		ck_assert_uint_eq(pool->allocated, allocated + (ok ? n : 0));
		ck_assert_uint_eq(weir_pool_available(pool), pool->size - (ok ? n : 0));
		if (ok)
			weir_buf_free_bulk(pool, bufs, n);
	}
	pool->fail_every = 1;
	ck_assert_ptr_null(weir_buf_alloc(pool));
	ck_assert(weir_buf_alloc_bulk(pool, bufs, 0)); /* nothing asked for: nothing can fail */
	pool->fail_every = 0;
	bufs[0] = weir_buf_alloc(pool);
	ck_assert_ptr_nonnull(bufs[0]);
	weir_buf_free(pool, bufs[0]);
}

/* Allocation from an empty pool: all or none, counted, and good again afterwards. */
static void
run_empty(struct weir_pool *pool)
{
	struct rte_mbuf *bufs[FAKE_SIZE], *more[4] = {NULL, NULL, NULL, NULL};

	ck_assert_uint_eq(pool->size, FAKE_SIZE);
	ck_assert(weir_buf_alloc_bulk(pool, bufs, FAKE_SIZE - 3));
	ck_assert(!weir_buf_alloc_bulk(pool, more, 4));
	ck_assert_uint_eq(pool->failed, 1);
	ck_assert_uint_eq(weir_pool_available(pool), 3);
	ck_assert(weir_buf_alloc_bulk(pool, bufs + FAKE_SIZE - 3, 3));
	ck_assert_uint_eq(weir_pool_available(pool), 0);
	for (int i = 0; i < 5; i++)
		ck_assert_ptr_null(weir_buf_alloc(pool));
	ck_assert_uint_eq(pool->failed, 6);
	ck_assert_uint_eq(pool->allocated, FAKE_SIZE);
	weir_buf_free(pool, bufs[0]);
	bufs[0] = weir_buf_alloc(pool);
	ck_assert_ptr_nonnull(bufs[0]);
	assert_fresh(bufs[0]);
	ck_assert_ptr_null(weir_buf_alloc(pool));
	weir_buf_free_bulk(pool, bufs, FAKE_SIZE);
	ck_assert_uint_eq(weir_pool_available(pool), FAKE_SIZE);
	ck_assert(!weir_buf_alloc_bulk(pool, bufs, UINT32_MAX));
	ck_assert_uint_eq(weir_pool_available(pool), FAKE_SIZE);
}

/* Random chains, references and frees: a buffer is free, or held as often as the model says. */
static void
run_balance(struct weir_pool *pool, uint64_t seed)
{
	enum { CHAINS = 60 };
	struct {
		struct rte_mbuf *head;
		uint32_t segs, owners;
	} held[CHAINS] = {{NULL, 0, 0}};
	uint32_t out = 0;

	random_state = seed;
	for (int step = 0; step < 20000; step++) {
		uint32_t i = random_below(CHAINS), n = 1 + random_below(6);
		struct rte_mbuf *bufs[6];

		if (held[i].owners == 0) {
			bool room = pool->size - out >= n;

			ck_assert(weir_buf_alloc_bulk(pool, bufs, n) == room);
			if (!room)
				continue;
			held[i].head = chain(bufs, n);
			held[i].segs = n;
			held[i].owners = 1;
			out += n;
		} else if (random_below(3) == 0) {
			weir_buf_ref(held[i].head);
			held[i].owners++;
		} else {
			weir_buf_free(pool, held[i].head);
			out -= --held[i].owners == 0 ? held[i].segs : 0;
		}
		if (step % 16 == 0)
			ck_assert_uint_eq(weir_pool_available(pool), pool->size - out);
	}
	for (uint32_t i = 0; i < CHAINS; i++)
		for (; held[i].owners != 0; held[i].owners--)
			weir_buf_free(pool, held[i].head);
	ck_assert_uint_eq(weir_pool_available(pool), pool->size);
	ck_assert_uint_eq(pool->freed, pool->allocated);
}

static void
run_balance_once(struct weir_pool *pool)
{
	run_balance(pool, 42);
}

static void
both_forms(void (*run)(struct weir_pool *pool))
{
	struct fake *fake = fake_open();
	struct weir_pool pool;

	ck_assert_int_eq(weir_pool_open_heap(&pool, FAKE_SIZE, ROOM), 0);
	run(&pool);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), 0);
	run(&pool);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
	fake_close(fake);
}

START_TEST(buffers_come_reset_and_go_home)
{
	both_forms(run_basics);
}
END_TEST

START_TEST(references_are_respected)
{
	both_forms(run_references);
}
END_TEST

START_TEST(injected_failures_are_exact)
{
	both_forms(run_injection);
}
END_TEST

START_TEST(pitfall_47_pool_empty_at_the_door)
{
	both_forms(run_empty);
}
END_TEST

START_TEST(pitfall_50_every_buffer_in_one_place)
{
	both_forms(run_balance_once);
}
END_TEST

/* ---- heap form ---- */

START_TEST(sizes_are_checked)
{
	struct fake *fake = fake_open();
	struct weir_pool pool;

	ck_assert_int_eq(weir_pool_open_heap(&pool, 0, ROOM), -EINVAL);
	ck_assert_int_eq(weir_pool_open_heap(&pool, 1, RTE_PKTMBUF_HEADROOM), -EINVAL);
	ck_assert_int_eq(weir_pool_open_heap(&pool, 1, UINT16_MAX + 1), -EINVAL);
	ck_assert_int_eq(weir_pool_open_mempool(&pool, NULL), -EINVAL);
	fake->mp.private_data_size = 0; /* not a pool of packets */
	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), -EINVAL);
	fake_close(fake);
}
END_TEST

START_TEST(heap_reuses_the_latest)
{
	struct weir_pool pool;
	struct rte_mbuf *a, *b;

	ck_assert_int_eq(weir_pool_open_heap(&pool, 1000, ROOM), 0);
	a = weir_buf_alloc(&pool);
	b = weir_buf_alloc(&pool);
	weir_buf_free(&pool, a);
	weir_buf_free(&pool, b);
	ck_assert_ptr_eq(weir_buf_alloc(&pool), b);
	ck_assert_ptr_eq(weir_buf_alloc(&pool), a);
	weir_buf_free(&pool, a);
	weir_buf_free(&pool, b);
	ck_assert_ptr_null(a->pool);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

START_TEST(close_counts_what_is_missing)
{
	struct fake *fake = fake_open();
	struct weir_pool pool;
	struct rte_mbuf *bufs[5];

	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), 0);
	ck_assert(weir_buf_alloc_bulk(&pool, bufs, 5));
	weir_buf_free(&pool, bufs[2]);
	ck_assert_uint_eq(weir_pool_close(&pool), 4);
	/* The next owner of the mempool is not blamed for those. */
	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), 0);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
	fake_close(fake);
	memset(&pool, 0, sizeof(pool)); /* never opened */
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
}
END_TEST

/* Whoever still has a buffer when its pool closes can go on reading it. */
START_TEST(late_buffers_outlive_their_pool)
{
	static struct rte_mbuf *late; /* static: the block stays reachable */
	struct weir_pool pool, other;

	ck_assert_int_eq(weir_pool_open_heap(&pool, 4, ROOM), 0);
	ck_assert_int_eq(weir_pool_open_heap(&other, 4, ROOM), 0);
	late = weir_buf_alloc(&pool);
	memset(late->buf_addr, 0x77, ROOM);
	ck_assert_uint_eq(weir_pool_close(&pool), 1);
	ck_assert_uint_eq(((uint8_t *)late->buf_addr)[ROOM - 1], 0x77);
	weir_buf_free(&other, late);
	ck_assert_uint_eq(weir_pool_available(&other), 4);
	ck_assert_uint_eq(weir_pool_close(&other), 0);
}
END_TEST

START_TEST(a_foreign_buffer_goes_home)
{
	struct weir_pool a, b;
	struct rte_mbuf *bufs[10], *mixed[3];

	ck_assert_int_eq(weir_pool_open_heap(&a, 10, ROOM), 0);
	ck_assert_int_eq(weir_pool_open_heap(&b, 10, ROOM), 0);
	for (int round = 0; round < 3; round++) {
		ck_assert(weir_buf_alloc_bulk(&a, bufs, 10));
		weir_buf_free_bulk(&b, bufs, 6);
		ck_assert_uint_eq(weir_pool_available(&a), 6);
		weir_buf_free_bulk(&a, bufs + 6, 4);
		ck_assert_uint_eq(weir_pool_available(&a), 10);
		ck_assert_uint_eq(weir_pool_available(&b), 10);
		ck_assert_uint_eq(b.freed, 6); /* counted by who freed */
		/* One chain, segments of both. */
		mixed[0] = weir_buf_alloc(&a);
		mixed[1] = weir_buf_alloc(&b);
		mixed[2] = weir_buf_alloc(&a);
		weir_buf_free(round == 0 ? &a : &b, chain(mixed, 3));
		b.freed = 0;
		ck_assert_uint_eq(weir_pool_available(&a), 10);
		ck_assert_uint_eq(weir_pool_available(&b), 10);
	}
	ck_assert_uint_eq(weir_pool_close(&b), 0);
	ck_assert_uint_eq(weir_pool_close(&a), 0);
}
END_TEST

/* Two ends of an in-memory port on two threads: each frees what the other allocated. */
#define RING   64
#define FRAMES 200000

struct end {
	struct weir_pool pool;
	struct rte_mbuf *ring[RING]; /* towards this end */
	_Atomic uint32_t head, tail;
	struct end *peer;
	uint32_t received;
};

static bool
end_send(struct end *end)
{
	struct end *to = end->peer;
	uint32_t head = atomic_load_explicit(&to->head, memory_order_relaxed);
	struct rte_mbuf *buf;

	if (head - atomic_load_explicit(&to->tail, memory_order_acquire) == RING)
		return false;
	buf = weir_buf_alloc(&end->pool);
	if (buf == NULL)
		return false;
	memcpy(buf->buf_addr, &head, sizeof(head));
	to->ring[head % RING] = buf;
	atomic_store_explicit(&to->head, head + 1, memory_order_release);
	return true;
}

static void
end_receive(struct end *end)
{
	uint32_t tail = atomic_load_explicit(&end->tail, memory_order_relaxed);
	uint32_t head = atomic_load_explicit(&end->head, memory_order_acquire);
	struct rte_mbuf *bufs[RING];
	uint32_t n = 0;

	for (; tail != head; tail++, n++) {
		bufs[n] = end->ring[tail % RING];
		end->received += memcmp(bufs[n]->buf_addr, &tail, sizeof(tail)) == 0;
	}
	weir_buf_free_bulk(&end->pool, bufs, n);
	atomic_store_explicit(&end->tail, tail, memory_order_release);
}

static void *
end_run(void *arg)
{
	struct end *end = arg;
	uint32_t sent = 0;

	while (sent < FRAMES || atomic_load(&end->tail) < FRAMES) {
		if (sent < FRAMES)
			sent += end_send(end);
		end_receive(end);
	}
	return NULL;
}

START_TEST(two_threads_return_each_others_buffers)
{
	static struct end ends[2];
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		/* Fewer buffers than the ring holds: they must come home to go out again. */
		ck_assert_int_eq(weir_pool_open_heap(&ends[i].pool, RING / 2, ROOM), 0);
		ends[i].peer = &ends[1 - i];
	}
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, end_run, &ends[i]), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(ends[i].received, FRAMES);
		ck_assert_uint_eq(weir_pool_available(&ends[i].pool), RING / 2);
		ck_assert_uint_eq(weir_pool_close(&ends[i].pool), 0);
	}
}
END_TEST

/* ---- mempool form ---- */

/* A burst of the usual kind goes back in one call, whatever the length of its chains. */
START_TEST(one_burst_is_put_back_at_once)
{
	struct fake *fake = fake_open();
	struct weir_pool pool;
	struct rte_mbuf *bufs[64];

	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), 0);
	ck_assert_uint_eq(pool.size, FAKE_SIZE);
	ck_assert_uint_eq(pool.data_room, ROOM);
	ck_assert(weir_buf_alloc_bulk(&pool, bufs, 64));
	weir_buf_free_bulk(&pool, bufs, 64);
	ck_assert_uint_eq(fake->puts, 1);
	ck_assert(weir_buf_alloc_bulk(&pool, bufs, 60));
	weir_buf_free(&pool, chain(bufs, 60));
	ck_assert_uint_eq(fake->puts, 2);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
	fake_close(fake);
}
END_TEST

/* More than fits one put, from two mempools and two heaps in turn. */
START_TEST(a_mixed_burst_goes_home)
{
	enum { EACH = 25 };
	struct fake *fakes[2] = {fake_open(), fake_open()};
	struct weir_pool pools[4];
	struct rte_mbuf *bufs[4 * EACH];

	for (int by = 0; by < 4; by++) {
		for (int i = 0; i < 2; i++) {
			ck_assert_int_eq(weir_pool_open_mempool(&pools[i], &fakes[i]->mp), 0);
			ck_assert_int_eq(weir_pool_open_heap(&pools[2 + i], EACH, ROOM), 0);
		}
		for (int i = 0; i < 4 * EACH; i++)
			ck_assert_ptr_nonnull(bufs[i] = weir_buf_alloc(&pools[i % 4]));
		weir_buf_free_bulk(&pools[by], bufs, 4 * EACH);
		ck_assert_uint_eq(pools[by].freed, 4 * EACH);
		for (int i = 0; i < 4; i++) {
			ck_assert_uint_eq(weir_pool_available(&pools[i]), pools[i].size);
			ck_assert_uint_eq(weir_pool_close(&pools[i]), 0);
		}
	}
	fake_close(fakes[0]);
	fake_close(fakes[1]);
}
END_TEST

static uint32_t external_freed;

static void
external_free(void *addr, void *opaque)
{
	(void)opaque;
	external_freed++;
	free(addr);
}

/* Zero-copy drivers attach memory of their own, clones share that of another buffer. */
START_TEST(attached_memory_is_given_back)
{
	struct fake *fake = fake_open();
	struct rte_mbuf_ext_shared_info info = {.free_cb = external_free, .refcnt = 1};
	struct weir_pool pool;
	struct rte_mbuf *external, *direct, *clone;

	ck_assert_int_eq(weir_pool_open_mempool(&pool, &fake->mp), 0);
	external = weir_buf_alloc(&pool);
	rte_pktmbuf_attach_extbuf(external, malloc(100), 0, 100, &info);
	weir_buf_ref(external);
	weir_buf_free(&pool, external);
	ck_assert_uint_eq(external_freed, 0);
	weir_buf_free(&pool, external);
	ck_assert_uint_eq(external_freed, 1);
	ck_assert_uint_eq(weir_pool_available(&pool), FAKE_SIZE);
	direct = weir_buf_alloc(&pool);
	clone = weir_buf_alloc(&pool);
	rte_pktmbuf_attach(clone, direct);
	weir_buf_free(&pool, direct);
	ck_assert_uint_eq(weir_pool_available(&pool), FAKE_SIZE - 2);
	weir_buf_free(&pool, clone);
	ck_assert_uint_eq(weir_pool_available(&pool), FAKE_SIZE);
	/* The buffers themselves are as before. */
	external = weir_buf_alloc(&pool);
	assert_fresh(external);
	weir_buf_free(&pool, external);
	ck_assert_uint_eq(weir_pool_close(&pool), 0);
	fake_close(fake);
}
END_TEST

#ifdef WEIR_DEBUG
static void
run_poison(struct weir_pool *pool)
{
	struct rte_mbuf *buf = weir_buf_alloc(pool);
	const uint8_t *data = buf->buf_addr;

	memset(buf->buf_addr, 0x11, ROOM);
	weir_buf_ref(buf);
	weir_buf_free(pool, buf);
	ck_assert_uint_eq(data[ROOM - 1], 0x11); /* still owned */
	weir_buf_free(pool, buf);
	ck_assert_uint_ne(data[0], 0x11);
	ck_assert_int_eq(memcmp(data, data + 1, ROOM - 1), 0);
}

START_TEST(freed_data_is_poisoned)
{
	both_forms(run_poison);
}
END_TEST
#endif

static void
add(Suite *s)
{
	UNIT_CASE(s, buffers_come_reset_and_go_home);
	UNIT_CASE(s, references_are_respected);
	UNIT_CASE(s, injected_failures_are_exact);
	UNIT_CASE(s, pitfall_47_pool_empty_at_the_door);
	UNIT_CASE(s, pitfall_50_every_buffer_in_one_place);
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, heap_reuses_the_latest);
	UNIT_CASE(s, close_counts_what_is_missing);
	UNIT_CASE(s, late_buffers_outlive_their_pool);
	UNIT_CASE(s, a_foreign_buffer_goes_home);
	UNIT_CASE(s, two_threads_return_each_others_buffers);
	UNIT_CASE(s, one_burst_is_put_back_at_once);
	UNIT_CASE(s, a_mixed_burst_goes_home);
	UNIT_CASE(s, attached_memory_is_given_back);
#ifdef WEIR_DEBUG
	UNIT_CASE(s, freed_data_is_poisoned);
#endif
}

UNIT_MAIN("buffer", add)
