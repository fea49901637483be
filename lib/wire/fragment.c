/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/fragment.h"

#include <string.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/head.h"

#define MORE_FRAGMENTS 0x2000
#define OFFSET_MASK    0x1fff

#define FRAGMENT6_BYTES 8
#define MORE_FRAGMENTS6 0x0001
#define OFFSET6_MASK	0xfff8 /* in bytes */

static void
read_ip4(const uint8_t *ip, struct weir_fragment *fragment)
{
	uint32_t field = weir_load_be16(ip + 6);

	memcpy(fragment->key.source, ip + 12, 4);
	memcpy(fragment->key.destination, ip + 16, 4);
	fragment->key.id = weir_load_be16(ip + 4);
	fragment->key.family = 4;
	fragment->key.protocol = ip[9];
	fragment->start = (field & OFFSET_MASK) * WEIR_FRAGMENT_UNIT;
	fragment->last = (field & MORE_FRAGMENTS) == 0;
	fragment->ecn = ip[1] & WEIR_ECN_MASK;
}

/* `ip` is followed by the fragment header. */
static void
read_ip6(const uint8_t *ip, struct weir_fragment *fragment)
{
	const uint8_t *header = ip + WEIR_IP6_BYTES;
	uint32_t field = weir_load_be16(header + 2);

	memcpy(fragment->key.source, ip + 8, 16);
	memcpy(fragment->key.destination, ip + 24, 16);
	fragment->key.id = weir_load_be32(header + 4);
	fragment->key.family = 6;
	fragment->key.protocol = header[0];
	fragment->start = field & OFFSET6_MASK;
	fragment->last = (field & MORE_FRAGMENTS6) == 0;
	fragment->ecn = ip[1] >> 4 & WEIR_ECN_MASK;
}

/* The header of either family; false when there is no such one. */
static bool
read_header(const struct weir_other *other, uint8_t port, struct weir_fragment *fragment)
{
	uint32_t header = (uint32_t)other->l4_off - other->l3_off;
	uint8_t ip[WEIR_IP6_BYTES + FRAGMENT6_BYTES];

	memset(fragment, 0, sizeof(*fragment));
	if (weir_chain_copy(other->buf, other->l3_off, WEIR_IP4_BYTES, ip) != WEIR_IP4_BYTES)
		return false;
	if (ip[0] >> 4 == 4) {
		read_ip4(ip, fragment);
	} else if (header != sizeof(ip) ||
		   weir_chain_copy(other->buf, other->l3_off, sizeof(ip), ip) != sizeof(ip)) {
		return false;
	} else {
		read_ip6(ip, fragment);
	}
	fragment->end = fragment->start + other->l4_len;
	fragment->key.vlan = other->vlan;
	fragment->key.port = port;
	fragment->l3_off = other->l3_off;
	fragment->l4_off = other->l4_off;
	return fragment->key.protocol == WEIR_PROTOCOL_TCP;
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
	if (!read_header(other, port, fragment))
		return WEIR_DROP_IP_FRAGMENT;
	if (other->l4_len == 0 || (!fragment->last && other->l4_len % WEIR_FRAGMENT_UNIT != 0))
		return WEIR_DROP_FRAGMENT_LENGTH;
	if (weir_fragment_counted(fragment->key.family, fragment->l4_off - fragment->l3_off) +
		    fragment->end >
	    WEIR_DATAGRAM_MAX)
		return WEIR_DROP_FRAGMENT_OVERSIZE;
	return has_tcp_header(other, fragment) ? WEIR_PARSE_OK : WEIR_DROP_FRAGMENT_TINY;
}

/* The runs of either family. Keys have no padding: they are compared as bytes. */
struct runs {
	uint8_t *keys;
	size_t key_bytes;
	uint8_t *first;
	uint32_t n;
};

static uint8_t *
key_at(const struct runs *runs, uint32_t i)
{
	return runs->keys + i * runs->key_bytes;
}

static bool
is_of(const struct runs *runs, uint32_t i, const void *key)
{
	return memcmp(key_at(runs, i), key, runs->key_bytes) == 0;
}

/* Move the runs from `from` on by `by` places up; they begin, and the last one ends, one later. */
static void
shift_runs(struct runs *runs, uint32_t from, uint32_t by)
{
	for (uint32_t i = runs->n + 1; i-- > from;) {
		runs->first[i + by] = (uint8_t)(runs->first[i] + 1);
		if (i < runs->n)
			memmove(key_at(runs, i + by), key_at(runs, i), runs->key_bytes);
	}
	runs->n += by;
}

/* The run that holds segment `at`, or ends right before it when that is of `key`; n behind all. */
static uint32_t
find_run(const struct runs *runs, uint32_t at, const void *key)
{
	uint32_t run = 0;

	while (run < runs->n && runs->first[run + 1] <= at)
		run++;
	if (run > 0 && runs->first[run] == at && is_of(runs, run - 1, key))
		run--;
	return run;
}

/* Segment `at` is new and of `key`; returns how many runs there are now. */
static uint32_t
insert_run(struct runs *runs, uint32_t at, const void *key)
{
	uint32_t run = find_run(runs, at, key);
	bool inside = run < runs->n && runs->first[run] != at;

	if (run < runs->n && is_of(runs, run, key)) {
		shift_runs(runs, run + 1, 0); /* one longer */
		return runs->n;
	}
	shift_runs(runs, run + inside, 1 + inside);
	if (inside) { /* a part before it, itself, and the rest */
		memcpy(key_at(runs, run + 2), key_at(runs, run), runs->key_bytes);
		runs->first[run + 2] = (uint8_t)(at + 1);
		run++;
	}
	memcpy(key_at(runs, run), key, runs->key_bytes);
	runs->first[run] = (uint8_t)at;
	return runs->n;
}

static void
insert_seg(struct weir_seg *segs, uint32_t n, uint32_t at, const struct weir_seg *seg)
{
	weir_segs_write(segs, n);
	memmove(&segs[at + 1], &segs[at], (n - at) * sizeof(segs[0]));
	segs[at] = *seg;
}

void
weir_parsed_insert(struct weir_parsed *parsed, uint32_t at, const struct weir_seg *seg,
		   const struct weir_key4 *key)
{
	struct runs runs = {.keys = (uint8_t *)parsed->keys,
			    .key_bytes = sizeof(*key),
			    .first = parsed->run_first,
			    .n = parsed->n_runs};

	insert_seg(parsed->segs, parsed->n_segs++, at, seg);
	parsed->n_runs = insert_run(&runs, at, key);
}

void
weir_parsed_insert6(struct weir_parsed6 *parsed, uint32_t at, const struct weir_seg *seg,
		    const struct weir_key *key)
{
	struct runs runs = {.keys = (uint8_t *)parsed->keys,
			    .key_bytes = sizeof(*key),
			    .first = parsed->run_first,
			    .n = parsed->n_runs};

	parsed->run_first[parsed->n_runs] = (uint8_t)parsed->n_segs; /* not yet so where there is none */
	insert_seg(parsed->segs, parsed->n_segs++, at, seg);
	parsed->n_runs = insert_run(&runs, at, key);
}
