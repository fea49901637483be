/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/unit.h"
#include "wire/key.h"

static const struct weir_key4 base = {0xc0000202, 0xc0000201, 40000, 9000, 7};
static const struct weir_hash_key secret = {
    {0x0123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978, 0x8796a5b4c3d2e1f0}};

/* The key with bit `bit` of its 128 turned. */
static struct weir_key4
turned(const struct weir_key4 *key, unsigned int bit)
{
	uint8_t bytes[sizeof(*key)];
	struct weir_key4 other;

	memcpy(bytes, key, sizeof(bytes));
	bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	memcpy(&other, bytes, sizeof(other));
	return other;
}

START_TEST(every_bit_counts_in_equality)
{
	struct weir_key4 same = base;

	ck_assert(weir_key4_equal(&base, &same));
	for (unsigned int bit = 0; bit < 128; bit++) {
		struct weir_key4 other = turned(&base, bit);

		ck_assert(!weir_key4_equal(&base, &other));
		ck_assert(!weir_key4_equal(&other, &base));
	}
}
END_TEST

/* Two differing bits in the two words must not cancel each other out. */
START_TEST(differences_do_not_cancel)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		struct weir_key4 other = turned(&base, bit);

		other = turned(&other, bit + 64);
		ck_assert(!weir_key4_equal(&base, &other));
	}
}
END_TEST

START_TEST(every_key_bit_reaches_the_hash)
{
	const uint64_t hash = weir_key4_hash(&base, &secret);

	for (unsigned int bit = 0; bit < 128; bit++) {
		struct weir_key4 other = turned(&base, bit);
		int flipped = __builtin_popcountll(hash ^ weir_key4_hash(&other, &secret));

		/* A fair hash flips 32 of 64; far outside lies a bit that is not mixed in. */
		ck_assert_int_ge(flipped, 12);
		ck_assert_int_le(flipped, 52);
	}
}
END_TEST

START_TEST(every_secret_word_matters)
{
	for (int i = 0; i < 4; i++) {
		struct weir_hash_key other = secret;

		other.word[i] ^= 2;
		ck_assert_uint_ne(weir_key4_hash(&base, &secret), weir_key4_hash(&base, &other));
	}
}
END_TEST

/*
 * The weakness of a CRC: hash(a) ^ hash(b) does not depend on the secret, so colliding pairs are
 * known to everyone. Here the low bits of the difference change with the secret.
 */
START_TEST(differences_depend_on_the_secret)
{
	struct weir_key4 other = turned(&base, 33);
	struct weir_hash_key keyed = secret;
	uint64_t first = weir_key4_hash(&base, &secret) ^ weir_key4_hash(&other, &secret);
	int same = 0;

	for (uint64_t i = 1; i <= 64; i++) {
		keyed.word[0] = secret.word[0] + i * 0x9e3779b97f4a7c15;
		same += ((weir_key4_hash(&base, &keyed) ^ weir_key4_hash(&other, &keyed)) &
			 0xffff) == (first & 0xffff);
	}
	ck_assert_int_lt(same, 3);
}
END_TEST

/* Consecutive ports and addresses, as clients use them, spread over buckets and over tags. */
START_TEST(neighbours_spread_evenly)
{
	static uint32_t low[256], high[256];
	struct weir_key4 key = base;

	for (uint32_t i = 0; i < 65536; i++) {
		uint64_t hash;

		key.rport = (uint16_t)(i & 0x3ff);
		key.raddr = base.raddr + (i >> 10);
		hash = weir_key4_hash(&key, &secret);
		low[hash & 0xff]++;
		high[hash >> 56]++;
	}
	for (int i = 0; i < 256; i++) { /* mean 256, standard deviation 16 */
		ck_assert_uint_gt(low[i], 256 - 96);
		ck_assert_uint_lt(low[i], 256 + 96);
		ck_assert_uint_gt(high[i], 256 - 96);
		ck_assert_uint_lt(high[i], 256 + 96);
	}
}
END_TEST

/* ---- the key of either family ---- */

static struct weir_key
turned6(const struct weir_key *key, unsigned int bit)
{
	uint8_t bytes[sizeof(*key)];
	struct weir_key other;

	memcpy(bytes, key, sizeof(bytes));
	bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	memcpy(&other, bytes, sizeof(other));
	return other;
}

