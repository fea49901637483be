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

static inline struct weir_place
place_of(const struct weir_table *table, struct sought sought)
{
	uint64_t hash = sought.wide ? weir_key_hash(sought.key, &table->secret)
				    : weir_key4_hash(sought.key, &table->secret);
	uint64_t first = hash & table->mask;
	uint64_t second = hash >> INDEX_BITS & table->mask;
	uint16_t tag = (uint16_t)(hash >> 48);

	second ^= second == first; /* always two buckets; there are at least two */
	return (struct weir_place){
	    .bucket = {&table->buckets[first], &table->buckets[second]},
	    .tag = tag != 0 ? tag : 1, /* 0 marks a free slot */
	};
}

/* One bit for each slot of the first bucket that holds `tag`, then for each of the second. */
#ifdef __SSE2__
static inline uint32_t
match(const struct weir_bucket *first, const struct weir_bucket *second, uint16_t tag)
{
	__m128i want = _mm_set1_epi16((short)tag);
	__m128i one = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)(const void *)first->tag), want);
	__m128i two = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)(const void *)second->tag), want);

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(one, two));
}
_Static_assert(WEIR_BUCKET_SLOTS == 8 && offsetof(struct weir_bucket, tag) == 0, "one vector");
#else
static inline uint32_t
match(const struct weir_bucket *first, const struct weir_bucket *second, uint16_t tag)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < WEIR_BUCKET_SLOTS; i++) {
		bits |= (uint32_t)(first->tag[i] == tag) << i;
		bits |= (uint32_t)(second->tag[i] == tag) << (i + WEIR_BUCKET_SLOTS);
	}
	return bits;
}
#endif

static inline const void *
key_of(const struct weir_table_keys *keys, uint32_t entry)
{
	uint32_t i = entry < keys->first[1] ? 0 : entry < keys->first[2] ? 1 : 2;

	return keys->base[i] + (size_t)(entry - keys->first[i]) * keys->stride[i];
}

/* The bucket of slot `slot` of both, counted from the first one's on. */
static inline struct hit
slot_of(const struct weir_place *place, uint32_t slot)
{
	return (struct hit){place->bucket[slot / WEIR_BUCKET_SLOTS], slot % WEIR_BUCKET_SLOTS};
}

static inline struct hit
look_up(const struct weir_table *table, const struct weir_place *place, struct sought sought)
{
	uint32_t bits = match(place->bucket[0], place->bucket[1], place->tag);

	for (; bits != 0; bits &= bits - 1) {
		struct hit hit = slot_of(place, (uint32_t)__builtin_ctz(bits));

		if (is_key(sought, key_of(&table->keys, hit.bucket->entry[hit.slot])))
			return hit;
	}
	return (struct hit){NULL, 0};
}

