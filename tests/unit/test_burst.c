/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts: what stands beside what, in runs and blocks. */
#include "tcp/aggregate.h"
#include "tests/unit/parsing.h"
#include "wire/bytes.h"

static struct parsing p;
static uint8_t payload[2048];
static uint64_t state = 3;

#define GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

/* Segments, others and rejects of one burst each keep their order; nothing is lost. */
START_TEST(mixed_burst_keeps_order)
{
	struct rte_mbuf *bufs[WEIR_BURST_MAX];

	parsing_open(&p);
	p.spec.payload = payload;
	p.spec.len = 5;
	for (uint32_t n = 0; n <= WEIR_BURST_MAX; n++) {
		uint32_t segs = 0, others = 0, rejects = 0;

		for (uint32_t i = 0; i < n; i++) {
			uint32_t kind = parsing_below(&state, 4);

			p.spec.protocol = kind == 1 ? 1 : 0;
			p.spec.ip_frag = kind == 2 ? 0x2000 : 0;
			p.spec.split = kind == 3 ? 20 : 0;
			p.spec.seq = i;
			bufs[i] = frame_build(&p.pool, &p.spec);
		}
		weir_parse_burst(&p.parse, bufs, n, &p.out);
		ck_assert_uint_eq(p.out.n_segs + p.out.n_others + p.out.n_rejects, n);
		for (uint32_t i = 0; i < n; i++) {
			if (segs < p.out.n_segs && p.out.segs[segs].buf == bufs[i])
				ck_assert_uint_eq(p.out.segs[segs++].seq, i);
			else if (others < p.out.n_others && p.out.others[others].buf == bufs[i])
				others++;
			else
				ck_assert_ptr_eq(p.out.rejects[rejects++].buf, bufs[i]);
		}
		weir_buf_free_bulk(&p.pool, bufs, n);
	}
	parsing_close(&p);
}
END_TEST

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
		bufs[i] = parsing_claimed(&p, frames[i].flags);
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
		bufs[0] = parsing_claimed(&p, GOOD);
		bufs[2] = parsing_claimed(&p, GOOD);
		memset(rte_pktmbuf_mtod(bufs[2], uint8_t *), 0, 16);
		if (l3) /* its length stays true */
			weir_store_be16(rte_pktmbuf_mtod_offset(bufs[2], uint8_t *, 2),
					(uint16_t)bufs[2]->pkt_len);
		p.spec.sport++;
		bufs[1] = parsing_claimed(&p, 0); /* looked at closely */
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

/* One more of a connection in order, now and then with one thing changed. */
static void
next_of_stream(struct frame_spec *s)
{
	s->seq += s->len;
	s->len = parsing_below(&state, 4) ? s->len + (s->len == 0) : 1 + parsing_below(&state, 1448);
	s->flags = WEIR_TCP_ACK;
	switch (parsing_below(&state, 16)) {
	case 0: s->seq += 1; break;
	case 1: s->ack += parsing_below(&state, 2) ? 1 << WEIR_SEG_ACK_BITS : UINT32_MAX; break;
	case 2: s->tsval += parsing_below(&state, 2) ? 1 << WEIR_SEG_TS_BITS : UINT32_MAX; break;
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
			bufs[i] = parsing_claimed(&p, GOOD);
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
	uint32_t odd = parsing_below(&state, 40);

	s->seq += s->len;
	s->len = odd == 0 ? 0 : odd == 1 ? 99 : 100;
	s->flags = odd == 2 ? WEIR_TCP_ACK | WEIR_TCP_PSH : odd == 3 ? 0x11 : WEIR_TCP_ACK;
	s->seq += odd == 4;
	s->ack += odd == 5 ? UINT32_MAX : odd == 12;
	s->tsval += odd == 6 ? UINT32_MAX : odd == 13;
	s->ttl ^= odd == 7;
	s->sport ^= odd == 8;
	s->win = (uint16_t)(s->win + (odd == 14));
	buf = parsing_claimed(&p, odd == 9 ? 0 : GOOD);
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

/* Where one is missing the next block begins, as if its first frame had been looked at alone. */
START_TEST(a_hole_parts_two_blocks)
{
	struct rte_mbuf *bufs[5];

	parsing_open(&p);
	p.parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	p.spec.payload = payload;
	p.spec.len = 100;
	for (uint32_t i = 0; i < 5; i++, p.spec.seq += 100) {
		p.spec.seq += i == 2 ? 100 : 0;
		bufs[i] = parsing_claimed(&p, GOOD);
	}
	weir_parse_burst(&p.parse, bufs, 5, &p.out);
	ck_assert_uint_eq(p.out.n_segs, 5);
	ck_assert_uint_eq(p.out.n_runs, 1);
	ck_assert_uint_eq(p.out.segs[0].alike, 1);
	ck_assert_uint_eq(p.out.segs[2].alike, 2);
	ck_assert_uint_eq(p.out.segs[2].follows, 0);
	ck_assert_uint_eq(p.out.segs[2].seq, p.out.segs[0].seq + 300);
	ck_assert_uint_eq(p.out.bytes, 5 * bufs[0]->pkt_len);
	ck_assert_uint_eq(p.parse.trust.claims[WEIR_CLAIM_GOOD], WEIR_CLAIM_FIRST + 5);
	weir_buf_free_bulk(&p.pool, bufs, 5);
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
		bufs[i] = parsing_claimed(&p, GOOD);
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

static void
add(Suite *s)
{
	UNIT_CASE(s, mixed_burst_keeps_order);
	UNIT_CASE(s, runs_are_cut_where_the_sender_changes);
	UNIT_CASE(s, nothing_is_like_a_run_that_is_closed);
	UNIT_CASE(s, who_follows_is_seen);
	UNIT_CASE(s, who_is_like_the_one_before_is_as_alone);
	UNIT_CASE(s, a_hole_parts_two_blocks);
	UNIT_CASE(s, external_buffers_form_no_block);
}

UNIT_MAIN("burst", add)
