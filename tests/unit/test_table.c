/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/table.h"

#include <errno.h>
#include <string.h>

#include "flow/flow.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wire/parse.h"

static struct weir_hash_key
secret_of(uint64_t seed)
{
	struct weir_hash_key secret;

	random_state = seed;
	for (int i = 0; i < 4; i++)
		secret.word[i] = (uint64_t)random_u32() << 32 | random_u32();
	return secret;
}

/* Keys as a port scan or a load generator makes them: neighbours differ in a bit or two. */
static struct weir_key4
key_numbered(uint32_t i)
{
	return (struct weir_key4){
	    .raddr = 0x0a000000 + i / 50000,
	    .laddr = 0xc0000201,
	    .rport = (uint16_t)(1024 + i % 50000),
	    .lport = 9000,
	};
}

/* Entries 0 to n - 1 with keys of their own in one plain array. */
static struct weir_table_keys
plain(const struct weir_key4 *keys, uint32_t n)
{
	return (struct weir_table_keys){
	    .base = {(const uint8_t *)keys, NULL, NULL},
	    .stride = {sizeof(*keys), 0, 0},
	    .first = {0, n, n, n},
	};
}

static struct weir_key4 *
make_keys(uint32_t n)
{
	struct weir_key4 *keys = calloc(n, sizeof(*keys));

	ck_assert_ptr_nonnull(keys);
	for (uint32_t i = 0; i < n; i++)
		keys[i] = key_numbered(i);
	return keys;
}

START_TEST(sizes_are_checked)
{
	struct weir_hash_key secret = secret_of(1);
	struct weir_table_keys keys = plain(NULL, 0);
	struct weir_table table;

	ck_assert_int_eq(weir_table_open(&table, 0, &secret, &keys, -1), -EINVAL);
	ck_assert_int_eq(weir_table_open(&table, UINT32_MAX, &secret, &keys, -1), -EINVAL);
	ck_assert_int_eq(weir_table_open(&table, 1, &secret, &keys, -1), 0);
	ck_assert_uint_eq(table.mask & (table.mask + 1), 0);
	weir_table_close(&table);
}
END_TEST

START_TEST(inserts_finds_and_removes)
{
	struct weir_hash_key secret = secret_of(2);
	struct weir_key4 *keys = make_keys(3);
	struct weir_table_keys of = plain(keys, 3);
	struct weir_table table;

	ck_assert_int_eq(weir_table_open(&table, 3, &secret, &of, -1), 0);
	ck_assert_uint_eq(weir_table_find(&table, &keys[0]), WEIR_NONE);
	ck_assert_int_eq(weir_table_remove(&table, &keys[0]), -ENOENT);
	ck_assert_int_eq(weir_table_replace(&table, &keys[0], 1), -ENOENT);
	ck_assert_int_eq(weir_table_insert(&table, &keys[0], 0), 0);
	ck_assert_int_eq(weir_table_insert(&table, &keys[0], 0), -EEXIST);
	ck_assert_uint_eq(table.count, 1);
	ck_assert_uint_eq(weir_table_find(&table, &keys[0]), 0);
	ck_assert_uint_eq(weir_table_find(&table, &keys[1]), WEIR_NONE);
	ck_assert_int_eq(weir_table_insert(&table, &keys[2], 2), 0);
	ck_assert_uint_eq(weir_table_find(&table, &keys[2]), 2);
	ck_assert_int_eq(weir_table_remove(&table, &keys[0]), 0);
	ck_assert_int_eq(weir_table_remove(&table, &keys[0]), -ENOENT);
	ck_assert_uint_eq(weir_table_find(&table, &keys[0]), WEIR_NONE);
	ck_assert_uint_eq(weir_table_find(&table, &keys[2]), 2);
	ck_assert_uint_eq(table.count, 1);
	weir_table_close(&table);
	free(keys);
}
END_TEST

