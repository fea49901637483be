/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The plain path against the checked one: a frame whose port says "a tag of 0 was stripped" means the
 * same to TCP, but is never plain, so both must say the same of every frame.
 */
#include "tcp/aggregate.h"
#include "tests/unit/parsing.h"
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/plain.h"

static struct parsing p;
static uint8_t payload[2048];
static uint64_t state = 77;

#define GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

static uint32_t
random_below(uint32_t n)
{
	return (uint32_t)((parsing_random(&state) >> 16) % n);
}

/* A frame near the plain one: mostly plain, else with one thing changed. */
static void
random_spec(struct frame_spec *s)
{
	static const uint8_t flags[] = {0x10, 0x10, 0x18, 0x11, 0x12, 0x04, 0x50, 0x30};
	static const uint8_t nops[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

	frame_spec_init(s);
	s->payload = payload;
	s->len = random_below(1449);
	s->src = random_below(8) ? 0xc6336401 + random_below(3) : (uint32_t)parsing_random(&state);
	s->dst = random_below(16) ? FRAME_LOCAL_IP : FRAME_LOCAL_IP + 1;
	s->sport = (uint16_t)(40000 + random_below(3));
	s->seq = (uint32_t)parsing_random(&state);
	s->ack = (uint32_t)parsing_random(&state);
	s->flags = flags[random_below(RTE_DIM(flags))];
	s->win = (uint16_t)random_below(65536);
	s->tos = (uint8_t)random_below(256);
	s->ttl = (uint8_t)random_below(256);
	s->has_ts = (uint8_t)random_below(2);
	s->tsval = (uint32_t)parsing_random(&state);
	if (random_below(10) == 0) {
		s->tcp_options = nops;
		s->tcp_options_len = s->has_ts ? 4 : 12;
	}
	if (random_below(10) == 0) {
		s->ip_options = nops;
		s->ip_options_len = 4;
	}
	if (random_below(10) == 0)
		s->data_offset = (uint8_t)random_below(16);
	s->pad = (uint8_t)(random_below(4) ? 0 : random_below(20));
}

/* Flip a bit of the headers and, every other time, put both sums right again. */
static void
damage(struct rte_mbuf *buf)
{
	uint8_t *frame = rte_pktmbuf_mtod(buf, uint8_t *), *ip = frame + 14;
	uint32_t bit = random_below(8 * RTE_MIN(66u, (uint32_t)buf->data_len));
	uint16_t sum;

	frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
	if (random_below(2) != 0)
		return;
	memset(ip + 10, 0, 2);
	sum = (uint16_t)~weir_csum_fold(weir_csum_add(ip, 20, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
}

/* What the parser said of one frame. */
struct verdict {
	uint32_t segs, rejects, reason;
	struct weir_seg seg;
	struct weir_key4 key;
};

static struct verdict
parse_with(struct rte_mbuf *buf, uint64_t ol_flags)
{
	struct verdict v = {0};

	buf->ol_flags = ol_flags;
	buf->vlan_tci = 0;
	parsing_one(&p, buf);
	v.segs = p.out.n_segs;
	v.rejects = p.out.n_rejects;
	v.reason = v.rejects ? p.out.rejects[0].reason : 0;
	if (v.segs != 0) {
		ck_assert_uint_eq(p.out.n_runs, 1);
		ck_assert_uint_eq(p.out.run_first[0], 0);
		ck_assert_uint_eq(p.out.run_first[1], 1);
		v.seg = p.out.segs[0];
		v.key = p.out.keys[0];
	}
	return v;
}

static void
compare(const struct verdict *a, const struct verdict *b, int round)
{
	if (a->segs != b->segs || a->rejects != b->rejects || a->reason != b->reason)
		ck_abort_msg("frame %d: taken %u or %u, reason %u or %u", round, a->segs, b->segs,
			     a->reason, b->reason);
	if (a->segs == 0)
		return;
	ck_assert_mem_eq(&a->seg, &b->seg, sizeof(a->seg));
	ck_assert_mem_eq(&a->key, &b->key, sizeof(a->key));
}

static void
run(uint64_t claims, bool damaged)
{
	uint32_t taken = 0;

	parsing_open(&p);
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	for (int i = 0; i < 20000; i++) {
		struct rte_mbuf *buf;
		struct verdict plain, checked;

		random_spec(&p.spec);
		buf = frame_build(&p.pool, &p.spec);
		ck_assert_ptr_nonnull(buf);
		if (damaged)
			damage(buf);
		plain = parse_with(buf, claims);
		checked = parse_with(buf, claims | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_VLAN);
		compare(&plain, &checked, i);
		taken += plain.segs;
		weir_buf_free(&p.pool, buf);
	}
	ck_assert_uint_gt(taken, damaged ? 1000 : 8000);
	parsing_close(&p);
}

START_TEST(plain_is_as_checked)
{
	run(GOOD, false);
}
END_TEST

START_TEST(damaged_is_as_checked)
{
	run(0, true);
}
END_TEST

static struct rte_mbuf *
claimed(uint64_t ol_flags)
{
	struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);

	ck_assert_ptr_nonnull(buf);
	buf->ol_flags = ol_flags;
	return buf;
}

/* A burst of several senders: runs are cut where the sender changes, whatever path a frame took. */
START_TEST(runs_are_cut_where_the_sender_changes)
{
	static const struct {
		uint16_t port;
		uint64_t flags;
	} frames[] = {{1, GOOD}, {1, GOOD}, {1, 0}, {2, 0}, {2, GOOD}, {1, GOOD}, {3, 0}, {3, 0}};
	static const uint8_t firsts[] = {0, 3, 5, 6, 8};
	struct rte_mbuf *bufs[RTE_DIM(frames)];

	parsing_open(&p);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.payload = payload;
	p.spec.len = 100;
	for (uint32_t i = 0; i < RTE_DIM(frames); i++) {
		p.spec.sport = frames[i].port;
		bufs[i] = claimed(frames[i].flags);
	}
	weir_parse_burst(&p.parse, bufs, RTE_DIM(frames), &p.out);
	ck_assert_uint_eq(p.out.n_segs, RTE_DIM(frames));
	ck_assert_uint_eq(p.out.n_runs, 4);
	for (uint32_t r = 0; r <= p.out.n_runs; r++)
		ck_assert_uint_eq(p.out.run_first[r], firsts[r]);
	for (uint32_t r = 0; r < p.out.n_runs; r++)
		ck_assert_uint_eq(p.out.keys[r].rport, frames[firsts[r]].port);
	weir_buf_free_bulk(&p.pool, bufs, RTE_DIM(frames));
	parsing_close(&p);
}
END_TEST

/*
 * Which frames are of an open run is told by comparing them with its first one. Where no run is open
 * there is nothing that a frame could be like: not the first of the last run with zeros in front, where
 * MAC addresses and the IP version stand.
 */
START_TEST(nothing_is_like_a_run_that_is_closed)
{
	struct rte_mbuf *bufs[3];

	for (int l3 = 0; l3 < 2; l3++) {
		parsing_open(&p);
		parsing_listen(&p, l3, FRAME_LOCAL_IP);
		p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
		p.spec.payload = payload;
		p.spec.len = 100;
		p.spec.l3 = (uint8_t)l3;
		bufs[0] = claimed(GOOD);
		bufs[2] = claimed(GOOD);
		memset(rte_pktmbuf_mtod(bufs[2], uint8_t *), 0, 16);
		if (l3) /* its length stays true */
			weir_store_be16(rte_pktmbuf_mtod_offset(bufs[2], uint8_t *, 2),
					(uint16_t)bufs[2]->pkt_len);
		p.spec.sport++;
		bufs[1] = claimed(0); /* looked at closely */
		for (uint32_t first = 0; first < 3; first += 2) { /* behind another run, and in front of all */
			weir_parse_burst(&p.parse, bufs + first, 3 - first, &p.out);
			ck_assert_uint_eq(p.out.n_segs, 2 - first);
			ck_assert_uint_eq(p.out.n_runs, 2 - first);
			ck_assert_uint_eq(p.out.n_rejects, 1);
			ck_assert_ptr_eq(p.out.rejects[0].buf, bufs[2]);
		}
		weir_buf_free_bulk(&p.pool, bufs, 3);
		parsing_close(&p);
	}
}
END_TEST

/* A buffer that says it holds more than it does: no byte behind data_len is ever handed out. */
START_TEST(pitfall_04_a_length_without_the_bytes)
{
	static const uint64_t claims[] = {0, GOOD, RTE_MBUF_F_RX_L4_CKSUM_NONE};

	parsing_open(&p);
	p.spec.payload = payload;
	p.spec.len = 1000;
	for (uint32_t i = 0; i < RTE_DIM(claims); i++) {
		struct rte_mbuf *buf = claimed(claims[i]);

		p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
		buf->data_len = 100;
		parsing_rejects(&p, buf, WEIR_DROP_FRAME_TRUNCATED);
	}
	parsing_close(&p);
}
END_TEST

/* All zero, and all ones, are no senders, believed or not. */
START_TEST(nobody_is_no_sender)
{
	static const uint32_t nobody[] = {0,	      UINT32_MAX,     0x7f000001,
					  0xe0000001, FRAME_LOCAL_IP, FRAME_LOCAL_IP | 0xff};

	parsing_open(&p);
	weir_parse_set_ip(&p.parse, FRAME_LOCAL_IP, 24);
	p.spec.payload = payload;
	p.spec.len = 100;
	for (uint32_t i = 0; i < RTE_DIM(nobody); i++)
		for (int ones = 0; ones < 2; ones++) {
			struct rte_mbuf *buf;

			p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
			p.spec.src = nobody[i];
			p.spec.sport = p.spec.dport = ones ? UINT16_MAX : 0;
			buf = claimed(GOOD);
			parsing_rejects(&p, buf, WEIR_DROP_IP_SOURCE);
		}
	parsing_close(&p);
}
END_TEST

/* What a port calls GOOD nobody adds up: that all its bytes are there is looked at all the same, whatever
 * path the chain takes. */
START_TEST(chains_that_lie_are_found_out)
{
	static const int lies[][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, 300}, {2, 5}};

	for (uint32_t i = 0; i < 4 * RTE_DIM(lies); i++) {
		struct rte_mbuf *buf;

		parsing_open(&p);
		if ((i & 1) != 0)
			parsing_listen6(&p);
		p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST; /* believed unseen */
		p.spec.payload = payload;
		p.spec.len = 1200;
		p.spec.split = (i & 2) != 0 ? 500 : 40; /* not even the headers are in one */
		p.spec.ip_total_delta = lies[i / 4][1];
		buf = claimed(GOOD);
		parsing_one(&p, buf);
		ck_assert_uint_eq(p.out.n_rejects, lies[i / 4][1] != 0);
		buf->nb_segs = (uint16_t)(buf->nb_segs + lies[i / 4][0]);
		buf->pkt_len += (uint32_t)lies[i / 4][1];
		parsing_one(&p, buf);
		ck_assert_uint_eq(p.out.n_rejects, 1);
		ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_FRAME_TRUNCATED);
		weir_buf_free(&p.pool, buf);
		parsing_close(&p);
	}
}
END_TEST

