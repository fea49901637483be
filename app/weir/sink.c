/* SPDX-License-Identifier: BSD-3-Clause */
#include "sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cli/say.h"
#include "sink_file.h"

#define CHANNEL_CAPACITY 4096
#define SPARE_CONNS	 4096 /* closed, while the writer still has messages of theirs to come */
/* The cookie of a connection that was not given its own yet is that of its listener. */
#define COOKIE_CONN (UINT64_C(1) << 32)
#define FRESH_MAX   (sizeof(((struct sinks *)0)->fresh) / sizeof(uint32_t))

/* ---- table of connections ---- */

static uint32_t
take(struct sinks *sinks)
{
	uint32_t slot = sinks->free;

	if (slot != CONN_NONE)
		sinks->free = sinks->conns[slot].next;
	else if (sinks->touched < sinks->size)
		slot = sinks->touched++;
	else
		return CONN_NONE;
	memset(&sinks->conns[slot], 0, sizeof(sinks->conns[slot]));
	sinks->used++;
	return slot;
}

static void
give(struct sinks *sinks, uint32_t slot)
{
	sinks->conns[slot].conn = 0;
	sinks->conns[slot].next = sinks->free;
	sinks->free = slot;
	sinks->used--;
}

static enum sink_kind
kind_of(const struct sinks *sinks, const struct sink_conn *conn)
{
	return sinks->options->listeners[conn->listener].kind;
}

/* ---- work that waits for the writer ---- */

static void
push_due(struct sinks *sinks, uint32_t slot)
{
	struct sink_conn *conn = &sinks->conns[slot];

	if (conn->due)
		return;
	conn->due = true;
	conn->next = CONN_NONE;
	if (sinks->due_head == CONN_NONE)
		sinks->due_head = slot;
	else
		sinks->conns[sinks->due_tail].next = slot;
	sinks->due_tail = slot;
}

static uint32_t
pop_due(struct sinks *sinks)
{
	uint32_t slot = sinks->due_head;

	sinks->due_head = sinks->conns[slot].next;
	sinks->conns[slot].due = false;
	return slot;
}

/* False when the writer's ring is full. */
static bool
serve_file(struct sinks *sinks, uint32_t slot)
{
	if (!sink_file_serve(sinks, slot)) {
		push_due(sinks, slot);
		return false;
	}
	if (sinks->conns[slot].closed)
		give(sinks, slot);
	return true;
}

void
sinks_retry(struct sinks *sinks)
{
	uint32_t last = sinks->due_tail, slot;
	bool room = true;

	if (sinks->due_head == CONN_NONE)
		return;
	do {
		slot = pop_due(sinks);
		room = serve_file(sinks, slot);
	} while (room && slot != last);
	file_ring_publish(sinks->ring);
}

/* ---- events ---- */

static void
accepted(struct sinks *sinks, const struct weir_event *event)
{
	uint32_t slot = sinks->ending ? CONN_NONE : take(sinks);
	struct weir_conn_info info = {.size = sizeof(info)};
	struct sink_conn *conn;

	if (slot == CONN_NONE) {
		weir_conn_abort(sinks->stack, event->conn);
		return;
	}
	conn = &sinks->conns[slot];
	conn->conn = event->conn;
	conn->listener = (uint32_t)event->cookie;
	sinks->live++;
	weir_conn_set_cookie(sinks->stack, event->conn, COOKIE_CONN | slot);
	sinks->fresh[sinks->n_fresh++ % FRESH_MAX] = slot;
	if (kind_of(sinks, conn) == SINK_FILE)
		serve_file(sinks, slot);
	else if (kind_of(sinks, conn) == SINK_VERIFY &&
		 weir_conn_info(sinks->stack, event->conn, &info) == 0)
		conn->stream.remote_port = info.remote_port;
}

/* Events made in the same poll as ACCEPTED may still carry the listener's cookie. */
static uint32_t
slot_of(const struct sinks *sinks, const struct weir_event *event)
{
	if (event->cookie & COOKIE_CONN)
		return (uint32_t)event->cookie;
	for (uint32_t i = 0; i < sinks->n_fresh && i < FRESH_MAX; i++)
		if (sinks->conns[sinks->fresh[i]].conn == event->conn)
			return sinks->fresh[i];
	for (uint32_t i = 0; i < sinks->touched; i++)
		if (sinks->conns[i].conn == event->conn)
			return i;
	return CONN_NONE;
}

/* Discard, or verify: both are done with the data at once. */
static void
take_event(struct sinks *sinks, const struct weir_event *event, uint32_t slot)
{
	struct sink_conn *conn = &sinks->conns[slot];

	if (kind_of(sinks, conn) == SINK_VERIFY && !conn->closed)
		verify_unread(sinks->verify, sinks->stack, event->conn, &conn->stream);
	else if (event->type == WEIR_EVENT_DATA)
		weir_conn_discard(sinks->stack, event->conn, INT32_MAX);
	if (event->type == WEIR_EVENT_FIN)
		weir_conn_close(sinks->stack, event->conn);
	else if (event->type == WEIR_EVENT_CLOSED)
		give(sinks, slot);
}

