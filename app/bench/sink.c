/* SPDX-License-Identifier: BSD-3-Clause */
#include "sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define SPANS 64
#define AHEAD 2 /* spans */
#define LINE  64

int
sink_open(struct sink *sink, enum sink_kind kind)
{
	*sink = (struct sink){.kind = kind};
	sink->cyclic = calloc(1, SINK_CYCLIC_BYTES);
	return sink->cyclic == NULL ? -ENOMEM : 0;
}

void
sink_close(struct sink *sink)
{
	free(sink->cyclic);
	sink->cyclic = NULL;
}

uint8_t *
sink_cyclic(struct sink *sink, uint32_t len)
{
	uint8_t *at;

	if (sink->cyclic_at + len > SINK_CYCLIC_BYTES)
		sink->cyclic_at = 0;
	at = sink->cyclic + sink->cyclic_at;
	sink->cyclic_at += len;
	return at;
}

static void
compare(struct sink *sink, const struct weir_conn_info *info, uint64_t offset, const uint8_t *data,
	uint32_t len)
{
	if (!generator_pattern_check(sink->pattern, info->remote_port, offset, data, len))
		sink->wrong = true;
}

static void
digest_span(struct sink *sink, const struct weir_span *span)
{
	if (sink->kind == SINK_DIGEST)
		sink->crc = digest_crc32c(sink->crc, span->data, span->len);
	else
		sink->crc = digest_copy_crc32c(sink->crc, sink_cyclic(sink, span->len), span->data,
					       span->len);
}

static void
fetch(const struct weir_span *span)
{
	for (uint32_t off = 0; off < span->len; off += LINE)
		__builtin_prefetch(span->data + off);
}

/* Each is fetched while the second one before it is read. */
static void
digest_and_release(struct sink *sink, struct weir_stack *stack, const struct weir_span *spans,
		   uint32_t n)
{
	uint64_t leases[SPANS];
	uint32_t n_leases = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (i + AHEAD < n)
			fetch(&spans[i + AHEAD]);
		digest_span(sink, &spans[i]);
		sink->bytes += spans[i].len;
		if (spans[i].last)
			leases[n_leases++] = spans[i].lease;
	}
	weir_lease_release(stack, leases, n_leases);
}

/* All that the events tell of is leased before any of it is read. */
static void
digest_events(struct sink *sink, struct weir_stack *stack, const struct weir_event *events,
	      uint32_t n)
{
	struct weir_span spans[SPANS];
	uint32_t held = 0;

	for (uint32_t i = 0; i < n; i++) {
		int got;

		if (events[i].type != WEIR_EVENT_DATA)
			continue;
		while ((got = weir_conn_lease(stack, events[i].conn, spans + held, SPANS - held)) !=
		       0) {
			if (got < 0 && held == 0) {
				sink->wrong = true;
				break;
			}
			held += got < 0 ? 0 : (uint32_t)got;
			if (got > 0 && held < SPANS)
				continue;
			digest_and_release(sink, stack, spans, held);
			held = 0;
		}
	}
	digest_and_release(sink, stack, spans, held);
}

static void
lease_and_release(struct sink *sink, struct weir_stack *stack, const struct weir_event *event)
{
	uint64_t left = event->bytes;

	while (left != 0) {
		struct weir_span spans[SPANS];
		uint64_t leases[SPANS];
		int n = weir_conn_lease(stack, event->conn, spans, SPANS);
		uint32_t n_leases = 0;

		if (n <= 0) {
			sink->wrong = true;
			return;
		}
		for (int i = 0; i < n; i++) {
			sink->bytes += spans[i].len;
			left -= spans[i].len;
			if (spans[i].last)
				leases[n_leases++] = spans[i].lease;
		}
		weir_lease_release(stack, leases, n_leases);
	}
}

static void
read_copy(struct sink *sink, struct weir_stack *stack, const struct weir_event *event)
{
	uint32_t left = (uint32_t)event->bytes;

	while (left != 0) {
		uint32_t room = SINK_CYCLIC_BYTES - sink->cyclic_at;
		int n = weir_conn_read(stack, event->conn, sink->cyclic + sink->cyclic_at,
				       left < room ? left : room);

		if (n <= 0) {
			sink->wrong = true;
			return;
		}
		sink->cyclic_at = (sink->cyclic_at + (uint32_t)n) % SINK_CYCLIC_BYTES;
		sink->bytes += (uint32_t)n;
		left -= (uint32_t)n;
	}
}

/* Every byte of it, whatever the kind of sink; never timed. */
static void
take_and_compare(struct sink *sink, struct weir_stack *stack, const struct weir_event *event)
{
	struct weir_conn_info info = {.size = sizeof(info)};
	struct weir_span spans[SPANS];
	uint64_t offset;
	int n;

	if (weir_conn_info(stack, event->conn, &info) != 0) {
		sink->wrong = true;
		return;
	}
	offset = info.bytes - info.unread_bytes;
	if (sink->kind == SINK_COPY) {
		uint32_t at = sink->cyclic_at, bytes = (uint32_t)event->bytes;

		sink->cyclic_at = at + bytes > SINK_CYCLIC_BYTES ? 0 : at;
		at = sink->cyclic_at;
		read_copy(sink, stack, event);
		compare(sink, &info, offset, sink->cyclic + at, bytes);
		return;
	}
	while ((n = weir_conn_lease(stack, event->conn, spans, SPANS)) > 0)
		for (int i = 0; i < n; i++) {
			const uint8_t *data = spans[i].data;

			if (sink->kind == SINK_COPY_DIGEST) {
				uint8_t *to = sink_cyclic(sink, spans[i].len);

				digest_copy_crc32c(0, to, data, spans[i].len);
				data = to;
			}
			compare(sink, &info, offset, data, spans[i].len);
			offset += spans[i].len;
			sink->bytes += spans[i].len;
			if (spans[i].last)
				weir_lease_release(stack, &spans[i].lease, 1);
		}
	sink->wrong |= n < 0;
}

static void
take(struct sink *sink, struct weir_stack *stack, const struct weir_event *event)
{
	if (sink->pattern != NULL)
		take_and_compare(sink, stack, event);
	else if (sink->kind == SINK_COPY)
		read_copy(sink, stack, event);
	else if (sink->kind == SINK_LEASE)
		lease_and_release(sink, stack, event);
}

void
sink_handle(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct sink *sink = user;

	for (uint32_t i = 0; i < n; i++) {
		if (events[i].type == WEIR_EVENT_ACCEPTED)
			sink->accepted++;
		else if (events[i].type == WEIR_EVENT_DATA)
			take(sink, stack, &events[i]);
	}
	if (sink->pattern == NULL && sink->kind >= SINK_DIGEST)
		digest_events(sink, stack, events, n);
}
