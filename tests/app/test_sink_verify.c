/* SPDX-License-Identifier: BSD-3-Clause */
/* What the verify sink counts, byte for byte. */
#include "../unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "sink_verify.h"

#define BYTES 40000

static struct verify verify;

static uint8_t *
stream_of(uint16_t port, uint64_t offset, uint32_t len)
{
	uint8_t *data = malloc(len);

	ck_assert_ptr_nonnull(data);
	for (uint32_t i = 0; i < len; i++)
		data[i] = *generator_pattern_at(&verify.pattern, port, offset + i);
	return data;
}

START_TEST(pieces_of_any_length)
{
	struct verify_stream stream = {.remote_port = 1024};
	uint8_t *data;
	uint32_t at = 0;

	verify_init(&verify);
	data = stream_of(1024, 0, BYTES);
	for (uint32_t len = 1; at + len <= BYTES; at += len, len += 7)
		ck_assert(!verify_bytes(&verify, &stream, data + at, len));
	ck_assert_uint_eq(verify.counters.bytes, at);
	ck_assert_uint_eq(verify.counters.wrong_bytes, 0);
	ck_assert_uint_eq(stream.offset, at);
	ck_assert(!stream.differed);
	free(data);
}
END_TEST

START_TEST(wrong_bytes_are_found)
{
	struct verify_stream stream = {.remote_port = 9}, other = {.remote_port = 10};
	uint8_t *data, *more;

	verify_init(&verify);
	data = stream_of(9, 0, BYTES);
	more = stream_of(10, 0, 100);
	data[0] ^= 1;
	data[20000] ^= 0x80;
	data[BYTES - 1] ^= 0x10;
	ck_assert(verify_bytes(&verify, &stream, data, 20001));
	ck_assert(!verify_bytes(&verify, &stream, data + 20001, BYTES - 20001));
	ck_assert(!verify_bytes(&verify, &other, more, 50));
	ck_assert_uint_eq(verify.counters.wrong_bytes, 3);
	ck_assert_uint_eq(verify.counters.wrong_conns, 1);
	ck_assert_uint_eq(verify.counters.bytes, BYTES - 3 + 50);
	ck_assert_uint_eq(verify.counters.first_offset, 0);
	ck_assert_uint_eq(verify.counters.first_found, data[0]);
	ck_assert_uint_eq(verify.counters.first_expected, data[0] ^ 1);
	more[60] ^= 1;
	ck_assert(!verify_bytes(&verify, &other, more + 50, 50));
	ck_assert_uint_eq(verify.counters.wrong_conns, 2);
	free(data);
	free(more);
}
END_TEST

/* A byte lost, a byte doubled, another connection's stream: all differ. */
START_TEST(streams_out_of_step)
{
	struct verify_stream stream = {.remote_port = 5};
	uint8_t *data;

	verify_init(&verify);
	data = stream_of(5, 1, 4096);
	ck_assert(verify_bytes(&verify, &stream, data, 4096));
	ck_assert_uint_gt(verify.counters.wrong_bytes, 3500);
	free(data);
	stream = (struct verify_stream){.remote_port = 5};
	verify_init(&verify);
	data = stream_of(6, 0, 4096);
	ck_assert(verify_bytes(&verify, &stream, data, 4096));
	ck_assert_uint_gt(verify.counters.wrong_bytes, 3500);
	free(data);
}
END_TEST

START_TEST(far_offsets)
{
	struct verify_stream stream = {.remote_port = 65535, .offset = (UINT64_C(1) << 40) - 7};
	uint8_t *data;

	verify_init(&verify);
	data = stream_of(65535, stream.offset, 3000);
	ck_assert(!verify_bytes(&verify, &stream, data, 3000));
	data[2999] ^= 1;
	stream.offset = (UINT64_C(1) << 40) - 7;
	ck_assert(verify_bytes(&verify, &stream, data, 3000));
	ck_assert(verify.counters.first_offset == (UINT64_C(1) << 40) - 7 + 2999);
	free(data);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, pieces_of_any_length);
	UNIT_CASE(s, wrong_bytes_are_found);
	UNIT_CASE(s, streams_out_of_step);
	UNIT_CASE(s, far_offsets);
}

UNIT_MAIN("app_sink_verify", add)
