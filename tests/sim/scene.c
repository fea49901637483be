/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/sim/scene.h"

void
scene_open(struct world *world, uint32_t receive_buffer)
{
	struct weir_config config;

	world_config(&config);
	world_open(world, &config, receive_buffer, WEIR_ACK_TRAIN);
}

void
scene_close(struct world *world)
{
	struct weir_tcp *tcp = &world->engine->tcp;

	for (uint32_t i = 0; i < tcp->flow_free.touched; i++)
		if (tcp->flows[i].conn != 0)
			weir_conn_abort(world->stack, tcp->flows[i].conn);
	world_poll(world, 1000);
	ck_assert_uint_eq(tcp->flow_free.used, 0);
	ck_assert_uint_eq(tcp->stats.established, 0);
	ck_assert_uint_eq(tcp->stats.accepted, tcp->stats.closed);
	ck_assert_uint_eq(tcp->stats.syn_received, tcp->syn_free.used);
	ck_assert_uint_eq(tcp->stats.time_wait, tcp->time_wait_free.used);
	ck_assert_uint_eq(tcp->table.count, tcp->syn_free.used + tcp->time_wait_free.used);
	ck_assert_uint_eq(tcp->held.used, 0);
	ck_assert_uint_eq(tcp->held_bufs, 0);
	ck_assert_int_eq(tcp->committed_bytes, 0);
	ck_assert_uint_eq(tcp->stats.packets_queued, 0);
	world_close(world);
}

static uint64_t
count(const struct weir_stats *stats, int exit)
{
	if (exit == SCENE_CONSUMED)
		return stats->packets_consumed;
	if (exit == SCENE_DELIVERED)
		return stats->packets_delivered;
	return stats->drops[exit];
}

void
scene_expect(struct world *world, int exit, uint32_t n, uint32_t replies)
{
	const struct weir_stats before = world->engine->tcp.stats;
	const struct weir_stats *after = &world->engine->tcp.stats;

	world->n_replies = 0;
	world_poll(world, 1000);
	ck_assert_uint_eq(after->packets_received - before.packets_received, n);
	for (int i = SCENE_DELIVERED; i < WEIR_DROP_COUNT; i++)
		if (count(after, i) - count(&before, i) != (i == exit ? n : 0))
			ck_abort_msg("exit %d (%s) moved by %d", i,
				     i < 0 ? "" : weir_stats_drop_name((uint32_t)i),
				     (int)(count(after, i) - count(&before, i)));
	ck_assert_uint_eq(world->n_replies, replies);
}

void
scene_pass(struct world *world, uint64_t advance_ns, uint32_t replies)
{
	world->n_replies = 0;
	world_poll(world, advance_ns);
	ck_assert_uint_eq(world->n_replies, replies);
}

void
scene_events(struct world *world, const char *expected)
{
	char got[64];
	uint32_t n = 0;

	for (uint32_t i = 0; i < world->n_events && n < sizeof(got) - 2; i++) {
		got[n++] = "?ADFC"[world->events[i].type];
		if (world->events[i].type == WEIR_EVENT_CLOSED)
			got[n++] = "drat"[world->events[i].flags];
	}
	got[n] = 0;
	ck_assert_str_eq(got, expected);
	world->n_events = 0;
}

void
scene_raw(struct world *world, const struct remote *remote, uint32_t seq, uint32_t ack,
	  uint8_t flags, uint32_t len)
{
	struct frame_spec spec;
	uint8_t payload[9000];

	remote_spec(remote, &spec, seq, flags, payload, len);
	spec.ack = ack;
	world_inject(world, frame_build(&world->pool, &spec));
}

void
scene_syn(struct world *world, const struct remote *remote, uint8_t flags, const uint8_t *options,
	  uint8_t len)
{
	struct frame_spec spec;

	remote_spec(remote, &spec, remote->iss, WEIR_TCP_SYN | flags, NULL, 0);
	spec.ack = 0;
	spec.tcp_options = options;
	spec.tcp_options_len = len;
	world_inject(world, frame_build(&world->pool, &spec));
}

