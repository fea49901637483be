/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/asking.h"

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
	/* Offset behind the Ethernet header, value: each makes the request one not to be answered.
	 */
	static const uint8_t change[][2] = {
	    {0, 1}, {1, 6}, {2, 0x86}, {3, 1},	   {4, 8},     {5, 16},	  {6, 1},
	    {7, 2}, {7, 3}, {8, 0x03}, {14, 0xe0}, {14, 0xff}, {14, 127}, {27, 9},
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
	weir_parse_init(&f.parse, frame_local_mac, FRAME_LOCAL_IP, true, 0);
	put_arp(&in, 1, frame_remote_mac, FRAME_REMOTE_IP, no_mac, FRAME_LOCAL_IP);
	other.buf = frame_of(&f, &in, 0);
	reply = weir_neighbour_handle(&f.parse, &other);
	ck_assert_ptr_null(reply.frame);
	ck_assert_uint_eq(reply.reason, WEIR_DROP_ARP);
	weir_buf_free(&f.pool, other.buf);
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
}

UNIT_MAIN("neighbour_arp", add)
