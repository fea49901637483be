/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Off the path: fragments wait for the rest of their packets, and a packet that is whole goes through
 * the parser again, with a checksum to be verified here, whatever its port says of the parts.
 */
#include "engine/engine.h"
#include "wire/fragment.h"
#include "wire/siphash.h"

#define WEIR_DATAGRAM_SHARE 16 /* of all buffers, one in so many may wait in fragments */

static void
lose(void *user, struct rte_mbuf *buf, enum weir_drop reason)
{
	struct weir_engine *engine = user;

	weir_tcp_drop(&engine->tcp, buf, reason);
}

static void
expire(void *user, const struct weir_datagram *datagram)
{
	weir_engine_say_expired(user, datagram);
}

int
weir_engine_datagrams_open(struct weir_engine *engine, uint32_t size)
{
	const struct weir_config *config = &engine->stack->config;
	uint32_t most = size * WEIR_DATAGRAM_PIECES, share = config->buffers / WEIR_DATAGRAM_SHARE;
	uint64_t secret[2];
	int error;

	weir_derive(config->seed, WEIR_SECRET_DATAGRAMS, secret, 2);
	if (share < WEIR_DATAGRAM_PIECES)
		share = WEIR_DATAGRAM_PIECES;
	error = weir_datagrams_open(&engine->datagrams, size, most < share ? most : share, secret,
				    engine->tcp.pool, config->numa_node);
	engine->datagrams.lost = lose;
	engine->datagrams.expired = expire;
	engine->datagrams.user = engine;
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

/* The segment that the whole packet is takes its place in the burst. */
static void
insert(struct weir_parsed *whole, struct weir_parsed *parsed, const struct weir_other *other,
       uint32_t is6, uint32_t inserted[2])
{
	struct weir_seg *seg = is6 ? &whole->ip6.segs[0] : &whole->segs[0];
	uint32_t at = other->before + inserted[is6]++;

	seg->mark |= WEIR_MARK_FRAGMENTS;
	if (is6)
		weir_parsed_insert6(&parsed->ip6, at, seg, &whole->ip6.keys[0]);
	else
		weir_parsed_insert(parsed, at, seg, &whole->keys[0]);
}

void
weir_engine_fragment(struct weir_engine *engine, uint8_t port, struct weir_parsed *parsed,
		     const struct weir_other *other, uint32_t inserted[2])
{
	struct weir_tcp *tcp = &engine->tcp;
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
	if (engine->whole.n_rejects != 0)
		weir_tcp_drop(tcp, whole, engine->whole.rejects[0].reason);
	else
		insert(&engine->whole, parsed, other, fragment.key.family == 6, inserted);
}

void
weir_engine_fragments_age(struct weir_engine *engine)
{
	uint32_t before = engine->datagrams.fragments;

	weir_datagrams_age(&engine->datagrams, engine->tcp.now_ns);
	book(engine, before);
}
