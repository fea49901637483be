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
	UNIT_CASE(s, fold_joins_both_halves);
}

UNIT_MAIN("key", add)
