/* SPDX-License-Identifier: BSD-3-Clause */
#include "sink_verify.h"

#define LEASE_SPANS 256

void
verify_init(struct verify *verify)
{
	memset(&verify->counters, 0, sizeof(verify->counters));
	atomic_init(&verify->wrong, 0);
	generator_pattern_fill(&verify->pattern);
}

static bool
note_first(struct verify *verify, const struct verify_stream *stream, uint32_t at, uint8_t expected,
	   uint8_t found)
{
	if (verify->counters.wrong_bytes != 0)
		return false;
	verify->counters.first_offset = stream->offset + at;
	verify->counters.first_expected = expected;
	verify->counters.first_found = found;
	return true;
}

/* One by one, since how many differ is what tells a flipped bit from a stream out of step. */
__attribute__((noinline)) static bool
count_bytes(struct verify *verify, struct verify_stream *stream, const uint8_t *data, uint32_t len)
{
	bool first = false;

	for (uint32_t i = 0; i < len; i++) {
		uint8_t expected = *generator_pattern_at(&verify->pattern, stream->remote_port,
							 stream->offset + i);

		if (data[i] == expected) {
			verify->counters.bytes++;
			continue;
		}
		first |= note_first(verify, stream, i, expected, data[i]);
		verify->counters.wrong_bytes++;
	}
	verify->counters.wrong_conns += !stream->differed;
	stream->differed = true;
	return first;
}

bool
verify_bytes(struct verify *verify, struct verify_stream *stream, const uint8_t *data, uint32_t len)
{
	bool first = false;

	if (generator_pattern_check(&verify->pattern, stream->remote_port, stream->offset, data,
				    len))
		verify->counters.bytes += len;
	else
		first = count_bytes(verify, stream, data, len);
	stream->offset += len;
	return first;
}

static void
name_first(struct verify *verify, struct weir_stack *stack, weir_conn conn)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	if (weir_conn_info(stack, conn, &info) == 0) {
		verify->counters.first_remote = info.remote;
		verify->counters.first_port = info.remote_port;
	}
	atomic_store_explicit(&verify->wrong, 1, memory_order_release);
}

void
verify_unread(struct verify *verify, struct weir_stack *stack, weir_conn conn,
	      struct verify_stream *stream)
{
	struct weir_span spans[LEASE_SPANS];
	uint64_t leases[LEASE_SPANS];
	uint32_t n_leases;
	int n;

	while ((n = weir_conn_lease(stack, conn, spans, LEASE_SPANS)) > 0) {
		n_leases = 0;
		for (int i = 0; i < n; i++) {
			if (verify_bytes(verify, stream, spans[i].data, spans[i].len))
				name_first(verify, stack, conn);
			if (spans[i].last)
				leases[n_leases++] = spans[i].lease;
		}
		weir_lease_release(stack, leases, n_leases);
	}
}
