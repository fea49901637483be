/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/script/stage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/frame.h"
#include "wire/bytes.h"

#define BEGAN_NS     1000000000ull
#define REMOTE_FRAMES 2048
#define READ_BYTES   4096

void
stage_fail(struct stage *stage, const char *format, ...)
{
	va_list arguments;

	if (stage->error[0] != 0)
		return;
	va_start(arguments, format);
	vsnprintf(stage->error, sizeof(stage->error), format, arguments);
	va_end(arguments);
}

/* ---- the port ---- */

static uint16_t
to_engine(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct stage *stage = user;
	uint16_t i = 0;

	(void)now_ns;
	while (i < n && stage->in_head < stage->in_tail)
		bufs[i++] = stage->in[stage->in_head++];
	return i;
}

static uint16_t
from_engine(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct stage *stage = user;

	(void)now_ns;
	for (uint16_t i = 0; i < n; i++) {
		if (stage->n_seen == STAGE_PACKETS || bufs[i]->nb_segs != 1)
			stage_fail(stage, "too many packets, or one in pieces");
		else
			stage_read_frame(stage, rte_pktmbuf_mtod(bufs[i], uint8_t *),
					 bufs[i]->pkt_len);
	}
	weir_buf_free_bulk(&stage->pool, bufs, n);
	return n;
}

/* ---- the application ---- */

static int
by_conn(const struct stage *stage, weir_conn conn)
{
	for (uint32_t i = 0; i < stage->n_remotes; i++)
		if (stage->remotes[i].live && stage->remotes[i].conn == conn)
			return (int)i;
	return -1;
}

static int
accept_event(struct stage *stage, weir_conn conn)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	if (weir_conn_info(stage->stack, conn, &info) != 0)
		return -1;
	for (uint32_t i = 0; i < stage->n_remotes; i++) {
		struct stage_remote *remote = &stage->remotes[i];

		if (remote->is.port != info.remote_port || remote->is.to != info.local_port)
			continue;
		stage->replaced += remote->live;
		remote->conn = conn;
		remote->live = true;
		remote->delivered = remote->read = 0;
		return (int)i;
	}
	return -1;
}

static void
check_bytes(struct stage *stage, struct stage_remote *remote, const uint8_t *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (data[i] != stage_byte((uint64_t)(int32_t)(remote->first - 1) + remote->read + i)) {
			stage_fail(stage, "wrong content at offset %llu",
				   (unsigned long long)(remote->read + i));
			break;
		}
	remote->read += len;
}

static uint32_t
read_bytes(struct stage *stage, struct stage_remote *remote, uint32_t most)
{
	uint8_t data[READ_BYTES];
	uint32_t done = 0;
	int n;

	while (done < most) {
		uint32_t left = most - done;

		n = weir_conn_read(stage->stack, remote->conn, data,
				   left < READ_BYTES ? left : READ_BYTES);
		if (n <= 0)
			break;
		check_bytes(stage, remote, data, (uint32_t)n);
		done += (uint32_t)n;
	}
	return done;
}

static void
lease_all(struct stage *stage, struct stage_remote *remote)
{
	struct weir_span spans[16];
	int n;

	while ((n = weir_conn_lease(stage->stack, remote->conn, spans, 16)) > 0)
		for (int i = 0; i < n; i++) {
			check_bytes(stage, remote, spans[i].data, spans[i].len);
			if (!spans[i].last)
				continue;
			if (remote->n_leases == STAGE_LEASES)
				stage_fail(stage, "more than %d leases", STAGE_LEASES);
			else
				remote->leases[remote->n_leases++] = spans[i].lease;
		}
}

static void
release_all(struct stage *stage, struct stage_remote *remote)
{
	if (remote->n_leases != 0 &&
	    weir_lease_release(stage->stack, remote->leases, remote->n_leases) != 0)
		stage_fail(stage, "a lease was not taken back");
	remote->n_leases = 0;
}

