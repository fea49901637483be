/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/datagram.h"

#include "tests/unit/cutting.h"
#include "tests/unit/parsing.h"
#include "wire/chain.h"
#include "wire/seg.h"

#define PAYLOAD 4000
#define SIZE	8
#define BUFS	40
#define SEC	1000000000ull

static struct parsing p;
static struct cutting cut;
static struct weir_datagrams d;
static uint8_t payload[PAYLOAD];
static uint32_t lost[WEIR_DROP_COUNT];
static uint64_t now_ns;

static void
count_lost(void *user, struct rte_mbuf *buf, enum weir_drop reason)
{
	ck_assert_ptr_eq(user, &d);
	ck_assert_ptr_nonnull(buf);
	lost[reason]++;
	weir_buf_free(&p.pool, buf);
}

static void
open_all(void)
{
	const uint64_t secret[2] = {1, 2};

	cutting_start_eal();
	parsing_open(&p);
	memset(lost, 0, sizeof(lost));
	for (uint32_t i = 0; i < PAYLOAD; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	p.spec.payload = payload;
	p.spec.len = PAYLOAD;
	p.spec.ip_id = 1;
	p.spec.has_ts = 1;
	cutting_take(&cut, &p.spec);
	ck_assert_int_eq(weir_datagrams_open(&d, SIZE, BUFS, secret, &p.pool, -1), 0);
	ck_assert_ptr_nonnull(d.table);
	d.lost = count_lost;
	d.user = &d;
	now_ns = SEC;
}

/* Nothing is held and nothing was lost but what `expected` says, in all. */
static void
close_all(uint32_t expected)
{
	uint32_t all = 0;

	ck_assert_uint_eq(d.fragments, 0);
	ck_assert_uint_eq(d.bufs, 0);
	ck_assert(d.oldest[0] == 0 && d.newest[0] == 0 && d.oldest[1] == 0 && d.newest[1] == 0);
	for (uint32_t i = 0; i < WEIR_DROP_COUNT; i++)
		all += lost[i];
	ck_assert_uint_eq(all, expected);
	weir_datagrams_close(&d);
	parsing_close(&p);
}

static struct rte_mbuf *
add_buf(struct rte_mbuf *buf, uint32_t *n)
{
	struct weir_fragment fragment;

	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_others, 1);
	ck_assert_uint_eq(weir_fragment_read(&p.out.others[0], 0, &fragment), WEIR_PARSE_OK);
	return weir_datagrams_add(&d, &fragment, buf, now_ns, n);
}

static struct rte_mbuf *
add(uint32_t start, uint32_t end)
{
	uint32_t n = 0;

	return add_buf(cutting_piece(&cut, &p.pool, start, end), &n);
}

/* A datagram of its own: another identification. */
static void
renumber(uint32_t id)
{
	if (cut.ip6)
		cut.id = id << 16; /* all of its 32 bits count */
	else
		cutting_put16(cut.frame + cut.l3_off + 4, id);
}

/* From now on the segment is one of IPv6. */
static void
go_to_ip6(void)
{
	parsing_listen6(&p);
	p.spec.ip_options_len = 0;
	cutting_take(&cut, &p.spec);
}

/* The datagram as it was before it was cut, but for the sum of its header, which must be right. */
static void
check_whole(struct rte_mbuf *whole)
{
	static uint8_t got[FRAME_MAX];
	uint32_t len = cut.l3_off + cut.header + cut.len;
	uint8_t *ip = got + cut.l3_off;

	ck_assert_ptr_nonnull(whole);
	ck_assert_uint_eq(whole->pkt_len, len);
	ck_assert_uint_eq(weir_chain_copy(whole, 0, len, got), len);
	if (!cut.ip6) {
		ck_assert_uint_eq(frame_csum(ip, cut.header, 0), 0);
		memcpy(ip + 10, cut.frame + cut.l3_off + 10, 2);
	}
	memcpy(ip + 1, cut.frame + cut.l3_off + 1, 1);
	ck_assert_int_eq(memcmp(got, cut.frame, len), 0);
	weir_buf_free(&p.pool, whole);
}

/* ---- every order ---- */