/* Each field of the key tells two flows apart. */
START_TEST(every_field_counts)
{
	struct weir_hash_key secret = secret_of(3);
	struct weir_key4 keys[6] = {{1, 2, 3, 4, 5}, {9, 2, 3, 4, 5}, {1, 9, 3, 4, 5},
				    {1, 2, 9, 4, 5}, {1, 2, 3, 9, 5}, {1, 2, 3, 4, 9}};
	struct weir_table_keys of = plain(keys, 6);
	struct weir_table table;

	ck_assert_int_eq(weir_table_open(&table, 6, &secret, &of, -1), 0);
	for (uint32_t i = 0; i < 6; i++) {
		for (uint32_t j = i; j < 6; j++)
			ck_assert_uint_eq(weir_table_find(&table, &keys[j]), WEIR_NONE);
		ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
	}
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_uint_eq(weir_table_find(&table, &keys[i]), i);
	weir_table_close(&table);
}
END_TEST

/* A connection moves SYN-RECEIVED -> flow -> TIME-WAIT: three arrays of unlike elements. */
START_TEST(replace_moves_a_key_between_arrays)
{
	enum { FLOWS = 5, SYNS = 4, WAITS = 3 };
	static struct weir_flow flows[FLOWS];
	static struct {
		struct weir_key4 key;
		uint8_t rest[48];
	} syns[SYNS];
	static struct {
		struct weir_key4 key;
		uint32_t rest[3];
	} waits[WAITS];
	struct weir_hash_key secret = secret_of(4);
	struct weir_table_keys of = {
	    .base = {(uint8_t *)flows, (uint8_t *)syns, (uint8_t *)waits},
	    .stride = {sizeof(flows[0]), sizeof(syns[0]), sizeof(waits[0])},
	    .first = {0, FLOWS, FLOWS + SYNS, FLOWS + SYNS + WAITS},
	};
	struct weir_key4 key = key_numbered(77), other = key_numbered(78);
	struct weir_table table;
	uint32_t syn = FLOWS + SYNS - 1, flow = FLOWS - 1, wait = FLOWS + SYNS + WAITS - 1;

	ck_assert_int_eq(weir_table_open(&table, FLOWS + SYNS + WAITS, &secret, &of, -1), 0);
	syns[SYNS - 1].key = key;
	syns[0].key = other;
	ck_assert_int_eq(weir_table_insert(&table, &key, syn), 0);
	ck_assert_int_eq(weir_table_insert(&table, &other, FLOWS), 0);
	ck_assert_uint_eq(weir_table_find(&table, &key), syn);
	flows[flow].key = key;
	ck_assert_int_eq(weir_table_replace(&table, &key, flow), 0);
	memset(&syns[SYNS - 1], 0, sizeof(syns[0])); /* the old place is free now */
	ck_assert_uint_eq(weir_table_find(&table, &key), flow);
	waits[WAITS - 1].key = key;
	ck_assert_int_eq(weir_table_replace(&table, &key, wait), 0);
	memset(&flows[flow], 0, sizeof(flows[0]));
	ck_assert_uint_eq(weir_table_find(&table, &key), wait);
	ck_assert_uint_eq(weir_table_find(&table, &other), FLOWS);
	ck_assert_uint_eq(table.count, 2);
	ck_assert_int_eq(weir_table_remove(&table, &key), 0);
	ck_assert_uint_eq(weir_table_find(&table, &key), WEIR_NONE);
	weir_table_close(&table);
}
END_TEST

