/* SPDX-License-Identifier: BSD-3-Clause */
/* Which connection a packet belongs to, by arithmetic, and which one sends next. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/generator/state.h"

#define PORTS	   65536
#define LOOK_AHEAD 8 /* flows drawn, and fetched, before their turn */

static uint32_t
power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

static int
queue_open(struct gen_queue *queue, uint32_t capacity)
{
	uint32_t size = power_of_two(capacity);

	*queue = (struct gen_queue){.mask = size - 1};
	queue->flows = malloc(size * sizeof(*queue->flows));
	return queue->flows == NULL ? -ENOMEM : 0;
}

/* Both lines: a run sets the timer, too. */
static void
fetch_flow(const struct gen_flow *f)
{
	__builtin_prefetch(f, 1);
	__builtin_prefetch(&f->timed_ns, 1);
}

static void
queue_put(struct gen_queue *queue, uint32_t index)
{
	queue->flows[queue->tail++ & queue->mask] = index;
}

/* Random order: decide who stands at the positions right after head, and fetch their state. */
static void
queue_draw(struct generator *g, struct gen_queue *queue)
{
	uint32_t left = queue->tail - queue->head;

	while (queue->drawn < LOOK_AHEAD && queue->drawn < left) {
		uint32_t at = queue->head + queue->drawn;
		uint32_t other = at + gen_draw_below(g, left - queue->drawn);
		uint32_t index = queue->flows[other & queue->mask];

		queue->flows[other & queue->mask] = queue->flows[at & queue->mask];
		queue->flows[at & queue->mask] = index;
		fetch_flow(&g->flows[index]);
		queue->drawn++;
	}
}

void
gen_ready(struct generator *g, struct gen_flow *f)
{
	if (f->flags & GEN_READY)
		return;
	f->flags |= GEN_READY;
	queue_put(&g->ready, gen_index(g, f));
}

struct gen_flow *
gen_ready_take(struct generator *g)
{
	struct gen_queue *queue = &g->ready;
	struct gen_flow *f;

	if (queue->head == queue->tail)
		return NULL;
	if (g->config.order == GENERATOR_RANDOM) {
		queue_draw(g, queue);
		queue->drawn--;
	} else if (queue->tail - queue->head > LOOK_AHEAD / 2) {
		fetch_flow(&g->flows[queue->flows[(queue->head + LOOK_AHEAD / 2) & queue->mask]]);
	}
	f = &g->flows[queue->flows[queue->head++ & queue->mask]];
	f->flags &= (uint8_t)~GEN_READY;
	return f;
}

void
gen_ready_return(struct generator *g, struct gen_flow *f)
{
	struct gen_queue *queue = &g->ready;

	f->flags |= GEN_READY;
	queue->flows[--queue->head & queue->mask] = gen_index(g, f);
	if (g->config.order == GENERATOR_RANDOM)
		queue->drawn++;
}

/* Ports of a source. In mode connect each flow has several, one for each generation. */
static int
ports_layout(struct generator *g)
{
	const struct generator_config *config = &g->config;
	uint32_t slots = (g->n_flows + config->sources - 1) / config->sources;
	uint32_t ports = PORTS - config->first_port;

	if (config->attack == GENERATOR_ATTACK_COLLIDE) {
		g->port_mask = power_of_two(g->n_flows) - 1;
		g->config.sources = g->n_flows;
		g->generations = 1;
		return g->port_mask < ports ? 0 : -ENOSPC;
	}
	if (slots > ports)
		return -ENOSPC;
	g->port_mask = PORTS - 1;
	g->generations = 1;
	if (config->mode == GENERATOR_CONNECT && power_of_two(slots) <= ports) {
		g->port_mask = power_of_two(slots) - 1;
		g->generations = ports / (g->port_mask + 1);
	}
	return 0;
}

static void
place(const struct generator *g, struct gen_flow *f, uint32_t i)
{
	const struct generator_config *config = &g->config;

	f->address = config->address + i % config->sources;
	if (config->attack == GENERATOR_ATTACK_COLLIDE)
		f->port = (uint16_t)(config->first_port + (g->port_mask - i));
	else
		f->port = (uint16_t)(config->first_port + i / config->sources);
}

