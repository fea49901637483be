/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/datagram.h"

#include <errno.h>
#include <string.h>

#include <rte_ip_frag.h>
#include <rte_lcore.h>

#include "flow/arena.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
#include "wire/seg.h"
#include "wire/siphash.h"

#define NS_PER_MS	1000000ull
#define FRAGMENT6_BYTES 8

/* rte_ip_frag_table_create(): one bucket of two, for the one datagram that is in there for the time
 * of a call; its patience is never put to the test. */
#define TABLE_BUCKETS 1
#define TABLE_ENTRIES 2
#define TABLE_CYCLES  1000000000ull

static uint32_t
power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power <<= 1;
	return power;
}

int
weir_datagrams_open(struct weir_datagrams *datagrams, uint32_t size, uint32_t max_bufs,
		    const uint64_t secret[2], struct weir_pool *pool, int node)
{
	*datagrams = (struct weir_datagrams){
		.size = size,
		.max_bufs = max_bufs,
		.node = node,
		.secret = {secret[0], secret[1]},
		.pool = pool,
	};
	if (size == 0 || rte_socket_count() == 0) /* no EAL: a table would be refused, aloud */
		return 0;
	datagrams->items = weir_arena_alloc(size * sizeof(datagrams->items[0]), node);
	datagrams->buckets =
		weir_arena_alloc(power_of_two(size) * sizeof(datagrams->buckets[0]), node);
	datagrams->table = rte_ip_frag_table_create(TABLE_BUCKETS, TABLE_ENTRIES, 1, TABLE_CYCLES,
						    node < 0 ? SOCKET_ID_ANY : node);
	if (datagrams->items == NULL || datagrams->buckets == NULL || datagrams->table == NULL) {
		weir_datagrams_close(datagrams);
		return -ENOMEM;
	}
	for (uint32_t i = size; i-- > 0; datagrams->free = i + 1)
		datagrams->items[i].next = datagrams->free;
	return 0;
}

/* ---- which there are ---- */

static uint32_t *
bucket_of(const struct weir_datagrams *datagrams, const struct weir_fragment_key *key)
{
	uint64_t hash = weir_siphash(datagrams->secret, key, sizeof(*key));

	return &datagrams->buckets[hash & (power_of_two(datagrams->size) - 1)];
}

static struct weir_datagram *
item_at(const struct weir_datagrams *datagrams, uint32_t index_1)
{
	return index_1 == 0 ? NULL : &datagrams->items[index_1 - 1];
}

static struct weir_datagram *
find(const struct weir_datagrams *datagrams, const struct weir_fragment_key *key)
{
	struct weir_datagram *item = item_at(datagrams, *bucket_of(datagrams, key));

	while (item != NULL && memcmp(&item->key, key, sizeof(*key)) != 0)
		item = item_at(datagrams, item->next);
	return item;
}

/* IPv6 is more patient: each family has its own line. */
static uint32_t
line_of(const struct weir_fragment_key *key)
{
	return key->family == 6;
}

static void
unlink_age(struct weir_datagrams *datagrams, const struct weir_datagram *item)
{
	uint32_t line = line_of(&item->key);
	struct weir_datagram *older = item_at(datagrams, item->older);
	struct weir_datagram *newer = item_at(datagrams, item->newer);

	*(older != NULL ? &older->newer : &datagrams->oldest[line]) = item->newer;
	*(newer != NULL ? &newer->older : &datagrams->newest[line]) = item->older;
}

/* Back to the free list; its pieces are gone. */
static void
forget(struct weir_datagrams *datagrams, struct weir_datagram *item)
{
	uint32_t index_1 = (uint32_t)(item - datagrams->items) + 1;
	uint32_t *link = bucket_of(datagrams, &item->key);

	while (*link != index_1)
		link = &datagrams->items[*link - 1].next;
	*link = item->next;
	unlink_age(datagrams, item);
	item->next = datagrams->free;
	datagrams->free = index_1;
}

static void
let_go(struct weir_datagrams *datagrams, const struct weir_datagram *item)
{
	datagrams->fragments -= item->n;
	for (uint32_t i = 0; i < item->n; i++)
		datagrams->bufs -= item->pieces[i].buf->nb_segs;
}

static void
lose_all(struct weir_datagrams *datagrams, struct weir_datagram *item, enum weir_drop reason)
{
	let_go(datagrams, item);
	for (uint32_t i = 0; i < item->n; i++)
		datagrams->lost(datagrams->user, item->pieces[i].buf, reason);
	forget(datagrams, item);
}

static struct weir_datagram *
oldest(const struct weir_datagrams *datagrams)
{
	struct weir_datagram *a = item_at(datagrams, datagrams->oldest[0]);
	struct weir_datagram *b = item_at(datagrams, datagrams->oldest[1]);

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return a->born_ns <= b->born_ns ? a : b;
}

