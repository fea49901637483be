/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/unit/frame.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wire/chain.h"

#define BYTES 400

static uint8_t flat[BYTES];

static void
fill_flat(void)
{
	for (uint32_t i = 0; i < BYTES; i++)
		flat[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* Join b behind a. */
static struct rte_mbuf *
join(struct rte_mbuf *a, struct rte_mbuf *b)
{
	struct rte_mbuf *last = a;

	if (a == NULL)
		return b;
	while (last->next != NULL)
		last = last->next;
	last->next = b;
	a->nb_segs = (uint16_t)(a->nb_segs + b->nb_segs);
	a->pkt_len += b->pkt_len;
	return a;
}

/* flat[] in segments of random sizes, some of them empty. */
static struct rte_mbuf *
random_chain(void)
{
	struct rte_mbuf *head = NULL;
	uint32_t done = 0, piece;

	while (done < BYTES) {
		piece = random_below(4) == 0 ? 0 : 1 + random_below(180);
		if (piece > BYTES - done)
			piece = BYTES - done;
		head = join(head, frame_exact(flat + done, piece, 0));
		done += piece;
	}
	return random_below(3) == 0 ? join(head, frame_exact(flat, 0, 0)) : head;
}

START_TEST(segments_are_what_the_first_one_says)
{
	for (int round = 0; round < 200; round++) {
		struct rte_mbuf *buf;

		fill_flat();
		buf = random_chain();
		ck_assert(weir_chain_sound(buf));
		buf->nb_segs++;
		ck_assert(!weir_chain_sound(buf));
		buf->nb_segs = (uint16_t)(buf->nb_segs - 2);
		ck_assert_msg(!weir_chain_sound(buf), "%u", buf->nb_segs);
		buf->nb_segs++;
		buf->pkt_len++;
		ck_assert(!weir_chain_sound(buf));
		buf->pkt_len -= 2; /* what is behind is padding */
		ck_assert(weir_chain_sound(buf));
		frame_exact_free(buf);
	}
}
END_TEST

static void
check_at(struct rte_mbuf *buf, uint32_t off, uint32_t len)
{
	struct weir_chunk chunk = weir_chain_at(buf, off, len);

	if (len == 0 || off >= BYTES) {
		ck_assert_uint_eq(chunk.len, 0);
		return;
	}
	ck_assert_uint_gt(chunk.len, 0);
	ck_assert_uint_le(chunk.len, len);
	ck_assert_uint_le(off + chunk.len, BYTES);
	ck_assert_int_eq(memcmp(chunk.data, flat + off, chunk.len), 0);
}

static void
check_copy(struct rte_mbuf *buf, uint32_t off, uint32_t len)
{
	uint32_t want = off >= BYTES ? 0 : len < BYTES - off ? len : BYTES - off;
	uint8_t *to = malloc(want + 1);

	to[want] = 0x77;
	ck_assert_uint_eq(weir_chain_copy(buf, off, len, to), want);
	ck_assert_int_eq(memcmp(to, flat + (off < BYTES ? off : 0), want), 0);
	ck_assert_uint_eq(to[want], 0x77);
	free(to);
}

static void
check_read(struct rte_mbuf *buf, uint32_t off, uint32_t len)
{
	uint8_t scratch[BYTES];
	const uint8_t *got = weir_chain_read(buf, off, len, scratch);

	if (len != 0 && (off > BYTES || len > BYTES - off)) {
		ck_assert_ptr_null(got);
		return;
	}
	ck_assert_ptr_nonnull(got);
	ck_assert_int_eq(memcmp(got, flat + (len != 0 ? off : 0), len), 0);
	/* In place exactly when one segment holds it all. */
	ck_assert_int_eq(got != scratch, len != 0 && weir_chain_at(buf, off, len).len == len);
}

START_TEST(random_splits_against_flat_bytes)
{
	fill_flat();
	for (int i = 0; i < 600; i++) {
		struct rte_mbuf *buf = random_chain();

		for (int j = 0; j < 60; j++) {
			uint32_t off = random_below(BYTES + 20), len = random_below(BYTES + 20);

			check_at(buf, off, len);
			check_copy(buf, off, len);
			check_read(buf, off, len <= BYTES ? len : BYTES);
		}
		frame_exact_free(buf);
	}
}
END_TEST

/* Stepping by chunks visits every byte once and in order. */
START_TEST(pitfall_05_walk_by_chunks)
{
	fill_flat();
	for (uint32_t split = 1; split <= 150; split++) {
		struct rte_mbuf *buf = frame_exact(flat, BYTES, split);
		uint32_t off = 0;

		ck_assert_uint_ge(buf->nb_segs, 3);
		while (off < BYTES) {
			struct weir_chunk chunk = weir_chain_at(buf, off, BYTES - off);

			ck_assert_uint_ge(chunk.len, 1);
			ck_assert_int_eq(memcmp(chunk.data, flat + off, chunk.len), 0);
			off += chunk.len;
		}
		ck_assert_uint_eq(off, BYTES);
		frame_exact_free(buf);
	}
}
END_TEST

START_TEST(pitfall_29_three_segments)
{
	struct rte_mbuf *buf;
	uint8_t to[BYTES];

	fill_flat();
	buf = frame_exact(flat, 30, 10);
	ck_assert_uint_eq(buf->nb_segs, 3);
	ck_assert_uint_eq(weir_chain_at(buf, 9, 21).len, 1);
	ck_assert_uint_eq(weir_chain_at(buf, 10, 20).len, 10);
	ck_assert_uint_eq(weir_chain_at(buf, 29, 5).len, 1);
	ck_assert_uint_eq(weir_chain_at(buf, 30, 5).len, 0);
	ck_assert_uint_eq(weir_chain_at(buf, 5, 0).len, 0);
	ck_assert_uint_eq(weir_chain_copy(buf, 5, 20, to), 20);
	ck_assert_int_eq(memcmp(to, flat + 5, 20), 0);
	ck_assert_uint_eq(weir_chain_copy(buf, 25, 20, to), 5);
	ck_assert_uint_eq(weir_chain_copy(buf, UINT32_MAX, UINT32_MAX, to), 0);
	ck_assert_uint_eq(weir_chain_copy(buf, 28, UINT32_MAX, to), 2);
	/* Nothing of it changed the chain. */
	ck_assert_uint_eq(buf->data_len, 10);
	ck_assert_uint_eq(buf->next->next->data_len, 10);
	ck_assert_uint_eq(rte_pktmbuf_pkt_len(buf), 30);
	frame_exact_free(buf);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, segments_are_what_the_first_one_says);
	UNIT_CASE(s, random_splits_against_flat_bytes);
	UNIT_CASE(s, pitfall_05_walk_by_chunks);
	UNIT_CASE(s, pitfall_29_three_segments);
}

UNIT_MAIN("chain", add)