static const struct weir_key base6 = {{0x20010db8, 7, 9}, {0xc0000202, 3, 40000, 9000, 7}};

START_TEST(every_bit_of_an_ipv6_key_counts)
{
	const uint64_t hash = weir_key_hash(&base6, &secret);
	struct weir_key same = base6;

	ck_assert(weir_key_equal(&base6, &same));
	ck_assert_uint_eq(weir_key_hash(&same, &secret), hash);
	for (unsigned int bit = 0; bit < 8 * sizeof(base6); bit++) {
		struct weir_key other = turned6(&base6, bit);
		int flipped = __builtin_popcountll(hash ^ weir_key_hash(&other, &secret));

		ck_assert(!weir_key_equal(&base6, &other));
		ck_assert_int_ge(flipped, 12);
		ck_assert_int_le(flipped, 52);
		for (unsigned int word = 1; word < 4; word++) { /* nor do two cancel each other */
			unsigned int second = (bit + 64 * word) % (8 * sizeof(base6));
			struct weir_key two = turned6(&other, second);

			ck_assert(!weir_key_equal(&base6, &two));
			ck_assert_uint_ne(weir_key_hash(&two, &secret), hash);
		}
	}
}
END_TEST

START_TEST(every_secret_word_matters_to_ipv6)
{
	for (int i = 0; i < 4; i++) {
		struct weir_hash_key other = secret;

		other.word[i] ^= 2;
		ck_assert_uint_ne(weir_key_hash(&base6, &secret), weir_key_hash(&base6, &other));
	}
}
END_TEST

/* One provider's hosts, as a client with a /64 may choose them, spread over buckets and tags. */
START_TEST(hosts_of_one_network_spread_evenly)
{
	static uint32_t low[256], high[256];
	struct weir_key key = base6;

	for (uint32_t i = 0; i < 65536; i++) {
		uint64_t hash;

		key.raddr_high[2] = i >> 10;
		key.low.raddr = i & 0x3ff;
		hash = weir_key_hash(&key, &secret);
		low[hash & 0xff]++;
		high[hash >> 56]++;
	}
	for (int i = 0; i < 256; i++) { /* mean 256, standard deviation 16 */
		ck_assert_uint_gt(low[i], 256 - 96);
		ck_assert_uint_lt(low[i], 256 + 96);
		ck_assert_uint_gt(high[i], 256 - 96);
		ck_assert_uint_lt(high[i], 256 + 96);
	}
}
END_TEST

START_TEST(families_are_told_apart)
{
	struct weir_key mapped = weir_key_of4(&base);

	ck_assert(weir_key_is4(&mapped));
	ck_assert(weir_key4_equal(&mapped.low, &base));
	for (unsigned int bit = 0; bit < 96; bit++) {
		struct weir_key other = turned6(&mapped, bit);

		ck_assert(!weir_key_is4(&other));
	}
}
END_TEST

START_TEST(fold_joins_both_halves)
{
	ck_assert_uint_eq(weir_hash_fold(3, 5), 15);
	ck_assert_uint_eq(weir_hash_fold(UINT64_MAX, 2), (UINT64_MAX - 1) ^ 1);
	ck_assert_uint_eq(weir_hash_fold(UINT64_C(1) << 63, 4), 2);
	ck_assert_uint_eq(weir_hash_fold(0, UINT64_MAX), 0);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, every_bit_counts_in_equality);
	UNIT_CASE(s, differences_do_not_cancel);
	UNIT_CASE(s, every_key_bit_reaches_the_hash);
	UNIT_CASE(s, every_secret_word_matters);
	UNIT_CASE(s, differences_depend_on_the_secret);
	UNIT_CASE(s, neighbours_spread_evenly);
	UNIT_CASE(s, every_bit_of_an_ipv6_key_counts);
	UNIT_CASE(s, every_secret_word_matters_to_ipv6);
	UNIT_CASE(s, hosts_of_one_network_spread_evenly);
	UNIT_CASE(s, families_are_told_apart);
	UNIT_CASE(s, fold_joins_both_halves);
}

UNIT_MAIN("key", add)
