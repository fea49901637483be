/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The solicited-node groups that a port is in are reported when it joins them, twice, and whenever a
 * router or a switch asks, after a delay by chance (RFC 3810 5.1, 6; RFC 4861 7.2.1). One answer at a
 * time waits, however often somebody asks.
 */
#include "engine/engine.h"
#include "wire/mld.h"
#include "wire/siphash.h"

#define NS_PER_MS      1000000ull
#define JOIN_REPORTS   2    /* robustness variable (RFC 3810 9.1) */
#define JOIN_MS	       1000 /* between them at most (9.11) */
#define APART_NS       (100 * NS_PER_MS) /* answers, at least */
#define VERSION_DEFAULT 2

static void
set_due(struct weir_engine *engine, struct weir_attached *at, uint64_t due_ns)
{
	at->reports.due_ns = due_ns;
	if (due_ns < engine->reports_due_ns)
		engine->reports_due_ns = due_ns;
}

static uint64_t
random_ns(struct weir_engine *engine, uint32_t most_ms)
{
	return weir_seed_next(&engine->tcp.random) % (most_ms * NS_PER_MS + 1);
}

void
weir_engine_join(struct weir_engine *engine, struct weir_attached *at)
{
	at->reports = (struct weir_reports){.version = VERSION_DEFAULT, .due_ns = UINT64_MAX};
	if (engine->stack->config.mld == 0 || at->parse.l3 || at->parse.own6 == NULL)
		return;
	at->reports.joins = JOIN_REPORTS;
	set_due(engine, at, 0);
}

bool
weir_engine_query(struct weir_engine *engine, struct weir_attached *at,
		  const struct weir_other *other)
{
	struct weir_reports *reports = &at->reports;
	struct weir_mld_query query;
	uint64_t due_ns;

	if (!weir_mld_is_query(other))
		return false;
	if (engine->stack->config.mld == 0 || at->parse.l3 || other->vlan != 0 ||
	    at->parse.own6 == NULL || !weir_mld_read(other, at->parse.own6, &query)) {
		weir_tcp_drop(&engine->tcp, other->buf, WEIR_DROP_MLD);
		return true;
	}
	engine->tcp.stats.mld_queries++;
	weir_tcp_consume(&engine->tcp, other->buf);
	reports->version = (uint8_t)query.version;
	due_ns = engine->tcp.now_ns + random_ns(engine, query.delay_ms);
	if (due_ns < reports->last_ns + APART_NS)
		due_ns = reports->last_ns + APART_NS;
	if (due_ns < reports->due_ns)
		set_due(engine, at, due_ns);
	return true;
}

static void
send_report(struct weir_engine *engine, uint8_t port,
	    const uint8_t groups[][WEIR_ADDRESS6_BYTES], uint32_t n)
{
	struct weir_attached *at = &engine->ports[port];
	struct weir_tcp *tcp = &engine->tcp;
	struct rte_mbuf *buf = weir_buf_alloc(tcp->pool);
	uint32_t len;

	if (buf == NULL) { /* who asks will ask again */
		tcp->stats.drops[WEIR_DROP_TX_NO_BUFFER]++;
		return;
	}
	len = weir_mld_write(at->parse.own6, at->parse.mac, at->reports.version,
			     at->reports.joins != 0, groups, n, rte_pktmbuf_mtod(buf, uint8_t *));
	buf->data_len = (uint16_t)len;
	buf->pkt_len = len;
	tcp->stats.mld_reports++;
	weir_engine_send(engine, port, buf);
}

static void
report(struct weir_engine *engine, uint8_t port)
{
	struct weir_attached *at = &engine->ports[port];
	uint8_t groups[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES];
	uint32_t n = weir_mld_groups(at->parse.own6, groups);
	uint32_t at_once = at->reports.version == 1 ? 1 : n;

	for (uint32_t i = 0; i < n; i += at_once)
		send_report(engine, port, (const uint8_t(*)[WEIR_ADDRESS6_BYTES])groups + i, at_once);
	at->reports.last_ns = engine->tcp.now_ns;
	at->reports.joins -= at->reports.joins != 0;
	at->reports.due_ns = at->reports.joins == 0
				     ? UINT64_MAX
				     : engine->tcp.now_ns + 1 + random_ns(engine, JOIN_MS);
}

void
weir_engine_report(struct weir_engine *engine)
{
	uint64_t next_ns = UINT64_MAX;

	for (uint32_t i = 0; i < engine->n_ports; i++) {
		struct weir_attached *at = &engine->ports[i];

		if (at->reports.due_ns <= engine->tcp.now_ns)
			report(engine, (uint8_t)i);
		if (at->reports.due_ns < next_ns)
			next_ns = at->reports.due_ns;
	}
	engine->reports_due_ns = next_ns;
}