static void
play_order(const uint32_t *order, uint32_t n)
{
	uint32_t step = cut.len / n / 8 * 8;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = order[i], end = at + 1 == n ? cut.len : (at + 1) * step;
		struct rte_mbuf *whole = add(at * step, end);

		if (i + 1 < n)
			ck_assert_ptr_null(whole);
		else
			check_whole(whole);
	}
}

static void
permute(uint32_t *order, uint32_t done, uint32_t n)
{
	if (done == n)
		play_order(order, n);
	for (uint32_t i = done; i < n; i++) {
		uint32_t keep = order[done];

		order[done] = order[i];
		order[i] = keep;
		permute(order, done + 1, n);
		order[i] = order[done];
		order[done] = keep;
	}
}

START_TEST(every_order_of_two_to_six)
{
	open_all();
	for (uint32_t i = 0; i < 10; i++) {
		uint32_t order[6] = {0, 1, 2, 3, 4, 5};

		if (i == 5)
			go_to_ip6();
		permute(order, 0, 2 + i % 5);
	}
	close_all(0);
}
END_TEST

START_TEST(eight_and_not_nine)
{
	struct rte_mbuf *whole;
	uint32_t n = 0;

	open_all();
	for (uint32_t i = 0; i < 7; i++)
		ck_assert_ptr_null(add(i * 400, (i + 1) * 400));
	whole = add_buf(cutting_piece(&cut, &p.pool, 2800, cut.len), &n);
	ck_assert_uint_eq(n, 8);
	check_whole(whole);
	renumber(2);
	for (uint32_t i = 0; i < 8; i++)
		ck_assert_ptr_null(add(i * 400, (i + 1) * 400));
	ck_assert_uint_eq(d.fragments, 8);
	ck_assert_ptr_null(add(3200, cut.len));
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_MANY], 9);
	close_all(9);
}
END_TEST

/* ---- what does not fit ---- */

START_TEST(a_repeated_fragment_is_only_that)
{
	open_all();
	d.max_bufs = 100;
	for (cut.split = 0; cut.split < 200; cut.split += 97) {
		ck_assert_ptr_null(add(0, 1600));
		ck_assert_ptr_null(add(0, 1600));
		ck_assert_ptr_null(add(3200, cut.len));
		ck_assert_ptr_null(add(3200, cut.len));
		check_whole(add(1600, 3200));
	}
	cut.split = 0;
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_DUPLICATE], 6);
	close_all(6);
}
END_TEST

/* All ways in which [a, b) can overlap [800, 1600) without being the same. */
START_TEST(overlaps_end_a_datagram)
{
	static const uint32_t others[][2] = {{400, 808},  {400, 1600}, {400, 2400}, {800, 1592},
					     {800, 2400}, {808, 1592}, {808, 1600}, {1592, 2400}};

	open_all();
	for (uint32_t ip6 = 0; ip6 < 2; ip6++) {
		for (uint32_t i = 0; i < RTE_DIM(others); i++) {
			ck_assert_ptr_null(add(800, 1600));
			ck_assert_ptr_null(add(others[i][0], others[i][1]));
			ck_assert_uint_eq(d.fragments, 0);
		}
		go_to_ip6(); /* RFC 5722 */
	}
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_CONFLICT], 4 * RTE_DIM(others));
	close_all(4 * RTE_DIM(others));
}
END_TEST

START_TEST(other_bytes_in_the_same_place_end_it_too)
{
	open_all();
	ck_assert_ptr_null(add(800, 1600));
	cut.frame[cut.l3_off + cut.header + 1599] ^= 1;
	ck_assert_ptr_null(add(800, 1600));
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_CONFLICT], 2);
	close_all(2);
}
END_TEST

START_TEST(the_end_is_one)
{
	open_all();
	ck_assert_ptr_null(add(3200, cut.len));
	cut.len -= 8;
	ck_assert_ptr_null(add(2400, cut.len)); /* another last one, which also overlaps */
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_CONFLICT], 2);
	ck_assert_ptr_null(add(1600, 2400));
	cut.len = 1600;
	ck_assert_ptr_null(add(800, 1600)); /* the end, but there is more behind it */
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_CONFLICT], 4);
	ck_assert_ptr_null(add(800, 1600));
	cut.len = 4000;
	ck_assert_ptr_null(add(1600, 2400)); /* the same in the other order */
	close_all(6);
}
END_TEST

