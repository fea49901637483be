/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "engine/port.h"
#include "tests/unit/unit.h"

#define ROOM	 (RTE_PKTMBUF_HEADROOM + 64)
#define BUFFERS	 64
#define CAPACITY 16

struct fixture {
	struct weir_pool pools[2];
	struct weir_port *ends[2];
};

static void
set_up(struct fixture *f)
{
	ck_assert_int_eq(weir_pool_open_heap(&f->pools[0], BUFFERS, ROOM), 0);
	ck_assert_int_eq(weir_pool_open_heap(&f->pools[1], BUFFERS, ROOM), 0);
	ck_assert_int_eq(weir_port_open_pair(CAPACITY, f->ends), 0);
}

static void
start_both(struct fixture *f)
{
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(f->ends[i]->start(f->ends[i]->ctx, &f->pools[i]), 0);
}

static void
assert_all_home(struct fixture *f)
{
	ck_assert_uint_eq(weir_pool_close(&f->pools[0]), 0);
	ck_assert_uint_eq(weir_pool_close(&f->pools[1]), 0);
}

static uint16_t
tx(struct weir_port *port, struct rte_mbuf **bufs, uint16_t n)
{
	return port->tx_burst(port->ctx, bufs, n, 0);
}

static uint16_t
rx(struct weir_port *port, struct rte_mbuf **bufs, uint16_t n)
{
	return port->rx_burst(port->ctx, bufs, n, 0);
}

/* Send n new frames from one end; all must fit. */
static void
send_frames(struct fixture *f, int from, uint16_t n)
{
	struct rte_mbuf *bufs[BUFFERS];

	ck_assert(weir_buf_alloc_bulk(&f->pools[from], bufs, n));
	ck_assert_uint_eq(tx(f->ends[from], bufs, n), n);
}

START_TEST(capacity_is_a_power_of_two)
{
	struct weir_port *ends[2];

	ck_assert_int_eq(weir_port_open_pair(0, ends), -EINVAL);
	ck_assert_int_eq(weir_port_open_pair(3, ends), -EINVAL);
	ck_assert_int_eq(weir_port_open_pair(1u << 31, ends), -EINVAL);
	ck_assert_int_eq(weir_port_open_pair(16, NULL), -EINVAL);
	ck_assert_int_eq(weir_port_open_pair(1, ends), 0);
	weir_port_close(ends[0]);
	weir_port_close(ends[1]);
}
END_TEST

START_TEST(ends_have_their_addresses)
{
	static const uint8_t mac[2][6] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};
	struct fixture f;

	set_up(&f);
	for (int i = 0; i < 2; i++) {
		ck_assert_mem_eq(f.ends[i]->mac, mac[i], 6);
		ck_assert_uint_eq(f.ends[i]->capabilities & WEIR_PORT_L3, 0);
		ck_assert_uint_eq(f.ends[i]->frame_room, 0);
		weir_port_close(f.ends[i]);
	}
	assert_all_home(&f);
}
END_TEST

START_TEST(frames_cross_in_order)
{
	struct rte_mbuf *out[2][CAPACITY], *in[CAPACITY];
	struct fixture f;

	set_up(&f);
	start_both(&f);
	for (int i = 0; i < 2; i++) {
		ck_assert(weir_buf_alloc_bulk(&f.pools[i], out[i], CAPACITY));
		ck_assert_uint_eq(tx(f.ends[i], out[i], CAPACITY), CAPACITY);
	}
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(rx(f.ends[i], in, 5), 5);
		ck_assert_uint_eq(rx(f.ends[i], in + 5, CAPACITY), CAPACITY - 5);
		ck_assert_uint_eq(rx(f.ends[i], in, CAPACITY), 0);
		ck_assert_mem_eq(in, out[!i], sizeof(in));
		weir_buf_free_bulk(&f.pools[i], in, CAPACITY);
	}
	weir_port_close(f.ends[0]);
	weir_port_close(f.ends[1]);
	assert_all_home(&f);
}
END_TEST

START_TEST(pitfall_49_full_pair_takes_fewer)
{
	struct rte_mbuf *out[BUFFERS], *in[BUFFERS];
	struct fixture f;

	set_up(&f);
	start_both(&f);
	ck_assert(weir_buf_alloc_bulk(&f.pools[0], out, CAPACITY + 4));
	ck_assert_uint_eq(tx(f.ends[0], out, 3), 3);
	ck_assert_uint_eq(tx(f.ends[0], out + 3, CAPACITY + 1), CAPACITY - 3);
	ck_assert_uint_eq(tx(f.ends[0], out + CAPACITY, 4), 0);
	ck_assert_uint_eq(rx(f.ends[1], in, 2), 2);
	/* What was refused stayed the sender's and goes on the next try. */
	ck_assert_uint_eq(tx(f.ends[0], out + CAPACITY, 4), 2);
	ck_assert_uint_eq(rx(f.ends[1], in + 2, BUFFERS - 2), CAPACITY);
	ck_assert_mem_eq(in, out, (CAPACITY + 2) * sizeof(in[0]));
	weir_buf_free_bulk(&f.pools[1], in, CAPACITY + 2);
	weir_buf_free_bulk(&f.pools[0], out + CAPACITY + 2, 2);
	weir_port_close(f.ends[0]);
	weir_port_close(f.ends[1]);
	assert_all_home(&f);
}
END_TEST

