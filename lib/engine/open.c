/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables and queues of an engine, sized by the configuration. */
#include <errno.h>

#include "engine/engine.h"
#include "flow/arena.h"
#include "wire/siphash.h"

/* A buffer for jumbo frames often holds an ordinary one: a full window of those must fit. */
#define WEIR_CHARGE_MOST       2048

static uint32_t
smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
reserved_bufs(uint32_t buffers)
{
	return smaller(buffers / 4, 4096);
}

static uint32_t
max_events(const struct weir_config *config)
{
	return 3 * (config->budget_segs + WEIR_BURSTS * WEIR_CONTROL_SEGS + WEIR_TIMERS_MOST) + 256;
}

static void
init_secrets(struct weir_tcp *tcp, uint64_t seed, struct weir_hash_key hash[2])
{
	uint64_t cookies[2];

	weir_derive(seed, WEIR_SECRET_FLOWS, hash[0].word, 4);
	weir_derive(seed, WEIR_SECRET_FLOWS6, hash[1].word, 4);
	weir_derive(seed, WEIR_SECRET_NUMBERS, tcp->secret, 2);
	weir_derive(seed, WEIR_SECRET_LABELS, tcp->label_secret, 2);
	weir_derive(seed, WEIR_SECRET_RANDOM, &tcp->random, 1);
	weir_derive(seed, WEIR_SECRET_COOKIES, cookies, 2);
	weir_cookie_open(&tcp->cookies, cookies, tcp->now_ns);
}

static void
init_scalars(struct weir_tcp *tcp, const struct weir_config *config, struct weir_stack *stack)
{
	uint32_t budget = config->buffers - reserved_bufs(config->buffers);

	tcp->now_ns = config->now_ns;
	tcp->now_ms = (uint32_t)(config->now_ns / 1000000);
	tcp->dead_head = WEIR_NONE;
	tcp->pool = &stack->pool;
	tcp->slots = &stack->slots;
	tcp->budget_bufs = budget;
	tcp->buffer_bytes = config->buffer_bytes;
	tcp->charge_bytes = smaller(config->buffer_bytes, WEIR_CHARGE_MOST);
	tcp->aggregate_limit = config->aggregate_limit;
	tcp->flush = config->flush;
	tcp->flush_value = config->flush_value;
	tcp->time_wait_ms = config->time_wait_ms;
	tcp->fin_wait_ms = config->fin_wait_ms;
	tcp->orphans = config->orphans;
	tcp->max_events = max_events(config);
	tcp->flow_free.size = config->flows;
	tcp->syn_free.size = config->syn_entries;
	tcp->time_wait_free.size = config->time_wait_entries;
	tcp->reset_ms = tcp->challenge_ms = tcp->now_ms;
	tcp->challenge_ms -= 1000;
	tcp->reset_tokens = 256;
}

static int
open_arrays(struct weir_tcp *tcp, int node)
{
	struct weir_gather *g = &tcp->gather;

	tcp->flows = weir_arena_alloc(sizeof(struct weir_flow) * tcp->flow_free.size, node);
	tcp->keys6 = weir_arena_alloc(sizeof(struct weir_key) * tcp->flow_free.size, node);
	tcp->accecn = weir_arena_alloc(sizeof(struct weir_accecn) * tcp->flow_free.size, node);
	tcp->tunes = weir_arena_alloc(sizeof(struct weir_tune) * tcp->flow_free.size, node);
	tcp->syns = weir_arena_alloc(sizeof(struct weir_syn) * tcp->syn_free.size, node);
	tcp->time_waits =
		weir_arena_alloc(sizeof(struct weir_time_wait) * tcp->time_wait_free.size, node);
	tcp->events = weir_arena_alloc(sizeof(struct weir_event) * tcp->max_events, node);
	g->capacity = WEIR_GATHER_ITEMS;
	g->number = 1;
	g->items = weir_arena_alloc(sizeof(g->items[0]) * g->capacity, node);
	g->acks = weir_arena_alloc(sizeof(g->acks[0]) * g->capacity, node);
	g->singles = weir_arena_alloc(sizeof(g->singles[0]) * g->capacity, node);
	g->frames = weir_arena_alloc(sizeof(g->frames[0]) * g->capacity, node);
	return tcp->flows == NULL || tcp->keys6 == NULL || tcp->accecn == NULL ||
			       tcp->tunes == NULL || tcp->syns == NULL || tcp->time_waits == NULL ||
			       tcp->events == NULL || g->items == NULL || g->acks == NULL ||
			       g->singles == NULL || g->frames == NULL
		       ? -ENOMEM
		       : 0;
}

