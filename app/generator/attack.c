/* SPDX-License-Identifier: BSD-3-Clause */
/* What a hostile sender does. Each is bounded by the caller's count and by open_loop_pps. */
#include "app/generator/segment.h"
#include "wire/header.h"

#define TINY_MOST 8 /* bytes of an out-of-order range */
#define TRIES	  64

/* Any established flow, NULL when a few draws find none. */
static struct gen_flow *
draw_flow(struct generator *g)
{
	for (uint32_t i = 0; i < TRIES && g->established != 0; i++) {
		struct gen_flow *f = &g->flows[gen_draw_below(g, g->n_flows)];

		if (f->state == GEN_OPEN)
			return f;
	}
	return NULL;
}

static bool
send_syn(struct generator *g)
{
	const struct generator_config *config = &g->config;
	const struct weir_packet packet = {
	    .seq = (uint32_t)gen_draw(g),
	    .tsval = g->tsval,
	    .win = 0xffff,
	    .flags = WEIR_TCP_SYN,
	    .mss = (uint16_t)(config->mss + (config->timestamps ? GEN_TS : 0)),
	    .wscale = 7,
	    .sack_permitted = config->sack,
	};
	uint32_t address = config->address + gen_draw_below(g, config->sources);
	uint32_t port = config->first_port + gen_draw_below(g, 65536u - config->first_port);

	return gen_send_packet(g, address, (uint16_t)port, config->timestamps, &packet);
}

static bool
send_rst(struct generator *g)
{
	struct gen_flow *f = draw_flow(g);
	struct weir_packet packet = {
	    .seq = (uint32_t)gen_draw(g),
	    .flags = WEIR_TCP_RST,
	    .wscale = -1,
	};

	return f != NULL && gen_send_packet(g, f->address, f->port, false, &packet);
}

/* A segment of `f` as if it were at `seq` and acknowledged `ack`. */
static bool
send_data(struct generator *g, const struct gen_flow *f, uint32_t seq, uint32_t ack, uint32_t len)
{
	struct gen_flow forged = *f;
	struct gen_head head;
	struct rte_mbuf *buf;

	if (gen_room(g, 1) == 0)
		return false;
	forged.rcv_next = ack;
	gen_head_begin(g, &forged, len, WEIR_TCP_ACK, &head);
	buf = g->spare[--g->n_spare];
	gen_fill_segment(g, &head, buf, seq, gen_position(g, f, seq));
	gen_stage(g, buf);
	return true;
}

static bool
send_guess(struct generator *g)
{
	const struct gen_flow *f = draw_flow(g);
	uint32_t seq = (uint32_t)gen_draw(g), ack = (uint32_t)gen_draw(g);

	return f != NULL && send_data(g, f, seq, ack, 1 + gen_draw_below(g, f->mss));
}

/* Somewhere in the window, but never its first byte. */
static bool
send_range(struct generator *g)
{
	const struct gen_flow *f = draw_flow(g);
	uint32_t room;

	if (f == NULL || f->edge - f->una < 2 * TINY_MOST)
		return false;
	room = f->edge - f->una - TINY_MOST;
	return send_data(g, f, f->una + 1 + gen_draw_below(g, room - 1), f->rcv_next,
			 1 + gen_draw_below(g, TINY_MOST));
}

static bool
send_one(struct generator *g)
{
	switch (g->config.attack) {
	case GENERATOR_ATTACK_SYN:
		return send_syn(g);
	case GENERATOR_ATTACK_RST:
		return send_rst(g);
	case GENERATOR_ATTACK_SEQ:
		return send_guess(g);
	case GENERATOR_ATTACK_OOO:
		return send_range(g);
	default: /* tiny and collide are streams of their own kind */
		return false;
	}
}

uint32_t
gen_attack(struct generator *g, uint32_t most)
{
	const struct generator_config *config = &g->config;
	bool beside =
	    config->attack == GENERATOR_ATTACK_RST || config->attack == GENERATOR_ATTACK_SEQ;
	uint32_t due = beside ? most / 2 : most, n = 0;

	if (g->closing || config->attack == GENERATOR_ATTACK_NONE ||
	    config->attack >= GENERATOR_ATTACK_TINY)
		return 0;
	if (config->open_loop_pps != 0)
		due = gen_pace(g, config->open_loop_pps, due);
	while (n < due && gen_room(g, 1) != 0 && send_one(g))
		n++;
	if (config->attack == GENERATOR_ATTACK_SYN && g->began_ns == 0 && n != 0)
		g->began_ns = g->now_ns;
	g->stats.attack_packets += n;
	return n;
}
