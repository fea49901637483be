/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "tests/sim/world.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/checksum.h"

#define WORLD_FRAMES 1024

void
world_config(struct weir_config *config)
{
	weir_config_init(config);
	config->flows = 64;
	config->syn_entries = 64;
	config->time_wait_entries = 64;
	config->buffers = 4096;
	config->heap = 1;
	config->mld = 0;
	config->seed = 1;
	config->now_ns = 1000000000;
}

static void
collect_events(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct world *world = user;

	(void)stack;
	for (uint32_t i = 0; i < n && world->n_events < WORLD_REPLIES; i++)
		world->events[world->n_events++] = events[i];
}

void
world_open(struct world *world, const struct weir_config *config, uint32_t receive_buffer,
	   enum weir_ack_policy policy)
{
	struct weir_port_config port = {.size = sizeof(port), .prefix_len = 24};
	struct weir_listen_config listen;
	struct weir_port *ends[2];
	struct weir_addr address6;

	memset(world, 0, sizeof(*world));
	world->now_ns = config->now_ns;
	ck_assert_int_eq(weir_stack_create(config, &world->stack), 0);
	world->engine = weir_stack_engine(world->stack, 0);
	ck_assert_int_eq(weir_port_open_pair(WORLD_FRAMES, ends), 0);
	world->near = ends[0];
	world->far = ends[1];
	ck_assert_int_eq(weir_pool_open_heap(&world->pool, 2 * WORLD_FRAMES, 2176), 0);
	ck_assert_int_eq(world->far->start(world->far->ctx, &world->pool), 0);
	ck_assert_int_eq(weir_addr_parse("192.0.2.1", &port.address), 0);
	memcpy(world->near->mac, frame_local_mac, 6);
	ck_assert_int_eq(weir_stack_attach(world->stack, world->near, &port), 0);
	ck_assert_int_eq(weir_addr_parse("2001:db8::1", &address6), 0);
	ck_assert_int_eq(weir_stack_add_address(world->stack, world->near, &address6), 0);
	weir_listen_config_init(&listen);
	listen.port = WORLD_PORT;
	listen.receive_buffer = receive_buffer;
	listen.receive_buffer_min = WORLD_TUNED;
	listen.ack_policy = (uint16_t)policy;
	ck_assert_int_eq(weir_listen(world->stack, &listen), 0);
	weir_stack_set_handler(world->stack, collect_events, world);
}

bool
world_reply_equal(const struct reply *a, const struct reply *b)
{
	return a->seq == b->seq && a->ack == b->ack && a->flags == b->flags &&
	       a->tsecr == b->tsecr && a->tsval == b->tsval && a->n_sacks == b->n_sacks &&
	       a->len == b->len && memcmp(a->sacks, b->sacks, sizeof(a->sacks)) == 0 &&
	       memcmp(a->accecn, b->accecn, sizeof(a->accecn)) == 0;
}

void
world_reply_print(const char *name, const struct reply *r)
{
	fprintf(stderr, "%s: port %u flags %02x seq %u ack %u win %u tsval %u tsecr %u sacks", name,
		r->dport, r->flags, r->seq, r->ack, r->win, r->tsval, r->tsecr);
	for (int i = 0; i < r->n_sacks; i++)
		fprintf(stderr, " %u-%u", r->sacks[i][0], r->sacks[i][1]);
	fprintf(stderr, " accecn");
	for (uint32_t i = 0; i < r->accecn[1]; i++)
		fprintf(stderr, " %02x", r->accecn[i]);
	fprintf(stderr, "\n");
}

bool
world_replies_equal(uint16_t port, const struct reply *one, uint32_t n_one, const struct reply *other,
		    uint32_t n_other)
{
	const struct reply *end_one = one + n_one, *end_other = other + n_other;

	for (uint32_t i = 0;; i++, one++, other++) {
		while (one != end_one && one->dport != port)
			one++;
		while (other != end_other && other->dport != port)
			other++;
		if (one == end_one || other == end_other)
			break;
		if (!world_reply_equal(one, other)) {
			fprintf(stderr, "packet %u differs\n", i);
			world_reply_print("one  ", one);
			world_reply_print("other", other);
			return false;
		}
	}
	if (one != end_one || other != end_other)
		fprintf(stderr, "another number of packets\n");
	return one == end_one && other == end_other;
}

void
world_close(struct world *world)
{
	ck_assert_int_eq(weir_stack_destroy(world->stack), 0);
	world->far->stop(world->far->ctx);
	weir_port_close(world->near);
	weir_port_close(world->far);
	ck_assert_uint_eq(weir_pool_close(&world->pool), 0);
}

void
world_believe(struct world *world)
{
	world->believed = true;
	world->engine->ports[0].parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
}

void
world_inject(struct world *world, struct rte_mbuf *frame)
{
	ck_assert_ptr_nonnull(frame);
	if (world->believed)
		frame->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	ck_assert_uint_eq(world->far->tx_burst(world->far->ctx, &frame, 1, world->now_ns), 1);
}