static void
close_arrays(struct weir_tcp *tcp)
{
	struct weir_gather *g = &tcp->gather;

	weir_arena_free(tcp->flows, sizeof(struct weir_flow) * tcp->flow_free.size);
	weir_arena_free(tcp->keys6, sizeof(struct weir_key) * tcp->flow_free.size);
	weir_arena_free(tcp->accecn, sizeof(struct weir_accecn) * tcp->flow_free.size);
	weir_arena_free(tcp->tunes, sizeof(struct weir_tune) * tcp->flow_free.size);
	weir_arena_free(tcp->syns, sizeof(struct weir_syn) * tcp->syn_free.size);
	weir_arena_free(tcp->time_waits,
			sizeof(struct weir_time_wait) * tcp->time_wait_free.size);
	weir_arena_free(tcp->events, sizeof(struct weir_event) * tcp->max_events);
	weir_arena_free(g->items, sizeof(g->items[0]) * g->capacity);
	weir_arena_free(g->acks, sizeof(g->acks[0]) * g->capacity);
	weir_arena_free(g->singles, sizeof(g->singles[0]) * g->capacity);
	weir_arena_free(g->frames, sizeof(g->frames[0]) * g->capacity);
}

/* A run that is held must not take room from the burst that follows. */
static uint32_t
queue_segs(const struct weir_config *config)
{
	return config->rx_queue_segs +
	       (config->flush == WEIR_FLUSH_NOW ? 0 : config->aggregate_limit);
}

/* Both families' tables over the same entries: an entry is in one of them. */
static int
open_flow_tables(struct weir_tcp *tcp, uint32_t entries, const struct weir_hash_key hash[2],
		 int node)
{
	struct weir_table_keys keys = {
		.base = {(uint8_t *)tcp->flows, (uint8_t *)&tcp->syns->key.low,
			 (uint8_t *)&tcp->time_waits->key.low},
		.stride = {sizeof(struct weir_flow), sizeof(struct weir_syn),
			   sizeof(struct weir_time_wait)},
		.first = {0, tcp->flow_free.size, tcp->flow_free.size + tcp->syn_free.size,
			  entries},
		.flows = true,
	};
	int error = weir_table_open(&tcp->table, entries, &hash[0], &keys, node);

	keys.flows = false;
	keys.base[0] = (uint8_t *)tcp->keys6;
	keys.base[1] = (uint8_t *)&tcp->syns->key;
	keys.base[2] = (uint8_t *)&tcp->time_waits->key;
	keys.stride[0] = sizeof(struct weir_key);
	return error == 0 ? weir_table_open(&tcp->table6, entries, &hash[1], &keys, node) : error;
}

static int
open_tables(struct weir_tcp *tcp, const struct weir_config *config,
	    const struct weir_hash_key hash[2])
{
	uint32_t entries =
		tcp->flow_free.size + tcp->syn_free.size + tcp->time_wait_free.size;
	int node = config->numa_node;
	uint32_t queues = smaller(config->flows, config->buffers);
	int error = open_flow_tables(tcp, entries, hash, node);

	if (error == 0)
		error = weir_wheel_open(&tcp->wheel, entries, tcp->now_ms, node);
	if (error == 0)
		error = weir_queue_pool_open(&tcp->queues, queues, queue_segs(config), node);
	if (error == 0)
		error = weir_held_open(&tcp->held, 2 * config->buffers + 64, node);
	if (error == 0)
		error = weir_reass_pool_open(&tcp->reass, queues, config->buffers + 1, &tcp->held,
					     tcp->pool, node);
	weir_sched_init(&tcp->sched, tcp->flows);
	return error;
}

