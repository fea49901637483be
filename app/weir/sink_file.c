/* SPDX-License-Identifier: BSD-3-Clause */
#include "sink_file.h"

/* The most spans leased at once; with that much room an empty answer means that nothing is unread,
 * not that a lease did not fit. */
#define LEASE_SPANS 256

static void
fill(struct file_message *message, uint32_t type, uint32_t slot, weir_conn conn)
{
	message->type = type;
	message->slot = slot;
	message->conn = conn;
}

static void
send_open(struct sinks *sinks, uint32_t slot, struct sink_conn *conn)
{
	struct file_message *message = file_ring_next(sinks->ring);
	struct weir_conn_info info = {.size = sizeof(info)};

	weir_conn_info(sinks->stack, conn->conn, &info);
	fill(message, FILE_OPEN, slot, conn->conn);
	message->open.remote = info.remote;
	message->open.remote_port = info.remote_port;
	message->open.listener = (uint16_t)conn->listener;
	message->open.number = ++sinks->files;
	conn->open_sent = true;
}

/* True when nothing is unread any more. */
static bool
send_data(struct sinks *sinks, uint32_t slot, struct sink_conn *conn)
{
	struct weir_span spans[LEASE_SPANS];
	int n;

	while (file_ring_has_room(sinks->ring, LEASE_SPANS)) {
		n = weir_conn_lease(sinks->stack, conn->conn, spans, LEASE_SPANS);
		if (n <= 0)
			return true;
		for (int i = 0; i < n; i++) {
			struct file_message *message = file_ring_next(sinks->ring);

			fill(message, FILE_DATA, slot, conn->conn);
			message->span = spans[i];
		}
	}
	return false;
}

static void
send_last(struct sinks *sinks, uint32_t slot, struct sink_conn *conn)
{
	struct file_message *message = file_ring_next(sinks->ring);

	fill(message, conn->closed ? FILE_GONE : FILE_END, slot, conn->conn);
	if (conn->closed)
		message->close_reason = conn->close_reason;
	else
		conn->end_sent = true;
}

bool
sink_file_serve(struct sinks *sinks, uint32_t slot)
{
	struct sink_conn *conn = &sinks->conns[slot];

	/* Room for the single messages beside the spans. */
	if (!file_ring_has_room(sinks->ring, LEASE_SPANS + 2))
		return false;
	if (!conn->open_sent)
		send_open(sinks, slot, conn);
	if (!conn->end_sent && !send_data(sinks, slot, conn))
		return false;
	if (!file_ring_has_room(sinks->ring, 2))
		return false;
	if (conn->fin && !conn->end_sent && !conn->closed)
		send_last(sinks, slot, conn);
	if (conn->closed)
		send_last(sinks, slot, conn);
	return true;
}