static void
take(struct stage *stage, struct stage_remote *remote, enum script_call call, uint32_t bytes)
{
	uint32_t done;
	int n;

	if (call == SCRIPT_READ) {
		done = read_bytes(stage, remote, bytes);
	} else {
		n = weir_conn_discard(stage->stack, remote->conn, bytes);
		done = n < 0 ? 0 : (uint32_t)n;
		remote->read += done;
	}
	if (bytes != UINT32_MAX && done != bytes)
		stage_fail(stage, "%u bytes could be read, not %u", done, bytes);
}

void
stage_call(struct stage *stage, uint32_t index, enum script_call call, uint32_t bytes)
{
	struct stage_remote *remote = &stage->remotes[index];
	int error = 0;

	switch (call) {
	case SCRIPT_READ:
	case SCRIPT_DISCARD:
		take(stage, remote, call, bytes);
		break;
	case SCRIPT_LEASE:
		lease_all(stage, remote);
		break;
	case SCRIPT_RELEASE:
		release_all(stage, remote);
		break;
	case SCRIPT_CLOSE:
		error = weir_conn_close(stage->stack, remote->conn);
		break;
	case SCRIPT_SHUTDOWN:
		error = weir_conn_shutdown(stage->stack, remote->conn);
		break;
	case SCRIPT_LINGER:
		error = weir_conn_linger(stage->stack, remote->conn, bytes);
		break;
	case SCRIPT_ABORT:
		error = weir_conn_abort(stage->stack, remote->conn);
		break;
	case SCRIPT_NOTHING:
		break;
	}
	if (error != 0)
		stage_fail(stage, "the call failed: %s", strerror(-error));
}

/* The end of a connection whose ports another one had, within one poll, before it was reported. */
static bool
ends_replaced(struct stage *stage, const struct weir_event *event)
{
	if (event->type != WEIR_EVENT_CLOSED || stage->replaced == 0 ||
	    by_conn(stage, event->conn) >= 0)
		return false;
	stage->replaced--;
	return true;
}

static void
note_event(struct stage *stage, const struct weir_event *event)
{
	struct stage_remote *remote;
	int i;

	if (ends_replaced(stage, event))
		return;
	i = event->type == WEIR_EVENT_ACCEPTED ? accept_event(stage, event->conn)
					       : by_conn(stage, event->conn);
	if (i < 0 || stage->n_events == STAGE_EVENTS) {
		stage_fail(stage, "an event of type %u for nobody", event->type);
		return;
	}
	remote = &stage->remotes[i];
	stage->events[stage->n_events++] =
		(struct stage_event){(uint32_t)i, event->type, event->flags, event->bytes};
	if (event->type == WEIR_EVENT_DATA)
		remote->delivered += event->bytes;
	else if (event->type != WEIR_EVENT_ACCEPTED && event->bytes != remote->delivered)
		stage_fail(stage, "a total of %llu bytes, %llu were delivered",
			   (unsigned long long)event->bytes,
			   (unsigned long long)remote->delivered);
	stage_call(stage, (uint32_t)i, stage->on[event->type], UINT32_MAX);
	if (event->type == WEIR_EVENT_CLOSED)
		remote->live = false;
}

static void
on_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	(void)stack;
	for (uint32_t i = 0; i < n; i++)
		note_event(user, &events[i]);
}

/* ---- polls ---- */

static void
write_transcript(struct stage *stage, const char *line)
{
	size_t len = strlen(line);

	if (stage->transcript_len + len + 2 > stage->transcript_room) {
		stage->transcript_room = 2 * (stage->transcript_len + len) + 4096;
		stage->transcript = realloc(stage->transcript, stage->transcript_room);
		if (stage->transcript == NULL)
			abort();
	}
	memcpy(stage->transcript + stage->transcript_len, line, len);
	stage->transcript_len += len;
	stage->transcript[stage->transcript_len++] = '\n';
	stage->transcript[stage->transcript_len] = 0;
}

