/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/engine_test.h"

START_TEST(capacity_is_a_power_of_two)
{
	static const uint32_t wrong[] = {0, 3, 6, 1000, 1u << 31, UINT32_MAX};
	struct weir_channel *channel;

	open_default();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_int_eq(weir_channel_open(world.engine, wrong[i], &channel), -EINVAL);
	ck_assert_int_eq(weir_channel_open(world.engine, 4, &channel), 0);
	weir_channel_close(channel);
	world_close(&world);
}
END_TEST

START_TEST(there_is_a_most_of_channels)
{
	struct weir_channel *channels[WEIR_CHANNELS_MAX], *more;

	open_default();
	for (int i = 0; i < WEIR_CHANNELS_MAX; i++)
		ck_assert_int_eq(weir_channel_open(world.engine, 4, &channels[i]), 0);
	ck_assert_int_eq(weir_channel_open(world.engine, 4, &more), -ENOSPC);
	weir_channel_close(channels[3]);
	ck_assert_int_eq(weir_channel_open(world.engine, 4, &channels[3]), 0);
	world_close(&world); /* closes those that are open */
}
END_TEST

/* Lease what is unread, packet by packet; the handles are returned. */
static uint32_t
lease_all(weir_conn conn, uint64_t *leases, uint32_t most)
{
	struct weir_span span;
	uint32_t n = 0;

	while (weir_conn_lease(world.stack, conn, &span, 1) == 1) {
		ck_assert_uint_eq(span.last, 1);
		ck_assert_uint_lt(n, most);
		leases[n++] = span.lease;
	}
	return n;
}

START_TEST(a_channel_takes_its_capacity_and_no_more)
{
	struct weir_channel *channel;
	const uint64_t none[40] = {0};

	open_default();
	for (uint32_t capacity = 1; capacity <= 32; capacity *= 2) {
		ck_assert_int_eq(weir_channel_open(world.engine, capacity, &channel), 0);
		for (int round = 0; round < 3; round++) {
			ck_assert_uint_eq(weir_channel_release(channel, none, 40), capacity);
			ck_assert_int_eq(weir_channel_close_conn(channel, 1), -EAGAIN);
			ck_assert_int_eq(weir_channel_abort_conn(channel, 1), -EAGAIN);
			ck_assert_int_eq(weir_channel_shutdown_conn(channel, 1), -EAGAIN);
			ck_assert_int_eq(weir_channel_linger_conn(channel, 1, 5), -EAGAIN);
			world_poll(&world, 1000);
		}
		weir_channel_close(channel);
	}
	world_close(&world);
}
END_TEST

START_TEST(leases_come_back_with_the_next_poll)
{
	struct weir_channel *channel;
	struct remote remote;
	uint64_t leases[64];
	uint32_t n;

	open_default();
	ck_assert_int_eq(weir_channel_open(world.engine, 64, &channel), 0);
	open_remotes(&remote, 1);
	stream_segs(&remote, 10);
	world_poll(&world, 1000);
	n = lease_all(remote.conn, leases, 64);
	ck_assert_uint_eq(n, 10);
	ck_assert_uint_eq(weir_channel_release(channel, leases, n), n);
	ck_assert_uint_eq(stats_now()->leases, 10);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->leases, 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	ck_assert_uint_eq(info_of(remote.conn).leased_bytes, 0);
	/* sent twice, or never out: ignored */
	ck_assert_uint_eq(weir_channel_release(channel, leases, 1), 1);
	leases[0] = UINT64_MAX;
	ck_assert_uint_eq(weir_channel_release(channel, leases, 1), 1);
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	weir_channel_close(channel);
	world_close(&world);
}
END_TEST

START_TEST(close_and_abort_are_commands)
{
	struct weir_channel *channel;
	struct remote remotes[2];

	open_default();
	ck_assert_int_eq(weir_channel_open(world.engine, 8, &channel), 0);
	open_remotes(remotes, 2);
	ck_assert_int_eq(weir_channel_close_conn(channel, remotes[0].conn), 0);
	ck_assert_int_eq(weir_channel_abort_conn(channel, remotes[1].conn), 0);
	ck_assert_int_eq(weir_channel_abort_conn(channel, 0xdead00000001), 0); /* stale */
	ck_assert_uint_eq(info_of(remotes[0].conn).state, 1);
	ck_assert_uint_eq(world_poll(&world, 1000), 2);
	ck_assert_uint_eq(world.replies[0].flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
	ck_assert_uint_eq(world.replies[0].dport, 40000);
	ck_assert_uint_eq(world.replies[1].flags, WEIR_TCP_RST | WEIR_TCP_ACK);
	ck_assert_uint_eq(world.replies[1].dport, 40001);
	ck_assert_uint_eq(world.n_events, 1);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[0].flags, WEIR_CLOSE_ABORTED);
	ck_assert_uint_eq(info_of(remotes[0].conn).state, 2);
	world_close(&world);
}
END_TEST

