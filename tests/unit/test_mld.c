/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/mld.h"
#include "tests/unit/parsing.h"
#include "wire/address6.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/mld.h"

static struct parsing p;
static struct mld_spec query;

/* A general query of version 2 by a router on the link. */
static void
open_queried(void)
{
	parsing_open6(&p);
	query = mld_general();
}

/* Is the query taken? What it says to `said`. */
static bool
reads(struct weir_mld_query *said)
{
	struct rte_mbuf *buf;
	bool taken;

	mld_frame(&query, &p.spec);
	buf = frame_build(&p.pool, &p.spec);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_others, 1);
	ck_assert(weir_mld_is_query(&p.out.others[0]));
	taken = weir_mld_read(&p.out.others[0], &p.own6, said);
	weir_buf_free(&p.pool, buf);
	return taken;
}

#define ck_assert_read(version_, delay_)                                                           \
	do {                                                                                       \
		struct weir_mld_query said_;                                                       \
		ck_assert(reads(&said_));                                                          \
		ck_assert_uint_eq(said_.version, version_);                                        \
		ck_assert_uint_eq(said_.delay_ms, delay_);                                         \
	} while (0)
#define ck_assert_not_read()                                                                       \
	do {                                                                                       \
		struct weir_mld_query said_;                                                       \
		ck_assert(!reads(&said_));                                                         \
	} while (0)

START_TEST(queries_of_both_versions)
{
	open_queried();
	ck_assert_read(2, 10000);
	query.len = 24;
	ck_assert_read(1, 10000);
	query.len = 29; /* more than we know, RFC 3810 5.1.13 */
	ck_assert_read(2, 10000);
	parsing_close(&p);
}
END_TEST

/* RFC 3810 5.1.3: above 32767 a mantissa and an exponent. */
START_TEST(delays)
{
	open_queried();
	query.code = 0;
	ck_assert_read(2, 0);
	query.code = 0x7fff;
	ck_assert_read(2, 32767);
	query.code = 0x8000;
	ck_assert_read(2, 32768);
	query.code = 0x8001;
	ck_assert_read(2, 0x1001 << 3);
	query.code = 0xffff;
	ck_assert_read(2, 0x1fffu << 10);
	query.len = 24;
	query.code = 0xffff;
	ck_assert_read(1, 65535);
	parsing_close(&p);
}
END_TEST

START_TEST(queries_about_a_group)
{
	static const uint8_t ours[16] = {0xff, 0x02, [11] = 1, 0xff, 0, 0, 1};

	open_queried();
	memcpy(query.group, ours, sizeof(ours));
	ck_assert_read(2, 10000);
	query.group[15] = 2;
	ck_assert_not_read();
	memcpy(query.group, weir_all_nodes6, sizeof(ours)); /* never reported */
	ck_assert_not_read();
	parsing_close(&p);
}
END_TEST

/* Nobody off the link makes us talk. */
START_TEST(forged_queries)
{
	open_queried();
	query.hops = 2;
	ck_assert_not_read();
	query = mld_general();
	query.source[0] = 0x20;
	ck_assert_not_read();
	query = mld_general();
	query.bad_sum = true;
	ck_assert_not_read();
	query = mld_general();
	query.alert[2] = 1; /* padding in its place */
	ck_assert_not_read();
	query = mld_general();
	query.alert[5] = 1; /* of another protocol */
	ck_assert_not_read();
	query = mld_general();
	query.no_alert = true;
	ck_assert_not_read();
	query = mld_general();
	query.len = 25;
	ck_assert_not_read();
	query.len = 27;
	ck_assert_not_read();
	query = mld_general();
	query.icmp_code = 1;
	ck_assert_not_read();
	parsing_close(&p);
}
END_TEST

START_TEST(other_messages_are_none)
{
	struct rte_mbuf *buf;

	open_queried();
	query.type = 128;
	mld_frame(&query, &p.spec);
	buf = frame_build(&p.pool, &p.spec);
	parsing_one(&p, buf);
	ck_assert(!weir_mld_is_query(&p.out.others[0]));
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

START_TEST(each_group_once)
{
	uint8_t groups[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES];
	struct weir_own6 own = {.n = 4};

	for (uint32_t i = 0; i < own.n; i++)
		memcpy(own.address[i], frame_local_ip6, 16);
	own.address[1][0] = 0xfe;
	own.address[2][15] = 7;
	ck_assert_uint_eq(weir_mld_groups(&own, groups), 2);
	ck_assert_uint_eq(groups[0][15], 1);
	ck_assert_uint_eq(groups[1][15], 7);
	own.n = 0;
	ck_assert_uint_eq(weir_mld_groups(&own, groups), 0);
}
END_TEST

/* Every byte, as frame.c puts it together. */
static void
check_written(const struct weir_own6 *own, uint32_t version, bool changed)
{
	uint8_t groups[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES], to[WEIR_MLD_BYTES_MAX + 1];
	uint8_t want[FRAME_MAX], message[8 + 20 * WEIR_OWN6_MAX];
	uint32_t n = weir_mld_groups(own, groups), len;
	struct frame_spec spec;

	mld_report(own, version, changed, message, &spec);
	len = frame_write(&spec, want);
	memset(to, 0xee, sizeof(to));
	ck_assert_uint_eq(weir_mld_write(own, frame_local_mac, version, changed,
					 (const uint8_t(*)[WEIR_ADDRESS6_BYTES])groups, n, to),
			  len);
	ck_assert_mem_eq(to, want, len);
	ck_assert_uint_eq(to[len], 0xee);
}

START_TEST(reports)
{
	struct weir_own6 own = {.n = 1};

	memcpy(own.address[0], frame_local_ip6, 16);
	for (uint32_t version = 1; version < 3; version++) {
		check_written(&own, version, false);
		check_written(&own, version, true);
	}
	/* As many as there may be; one of them is of the link. */
	for (own.n = 0; own.n < WEIR_OWN6_MAX; own.n++) {
		memcpy(own.address[own.n], frame_local_ip6, 16);
		own.address[own.n][15] = (uint8_t)(10 + own.n);
	}
	own.address[5][0] = 0xfe;
	own.address[5][1] = 0x80;
	for (uint32_t version = 1; version < 3; version++)
		check_written(&own, version, true);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, queries_of_both_versions);
	UNIT_CASE(s, delays);
	UNIT_CASE(s, queries_about_a_group);
	UNIT_CASE(s, forged_queries);
	UNIT_CASE(s, other_messages_are_none);
	UNIT_CASE(s, each_group_once);
	UNIT_CASE(s, reports);
}

UNIT_MAIN("mld", add)