/* A port that calls a damaged IP header GOOD is found out and not believed again. */
START_TEST(pitfall_10_ip_claims_are_observed)
{
	struct rte_mbuf *buf;

	parsing_open(&p);
	p.spec.payload = payload;
	p.spec.len = 100;
	buf = claimed(GOOD);
	rte_pktmbuf_mtod(buf, uint8_t *)[24] ^= 1;
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST; /* believed unseen from now on */
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_segs, 1);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST + WEIR_CLAIM_EVERY - 1; /* looked at */
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_IP_CHECKSUM);
	ck_assert(p.parse.trust.software);
	ck_assert_uint_eq(p.parse.trust.contradictions[WEIR_CLAIM_GOOD], 1);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_rejects, 1);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

/* One more of a connection in order, now and then with one thing changed. */
static void
next_of_stream(struct frame_spec *s)
{
	s->seq += s->len;
	s->len = random_below(4) ? s->len + (s->len == 0) : 1 + random_below(1448);
	s->flags = WEIR_TCP_ACK;
	switch (random_below(16)) {
	case 0: s->seq += 1; break;
	case 1: s->ack += random_below(2) ? 1 << WEIR_SEG_ACK_BITS : UINT32_MAX; break;
	case 2: s->tsval += random_below(2) ? 1 << WEIR_SEG_TS_BITS : UINT32_MAX; break;
	case 3: s->flags |= WEIR_TCP_PSH; break;
	case 4: s->len = 0; break;
	case 5: s->tos ^= 1; break;
	case 6: s->ttl ^= 1; break;
	case 7: s->has_ts ^= 1; break;
	case 8: s->sport ^= 1; break;
	default: break;
	}
}

