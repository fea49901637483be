/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <rte_prefetch.h>

#include "flow/arena.h"
#include "flow/flow.h"
#include "wire/parse.h"

/* Bits of the hash: first bucket 0 to 23, second bucket 24 to 47, tag 48 to 63. */
#define INDEX_BITS  24
#define ENTRIES_MAX (1u << 26)
#define LINE	    64

/* Where a key may live. */
struct place {
	struct weir_bucket *bucket[2];
	uint16_t tag;
};

/* A matching slot of a bucket; NULL: none. */
struct hit {
	struct weir_bucket *bucket;
	uint32_t slot;
};

int
weir_table_open(struct weir_table *table, uint32_t entries, const struct weir_hash_key *secret,
		const struct weir_table_keys *keys, int node)
{
	uint64_t buckets = 2;

	if (entries == 0 || entries > ENTRIES_MAX)
		return -EINVAL;
	while (buckets * WEIR_BUCKET_SLOTS < 2 * (uint64_t)entries)
		buckets *= 2;
	*table = (struct weir_table){.mask = buckets - 1, .secret = *secret, .keys = *keys};
	table->buckets = weir_arena_alloc(buckets * sizeof(*table->buckets), node);
	return table->buckets == NULL ? -ENOMEM : 0;
}

void
weir_table_close(struct weir_table *table)
{
	weir_arena_free(table->buckets, (table->mask + 1) * sizeof(*table->buckets));
	memset(table, 0, sizeof(*table));
}

/* A key of either kind of table; the compiler knows which wherever one is looked at. */
struct sought {
	const void *key; /* struct weir_key4, or struct weir_key where `wide` */
	bool wide;
};

static inline struct sought
narrow(const struct weir_key4 *key)
{
	return (struct sought){key, false};
}

static inline struct sought
wide(const struct weir_key *key)
{
	return (struct sought){key, true};
}

static inline bool
is_key(struct sought sought, const void *key)
{
	return sought.wide ? weir_key_equal(sought.key, key) : weir_key4_equal(sought.key, key);
}

static inline struct place
place_of(const struct weir_table *table, struct sought sought)
{
	uint64_t hash = sought.wide ? weir_key_hash(sought.key, &table->secret)
				    : weir_key4_hash(sought.key, &table->secret);
	uint64_t first = hash & table->mask;
	uint64_t second = hash >> INDEX_BITS & table->mask;
	uint16_t tag = (uint16_t)(hash >> 48);

	second ^= second == first; /* always two buckets; there are at least two */
	return (struct place){
	    .bucket = {&table->buckets[first], &table->buckets[second]},
	    .tag = tag != 0 ? tag : 1, /* 0 marks a free slot */
	};
}

/* One bit for each slot that holds `tag`. */
#ifdef __SSE2__
static inline uint32_t
match(const struct weir_bucket *bucket, uint16_t tag)
{
	/* Ten tags in two overlapping groups, 0 to 7 and 2 to 9: no load leaves the line. */
	__m128i want = _mm_set1_epi16((short)tag);
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)&bucket->tag[0]);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)&bucket->tag[2]);
	__m128i hits = _mm_packs_epi16(_mm_cmpeq_epi16(low, want), _mm_cmpeq_epi16(high, want));
	uint32_t bits = (uint32_t)_mm_movemask_epi8(hits);

	return (bits & 0xff) | bits >> 8 << 2;
}
#else
static inline uint32_t
match(const struct weir_bucket *bucket, uint16_t tag)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < WEIR_BUCKET_SLOTS; i++)
		bits |= (uint32_t)(bucket->tag[i] == tag) << i;
	return bits;
}
#endif

static inline const void *
key_of(const struct weir_table_keys *keys, uint32_t entry)
{
	uint32_t i = entry < keys->first[1] ? 0 : entry < keys->first[2] ? 1 : 2;

	return keys->base[i] + (size_t)(entry - keys->first[i]) * keys->stride[i];
}

