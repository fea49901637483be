/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/peers.h"

#include <errno.h>

#include "tests/unit/unit.h"
#include "wire/siphash.h"

#define LISTENER 63

static struct weir_peers peers;

static void
begin(uint32_t size)
{
	struct weir_hash_key secret;

	weir_derive(7, WEIR_SECRET_PEERS, secret.word, 4);
	ck_assert_int_eq(weir_peers_open(&peers, size, &secret, -1), 0);
}

static struct weir_key
key4(uint32_t address, uint16_t rport, uint16_t lport, uint32_t vlan)
{
	const struct weir_key4 low = {.raddr = address,
				      .laddr = 0xc0000201,
				      .rport = rport,
				      .lport = lport,
				      .vlan = vlan};

	return weir_key_of4(&low);
}

/* `own`: number of the own address. */
static struct weir_key
key6(uint64_t network, uint64_t host, uint32_t own)
{
	return (struct weir_key){
		.raddr_high = {(uint32_t)(network >> 32), (uint32_t)network,
			       (uint32_t)(host >> 32)},
		.low = {.raddr = (uint32_t)host, .laddr = own, .rport = 7, .lport = 9000}};
}

static bool
together(struct weir_key a, struct weir_key b)
{
	bool same;

	begin(4);
	ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &a), 0);
	same = weir_peers_count(&peers, LISTENER, &b) == 1;
	weir_peers_remove(&peers, LISTENER, &a);
	ck_assert_uint_eq(weir_peers_count(&peers, LISTENER, &a), 0);
	ck_assert_uint_eq(peers.used, 0);
	weir_peers_close(&peers);
	return same;
}

START_TEST(an_address_is_one_whatever_its_ports)
{
	struct weir_key a = key4(0x0a000001, 1, 9000, 0);

	ck_assert(together(a, key4(0x0a000001, 65535, 9000, 0)));
	ck_assert(!together(a, key4(0x0a000002, 1, 9000, 0)));
	ck_assert(!together(a, key4(0x0a000001, 1, 9000, 5))); /* another network */
	ck_assert(!together(a, key4(0x0a000001, 1, 9000, 0xfff000)));
	a.low.laddr++; /* our other address, the same listener */
	ck_assert(together(a, key4(0x0a000001, 1, 9000, 0)));
}
END_TEST

START_TEST(each_listener_counts_for_itself)
{
	struct weir_key key = key4(0x0a000001, 1, 9000, 0);

	begin(WEIR_PEERS_LISTENERS);
	for (uint32_t i = 0; i < WEIR_PEERS_LISTENERS; i++) {
		ck_assert_uint_eq(weir_peers_count(&peers, i, &key), 0);
		ck_assert_int_eq(weir_peers_add(&peers, i, &key), 0);
	}
	for (uint32_t i = 0; i < WEIR_PEERS_LISTENERS; i++) {
		ck_assert_uint_eq(weir_peers_count(&peers, i, &key), 1);
		weir_peers_remove(&peers, i, &key);
	}
	ck_assert_uint_eq(peers.used, 0);
	weir_peers_close(&peers);
}
END_TEST

START_TEST(of_ip6_a_64_is_one)
{
	struct weir_key a = key6(0x20010db800000001, 0x1234, 0);

	ck_assert(together(a, key6(0x20010db800000001, 0xffffffffffffffff, 0)));
	ck_assert(together(a, key6(0x20010db800000001, 0x1234, 9)));
	ck_assert(!together(a, key6(0x20010db800000002, 0x1234, 0)));
	ck_assert(!together(a, key6(0x20010db900000001, 0x1234, 0)));
}
END_TEST

START_TEST(of_link_local_ones_each_is_one)
{
	struct weir_key a = key6(0xfe80000000000000, 0x1234, 0);

	ck_assert(together(a, a));
	ck_assert(!together(a, key6(0xfe80000000000000, 0x1235, 0)));
	ck_assert(!together(a, key6(0xfe80000000000000, 0x100001234, 0)));
	ck_assert(together(a, key6(0xfe80000000000000, 0x1234, 7)));
	ck_assert(!together(a, key6(0xfec0000000000000, 0x1234, 0)));
}
END_TEST

/* 10.0.0.1 and a network of IPv6 that begins alike, and a link-local one that ends so. */
START_TEST(families_are_apart)
{
	struct weir_key v4 = key4(0x0a000001, 7, 9000, 0);

	ck_assert(!together(v4, key6(0x000000000a000001, 1, 0)));
	ck_assert(!together(v4, key6(0xfe80000000000000, 0x0a000001, 0)));
	ck_assert(!together(key6(0xfe80000000000000, 0x000000010a000001, 0),
			    key6(0x000000010a000001, 0, 0)));
}
END_TEST