/* What the parser says of two in a row is what the aggregate would find out itself. */
START_TEST(who_follows_is_seen)
{
	struct rte_mbuf *bufs[WEIR_BURST_MAX];
	uint32_t followers = 0;

	parsing_open(&p);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.payload = payload;
	for (uint32_t round = 0; round < 300; round++) {
		for (uint32_t i = 0; i < WEIR_BURST_MAX; i++) {
			next_of_stream(&p.spec);
			bufs[i] = claimed(GOOD);
		}
		weir_parse_burst(&p.parse, bufs, WEIR_BURST_MAX, &p.out);
		ck_assert_uint_eq(p.out.n_segs, WEIR_BURST_MAX);
		weir_segs_write(p.out.segs, p.out.n_segs);
		for (uint32_t i = 1, run = 1; i < WEIR_BURST_MAX; i++) {
			struct weir_seg two[2] = {p.out.segs[i - 1], p.out.segs[i]};
			bool one_run = i != p.out.run_first[run];

			run += !one_run;
			ck_assert(one_run || two[1].follows == 0);
			followers += two[1].follows;
			two[1].follows = 0;
			if (p.out.segs[i].follows)
				ck_assert_uint_eq(weir_aggregate_form(two, 2, 2).n, 2);
		}
		weir_buf_free_bulk(&p.pool, bufs, WEIR_BURST_MAX);
	}
	ck_assert_uint_gt(followers, 300 * WEIR_BURST_MAX / 4);
	parsing_close(&p);
}
END_TEST