static void
remember(struct stage *stage)
{
	char line[SCRIPT_TEXT];

	for (uint32_t i = 0; i < stage->n_seen; i++) {
		stage_write(&stage->seen[i], line, sizeof(line));
		write_transcript(stage, line);
	}
	for (uint32_t i = 0; i < stage->n_events; i++) {
		const struct stage_event *event = &stage->events[i];

		snprintf(line, sizeof(line), "event %u of %u, %u, %llu bytes", event->type,
			 event->remote, event->flags, (unsigned long long)event->bytes);
		write_transcript(stage, line);
	}
}

/* A SACK block names nothing that was not sent. */
static void
check_sacks(struct stage *stage, const struct stage_seen *seen)
{
	const struct stage_remote *remote = &stage->remotes[seen->remote];

	for (uint32_t k = 0; k < seen->packet.n_sacks; k++) {
		uint32_t start = seen->packet.sacks[k][0], end = seen->packet.sacks[k][1];

		if ((int32_t)(end - start) <= 0)
			stage_fail(stage, "an empty SACK block at %u", start);
		for (uint32_t i = start - 1; i != end - 1; i++)
			if (i < STAGE_SENT && (remote->sent[i / 8] >> i % 8 & 1) == 0) {
				stage_fail(stage, "SACK block %u:%u names what was not sent", start,
					   end);
				return;
			}
	}
}

/* No byte is acknowledged that was not delivered; the FIN only if there was one. */
static void
check_acks(struct stage *stage)
{
	for (uint32_t i = 0; i < stage->n_seen; i++) {
		const struct stage_seen *seen = &stage->seen[i];
		const struct stage_remote *remote = &stage->remotes[seen->remote];
		int64_t held = (int32_t)remote->first + (int64_t)remote->delivered + remote->fin_sent;

		check_sacks(stage, seen);
		if (remote->live && (seen->packet.flags & WEIR_TCP_ACK) != 0 &&
		    seen->packet.ack.value > held)
			stage_fail(stage, "ack %lld, but only %llu bytes were delivered",
				   (long long)seen->packet.ack.value,
				   (unsigned long long)remote->delivered);
	}
}

void
stage_poll(struct stage *stage)
{
	stage->n_seen = stage->n_events = 0;
	do
		weir_engine_poll(stage->engine, stage->now_ns);
	while (stage->in_head < stage->in_tail);
	stage->in_head = stage->in_tail = 0;
	check_acks(stage);
	remember(stage);
}

/* The one address of IPv6 that the port has is number 0 of all. */
static struct weir_key
key_of(const struct stage *stage, const struct stage_remote *remote)
{
	const struct weir_key4 key4 = {.raddr = FRAME_REMOTE_IP + remote->is.host,
				       .laddr = FRAME_LOCAL_IP,
				       .rport = remote->is.port,
				       .lport = remote->is.to};
	struct weir_key key = weir_key_of4(&key4);

	if (!stage->ip6)
		return key;
	for (uint32_t i = 0; i < 3; i++)
		key.raddr_high[i] = weir_load_be32(frame_remote_ip6 + 4 * i);
	key.raddr_high[1] += remote->is.host;
	key.low.raddr = weir_load_be32(frame_remote_ip6 + 12);
	key.low.laddr = 0;
	return key;
}

uint32_t
stage_state(const struct stage *stage, uint32_t index)
{
	const struct weir_tcp *tcp = &stage->engine->tcp;
	const struct weir_key key = key_of(stage, &stage->remotes[index]);
	uint32_t entry = weir_tcp_find(tcp, &key);

	if (entry == WEIR_NONE)
		return WEIR_TCP_CLOSED;
	if (entry < weir_tcp_syn_entry(tcp, 0))
		return tcp->flows[entry].state;
	return entry < weir_tcp_time_wait_entry(tcp, 0) ? SCRIPT_STATE_SYN_RECEIVED
							 : SCRIPT_STATE_TIME_WAIT;
}