START_TEST(either_end_closes_first)
{
	for (int first = 0; first < 2; first++) {
		for (int started = 0; started < 2; started++) {
			struct fixture f;

			set_up(&f);
			if (started)
				start_both(&f);
			send_frames(&f, 0, CAPACITY);
			send_frames(&f, 1, CAPACITY);
			weir_port_close(f.ends[first]);
			weir_port_close(f.ends[!first]);
			assert_all_home(&f);
		}
	}
}
END_TEST

START_TEST(sender_outlives_receiver)
{
	struct fixture f;

	set_up(&f);
	start_both(&f);
	weir_port_close(f.ends[0]);
	send_frames(&f, 1, 4);
	/* Nobody will take them: they are back when the sender stops, before its pool goes. */
	f.ends[1]->stop(f.ends[1]->ctx);
	assert_all_home(&f);
	weir_port_close(f.ends[1]);
}
END_TEST

START_TEST(stopped_ends_hold_nothing)
{
	struct fixture f;

	set_up(&f);
	for (int round = 0; round < 2; round++) {
		start_both(&f);
		send_frames(&f, 0, 7);
		send_frames(&f, 1, 9);
		f.ends[0]->stop(f.ends[0]->ctx);
		/* Freed through the door of the end that would have received them. */
		ck_assert_uint_eq(weir_pool_available(&f.pools[1]), BUFFERS);
		ck_assert_uint_eq(weir_pool_available(&f.pools[0]), BUFFERS - 7);
		f.ends[1]->stop(f.ends[1]->ctx);
		ck_assert_uint_eq(weir_pool_available(&f.pools[0]), BUFFERS);
	}
	weir_port_close(f.ends[1]);
	weir_port_close(f.ends[0]);
	assert_all_home(&f);
}
END_TEST

/* Random bursts against a counter: the ring wraps its positions many times over. */
START_TEST(bursts_match_a_model)
{
	struct rte_mbuf *bufs[BUFFERS];
	uint32_t sent = 0, seen = 0, seed = 7;
	struct fixture f;

	set_up(&f);
	start_both(&f);
	for (int i = 0; i < 100000; i++) {
		uint16_t n, want;

		seed = seed * 1664525 + 1013904223;
		want = (uint16_t)((seed >> 16) % (CAPACITY + 4));
		if (seed >> 31) {
			ck_assert(weir_buf_alloc_bulk(&f.pools[0], bufs, want));
			for (uint16_t k = 0; k < want; k++)
				*rte_pktmbuf_mtod(bufs[k], uint32_t *) = sent + k;
			n = tx(f.ends[0], bufs, want);
			ck_assert_uint_eq(n, RTE_MIN((uint32_t)want, CAPACITY - (sent - seen)));
			weir_buf_free_bulk(&f.pools[0], bufs + n, want - n);
			sent += n;
		} else {
			n = rx(f.ends[1], bufs, want);
			ck_assert_uint_eq(n, RTE_MIN((uint32_t)want, sent - seen));
			for (uint16_t k = 0; k < n; k++)
				ck_assert_uint_eq(*rte_pktmbuf_mtod(bufs[k], uint32_t *), seen++);
			weir_buf_free_bulk(&f.pools[1], bufs, n);
		}
	}
	weir_port_close(f.ends[0]);
	weir_port_close(f.ends[1]);
	assert_all_home(&f);
}
END_TEST

#define CROSSINGS 50000

static void *
produce(void *arg)
{
	struct fixture *f = arg;
	uint32_t sent = 0;

	while (sent < CROSSINGS) {
		struct rte_mbuf *buf = weir_buf_alloc(&f->pools[0]);

		if (buf == NULL) {
			sched_yield();
			continue;
		}
		*rte_pktmbuf_mtod(buf, uint32_t *) = sent;
		if (tx(f->ends[0], &buf, 1) == 1) {
			sent++;
		} else {
			weir_buf_free(&f->pools[0], buf);
			sched_yield();
		}
	}
	return NULL;
}

START_TEST(one_thread_per_end)
{
	struct rte_mbuf *bufs[8];
	pthread_t thread;
	struct fixture f;
	uint32_t seen = 0;

	set_up(&f);
	start_both(&f);
	ck_assert_int_eq(pthread_create(&thread, NULL, produce, &f), 0);
	while (seen < CROSSINGS) {
		uint16_t n = rx(f.ends[1], bufs, 8);

		for (uint16_t i = 0; i < n; i++)
			ck_assert_uint_eq(*rte_pktmbuf_mtod(bufs[i], uint32_t *), seen++);
		weir_buf_free_bulk(&f.pools[1], bufs, n);
		if (n == 0)
			sched_yield();
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	weir_port_close(f.ends[0]);
	weir_port_close(f.ends[1]);
	assert_all_home(&f);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, capacity_is_a_power_of_two);
	UNIT_CASE(s, ends_have_their_addresses);
	UNIT_CASE(s, frames_cross_in_order);
	UNIT_CASE(s, pitfall_49_full_pair_takes_fewer);
	UNIT_CASE(s, either_end_closes_first);
	UNIT_CASE(s, sender_outlives_receiver);
	UNIT_CASE(s, stopped_ends_hold_nothing);
	UNIT_CASE(s, bursts_match_a_model);
	UNIT_CASE(s, one_thread_per_end);
}

UNIT_MAIN("pair", add)