/* The next one of a stream of equal segments, now and then with one thing changed, in the frame or in
 * what the buffer says of it. */
static struct rte_mbuf *
next_alike(struct frame_spec *s)
{
	struct rte_mbuf *buf;
	uint32_t odd = random_below(40);

	s->seq += s->len;
	s->len = odd == 0 ? 0 : odd == 1 ? 99 : 100;
	s->flags = odd == 2 ? WEIR_TCP_ACK | WEIR_TCP_PSH : odd == 3 ? 0x11 : WEIR_TCP_ACK;
	s->seq += odd == 4;
	s->ack += odd == 5 ? UINT32_MAX : odd == 12;
	s->tsval += odd == 6 ? UINT32_MAX : odd == 13;
	s->ttl ^= odd == 7;
	s->sport ^= odd == 8;
	s->win = (uint16_t)(s->win + (odd == 14));
	buf = claimed(odd == 9 ? 0 : GOOD);
	if (odd == 10)
		buf->data_len = 90;
	if (odd == 11)
		rte_pktmbuf_mtod(buf, uint8_t *)[14 + 20 + 12] ^= 0x10; /* where its data begins */
	if (odd == 15)
		rte_pktmbuf_mtod(buf, uint8_t *)[14 + 1] ^= WEIR_ECN_CE;
	return buf;
}

/* What is like the frame before is taken as it is taken alone. */
START_TEST(who_is_like_the_one_before_is_as_alone)
{
	struct rte_mbuf *bufs[WEIR_BURST_MAX];
	uint32_t followers = 0, alike = 0;

	parsing_open(&p);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.payload = payload;
	for (uint32_t round = 0; round < 500; round++) {
		struct weir_parsed burst;
		uint32_t n[3] = {0, 0, 0};
		uint64_t bytes = 0;

		for (uint32_t i = 0; i < WEIR_BURST_MAX; i++)
			bufs[i] = next_alike(&p.spec);
		weir_parse_burst(&p.parse, bufs, WEIR_BURST_MAX, &p.out);
		memcpy(&burst, &p.out, sizeof(burst));
		for (uint32_t i = 0; i < burst.n_segs; i += 1u + burst.segs[i].alike)
			alike += burst.segs[i].alike;
		weir_segs_write(burst.segs, burst.n_segs);
		for (uint32_t i = 0; i < WEIR_BURST_MAX; i++) {
			bytes += bufs[i]->pkt_len;
			parsing_one(&p, bufs[i]);
			if (p.out.n_segs != 0) {
				followers += burst.segs[n[0]].follows;
				burst.segs[n[0]].follows = p.out.segs[0].follows;
				ck_assert_mem_eq(&burst.segs[n[0]++], &p.out.segs[0],
						 sizeof(p.out.segs[0]));
			} else if (p.out.n_rejects != 0) {
				ck_assert_uint_eq(burst.rejects[n[1]].reason, p.out.rejects[0].reason);
				ck_assert_ptr_eq(burst.rejects[n[1]++].buf, bufs[i]);
			} else {
				ck_assert_ptr_eq(burst.others[n[2]++].buf, bufs[i]);
			}
		}
		ck_assert_uint_eq(n[0], burst.n_segs);
		ck_assert_uint_eq(n[1], burst.n_rejects);
		ck_assert_uint_eq(n[2], burst.n_others);
		ck_assert_uint_eq(bytes, burst.bytes);
		weir_buf_free_bulk(&p.pool, bufs, WEIR_BURST_MAX);
	}
	ck_assert_uint_gt(followers, 500 * WEIR_BURST_MAX / 4);
	ck_assert_uint_gt(alike, 500 * WEIR_BURST_MAX / 4);
	parsing_close(&p);
}
END_TEST