static inline uint32_t
find(const struct weir_table *table, struct sought sought)
{
	struct weir_place place = place_of(table, sought);
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

/* Key `i` of an array of either kind. */
static inline struct sought
nth(struct sought keys, uint32_t i)
{
	const uint8_t *base = keys.key;
	size_t stride = keys.wide ? sizeof(struct weir_key) : sizeof(struct weir_key4);

	return (struct sought){base + i * stride, keys.wide};
}

static inline void
prefetch_entry(const struct weir_table_keys *keys, uint32_t entry)
{
	const uint8_t *key = key_of(keys, entry);

	rte_prefetch0(key);
	if (!keys->flows || entry >= keys->first[1])
		return;
	for (uint32_t line = 1; line < sizeof(struct weir_flow) / LINE; line++)
		if ((WEIR_FLOW_STEADY >> line & 1) != 0)
			rte_prefetch0(key + (size_t)line * LINE);
}

/* The first entry whose tag is the one wanted, which is probably it; WEIR_NONE: no tag is. */
static inline uint32_t
candidate_of(const struct weir_table *table, const struct weir_place *place)
{
	uint32_t bits = match(place->bucket[0], place->bucket[1], place->tag);
	struct hit hit;
	uint32_t entry;

	if (bits == 0)
		return WEIR_NONE;
	hit = slot_of(place, (uint32_t)__builtin_ctz(bits));
	entry = hit.bucket->entry[hit.slot];
	prefetch_entry(&table->keys, entry);
	return entry;
}

/* A wrong candidate shares 16 bits of hash: rare, so looked up in full. */
static inline uint32_t
confirm(const struct weir_table *table, const struct weir_place *place, struct sought sought,
	uint32_t candidate)
{
	struct hit hit;

	if (candidate == WEIR_NONE || is_key(sought, key_of(&table->keys, candidate)))
		return candidate;
	hit = look_up(table, place, sought);
	return hit.bucket == NULL ? WEIR_NONE : hit.bucket->entry[hit.slot];
}

static inline void
hash_all(const struct weir_table *table, struct sought keys, uint32_t n, struct weir_lookup *lookup)
{
	for (uint32_t i = 0; i < n; i++) {
		struct weir_place *place = &lookup->places[i];

		*place = place_of(table, nth(keys, i));
		rte_prefetch0(place->bucket[0]);
		rte_prefetch0(place->bucket[1]);
	}
	lookup->n = n;
	lookup->matched = false;
}

static inline void
match_all(const struct weir_table *table, struct weir_lookup *lookup)
{
	for (uint32_t i = 0; i < lookup->n; i++)
		lookup->entries[i] = candidate_of(table, &lookup->places[i]);
	lookup->changes = table->changes;
	lookup->matched = true;
}

static inline void
confirm_all(const struct weir_table *table, struct sought keys, struct weir_lookup *lookup)
{
	if (!lookup->matched || lookup->changes != table->changes)
		match_all(table, lookup);
	for (uint32_t i = 0; i < lookup->n; i++)
		lookup->entries[i] =
			confirm(table, &lookup->places[i], nth(keys, i), lookup->entries[i]);
}

void
weir_table_hash(const struct weir_table *table, const struct weir_key4 *keys, uint32_t n,
		struct weir_lookup *lookup)
{
	hash_all(table, narrow(keys), n, lookup);
}

void
weir_table_match(const struct weir_table *table, struct weir_lookup *lookup)
{
	match_all(table, lookup);
}

void
weir_table_confirm(const struct weir_table *table, const struct weir_key4 *keys,
		   struct weir_lookup *lookup)
{
	confirm_all(table, narrow(keys), lookup);
}

static inline void
find_bulk(const struct weir_table *table, struct sought keys, uint32_t n, uint32_t *entries)
{
	struct weir_lookup lookup;

	hash_all(table, keys, n, &lookup);
	confirm_all(table, keys, &lookup);
	memcpy(entries, lookup.entries, n * sizeof(*entries));
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
	struct weir_place place = place_of(table, sought);
	uint32_t room = match(place.bucket[0], place.bucket[1], 0);
	uint32_t low = room & ((1u << WEIR_BUCKET_SLOTS) - 1), high = room ^ low;
	struct hit hit;

	if (look_up(table, &place, sought).bucket != NULL)
		return -EEXIST;
	if (room == 0)
		return -ENOSPC;
	hit = slot_of(&place, (uint32_t)__builtin_ctz(
				      __builtin_popcount(high) > __builtin_popcount(low) ? high : low));
	hit.bucket->tag[hit.slot] = place.tag;
	hit.bucket->entry[hit.slot] = entry;
	table->count++;
	table->changes++;
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
	struct weir_place place = place_of(table, sought);
	struct hit hit = look_up(table, &place, sought);

	if (hit.bucket == NULL)
		return -ENOENT;
	hit.bucket->tag[hit.slot] = 0;
	table->count--;
	table->changes++;
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
	struct weir_place place = place_of(table, sought);
	struct hit hit = look_up(table, &place, sought);

	if (hit.bucket == NULL)
		return -ENOENT;
	hit.bucket->entry[hit.slot] = entry;
	table->changes++;
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
