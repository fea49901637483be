/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/fragment.h"

#include <string.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/head.h"

#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK    0x1fff

static void
read_ip4(const struct weir_other *other, const uint8_t *ip, uint8_t port,
	 struct weir_fragment *fragment)
{
	uint32_t field = weir_load_be16(ip + 6);

	memset(fragment, 0, sizeof(*fragment));
	memcpy(fragment->key.source, ip + 12, 4);
	memcpy(fragment->key.destination, ip + 16, 4);
	fragment->key.id = weir_load_be16(ip + 4);
	fragment->key.vlan = other->vlan;
	fragment->key.family = 4;
	fragment->key.protocol = ip[9];
	fragment->key.port = port;
	fragment->start = (field & OFFSET_MASK) * WEIR_FRAGMENT_UNIT;
	fragment->end = fragment->start + other->l4_len;
	fragment->l3_off = other->l3_off;
	fragment->l4_off = other->l4_off;
	fragment->last = (field & MORE_FRAGMENTS) == 0;
	fragment->ecn = ip[1] & WEIR_ECN_MASK;
}

/* A filter, or a reader of the first fragment alone, must see the whole TCP header, and nobody may
 * write over it later. */
static bool
has_tcp_header(const struct weir_other *other, const struct weir_fragment *fragment)
{
	uint8_t tcp[WEIR_TCP_BYTES];

	if (fragment->start != 0)
		return fragment->start >= WEIR_TCP_BYTES;
	return other->l4_len >= WEIR_TCP_BYTES &&
	       weir_chain_copy(other->buf, other->l4_off, WEIR_TCP_BYTES, tcp) == WEIR_TCP_BYTES &&
	       (tcp[12] >> 4) * 4u <= other->l4_len;
}

enum weir_drop
weir_fragment_read(const struct weir_other *other, uint8_t port, struct weir_fragment *fragment)
{
	uint32_t header = (uint32_t)other->l4_off - other->l3_off;
	uint8_t ip[WEIR_IP4_BYTES];

	if (weir_chain_copy(other->buf, other->l3_off, WEIR_IP4_BYTES, ip) != WEIR_IP4_BYTES ||
	    ip[9] != WEIR_PROTOCOL_TCP)
		return WEIR_DROP_IP_FRAGMENT;
	read_ip4(other, ip, port, fragment);
	if (other->l4_len == 0 || (!fragment->last && other->l4_len % WEIR_FRAGMENT_UNIT != 0))
		return WEIR_DROP_FRAGMENT_LENGTH;
	if (header + fragment->end > WEIR_DATAGRAM_MAX)
		return WEIR_DROP_FRAGMENT_OVERSIZE;
	return has_tcp_header(other, fragment) ? WEIR_PARSE_OK : WEIR_DROP_FRAGMENT_TINY;
}

/* Move the runs from `from` on by `by` places up; the end of the last one stands behind them. */
static void
shift_runs(struct weir_parsed *parsed, uint32_t from, uint32_t by)
{
	for (uint32_t i = parsed->n_runs + 1; i-- > from;) {
		parsed->run_first[i + by] = (uint8_t)(parsed->run_first[i] + 1);
		if (i < parsed->n_runs)
			parsed->keys[i + by] = parsed->keys[i];
	}
	parsed->n_runs += by;
}

/* The run that holds segment `at`, or ends right before it when that is of `key`; n_runs behind all. */
static uint32_t
find_run(const struct weir_parsed *parsed, uint32_t at, const struct weir_key4 *key)
{
	uint32_t run = 0;

	while (run < parsed->n_runs && parsed->run_first[run + 1] <= at)
		run++;
	if (run > 0 && parsed->run_first[run] == at && weir_key4_equal(&parsed->keys[run - 1], key))
		run--;
	return run;
}

static void
insert_run(struct weir_parsed *parsed, uint32_t at, const struct weir_key4 *key)
{
	uint32_t run = find_run(parsed, at, key);
	bool inside = run < parsed->n_runs && parsed->run_first[run] != at;

	if (run < parsed->n_runs && weir_key4_equal(&parsed->keys[run], key)) {
		shift_runs(parsed, run + 1, 0); /* one longer */
		return;
	}
	shift_runs(parsed, run + inside, 1 + inside);
	if (inside) { /* a part before it, itself, and the rest */
		parsed->keys[run + 2] = parsed->keys[run];
		parsed->run_first[run + 2] = (uint8_t)(at + 1);
		run++;
	}
	parsed->keys[run] = *key;
	parsed->run_first[run] = (uint8_t)at;
}

void
weir_parsed_insert(struct weir_parsed *parsed, uint32_t at, const struct weir_seg *seg,
		   const struct weir_key4 *key)
{
	memmove(&parsed->segs[at + 1], &parsed->segs[at],
		(parsed->n_segs - at) * sizeof(parsed->segs[0]));
	parsed->segs[at] = *seg;
	insert_run(parsed, at, key);
	parsed->n_segs++;
}
