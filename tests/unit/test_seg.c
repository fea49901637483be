/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/frame.h"
#include "tests/unit/unit.h"
#include "wire/chain.h"
#include "wire/seg.h"

static struct weir_seg
seg_of(uint32_t seq, uint32_t len, uint8_t flags)
{
	return (struct weir_seg){.seq = seq, .len = len, .data_off = 66, .flags = flags};
}

START_TEST(space_counts_syn_and_fin)
{
	static const struct {
		uint8_t flags;
		uint32_t len, space;
	} rows[] = {
	    {WEIR_TCP_ACK, 0, 0},
	    {WEIR_TCP_ACK, 100, 100},
	    {WEIR_TCP_SYN, 0, 1},
	    {WEIR_TCP_SYN | WEIR_TCP_ACK, 10, 11},
	    {WEIR_TCP_FIN | WEIR_TCP_ACK, 10, 11},
	    {WEIR_TCP_SYN | WEIR_TCP_FIN, 0, 2},
	    {WEIR_TCP_RST | WEIR_TCP_PSH | WEIR_TCP_URG, 3, 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct weir_seg seg = seg_of(1, rows[i].len, rows[i].flags);

		ck_assert_uint_eq(weir_seg_space(&seg), rows[i].space);
	}
}
END_TEST

START_TEST(trim_head_keeps_the_right_edge)
{
	struct weir_seg seg = seg_of(1000, 100, WEIR_TCP_ACK | WEIR_TCP_FIN);

	weir_seg_trim_head(&seg, 30);
	ck_assert_uint_eq(seg.seq, 1030);
	ck_assert_uint_eq(seg.len, 70);
	ck_assert_uint_eq(seg.data_off, 96);
	ck_assert_uint_eq(seg.flags, WEIR_TCP_ACK | WEIR_TCP_FIN);
	weir_seg_trim_head(&seg, 70);
	ck_assert_uint_eq(seg.len, 0);
	ck_assert_uint_eq(weir_seg_space(&seg), 1);
	ck_assert_uint_eq(seg.seq, 1100);
}
END_TEST

/* A FIN behind bytes that are cut has not arrived. */
START_TEST(trim_tail_cuts_the_fin)
{
	struct weir_seg seg = seg_of(1000, 100, WEIR_TCP_ACK | WEIR_TCP_FIN);

	weir_seg_trim_tail(&seg, 0);
	ck_assert_uint_eq(seg.flags, WEIR_TCP_ACK | WEIR_TCP_FIN);
	weir_seg_trim_tail(&seg, 1);
	ck_assert_uint_eq(seg.flags, WEIR_TCP_ACK);
	ck_assert_uint_eq(seg.seq, 1000);
	ck_assert_uint_eq(seg.len, 99);
	ck_assert_uint_eq(seg.data_off, 66);
}
END_TEST

START_TEST(pitfall_22_trim_across_the_wrap)
{
	struct weir_seg seg = seg_of(0xfffffff0, 100, WEIR_TCP_ACK);

	weir_seg_trim_head(&seg, 0x20);
	ck_assert_uint_eq(seg.seq, 0x10);
	ck_assert_uint_eq(seg.seq + seg.len, 84);
}
END_TEST

/* Fill `bytes` so that byte i of a stream that starts at `seq` is known by its sequence number. */
static void
fill_stream(uint8_t *bytes, uint32_t seq, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)((seq + i) * 131 >> 3);
}

/* Trims of a chain of many segments: only the descriptor moves, and it names the right bytes. */
START_TEST(pitfall_29_trim_a_chain)
{
	enum { HEAD = 66, LEN = 500 };
	uint8_t frame[HEAD + LEN] = {0}, got[LEN], want[LEN];
	const uint32_t seq = 0xffffff80;

	fill_stream(frame + HEAD, seq, LEN);
	for (uint32_t split = 50; split <= 190; split += 35) {
		struct rte_mbuf *buf = frame_exact(frame, sizeof(frame), split);

		ck_assert_uint_ge(buf->nb_segs, 3);
		for (uint32_t head = 0; head <= LEN; head += 7)
			for (uint32_t tail = 0; head + tail <= LEN; tail += 11) {
				struct weir_seg seg = seg_of(seq, LEN, WEIR_TCP_ACK);

				seg.buf = buf;
				weir_seg_trim_head(&seg, head);
				weir_seg_trim_tail(&seg, tail);
				ck_assert_uint_eq(seg.len, LEN - head - tail);
				fill_stream(want, seg.seq, seg.len);
				ck_assert_uint_eq(weir_chain_copy(buf, seg.data_off, seg.len, got),
						  seg.len);
				ck_assert_int_eq(memcmp(got, want, seg.len), 0);
			}
		ck_assert_uint_eq(rte_pktmbuf_pkt_len(buf), sizeof(frame));
		frame_exact_free(buf);
	}
}
END_TEST

