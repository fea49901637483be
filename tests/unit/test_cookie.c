/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN cookies: what goes in comes out, for two periods of the key, and nothing else does. */
#include <string.h>

#include "tcp/cookie.h"
#include "tcp/tcp.h"
#include "tests/unit/unit.h"
#include "wire/siphash.h"

#define SECOND 1000000000ull
#define PERIOD (WEIR_COOKIE_KEY_MS * 1000000ull)
#define ALL    (WEIR_FLOW_TS | WEIR_FLOW_SACK | WEIR_FLOW_WS | WEIR_FLOW_ECN)

static const uint64_t secret[2] = {11, 12};
static struct weir_cookie_keys keys;
static uint64_t random_state = 1;

static struct weir_syn
draw_syn(uint8_t opts)
{
	uint64_t a = weir_seed_next(&random_state), b = weir_seed_next(&random_state);

	const struct weir_key4 low = {
		.raddr = (uint32_t)a, .laddr = 0xc0000201, .rport = (uint16_t)b, .lport = 9000};
	struct weir_key key = weir_key_of4(&low);

	if (opts & WEIR_FLOW_IP6)
		key.raddr_high[0] = 0x20010db8;
	return (struct weir_syn){
		.key = key,
		.irs = (uint32_t)(a >> 32),
		.mss = (uint16_t)(64 + (b >> 16) % 9000),
		.opts = opts,
		.snd_wscale = opts & WEIR_FLOW_WS ? (uint8_t)((b >> 32) % 15) : 0,
	};
}

/* What the ACK of `syn` brings. */
static struct weir_syn
answer_to(const struct weir_syn *syn)
{
	return (struct weir_syn){.key = syn->key,
				 .irs = syn->irs,
				 .iss = syn->iss,
				 .opts = syn->opts & WEIR_FLOW_IP6};
}

static void
is_same(const struct weir_syn *got, const struct weir_syn *want)
{
	ck_assert_uint_eq(got->opts, want->opts);
	ck_assert_uint_eq(got->snd_wscale, want->snd_wscale);
	ck_assert_uint_eq(got->mss, want->mss);
	ck_assert_uint_eq(got->ts_offset, want->ts_offset);
}

START_TEST(comes_back_as_it_went)
{
	uint64_t now = 1000 * SECOND;

	weir_cookie_open(&keys, secret, now);
	for (uint32_t i = 0; i < 16000; i++, now += 7 * SECOND / 1000) {
		uint8_t opts = i % 32;
		struct weir_syn syn = draw_syn(opts), got;
		uint16_t offered = syn.mss;
		uint32_t clock, tsval = weir_cookie_bake(&keys, now, &syn);

		ck_assert_uint_le(syn.mss, offered);
		ck_assert_uint_ge(syn.mss * 9u, offered);
		ck_assert_uint_eq(syn.opts, i & WEIR_FLOW_TS ? opts : opts & WEIR_FLOW_IP6);
		clock = (uint32_t)(now / 1000000) + syn.ts_offset;
		ck_assert_uint_lt(clock - tsval, 64); /* never of the future */
		got = answer_to(&syn);
		ck_assert(weir_cookie_taste(&keys, now, syn.opts & WEIR_FLOW_TS, tsval, &got));
		is_same(&got, &syn);
	}
}
END_TEST

START_TEST(mss_is_the_largest_that_fits)
{
	static const uint16_t offers[][2] = {{64, 64},	    {535, 64},	  {536, 536},	{1219, 536},
					     {1220, 1220},  {1359, 1220}, {1439, 1360}, {1440, 1440},
					     {1459, 1440},  {1460, 1460}, {4015, 1460}, {8939, 4016},
					     {8940, 8940}, {65535, 8940}};

	weir_cookie_open(&keys, secret, SECOND);
	for (uint32_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		struct weir_syn syn = draw_syn(0);

		syn.mss = offers[i][0];
		weir_cookie_bake(&keys, SECOND, &syn);
		ck_assert_uint_eq(syn.mss, offers[i][1]);
	}
}
END_TEST

/* Accepted during its own period of the key and the next one. */
START_TEST(keys_rotate)
{
	for (uint64_t at = 0; at < PERIOD; at += PERIOD / 7) {
		uint64_t made = 20 * PERIOD + at;

		for (uint64_t age = 0; age < 5 * PERIOD; age += PERIOD / 5) {
			struct weir_syn syn = draw_syn(ALL), got;
			bool fresh = made + age < 22 * PERIOD;
			uint32_t tsval;

			weir_cookie_open(&keys, secret, made);
			tsval = weir_cookie_bake(&keys, made, &syn);
			got = answer_to(&syn);
			ck_assert_int_eq(weir_cookie_taste(&keys, made + age, true, tsval, &got),
					 fresh);
		}
	}
}
END_TEST