uint8_t
scene_options(const struct remote *remote, uint8_t options[12])
{
	uint8_t len = 4;

	memcpy(options, (const uint8_t[]){2, 4, (uint8_t)(remote->mss >> 8), (uint8_t)remote->mss},
	       4);
	if (remote->sack) {
		options[len++] = 4;
		options[len++] = 2;
	}
	if (remote->wscale >= 0) {
		options[len++] = 3;
		options[len++] = 3;
		options[len++] = (uint8_t)remote->wscale;
	}
	return len;
}

void
scene_take_syn_ack(struct remote *remote, const struct reply *syn_ack)
{
	ck_assert_uint_eq(syn_ack->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST),
			  WEIR_TCP_SYN | WEIR_TCP_ACK);
	ck_assert_uint_eq(syn_ack->ack, remote->iss + 1);
	remote->shift = syn_ack->wscale > 0 ? (uint8_t)syn_ack->wscale : 0;
	remote->edge = syn_ack->ack + syn_ack->win;
	remote->rcv_nxt = syn_ack->seq + 1;
	remote->ts_echo = syn_ack->tsval;
	remote->snd_nxt = remote->iss + 1;
}

static void
enter_syn_received(struct world *world, struct remote *remote)
{
	uint8_t options[12], len = scene_options(remote, options);

	scene_syn(world, remote, remote->ecn ? WEIR_TCP_ECE | WEIR_TCP_CWR : 0, options, len);
	scene_expect(world, SCENE_CONSUMED, 1, 1);
	scene_take_syn_ack(remote, world_last(world));
}

static void
close_locally(struct world *world, const struct remote *remote)
{
	ck_assert_int_eq(weir_conn_close(world->stack, remote->conn), 0);
	scene_pass(world, 1000, 1);
	ck_assert_uint_eq(world_last(world)->flags, WEIR_TCP_FIN | WEIR_TCP_ACK);
	ck_assert_uint_eq(world_last(world)->seq, remote->rcv_nxt);
}

static void
ack_fin(struct world *world, struct remote *remote)
{
	remote->rcv_nxt++;
	remote_send(world, remote, remote->snd_nxt, 0, 0);
	scene_expect(world, SCENE_CONSUMED, 1, 0);
}

static void
send_fin(struct world *world, struct remote *remote)
{
	remote_stream(world, remote, WEIR_TCP_FIN, 0);
	scene_expect(world, SCENE_CONSUMED, 1, 1);
	ck_assert_uint_eq(world_last(world)->ack, remote->snd_nxt);
}

void
scene_enter(struct world *world, struct remote *remote, uint16_t port, uint32_t state)
{
	remote_init(remote, port);
	if (state == SCENE_SYN_RECEIVED) {
		enter_syn_received(world, remote);
		return;
	}
	remote_open(world, remote);
	if (state == WEIR_TCP_CLOSE_WAIT || state == WEIR_TCP_LAST_ACK)
		send_fin(world, remote);
	if (state != WEIR_TCP_ESTABLISHED && state != WEIR_TCP_CLOSE_WAIT)
		close_locally(world, remote);
	if (state == WEIR_TCP_FIN_WAIT_2 || state == SCENE_TIME_WAIT)
		ack_fin(world, remote);
	if (state == WEIR_TCP_CLOSING || state == SCENE_TIME_WAIT)
		send_fin(world, remote);
	ck_assert_uint_eq(scene_state(world, remote),
			  state == SCENE_TIME_WAIT ? WEIR_TCP_CLOSED : state);
	world_forget(world);
}

struct weir_flow *
scene_flow(const struct world *world, const struct remote *remote)
{
	const struct weir_slot *slot = weir_slots_find(&world->stack->slots, remote->conn);

	return slot == NULL ? NULL : &world->engine->tcp.flows[slot->flow];
}

uint32_t
scene_state(const struct world *world, const struct remote *remote)
{
	struct weir_conn_info info = {.size = sizeof(info)};

	if (weir_conn_info(world->stack, remote->conn, &info) != 0)
		return WEIR_TCP_CLOSED;
	return info.state;
}

uint64_t
scene_drops(const struct world *world, enum weir_drop reason)
{
	return world->engine->tcp.stats.drops[reason];
}