/* Each fragment alone would end within 65,535 bytes; behind the header of the first they do not. */
START_TEST(a_long_header_may_make_it_too_long)
{
	uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 1}, *many = calloc(1, 65536);

	open_all();
	d.max_bufs = 100;
	p.spec.payload = many;
	p.spec.len = 65512 - 32;
	for (uint32_t bytes = 0; bytes <= 8; bytes += 8) {
		p.spec.ip_options_len = 0;
		cutting_take(&cut, &p.spec);
		ck_assert_uint_eq(cut.len, 65512);
		ck_assert_ptr_null(add(32752, 65504));
		ck_assert_ptr_null(add(65504, cut.len));
		p.spec.ip_options = options;
		p.spec.ip_options_len = (uint8_t)bytes;
		cutting_take(&cut, &p.spec);
		if (bytes == 0)
			check_whole(add(0, 32752));
		else
			ck_assert_ptr_null(add(0, 32752));
	}
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_OVERSIZE], 3);
	free(many);
	close_all(3);
}
END_TEST

/* ---- whose they are ---- */

START_TEST(datagrams_are_told_apart)
{
	struct weir_fragment fragment;
	struct rte_mbuf *buf;
	uint32_t n;

	open_all();
	ck_assert_ptr_null(add(0, 1600));
	for (uint32_t i = 0; i < 6; i++) {
		buf = cutting_piece(&cut, &p.pool, 1600, cut.len);
		parsing_one(&p, buf);
		ck_assert_uint_eq(weir_fragment_read(&p.out.others[0], 0, &fragment),
				  WEIR_PARSE_OK);
		fragment.key.id += i == 0;
		fragment.key.vlan += i == 1;
		fragment.key.port += i == 2;
		fragment.key.protocol += i == 3;
		fragment.key.source[3] += i == 4;
		fragment.key.destination[0] += i == 5;
		ck_assert_ptr_null(weir_datagrams_add(&d, &fragment, buf, now_ns, &n));
		ck_assert_uint_eq(d.fragments, i + 2);
	}
	check_whole(add(1600, cut.len));
	weir_datagrams_age(&d, now_ns + 15 * SEC);
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_TIMEOUT], 6);
	close_all(6);
}
END_TEST

/* ---- bounds ---- */

START_TEST(the_oldest_gives_way)
{
	open_all();
	for (uint32_t id = 1; id <= SIZE; id++) {
		renumber(id);
		ck_assert_ptr_null(add(0, 1600));
		ck_assert_ptr_null(add(1600, 2400));
	}
	ck_assert_uint_eq(d.fragments, 2 * SIZE);
	renumber(100);
	ck_assert_ptr_null(add(0, 1600));
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_PUSHED_OUT], 2);
	for (uint32_t id = 2; id <= SIZE; id++) { /* all but the oldest are still there */
		renumber(id);
		check_whole(add(2400, cut.len));
	}
	renumber(100);
	check_whole(add(1600, cut.len));
	close_all(2);
}
END_TEST

START_TEST(buffers_are_bounded_too)
{
	open_all();
	cut.split = 160; /* eleven buffers each */
	for (uint32_t id = 1; id <= 20; id++) {
		renumber(id);
		ck_assert_ptr_null(add(0, 1600));
		ck_assert_uint_le(d.bufs, BUFS);
	}
	ck_assert_uint_eq(d.fragments, BUFS / 11);
	check_whole(add(1600, cut.len)); /* the newest had its place */
	cut.split = 30; /* more than there may be at all */
	ck_assert_ptr_null(add(0, 1600));
	cut.split = 0;
	weir_datagrams_age(&d, now_ns + 15 * SEC);
	close_all(20);
}
END_TEST

START_TEST(patience_ends)
{
	open_all();
	ck_assert_uint_eq(weir_datagrams_deadline(&d), UINT64_MAX);
	ck_assert_ptr_null(add(0, 1600));
	now_ns += SEC;
	renumber(2);
	ck_assert_ptr_null(add(0, 1600));
	ck_assert_ptr_null(add(1600, 2400));
	ck_assert_uint_eq(weir_datagrams_deadline(&d), 16 * SEC);
	weir_datagrams_age(&d, 16 * SEC - 1);
	ck_assert_uint_eq(d.fragments, 3);
	weir_datagrams_age(&d, 16 * SEC);
	ck_assert_uint_eq(d.fragments, 2);
	ck_assert_uint_eq(weir_datagrams_deadline(&d), 17 * SEC);
	check_whole(add(2400, cut.len));
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_TIMEOUT], 1);
	close_all(1);
}
END_TEST

