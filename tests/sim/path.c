/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/path.h"

#include "tests/unit/unit.h"
#include "wire/seq.h"

#define BURST 32 /* frames injected before a poll */
#define SEC   1000000000ull

static void
take_acks(struct path *path, uint64_t now_ns)
{
	while (path->ack_head != path->ack_tail &&
	       path->acks[path->ack_head % PATH_SEGS].due_ns <= now_ns) {
		const struct path_ack *ack = &path->acks[path->ack_head++ % PATH_SEGS];

		if (weir_seq_lt(path->una, ack->ack)) {
			path->cwnd += path->cwnd < 64u << 20 ? ack->ack - path->una : 0;
			path->una = ack->ack;
		}
		path->edge = weir_seq_max(path->edge, ack->edge);
		path->remote.ts_echo = ack->tsval;
	}
}

static void
send_paced(struct path *path, uint64_t now_ns)
{
	uint64_t each = path->rate * path->tick_ns / SEC;

	path->credit += each;
	if (path->credit > each + PATH_MSS)
		path->credit = each + PATH_MSS;
	while (path->credit >= PATH_MSS &&
	       path->remote.snd_nxt + PATH_MSS - path->una <= path->cwnd &&
	       weir_seq_leq(path->remote.snd_nxt + PATH_MSS, path->edge)) {
		ck_assert_uint_lt(path->seg_tail - path->seg_head, PATH_SEGS);
		path->segs[path->seg_tail++ % PATH_SEGS] = (struct path_seg){
			.due_ns = now_ns + path->rtt_ns / 2,
			.seq = path->remote.snd_nxt,
			.len = PATH_MSS,
			.tsval = path->remote.tsval + (uint32_t)(now_ns / 1000000),
			.tsecr = path->remote.ts_echo,
		};
		path->remote.snd_nxt += PATH_MSS;
		path->credit -= PATH_MSS;
	}
}

/* What has arrived, up to a burst of it; returns how many. */
static uint32_t
arrive(struct path *path, uint64_t now_ns)
{
	uint32_t n = 0;

	for (; n < BURST && path->seg_head != path->seg_tail; n++) {
		const struct path_seg *seg = &path->segs[path->seg_head % PATH_SEGS];
		struct remote as_sent = path->remote;

		if (seg->due_ns > now_ns)
			break;
		as_sent.tsval = seg->tsval;
		as_sent.ts_echo = seg->tsecr;
		remote_send(path->world, &as_sent, seg->seq, 0, seg->len);
		path->seg_head++;
	}
	return n;
}

static void
take_reply(struct path *path, const struct reply *reply, uint64_t now_ns)
{
	uint32_t edge = reply->ack + ((uint32_t)reply->win << path->remote.shift);
	int32_t left = weir_seq_diff(path->remote.edge, edge);

	ck_assert_uint_lt(path->ack_tail - path->ack_head, PATH_SEGS);
	path->acks[path->ack_tail++ % PATH_SEGS] = (struct path_ack){
		.due_ns = now_ns + path->rtt_ns / 2,
		.ack = reply->ack,
		.edge = edge,
		.tsval = reply->tsval,
	};
	if (left >= 1 << path->remote.shift)
		path->edge_left += (uint32_t)left;
	path->remote.edge = weir_seq_max(path->remote.edge, edge);
}

static void
take_replies(struct path *const *paths, uint32_t n)
{
	struct world *world = paths[0]->world;

	for (uint32_t i = 0; i < world->n_replies; i++)
		for (uint32_t k = 0; k < n; k++)
			if (world->replies[i].dport == paths[k]->remote.port)
				take_reply(paths[k], &world->replies[i], world->now_ns);
	world_forget(world);
}

static void
check(struct path *path, const uint8_t *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++, path->read++)
		if (data[i] != remote_byte(path->read))
			ck_abort_msg("wrong byte at %llu", (unsigned long long)path->read);
}

static void
read_bytes(struct path *path, uint64_t most)
{
	static uint8_t data[65536];
	int n = 1;

	while (most != 0 && n > 0) {
		n = weir_conn_read(path->world->stack, path->remote.conn, data,
				   most < sizeof(data) ? (uint32_t)most : sizeof(data));
		ck_assert_int_ge(n, 0);
		check(path, data, (uint32_t)n);
		most -= (uint32_t)n;
	}
}

