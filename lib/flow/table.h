/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flow table: keyed hash to an entry number. One bucket is one cache line of eight (tag, entry) pairs,
 * whose tags are one vector; a key lives in one of two buckets, the emptier at insertion, so that
 * probing is bounded at two lines. Keys stand in the caller's entries, so that a hit touches only the
 * bucket and the entry itself.
 */
#ifndef WEIR_FLOW_TABLE_H
#define WEIR_FLOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/key.h"
#include "wire/parse.h"

#define WEIR_BUCKET_SLOTS 8

struct weir_bucket {
	uint16_t tag[WEIR_BUCKET_SLOTS]; /* 0: free */
	uint32_t entry[WEIR_BUCKET_SLOTS];
	uint32_t spare[4];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct weir_bucket) == 64, "one cache line");

/*
 * Where the key of an entry lies. Entries are numbered through three arrays of equal purpose:
 * flows, SYN-RECEIVED, TIME-WAIT. Array i covers [first[i], first[i+1]); base[i] is the key of its
 * first element. `flows`: array 0 are struct weir_flow from their first line on, of which whoever looks
 * one up will touch WEIR_FLOW_STEADY; these are fetched as soon as it is known which entry it probably is.
 */
#define WEIR_TABLE_ARRAYS 3
struct weir_table_keys {
	const uint8_t *base[WEIR_TABLE_ARRAYS];
	uint32_t stride[WEIR_TABLE_ARRAYS];
	bool flows;
	uint32_t first[WEIR_TABLE_ARRAYS + 1];
};

struct weir_table {
	struct weir_bucket *buckets;
	uint64_t mask; /* number of buckets - 1 */
	struct weir_hash_key secret;
	struct weir_table_keys keys;
	uint32_t count;
	uint32_t changes; /* so many keys were inserted, removed or made to name another entry */
};

/* Where a key may live. */
struct weir_place {
	struct weir_bucket *bucket[2];
	uint16_t tag;
};

/* A look-up of `n` keys at once, in three phases between which other work may be done. */
struct weir_lookup {
	uint32_t n;
	uint32_t changes; /* the table's when they were matched; valid if `matched` */
	bool matched;
	struct weir_place places[WEIR_BURST_MAX];
	uint32_t entries[WEIR_BURST_MAX]; /* WEIR_NONE: absent */
};

/* Room for `entries` keys at half load, on NUMA node `node`. -EINVAL, -ENOMEM. */
int weir_table_open(struct weir_table *table, uint32_t entries, const struct weir_hash_key *secret,
		    const struct weir_table_keys *keys, int node);
void weir_table_close(struct weir_table *table);

/* Entry of `key`, or WEIR_NONE. */
uint32_t weir_table_find(const struct weir_table *table, const struct weir_key4 *key);

/* 1: hash `n` keys (n <= WEIR_BURST_MAX), fetch their buckets. */
void weir_table_hash(const struct weir_table *table, const struct weir_key4 *keys, uint32_t n,
		     struct weir_lookup *lookup);
/* 2: match tags, fetch the entries that are probably meant. */
void weir_table_match(const struct weir_table *table, struct weir_lookup *lookup);
/* 3: compare keys; lookup->entries are true then. What was matched before the table changed is matched
 * again. All three belong to the thread that polls the engine. */
void weir_table_confirm(const struct weir_table *table, const struct weir_key4 *keys,
			struct weir_lookup *lookup);

/* Entries of `n` keys, in these phases. */
void weir_table_find_bulk(const struct weir_table *table, const struct weir_key4 *keys, uint32_t n,
			  uint32_t *entries);

/* The key must already stand in entry `entry`. -EEXIST, -ENOSPC when both buckets are full. */
int weir_table_insert(struct weir_table *table, const struct weir_key4 *key, uint32_t entry);
/* -ENOENT. */
int weir_table_remove(struct weir_table *table, const struct weir_key4 *key);
/* Make `key` name another entry, whose key must already be written. -ENOENT. */
int weir_table_replace(struct weir_table *table, const struct weir_key4 *key, uint32_t entry);

/* The same for a table of IPv6: all its keys are struct weir_key. A table holds one kind only. */
uint32_t weir_table_find_wide(const struct weir_table *table, const struct weir_key *key);
void weir_table_find_bulk_wide(const struct weir_table *table, const struct weir_key *keys,
			       uint32_t n, uint32_t *entries);
int weir_table_insert_wide(struct weir_table *table, const struct weir_key *key, uint32_t entry);
int weir_table_remove_wide(struct weir_table *table, const struct weir_key *key);
int weir_table_replace_wide(struct weir_table *table, const struct weir_key *key, uint32_t entry);

#endif
