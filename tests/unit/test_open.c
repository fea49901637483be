/* SPDX-License-Identifier: BSD-3-Clause */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flow/arena.h"
#include "tests/unit/engine_test.h"

static struct weir_stack *
create(const struct weir_config *config)
{
	struct weir_stack *stack = NULL;

	ck_assert_int_eq(weir_stack_create(config, &stack), 0);
	ck_assert_ptr_nonnull(stack);
	return stack;
}

START_TEST(tables_are_as_large_as_configured)
{
	struct weir_config config;
	struct weir_stack *stack;
	const struct weir_tcp *tcp;

	world_config(&config);
	config.flows = 100;
	config.syn_entries = 30;
	config.time_wait_entries = 20;
	config.buffers = 400;
	config.rx_queue_segs = 7;
	config.budget_segs = 11;
	config.quantum_segs = 5;
	config.burst = 9;
	config.aggregate_limit = 3;
	stack = create(&config);
	tcp = &weir_stack_engine(stack, 0)->tcp;
	ck_assert_uint_eq(tcp->flow_free.size, 100);
	ck_assert_uint_eq(tcp->syn_free.size, 30);
	ck_assert_uint_eq(tcp->time_wait_free.size, 20);
	ck_assert_uint_eq(tcp->queues.capacity, 7);
	ck_assert_uint_eq(tcp->queues.size, 100);
	ck_assert_uint_eq(tcp->aggregate_limit, 3);
	ck_assert_uint_eq(weir_stack_engine(stack, 0)->budget_segs, 11);
	ck_assert_uint_eq(weir_stack_engine(stack, 0)->quantum_segs, 5);
	ck_assert_uint_eq(weir_stack_engine(stack, 0)->burst, 9);
	/* some buffers are never promised: they are for the rings and for control */
	ck_assert_uint_eq(tcp->budget_bufs, 300);
	ck_assert_uint_gt(weir_stack_engine(stack, 0)->hard_bufs, 300);
	ck_assert_uint_lt(weir_stack_engine(stack, 0)->hard_bufs, 400);
	ck_assert_int_eq(weir_stack_destroy(stack), 0);
}
END_TEST

/* Every flow there is can be opened, one more is refused, and a free one serves again. */
START_TEST(every_flow_can_be_used)
{
	struct weir_config config;
	struct remote remotes[5], more;
	struct frame_spec spec;

	world_config(&config);
	config.flows = 5;
	open_with(&config);
	open_remotes(remotes, 5);
	remote_init(&more, 41000);
	remote_spec(&more, &spec, more.iss, WEIR_TCP_SYN, NULL, 0);
	world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(world_poll(&world, 1000), 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_SYN_REFUSED), 1);
	close_politely(&remotes[2]);
	remote_open(&world, &more);
	ck_assert_uint_eq(stats_now()->established, 5);
	world_close(&world);
}
END_TEST

/* Many more than are used: each table has pages that are not there yet. */
START_TEST(tables_may_be_huge)
{
	struct weir_config config;
	struct remote remotes[5];

	world_config(&config);
	config.flows = 1 << 18;
	config.huge_tables = 1;
	open_with(&config);
	open_remotes(remotes, 5);
	close_politely(&remotes[2]);
	ck_assert_uint_eq(stats_now()->established, 4);
	world_close(&world);
}
END_TEST

START_TEST(every_syn_entry_can_be_used)
{
	struct weir_config config;
	struct frame_spec spec;

	world_config(&config);
	config.syn_entries = 6;
	open_with(&config);
	for (uint32_t i = 0; i < 9; i++) {
		frame_spec_init(&spec);
		spec.sport = (uint16_t)(30000 + i);
		spec.flags = WEIR_TCP_SYN;
		world_inject(&world, frame_build(&world.pool, &spec));
	}
	ck_assert_uint_eq(world_poll(&world, 1000), 9);
	ck_assert_uint_eq(stats_now()->syn_received, 6);
	ck_assert_uint_eq(stats_now()->cookies_sent, 3);
	world_close(&world);
}
END_TEST

/* More connections in TIME-WAIT than entries: the oldest gives way or the new has none; no crash.
 */