/* RFC 8200 section 4.5 gives a minute; what is older of it does not keep IPv4 waiting. */
START_TEST(ip6_is_more_patient)
{
	open_all();
	go_to_ip6();
	ck_assert_ptr_null(add(0, 1600));
	now_ns += SEC;
	parsing_listen(&p, false, FRAME_LOCAL_IP);
	p.spec.ip6 = 0;
	cutting_take(&cut, &p.spec);
	ck_assert_ptr_null(add(0, 1600));
	ck_assert_uint_eq(weir_datagrams_deadline(&d), 17 * SEC);
	weir_datagrams_age(&d, 17 * SEC);
	ck_assert_uint_eq(d.fragments, 1);
	ck_assert_uint_eq(weir_datagrams_deadline(&d), 61 * SEC);
	weir_datagrams_age(&d, 61 * SEC - 1);
	ck_assert_uint_eq(d.fragments, 1);
	weir_datagrams_age(&d, 61 * SEC);
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_TIMEOUT], 2);
	close_all(2);
}
END_TEST

/* Its header leaves 65,535 bytes to the payload. */
START_TEST(ip6_has_room_for_more)
{
	uint8_t *many = calloc(1, 65536);

	open_all();
	go_to_ip6();
	d.max_bufs = 100;
	p.spec.payload = many;
	p.spec.len = 65535 - 32;
	cutting_take(&cut, &p.spec);
	ck_assert_uint_eq(cut.len, 65535);
	ck_assert_ptr_null(add(32752, 65504));
	ck_assert_ptr_null(add(0, 32752));
	check_whole(add(65504, cut.len));
	free(many);
	close_all(0);
}
END_TEST

START_TEST(closing_gives_all_back)
{
	open_all();
	ck_assert_ptr_null(add(0, 1600));
	cut.split = 100;
	ck_assert_ptr_null(add(1600, 2400));
	cut.split = 0;
	weir_datagrams_close(&d);
	parsing_close(&p);
}
END_TEST

/* ---- buffers that may not be chained as they are ---- */

START_TEST(shared_or_scattered_ones_are_copied)
{
	struct rte_mbuf *buf;
	uint32_t n;

	open_all();
	buf = cutting_piece(&cut, &p.pool, 0, 1600);
	weir_buf_ref(buf);
	ck_assert_ptr_null(add_buf(buf, &n));
	weir_buf_free(&p.pool, buf); /* the other owner's; the copy stays */
	cut.split = 20;		     /* the headers lie in two buffers */
	ck_assert_ptr_null(add(1600, 2400));
	ck_assert_uint_eq(d.bufs, 2);
	cut.split = 1000;
	cut.pad = 1100; /* more padding than the last buffer holds */
	check_whole(add(2400, cut.len));
	cut.split = cut.pad = 0;
	close_all(0);
}
END_TEST

START_TEST(no_buffer_for_a_copy)
{
	struct rte_mbuf *buf;
	uint32_t n;

	open_all();
	cut.split = 20;
	buf = cutting_piece(&cut, &p.pool, 0, 1600);
	cut.split = 0;
	p.pool.fail_every = 1;
	ck_assert_ptr_null(add_buf(buf, &n));
	p.pool.fail_every = 0;
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_PUSHED_OUT], 1);
	close_all(1);
}
END_TEST

/* ---- what the port said, and what the network marked ---- */