/* A table of IPv6: keys beside the flows, and inside the entries of the other arrays. */
START_TEST(wide_keys_in_three_arrays)
{
	enum { FLOWS = 300, SYNS = 100, WAITS = 100, ALL = FLOWS + SYNS + WAITS };
	static struct weir_key flows[FLOWS], keys[ALL];
	static struct {
		uint32_t before;
		struct weir_key key;
		uint8_t rest[32];
	} syns[SYNS];
	static struct {
		struct weir_key key;
		uint32_t rest[9];
	} waits[WAITS];
	struct weir_hash_key secret = secret_of(8);
	struct weir_table_keys of = {
	    .base = {(uint8_t *)flows, (uint8_t *)&syns->key, (uint8_t *)waits},
	    .stride = {sizeof(flows[0]), sizeof(syns[0]), sizeof(waits[0])},
	    .first = {0, FLOWS, FLOWS + SYNS, ALL},
	};
	uint32_t entries[WEIR_BURST_MAX];
	struct weir_key burst[WEIR_BURST_MAX];
	struct weir_table table;

	ck_assert_int_eq(weir_table_open(&table, ALL, &secret, &of, -1), 0);
	for (uint32_t i = 0; i < ALL; i++) {
		/* They differ in one word each: in front, in the middle, at the end. */
		keys[i] = (struct weir_key){.raddr_high = {0x20010db8}, .low = {.rport = 1}};
		if (i % 3 == 0)
			keys[i].raddr_high[0] += i + 1;
		else if (i % 3 == 1)
			keys[i].low.raddr = i;
		else
			keys[i].low.vlan = i;
		if (i < FLOWS)
			flows[i] = keys[i];
		else if (i < FLOWS + SYNS)
			syns[i - FLOWS].key = keys[i];
		else
			waits[i - FLOWS - SYNS].key = keys[i];
		ck_assert_uint_eq(weir_table_find_wide(&table, &keys[i]), WEIR_NONE);
		ck_assert_int_eq(weir_table_insert_wide(&table, &keys[i], i), 0);
		ck_assert_int_eq(weir_table_insert_wide(&table, &keys[i], i), -EEXIST);
	}
	for (uint32_t i = 0; i < ALL; i++)
		ck_assert_uint_eq(weir_table_find_wide(&table, &keys[i]), i);
	for (uint32_t i = 0; i < WEIR_BURST_MAX; i++) { /* runs, and keys that nobody has */
		burst[i] = keys[i / 3 * 37 % ALL];
		burst[i].low.lport = i % 9 == 8;
	}
	weir_table_find_bulk_wide(&table, burst, WEIR_BURST_MAX, entries);
	for (uint32_t i = 0; i < WEIR_BURST_MAX; i++)
		ck_assert_uint_eq(entries[i], i % 9 == 8 ? WEIR_NONE : i / 3 * 37 % ALL);
	flows[7] = keys[FLOWS]; /* a handshake was completed */
	ck_assert_int_eq(weir_table_remove_wide(&table, &keys[7]), -ENOENT);
	ck_assert_int_eq(weir_table_replace_wide(&table, &keys[FLOWS], 7), 0);
	ck_assert_uint_eq(weir_table_find_wide(&table, &keys[FLOWS]), 7);
	ck_assert_int_eq(weir_table_remove_wide(&table, &keys[FLOWS]), 0);
	ck_assert_uint_eq(weir_table_find_wide(&table, &keys[FLOWS]), WEIR_NONE);
	ck_assert_uint_eq(table.count, ALL - 1);
	weir_table_close(&table);
}
END_TEST

/* Two buckets: every key may live in either, so all of their slots fill and the next is refused. */
static void
run_full(uint64_t seed)
{
	enum { ROOM = 2 * WEIR_BUCKET_SLOTS };
	struct weir_hash_key secret = secret_of(seed);
	struct weir_key4 *keys = make_keys(ROOM + 1);
	struct weir_table_keys of = plain(keys, ROOM + 1);
	struct weir_table table;

	ck_assert_int_eq(weir_table_open(&table, WEIR_BUCKET_SLOTS, &secret, &of, -1), 0);
	ck_assert_uint_eq(table.mask, 1);
	for (uint32_t i = 0; i < ROOM; i++)
		ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
	ck_assert_int_eq(weir_table_insert(&table, &keys[ROOM], ROOM), -ENOSPC);
	ck_assert_int_eq(weir_table_insert(&table, &keys[3], 3), -EEXIST);
	ck_assert_uint_eq(table.count, ROOM);
	for (uint32_t i = 0; i < ROOM; i++)
		ck_assert_uint_eq(weir_table_find(&table, &keys[i]), i);
	ck_assert_uint_eq(weir_table_find(&table, &keys[ROOM]), WEIR_NONE);
	for (uint32_t i = 0; i < ROOM; i++) { /* each slot in turn is found, freed and used again */
		ck_assert_int_eq(weir_table_remove(&table, &keys[i]), 0);
		ck_assert_int_eq(weir_table_insert(&table, &keys[ROOM], ROOM), 0);
		ck_assert_uint_eq(weir_table_find(&table, &keys[ROOM]), ROOM);
		ck_assert_int_eq(weir_table_remove(&table, &keys[ROOM]), 0);
		ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
	}
	weir_table_close(&table);
	free(keys);
}