/* The slot among `bits` whose key is the one wanted, or WEIR_BUCKET_SLOTS. */
static inline uint32_t
compare(const struct weir_table *table, const struct weir_bucket *bucket, uint32_t bits,
	struct sought sought)
{
	for (; bits != 0; bits &= bits - 1) {
		uint32_t slot = (uint32_t)__builtin_ctz(bits);

		if (is_key(sought, key_of(&table->keys, bucket->entry[slot])))
			return slot;
	}
	return WEIR_BUCKET_SLOTS;
}

static inline struct hit
look_up(const struct weir_table *table, const struct place *place, struct sought sought)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct weir_bucket *bucket = place->bucket[i];
		uint32_t slot = compare(table, bucket, match(bucket, place->tag), sought);

		if (slot != WEIR_BUCKET_SLOTS)
			return (struct hit){bucket, slot};
	}
	return (struct hit){NULL, 0};
}

static inline uint32_t
find(const struct weir_table *table, struct sought sought)
{
	struct place place = place_of(table, sought);
	struct hit hit = look_up(table, &place, sought);

	return hit.bucket == NULL ? WEIR_NONE : hit.bucket->entry[hit.slot];
}

uint32_t
weir_table_find(const struct weir_table *table, const struct weir_key4 *key)
{
	return find(table, narrow(key));
}

uint32_t
weir_table_find_wide(const struct weir_table *table, const struct weir_key *key)
{
	return find(table, wide(key));
}

/* State of one bulk lookup: the keys that differ from the one before them. */
struct bulk {
	uint32_t n;
	uint8_t key[WEIR_BURST_MAX];
	struct place place[WEIR_BURST_MAX];
	uint32_t candidate[WEIR_BURST_MAX]; /* first entry whose tag matches, WEIR_NONE: none */
};

/* Key `i` of an array of either kind. */
static inline struct sought
nth(struct sought keys, uint32_t i)
{
	const uint8_t *base = keys.key;
	size_t stride = keys.wide ? sizeof(struct weir_key) : sizeof(struct weir_key4);

	return (struct sought){base + i * stride, keys.wide};
}

/* Phases 1 and 2: hash each key that differs from the one before it, prefetch its buckets. */
static inline void
bulk_hash(const struct weir_table *table, struct sought keys, uint32_t n, struct bulk *bulk)
{
	bulk->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct place *place = &bulk->place[bulk->n];

		if (i != 0 && is_key(nth(keys, i), nth(keys, i - 1).key))
			continue;
		*place = place_of(table, nth(keys, i));
		rte_prefetch0(place->bucket[0]);
		rte_prefetch0(place->bucket[1]);
		bulk->key[bulk->n++] = (uint8_t)i;
	}
}

static inline void
prefetch_entry(const struct weir_table_keys *keys, uint32_t entry)
{
	const uint8_t *key = key_of(keys, entry);

	rte_prefetch0(key);
	if (entry >= keys->first[1])
		return;
	for (uint32_t lines = keys->touched & ~1u; lines != 0; lines &= lines - 1)
		rte_prefetch0(key + LINE * (uint32_t)__builtin_ctz(lines));
}

/* Phase 3: match tags, prefetch the entry that is probably meant. */
static inline void
bulk_match(const struct weir_table *table, struct bulk *bulk)
{
	for (uint32_t i = 0; i < bulk->n; i++) {
		const struct place *place = &bulk->place[i];
		uint32_t bits = match(place->bucket[0], place->tag) |
				match(place->bucket[1], place->tag) << WEIR_BUCKET_SLOTS;
		uint32_t slot, entry;

		bulk->candidate[i] = WEIR_NONE;
		if (bits == 0)
			continue;
		slot = (uint32_t)__builtin_ctz(bits);
		entry = slot < WEIR_BUCKET_SLOTS
			    ? place->bucket[0]->entry[slot]
			    : place->bucket[1]->entry[slot - WEIR_BUCKET_SLOTS];
		prefetch_entry(&table->keys, entry);
		bulk->candidate[i] = entry;
	}
}

