/* SPDX-License-Identifier: BSD-3-Clause */
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

static void
set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	ck_assert_int_eq(weir_pool_open_heap(&f->pool, 512, ROOM), 0);
	memcpy(f->parse.mac, frame_local_mac, 6);
	f->parse.ip = FRAME_LOCAL_IP;
}

static void
tear_down(struct fixture *f)
{
	ck_assert_uint_eq(weir_pool_close(&f->pool), 0);
}

static void
put(struct bytes *b, const void *from, uint32_t len)
{
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

static void
put16(struct bytes *b, uint32_t v)
{
	weir_store_be16(b->at + b->len, (uint16_t)v);
	b->len += 2;
}

static void
put32(struct bytes *b, uint32_t v)
{
	weir_store_be32(b->at + b->len, v);
	b->len += 4;
}

/* n_tags of {802.1ad when two, 802.1Q} with VID 100 + i. */
static void
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

static void
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

static uint16_t
sum_of(const uint8_t *p, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
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
static struct echo
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
static struct rte_mbuf *
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

/* Through the parser, which must find it one for the neighbour room, to an answer or a reason. */
static struct weir_neighbour_reply
handle(struct fixture *f, struct rte_mbuf *buf)
{
	struct weir_neighbour_reply reply;

	weir_parse_burst(&f->parse, &buf, 1, &f->parsed);
	ck_assert_uint_eq(f->parsed.n_others, 1);
	f->other = f->parsed.others[0];
	reply = weir_neighbour_handle(&f->parse, &f->other);
	if (reply.frame != NULL) {
		ck_assert_ptr_eq(reply.frame, buf);
		rte_mbuf_sanity_check(reply.frame, 1);
		f->got_len = weir_chain_copy(reply.frame, 0, BYTES, f->got);
		ck_assert_uint_eq(f->got_len, reply.frame->pkt_len);
		ck_assert_uint_eq(reply.frame->ol_flags, 0);
	}
	weir_buf_free(&f->pool, buf);
	return reply;
}

static void
assert_reply(struct fixture *f, struct rte_mbuf *buf, const struct bytes *expected)
{
	struct weir_neighbour_reply reply = handle(f, buf);

	ck_assert_ptr_nonnull(reply.frame);
	ck_assert_uint_eq(f->got_len, expected->len);
	ck_assert_mem_eq(f->got, expected->at, expected->len);
}

/* No answer, the named reason, and not a byte of the frame changed. */
static void
assert_drop(struct fixture *f, const struct bytes *b, uint32_t reason)
{
	struct rte_mbuf *buf = frame_of(f, b, 0);
	struct weir_neighbour_reply reply;

	weir_buf_ref(buf);
	reply = handle(f, buf);
	ck_assert_ptr_null(reply.frame);
	rte_mbuf_refcnt_set(buf, 1);
	weir_parse_burst(&f->parse, &buf, 1, &f->parsed);
	reply = weir_neighbour_handle(&f->parse, &f->parsed.others[0]);
	ck_assert_ptr_null(reply.frame);
	ck_assert_uint_eq(reply.reason, reason);
	ck_assert_uint_eq(buf->pkt_len, b->len);
	ck_assert_mem_eq(rte_pktmbuf_mtod(buf, void *), b->at, b->len);
	weir_buf_free(&f->pool, buf);
}

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t group_mac[6] = {0x01, 0, 0x5e, 0, 0, 1};
static const uint8_t no_mac[6];

static void
arp_request(struct bytes *b, int n_tags)
{
	put_ethernet(b, broadcast, frame_remote_mac, n_tags, 0x0806);
	put_arp(b, 1, frame_remote_mac, FRAME_REMOTE_IP, no_mac, FRAME_LOCAL_IP);
}

static void
arp_reply(struct bytes *b, int n_tags)
{
	put_ethernet(b, frame_remote_mac, frame_local_mac, n_tags, 0x0806);
	put_arp(b, 2, frame_local_mac, FRAME_LOCAL_IP, frame_remote_mac, FRAME_REMOTE_IP);
}

static void
echo_request(struct bytes *b, int n_tags)
{
	put_ethernet(b, frame_local_mac, frame_remote_mac, n_tags, 0x0800);
	put_echo(b, &request);
}

static void
echo_reply(struct bytes *b, int n_tags)
{
	struct echo reply = reply_to(&request);

	put_ethernet(b, frame_remote_mac, frame_local_mac, n_tags, 0x0800);
	put_echo(b, &reply);
}

/* Every split, tag count and amount of padding gives the same bytes. */
START_TEST(arp_request_is_answered)
{
	struct bytes in, out;
	struct fixture f;

	set_up(&f);
	for (int tags = 0; tags <= 2; tags++) {
		arp_reply(&out, tags);
		for (uint32_t split = 0; split < 40; split++) {
			arp_request(&in, tags);
			assert_reply(&f, frame_of(&f, &in, split), &out);
		}
		arp_request(&in, tags);
		memset(in.at + in.len, 0x55, 18);
		in.len += 18;
		assert_reply(&f, frame_of(&f, &in, 0), &out);
	}
	tear_down(&f);
}
END_TEST

START_TEST(arp_probe_is_answered)
{
	struct bytes in, out;
	struct fixture f;

	set_up(&f);
	put_ethernet(&in, broadcast, frame_remote_mac, 0, 0x0806);
	put_arp(&in, 1, frame_remote_mac, 0, no_mac, FRAME_LOCAL_IP);
	put_ethernet(&out, frame_remote_mac, frame_local_mac, 0, 0x0806);
	put_arp(&out, 2, frame_local_mac, FRAME_LOCAL_IP, frame_remote_mac, 0);
	assert_reply(&f, frame_of(&f, &in, 0), &out);
	tear_down(&f);
}
END_TEST

START_TEST(other_arp_is_dropped)
{
	/* Offset behind the Ethernet header, value: each makes the request one not to be answered. */
	static const uint8_t change[][2] = {
	    {0, 1}, {1, 6}, {2, 0x86}, {3, 1}, {4, 8}, {5, 16}, {6, 1}, {7, 2}, {7, 3},
	    {8, 0x03}, {14, 0xe0}, {14, 0xff}, {14, 127}, {27, 9},
	};
	struct bytes in;
	struct fixture f;

	set_up(&f);
	for (size_t i = 0; i < RTE_DIM(change); i++) {
		arp_request(&in, 0);
		in.at[14 + change[i][0]] = change[i][1];
		assert_drop(&f, &in, WEIR_DROP_ARP);
	}
	/* Somebody claims our address. */
	put_ethernet(&in, broadcast, frame_remote_mac, 0, 0x0806);
	put_arp(&in, 1, frame_remote_mac, FRAME_LOCAL_IP, no_mac, FRAME_LOCAL_IP);
	assert_drop(&f, &in, WEIR_DROP_ARP);
	tear_down(&f);
}
END_TEST

/* Whatever the parser lets through, a short message is not read beyond its end. */
START_TEST(short_arp_is_dropped)
{
	struct fixture f;

	set_up(&f);
	for (uint32_t len = 1; len < 28; len++) {
		struct weir_neighbour_reply reply;
		struct weir_other other = {.l3_off = 14, .kind = WEIR_OTHER_ARP};
		struct bytes in;

		arp_request(&in, 0);
		in.len = 14 + len;
		other.buf = frame_of(&f, &in, 0);
		other.l4_len = (uint16_t)len;
		reply = weir_neighbour_handle(&f.parse, &other);
		ck_assert_ptr_null(reply.frame);
		ck_assert_uint_eq(reply.reason, WEIR_DROP_ARP);
		weir_buf_free(&f.pool, other.buf);
	}
	tear_down(&f);
}
END_TEST

START_TEST(no_arp_on_bare_ip)
{
	struct weir_other other = {.kind = WEIR_OTHER_ARP};
	struct weir_neighbour_reply reply;
	struct bytes in = {.len = 0};
	struct fixture f;

	set_up(&f);
	f.parse.l3 = true;
	put_arp(&in, 1, frame_remote_mac, FRAME_REMOTE_IP, no_mac, FRAME_LOCAL_IP);
	other.buf = frame_of(&f, &in, 0);
	reply = weir_neighbour_handle(&f.parse, &other);
	ck_assert_ptr_null(reply.frame);
	ck_assert_uint_eq(reply.reason, WEIR_DROP_ARP);
	weir_buf_free(&f.pool, other.buf);
	tear_down(&f);
}
END_TEST

START_TEST(echo_is_answered)
{
	struct bytes in, out;
	struct fixture f;

	set_up(&f);
	for (int tags = 0; tags <= 2; tags++) {
		echo_reply(&out, tags);
		echo_request(&in, tags);
		for (uint32_t split = 0; split < in.len; split++)
			assert_reply(&f, frame_of(&f, &in, split), &out);
	}
	tear_down(&f);
}
END_TEST

START_TEST(echo_on_bare_ip)
{
	struct echo reply = reply_to(&request);
	struct bytes in = {.len = 0}, out = {.len = 0};
	struct fixture f;

	set_up(&f);
	f.parse.l3 = true;
	put_echo(&in, &request);
	put_echo(&out, &reply);
	assert_reply(&f, frame_of(&f, &in, 0), &out);
	assert_reply(&f, frame_of(&f, &in, 13), &out);
	tear_down(&f);
}
END_TEST

/* Lengths odd and even, so that the checksum passes through all its carries. */
START_TEST(echo_of_any_length)
{
	struct fixture f;

	set_up(&f);
	for (uint32_t len = 0; len < 1400; len += 1 + len / 60) {
		struct bytes in, out;
		struct echo echo = request, reply;

		echo.len = len;
		reply = reply_to(&echo);
		put_ethernet(&in, frame_local_mac, frame_remote_mac, 0, 0x0800);
		put_echo(&in, &echo);
		put_ethernet(&out, frame_remote_mac, frame_local_mac, 0, 0x0800);
		put_echo(&out, &reply);
		assert_reply(&f, frame_of(&f, &in, 0), &out);
		assert_reply(&f, frame_of(&f, &in, 61), &out);
	}
	tear_down(&f);
}
END_TEST

START_TEST(pitfall_04_padding_is_not_echoed)
{
	struct bytes in, out;
	struct fixture f;

	set_up(&f);
	echo_reply(&out, 0);
	for (uint32_t pad = 1; pad < 30; pad++) {
		echo_request(&in, 0);
		memset(in.at + in.len, 0xaa, pad);
		in.len += pad;
		assert_reply(&f, frame_of(&f, &in, 0), &out);
		/* The message ends in the last segment. */
		assert_reply(&f, frame_of(&f, &in, out.len - 5), &out);
	}
	tear_down(&f);
}
END_TEST

START_TEST(padding_in_segments_of_its_own_stays)
{
	struct bytes in, out;
	struct fixture f;
	struct weir_neighbour_reply reply;

	set_up(&f);
	echo_reply(&out, 0);
	echo_request(&in, 0);
	memset(in.at + in.len, 0xaa, 20);
	in.len += 20;
	reply = handle(&f, frame_of(&f, &in, out.len));
	ck_assert_ptr_nonnull(reply.frame);
	ck_assert_uint_eq(f.got_len, in.len);
	ck_assert_mem_eq(f.got, out.at, out.len);
	tear_down(&f);
}
END_TEST

START_TEST(other_icmp_is_dropped)
{
	struct echo echo;
	struct bytes in;
	struct fixture f;

	set_up(&f);
	for (uint32_t type = 0; type < 256; type++) {
		if (type == 8)
			continue;
		echo = request;
		echo.type = (uint8_t)type;
		put_ethernet(&in, frame_local_mac, frame_remote_mac, 0, 0x0800);
		put_echo(&in, &echo);
		assert_drop(&f, &in, WEIR_DROP_ICMP);
	}
	/* Code 1, with a checksum to match. */
	echo_request(&in, 0);
	in.at[35] = 1;
	weir_store_be16(in.at + 36, 0);
	weir_store_be16(in.at + 36, sum_of(in.at + 34, 8 + request.len));
	assert_drop(&f, &in, WEIR_DROP_ICMP);
	tear_down(&f);
}
END_TEST

START_TEST(damaged_echo_is_dropped)
{
	struct bytes in;
	struct fixture f;

	set_up(&f);
	echo_request(&in, 0);
	for (uint32_t off = 34; off < in.len; off++) {
		in.at[off] ^= 0x10;
		assert_drop(&f, &in, WEIR_DROP_ICMP);
		in.at[off] ^= 0x10;
	}
	tear_down(&f);
}
END_TEST

/* One frame must not be multiplied. */
START_TEST(echo_from_or_to_a_group_is_dropped)
{
	struct bytes in;
	struct fixture f;

	set_up(&f);
	put_ethernet(&in, broadcast, frame_remote_mac, 0, 0x0800);
	put_echo(&in, &request);
	assert_drop(&f, &in, WEIR_DROP_ICMP);
	put_ethernet(&in, frame_local_mac, group_mac, 0, 0x0800);
	put_echo(&in, &request);
	assert_drop(&f, &in, WEIR_DROP_ICMP);
	put_ethernet(&in, frame_local_mac, no_mac, 0, 0x0800);
	put_echo(&in, &request);
	assert_drop(&f, &in, WEIR_DROP_ICMP);
	tear_down(&f);
}
END_TEST

/* A frame that somebody else sees, too, is not written to, whichever segment is shared. */
START_TEST(shared_frame_is_dropped)
{
	struct bytes in;
	struct fixture f;

	set_up(&f);
	for (int shared = 0; shared < 4; shared++) {
		struct weir_neighbour_reply reply;
		struct rte_mbuf *buf, *seg;

		echo_request(&in, 0);
		seg = buf = frame_of(&f, &in, 30);
		for (int i = 0; i < shared; i++)
			seg = seg->next;
		ck_assert_ptr_nonnull(seg);
		rte_mbuf_refcnt_update(seg, 1);
		weir_parse_burst(&f.parse, &buf, 1, &f.parsed);
		reply = weir_neighbour_handle(&f.parse, &f.parsed.others[0]);
		ck_assert_ptr_null(reply.frame);
		ck_assert_uint_eq(reply.reason, WEIR_DROP_ICMP);
		weir_chain_copy(buf, 0, in.len, f.got);
		ck_assert_mem_eq(f.got, in.at, in.len);
		rte_mbuf_refcnt_update(seg, -1);
		weir_buf_free(&f.pool, buf);
	}
	tear_down(&f);
}
END_TEST

/* Take the outermost tags out of the frame, as a port does. */
static struct rte_mbuf *
strip(struct fixture *f, struct bytes *b, int n)
{
	struct rte_mbuf *buf;
	uint16_t tci[2];

	for (int i = 0; i < n; i++) {
		tci[i] = weir_load_be16(b->at + 14);
		memmove(b->at + 12, b->at + 16, b->len - 16);
		b->len -= 4;
	}
	buf = frame_of(f, b, 0);
	if (n >= 1) {
		buf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		buf->vlan_tci = tci[n - 1];
	}
	if (n == 2) {
		buf->ol_flags |= RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
		buf->vlan_tci_outer = tci[0];
	}
	return buf;
}

START_TEST(pitfall_08_stripped_tag_is_put_back)
{
	struct bytes in, out;
	struct fixture f;

	set_up(&f);
	for (int n = 1; n <= 2; n++) {
		arp_request(&in, n);
		arp_reply(&out, n);
		assert_reply(&f, strip(&f, &in, n), &out);
		echo_request(&in, n);
		echo_reply(&out, n);
		assert_reply(&f, strip(&f, &in, n), &out);
	}
	tear_down(&f);
}
END_TEST

/* The outer tag stripped, the inner one still in the frame. */
START_TEST(pitfall_08_stripped_and_inline_tags_mixed)
{
	struct bytes in, out;
	struct fixture f;

	set_up(&f);
	echo_request(&in, 2);
	echo_reply(&out, 2);
	weir_store_be16(out.at + 12, 0x8100); /* which kind the port stripped is not known */
	assert_reply(&f, strip(&f, &in, 1), &out);
	tear_down(&f);
}
END_TEST

START_TEST(no_room_for_a_stripped_tag)
{
	struct weir_neighbour_reply reply;
	struct rte_mbuf *buf;
	struct bytes in;
	struct fixture f;

	set_up(&f);
	arp_request(&in, 1);
	buf = strip(&f, &in, 1);
	memmove((uint8_t *)buf->buf_addr + 3, rte_pktmbuf_mtod(buf, void *), in.len);
	buf->data_off = 3;
	reply = handle(&f, buf);
	ck_assert_ptr_null(reply.frame);
	ck_assert_uint_eq(reply.reason, WEIR_DROP_ARP);
	tear_down(&f);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, arp_request_is_answered);
	UNIT_CASE(s, arp_probe_is_answered);
	UNIT_CASE(s, other_arp_is_dropped);
	UNIT_CASE(s, short_arp_is_dropped);
	UNIT_CASE(s, no_arp_on_bare_ip);
	UNIT_CASE(s, echo_is_answered);
	UNIT_CASE(s, echo_on_bare_ip);
	UNIT_CASE(s, echo_of_any_length);
	UNIT_CASE(s, pitfall_04_padding_is_not_echoed);
	UNIT_CASE(s, padding_in_segments_of_its_own_stays);
	UNIT_CASE(s, other_icmp_is_dropped);
	UNIT_CASE(s, damaged_echo_is_dropped);
	UNIT_CASE(s, echo_from_or_to_a_group_is_dropped);
	UNIT_CASE(s, shared_frame_is_dropped);
	UNIT_CASE(s, pitfall_08_stripped_tag_is_put_back);
	UNIT_CASE(s, pitfall_08_stripped_and_inline_tags_mixed);
	UNIT_CASE(s, no_room_for_a_stripped_tag);
}

UNIT_MAIN("neighbour", add)
