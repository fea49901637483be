/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/generator/state.h"
#include "wire/address6.h"

#define FLOWS_MOST  1000000
#define HOLD_MOST   65536
#define MTU_DEFAULT 1500
#define POLL_SEGS   256

void
generator_config_init(struct generator_config *config)
{
	*config = (struct generator_config){
	    .size = sizeof(*config),
	    .sources = 1,
	    .prefix_len = 24,
	    .first_port = 1024,
	    .flows = 1,
	    .handshakes_most = 256,
	    .mss = 1448,
	    .timestamps = 1,
	    .sack = 1,
	    .run = 1,
	    .request_bytes = 1024,
	    .reorder_depth = 8,
	    .rto_min_ms = 200,
	    .retries_most = 8,
	};
}

static bool
addresses_good(const struct generator_config *config)
{
	uint32_t address = config->ip6 ? weir_load_be32(config->address6 + 12) : config->address;

	if (config->target_port == 0 || config->sources == 0 ||
	    config->sources - 1 > UINT32_MAX - address)
		return false;
	if (config->ip6)
		return config->prefix_len <= 128 && weir_source6_valid(config->address6) &&
		       weir_source6_valid(config->target6) && !weir_multicast6(config->gateway6);
	return config->target != 0 && address != 0 && config->prefix_len <= 32;
}

static bool
flows_good(const struct generator_config *config)
{
	if (config->flows > FLOWS_MOST || config->hold > FLOWS_MOST ||
	    config->flows + config->hold > FLOWS_MOST + HOLD_MOST)
		return false;
	if (config->flows == 0 && config->hold == 0 && config->attack != GENERATOR_ATTACK_SYN)
		return false;
	return config->handshakes_most != 0 && config->mode <= GENERATOR_CONNECT &&
	       config->attack <= GENERATOR_ATTACK_COLLIDE && config->order <= GENERATOR_RANDOM &&
	       (config->mode == GENERATOR_STREAM || config->request_bytes != 0);
}

static bool
sending_good(const struct generator_config *config)
{
	return config->mss != 0 && config->run != 0 && config->run <= GEN_RUN_MOST &&
	       config->reorder_permille <= 1000 && config->reorder_depth != 0 &&
	       config->reorder_depth <= GEN_DEPTH_MOST && config->rto_min_ms != 0 &&
	       config->retries_most != 0 && config->retries_most < UINT8_MAX &&
	       config->open_loop_pps <= GEN_NS_PER_S;
}

static bool
segments_fit(const struct generator *g)
{
	uint32_t mtu = g->port->mtu != 0 ? g->port->mtu : MTU_DEFAULT;
	uint32_t packet = g->config.mss + g->ip_bytes + GEN_TCP + (g->config.timestamps ? GEN_TS : 0);

	return packet <= mtu && g->config.mss <= GENERATOR_PATTERN_PIECE &&
	       GEN_PAYLOAD_AT + g->config.mss <= g->pool->data_room;
}

/* With the port running: link, headers, payload. */
static int
prepare(struct generator *g)
{
	int rc;

	if (!segments_fit(g))
		return -EMSGSIZE;
	rc = gen_link_open(g);
	if (rc == 0)
		rc = gen_flows_open(g);
	if (rc == 0)
		rc = gen_recoveries_open(g);
	if (rc != 0)
		return rc;
	gen_link_header(g);
	generator_pattern_fill(&g->pattern);
	gen_sums_init(g, g->config.mss);
	if (!g->refill)
		gen_prefill(g);
	return 0;
}

static void
take_config(struct generator *g, const struct generator_config *config, uint64_t now_ns)
{
	g->config = *config;
	if (config->ip6)
		g->config.address = weir_load_be32(config->address6 + 12);
	g->ip_bytes = config->ip6 ? GEN_IP6 : GEN_IP;
	if (g->config.rx_pool == NULL)
		g->config.rx_pool = config->pool;
	if (g->config.attack == GENERATOR_ATTACK_SYN)
		g->config.flows = g->config.hold = 0;
	g->port = config->port;
	g->pool = config->pool;
	g->n_flows = g->config.flows + g->config.hold;
	g->refill = config->verify || config->refill || g->config.rx_pool == config->pool;
#ifdef WEIR_DEBUG
	g->refill = true; /* freed buffers are poisoned */
#endif
	g->start_ns = g->now_ns = now_ns;
	g->random = config->seed;
	g->tsval = 1;
	histogram_reset(&g->latency);
	gen_wheel_init(g);
}

static void
give_up(struct generator *g)
{
	gen_flows_close(g);
	free(g->recoveries);
	free(g);
}

int
generator_create(const struct generator_config *config, uint64_t now_ns, struct generator **out)
{
	struct generator *g;
	int rc = 0;

	if (config == NULL || config->size != sizeof(*config) || config->port == NULL ||
	    config->pool == NULL || !addresses_good(config) || !flows_good(config) ||
	    !sending_good(config))
		return -EINVAL;
	g = aligned_alloc(64, (sizeof(*g) + 63) & ~(size_t)63);
	if (g == NULL)
		return -ENOMEM;
	memset(g, 0, sizeof(*g));
	take_config(g, config, now_ns);
	if (g->port->start != NULL)
		rc = g->port->start(g->port->ctx, g->config.rx_pool);
	if (rc == 0) {
		rc = prepare(g);
		if (rc != 0 && g->port->stop != NULL)
			g->port->stop(g->port->ctx);
	}
	if (rc != 0) {
		give_up(g);
		return rc;
	}
	*out = g;
	return 0;
}