/* Half-close keeps what is to be read; a linger ends by RST after its time, and no other. */
START_TEST(shutdown_and_linger_are_commands)
{
	struct weir_channel *channel;
	struct remote remotes[2];

	open_default();
	ck_assert_int_eq(weir_channel_open(world.engine, 8, &channel), 0);
	open_remotes(remotes, 2);
	ck_assert_int_eq(weir_channel_linger_conn(channel, remotes[1].conn, 1u << 31), -EINVAL);
	ck_assert_int_eq(weir_channel_shutdown_conn(channel, remotes[0].conn), 0);
	ck_assert_int_eq(weir_channel_linger_conn(channel, remotes[1].conn, 700), 0);
	ck_assert_int_eq(weir_channel_shutdown_conn(channel, 0xdead00000001), 0); /* stale */
	ck_assert_int_eq(weir_channel_linger_conn(channel, 0xdead00000001, 1), 0);
	ck_assert_uint_eq(info_of(remotes[0].conn).state, 1);
	ck_assert_uint_eq(world_poll(&world, 1000), 2);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(world.replies[i].flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
		ck_assert_uint_eq(world.replies[i].dport, 40000 + i);
	}
	world_forget(&world);
	remote_stream(&world, &remotes[0], 0, 300); /* still heard */
	world_poll(&world, 698000000);
	ck_assert_uint_eq(world.n_events, 1);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_DATA);
	world_forget(&world);
	ck_assert_uint_eq(world_poll(&world, 3000000), 1);
	ck_assert_uint_eq(world.replies[0].flags, WEIR_TCP_RST | WEIR_TCP_ACK);
	ck_assert_uint_eq(world.replies[0].dport, 40001);
	ck_assert_uint_eq(world.n_events, 1);
	ck_assert_uint_eq(world.events[0].conn, remotes[1].conn);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[0].flags, WEIR_CLOSE_TIMEOUT);
	ck_assert_int_eq(weir_conn_discard(world.stack, remotes[0].conn, 1000), 300);
	world_close(&world);
}
END_TEST

START_TEST(what_is_still_in_it_is_done_when_it_is_closed)
{
	struct weir_channel *channel;
	struct remote remote;
	uint64_t leases[16];

	open_default();
	ck_assert_int_eq(weir_channel_open(world.engine, 16, &channel), 0);
	open_remotes(&remote, 1);
	stream_segs(&remote, 5);
	world_poll(&world, 1000);
	ck_assert_uint_eq(lease_all(remote.conn, leases, 16), 5);
	ck_assert_uint_eq(weir_channel_release(channel, leases, 5), 5);
	weir_channel_close(channel);
	ck_assert_uint_eq(stats_now()->leases, 0);
	world_close(&world);
}
END_TEST

/* A message from before a reset names nothing of what came after it, however many there are. */
START_TEST(a_reset_empties_channels)
{
	static const uint64_t fill[3000];
	struct weir_channel *channel;
	struct remote remote;
	uint64_t leases[16];

	open_default();
	ck_assert_int_eq(weir_channel_open(world.engine, 4096, &channel), 0);
	for (int round = 0; round < 2; round++) {
		open_remotes(&remote, 1);
		stream_segs(&remote, 3);
		world_poll(&world, 1000);
		ck_assert_uint_eq(lease_all(remote.conn, leases, 16), 3);
		ck_assert_uint_eq(weir_channel_release(channel, fill, 3000), 3000);
		ck_assert_uint_eq(weir_channel_release(channel, leases, 3), 3);
		ck_assert_int_eq(weir_channel_abort_conn(channel, remote.conn), 0);
		ck_assert_int_eq(weir_stack_reset(world.stack, 1, world.now_ns), 0);
		open_remotes(&remote, 1);
		stream_segs(&remote, 3);
		world_poll(&world, 1000);
		ck_assert_uint_eq(lease_all(remote.conn, leases, 16), 3);
		for (int i = 0; i < 20; i++)
			world_poll(&world, 1000);
		ck_assert_uint_eq(stats_now()->leases, 3);
		ck_assert_uint_eq(stats_now()->established, 1);
		ck_assert_int_eq(weir_stack_reset(world.stack, 1, world.now_ns), 0);
	}
	world_close(&world);
}
END_TEST