/* Time may stand still between any two calls: the keys of a period do not depend on the way there. */
START_TEST(keys_do_not_depend_on_when_they_were_asked_for)
{
	struct weir_cookie_keys other;

	weir_cookie_open(&keys, secret, 0);
	for (uint64_t now = 0; now < 40 * PERIOD; now += PERIOD / 3 + now / 4) {
		struct weir_syn syn = draw_syn(ALL), same = syn;

		weir_cookie_open(&other, secret, now);
		ck_assert_uint_eq(weir_cookie_bake(&keys, now, &syn),
				  weir_cookie_bake(&other, now, &same));
		ck_assert_uint_eq(syn.iss, same.iss);
		ck_assert_int_eq(memcmp(keys.key, other.key, sizeof(keys.key)), 0);
	}
}
END_TEST

/* Any bit changed, in what it covers or in itself, and it is none. */
static void
every_bit_counts(uint8_t opts)
{
	struct weir_syn syn = draw_syn(opts), got;
	uint32_t tsval;

	weir_cookie_open(&keys, secret, SECOND);
	tsval = weir_cookie_bake(&keys, SECOND, &syn);
	for (uint32_t bit = 0; bit < 32; bit++) {
		got = answer_to(&syn);
		got.iss ^= 1u << bit;
		ck_assert(!weir_cookie_taste(&keys, SECOND, true, tsval, &got));
		got = answer_to(&syn);
		got.irs ^= 1u << bit;
		ck_assert(!weir_cookie_taste(&keys, SECOND, true, tsval, &got));
		got = answer_to(&syn);
		ck_assert_int_eq(weir_cookie_taste(&keys, SECOND, true, tsval ^ 1u << bit, &got),
				 bit >= 6);
	}
	for (uint32_t bit = 0; bit < 8 * sizeof(syn.key); bit++) {
		got = answer_to(&syn);
		((uint8_t *)&got.key)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!weir_cookie_taste(&keys, SECOND, true, tsval, &got));
	}
	got = answer_to(&syn);
	ck_assert(!weir_cookie_taste(&keys, SECOND, false, tsval, &got));
	got = answer_to(&syn);
	ck_assert(weir_cookie_taste(&keys, SECOND, true, tsval, &got));
}

START_TEST(every_bit_counts_of_ipv4)
{
	every_bit_counts(ALL);
}
END_TEST

START_TEST(every_bit_counts_of_ipv6)
{
	every_bit_counts(ALL | WEIR_FLOW_IP6);
}
END_TEST

/* Two million guesses: each has one chance in 2^28. */
START_TEST(guesses_fail)
{
	struct weir_syn syn = draw_syn(ALL);
	uint32_t hits = 0;

	weir_cookie_open(&keys, secret, SECOND);
	for (uint32_t i = 0; i < 2000000; i++) {
		struct weir_syn got = answer_to(&syn);
		uint64_t draw = weir_seed_next(&random_state);

		got.iss = (uint32_t)draw;
		hits += weir_cookie_taste(&keys, SECOND, true, (uint32_t)(draw >> 32), &got);
	}
	ck_assert_uint_eq(hits, 0);
}
END_TEST

/* What cookies do not know is not agreed on. */
START_TEST(unknown_options_are_left_out)
{
	struct weir_syn syn = draw_syn(ALL), got;
	uint32_t tsval;

	syn.opts = (uint8_t)~WEIR_FLOW_IP6;
	weir_cookie_open(&keys, secret, SECOND);
	tsval = weir_cookie_bake(&keys, SECOND, &syn);
	ck_assert_uint_eq(syn.opts, ALL);
	got = answer_to(&syn);
	ck_assert(weir_cookie_taste(&keys, SECOND, true, tsval, &got));
	is_same(&got, &syn);
}
END_TEST

START_TEST(secrets_differ)
{
	const uint64_t other[2] = {11, 13};
	struct weir_syn syn = draw_syn(ALL), got;
	uint32_t tsval;

	weir_cookie_open(&keys, secret, SECOND);
	tsval = weir_cookie_bake(&keys, SECOND, &syn);
	weir_cookie_open(&keys, other, SECOND);
	got = answer_to(&syn);
	ck_assert(!weir_cookie_taste(&keys, SECOND, true, tsval, &got));
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, comes_back_as_it_went);
	UNIT_CASE(s, mss_is_the_largest_that_fits);
	UNIT_CASE(s, keys_rotate);
	UNIT_CASE(s, keys_do_not_depend_on_when_they_were_asked_for);
	UNIT_CASE(s, every_bit_counts_of_ipv4);
	UNIT_CASE(s, every_bit_counts_of_ipv6);
	UNIT_CASE(s, guesses_fail);
	UNIT_CASE(s, unknown_options_are_left_out);
	UNIT_CASE(s, secrets_differ);
}

UNIT_MAIN("cookie", add)