void
generator_destroy(struct generator *g)
{
	weir_buf_free_bulk(g->pool, g->staged, g->n_staged);
	weir_buf_free_bulk(g->pool, g->spare, g->n_spare);
	if (g->port->stop != NULL)
		g->port->stop(g->port->ctx);
	give_up(g);
}

void
gen_set_now(struct generator *g, uint64_t now_ns)
{
	g->now_ns = now_ns;
	g->tick = (uint32_t)((now_ns - g->start_ns) / GEN_TICK_NS) + 1;
	if (!g->config.fixed_timestamp)
		g->tsval = 1 + (uint32_t)((now_ns - g->start_ns) / GEN_NS_PER_MS);
}

uint32_t
generator_poll(struct generator *g, uint64_t now_ns)
{
	uint32_t n = generator_receive(g, now_ns);

	return n + generator_send(g, POLL_SEGS, now_ns);
}

static bool
opening(const struct generator *g)
{
	return g->opening.head != g->opening.tail;
}

static bool
paced(const struct generator *g)
{
	return g->config.open_loop_pps != 0 && !g->closing;
}

uint64_t
generator_deadline(const struct generator *g)
{
	const uint8_t attack = g->config.attack;
	uint64_t timer = gen_wheel_deadline(g), pace;

	if (g->n_staged != 0)
		return g->now_ns;
	if (g->aborted)
		return UINT64_MAX;
	if (!g->resolved)
		return g->ask_due_ns;
	if (opening(g) && g->syn_sent < g->config.handshakes_most)
		return g->now_ns;
	if (paced(g)) {
		pace = g->paced_ns + GEN_NS_PER_S / g->config.open_loop_pps;
		return pace < timer ? pace : timer;
	}
	if (g->ready.head != g->ready.tail ||
	    (!g->closing && attack != GENERATOR_ATTACK_NONE && attack < GENERATOR_ATTACK_TINY))
		return g->now_ns;
	return timer;
}

uint32_t
generator_established(const struct generator *g)
{
	return g->established;
}

bool
generator_done(const struct generator *g)
{
	if (g->aborted)
		return g->abort_at == g->n_flows;
	if (g->config.attack == GENERATOR_ATTACK_SYN && !g->closing)
		return false;
	return g->live == 0 && !opening(g) && g->syn_sent == 0 &&
	       (!g->closing || g->live_hold == 0);
}

bool
generator_resolved(const struct generator *g)
{
	return g->resolved;
}

/* Connections that were never begun. */
static void
drop_opening(struct generator *g)
{
	for (; opening(g); g->opening.head++) {
		struct gen_flow *f = &g->flows[g->opening.flows[g->opening.head & g->opening.mask]];

		f->state = GEN_ENDED;
		if (gen_is_idle(g, f))
			g->live_hold--;
		else
			g->live--;
	}
}

void
generator_close(struct generator *g, uint64_t now_ns)
{
	gen_set_now(g, now_ns);
	if (g->closing || g->aborted)
		return;
	g->closing = true;
	drop_opening(g);
	for (uint32_t i = 0; i < g->n_flows; i++) {
		struct gen_flow *f = &g->flows[i];

		if (f->state != GEN_OPEN || (f->flags & GEN_FIN_SENT))
			continue;
		f->end_offset = f->una_offset + (f->high - f->una);
		f->flags |= GEN_FIN_DUE;
		gen_settle(g, f);
	}
}

uint32_t
generator_abort(struct generator *g, uint64_t now_ns)
{
	gen_set_now(g, now_ns);
	g->aborted = g->closing = true;
	drop_opening(g);
	for (; g->abort_at < g->n_flows; g->abort_at++) {
		struct gen_flow *f = &g->flows[g->abort_at];

		if (f->state != GEN_OPEN && f->state != GEN_SYN_SENT)
			continue;
		if (gen_room(g, 1) == 0)
			break;
		gen_send_control(g, f, f->high, WEIR_TCP_RST);
		gen_end(g, f, GEN_END_ABORTED);
	}
	gen_flush(g);
	return g->established + g->syn_sent + g->n_staged;
}

void
generator_stats(const struct generator *g, struct generator_stats *stats)
{
	uint32_t size = stats->size < sizeof(*stats) ? stats->size : sizeof(*stats);

	memcpy(stats, &g->stats, size);
	stats->size = size;
	stats->established = g->established;
	if (g->config.attack >= GENERATOR_ATTACK_TINY)
		stats->attack_packets = g->stats.segs_sent; /* the streams are the attack */
}

uint64_t
generator_began_ns(const struct generator *g)
{
	return g->began_ns;
}

void
generator_windows(const struct generator *g, uint32_t most, struct generator_windows *windows)
{
	uint32_t n = most < g->n_flows ? most : g->n_flows;

	*windows = (struct generator_windows){0};
	for (uint32_t i = 0; i < n; i++) {
		const struct gen_flow *f = &g->flows[i];

		if (f->state != GEN_OPEN)
			continue;
		windows->flows++;
		windows->shut += !weir_seq_lt(f->high, f->edge);
		windows->bytes += weir_seq_lt(f->una, f->edge) ? f->edge - f->una : 0;
		windows->inflight_bytes += f->high - f->una;
	}
}

struct histogram *
generator_latency(struct generator *g)
{
	return &g->latency;
}