static void
conn_event(struct sinks *sinks, const struct weir_event *event)
{
	uint32_t slot = slot_of(sinks, event);
	struct sink_conn *conn;

	if (slot == CONN_NONE)
		return;
	conn = &sinks->conns[slot];
	if (event->type == WEIR_EVENT_FIN)
		conn->fin = true;
	if (event->type == WEIR_EVENT_CLOSED) {
		conn->closed = true;
		conn->close_reason = (uint16_t)event->flags;
		sinks->live--;
	}
	if (kind_of(sinks, conn) != SINK_FILE)
		take_event(sinks, event, slot);
	else if (!conn->due)
		serve_file(sinks, slot);
}

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct sinks *sinks = user;

	(void)stack;
	sinks->n_fresh = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (events[i].type == WEIR_EVENT_ACCEPTED)
			accepted(sinks, &events[i]);
		else
			conn_event(sinks, &events[i]);
	}
	if (sinks->ring != NULL)
		file_ring_publish(sinks->ring);
}

/* ---- start and end ---- */

static bool
wants(const struct options *options, enum sink_kind kind)
{
	for (uint32_t i = 0; i < options->n_listeners; i++)
		if (options->listeners[i].kind == kind)
			return true;
	return false;
}

static int
open_writer(struct sinks *sinks)
{
	struct file_writer_config config = {.options = sinks->options, .slots = sinks->size};
	int rc;

	sinks->ring = aligned_alloc(64, sizeof(*sinks->ring));
	if (sinks->ring == NULL)
		return -ENOMEM;
	memset(sinks->ring, 0, sizeof(*sinks->ring));
	rc = weir_channel_open(weir_stack_engine(sinks->stack, 0), CHANNEL_CAPACITY,
			       &config.channel);
	if (rc != 0)
		return rc;
	config.ring = sinks->ring;
	rc = file_writer_start(&config, &sinks->writer);
	if (rc != 0)
		weir_channel_close(config.channel);
	return rc;
}

int
sinks_open(struct sinks *sinks, const struct options *options, struct weir_stack *stack)
{
	int rc = 0;

	memset(sinks, 0, sizeof(*sinks));
	sinks->options = options;
	sinks->stack = stack;
	sinks->size = options->flows + SPARE_CONNS;
	sinks->free = CONN_NONE;
	sinks->due_head = CONN_NONE;
	sinks->conns = calloc(sinks->size, sizeof(*sinks->conns));
	if (sinks->conns == NULL)
		return -ENOMEM;
	if (wants(options, SINK_VERIFY)) {
		sinks->verify = malloc(sizeof(*sinks->verify));
		if (sinks->verify == NULL)
			return -ENOMEM;
		verify_init(sinks->verify);
	}
	if (wants(options, SINK_FILE))
		rc = open_writer(sinks);
	if (rc == 0)
		weir_stack_set_handler(stack, on_events, sinks);
	return rc;
}

bool
sinks_close(struct sinks *sinks)
{
	struct sink_counters counters;

	sinks_counters(sinks, &counters);
	sinks_say_wrong(sinks);
	if (sinks->writer != NULL)
		weir_channel_close(file_writer_join(sinks->writer));
	free(sinks->verify);
	free(sinks->ring);
	free(sinks->conns);
	memset(sinks, 0, sizeof(*sinks));
	return counters.failed == 0 && counters.verify.wrong_bytes == 0;
}

void
sinks_abort(struct sinks *sinks, bool all)
{
	sinks->ending = true;
	for (uint32_t i = 0; i < sinks->touched; i++) {
		struct sink_conn *conn = &sinks->conns[i];

		if (conn->conn != 0 && !conn->closed && (all || !conn->fin))
			weir_conn_abort(sinks->stack, conn->conn);
	}
}

void
sinks_finish(struct sinks *sinks)
{
	if (sinks->writer != NULL)
		file_writer_finish(sinks->writer);
}

bool
sinks_finished(const struct sinks *sinks)
{
	return sinks->writer == NULL || file_writer_ended(sinks->writer);
}

void
sinks_limited(const struct sinks *sinks, uint32_t most, uint64_t *limited_ms)
{
	struct weir_conn_info info = {.size = sizeof(info)};
	uint32_t looked = 0;

	/* Bounded in both, since the engine waits meanwhile. */
	for (uint32_t i = 0; i < sinks->touched && i < 4 * most && looked < most; i++) {
		const struct sink_conn *conn = &sinks->conns[i];

		if (conn->conn == 0 || conn->closed)
			continue;
		looked++;
		if (weir_conn_info(sinks->stack, conn->conn, &info) != 0)
			continue;
		for (uint32_t k = 0; k < 5; k++)
			limited_ms[k] += info.limited_ms[k];
	}
}

void
sinks_counters(const struct sinks *sinks, struct sink_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	if (sinks->writer != NULL)
		file_writer_counters(sinks->writer, counters);
	if (sinks->verify != NULL)
		counters->verify = sinks->verify->counters;
}

void
sinks_say_wrong(struct sinks *sinks)
{
	const struct verify_counters *counters;
	char address[WEIR_ADDR_TEXT];

	if (sinks->verify == NULL || sinks->wrong_said ||
	    !atomic_load_explicit(&sinks->verify->wrong, memory_order_acquire))
		return;
	sinks->wrong_said = true;
	counters = &sinks->verify->counters;
	weir_addr_format(&counters->first_remote, address, sizeof(address));
	say("verify: %s:%u: byte %" PRIu64 " is 0x%02x, 0x%02x was expected: give this listener "
	    "only streams of weir-gen's pattern, or look for what changed it",
	    address, counters->first_port, counters->first_offset, counters->first_found,
	    counters->first_expected);
}
