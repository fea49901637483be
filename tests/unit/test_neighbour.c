/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/asking.h"

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
	weir_parse_init(&f.parse, frame_local_mac, FRAME_LOCAL_IP, true, 0);
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