START_TEST(full_buckets_refuse)
{
	for (uint64_t seed = 1; seed <= 8; seed++)
		run_full(seed);
}
END_TEST

/* Keys with equal tags (the top 16 bits of the hash, 0 standing for 1) in the same two buckets. */
static uint32_t
colliding_keys(const struct weir_hash_key *secret, uint16_t tag, struct weir_key4 *keys, uint32_t n)
{
	uint32_t found = 0;

	for (uint32_t i = 0; found < n; i++) {
		struct weir_key4 key = key_numbered(i);
		uint16_t got = (uint16_t)(weir_key4_hash(&key, secret) >> 48);

		if (got == tag || (got == 0 && tag == 1))
			keys[found++] = key;
	}
	return found;
}

static void
run_colliding(uint16_t tag)
{
	enum { N = 15 };
	struct weir_hash_key secret = secret_of(6);
	struct weir_key4 keys[N + 1];
	struct weir_table_keys of = plain(keys, N + 1);
	struct weir_table table;
	uint32_t entries[N + 1];

	ck_assert_uint_eq(colliding_keys(&secret, tag, keys, N + 1), N + 1);
	ck_assert_int_eq(weir_table_open(&table, WEIR_BUCKET_SLOTS, &secret, &of, -1), 0);
	ck_assert_uint_eq(table.mask, 1);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
	weir_table_find_bulk(&table, keys, N + 1, entries);
	for (uint32_t i = 0; i < N; i++) {
		ck_assert_uint_eq(entries[i], i);
		ck_assert_uint_eq(weir_table_find(&table, &keys[i]), i);
	}
	ck_assert_uint_eq(entries[N], WEIR_NONE);
	for (uint32_t i = 0; i < N; i += 2)
		ck_assert_int_eq(weir_table_remove(&table, &keys[i]), 0);
	weir_table_find_bulk(&table, keys, N + 1, entries);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_eq(entries[i], i % 2 == 0 ? WEIR_NONE : i);
	weir_table_close(&table);
}

START_TEST(equal_tags_are_told_apart)
{
	run_colliding(0xffff);
	run_colliding(0x8000);
	run_colliding(1);
}
END_TEST

START_TEST(bulk_writes_exactly_n)
{
	struct weir_hash_key secret = secret_of(7);
	struct weir_key4 *keys = make_keys(WEIR_BURST_MAX);
	struct weir_table_keys of = plain(keys, WEIR_BURST_MAX);
	struct weir_table table;
	uint32_t entries[WEIR_BURST_MAX + 1];

	ck_assert_int_eq(weir_table_open(&table, WEIR_BURST_MAX, &secret, &of, -1), 0);
	for (uint32_t i = 0; i < WEIR_BURST_MAX; i++)
		ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
	for (uint32_t n = 0; n <= WEIR_BURST_MAX; n++) {
		memset(entries, 0xaa, sizeof(entries));
		weir_table_find_bulk(&table, keys, n, entries);
		for (uint32_t i = 0; i <= WEIR_BURST_MAX; i++)
			ck_assert_uint_eq(entries[i], i < n ? i : 0xaaaaaaaa);
	}
	weir_table_close(&table);
	free(keys);
}
END_TEST

