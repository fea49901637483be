/* SPDX-License-Identifier: BSD-3-Clause */
/* What the twin tests of lib/engine share, on top of the world in memory. */
#ifndef WEIR_TESTS_ENGINE_TEST_H
#define WEIR_TESTS_ENGINE_TEST_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"

#define ENGINE_TEST_BUFFER (1 << 20)
#define ENGINE_TEST_MSS	   1448
#define ENGINE_TEST_FIRST  ENGINE_TEST_MSS /* offset of what is sent after open_remotes() */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ENGINE_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ENGINE_TEST_SANITIZED 1
#endif
#endif
#ifndef ENGINE_TEST_SANITIZED
#define ENGINE_TEST_SANITIZED 0
#endif

static struct world world;

/* Counters of this moment, balanced. */
static inline const struct weir_stats *
stats_now(void)
{
	static struct weir_stats stats;

	weir_stack_stats(world.stack, &stats);
	ck_assert_uint_eq(stats.packets_received, stats.packets_delivered + stats.packets_consumed +
						      stats.packets_dropped + stats.packets_queued);
	return &stats;
}

static inline uint64_t
drops_of(enum weir_drop reason)
{
	return stats_now()->drops[reason];
}

static inline uint64_t
aggregates_of(uint32_t size)
{
	return stats_now()->aggregate_sizes[size];
}

static inline uint64_t
closed_by(enum weir_close_cause cause)
{
	return stats_now()->aggregate_reasons[cause];
}

static inline void
open_with(const struct weir_config *config)
{
	world_open(&world, config, ENGINE_TEST_BUFFER, WEIR_ACK_TRAIN);
}

static inline void
open_default(void)
{
	struct weir_config config;

	world_config(&config);
	open_with(&config);
}

/* `n` connections from ports 40000 and up, each with its first segment read, so that the window is
 * fully open. */
static inline void
open_remotes(struct remote *remotes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		remote_init(&remotes[i], (uint16_t)(40000 + i));
		remote_open(&world, &remotes[i]);
		remote_stream(&world, &remotes[i], 0, ENGINE_TEST_MSS);
		world_poll(&world, 1000);
		ck_assert_int_eq(weir_conn_discard(world.stack, remotes[i].conn, UINT32_MAX),
				 ENGINE_TEST_MSS);
	}
	world_poll(&world, 1000);
	world_forget(&world);
}

/* `n` full segments into the port, without a poll. */
static inline void
stream_segs(struct remote *remote, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		remote_stream(&world, remote, 0, ENGINE_TEST_MSS);
}

/* A segment in a chain of buffers of `split` bytes, headers included; 0: in one. */
static inline void
stream_split(struct remote *remote, uint32_t len, uint16_t split)
{
	struct frame_spec spec;
	uint8_t payload[9000];

	remote_spec(remote, &spec, remote->snd_nxt, WEIR_TCP_ACK, payload, len);
	spec.split = split;
	world_inject(&world, frame_build(&world.pool, &spec));
	remote->snd_nxt += len;
}

static inline void
check_content(const uint8_t *data, uint64_t offset, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) /* ck_assert is slow, and not for other threads */
		if (data[i] != remote_byte(offset + i))
			ck_abort_msg("wrong byte at offset %llu", (unsigned long long)offset + i);
}

static inline struct weir_conn_info
info_of(weir_conn conn)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_conn_info(world.stack, conn, &info), 0);
	return info;
}

/* Events of one type so far. */
static inline uint32_t
count_events(uint32_t type)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.n_events; i++)
		n += world.events[i].type == type;
	return n;
}

/* The peer closes first, the application after it; ends without TIME-WAIT here. */
static inline void
close_politely(struct remote *remote)
{
	remote_stream(&world, remote, WEIR_TCP_FIN, 0);
	world_poll(&world, 1000);
	weir_conn_discard(world.stack, remote->conn, UINT32_MAX);
	ck_assert_int_eq(weir_conn_close(world.stack, remote->conn), 0);
	world_poll(&world, 1000);
	remote->rcv_nxt++;
	remote_send(&world, remote, remote->snd_nxt, 0, 0);
	world_poll(&world, 1000);
	ck_assert_int_eq(weir_conn_set_cookie(world.stack, remote->conn, 0), -EBADF);
}

#endif