static void
read_option(struct reply *reply, const uint8_t *p)
{
	switch (p[0]) {
	case 2:
		reply->mss = weir_load_be16(p + 2);
		break;
	case 3:
		reply->wscale = (int8_t)p[2];
		break;
	case 4:
		reply->sack_permitted = 1;
		break;
	case 5:
		reply->n_sacks = (uint8_t)((p[1] - 2) / 8);
		for (int i = 0; i < reply->n_sacks; i++) {
			reply->sacks[i][0] = weir_load_be32(p + 2 + 8 * i);
			reply->sacks[i][1] = weir_load_be32(p + 6 + 8 * i);
		}
		break;
	case 8:
		reply->has_ts = 1;
		reply->tsval = weir_load_be32(p + 2);
		reply->tsecr = weir_load_be32(p + 6);
		break;
	case WEIR_OPT_KIND_ACCECN0:
	case WEIR_OPT_KIND_ACCECN1:
		ck_assert_uint_le(p[1], sizeof(reply->accecn));
		memcpy(reply->accecn, p, p[1]);
		break;
	default:
		ck_abort_msg("option %u in a reply", p[0]);
	}
}

static void
read_options(struct reply *reply, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i < len && p[i] != 0;) {
		if (p[i] == 1) {
			i++;
			continue;
		}
		ck_assert(i + 1 < len && p[i + 1] >= 2 && i + p[i + 1] <= len);
		read_option(reply, p + i);
		i += p[i + 1];
	}
}

/* The IP header of a reply, and the sum of its pseudo header; the length behind it to *tcp_len. */
static const uint8_t *
read_ip(struct reply *reply, const uint8_t *ip, uint32_t *tcp_len, uint64_t *sum)
{
	if (ip[0] >> 4 == 6) {
		ck_assert_mem_eq(ip + 8, frame_local_ip6, 16);
		ck_assert_mem_eq(ip + 24, frame_remote_ip6, 12);
		ck_assert_uint_ne(weir_load_be32(ip) & 0xfffff, 0);
		*tcp_len = weir_load_be16(ip + 4);
		*sum = weir_csum_pseudo6(ip + 8, 6, *tcp_len);
		reply->dst = weir_load_be32(ip + 36);
		return ip + 40;
	}
	ck_assert_uint_eq(weir_csum_fold(weir_csum_add(ip, 20, 0)), 0xffff);
	*tcp_len = weir_load_be16(ip + 2) - 20u;
	reply->dst = weir_load_be32(ip + 16);
	*sum = weir_csum_pseudo4(weir_load_be32(ip + 12), reply->dst, 6, (uint16_t)*tcp_len);
	return ip + 20;
}

/* Ethernet, IP and TCP headers of one reply; checksums must hold. */
static void
read_reply(struct reply *reply, const uint8_t *frame, uint32_t frame_len)
{
	const uint8_t *ip = frame + 14, *tcp;
	uint32_t header, tcp_len;
	uint64_t sum;

	memset(reply, 0, sizeof(*reply));
	reply->wscale = -1;
	ck_assert_uint_ge(frame_len, 54);
	ck_assert_uint_eq(weir_load_be16(frame + 12), ip[0] >> 4 == 6 ? 0x86dd : 0x0800);
	ck_assert_int_eq(memcmp(frame, frame_remote_mac, 6), 0);
	tcp = read_ip(reply, ip, &tcp_len, &sum);
	ck_assert_uint_eq((uint32_t)(tcp - frame) + tcp_len, frame_len);
	ck_assert_uint_eq(weir_csum_fold(weir_csum_add(tcp, tcp_len, sum)), 0xffff);
	header = (uint32_t)(tcp[12] >> 4) * 4;
	reply->sport = weir_load_be16(tcp);
	reply->dport = weir_load_be16(tcp + 2);
	reply->seq = weir_load_be32(tcp + 4);
	reply->ack = weir_load_be32(tcp + 8);
	reply->flags = tcp[13];
	reply->win = weir_load_be16(tcp + 14);
	reply->len = tcp_len - header;
	read_options(reply, tcp + 20, header - 20);
}

uint32_t
world_poll(struct world *world, uint64_t advance_ns)
{
	struct rte_mbuf *bufs[64];
	uint32_t before = world->n_replies;
	uint16_t n;

	world->now_ns += advance_ns;
	weir_engine_poll(world->engine, world->now_ns);
	while ((n = world->far->rx_burst(world->far->ctx, bufs, 64, world->now_ns)) != 0) {
		for (uint16_t i = 0; i < n; i++) {
			ck_assert_uint_lt(world->n_replies, WORLD_REPLIES);
			read_reply(&world->replies[world->n_replies++],
				   rte_pktmbuf_mtod(bufs[i], uint8_t *), bufs[i]->pkt_len);
		}
		weir_buf_free_bulk(&world->pool, bufs, n);
	}
	return world->n_replies - before;
}