static void
lease_all(struct path *path, uint64_t now_ns)
{
	struct weir_span spans[64];
	int n;

	while ((n = weir_conn_lease(path->world->stack, path->remote.conn, spans, 64)) > 0)
		for (int i = 0; i < n; i++) {
			check(path, spans[i].data, spans[i].len);
			if (!spans[i].last)
				continue;
			ck_assert_uint_lt(path->lease_tail - path->lease_head, PATH_SEGS);
			path->leases[path->lease_tail++ % PATH_SEGS] = (struct path_lease){
				.due_ns = now_ns + path->lease_ns, .lease = spans[i].lease};
		}
	ck_assert_int_eq(n, 0);
}

static void
give_back(struct path *path, uint64_t now_ns)
{
	while (path->lease_head != path->lease_tail &&
	       path->leases[path->lease_head % PATH_SEGS].due_ns <= now_ns)
		ck_assert_int_eq(
			weir_lease_release(path->world->stack,
					   &path->leases[path->lease_head++ % PATH_SEGS].lease, 1),
			0);
}

static void
read_on(struct path *path, uint64_t now_ns)
{
	uint64_t most;

	give_back(path, now_ns);
	if (path->reader == PATH_READS_ALL) {
		read_bytes(path, UINT64_MAX);
	} else if (path->reader == PATH_LEASES) {
		lease_all(path, now_ns);
	} else {
		path->read_credit += path->read_rate * path->tick_ns;
		most = path->read_credit / SEC;
		path->read_credit -= most * SEC;
		read_bytes(path, most);
	}
}

static void
tick(struct path *const *paths, uint32_t n)
{
	struct world *world = paths[0]->world;
	uint64_t advance_ns = paths[0]->tick_ns, now_ns = world->now_ns + advance_ns;
	uint32_t arrived;

	for (uint32_t i = 0; i < n; i++) {
		take_acks(paths[i], now_ns);
		send_paced(paths[i], now_ns);
	}
	do {
		arrived = 0;
		for (uint32_t i = 0; i < n; i++)
			arrived += arrive(paths[i], now_ns);
		world_poll(world, advance_ns);
		advance_ns = 0;
		take_replies(paths, n);
	} while (arrived != 0);
	for (uint32_t i = 0; i < n; i++)
		read_on(paths[i], now_ns);
}

void
path_run(struct path *const *paths, uint32_t n, uint64_t ns)
{
	const uint64_t end_ns = paths[0]->world->now_ns + ns;

	while (paths[0]->world->now_ns < end_ns)
		tick(paths, n);
}

/* As remote_open(), but the ACK of the SYN-ACK comes a round trip later. */
static void
open_slowly(struct path *path)
{
	struct world *world = path->world;
	struct remote *remote = &path->remote;
	uint8_t options[12], len = scene_options(remote, options);

	scene_syn(world, remote, 0, options, len);
	ck_assert_uint_eq(world_poll(world, 1000), 1);
	scene_take_syn_ack(remote, world_last(world));
	world->now_ns += path->rtt_ns;
	remote_send(world, remote, remote->snd_nxt, 0, 0);
	world_poll(world, 0);
	ck_assert_uint_ge(world->n_events, 1);
	ck_assert_uint_eq(world->events[world->n_events - 1].type, WEIR_EVENT_ACCEPTED);
	remote->conn = world->events[world->n_events - 1].conn;
	world_forget(world);
}

void
path_open(struct path *path, struct world *world, uint16_t to, void (*change)(struct remote *remote))
{
	static uint16_t port = 20000;

	path->world = world;
	remote_init(&path->remote, port++);
	path->remote.to = to;
	if (change != NULL)
		change(&path->remote);
	open_slowly(path);
	path->una = path->remote.snd_nxt;
	path->edge = path->remote.edge;
	path->cwnd = 10 * PATH_MSS; /* RFC 6928 */
}

uint32_t
path_buffer(const struct path *path)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	ck_assert_int_eq(weir_conn_info(path->world->stack, path->remote.conn, &info), 0);
	return info.receive_buffer;
}

uint64_t
path_product(const struct path *path)
{
	return path->rate * path->rtt_ns / SEC;
}

void
path_end(struct path *path)
{
	give_back(path, UINT64_MAX);
}