/* Where their data lies says nothing of where that of others does. */
START_TEST(external_buffers_form_no_block)
{
	static uint8_t rooms[3][1024] __attribute__((aligned(64)));
	struct rte_mbuf *bufs[3];
	void *own[3];

	parsing_open(&p);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.payload = payload;
	p.spec.len = 100;
	for (uint32_t i = 0; i < 3; i++, p.spec.seq += 100) {
		bufs[i] = claimed(GOOD);
		own[i] = bufs[i]->buf_addr;
		memcpy(rooms[2 - i], own[i], RTE_PKTMBUF_HEADROOM + bufs[i]->data_len);
		memset(own[i], 0, RTE_PKTMBUF_HEADROOM + bufs[i]->data_len);
		bufs[i]->buf_addr = rooms[2 - i];
		bufs[i]->ol_flags |= RTE_MBUF_F_EXTERNAL;
	}
	weir_parse_burst(&p.parse, bufs, 3, &p.out);
	ck_assert_uint_eq(p.out.n_segs, 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(p.out.segs[i].alike, 0);
		ck_assert_uint_eq(p.out.segs[i].seq, p.out.segs[0].seq + 100 * i);
		bufs[i]->buf_addr = own[i];
		bufs[i]->ol_flags = 0;
	}
	weir_buf_free_bulk(&p.pool, bufs, 3);
	parsing_close(&p);
}
END_TEST

/* The compare, in every width that this machine has, against one byte at a time. Not inlined: clang
 * would put a wide compare into a function that is built for narrow vectors. */
static void __attribute__((noinline))
check_compare(weir_plain_compare *differs)
{
	uint8_t frame[WEIR_PLAIN_BYTES], want[WEIR_PLAIN_BYTES], mask[WEIR_PLAIN_BYTES];
	uint64_t random = 7;

	for (uint32_t i = 0; i < WEIR_PLAIN_BYTES; i++)
		mask[i] = (uint8_t)(parsing_random(&random) & parsing_random(&random));
	for (uint32_t i = 0; i < 8 * WEIR_PLAIN_BYTES; i++) {
		for (uint32_t k = 0; k < WEIR_PLAIN_BYTES; k++) {
			frame[k] = (uint8_t)parsing_random(&random);
			want[k] = frame[k] ^ (uint8_t)(parsing_random(&random) & ~mask[k]);
		}
		ck_assert(!differs(frame, want, mask));
		want[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_eq(differs(frame, want, mask), mask[i / 8] >> i % 8 & 1);
	}
}

START_TEST(compare_in_every_width)
{
	check_compare(weir_plain_differs);
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		check_compare(weir_plain_differs_32);
	if (__builtin_cpu_supports("avx512f"))
		check_compare(weir_plain_differs_64);
#endif
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, compare_in_every_width);
	UNIT_CASE(s, external_buffers_form_no_block);
	UNIT_CASE(s, who_follows_is_seen);
	UNIT_CASE(s, who_is_like_the_one_before_is_as_alone);
	UNIT_CASE(s, plain_is_as_checked);
	UNIT_CASE(s, damaged_is_as_checked);
	UNIT_CASE(s, runs_are_cut_where_the_sender_changes);
	UNIT_CASE(s, nothing_is_like_a_run_that_is_closed);
	UNIT_CASE(s, pitfall_04_a_length_without_the_bytes);
	UNIT_CASE(s, nobody_is_no_sender);
	UNIT_CASE(s, chains_that_lie_are_found_out);
	UNIT_CASE(s, pitfall_10_ip_claims_are_observed);
}

UNIT_MAIN("plain", add)