START_TEST(merge_word_sees_each_field)
{
	const struct weir_seg seg = seg_of(1, 2, WEIR_TCP_ACK);
	struct weir_seg other[6];
	static const struct weir_seg zero;

	for (int i = 0; i < 6; i++)
		other[i] = seg;
	other[0].flags ^= WEIR_TCP_PSH;
	other[1].shape = WEIR_OPT_TS;
	other[2].tos = WEIR_ECN_CE;
	other[3].ttl = 63;
	other[4].mark = WEIR_MARK_IP_OPTIONS;
	other[5].seq = 77; /* not a part of it */
	for (int i = 0; i < 5; i++)
		ck_assert_uint_ne(weir_seg_merge_word(&seg), weir_seg_merge_word(&other[i]));
	ck_assert_uint_eq(weir_seg_merge_word(&seg), weir_seg_merge_word(&other[5]));
	ck_assert_uint_eq(weir_seg_merge_word(&zero), 0);
}
END_TEST

START_TEST(parts_are_the_quotient_rounded_up)
{
	for (uint32_t size = 1; size <= UINT16_MAX; size += 1 + size / 9)
		for (uint32_t len = 1; len <= UINT16_MAX; len += 1 + len / 11) {
			ck_assert_uint_eq(weir_seg_parts(len, size), (len + size - 1) / size);
			if (len > size)
				ck_assert_uint_eq(weir_seg_parts(len - len % size, size), len / size);
		}
	ck_assert_uint_eq(weir_seg_parts(UINT16_MAX, 1), UINT16_MAX);
	ck_assert_uint_eq(weir_seg_parts(0, 1448), 1);
	ck_assert_uint_eq(weir_seg_parts(1448, 0), 1);
}
END_TEST

/* What is cut and written out is what the block said. */
START_TEST(a_block_is_cut_and_written)
{
	for (uint32_t cut = 1; cut < 9; cut++) {
		struct weir_seg segs[10];

		memset(segs, 0xee, sizeof(segs));
		segs[0] = seg_of(UINT32_MAX - 250, 100, WEIR_TCP_ACK);
		segs[0].tsval = 7;
		segs[0].alike = 8;
		segs[9] = seg_of(3, 4, WEIR_TCP_ACK);
		for (uint32_t i = 0; i < 10; i++)
			segs[i].buf = (struct rte_mbuf *)(uintptr_t)(0x100 + i);
		weir_seg_split(&segs[0], cut);
		ck_assert_uint_eq(segs[0].alike, cut - 1);
		ck_assert_uint_eq(segs[cut].alike, 8 - cut);
		ck_assert_uint_eq(segs[cut].follows, 1);
		weir_segs_write(segs, 10);
		ck_assert_uint_eq(segs[0].follows, 0);
		for (uint32_t i = 0; i < 10; i++) {
			ck_assert_uint_eq((uintptr_t)segs[i].buf, 0x100 + i);
			ck_assert_uint_eq(segs[i].alike, 0);
			ck_assert_uint_eq(segs[i].seq, i == 9 ? 3 : UINT32_MAX - 250 + 100 * i);
			ck_assert_uint_eq(segs[i].tsval, i == 9 ? 0 : 7);
		}
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, parts_are_the_quotient_rounded_up);
	UNIT_CASE(s, a_block_is_cut_and_written);
	UNIT_CASE(s, space_counts_syn_and_fin);
	UNIT_CASE(s, trim_head_keeps_the_right_edge);
	UNIT_CASE(s, trim_tail_cuts_the_fin);
	UNIT_CASE(s, pitfall_22_trim_across_the_wrap);
	UNIT_CASE(s, pitfall_29_trim_a_chain);
	UNIT_CASE(s, merge_word_sees_each_field);
}

UNIT_MAIN("seg", add)