START_TEST(claims_go_and_tags_stay)
{
	struct rte_mbuf *bufs[2], *whole;
	uint32_t n;

	open_all();
	for (uint32_t i = 0; i < 2; i++) {
		bufs[i] = cutting_piece(&cut, &p.pool, i * 1600, i == 0 ? 1600 : cut.len);
		bufs[i]->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_GOOD | RTE_MBUF_F_RX_IP_CKSUM_GOOD |
				    RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		bufs[i]->vlan_tci = 77;
	}
	ck_assert_ptr_null(add_buf(bufs[1], &n));
	whole = add_buf(bufs[0], &n);
	ck_assert_ptr_nonnull(whole);
	ck_assert_uint_eq(whole->ol_flags, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
	ck_assert_uint_eq(whole->vlan_tci, 77);
	check_whole(whole);
	close_all(0);
}
END_TEST

/* RFC 3168 section 5.3, in both families. */
START_TEST(pitfall_44_marks_of_fragments)
{
	open_all();
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t a = i & 3, b = i >> 2 & 3, shift = i & 16 ? 4 : 0;
		struct rte_mbuf *whole;
		uint8_t *tos;

		if (i == 16)
			go_to_ip6();
		tos = cut.frame + cut.l3_off + 1;
		*tos = (uint8_t)(a << shift);
		ck_assert_ptr_null(add(0, 1600));
		*tos = (uint8_t)(b << shift);
		whole = add(1600, cut.len);
		if ((a == 3 && b == 0) || (a == 0 && b == 3)) {
			ck_assert_ptr_null(whole);
			continue;
		}
		ck_assert_uint_eq(rte_pktmbuf_mtod(whole, uint8_t *)[cut.l3_off + 1],
				  (a == 3 || b == 3 ? 3 : a) << shift);
		check_whole(whole);
	}
	ck_assert_uint_eq(lost[WEIR_DROP_FRAGMENT_CONFLICT], 8);
	close_all(8);
}
END_TEST

START_TEST(without_eal_nothing_is_put_together)
{
	const uint64_t secret[2] = {1, 2};

	ck_assert_int_eq(weir_datagrams_open(&d, SIZE, BUFS, secret, &p.pool, -1), 0);
	ck_assert_ptr_null(d.table);
	ck_assert_uint_eq(weir_datagrams_deadline(&d), UINT64_MAX);
	weir_datagrams_close(&d);
}
END_TEST

/* Random cuts, repeats, orders and ends against what a map of bytes says. */
START_TEST(random_fragments_are_whole_or_nothing)
{
	uint64_t state = 7;
	uint32_t wholes = 0;

	open_all();
	for (uint32_t round = 0; round < 20000; round++) {
		uint64_t r = parsing_random(&state);
		uint32_t start = (uint32_t)(r >> 32) % 5 * 800, end = start + 800;
		struct rte_mbuf *whole;

		if (r >> 58 == 0)
			end += 400;
		if (start != 0 && r >> 58 == 1)
			start += 8;
		renumber((uint32_t)(r >> 20) % 12);
		whole = add(start, end >= 4000 ? cut.len : end);
		ck_assert_uint_le(d.fragments, SIZE * WEIR_DATAGRAM_PIECES);
		if (whole != NULL) {
			check_whole(whole);
			wholes++;
		}
	}
	ck_assert_uint_gt(wholes, 100);
	weir_datagrams_close(&d);
	parsing_close(&p);
}
END_TEST

static void
add_cases(Suite *suite)
{
	UNIT_CASE(suite, every_order_of_two_to_six);
	UNIT_CASE(suite, eight_and_not_nine);
	UNIT_CASE(suite, a_repeated_fragment_is_only_that);
	UNIT_CASE(suite, overlaps_end_a_datagram);
	UNIT_CASE(suite, other_bytes_in_the_same_place_end_it_too);
	UNIT_CASE(suite, the_end_is_one);
	UNIT_CASE(suite, a_long_header_may_make_it_too_long);
	UNIT_CASE(suite, datagrams_are_told_apart);
	UNIT_CASE(suite, the_oldest_gives_way);
	UNIT_CASE(suite, buffers_are_bounded_too);
	UNIT_CASE(suite, patience_ends);
	UNIT_CASE(suite, ip6_is_more_patient);
	UNIT_CASE(suite, ip6_has_room_for_more);
	UNIT_CASE(suite, closing_gives_all_back);
	UNIT_CASE(suite, shared_or_scattered_ones_are_copied);
	UNIT_CASE(suite, no_buffer_for_a_copy);
	UNIT_CASE(suite, claims_go_and_tags_stay);
	UNIT_CASE(suite, pitfall_44_marks_of_fragments);
	UNIT_CASE(suite, without_eal_nothing_is_put_together);
	UNIT_CASE(suite, random_fragments_are_whole_or_nothing);
}
UNIT_MAIN("datagram", add_cases)