/* Inverse of the distribution at evenly spaced quantiles. */
static int
run_table_open(struct generator *g)
{
	double stay = 1 - 1.0 / g->config.run;

	if (!g->config.geometric || g->config.run == 1)
		return 0;
	g->run_table = malloc(GEN_RUN_TABLE * sizeof(*g->run_table));
	if (g->run_table == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < GEN_RUN_TABLE; i++) {
		double length = 1 + floor(log1p(-(i + 0.5) / GEN_RUN_TABLE) / log(stay));

		g->run_table[i] = (uint16_t)(length < GEN_RUN_MOST ? length : GEN_RUN_MOST);
	}
	return 0;
}

uint16_t
gen_run_length(struct generator *g)
{
	if (g->run_table != NULL)
		return g->run_table[gen_draw(g) % GEN_RUN_TABLE];
	if (g->config.flows == 1 && g->config.run < GEN_BURST)
		return GEN_BURST; /* there is nobody else */
	return (uint16_t)g->config.run;
}

int
gen_flows_open(struct generator *g)
{
	uint32_t n = g->n_flows == 0 ? 1 : g->n_flows;
	int rc = ports_layout(g);

	if (rc != 0)
		return rc;
	g->flows = aligned_alloc(_Alignof(struct gen_flow), n * sizeof(*g->flows));
	if (g->flows == NULL || queue_open(&g->ready, n) != 0 || queue_open(&g->opening, n) != 0 ||
	    run_table_open(g) != 0)
		return -ENOMEM;
	memset(g->flows, 0, n * sizeof(*g->flows));
	for (uint32_t i = 0; i < g->n_flows; i++) {
		place(g, &g->flows[i], i);
		queue_put(&g->opening, i);
	}
	g->live = g->config.flows;
	g->live_hold = g->config.hold;
	return 0;
}

void
gen_flows_close(struct generator *g)
{
	free(g->flows);
	free(g->ready.flows);
	free(g->opening.flows);
	free(g->run_table);
}

struct gen_flow *
gen_flow_at(struct generator *g, uint32_t address, uint16_t port)
{
	const struct generator_config *config = &g->config;
	uint32_t source = address - config->address;
	uint32_t slot = ((uint32_t)port - config->first_port) & g->port_mask;
	uint64_t i = config->attack == GENERATOR_ATTACK_COLLIDE
			 ? source
			 : (uint64_t)slot * config->sources + source;

	return source < config->sources && i < g->n_flows ? &g->flows[i] : NULL;
}

struct gen_flow *
gen_flow_find(struct generator *g, uint32_t address, uint16_t port)
{
	struct gen_flow *f = gen_flow_at(g, address, port);

	if (f == NULL || f->port != port || (f->state != GEN_OPEN && f->state != GEN_SYN_SENT))
		return NULL;
	return f;
}

/* A fresh connection on the state of the last one. */
static void
start(struct generator *g, struct gen_flow *f)
{
	uint32_t iss = (uint32_t)gen_draw(g);

	f->una = iss;
	f->next = f->high = f->edge = f->stop = iss + 1;
	f->una_offset = 0;
	f->flags &= GEN_READY | GEN_IN_WHEEL | GEN_TOUCHED;
	f->dup_acks = f->retries = f->held_left = 0;
	f->run_left = 0;
	f->timed_ns = 0;
	f->srtt_us = f->rttvar_us = 0;
	f->rto_ms = 1000; /* RFC 6298 2.1 */
	f->sent_ns = g->now_ns;
	f->state = GEN_SYN_SENT;
	g->syn_sent++;
	g->stats.connects_tried++;
	gen_send_control(g, f, iss, WEIR_TCP_SYN);
	gen_arm_rto(g, f);
}

void
gen_open_more(struct generator *g, uint32_t *most)
{
	struct gen_queue *queue = &g->opening;

	while (*most != 0 && queue->head != queue->tail &&
	       g->syn_sent < g->config.handshakes_most && gen_room(g, 1) != 0) {
		start(g, &g->flows[queue->flows[queue->head++ & queue->mask]]);
		(*most)--;
	}
}

void
gen_flow_reopen(struct generator *g, struct gen_flow *f)
{
	f->generation = (uint16_t)((f->generation + 1u) % g->generations);
	f->port = (uint16_t)(g->config.first_port + gen_index(g, f) / g->config.sources +
			     f->generation * (g->port_mask + 1));
	queue_put(&g->opening, gen_index(g, f));
}