static int
open_engine(struct weir_engine *engine, struct weir_stack *stack)
{
	const struct weir_config *config = &stack->config;
	struct weir_tcp *tcp = &engine->tcp;
	struct weir_hash_key hash[2]; /* of the tables of IPv4 and IPv6 */
	int error;

	init_scalars(tcp, config, stack);
	init_secrets(tcp, config->seed, hash);
	engine->stack = stack;
	engine->gateway_due_ns = UINT64_MAX;
	engine->budget_segs = config->budget_segs;
	engine->quantum_segs = config->quantum_segs;
	engine->burst = config->burst;
	engine->echoes = (struct weir_answers){WEIR_ECHO_BURST, tcp->now_ms};
	engine->neighbours = (struct weir_answers){WEIR_NEIGHBOURS_BURST, tcp->now_ms};
	engine->reports_due_ns = UINT64_MAX;
	engine->hard_bufs = tcp->budget_bufs + reserved_bufs(config->buffers) / 2;
	weir_engine_emit_init(engine);
	error = open_arrays(tcp, config->numa_node);
	if (error == 0)
		error = open_tables(tcp, config, hash);
	engine->control = weir_arena_alloc(sizeof(struct weir_control) * WEIR_CONTROL_SEGS,
					   config->numa_node);
	if (error == 0 && engine->control == NULL)
		error = -ENOMEM;
	if (error == 0)
		error = weir_engine_datagrams_open(engine, config->datagrams);
	if (error == 0)
		error = weir_slots_open(&stack->slots, config->flows, config->numa_node);
	return error;
}

/* What a segment of any connection looks at: each page of it wants a walk when there are very many. */
static void
prefer_huge(struct weir_stack *stack)
{
	struct weir_tcp *tcp = &stack->engine->tcp;
	struct weir_table *tables[] = {&tcp->table, &tcp->table6};

	weir_arena_prefer_huge(tcp->flows, sizeof(*tcp->flows) * tcp->flow_free.size);
	weir_arena_prefer_huge(tcp->keys6, sizeof(*tcp->keys6) * tcp->flow_free.size);
	weir_arena_prefer_huge(stack->slots.slots, sizeof(*stack->slots.slots) * stack->slots.size);
	for (uint32_t i = 0; i < 2; i++)
		weir_arena_prefer_huge(tables[i]->buckets,
				       sizeof(*tables[i]->buckets) * (tables[i]->mask + 1));
}

int
weir_engine_open(struct weir_engine *engine, struct weir_stack *stack)
{
	int error = open_engine(engine, stack);

	if (error != 0)
		weir_engine_close(engine);
	else if (stack->config.huge_tables != 0)
		prefer_huge(stack);
	return error;
}

/* Every buffer that the engine holds goes home: lists, reassembly, leases, queues, gather. */
static void
free_buffers(struct weir_engine *engine)
{
	struct weir_tcp *tcp = &engine->tcp;

	for (uint32_t i = 0; i < tcp->flow_free.touched; i++)
		if (tcp->flows[i].conn != 0)
			weir_tcp_forget_data(tcp, &tcp->flows[i]);
	for (uint32_t i = 1; i <= tcp->held.touched; i++) {
		if ((tcp->held.nodes[i].gen & 1) == 0)
			continue;
		tcp->held.nodes[i].gen++;
		weir_tcp_release(tcp, NULL, i);
	}
	for (uint32_t i = 0; i < tcp->queues.touched; i++) {
		const struct weir_queue *queue = &tcp->queues.queues[i];

		for (uint32_t k = queue->head; k < queue->tail; k++)
			weir_tcp_free(tcp, queue->segs[k].buf);
	}
	for (uint32_t i = 0; i < engine->n_control; i++)
		weir_tcp_free(tcp, engine->control[i].seg.buf);
	for (uint32_t i = 0; i < tcp->gather.n_frames; i++)
		weir_tcp_free(tcp, tcp->gather.frames[i]);
	for (uint32_t p = 0; p < engine->n_ports; p++) {
		for (uint32_t i = 0; i < engine->ports[p].n_tx; i++)
			weir_tcp_free(tcp, engine->ports[p].tx[i]);
		engine->ports[p].n_tx = 0;
	}
	weir_tcp_free_flush(tcp);
}

void
weir_engine_close(struct weir_engine *engine)
{
	struct weir_tcp *tcp = &engine->tcp;

	if (tcp->flows != NULL)
		free_buffers(engine);
	weir_datagrams_close(&engine->datagrams);
	weir_reass_pool_close(&tcp->reass);
	weir_held_close(&tcp->held);
	weir_queue_pool_close(&tcp->queues);
	weir_wheel_close(&tcp->wheel);
	weir_table_close(&tcp->table);
	weir_table_close(&tcp->table6);
	weir_peers_close(&tcp->peers);
	close_arrays(tcp);
	weir_arena_free(engine->control, sizeof(struct weir_control) * WEIR_CONTROL_SEGS);
	weir_slots_close(&engine->stack->slots);
	engine->control = NULL;
	engine->n_control = 0;
	memset(tcp, 0, sizeof(*tcp));
}