const struct reply *
world_last(const struct world *world)
{
	ck_assert_uint_gt(world->n_replies, 0);
	return &world->replies[world->n_replies - 1];
}

void
world_forget(struct world *world)
{
	world->n_replies = world->n_events = 0;
}

void
remote_init(struct remote *remote, uint16_t port)
{
	*remote = (struct remote){
		.ip = FRAME_REMOTE_IP,
		.port = port,
		.to = WORLD_PORT,
		.ts = true,
		.sack = true,
		.wscale = 7,
		.mss = 1460,
		.iss = 1000000u * port,
		.tsval = 5000,
	};
}

uint8_t
remote_byte(uint64_t offset)
{
	return (uint8_t)((offset * 0x9e3779b97f4a7c15u) >> 56);
}

void
remote_spec(const struct remote *remote, struct frame_spec *spec, uint32_t seq, uint8_t flags,
	    uint8_t *payload, uint32_t len)
{
	frame_spec_init(spec);
	spec->src = remote->ip;
	spec->ip6 = remote->ip6;
	weir_store_be32(spec->src6 + 12, remote->ip);
	spec->sport = remote->port;
	spec->dport = remote->to;
	spec->seq = seq;
	spec->ack = remote->rcv_nxt;
	spec->flags = flags;
	spec->has_ts = remote->ts;
	spec->tsval = remote->tsval;
	spec->tsecr = remote->ts_echo;
	for (uint32_t i = 0; i < len; i++)
		payload[i] = remote_byte(seq - remote->iss - 1 + i);
	spec->payload = payload;
	spec->len = len;
}

void
remote_send(struct world *world, const struct remote *remote, uint32_t seq, uint8_t flags,
	    uint32_t len)
{
	struct frame_spec spec;
	uint8_t payload[9000];

	remote_spec(remote, &spec, seq, flags | WEIR_TCP_ACK, payload, len);
	world_inject(world, frame_build(&world->pool, &spec));
}

void
remote_stream(struct world *world, struct remote *remote, uint8_t flags, uint32_t len)
{
	remote_send(world, remote, remote->snd_nxt, flags, len);
	remote->snd_nxt += len + ((flags & WEIR_TCP_FIN) != 0);
}

static void
send_syn(struct world *world, struct remote *remote)
{
	uint8_t options[12];
	struct frame_spec spec;

	remote_spec(remote, &spec, remote->iss, WEIR_TCP_SYN, NULL, 0);
	if (remote->ecn)
		spec.flags |= WEIR_TCP_ECE | WEIR_TCP_CWR | (remote->accecn ? WEIR_TCP_AE : 0);
	spec.tcp_options = options;
	spec.tcp_options_len = scene_options(remote, options);
	world_inject(world, frame_build(&world->pool, &spec));
}

void
remote_open(struct world *world, struct remote *remote)
{
	const struct reply *syn_ack;
	uint32_t events;

	remote->rcv_nxt = 0;
	send_syn(world, remote);
	ck_assert_uint_eq(world_poll(world, 1000), 1);
	syn_ack = world_last(world);
	ck_assert_uint_eq(syn_ack->flags & (WEIR_TCP_SYN | WEIR_TCP_ACK | WEIR_TCP_RST),
			  WEIR_TCP_SYN | WEIR_TCP_ACK);
	ck_assert_uint_eq(syn_ack->ack, remote->iss + 1);
	ck_assert_uint_eq(syn_ack->has_ts, remote->ts);
	ck_assert_uint_eq(syn_ack->sack_permitted, remote->sack);
	ck_assert_int_eq(syn_ack->wscale >= 0, remote->wscale >= 0);
	remote->shift = syn_ack->wscale > 0 ? (uint8_t)syn_ack->wscale : 0;
	remote->edge = syn_ack->ack + syn_ack->win;
	remote->rcv_nxt = syn_ack->seq + 1;
	remote->ts_echo = syn_ack->tsval;
	remote->snd_nxt = remote->iss + 1;
	remote_send(world, remote, remote->snd_nxt, 0, 0);
	events = world->n_events;
	ck_assert_uint_eq(world_poll(world, 1000), 0);
	ck_assert_uint_eq(world->n_events, events + 1);
	ck_assert_uint_eq(world->events[events].type, WEIR_EVENT_ACCEPTED);
	remote->conn = world->events[events].conn;
}

/* ---- scenes ---- */

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
	ck_assert_uint_eq(tcp->table.count + tcp->table6.count,
			  tcp->syn_free.used + tcp->time_wait_free.used);
	ck_assert_uint_eq(tcp->held.used, 0);
	ck_assert_uint_eq(tcp->held_bufs, 0);
	ck_assert_uint_eq(tcp->stats.packets_queued, 0);
	ck_assert_uint_eq(tcp->listener_uses[0].connections, 0);
	ck_assert_uint_eq(tcp->listener_uses[0].held_bufs, 0);
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