/* Phase 4: compare keys. A wrong candidate shares 16 bits of hash: rare, so looked up in full. */
static inline uint32_t
bulk_compare(const struct weir_table *table, const struct bulk *bulk, uint32_t i,
	     struct sought sought)
{
	uint32_t entry = bulk->candidate[i];
	struct hit hit;

	if (entry == WEIR_NONE || is_key(sought, key_of(&table->keys, entry)))
		return entry;
	hit = look_up(table, &bulk->place[i], sought);
	return hit.bucket == NULL ? WEIR_NONE : hit.bucket->entry[hit.slot];
}

static inline void
find_bulk(const struct weir_table *table, struct sought keys, uint32_t n, uint32_t *entries)
{
	struct bulk bulk;

	bulk_hash(table, keys, n, &bulk);
	bulk_match(table, &bulk);
	for (uint32_t i = 0; i < bulk.n; i++) {
		uint32_t from = bulk.key[i];
		uint32_t to = i + 1 < bulk.n ? bulk.key[i + 1] : n;
		uint32_t entry = bulk_compare(table, &bulk, i, nth(keys, from));

		for (uint32_t j = from; j < to; j++)
			entries[j] = entry;
	}
}

void
weir_table_find_bulk(const struct weir_table *table, const struct weir_key4 *keys, uint32_t n,
		     uint32_t *entries)
{
	find_bulk(table, narrow(keys), n, entries);
}

void
weir_table_find_bulk_wide(const struct weir_table *table, const struct weir_key *keys, uint32_t n,
			  uint32_t *entries)
{
	find_bulk(table, wide(keys), n, entries);
}

static inline int
insert(struct weir_table *table, struct sought sought, uint32_t entry)
{
	struct place place = place_of(table, sought);
	uint32_t room[2] = {match(place.bucket[0], 0), match(place.bucket[1], 0)};
	uint32_t emptier = __builtin_popcount(room[1]) > __builtin_popcount(room[0]);
	uint32_t slot;

	if (look_up(table, &place, sought).bucket != NULL)
		return -EEXIST;
	if (room[emptier] == 0)
		return -ENOSPC;
	slot = (uint32_t)__builtin_ctz(room[emptier]);
	place.bucket[emptier]->tag[slot] = place.tag;
	place.bucket[emptier]->entry[slot] = entry;
	table->count++;
	return 0;
}

int
weir_table_insert(struct weir_table *table, const struct weir_key4 *key, uint32_t entry)
{
	return insert(table, narrow(key), entry);
}

int
weir_table_insert_wide(struct weir_table *table, const struct weir_key *key, uint32_t entry)
{
	return insert(table, wide(key), entry);
}

static inline int
take_out(struct weir_table *table, struct sought sought)
{
	struct place place = place_of(table, sought);
	struct hit hit = look_up(table, &place, sought);

	if (hit.bucket == NULL)
		return -ENOENT;
	hit.bucket->tag[hit.slot] = 0;
	table->count--;
	return 0;
}

int
weir_table_remove(struct weir_table *table, const struct weir_key4 *key)
{
	return take_out(table, narrow(key));
}

int
weir_table_remove_wide(struct weir_table *table, const struct weir_key *key)
{
	return take_out(table, wide(key));
}

static inline int
replace(struct weir_table *table, struct sought sought, uint32_t entry)
{
	struct place place = place_of(table, sought);
	struct hit hit = look_up(table, &place, sought);

	if (hit.bucket == NULL)
		return -ENOENT;
	hit.bucket->entry[hit.slot] = entry;
	return 0;
}

int
weir_table_replace(struct weir_table *table, const struct weir_key4 *key, uint32_t entry)
{
	return replace(table, narrow(key), entry);
}

int
weir_table_replace_wide(struct weir_table *table, const struct weir_key *key, uint32_t entry)
{
	return replace(table, wide(key), entry);
}