/* One datagram of `key`, the newest; the oldest goes when all are in use. */
static struct weir_datagram *
begin(struct weir_datagrams *datagrams, const struct weir_fragment_key *key, uint64_t now_ns)
{
	uint32_t *bucket = bucket_of(datagrams, key);
	uint32_t line = line_of(key), index_1;
	struct weir_datagram *item;

	if (datagrams->free == 0)
		lose_all(datagrams, oldest(datagrams), WEIR_DROP_FRAGMENT_PUSHED_OUT);
	index_1 = datagrams->free;
	item = item_at(datagrams, index_1);
	datagrams->free = item->next;
	memset(item, 0, offsetof(struct weir_datagram, pieces));
	item->key = *key;
	item->born_ns = now_ns;
	item->next = *bucket;
	*bucket = index_1;
	item->older = datagrams->newest[line];
	*(item->older != 0 ? &item_at(datagrams, item->older)->newer : &datagrams->oldest[line]) =
		index_1;
	datagrams->newest[line] = index_1;
	return item;
}

void
weir_datagrams_close(struct weir_datagrams *datagrams)
{
	struct weir_datagram *item;

	while ((item = oldest(datagrams)) != NULL) {
		for (uint32_t i = 0; i < item->n; i++)
			weir_buf_free(datagrams->pool, item->pieces[i].buf);
		forget(datagrams, item);
	}
	if (datagrams->table != NULL)
		rte_ip_frag_table_destroy(datagrams->table);
	weir_arena_free(datagrams->items, datagrams->size * sizeof(datagrams->items[0]));
	weir_arena_free(datagrams->buckets,
			power_of_two(datagrams->size) * sizeof(datagrams->buckets[0]));
	memset(datagrams, 0, sizeof(*datagrams));
}

/* ---- a buffer that may be chained: headers in one piece, ours to write, nothing behind the end ---- */

/* Padding in the last buffer goes; false when there is more of it. */
static bool
cut_padding(struct rte_mbuf *buf, uint32_t len)
{
	struct rte_mbuf *last = rte_pktmbuf_lastseg(buf);
	uint32_t padding = buf->pkt_len - len;

	if (padding != 0 && padding >= last->data_len)
		return false;
	last->data_len = (uint16_t)(last->data_len - padding);
	buf->pkt_len = len;
	return true;
}

/* The same bytes in one buffer, with what the port said of its tags; NULL when there is none, or
 * they do not fit. The caller keeps `buf`. */
static struct rte_mbuf *
copy_of(struct weir_datagrams *datagrams, struct rte_mbuf *buf, uint32_t len)
{
	struct rte_mbuf *copy;

	if (len > datagrams->pool->data_room - RTE_PKTMBUF_HEADROOM)
		return NULL;
	copy = weir_buf_alloc(datagrams->pool);
	if (copy == NULL)
		return NULL;
	if (weir_chain_copy(buf, 0, len, rte_pktmbuf_mtod(copy, void *)) != len) {
		weir_buf_free(datagrams->pool, copy);
		return NULL;
	}
	copy->data_len = (uint16_t)len;
	copy->pkt_len = len;
	copy->ol_flags = buf->ol_flags & (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED |
					  RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED);
	copy->vlan_tci = buf->vlan_tci;
	copy->vlan_tci_outer = buf->vlan_tci_outer;
	return copy;
}

/* The buffer itself or a copy, which then is all that is left; NULL: `buf` is still there. */
static struct rte_mbuf *
make_chainable(struct weir_datagrams *datagrams, const struct weir_fragment *fragment,
	       struct rte_mbuf *buf)
{
	uint32_t len = fragment->l4_off + (fragment->end - fragment->start);
	struct rte_mbuf *copy;

	if (weir_buf_ours(buf) && buf->data_len >= fragment->l4_off && cut_padding(buf, len))
		return buf;
	copy = copy_of(datagrams, buf, len);
	if (copy != NULL)
		weir_buf_free(datagrams->pool, buf);
	return copy;
}

/* ---- does it fit to the others ---- */

static bool
same_bytes(const struct weir_piece *piece, struct rte_mbuf *buf, uint32_t off)
{
	uint32_t left = piece->end - piece->start, at = piece->l4_off;

	while (left != 0) {
		struct weir_chunk a = weir_chain_at(piece->buf, at, left);
		struct weir_chunk b = weir_chain_at(buf, off, left);
		uint32_t n = a.len < b.len ? a.len : b.len;

		if (n == 0 || memcmp(a.data, b.data, n) != 0)
			return false;
		at += n;
		off += n;
		left -= n;
	}
	return true;
}

/* The place of a fragment among the pieces, and whether it may stand there. Overlaps end a datagram:
 * nobody sends them but to be read in two ways. One that comes twice is only that. */