START_TEST(there_are_no_more_than_fit)
{
	struct weir_key key;

	begin(100);
	for (uint32_t i = 0; i < 100; i++) {
		key = key4(i, 1, 9000, 0);
		ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &key), 0);
	}
	for (uint32_t i = 100; i < 200; i++) {
		key = key4(i, 1, 9000, 0);
		ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &key), -ENOSPC);
		ck_assert_uint_eq(weir_peers_count(&peers, LISTENER, &key), 0);
	}
	key = key4(50, 2, 9000, 0); /* who is there may have more */
	ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &key), 0);
	ck_assert_uint_eq(weir_peers_count(&peers, LISTENER, &key), 2);
	weir_peers_remove(&peers, LISTENER, &key);
	ck_assert_uint_eq(peers.used, 100);
	weir_peers_remove(&peers, LISTENER, &key);
	ck_assert_uint_eq(peers.used, 99);
	key = key4(150, 1, 9000, 0);
	ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &key), 0);
	weir_peers_close(&peers);
}
END_TEST

/* How many used entries stand in front of one in its row, on average and at most: as far it may lie from
 * its place. */
static void
check_rows_are_short(double average, uint32_t most)
{
	uint64_t sum = 0;
	uint32_t longest = 0, row = 0;

	for (uint32_t i = 0; i < peers.n; i++) {
		row = peers.items[i].count != 0 ? row + 1 : 0;
		longest = row > longest ? row : longest;
		sum += row;
	}
	ck_assert_msg((double)sum / peers.n < average && longest < most, "%.1f, %u",
		      (double)sum / peers.n, longest);
}

/* As many as there may be at once, with addresses in rows: all find a place near where they belong, none
 * is lost. */
START_TEST(a_million_in_rows)
{
	enum { N = 1 << 20 };

	begin(N);
	for (uint32_t round = 1; round <= 2; round++)
		for (uint32_t i = 0; i < N; i++) {
			struct weir_key key = key4(i << 8, (uint16_t)round, 9000, 0);

			ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &key), 0);
		}
	check_rows_are_short(40, 3000);
	for (uint32_t i = 0; i < N; i++) {
		struct weir_key key = key4(i << 8, 3, 9000, 0);

		if (weir_peers_count(&peers, LISTENER, &key) != 2)
			ck_abort_msg("address %u is not counted", i);
		weir_peers_remove(&peers, LISTENER, &key);
		weir_peers_remove(&peers, LISTENER, &key);
	}
	ck_assert_uint_eq(peers.used, 0);
	weir_peers_close(&peers);
}
END_TEST

/* Every entry is found where it lies, and as many as are said to be used are. */
static void
check_rows(void)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < peers.n; i++)
		used += peers.items[i].count != 0;
	ck_assert_uint_eq(used, peers.used);
}

/* Against plain counters, at 4/5 of all entries: rows are long and cross the end. */
START_TEST(counts_as_a_model_does)
{
	enum { ADDRESSES = 300 };
	uint32_t counts[ADDRESSES] = {0}, random = 1, held = 0;

	begin(200);
	for (uint32_t step = 0; step < 200000; step++) {
		uint32_t i, different = 0;
		struct weir_key key;

		random = random * 1664525 + 1013904223;
		i = (random >> 12) % ADDRESSES;
		key = i % 3 == 0   ? key4(i, (uint16_t)step, 9000, 0)
		      : i % 3 == 1 ? key6(i, step, 0)
				   : key6(0xfe80000000000000, i, 0);
		for (uint32_t k = 0; k < ADDRESSES; k++)
			different += counts[k] != 0;
		ck_assert_uint_eq(weir_peers_count(&peers, LISTENER, &key), counts[i]);
		if ((random >> 8 & 1) != 0 && held < 900) {
			bool room = counts[i] != 0 || different < 200;

			ck_assert_int_eq(weir_peers_add(&peers, LISTENER, &key), room ? 0 : -ENOSPC);
			counts[i] += room;
			held += room;
		} else if (counts[i] != 0) {
			weir_peers_remove(&peers, LISTENER, &key);
			counts[i]--;
			held--;
		}
		if (step % 1000 == 0)
			check_rows();
	}
	weir_peers_close(&peers);
}
END_TEST

START_TEST(its_memory_is_told)
{
	ck_assert_uint_eq(weir_peers_bytes(&peers), 0);
	begin(65536);
	ck_assert_uint_eq(weir_peers_bytes(&peers), 20);
	weir_peers_close(&peers);
	ck_assert_uint_eq(weir_peers_bytes(&peers), 0);
	weir_peers_close(&peers); /* twice */
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, an_address_is_one_whatever_its_ports);
	UNIT_CASE(s, each_listener_counts_for_itself);
	UNIT_CASE(s, of_ip6_a_64_is_one);
	UNIT_CASE(s, of_link_local_ones_each_is_one);
	UNIT_CASE(s, families_are_apart);
	UNIT_CASE(s, there_are_no_more_than_fit);
	UNIT_CASE(s, a_million_in_rows);
	UNIT_CASE(s, counts_as_a_model_does);
	UNIT_CASE(s, its_memory_is_told);
}

UNIT_MAIN("peers", add)
