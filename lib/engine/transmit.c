/* SPDX-License-Identifier: BSD-3-Clause */
/* Rooms 8 and 9: what is owed becomes frames; what a port does not take now is offered again. */
#include "engine/engine.h"

static void
offer(struct weir_engine *engine, struct weir_attached *at)
{
	struct weir_tcp *tcp = &engine->tcp;
	uint32_t sent = 0;

	while (sent < at->n_tx) {
		uint16_t want = (uint16_t)(at->n_tx - sent);
		uint16_t n = at->port->tx_burst(at->port->ctx, at->tx + sent, want, tcp->now_ns);

		sent += n;
		if (n < want)
			break;
	}
	at->tx_packets += sent;
	at->n_tx -= sent;
	if (sent != 0 && at->n_tx != 0)
		memmove(at->tx, at->tx + sent, at->n_tx * sizeof(at->tx[0]));
}

/* Room for frames on the port's list, offering what waits there when it is more than half full. */
static uint32_t
room(struct weir_engine *engine, struct weir_attached *at)
{
	if (at->n_tx > WEIR_TX_FRAMES / 2)
		offer(engine, at);
	return WEIR_TX_FRAMES - at->n_tx;
}

/* The next n frames on the list are to be sent; all are as long as the first. */
static void
note_sent(struct weir_engine *engine, struct weir_attached *at, uint32_t n)
{
	if (n != 0)
		at->tx_bytes += (uint64_t)n * at->tx[at->n_tx]->pkt_len;
	if (unlikely(engine->record.size != 0))
		for (uint32_t i = at->n_tx; i < at->n_tx + n; i++)
			weir_record_add(&engine->record, engine->tcp.now_ns, at->tx[i],
					WEIR_RECORD_SENT | weir_engine_record_layer(at));
	at->n_tx += n;
}

void
weir_engine_send(struct weir_engine *engine, uint8_t port, struct rte_mbuf *frame)
{
	struct weir_attached *at = &engine->ports[port];

	if (room(engine, at) == 0) {
		engine->tcp.stats.drops[WEIR_DROP_TX_FULL]++;
		weir_tcp_free(&engine->tcp, frame);
		return;
	}
	at->tx[at->n_tx] = frame;
	note_sent(engine, at, 1);
}

static void
emit_frame(void *user, uint8_t port, struct rte_mbuf *frame)
{
	weir_engine_send(user, port, frame);
}

/* Frames for all that is owed, of which nothing has left. */
static inline void
fill_stock(struct weir_engine *engine, uint32_t len)
{
	if (engine->acks_due != 0)
		weir_ack_stock_fill(&engine->stock, engine->tcp.pool, engine->acks_due, len);
	engine->acks_due = 0;
}

/* Wherever something is short, or looked at, and the first train of a gather. */
static void __attribute__((noinline))
emit_slowly(struct weir_engine *engine, struct weir_attached *at, const struct weir_ack_template *train)
{
	struct weir_ack_template part = *train;
	uint32_t most = room(engine, at), n;

	fill_stock(engine, train->header->len);
	if (part.n > most) { /* the last ones say it all: an ACK is cumulative */
		part.acks += part.n - most;
		part.n = most;
	}
	n = weir_ack_train_expand(&engine->stock, &part, at->tx + at->n_tx);
	engine->tcp.stats.drops[WEIR_DROP_TX_FULL] += train->n - part.n;
	engine->tcp.stats.drops[WEIR_DROP_TX_NO_BUFFER] += part.n - n;
	note_sent(engine, at, n);
}

static void
emit_train(void *user, uint8_t port, const struct weir_ack_template *train)
{
	struct weir_engine *engine = user;
	struct weir_attached *at = &engine->ports[port];

	if (unlikely(at->n_tx > WEIR_TX_FRAMES / 2 || train->n > WEIR_TX_FRAMES / 2 ||
		     train->n > engine->stock.n || engine->record.size != 0)) {
		emit_slowly(engine, at, train);
		return;
	}
	weir_ack_train_expand(&engine->stock, train, at->tx + at->n_tx);
	at->tx_bytes += (uint64_t)train->n * train->header->len;
	at->n_tx += train->n;
}

/* Out of their own pool: among the others, which are shorter, each would have to be found again. */
static void
stock_duplicates(struct weir_engine *engine, uint32_t n, uint32_t len)
{
	struct weir_ack_stock *stock = &engine->duplicates;
	struct weir_pool *pool = &engine->stack->duplicates;

	if (pool->size != 0 && weir_buf_alloc_frames(pool, stock->frames, n, (uint16_t)len)) {
		stock->n = n;
		stock->len = len;
	} else {
		weir_ack_stock_fill(stock, engine->tcp.pool, n, len);
	}
}

static void
emit_copies(void *user, uint8_t port, const struct weir_sack_image *image, const struct weir_ack *edges,
	    uint32_t n)
{
	struct weir_engine *engine = user;
	struct weir_attached *at = &engine->ports[port];
	uint32_t fit = RTE_MIN(n, room(engine, at)), sent;

	stock_duplicates(engine, fit, image->len);
	sent = weir_ack_copies_expand(&engine->duplicates, image, edges + (n - fit), fit, at->tx + at->n_tx);
	engine->duplicates.n = 0;
	engine->tcp.stats.drops[WEIR_DROP_TX_FULL] += n - fit;
	engine->tcp.stats.drops[WEIR_DROP_TX_NO_BUFFER] += fit - sent;
	note_sent(engine, at, sent);
}

static void
flush_gather(void *user)
{
	struct weir_engine *engine = user;
	struct weir_ack_stock *stock = &engine->stock;

	engine->acks_due = engine->tcp.gather.n_acks - engine->tcp.gather.n_edges;
	weir_output_flush(&engine->tcp, &engine->emit);
	if (unlikely(stock->n != 0)) /* some had no room on their port's list */
		weir_buf_free_bulk(engine->tcp.pool, stock->frames, stock->n);
	stock->n = 0;
}

void
weir_engine_emit_init(struct weir_engine *engine)
{
	engine->emit = (struct weir_emit){
		.train = emit_train, .frame = emit_frame, .copies = emit_copies, .user = engine};
	engine->tcp.gather.flush = flush_gather;
	engine->tcp.gather.user = engine;
}

void
weir_engine_transmit(struct weir_engine *engine)
{
	flush_gather(engine);
	for (uint32_t i = 0; i < engine->n_ports; i++)
		if (engine->ports[i].n_tx != 0)
			offer(engine, &engine->ports[i]);
}