/* The table changes between the phases: what is confirmed is what stands there then. */
START_TEST(a_look_up_follows_the_table)
{
	enum { N = 8 };
	struct weir_hash_key secret = secret_of(12);
	struct weir_key4 *keys = make_keys(2 * N);
	struct weir_table_keys of = plain(keys, 2 * N);
	struct weir_lookup lookup;
	struct weir_table table;

	memcpy(keys + N, keys, N * sizeof(*keys));
	ck_assert_int_eq(weir_table_open(&table, 2 * N, &secret, &of, -1), 0);
	for (uint32_t i = 0; i < N - 1; i++)
		ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
	weir_table_hash(&table, keys, N, &lookup);
	weir_table_match(&table, &lookup);
	ck_assert_int_eq(weir_table_remove(&table, &keys[1]), 0);
	weir_table_confirm(&table, keys, &lookup);
	for (uint32_t i = 0; i < N; i++)
		ck_assert_uint_eq(lookup.entries[i], i == 1 || i == N - 1 ? WEIR_NONE : i);
	weir_table_match(&table, &lookup);
	ck_assert_int_eq(weir_table_replace(&table, &keys[2], N + 2), 0);
	weir_table_confirm(&table, keys, &lookup);
	ck_assert_uint_eq(lookup.entries[2], N + 2);
	weir_table_match(&table, &lookup);
	ck_assert_int_eq(weir_table_insert(&table, &keys[N - 1], N - 1), 0);
	weir_table_confirm(&table, keys, &lookup);
	ck_assert_uint_eq(lookup.entries[N - 1], N - 1);
	ck_assert_uint_eq(lookup.entries[1], WEIR_NONE);
	weir_table_close(&table);
	free(keys);
}
END_TEST

/* Model: entry i has key i, alias i + KEYS has the same key; here[i] says which is in the table. */
enum { KEYS = 700 };

static void
check_burst(const struct weir_table *table, const struct weir_key4 *keys, const uint32_t *here)
{
	struct weir_key4 burst[WEIR_BURST_MAX];
	uint32_t want[WEIR_BURST_MAX], got[WEIR_BURST_MAX];
	uint32_t n = random_below(WEIR_BURST_MAX + 1);
	uint32_t i = random_below(KEYS);

	for (uint32_t j = 0; j < n; j++) {
		if (random_below(3) == 0) /* runs of one flow, as bursts are */
			i = random_below(KEYS);
		burst[j] = keys[i];
		want[j] = here[i];
	}
	weir_table_find_bulk(table, burst, n, got);
	for (uint32_t j = 0; j < n; j++) {
		ck_assert_uint_eq(got[j], want[j]);
		ck_assert_uint_eq(weir_table_find(table, &burst[j]), want[j]);
	}
}

static void
run_model(uint64_t seed)
{
	struct weir_hash_key secret = secret_of(seed);
	struct weir_key4 *keys = make_keys(2 * KEYS);
	struct weir_table_keys of = plain(keys, 2 * KEYS);
	struct weir_table table;
	uint32_t here[KEYS], count = 0;

	memcpy(keys + KEYS, keys, KEYS * sizeof(*keys));
	memset(here, 0xff, sizeof(here));
	ck_assert_int_eq(weir_table_open(&table, KEYS, &secret, &of, -1), 0);
	for (int step = 0; step < 20000; step++) {
		uint32_t i = random_below(KEYS);
		bool in = here[i] != WEIR_NONE;

		switch (random_below(4)) {
		case 0:
			ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), in ? -EEXIST : 0);
			count += !in;
			here[i] = in ? here[i] : i;
			break;
		case 1:
			ck_assert_int_eq(weir_table_remove(&table, &keys[i]), in ? 0 : -ENOENT);
			count -= in;
			here[i] = WEIR_NONE;
			break;
		case 2:
			ck_assert_int_eq(weir_table_replace(&table, &keys[i], i + KEYS),
					 in ? 0 : -ENOENT);
			here[i] = in ? i + KEYS : WEIR_NONE;
			break;
		default:
			check_burst(&table, keys, here);
		}
		ck_assert_uint_eq(table.count, count);
	}
	weir_table_close(&table);
	free(keys);
}

START_TEST(behaves_like_a_map)
{
	for (uint64_t seed = 10; seed < 14; seed++)
		run_model(seed);
}
END_TEST