static enum weir_drop
place_of(const struct weir_datagram *item, const struct weir_fragment *fragment,
	 struct rte_mbuf *buf, uint32_t *place)
{
	const struct weir_piece *pieces = item->pieces;
	uint32_t at = 0;

	if ((item->total != 0 && (fragment->end > item->total ||
				  (fragment->last && fragment->end != item->total))) ||
	    (fragment->last && item->n != 0 && pieces[item->n - 1].end > fragment->end))
		return WEIR_DROP_FRAGMENT_CONFLICT;
	while (at < item->n && pieces[at].end <= fragment->start)
		at++;
	*place = at;
	if (at < item->n && pieces[at].start < fragment->end)
		return pieces[at].start == fragment->start && pieces[at].end == fragment->end &&
				       same_bytes(&pieces[at], buf, fragment->l4_off)
			       ? WEIR_DROP_FRAGMENT_DUPLICATE
			       : WEIR_DROP_FRAGMENT_CONFLICT;
	return item->n == WEIR_DATAGRAM_PIECES ? WEIR_DROP_FRAGMENT_MANY : WEIR_PARSE_OK;
}

static void
insert(struct weir_datagrams *datagrams, struct weir_datagram *item,
       const struct weir_fragment *fragment, struct rte_mbuf *buf, uint32_t place)
{
	struct weir_piece *piece = &item->pieces[place];

	memmove(piece + 1, piece, (item->n - place) * sizeof(*piece));
	*piece = (struct weir_piece){
		.buf = buf,
		.start = (uint16_t)fragment->start,
		.end = (uint16_t)fragment->end,
		.l3_off = (uint16_t)fragment->l3_off,
		.l4_off = (uint16_t)fragment->l4_off,
	};
	item->n++;
	item->bytes += fragment->end - fragment->start;
	item->ecn |= 1u << fragment->ecn;
	if (fragment->last)
		item->total = fragment->end;
	datagrams->fragments++;
	datagrams->bufs += buf->nb_segs;
}

/* ---- putting together ---- */

/* No part may say that it was marked while another says that it cannot be (RFC 3168 section 5.3);
 * and a long header of the first may be what makes the datagram too long. */
static enum weir_drop
check_whole(const struct weir_datagram *item)
{
	const uint32_t marked = 1u << WEIR_ECN_CE | 1u << 0;

	if ((item->ecn & marked) == marked)
		return WEIR_DROP_FRAGMENT_CONFLICT;
	return weir_fragment_counted(item->key.family,
				     (uint32_t)item->pieces[0].l4_off - item->pieces[0].l3_off) +
				       item->total >
			       WEIR_DATAGRAM_MAX
		       ? WEIR_DROP_FRAGMENT_OVERSIZE
		       : WEIR_PARSE_OK;
}

/* One piece into rte_ip_frag; the last one brings the datagram out. */
static struct rte_mbuf *
give(struct weir_datagrams *datagrams, uint32_t family, const struct weir_piece *piece,
     uint64_t now_ns, struct rte_ip_frag_death_row *row)
{
	struct rte_mbuf *buf = piece->buf;
	void *header = rte_pktmbuf_mtod_offset(buf, void *, piece->l3_off);

	buf->l2_len = piece->l3_off;
	buf->l3_len = (uint16_t)(piece->l4_off - piece->l3_off);
	if (family == 4)
		return rte_ipv4_frag_reassemble_packet(datagrams->table, row, buf, now_ns, header);
	return rte_ipv6_frag_reassemble_packet(
		datagrams->table, row, buf, now_ns, header,
		rte_pktmbuf_mtod_offset(buf, void *, piece->l4_off - FRAGMENT6_BYTES));
}

/* All pieces through rte_ip_frag. NULL when it refuses them: then they were lost. */
static struct rte_mbuf *
chain(struct weir_datagrams *datagrams, const struct weir_datagram *item, uint64_t now_ns)
{
	struct rte_ip_frag_death_row row = {.cnt = 0};
	struct rte_mbuf *whole = NULL;

	for (uint32_t i = 0; i < item->n; i++)
		whole = give(datagrams, item->key.family, &item->pieces[i], now_ns, &row);
	for (uint32_t i = 0; whole == NULL && i < item->n; i++)
		datagrams->lost(datagrams->user, i < row.cnt ? row.row[i] : NULL,
				WEIR_DROP_FRAGMENT_CONFLICT);
	return whole;
}