START_TEST(time_wait_entries_run_out)
{
	struct weir_config config;
	struct remote remote;

	world_config(&config);
	config.time_wait_entries = 3;
	open_with(&config);
	for (int i = 0; i < 10; i++) {
		remote_init(&remote, (uint16_t)(40000 + i));
		remote_open(&world, &remote);
		weir_conn_close(world.stack, remote.conn);
		world_poll(&world, 1000);
		remote.rcv_nxt++;
		remote_stream(&world, &remote, WEIR_TCP_FIN, 0);
		world_poll(&world, 1000);
		ck_assert_uint_le(stats_now()->time_wait, 3);
		world_forget(&world);
	}
	ck_assert_uint_eq(stats_now()->closed, 10);
	ck_assert_uint_eq(stats_now()->time_wait, 3);
	ck_assert_uint_eq(stats_now()->established, 0);
	world_close(&world);
}
END_TEST

/* ---- every place where a buffer may lie when the end comes ---- */

static uint16_t
take_nothing(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	(void)ctx, (void)bufs, (void)n, (void)now_ns;
	return 0;
}

static void
fill_every_place(void)
{
	struct remote remotes[4];
	struct weir_span spans[2];
	struct frame_spec spec;

	open_remotes(remotes, 4);
	stream_segs(&remotes[0], 4); /* unread, two of them leased */
	remote_send(&world, &remotes[1], remotes[1].snd_nxt + 100, 0, 300); /* reassembly */
	remote_send(&world, &remotes[1], remotes[1].snd_nxt + 1000, 0, 300);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_lease(world.stack, remotes[0].conn, spans, 2), 2);
	stream_segs(&remotes[3], 2); /* leased by a connection that is over */
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_lease(world.stack, remotes[3].conn, spans, 2), 2);
	close_politely(&remotes[3]);
	world.near->tx_burst = take_nothing; /* waiting for the port */
	world.engine->budget_segs = 2;
	for (uint32_t i = 0; i < 3; i++) {
		frame_spec_init(&spec);
		spec.sport = (uint16_t)(30000 + i);
		spec.flags = WEIR_TCP_SYN;
		world_inject(&world, frame_build(&world.pool, &spec));
	}
	stream_segs(&remotes[2], 10); /* receive queue */
	world_poll(&world, 1000);
	ck_assert_uint_eq(stats_now()->packets_queued, 8);
	ck_assert_uint_ge(world.engine->ports[0].n_tx, 3);
	stream_segs(&remotes[2], 3);		       /* in the port */
	weir_conn_abort(world.stack, remotes[1].conn); /* in the gather */
	ck_assert_uint_gt(world.engine->tcp.gather.n_items, 0);
	ck_assert_uint_eq(stats_now()->leases, 2);
	ck_assert_uint_eq(stats_now()->bytes_leased, 4 * ENGINE_TEST_MSS);
}

static void
open_roomy(void)
{
	struct weir_config config;

	world_config(&config);
	config.buffers = 16384;
	open_with(&config);
}

START_TEST(pitfall_50_the_end_finds_every_buffer)
{
	open_roomy();
	fill_every_place();
	world_close(&world); /* asserts that none is missing in either pool */
}
END_TEST

START_TEST(pitfall_50_a_reset_finds_every_buffer)
{
	uint16_t (*tx)(void *, struct rte_mbuf **, uint16_t, uint64_t);
	struct rte_mbuf *bufs[8];

	open_roomy();
	tx = world.near->tx_burst;
	for (int i = 0; i < 20; i++) {
		uint16_t n;

		fill_every_place();
		ck_assert_int_eq(weir_stack_reset(world.stack, 1, world.now_ns), 0);
		ck_assert_uint_eq(stats_now()->buffers_free, stats_now()->buffers);
		world.near->tx_burst = tx;
		n = world.near->rx_burst(world.near->ctx, bufs, 8, world.now_ns);
		ck_assert_uint_eq(n, 3); /* the port's are the port's */
		weir_buf_free_bulk(&world.pool, bufs, n);
		ck_assert_uint_eq(weir_pool_available(&world.pool), world.pool.size);
	}
	world_close(&world);
}
END_TEST

/* ---- no memory ---- */