/* Where a key lies depends on the secret, so that a sender cannot choose keys that collide. */
START_TEST(the_secret_decides_the_place)
{
	enum { N = 100 };
	struct weir_key4 *keys = make_keys(N);
	struct weir_table_keys of = plain(keys, N);
	struct weir_table tables[3];
	size_t bytes;

	for (uint32_t t = 0; t < 3; t++) {
		struct weir_hash_key secret = secret_of(t == 2 ? 20 : 20 + t);

		ck_assert_int_eq(weir_table_open(&tables[t], N, &secret, &of, -1), 0);
		for (uint32_t i = 0; i < N; i++)
			ck_assert_int_eq(weir_table_insert(&tables[t], &keys[i], i), 0);
	}
	bytes = (tables[0].mask + 1) * sizeof(struct weir_bucket);
	ck_assert_int_ne(memcmp(tables[0].buckets, tables[1].buckets, bytes), 0);
	ck_assert_int_eq(memcmp(tables[0].buckets, tables[2].buckets, bytes), 0);
	for (uint32_t t = 0; t < 3; t++)
		weir_table_close(&tables[t]);
	free(keys);
}
END_TEST

/* At every configured size all entries find room: the table is never more than half full. */
START_TEST(holds_what_it_was_opened_for)
{
	static const uint32_t sizes[] = {1, 8, 9, 16, 17, 32, 64, 100, 1000, 1024, 4096, 65536};

	for (uint32_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (uint64_t seed = 0; seed < 5; seed++) {
			uint32_t n = sizes[s];
			struct weir_hash_key secret = secret_of(100 + seed);
			struct weir_key4 *keys = make_keys(n);
			struct weir_table_keys of = plain(keys, n);
			struct weir_table table;

			ck_assert_int_eq(weir_table_open(&table, n, &secret, &of, -1), 0);
			ck_assert_uint_ge((table.mask + 1) * WEIR_BUCKET_SLOTS, 2 * n);
			for (uint32_t i = 0; i < n; i++)
				ck_assert_int_eq(weir_table_insert(&table, &keys[i], i), 0);
			weir_table_close(&table);
			free(keys);
		}
}
END_TEST

START_TEST(pitfall_09_a_million_flows)
{
	enum { N = 1000000 };
	struct weir_hash_key secret = secret_of(9);
	struct weir_key4 *keys = make_keys(N + WEIR_BURST_MAX);
	struct weir_table_keys of = plain(keys, N);
	struct weir_table table;
	uint32_t entries[WEIR_BURST_MAX], failed = 0;

	ck_assert_int_eq(weir_table_open(&table, N, &secret, &of, -1), 0);
	for (uint32_t i = 0; i < N; i++)
		failed += weir_table_insert(&table, &keys[i], i) != 0;
	ck_assert_uint_eq(failed, 0);
	ck_assert_uint_eq(table.count, N);
	for (uint32_t i = 0; i < N; i += WEIR_BURST_MAX) {
		weir_table_find_bulk(&table, &keys[i], WEIR_BURST_MAX, entries);
		for (uint32_t j = 0; j < WEIR_BURST_MAX; j++)
			failed += entries[j] != (i + j < N ? i + j : WEIR_NONE);
	}
	ck_assert_uint_eq(failed, 0);
	for (uint32_t i = 0; i < N; i += 2)
		failed += weir_table_remove(&table, &keys[i]) != 0;
	for (uint32_t i = 0; i < N; i++)
		failed += weir_table_find(&table, &keys[i]) != (i % 2 == 0 ? WEIR_NONE : i);
	ck_assert_uint_eq(failed, 0);
	ck_assert_uint_eq(table.count, N / 2);
	weir_table_close(&table);
	free(keys);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, wide_keys_in_three_arrays);
	UNIT_CASE(s, sizes_are_checked);
	UNIT_CASE(s, inserts_finds_and_removes);
	UNIT_CASE(s, every_field_counts);
	UNIT_CASE(s, replace_moves_a_key_between_arrays);
	UNIT_CASE(s, full_buckets_refuse);
	UNIT_CASE(s, equal_tags_are_told_apart);
	UNIT_CASE(s, bulk_writes_exactly_n);
	UNIT_CASE(s, a_look_up_follows_the_table);
	UNIT_CASE(s, behaves_like_a_map);
	UNIT_CASE(s, the_secret_decides_the_place);
	UNIT_CASE(s, holds_what_it_was_opened_for);
	UNIT_CASE(s, pitfall_09_a_million_flows);
}

UNIT_MAIN("table", add)
