/* SPDX-License-Identifier: BSD-3-Clause */
/* ARP and echo messages byte by byte, and the neighbour room that answers them. */
#ifndef WEIR_TESTS_ASKING_H
#define WEIR_TESTS_ASKING_H

#include <string.h>

#include "engine/neighbour.h"
#include "tests/unit/frame.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/chain.h"

#define ROOM  (RTE_PKTMBUF_HEADROOM + 2048)
#define BYTES 2048

struct fixture {
	struct weir_pool pool;
	struct weir_parse parse;
	struct weir_parsed parsed;
	struct weir_other other;
	uint8_t got[BYTES];
	uint32_t got_len;
};

/* Bytes of a frame while it is written. */
struct bytes {
	uint8_t at[BYTES];
	uint32_t len;
};

static inline void
set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(weir_pool_open_heap(&f->pool, 512, ROOM), 0);
	weir_parse_init(&f->parse, frame_local_mac, FRAME_LOCAL_IP, false, 0);
}

static inline void
tear_down(struct fixture *f)
{
	ck_assert_uint_eq(weir_pool_close(&f->pool), 0);
}

static inline void
put(struct bytes *b, const void *from, uint32_t len)
{
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

static inline void
put16(struct bytes *b, uint32_t v)
{
	weir_store_be16(b->at + b->len, (uint16_t)v);
	b->len += 2;
}

static inline void
put32(struct bytes *b, uint32_t v)
{
	weir_store_be32(b->at + b->len, v);
	b->len += 4;
}

/* n_tags of {802.1ad when two, 802.1Q} with VID 100 + i. */
static inline void
put_ethernet(struct bytes *b, const uint8_t *dst, const uint8_t *src, int n_tags, uint32_t type)
{
	b->len = 0;
	put(b, dst, 6);
	put(b, src, 6);
	for (int i = 0; i < n_tags; i++) {
		put16(b, n_tags == 2 && i == 0 ? 0x88a8 : 0x8100);
		put16(b, 0x6000 + 100 + (uint32_t)i);
	}
	put16(b, type);
}

static inline void
put_arp(struct bytes *b, uint32_t op, const uint8_t *sha, uint32_t spa, const uint8_t *tha,
	uint32_t tpa)
{
	put16(b, 1);
	put16(b, 0x0800);
	put16(b, 0x0604);
	put16(b, op);
	put(b, sha, 6);
	put32(b, spa);
	put(b, tha, 6);
	put32(b, tpa);
}

struct echo {
	uint32_t src, dst;
	uint8_t type, tos, ttl;
	uint16_t id, frag;
	uint32_t len; /* of the data */
};

static inline uint16_t
sum_of(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void
put_echo(struct bytes *b, const struct echo *echo)
{
	uint32_t ip = b->len, icmp = ip + 20;

	put16(b, 0x4500u | echo->tos);
	put16(b, 28 + echo->len);
	put16(b, echo->id);
	put16(b, echo->frag);
	put16(b, (uint32_t)echo->ttl << 8 | 1);
	put16(b, 0);
	put32(b, echo->src);
	put32(b, echo->dst);
	weir_store_be16(b->at + ip + 10, sum_of(b->at + ip, 20));
	put16(b, (uint32_t)echo->type << 8);
	put16(b, 0);
	put32(b, 0xbeef0001);
	for (uint32_t i = 0; i < echo->len; i++)
		b->at[b->len++] = (uint8_t)(i * 37 + 11);
	weir_store_be16(b->at + icmp + 2, sum_of(b->at + icmp, 8 + echo->len));
}

static const struct echo request = {
    .src = FRAME_REMOTE_IP,
    .dst = FRAME_LOCAL_IP,
    .type = 8,
    .tos = 0xb9,
    .ttl = 3,
    .id = 0x4711,
    .len = 57,
};

/* What comes back: our TTL, no ECN, DF and no identification. */
static inline struct echo
reply_to(const struct echo *echo)
{
	return (struct echo){
	    .src = echo->dst,
	    .dst = echo->src,
	    .type = 0,
	    .tos = echo->tos & 0xfc,
	    .ttl = 64,
	    .frag = 0x4000,
	    .len = echo->len,
	};
}

/* A chain of segments of `split` bytes each, 0: one. */
static inline struct rte_mbuf *
frame_of(struct fixture *f, const struct bytes *b, uint32_t split)
{
	struct rte_mbuf *head = NULL, **tail = &head;
	uint16_t n = 0;

	for (uint32_t off = 0; off < b->len; n++) {
		uint32_t len = split != 0 && split < b->len - off ? split : b->len - off;

		*tail = weir_buf_alloc(&f->pool);
		ck_assert_ptr_nonnull(*tail);
		(*tail)->data_len = (uint16_t)len;
		memcpy(rte_pktmbuf_mtod(*tail, void *), b->at + off, len);
		off += len;
		tail = &(*tail)->next;
	}
	head->nb_segs = n;
	head->pkt_len = b->len;
	return head;
}

static inline void
assert_sound(const struct rte_mbuf *buf)
{
	uint32_t len = 0, n = 0;

	for (const struct rte_mbuf *seg = buf; seg != NULL; seg = seg->next, n++)
		len += seg->data_len;
	ck_assert_uint_eq(len, buf->pkt_len);
	ck_assert_uint_eq(n, buf->nb_segs);
}

/* Through the parser, which must find it one for the neighbour room, to an answer or a reason. */
static inline struct weir_neighbour_reply
handle(struct fixture *f, struct rte_mbuf *buf)
{
	struct weir_neighbour_reply reply;

	weir_parse_burst(&f->parse, &buf, 1, &f->parsed);
	ck_assert_uint_eq(f->parsed.n_others, 1);
	f->other = f->parsed.others[0];
	reply = weir_neighbour_handle(&f->parse, &f->other);
	if (reply.frame != NULL) {
		ck_assert_ptr_eq(reply.frame, buf);
		assert_sound(reply.frame);
		f->got_len = weir_chain_copy(reply.frame, 0, BYTES, f->got);
		ck_assert_uint_eq(f->got_len, reply.frame->pkt_len);
		ck_assert_uint_eq(reply.frame->ol_flags, 0);
	}
	weir_buf_free(&f->pool, buf);
	return reply;
}

static inline void
assert_reply(struct fixture *f, struct rte_mbuf *buf, const struct bytes *expected)
{
	struct weir_neighbour_reply reply = handle(f, buf);

	ck_assert_ptr_nonnull(reply.frame);
	ck_assert_uint_eq(f->got_len, expected->len);
	ck_assert_mem_eq(f->got, expected->at, expected->len);
}

/*
 * No answer, the named reason, and not a byte of the untagged frame changed. It need not pass the
 * parser, which refuses some of these itself.
 */
static inline void
assert_drop(struct fixture *f, const struct bytes *b, uint32_t reason)
{
	struct weir_other other = {
	    .buf = frame_of(f, b, 0),
	    .l3_off = 14,
	    .l4_off = 34,
	    .l4_len = (uint16_t)(b->len - 34),
	    .kind = reason == WEIR_DROP_ARP ? WEIR_OTHER_ARP : WEIR_OTHER_ICMP,
	};
	struct weir_neighbour_reply reply = weir_neighbour_handle(&f->parse, &other);

	ck_assert_ptr_null(reply.frame);
	ck_assert_uint_eq(reply.reason, reason);
	ck_assert_uint_eq(other.buf->pkt_len, b->len);
	ck_assert_mem_eq(rte_pktmbuf_mtod(other.buf, void *), b->at, b->len);
	weir_buf_free(&f->pool, other.buf);
}

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t group_mac[6] = {0x01, 0, 0x5e, 0, 0, 1};
static const uint8_t no_mac[6];

static inline void
arp_request(struct bytes *b, int n_tags)
{
	put_ethernet(b, broadcast, frame_remote_mac, n_tags, 0x0806);
	put_arp(b, 1, frame_remote_mac, FRAME_REMOTE_IP, no_mac, FRAME_LOCAL_IP);
}

static inline void
arp_reply(struct bytes *b, int n_tags)
{
	put_ethernet(b, frame_remote_mac, frame_local_mac, n_tags, 0x0806);
	put_arp(b, 2, frame_local_mac, FRAME_LOCAL_IP, frame_remote_mac, FRAME_REMOTE_IP);
}

static inline void
echo_request(struct bytes *b, int n_tags)
{
	put_ethernet(b, frame_local_mac, frame_remote_mac, n_tags, 0x0800);
	put_echo(b, &request);
}

static inline void
echo_reply(struct bytes *b, int n_tags)
{
	struct echo reply = reply_to(&request);

	put_ethernet(b, frame_remote_mac, frame_local_mac, n_tags, 0x0800);
	put_echo(b, &reply);
}

#endif
