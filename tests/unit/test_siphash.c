/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/unit/unit.h"
#include "wire/siphash.h"

/* Reference vectors of SipHash-2-4: key 00 01 .. 0f, message 00 01 .. of 0 to 63 bytes. */
static const uint64_t vectors[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};
static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* Each message in memory of exactly its size, so that a sanitizer sees a read beyond. */
START_TEST(reference_vectors)
{
	for (size_t len = 0; len < 64; len++) {
		uint8_t *message = malloc(len + (len == 0));

		for (size_t i = 0; i < len; i++)
			message[i] = (uint8_t)i;
		ck_assert_uint_eq(weir_siphash(key, message, len), vectors[len]);
		free(message);
	}
}
END_TEST

START_TEST(message_may_start_anywhere)
{
	uint8_t bytes[16 + 63];

	for (size_t at = 0; at < 16; at++) {
		for (size_t i = 0; i < 63; i++)
			bytes[at + i] = (uint8_t)i;
		ck_assert_uint_eq(weir_siphash(key, bytes + at, 63), vectors[63]);
	}
}
END_TEST

/* Every bit of the key and of the message changes about half of the result. */
START_TEST(every_bit_counts)
{
	uint8_t message[16] = {0};
	const uint64_t base = weir_siphash(key, message, sizeof(message));

	for (unsigned int bit = 0; bit < 128; bit++) {
		uint64_t other[2] = {key[0], key[1]};
		int changed;

		other[bit / 64] ^= UINT64_C(1) << bit % 64;
		changed = __builtin_popcountll(weir_siphash(other, message, 16) ^ base);
		ck_assert(changed > 10 && changed < 54);
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		changed = __builtin_popcountll(weir_siphash(key, message, 16) ^ base);
		message[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(changed > 10 && changed < 54);
	}
}
END_TEST

/* splitmix64 by its published sequence for the seed 1234567. */
START_TEST(seed_sequence)
{
	static const uint64_t expected[5] = {6457827717110365317u, 3203168211198807973u,
					     9817491932198370423u, 4593380528125082431u,
					     16408922859458223821u};
	uint64_t seed = 1234567;

	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(weir_seed_next(&seed), expected[i]);
}
END_TEST

/* Nothing of one purpose is found in another's, in another place, or under a seed that differs in one
 * bit; the first words are the same however many are asked for. */
START_TEST(purposes_share_nothing)
{
	enum { PURPOSES = WEIR_SECRET_RANDOM, WORDS = 4, SEEDS = 8 };
	static uint64_t all[SEEDS * PURPOSES * WORDS];
	uint32_t n = 0;

	for (uint32_t seed = 0; seed < SEEDS; seed++)
		for (uint32_t purpose = 1; purpose <= PURPOSES; purpose++, n += WORDS) {
			uint64_t first;

			weir_derive(seed != 0 ? UINT64_C(1) << seed * 8 : 0,
				    (enum weir_secret)purpose, &all[n], WORDS);
			weir_derive(seed != 0 ? UINT64_C(1) << seed * 8 : 0,
				    (enum weir_secret)purpose, &first, 1);
			ck_assert_uint_eq(first, all[n]);
		}
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < i; k++)
			ck_assert_uint_ne(all[i], all[k]);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, reference_vectors);
	UNIT_CASE(s, message_may_start_anywhere);
	UNIT_CASE(s, every_bit_counts);
	UNIT_CASE(s, seed_sequence);
	UNIT_CASE(s, purposes_share_nothing);
}

UNIT_MAIN("siphash", add)
