/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "engine/port.h"
#include "tests/unit/frame.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/seg.h"

#define ROOM  (RTE_PKTMBUF_HEADROOM + 128)
#define TRAIN 40

struct fixture {
	struct weir_pool pool;
	struct weir_header header;
	struct weir_ack acks[TRAIN];
	struct weir_ack_template train;
	struct rte_mbuf *out[TRAIN];
};

static void
set_up(struct fixture *f, uint32_t buffers)
{
	struct weir_link link = {.n_tags = 0};
	struct weir_key4 key = {
	    .raddr = FRAME_REMOTE_IP,
	    .laddr = FRAME_LOCAL_IP,
	    .rport = 40000,
	    .lport = 9000,
	};

	memcpy(link.local_mac, frame_local_mac, 6);
	memcpy(link.remote_mac, frame_remote_mac, 6);
	ck_assert_int_eq(weir_pool_open_heap(&f->pool, buffers, ROOM), 0);
	weir_header_init(&f->header, &link, &key, 1);
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
	ck_assert_uint_eq(weir_ack_train_expand(&f.pool, &f.train, f.out), TRAIN);
	for (uint32_t i = 0; i < TRAIN; i++)
		assert_is(&f, i, i);
	weir_buf_free_bulk(&f.pool, f.out, TRAIN);
	ck_assert_uint_eq(weir_pool_close(&f.pool), 0);
}
END_TEST

START_TEST(empty_train)
{
	struct fixture f;

	set_up(&f, 1);
	f.train.n = 0;
	ck_assert_uint_eq(weir_ack_train_expand(&f.pool, &f.train, f.out), 0);
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
		ck_assert_uint_eq(weir_ack_train_expand(&f.pool, &f.train, f.out), left);
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
	UNIT_CASE(s, empty_train);
	UNIT_CASE(s, pitfall_47_train_from_an_empty_pool);
}

UNIT_MAIN("ack_train", add)