uint64_t
stage_level(const struct stage *stage, uint32_t index, enum script_level level)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	if (weir_conn_info(stage->stack, stage->remotes[index].conn, &info) != 0)
		return 0;
	switch (level) {
	case SCRIPT_UNREAD:
		return info.unread_bytes;
	case SCRIPT_LEASED:
		return info.leased_bytes;
	case SCRIPT_HELD:
		return info.out_of_order_bytes;
	case SCRIPT_WINDOW:
		return info.receive_window;
	case SCRIPT_BUFFER:
		return info.receive_buffer;
	}
	return 0;
}

/* ---- beginning and end ---- */

static void
configure(struct weir_config *config, const struct script_stack *made, uint32_t limit)
{
	weir_config_init(config);
	config->flows = made->flows;
	config->syn_entries = made->syns;
	config->time_wait_entries = made->time_waits;
	config->orphans = made->orphans;
	config->time_wait_ms = made->time_wait_ms;
	config->buffers = made->buffers;
	config->aggregate_limit = limit;
	config->heap = 1;
	config->mld = 0;
	config->seed = 1;
	config->now_ns = BEGAN_NS;
}

static void
create(struct stage *stage, const struct script_stack *config, uint32_t limit)
{
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 24};
	struct weir_port_functions functions = {.size = sizeof(functions),
						.rx_burst = to_engine,
						.tx_burst = from_engine,
						.user = stage};
	struct weir_addr address6;
	struct weir_config stack;

	memcpy(functions.mac, frame_local_mac, 6);
	configure(&stack, config, limit);
	if (weir_stack_create(&stack, &stage->stack) != 0 ||
	    weir_pool_open_heap(&stage->pool, REMOTE_FRAMES, 2176) != 0 ||
	    weir_port_open_custom(&functions, &stage->port) != 0 ||
	    weir_addr_parse("192.0.2.1", &port.address) != 0 ||
	    weir_stack_attach(stage->stack, stage->port, &port) != 0 ||
	    weir_addr_parse("2001:db8::1", &address6) != 0 ||
	    weir_stack_add_address(stage->stack, stage->port, &address6) != 0)
		abort();
	stage->engine = weir_stack_engine(stage->stack, 0);
	weir_stack_set_handler(stage->stack, on_events, stage);
}

static void
dispose(struct stage *stage)
{
	if (stage->stack == NULL)
		return;
	if (weir_stack_destroy(stage->stack) != 0)
		stage_fail(stage, "buffers of the stack are missing");
	weir_port_close(stage->port);
	if (weir_pool_close(&stage->pool) != 0)
		stage_fail(stage, "buffers of the remotes are missing");
	stage->stack = NULL;
}

/* The same stack again, as new; its listeners are the script's. */
static void
reset(struct stage *stage, const struct script_stack *config, uint32_t limit)
{
	struct weir_config *is = &stage->stack->config;

	is->aggregate_limit = limit;
	is->time_wait_ms = config->time_wait_ms;
	is->orphans = config->orphans;
	if (weir_stack_reset(stage->stack, 1, BEGAN_NS) != 0)
		abort();
	stage->engine->tcp.n_listeners = 0;
}

void
stage_begin(struct stage *stage, const struct script_stack *config, uint32_t limit)
{
	const struct script_stack *made = &stage->made;

	stage->error[0] = 0;
	if (stage->stack == NULL || made->buffers != config->buffers ||
	    made->flows != config->flows || made->syns != config->syns ||
	    made->time_waits != config->time_waits) {
		dispose(stage);
		create(stage, config, limit);
	} else {
		reset(stage, config, limit);
	}
	stage->made = *config;
	/* A longer MTU makes room for the longer header: scripts hold for either family. */
	stage->engine->tcp.ports[0].mss = stage->ip6 ? 1480 : 1460;
	stage->began_ns = stage->now_ns = BEGAN_NS;
	stage->n_remotes = stage->n_seen = stage->n_events = 0;
	stage->transcript_len = 0;
	write_transcript(stage, "begin");
	memset(stage->on, 0, sizeof(stage->on));
	for (uint32_t i = 0; i < 5; i++)
		stage->on[i] = i == WEIR_EVENT_DATA ? SCRIPT_READ : SCRIPT_NOTHING;
}