static void
store_ip4_sum(uint8_t *ip, uint32_t header)
{
	uint16_t sum;

	weir_store_be16(ip + 10, 0);
	sum = (uint16_t)~weir_csum_fold(weir_csum_add(ip, header, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
}

/* A header as if the packet had never been cut, and nothing left of what the port said of sums. */
static void
finish_header(const struct weir_datagram *item, struct rte_mbuf *whole)
{
	const struct weir_piece *first = &item->pieces[0];
	uint8_t *ip = rte_pktmbuf_mtod_offset(whole, uint8_t *, first->l3_off);
	bool is4 = item->key.family == 4;

	if (item->ecn & 1u << WEIR_ECN_CE)
		ip[1] |= is4 ? WEIR_ECN_CE : WEIR_ECN_CE << 4;
	if (is4)
		store_ip4_sum(ip, (uint32_t)first->l4_off - first->l3_off);
	whole->ol_flags &= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ |
			   RTE_MBUF_F_RX_QINQ_STRIPPED;
}

/* In one buffer, where it fits and there is one: it may wait long for its reader, and what counts
 * against a connection then is buffers. */
static struct rte_mbuf *
compact(struct weir_datagrams *datagrams, struct rte_mbuf *whole)
{
	struct rte_mbuf *copy = copy_of(datagrams, whole, whole->pkt_len);

	if (copy == NULL)
		return whole;
	weir_buf_free(datagrams->pool, whole);
	return copy;
}

static struct rte_mbuf *
assemble(struct weir_datagrams *datagrams, struct weir_datagram *item, uint64_t now_ns)
{
	enum weir_drop verdict = check_whole(item);
	struct rte_mbuf *whole;

	if (verdict != WEIR_PARSE_OK) {
		lose_all(datagrams, item, verdict);
		return NULL;
	}
	let_go(datagrams, item);
	whole = chain(datagrams, item, now_ns);
	if (whole != NULL)
		finish_header(item, whole);
	forget(datagrams, item);
	return whole != NULL ? compact(datagrams, whole) : NULL;
}

/* The oldest datagrams go until there is room for `bufs` buffers. */
static bool
make_room(struct weir_datagrams *datagrams, uint32_t bufs)
{
	if (bufs > datagrams->max_bufs)
		return false;
	while (datagrams->bufs + bufs > datagrams->max_bufs)
		lose_all(datagrams, oldest(datagrams), WEIR_DROP_FRAGMENT_PUSHED_OUT);
	return true;
}

struct rte_mbuf *
weir_datagrams_add(struct weir_datagrams *datagrams, const struct weir_fragment *fragment,
		   struct rte_mbuf *buf, uint64_t now_ns, uint32_t *fragments)
{
	struct rte_mbuf *chainable = make_chainable(datagrams, fragment, buf);
	struct weir_datagram *item;
	enum weir_drop verdict;
	uint32_t place;

	if (chainable == NULL || !make_room(datagrams, chainable->nb_segs)) {
		datagrams->lost(datagrams->user, chainable != NULL ? chainable : buf,
				WEIR_DROP_FRAGMENT_PUSHED_OUT);
		return NULL;
	}
	item = find(datagrams, &fragment->key);
	if (item == NULL)
		item = begin(datagrams, &fragment->key, now_ns);
	verdict = place_of(item, fragment, chainable, &place);
	if (verdict != WEIR_PARSE_OK) {
		datagrams->lost(datagrams->user, chainable, verdict);
		if (verdict != WEIR_DROP_FRAGMENT_DUPLICATE)
			lose_all(datagrams, item, verdict);
		return NULL;
	}
	insert(datagrams, item, fragment, chainable, place);
	*fragments = item->n;
	return item->bytes == item->total ? assemble(datagrams, item, now_ns) : NULL;
}

/* ---- time ---- */

static uint64_t
due_ns(const struct weir_datagram *item, uint64_t ms)
{
	return item != NULL ? item->born_ns + ms * NS_PER_MS : UINT64_MAX;
}

static const uint64_t patience_ms[2] = {WEIR_DATAGRAM_IP4_MS, WEIR_DATAGRAM_IP6_MS};

void
weir_datagrams_age(struct weir_datagrams *datagrams, uint64_t now_ns)
{
	for (uint32_t line = 0; line < 2; line++) {
		struct weir_datagram *item;

		while ((item = item_at(datagrams, datagrams->oldest[line])) != NULL &&
		       due_ns(item, patience_ms[line]) <= now_ns) {
			if (item->pieces[0].start == 0 && datagrams->expired != NULL)
				datagrams->expired(datagrams->user, item);
			lose_all(datagrams, item, WEIR_DROP_FRAGMENT_TIMEOUT);
		}
	}
}

uint64_t
weir_datagrams_deadline(const struct weir_datagrams *datagrams)
{
	uint64_t first = due_ns(item_at(datagrams, datagrams->oldest[0]), patience_ms[0]);
	uint64_t second = due_ns(item_at(datagrams, datagrams->oldest[1]), patience_ms[1]);

	return first < second ? first : second;
}
