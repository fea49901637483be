/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "engine/port.h"
#include "tests/unit/frame.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/seg.h"

#define ROOM  (RTE_PKTMBUF_HEADROOM + 128)
#define TRAIN 40

struct fixture {
	struct weir_pool pool;
	struct weir_ack_stock stock;
	struct weir_header header;
	struct weir_ack acks[TRAIN];
	struct weir_ack_template train;
	struct rte_mbuf *out[TRAIN];
};

/* Of a bare packet, or in a frame with up to two tags; from number 4 on over IPv6. */
static void
set_header(struct fixture *f, uint32_t number, int has_ts)
{
	struct weir_link link = {.l3 = number % 4 == 3, .n_tags = (uint8_t)(number % 4 % 3)};
	const struct weir_key key = {
	    .raddr_high = {0x20010db8, 0, 0},
	    .low = {.raddr = FRAME_REMOTE_IP, .laddr = FRAME_LOCAL_IP, .rport = 40000, .lport = 9000},
	};

	memcpy(link.local_mac, frame_local_mac, 6);
	memcpy(link.remote_mac, frame_remote_mac, 6);
	link.local6 = frame_local_ip6;
	if (number < 4)
		weir_header_init(&f->header, &link, &key.low, has_ts);
	else
		weir_header_init6(&f->header, &link, &key, has_ts);
}

static void
set_up(struct fixture *f, uint32_t buffers)
{
	ck_assert_int_eq(weir_pool_open_heap(&f->pool, buffers, ROOM), 0);
	set_header(f, 0, 1);
	for (uint32_t i = 0; i < TRAIN; i++)
		f->acks[i] = (struct weir_ack){
		    .ack = 0xfffff000u + 2896 * i,
		    .tsecr = 100 + i,
		    .win = (uint16_t)(500 - i),
		};
	f->train = (struct weir_ack_template){
	    .header = &f->header,
	    .acks = f->acks,
	    .n = TRAIN,
	    .seq = 12345,
	    .tsval = 777,
	    .flags = WEIR_TCP_ACK,
	};
	f->stock.n = 0;
}

/* From a stock that is filled for it. */
static uint32_t
expand(struct fixture *f)
{
	weir_ack_stock_fill(&f->stock, &f->pool, f->train.n, f->header.len);
	return weir_ack_train_expand(&f->stock, &f->train, f->out);
}

/* Frame `i` of the output is exactly ACK `k` of the train. */
static void
assert_is(struct fixture *f, uint32_t i, uint32_t k)
{
	uint8_t expected[WEIR_HEADER_MAX + 2];
	struct rte_mbuf *buf = f->out[i];
	struct weir_ack_image image;
	uint32_t len;

	image = weir_header_image(&f->train);
	weir_header_ack(&image, &f->acks[k], expected);
	len = image.len;
	ck_assert_uint_eq(buf->data_len, len);
	ck_assert_uint_eq(buf->pkt_len, len);
	ck_assert_uint_eq(buf->nb_segs, 1);
	ck_assert_mem_eq(rte_pktmbuf_mtod(buf, const void *), expected, len);
	ck_assert_uint_eq(weir_load_be32(expected + f->header.l4_off + 8), f->acks[k].ack);
}

START_TEST(train_becomes_frames)
{
	struct fixture f;

	set_up(&f, TRAIN);
	ck_assert_uint_eq(expand(&f), TRAIN);
	for (uint32_t i = 0; i < TRAIN; i++)
		assert_is(&f, i, i);
	weir_buf_free_bulk(&f.pool, f.out, TRAIN);
	ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
}
END_TEST

/* The same of duplicate ACKs, whose frames are longer than those of the stock; of five three are there:
 * for the last ones. */
START_TEST(copies_become_frames)
{
	const struct weir_packet packet = {.seq = 1, .ack = 2, .tsval = 3, .tsecr = 4, .win = 5,
					   .flags = WEIR_TCP_ACK, .sacks = {{10, 20}, {1, 2}},
					   .n_sacks = 2, .wscale = -1};
	struct weir_sack_image image;
	struct fixture f;

	set_up(&f, 3);
	weir_sack_image(&image, &f.header, &packet);
	weir_ack_stock_fill(&f.stock, &f.pool, 5, f.header.len);
	ck_assert_uint_eq(weir_ack_copies_expand(&f.stock, &image, f.acks, 5, f.out), 3);
	ck_assert_uint_eq(f.stock.n, 0);
	for (uint32_t i = 0; i < 3; i++) {
		uint8_t want[WEIR_PACKET_MAX];

		weir_sack_write(&image, f.acks[i + 2].ack, want);
		ck_assert_uint_eq(f.out[i]->data_len, f.header.len + 20);
		ck_assert_uint_eq(f.out[i]->pkt_len, f.header.len + 20);
		ck_assert_mem_eq(rte_pktmbuf_mtod(f.out[i], const void *), want, image.len);
	}
	weir_buf_free_bulk(&f.pool, f.out, 3);
	ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
}
END_TEST

