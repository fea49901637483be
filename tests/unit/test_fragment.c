/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/fragment.h"

#include "tests/unit/cutting.h"
#include "tests/unit/parsing.h"

#define PAYLOAD 2000

static struct parsing p;
static struct cutting cut;
static uint8_t payload[PAYLOAD];

/* A TCP segment of PAYLOAD bytes to cut. */
static void
open_cut(void)
{
	parsing_open(&p);
	p.spec.payload = payload;
	p.spec.len = PAYLOAD;
	p.spec.ip_id = 0xbeef;
	cutting_take(&cut, &p.spec);
}

/* What one frame is read as. */
static enum weir_drop
read_frame(const uint8_t *bytes, uint32_t len, struct weir_fragment *fragment)
{
	struct rte_mbuf *buf = cutting_build(&p.pool, bytes, len, cut.split);
	enum weir_drop verdict;

	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_others, 1);
	ck_assert_uint_eq(p.out.others[0].kind, WEIR_OTHER_FRAGMENT);
	verdict = weir_fragment_read(&p.out.others[0], 3, fragment);
	weir_buf_free(&p.pool, buf);
	return verdict;
}

static enum weir_drop
read_piece(uint32_t start, uint32_t end, bool more, struct weir_fragment *fragment)
{
	uint8_t bytes[4096];

	return read_frame(bytes, cutting_write(&cut, start, end, more, bytes), fragment);
}

