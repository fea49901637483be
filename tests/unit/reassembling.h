/* SPDX-License-Identifier: BSD-3-Clause */
/* One reassembly with pools of its own, segments for it, and what holds after every call. */
#ifndef WEIR_TESTS_REASSEMBLING_H
#define WEIR_TESTS_REASSEMBLING_H

#include <string.h>

#include "tcp/reassembly.h"
#include "tests/unit/unit.h"
#include "wire/seq.h"

#define REASSEMBLING_DATA_OFF 54 /* Ethernet, IPv4 and TCP */
#define REASSEMBLING_ROOM     512

struct reassembling {
	struct weir_pool bufs;
	struct weir_held_pool held;
	struct weir_reass_pool pool;
	struct weir_reassembly *r;
	uint32_t idx;
};

/* `ranges` and `nodes` are what can be used. */
static inline void
reassembling_open(struct reassembling *it, uint32_t ranges, uint32_t nodes, uint32_t bufs)
{
	ck_assert_int_eq(weir_pool_open_heap(&it->bufs, bufs, REASSEMBLING_ROOM), 0);
	ck_assert_int_eq(weir_held_open(&it->held, nodes + 1, -1), 0);
	ck_assert_int_eq(weir_reass_pool_open(&it->pool, 1, ranges + 1, &it->held, &it->bufs, -1),
			 0);
	it->idx = weir_reass_take(&it->pool);
	ck_assert_uint_eq(it->idx, 0);
	it->r = &it->pool.items[it->idx];
}

/* Whatever is still held must come back. */
static inline void
reassembling_close(struct reassembling *it)
{
	weir_reass_give(&it->pool, it->idx);
	ck_assert_uint_eq(it->pool.used, 0);
	ck_assert_uint_eq(it->pool.ranges.used, 0);
	ck_assert_uint_eq(it->held.used, 0);
	ck_assert_uint_eq(it->bufs.allocated, it->bufs.freed);
	weir_reass_pool_close(&it->pool);
	weir_held_close(&it->held);
	ck_assert_uint_eq(weir_pool_close(&it->bufs), 0);
}

/* Senders that do not repeat themselves: each copy of a byte is different. */
static inline uint8_t
reassembling_byte(uint32_t seq, uint32_t copy)
{
	return (uint8_t)(seq * 167 + (seq >> 8) * 13 + copy * 59);
}

/* A frame with `len` bytes from `seq`, cut into buffers of at most `most` bytes. */
static inline struct weir_seg
reassembling_seg(struct reassembling *it, uint32_t seq, uint32_t len, uint32_t copy, uint32_t most)
{
	struct weir_seg seg = {.seq = seq, .len = len, .data_off = REASSEMBLING_DATA_OFF};
	struct rte_mbuf *last = NULL;

	for (uint32_t at = 0; at < REASSEMBLING_DATA_OFF + len; at++) {
		uint8_t byte = 0xee;

		if (last == NULL || last->data_len == most) {
			struct rte_mbuf *buf = weir_buf_alloc(&it->bufs);

			ck_assert_ptr_nonnull(buf);
			if (last == NULL)
				seg.buf = buf;
			else
				last->next = buf;
			seg.buf->nb_segs = (uint16_t)(seg.buf->nb_segs + (last != NULL));
			last = buf;
		}
		if (at >= REASSEMBLING_DATA_OFF)
			byte = reassembling_byte(seq + at - REASSEMBLING_DATA_OFF, copy);
		*rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len) = byte;
		last->data_len++;
		seg.buf->pkt_len++;
	}
	return seg;
}

/* Insert; what is not held is freed. */
static inline enum weir_reass_result
reassembling_insert(struct reassembling *it, uint32_t seq, uint32_t len, uint32_t copy)
{
	struct weir_seg seg = reassembling_seg(it, seq, len, copy,
					       REASSEMBLING_ROOM - RTE_PKTMBUF_HEADROOM);
	enum weir_reass_result result = weir_reass_insert(&it->pool, it->r, &seg);

	if (result != WEIR_REASS_HELD)
		weir_buf_free(&it->bufs, seg.buf);
	return result;
}

/* The byte of a piece that has sequence number `seq`. */
static inline uint8_t
reassembling_read(const struct weir_held *piece, uint32_t seq)
{
	uint32_t at = seq - piece->seq;
	const struct rte_mbuf *buf = piece->buf;

	if (piece->home != WEIR_HELD_CHAIN)
		return piece->data[at];
	at += (uint32_t)piece->off;
	for (; at >= buf->data_len; buf = buf->next)
		at -= buf->data_len;
	return *rte_pktmbuf_mtod_offset(buf, const uint8_t *, at);
}

/* Free what was delivered. */
static inline void
reassembling_release(struct reassembling *it, struct weir_held_list *list)
{
	while (list->head != 0) {
		uint32_t idx = list->head;

		list->head = it->held.nodes[idx].next;
		weir_buf_free(&it->bufs, it->held.nodes[idx].buf);
		weir_held_free(&it->held, idx);
	}
	list->tail = 0;
}

/* rcv_nxt is now `rcv_nxt`; the bytes that moved, which are freed. */
static inline uint32_t
reassembling_deliver(struct reassembling *it, uint32_t rcv_nxt)
{
	struct weir_held_list list = {0, 0};
	uint32_t bufs, bytes = weir_reass_deliver(&it->pool, it->r, rcv_nxt, &list, &bufs);

	reassembling_release(it, &list);
	return bytes;
}

/* Pieces of [start, end) in order without gaps; their number, and their buffers in *bufs. */
static inline uint32_t
reassembling_check_list(const struct reassembling *it, const struct weir_held_list *list,
			uint32_t start, uint32_t end, uint32_t *bufs)
{
	uint32_t n = 0, last = 0;

	*bufs = 0;
	for (uint32_t i = list->head; i != 0; i = it->held.nodes[i].next) {
		const struct weir_held *piece = &it->held.nodes[i];

		ck_assert(piece->seq == start);
		ck_assert(piece->len != 0);
		start += piece->len;
		*bufs += piece->buf->nb_segs;
		last = i;
		n++;
	}
	ck_assert(start == end);
	ck_assert(list->tail == last);
	return n;
}

/* Ranges in order, apart, filled by their pieces; the totals are what a recount gives. */
static inline void
reassembling_check(const struct reassembling *it)
{
	const struct weir_ranges *set = &it->r->ranges;
	uint32_t idx = weir_ranges_first(&it->pool.ranges, set);
	uint32_t count = 0, bytes = 0, bufs = 0, pieces = 0, end = 0;

	while (idx != 0) {
		const struct weir_range *range = &it->pool.ranges.nodes[idx];
		uint32_t own;

		ck_assert(count == 0 || weir_seq_lt(end, range->start));
		ck_assert(weir_seq_lt(range->start, range->end));
		pieces += reassembling_check_list(it, &range->held, range->start, range->end, &own);
		ck_assert(range->bufs == own);
		end = range->end;
		bytes += end - range->start;
		bufs += own;
		count++;
		idx = weir_ranges_after(&it->pool.ranges, set, end);
	}
	ck_assert(it->r->ranges.count == count);
	ck_assert(it->pool.ranges.used == count);
	ck_assert(it->held.used == pieces);
	ck_assert(it->r->bytes == bytes);
	ck_assert(it->r->bufs == bufs);
	ck_assert(weir_reass_empty(it->r) == (count == 0));
	ck_assert(weir_reass_end(&it->pool, it->r, 77) == (count == 0 ? 77 : end));
}

#endif