/* What is closed twice, as after a failed creation, does not unmap what came in its place. */
START_TEST(an_engine_may_be_closed_twice)
{
	const size_t bytes = sizeof(struct weir_control) * WEIR_CONTROL_SEGS;
	struct weir_config config;
	struct weir_stack *stack;
	void *again[64];

	world_config(&config);
	stack = create(&config);
	weir_engine_close(stack->engine);
	for (int i = 0; i < 64; i++) /* until one takes the place */
		again[i] = weir_arena_alloc(bytes, -1);
	weir_engine_close(stack->engine);
	for (int i = 0; i < 64; i++) {
		memset(again[i], i, bytes);
		weir_arena_free(again[i], bytes);
	}
	ck_assert_int_eq(weir_stack_destroy(stack), 0);
}
END_TEST

#if !ENGINE_TEST_SANITIZED
static uint64_t
mapped_bytes(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
	fclose(file);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Create with only `room` more bytes of address space than are in use. */
static int
create_within(const struct weir_config *config, uint64_t room, struct weir_stack **stack)
{
	struct rlimit limit, before;
	int error;

	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	limit = before;
	limit.rlim_cur = mapped_bytes() + room;
	if (setrlimit(RLIMIT_AS, &limit) != 0) /* no ck_assert under the limit: it allocates */
		abort();
	error = weir_stack_create(config, stack);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	return error;
}

/* The address space ends ever later: each allocation is the one that fails, sooner or later. */
START_TEST(creation_fails_cleanly_wherever_memory_ends)
{
	struct weir_config config;
	struct weir_stack *stack = NULL;
	uint64_t failures = 0;

	world_config(&config);
	config.buffers = 64;
	config.record_frames = 64;
	/* the pool has a mapping of its own, so that malloc keeps nothing of it */
	ck_assert_int_eq(mallopt(M_MMAP_THRESHOLD, 65536), 1);
	ck_assert_int_eq(weir_stack_destroy(create(&config)), 0);
	for (uint64_t room = 0; create_within(&config, room, &stack) != 0; room += 4096) {
		uint64_t mapped = 0;

		/* Where the pool fits into the heap alone malloc may keep it, once: a leak goes on. */
		for (int i = 0; i < 16; i++) {
			if (i == 8)
				mapped = mapped_bytes();
			ck_assert_int_eq(create_within(&config, room, &stack), -ENOMEM);
			ck_assert_ptr_null(stack);
		}
		ck_assert_uint_lt(mapped_bytes(), mapped + 8 * 4096);
		failures++;
	}
	ck_assert_uint_gt(failures, 50);
	ck_assert_int_eq(weir_stack_destroy(stack), 0);
}
END_TEST
#endif

/* Who learns one must not know another (sequence numbers and labels are on every wire). */
START_TEST(no_two_purposes_share_a_secret)
{
	const struct weir_tcp *tcp;
	const uint64_t *secrets[6];

	open_default();
	tcp = &world.engine->tcp;
	secrets[0] = tcp->secret;
	secrets[1] = tcp->label_secret;
	secrets[2] = tcp->cookies.secret;
	secrets[3] = world.engine->datagrams.secret;
	secrets[4] = tcp->table.secret.word;
	secrets[5] = tcp->table6.secret.word;
	for (uint32_t i = 0; i < 12; i++) {
		ck_assert_uint_ne(secrets[i / 2][i % 2], 0);
		ck_assert_uint_ne(secrets[i / 2][i % 2], tcp->random);
		for (uint32_t k = 0; k < i; k++)
			ck_assert_uint_ne(secrets[i / 2][i % 2], secrets[k / 2][k % 2]);
	}
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, tables_are_as_large_as_configured);
	UNIT_CASE(s, every_flow_can_be_used);
	UNIT_CASE(s, tables_may_be_huge);
	UNIT_CASE(s, every_syn_entry_can_be_used);
	UNIT_CASE(s, time_wait_entries_run_out);
	UNIT_CASE(s, pitfall_50_the_end_finds_every_buffer);
	UNIT_CASE(s, pitfall_50_a_reset_finds_every_buffer);
	UNIT_CASE(s, an_engine_may_be_closed_twice);
	UNIT_CASE(s, no_two_purposes_share_a_secret);
#if !ENGINE_TEST_SANITIZED
	UNIT_CASE(s, creation_fails_cleanly_wherever_memory_ends);
#endif
}

UNIT_MAIN("open", add)