#define ck_assert_verdict(verdict, id)                                                             \
	ck_assert_str_eq(weir_drop_name(verdict), weir_drop_name(WEIR_DROP_##id))

START_TEST(says_what_it_holds)
{
	struct weir_fragment f;

	open_cut();
	for (cut.split = 0; cut.split < 50; cut.split += 7) {
		ck_assert_uint_eq(read_piece(0, 800, true, &f), WEIR_PARSE_OK);
		ck_assert(f.start == 0 && f.end == 800 && !f.last);
		ck_assert(f.l3_off == 14 && f.l4_off == 34);
		ck_assert_uint_eq(read_piece(800, 1600, true, &f), WEIR_PARSE_OK);
		ck_assert(f.start == 800 && f.end == 1600 && !f.last);
		ck_assert_uint_eq(read_piece(1600, cut.len, false, &f), WEIR_PARSE_OK);
		ck_assert(f.start == 1600 && f.end == cut.len && f.last);
	}
	ck_assert_int_eq(memcmp(f.key.source, cut.frame + 26, 4), 0);
	ck_assert_int_eq(memcmp(f.key.destination, cut.frame + 30, 4), 0);
	ck_assert_uint_eq(f.key.id, 0xbeef);
	ck_assert(f.key.family == 4 && f.key.protocol == 6 && f.key.port == 3 && f.key.vlan == 0);
	parsing_close(&p);
}
END_TEST

START_TEST(padding_is_no_part_of_it)
{
	struct weir_fragment f;

	open_cut();
	cut.pad = 30;
	ck_assert_uint_eq(read_piece(1600, 1616, true, &f), WEIR_PARSE_OK);
	ck_assert(f.start == 1600 && f.end == 1616);
	cut.pad = 0;
	parsing_close(&p);
}
END_TEST

START_TEST(keys_differ_by_domain_and_mark)
{
	struct weir_fragment f;

	open_cut();
	p.spec.n_tags = 2;
	p.spec.tci[0] = 7;
	p.spec.tci[1] = 9;
	p.spec.tos = 0xb8 | WEIR_ECN_CE;
	cutting_take(&cut, &p.spec);
	ck_assert_uint_eq(read_piece(0, 800, true, &f), WEIR_PARSE_OK);
	ck_assert_uint_eq(f.key.vlan, 7 << 12 | 9);
	ck_assert_uint_eq(f.ecn, WEIR_ECN_CE);
	ck_assert_uint_eq(f.l3_off, 22);
	parsing_close(&p);
}
END_TEST

START_TEST(lengths_are_multiples_of_eight)
{
	struct weir_fragment f;

	open_cut();
	for (uint32_t end = 800; end < 808; end++)
		if (end == 800)
			ck_assert_uint_eq(read_piece(400, end, true, &f), WEIR_PARSE_OK);
		else
			ck_assert_verdict(read_piece(400, end, true, &f), FRAGMENT_LENGTH);
	ck_assert_verdict(read_piece(400, 400, true, &f), FRAGMENT_LENGTH);
	ck_assert_verdict(read_piece(400, 400, false, &f), FRAGMENT_LENGTH);
	ck_assert_uint_eq(read_piece(400, 401, false, &f), WEIR_PARSE_OK);
	parsing_close(&p);
}
END_TEST

/* The ping of death: offset 65,528 is on the wire, and what stands there reaches too far. */
START_TEST(nothing_lies_beyond_the_longest_datagram)
{
	struct weir_fragment f;
	uint8_t bytes[4096];

	open_cut();
	for (uint32_t offset = 65480; offset <= 65528; offset += 8) {
		for (uint32_t len = 1; len <= 64; len++) {
			uint32_t frame = cutting_write(&cut, 0, len, false, bytes);
			bool fits = 20 + offset + len <= 65535;

			cutting_put16(bytes + 20, offset / 8);
			cutting_mend(bytes + 14);
			if (fits)
				ck_assert_uint_eq(read_frame(bytes, frame, &f), WEIR_PARSE_OK);
			else
				ck_assert_verdict(read_frame(bytes, frame, &f), FRAGMENT_OVERSIZE);
		}
	}
	parsing_close(&p);
}
END_TEST

START_TEST(the_first_holds_the_whole_tcp_header)
{
	struct weir_fragment f;

	open_cut();
	p.spec.has_ts = 1; /* 32 bytes */
	cutting_take(&cut, &p.spec);
	for (uint32_t end = 8; end <= 48; end += 8)
		if (end < 32)
			ck_assert_verdict(read_piece(0, end, true, &f), FRAGMENT_TINY);
		else
			ck_assert_uint_eq(read_piece(0, end, true, &f), WEIR_PARSE_OK);
	/* and no other may begin inside of it (RFC 3128) */
	ck_assert_verdict(read_piece(8, 800, true, &f), FRAGMENT_TINY);
	ck_assert_verdict(read_piece(16, 800, false, &f), FRAGMENT_TINY);
	ck_assert_uint_eq(read_piece(24, 800, true, &f), WEIR_PARSE_OK);
	parsing_close(&p);
}
END_TEST

START_TEST(of_ip6)
{
	struct weir_fragment f;
	uint8_t bytes[4096];

	open_cut();
	parsing_listen6(&p);
	p.spec.has_ts = 1;
	cutting_take(&cut, &p.spec);
	cut.id = 0xdeadbeef;
	for (cut.split = 0; cut.split < 70; cut.split += 9) {
		ck_assert_uint_eq(read_piece(800, 1600, true, &f), WEIR_PARSE_OK);
		ck_assert(f.start == 800 && f.end == 1600 && !f.last);
		ck_assert(f.l3_off == 14 && f.l4_off == 14 + 48);
	}
	cut.split = 0;
	ck_assert_int_eq(memcmp(f.key.source, frame_remote_ip6, 16), 0);
	ck_assert_int_eq(memcmp(f.key.destination, frame_local_ip6, 16), 0);
	ck_assert_uint_eq(f.key.id, 0xdeadbeef);
	ck_assert(f.key.family == 6 && f.key.protocol == 6);
	ck_assert_uint_eq(read_piece(1600, cut.len, false, &f), WEIR_PARSE_OK);
	ck_assert(f.end == cut.len && f.last);
	ck_assert_verdict(read_piece(800, 801, true, &f), FRAGMENT_LENGTH);
	ck_assert_verdict(read_piece(0, 24, true, &f), FRAGMENT_TINY); /* RFC 7112 */
	ck_assert_verdict(read_piece(8, 800, true, &f), FRAGMENT_TINY);
	for (uint32_t len = 1; len < 16; len++) { /* the payload may have 65,535 bytes */
		uint32_t frame = cutting_write(&cut, 0, len, false, bytes);

		cutting_put16(bytes + 14 + 42, 65528);
		if (len <= 7)
			ck_assert_uint_eq(read_frame(bytes, frame, &f), WEIR_PARSE_OK);
		else
			ck_assert_verdict(read_frame(bytes, frame, &f), FRAGMENT_OVERSIZE);
	}
	parsing_close(&p);
}
END_TEST

/* ---- back into the burst ---- */

static struct weir_key4
key_number(uint32_t i)
{
	return (struct weir_key4){.raddr = i, .laddr = FRAME_LOCAL_IP, .rport = 1, .lport = 2};
}

/* The burst that the keys `who` stand for, as the parser would have written it. */
static void
write_burst(struct weir_parsed *parsed, const uint8_t *who, uint32_t n)
{
	memset(parsed, 0xee, sizeof(*parsed));
	parsed->n_segs = n;
	parsed->n_runs = 0;
	for (uint32_t i = 0; i < n; i++) {
		parsed->segs[i] = (struct weir_seg){.seq = who[i]};
		if (i != 0 && who[i] == who[i - 1])
			continue;
		parsed->keys[parsed->n_runs] = key_number(who[i]);
		parsed->run_first[parsed->n_runs++] = (uint8_t)i;
	}
	parsed->run_first[parsed->n_runs] = (uint8_t)n;
}

static void
check_burst(const struct weir_parsed *parsed, const uint8_t *who, uint32_t n)
{
	ck_assert_uint_eq(parsed->n_segs, n);
	ck_assert_uint_eq(parsed->run_first[0], 0);
	ck_assert_uint_eq(parsed->run_first[parsed->n_runs], n);
	for (uint32_t run = 0; run < parsed->n_runs; run++) {
		ck_assert_uint_lt(parsed->run_first[run], parsed->run_first[run + 1]);
		for (uint32_t i = parsed->run_first[run]; i < parsed->run_first[run + 1]; i++) {
			struct weir_key4 key = key_number(who[i]);

			ck_assert_uint_eq(parsed->segs[i].seq, who[i]);
			ck_assert(weir_key4_equal(&parsed->keys[run], &key));
		}
	}
}

/* Nothing of IPv6 was in the burst: its lists were never written. */
static void
insert_first6(const struct weir_seg *seg)
{
	static struct weir_parsed6 parsed;
	const struct weir_key key = {.low = {.rport = 7}};

	memset(&parsed, 0xee, sizeof(parsed));
	parsed.n_segs = parsed.n_runs = 0;
	weir_parsed_insert6(&parsed, 0, seg, &key);
	weir_parsed_insert6(&parsed, 1, seg, &key);
	ck_assert(parsed.n_segs == 2 && parsed.n_runs == 1);
	ck_assert(parsed.run_first[0] == 0 && parsed.run_first[1] == 2);
	ck_assert(weir_key_equal(&parsed.keys[0], &key));
}

START_TEST(insertion_keeps_order_and_runs)
{
	static struct weir_parsed parsed;
	uint64_t state = 1;

	for (uint32_t round = 0; round < 20000; round++) {
		uint8_t who[WEIR_BURST_MAX];
		uint32_t n = (uint32_t)(parsing_random(&state) >> 32) % (WEIR_BURST_MAX + 1);
		uint32_t kinds = 1 + (uint32_t)(parsing_random(&state) >> 32) % 4;

		for (uint32_t i = 0; i < n; i++)
			who[i] = (uint8_t)((parsing_random(&state) >> 32) % kinds);
		write_burst(&parsed, who, n);
		for (; n < WEIR_BURST_MAX; n++) { /* until it is full */
			uint32_t at = (uint32_t)(parsing_random(&state) >> 32) % (n + 1);
			uint8_t it = (uint8_t)((parsing_random(&state) >> 32) % (kinds + 1));
			struct weir_key4 key = key_number(it);
			struct weir_seg seg = {.seq = it};

			memmove(&who[at + 1], &who[at], n - at);
			who[at] = it;
			weir_parsed_insert(&parsed, at, &seg, &key);
			check_burst(&parsed, who, n + 1);
			if (n == 0)
				insert_first6(&seg);
			if (round % 100 != 0)
				break;
		}
	}
}
END_TEST

/* A block that another segment comes into is written out. */
START_TEST(insertion_writes_blocks_out)
{
	static struct weir_parsed parsed;
	const struct weir_key4 key = key_number(0);
	const struct weir_seg whole = {.seq = 7};

	memset(&parsed, 0xee, sizeof(parsed));
	parsed.n_segs = 5;
	parsed.n_runs = 1;
	parsed.keys[0] = key;
	parsed.run_first[0] = 0;
	parsed.run_first[1] = 5;
	parsed.segs[0] = (struct weir_seg){.seq = 100, .len = 10, .alike = 4};
	weir_parsed_insert(&parsed, 2, &whole, &key);
	ck_assert_uint_eq(parsed.n_segs, 6);
	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_uint_eq(parsed.segs[i].alike, 0);
		ck_assert_uint_eq(parsed.segs[i].seq, i == 2 ? 7 : 100 + 10 * (i < 2 ? i : i - 1));
	}
}
END_TEST

static void
add_cases(Suite *suite)
{
	UNIT_CASE(suite, insertion_writes_blocks_out);
	UNIT_CASE(suite, says_what_it_holds);
	UNIT_CASE(suite, padding_is_no_part_of_it);
	UNIT_CASE(suite, keys_differ_by_domain_and_mark);
	UNIT_CASE(suite, lengths_are_multiples_of_eight);
	UNIT_CASE(suite, nothing_lies_beyond_the_longest_datagram);
	UNIT_CASE(suite, the_first_holds_the_whole_tcp_header);
	UNIT_CASE(suite, of_ip6);
	UNIT_CASE(suite, insertion_keeps_order_and_runs);
}
UNIT_MAIN("fragment", add_cases)