/* ---- an application thread ---- */

#define HAND_OVER 256

struct worker {
	struct weir_channel *channel;
	struct weir_span spans[HAND_OVER]; /* single producer, single consumer */
	_Atomic uint32_t head, tail;
	_Atomic bool stop, done;
	uint64_t offset;
	weir_conn conn;
};

static void
give_back(struct weir_channel *channel, uint64_t lease)
{
	while (weir_channel_release(channel, &lease, 1) == 0)
		;
}

static void *
work(void *arg)
{
	struct worker *worker = arg;
	uint32_t tail = 0;

	for (;;) {
		const struct weir_span *span = &worker->spans[tail % HAND_OVER];

		if (tail == atomic_load_explicit(&worker->head, memory_order_acquire)) {
			if (atomic_load_explicit(&worker->stop, memory_order_acquire) &&
			    tail == atomic_load_explicit(&worker->head, memory_order_acquire))
				break;
			continue;
		}
		check_content(span->data, worker->offset, span->len);
		worker->offset += span->len;
		give_back(worker->channel, span->lease);
		atomic_store_explicit(&worker->tail, ++tail, memory_order_release);
	}
	while (weir_channel_shutdown_conn(worker->channel, worker->conn) != 0)
		;
	while (weir_channel_linger_conn(worker->channel, worker->conn, 500) != 0)
		;
	atomic_store_explicit(&worker->done, true, memory_order_release);
	return NULL;
}

/* Every unread span that there is room for goes to the worker. */
static void
hand_over(struct worker *worker)
{
	uint32_t head = atomic_load_explicit(&worker->head, memory_order_relaxed);

	while (head - atomic_load_explicit(&worker->tail, memory_order_acquire) < HAND_OVER) {
		if (weir_conn_lease(world.stack, worker->conn, &worker->spans[head % HAND_OVER],
				    1) <= 0)
			return;
		atomic_store_explicit(&worker->head, ++head, memory_order_release);
	}
}

START_TEST(another_thread_reads_and_gives_back)
{
	static struct worker worker;
	struct remote remote;
	pthread_t thread;
	uint64_t total;

	open_default();
	ck_assert_int_eq(weir_channel_open(world.engine, 64, &worker.channel), 0);
	open_remotes(&remote, 1);
	worker.conn = remote.conn;
	worker.offset = ENGINE_TEST_FIRST;
	ck_assert_int_eq(pthread_create(&thread, NULL, work, &worker), 0);
	for (int i = 0; remote.snd_nxt - remote.iss < 2000000 && i < 10000000; i++) {
		const struct weir_conn_info info = info_of(remote.conn);

		if (info.receive_window > 30 * ENGINE_TEST_MSS && info.unread_bytes < 200000)
			stream_segs(&remote, 20);
		world_poll(&world, 1000);
		world_forget(&world);
		hand_over(&worker);
	}
	while (info_of(remote.conn).unread_bytes != 0) {
		world_poll(&world, 1000);
		world_forget(&world);
		hand_over(&worker);
	}
	atomic_store_explicit(&worker.stop, true, memory_order_release);
	while (!atomic_load_explicit(&worker.done, memory_order_acquire))
		world_poll(&world, 1000);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	world_poll(&world, 1000);
	total = remote.snd_nxt - remote.iss - 1;
	ck_assert_uint_gt(total, 1000000);
	ck_assert_uint_eq(worker.offset, total);
	ck_assert_uint_eq(stats_now()->leases, 0);
	ck_assert_uint_eq(stats_now()->buffers_held, 0);
	ck_assert_uint_eq(info_of(remote.conn).state, 2); /* its commands were carried out */
	world_forget(&world);
	world_poll(&world, 600000000);
	ck_assert_uint_eq(world.events[0].type, WEIR_EVENT_CLOSED);
	ck_assert_uint_eq(world.events[0].flags, WEIR_CLOSE_TIMEOUT);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, capacity_is_a_power_of_two);
	UNIT_CASE(s, there_is_a_most_of_channels);
	UNIT_CASE(s, a_channel_takes_its_capacity_and_no_more);
	UNIT_CASE(s, leases_come_back_with_the_next_poll);
	UNIT_CASE(s, close_and_abort_are_commands);
	UNIT_CASE(s, shutdown_and_linger_are_commands);
	UNIT_CASE(s, what_is_still_in_it_is_done_when_it_is_closed);
	UNIT_CASE(s, a_reset_empties_channels);
	UNIT_CASE(s, another_thread_reads_and_gives_back);
}

UNIT_MAIN("channel", add)
