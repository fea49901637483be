/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Off the path: fragments wait for the rest of their packets, and a packet that is whole goes through
 * the parser again, with a checksum to be verified here, whatever its port says of the parts.
 */
#include "engine/engine.h"
#include "wire/fragment.h"

#define WEIR_DATAGRAM_SHARE 16 /* of all buffers, one in so many may wait in fragments */

static void
lose(void *user, struct rte_mbuf *buf, enum weir_drop reason)
{
	weir_tcp_drop(user, buf, reason);
}

int
weir_engine_datagrams_open(struct weir_engine *engine, uint32_t size, const uint64_t secret[2])
{
	const struct weir_config *config = &engine->stack->config;
	uint32_t most = size * WEIR_DATAGRAM_PIECES, share = config->buffers / WEIR_DATAGRAM_SHARE;
	int error;

	if (share < WEIR_DATAGRAM_PIECES)
		share = WEIR_DATAGRAM_PIECES;
	error = weir_datagrams_open(&engine->datagrams, size, most < share ? most : share, secret,
				    engine->tcp.pool, config->numa_node);
	engine->datagrams.lost = lose;
	engine->datagrams.user = &engine->tcp;
	return error;
}

/* Fragments that wait are queued packets: book how many more, or fewer, than `before` there are. */
static void
book(struct weir_engine *engine, uint32_t before)
{
	engine->tcp.stats.packets_queued += (int64_t)engine->datagrams.fragments - before;
}

/* The frame is longer than any that came: what was learned of those stays. */
static void
parse_whole(struct weir_engine *engine, struct weir_parse *parse, struct rte_mbuf *whole)
{
	uint32_t frame_max = parse->frame_max;

	weir_parse_burst(parse, &whole, 1, &engine->whole);
	parse->frame_max = frame_max;
}

void
weir_engine_fragment(struct weir_engine *engine, uint8_t port, const struct weir_other *other,
		     uint32_t *inserted)
{
	struct weir_tcp *tcp = &engine->tcp;
	struct weir_parsed *parsed = &engine->whole;
	uint32_t before = engine->datagrams.fragments, n;
	struct weir_fragment fragment;
	enum weir_drop verdict;
	struct rte_mbuf *whole;

	verdict = engine->datagrams.table == NULL ? WEIR_DROP_IP_FRAGMENT
						  : weir_fragment_read(other, port, &fragment);
	if (verdict != WEIR_PARSE_OK) {
		weir_tcp_drop(tcp, other->buf, verdict);
		return;
	}
	tcp->stats.fragments++;
	whole = weir_datagrams_add(&engine->datagrams, &fragment, other->buf, tcp->now_ns, &n);
	book(engine, before);
	if (whole == NULL)
		return;
	tcp->stats.reassembled++;
	tcp->stats.packets_consumed += n - 1;
	parse_whole(engine, &engine->ports[port].parse, whole);
	if (parsed->n_segs == 0) {
		weir_tcp_drop(tcp, whole, parsed->rejects[0].reason);
		return;
	}
	parsed->segs[0].mark |= WEIR_MARK_FRAGMENTS;
	weir_parsed_insert(&engine->parsed, other->before + *inserted, &parsed->segs[0],
			   &parsed->keys[0]);
	++*inserted;
}

void
weir_engine_fragments_age(struct weir_engine *engine)
{
	uint32_t before = engine->datagrams.fragments;

	weir_datagrams_age(&engine->datagrams, engine->tcp.now_ns);
	book(engine, before);
}