static void
randomize(struct fixture *f, uint32_t n)
{
	static const uint32_t flags[] = {WEIR_TCP_ACK, WEIR_TCP_ACK | WEIR_TCP_ECE,
					 WEIR_TCP_ACK | WEIR_TCP_AE | WEIR_TCP_CWR};

	f->train.n = n;
	f->train.seq = random_u32();
	f->train.tsval = random_u32();
	f->train.flags = flags[random_below(3)];
	for (uint32_t i = 0; i < n; i++) {
		struct weir_ack *ack = &f->acks[i];

		*ack = (struct weir_ack){random_u32(), random_u32(), (uint16_t)random_u32(), {0}};
		for (uint32_t k = 0; k < 3; k++) /* nobody looks there */
			ack->spare[k] = (uint16_t)random_u32();
	}
}

/* Every kind of header, in trains of any length: each frame is what one ACK alone becomes. */
START_TEST(trains_of_every_header)
{
	for (uint32_t i = 0; i < 8000; i++) {
		uint32_t n = 1 + random_below(9);
		struct fixture f;

		set_up(&f, TRAIN);
		set_header(&f, i % 8, i / 8 % 2);
		randomize(&f, n);
		ck_assert_uint_eq(expand(&f), n);
		ck_assert_uint_eq(f.stock.n, 0);
		for (uint32_t k = 0; k < n; k++)
			assert_is(&f, k, k);
		weir_buf_free_bulk(&f.pool, f.out, n);
		ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
	}
}
END_TEST

/* Trains share a stock, whose frames may have another length than one of them needs. */
START_TEST(stock_for_trains_of_other_lengths)
{
	struct fixture f;

	set_up(&f, TRAIN);
	weir_ack_stock_fill(&f.stock, &f.pool, TRAIN, f.header.len);
	ck_assert_uint_eq(f.pool.allocated, TRAIN);
	for (uint32_t number = 0; number < 8; number++) {
		set_header(&f, number, number % 2);
		randomize(&f, 1 + number % 5);
		ck_assert_uint_eq(weir_ack_train_expand(&f.stock, &f.train, f.out), f.train.n);
		for (uint32_t k = 0; k < f.train.n; k++)
			assert_is(&f, k, k);
		weir_buf_free_bulk(&f.pool, f.out, f.train.n);
	}
	ck_assert_uint_eq(f.stock.n, TRAIN - 21);
	weir_buf_free_bulk(&f.pool, f.stock.frames, f.stock.n);
	ck_assert_uint_eq(f.pool.allocated, TRAIN);
	ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
}
END_TEST

START_TEST(empty_train)
{
	struct fixture f;

	set_up(&f, 1);
	f.train.n = 0;
	ck_assert_uint_eq(expand(&f), 0);
	ck_assert_uint_eq(f.pool.allocated, 0);
	ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
}
END_TEST

/* For every number of buffers left: all are used, and the last ACKs survive. */
START_TEST(pitfall_47_train_from_an_empty_pool)
{
	for (uint32_t left = 0; left < TRAIN; left++) {
		struct rte_mbuf *taken[TRAIN];
		struct fixture f;

		set_up(&f, TRAIN);
		ck_assert(weir_buf_alloc_bulk(&f.pool, taken, TRAIN - left));
		ck_assert_uint_eq(expand(&f), left);
		for (uint32_t i = 0; i < left; i++)
			assert_is(&f, i, TRAIN - left + i);
		ck_assert_uint_ge(f.pool.failed, 1);
		weir_buf_free_bulk(&f.pool, f.out, left);
		weir_buf_free_bulk(&f.pool, taken, TRAIN - left);
		ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, train_becomes_frames);
	UNIT_CASE(s, copies_become_frames);
	UNIT_CASE(s, trains_of_every_header);
	UNIT_CASE(s, stock_for_trains_of_other_lengths);
	UNIT_CASE(s, empty_train);
	UNIT_CASE(s, pitfall_47_train_from_an_empty_pool);
}

UNIT_MAIN("ack_train", add)