void
stage_listen(struct stage *stage, const struct script_listen *listen)
{
	struct weir_listen_config config;

	weir_listen_config_init(&config);
	config.port = listen->port;
	config.receive_buffer_min = listen->buffer;
	config.receive_buffer_max = listen->buffer_max;
	config.ack_policy = listen->ack_policy;
	config.backlog = listen->backlog;
	config.ecn = listen->ecn;
	config.syn_cookies = !listen->no_cookies;
	config.keepalive_ms = listen->keepalive_ms;
	if (listen->interval_ms != 0)
		config.keepalive_interval_ms = listen->interval_ms;
	if (listen->probes != 0)
		config.keepalive_probes = listen->probes;
	config.user_timeout_ms = listen->user_timeout_ms;
	config.connections = listen->connections;
	config.connections_per_address = listen->per_address;
	config.memory_bytes = (uint64_t)listen->memory * stage->stack->config.buffer_bytes;
	if (weir_listen(stage->stack, &config) != 0)
		stage_fail(stage, "cannot listen on %u", listen->port);
}

void
stage_remote(struct stage *stage, const struct script_remote *remote)
{
	struct stage_remote *to = &stage->remotes[stage->n_remotes++];

	memset(to, 0, sizeof(*to));
	to->is = *remote;
}

static void
check_empty(struct stage *stage)
{
	const struct weir_tcp *tcp = &stage->engine->tcp;

	if (tcp->flow_free.used != 0 || tcp->stats.accepted != tcp->stats.closed)
		stage_fail(stage, "%u connections are left", tcp->flow_free.used);
	if (tcp->table.count + tcp->table6.count != tcp->syn_free.used + tcp->time_wait_free.used)
		stage_fail(stage, "the table has %u entries", tcp->table.count + tcp->table6.count);
	if (tcp->held.used != 0 || tcp->held_bufs != 0 || tcp->stats.packets_queued != 0)
		stage_fail(stage, "%u nodes and %u buffers are still held", tcp->held.used,
			   tcp->held_bufs);
	if (tcp->peers.used != 0)
		stage_fail(stage, "%u addresses are still counted", tcp->peers.used);
	for (uint32_t i = 0; i < tcp->n_listeners; i++)
		if (tcp->listener_uses[i].connections != 0 || tcp->listener_uses[i].held_bufs != 0)
			stage_fail(stage, "listener %u still has %u connections and %u buffers",
				   tcp->listeners[i].port, tcp->listener_uses[i].connections,
				   tcp->listener_uses[i].held_bufs);
	if (weir_pool_available(&stage->stack->pool) != stage->made.buffers ||
	    weir_pool_available(&stage->pool) != REMOTE_FRAMES)
		stage_fail(stage, "buffers are missing");
}

void
stage_finish(struct stage *stage)
{
	for (uint32_t i = 0; i < stage->n_remotes; i++) {
		struct stage_remote *remote = &stage->remotes[i];

		if (remote->live) {
			read_bytes(stage, remote, UINT32_MAX);
			/* one that is over already has no data, and is still to be reported */
			if (remote->read != remote->delivered &&
			    stage_state(stage, i) != WEIR_TCP_CLOSED)
				stage_fail(stage, "%llu bytes were read, %llu delivered",
					   (unsigned long long)remote->read,
					   (unsigned long long)remote->delivered);
			weir_conn_abort(stage->stack, remote->conn);
		}
		release_all(stage, remote);
	}
	stage->now_ns += 1000;
	stage_poll(stage);
	check_empty(stage);
}

void
stage_free(struct stage *stage)
{
	dispose(stage);
	free(stage->transcript);
	free(stage);
}
