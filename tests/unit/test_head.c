/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/parsing.h"

static struct parsing p;

/* ---- link ---- */

START_TEST(destination_must_be_ours)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	parsing_open(&p);
	ck_assert_taken(&p);
	for (int byte = 0; byte < 6; byte++) {
		memcpy(p.spec.dst_mac, frame_local_mac, 6);
		p.spec.dst_mac[byte] ^= 0x40;
		ck_assert_drop(&p, FRAME_NOT_OURS);
	}
	memcpy(p.spec.dst_mac, broadcast, 6);
	ck_assert_drop(&p, FRAME_NOT_OURS);
	p.spec.ethertype = 0x86dd;
	ck_assert_drop(&p, FRAME_NOT_OURS);
	p.spec.ethertype = 0x0806;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.n_others, 1);
	p.spec.dst_mac[0] = 0x01; /* multicast is for nobody here */
	ck_assert_drop(&p, FRAME_NOT_OURS);
	parsing_close(&p);
}
END_TEST

START_TEST(ethertypes)
{
	parsing_open(&p);
	p.spec.ethertype = 0x86dd;
	ck_assert_drop(&p, IP_NOT_OURS); /* the port has no address of IPv6 */
	p.spec.ethertype = 0x88cc;
	ck_assert_drop(&p, ETHERTYPE);
	p.spec.ethertype = 0x05dc; /* a length: 802.3 */
	ck_assert_drop(&p, ETHERTYPE);
	p.spec.n_tags = 1;
	p.spec.tci[0] = 5;
	p.spec.ethertype = 0x86dd;
	ck_assert_drop(&p, IP_NOT_OURS); /* the port has no address of IPv6 */
	parsing_close(&p);
}
END_TEST

START_TEST(arp_is_for_the_neighbour_room)
{
	parsing_open(&p);
	p.spec.ethertype = 0x0806;
	for (uint8_t n_tags = 0; n_tags <= 2; n_tags++) {
		p.spec.n_tags = n_tags;
		p.spec.tci[0] = p.spec.tci[1] = 9;
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.n_others, 1);
		ck_assert_uint_eq(p.out.others[0].kind, WEIR_OTHER_ARP);
		ck_assert_uint_eq(p.out.others[0].l3_off, 14 + 4 * n_tags);
		ck_assert_uint_eq(p.out.others[0].l4_len, 40);
		ck_assert_uint_eq(p.out.others[0].vlan, n_tags == 0 ? 0 : n_tags == 1 ? 9 : 0x9009);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(bare_packets)
{
	parsing_open(&p);
	parsing_listen(&p, true, FRAME_LOCAL_IP);
	p.spec.l3 = 1;
	p.spec.payload = "weir";
	p.spec.len = 4;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.segs[0].data_off, 40);
	ck_assert_uint_eq(p.out.segs[0].opt_off, 40);
	ck_assert_uint_eq(p.parse.frame_max, 44);
	p.spec.version_ihl = 0x65;
	ck_assert_drop(&p, IP_NOT_OURS); /* the port has no address of IPv6 */
	p.spec.version_ihl = 0x75;
	ck_assert_drop(&p, IP_HEADER);
	parsing_close(&p);
}
END_TEST

/* ---- tags ---- */

/* The flow domain of the frame that p.spec describes, with tags that the port stripped beside it.
 */
static uint32_t
vlan_of(uint64_t flags, uint16_t tci, uint16_t outer)
{
	struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);

	buf->ol_flags = flags;
	buf->vlan_tci = tci;
	buf->vlan_tci_outer = outer;
	parsing_one(&p, buf);
	weir_buf_free(&p.pool, buf);
	return p.out.n_segs != 0 ? p.out.keys[0].vlan : UINT32_MAX - p.out.rejects[0].reason;
}

#define STRIPPED (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED)
#define QINQ	 (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED)

static void
tags(uint8_t n, uint16_t first, uint16_t second)
{
	p.spec.n_tags = n;
	p.spec.tci[0] = first;
	p.spec.tci[1] = second;
}

START_TEST(pitfall_08_one_domain_however_tagged)
{
	parsing_open(&p);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 0);
	/* One tag: in the frame, stripped, or seen by the port and left in the frame. */
	tags(1, 0xe123, 0);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 0x123);
	ck_assert_uint_eq(vlan_of(RTE_MBUF_F_RX_VLAN, 0xe123, 0), 0x123);
	tags(0, 0, 0);
	ck_assert_uint_eq(vlan_of(STRIPPED, 0x2123, 0), 0x123);
	/* Two: both in the frame, the outer stripped in either manner, both stripped. */
	tags(2, 0x0abc, 0x6123);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 0xabc123);
	ck_assert_uint_eq(vlan_of(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_QINQ, 0x6123, 0x0abc),
			  0xabc123);
	tags(1, 0x6123, 0);
	ck_assert_uint_eq(vlan_of(STRIPPED, 0x0abc, 0), 0xabc123);
	ck_assert_uint_eq(vlan_of(QINQ, 0x6123, 0x0abc), 0xabc123);
	tags(0, 0, 0);
	ck_assert_uint_eq(vlan_of(QINQ | STRIPPED, 0x6123, 0x0abc), 0xabc123);
	parsing_close(&p);
}
END_TEST

/* A fast frame's stale tag fields mean nothing without their flags. */
START_TEST(pitfall_08_fields_without_flags)
{
	parsing_open(&p);
	ck_assert_uint_eq(vlan_of(0, 0x123, 0xabc), 0);
	ck_assert_uint_eq(vlan_of(RTE_MBUF_F_RX_VLAN, 0x123, 0xabc), 0);
	parsing_close(&p);
}
END_TEST

/* VID 0 is a priority only (802.1p): the same flow as without that tag. */
START_TEST(pitfall_08_priority_tags)
{
	parsing_open(&p);
	tags(1, 0xe000, 0);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 0);
	tags(0, 0, 0);
	ck_assert_uint_eq(vlan_of(STRIPPED, 0xe000, 0), 0);
	tags(2, 0xe000, 7);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 7);
	tags(2, 7, 0xe000);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 7);
	tags(2, 0, 0);
	ck_assert_uint_eq(vlan_of(0, 0, 0), 0);
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_08_tag_types_and_depth)
{
	static const uint16_t tpids[] = {0x8100, 0x88a8, 0x9100};

	parsing_open(&p);
	for (int i = 0; i < 9; i++) {
		tags(2, 1, 2);
		p.spec.tpid[0] = tpids[i / 3];
		p.spec.tpid[1] = tpids[i % 3];
		ck_assert_uint_eq(vlan_of(0, 0, 0), 0x1002);
	}
	p.spec.n_tags = 3;
	p.spec.tci[2] = 3;
	ck_assert_drop(&p, VLAN_DEPTH);
	tags(2, 1, 2);
	ck_assert_uint_eq(vlan_of(STRIPPED, 3, 0), UINT32_MAX - WEIR_DROP_VLAN_DEPTH);
	ck_assert_uint_eq(vlan_of(QINQ, 3, 3), UINT32_MAX - WEIR_DROP_VLAN_DEPTH);
	tags(1, 1, 0);
	ck_assert_uint_eq(vlan_of(QINQ | STRIPPED, 3, 3), UINT32_MAX - WEIR_DROP_VLAN_DEPTH);
	parsing_close(&p);
}
END_TEST

/* ---- IPv4 ---- */

START_TEST(pitfall_04_total_length)
{
	parsing_open(&p);
	p.spec.payload = "0123456789";
	p.spec.len = 10;
	p.spec.ip_total_delta = 1;
	ck_assert_drop(&p, FRAME_TRUNCATED);
	p.spec.ip_total_delta = 60000;
	ck_assert_drop(&p, FRAME_TRUNCATED);
	p.spec.ip_total_delta = -(50 - 19); /* below the IP header itself */
	ck_assert_drop(&p, IP_HEADER);
	p.spec.ip_total_delta = -50;
	ck_assert_drop(&p, IP_HEADER);
	p.spec.ip_total_delta = -(50 - 20); /* an IP packet without any TCP */
	ck_assert_drop(&p, TCP_HEADER);
	p.spec.ip_total_delta = -(50 - 39);
	ck_assert_drop(&p, TCP_HEADER);
	parsing_close(&p);
}
END_TEST

START_TEST(version_and_header_length)
{
	parsing_open(&p);
	for (unsigned int version_ihl = 1; version_ihl < 256; version_ihl++) {
		p.spec.version_ihl = (uint8_t)version_ihl;
		if (version_ihl >> 4 != 4 || (version_ihl & 15) < 5)
			ck_assert_drop(&p, IP_HEADER);
	}
	p.spec.version_ihl = 0x4f; /* 60 bytes of header in a frame of 54 */
	ck_assert_drop(&p, FRAME_TRUNCATED);
	parsing_close(&p);
}
END_TEST

START_TEST(header_checksum_is_always_verified)
{
	static const uint64_t claims[] = {0, RTE_MBUF_F_RX_IP_CKSUM_GOOD,
					  RTE_MBUF_F_RX_IP_CKSUM_BAD};
	static const uint8_t options[] = {1, 1, 1, 1};

	parsing_open(&p);
	for (int with_options = 0; with_options < 2; with_options++) {
		p.spec.ip_options = options;
		p.spec.ip_options_len = with_options ? 4 : 0;
		for (int i = 0; i < 3; i++) {
			p.spec.bad_ip_csum = 0;
			parsing_flags(&p, claims[i]);
			ck_assert_uint_eq(p.out.n_segs, 1);
			p.spec.bad_ip_csum = 1;
			parsing_flags(&p, claims[i]);
			ck_assert_uint_eq(p.out.n_rejects, 1);
			ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_IP_CHECKSUM);
		}
		/* NONE: verified by the port, the field is not valid. */
		parsing_flags(&p, RTE_MBUF_F_RX_IP_CKSUM_NONE);
		ck_assert_uint_eq(p.out.n_segs, 1);
	}
	parsing_close(&p);
}
END_TEST

/* A port that merges may leave the sum of the first header; unless it claims, it is verified. */
START_TEST(pitfall_11_stale_header_of_merged_frames)
{
	parsing_open(&p);
	p.spec.bad_ip_csum = 1;
	parsing_flags(&p, RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_IP_CKSUM_GOOD);
	ck_assert_uint_eq(p.out.n_segs, 1);
	parsing_flags(&p, RTE_MBUF_F_RX_LRO);
	ck_assert_uint_eq(p.out.n_rejects, 1);
	ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_IP_CHECKSUM);
	parsing_close(&p);
}
END_TEST

START_TEST(addresses)
{
	static const uint32_t bad[] = {0x00000000, 0x00000001, 0x7f000001, 0x7fffffff,
				       0xe0000001, 0xefffffff, 0xffffffff};
	static const uint32_t good[] = {0x01000001, 0x7e000001, 0x80000001, 0xdfffffff, 0xc0000203};

	parsing_open(&p);
	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		p.spec.src = bad[i];
		ck_assert_drop(&p, IP_SOURCE);
	}
	for (size_t i = 0; i < RTE_DIM(good); i++) {
		p.spec.src = good[i];
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.keys[0].raddr, good[i]);
	}
	for (int bit = 0; bit < 32; bit++) {
		p.spec.dst = FRAME_LOCAL_IP ^ 1u << bit;
		ck_assert_drop(&p, IP_NOT_OURS);
	}
	parsing_close(&p);
}
END_TEST

/* RFC 1122 3.2.1.3, RFC 4953 2.3: from ourselves, and from all of our network, once that is known. */
START_TEST(own_addresses_are_no_source)
{
	parsing_open(&p);
	p.spec.src = FRAME_LOCAL_IP;
	ck_assert_drop(&p, IP_SOURCE);
	p.spec.src = FRAME_LOCAL_IP | 0xff;
	ck_assert_taken(&p);
	weir_parse_set_ip(&p.parse, FRAME_LOCAL_IP, 24);
	ck_assert_drop(&p, IP_SOURCE);
	p.spec.src = FRAME_LOCAL_IP | 0x1ff;
	ck_assert_taken(&p);
	weir_parse_set_ip(&p.parse, FRAME_LOCAL_IP, 31); /* two hosts and nothing else */
	p.spec.src = FRAME_LOCAL_IP ^ 1;
	ck_assert_taken(&p);
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_06_fragments_are_not_segments)
{
	parsing_open(&p);
	for (uint32_t bit = 0; bit < 16; bit++) {
		p.spec.ip_frag = (uint16_t)(1u << bit);
		if (bit < 14) { /* offset, more fragments */
			ck_assert_taken(&p);
			ck_assert_uint_eq(p.out.n_others, 1);
			ck_assert_uint_eq(p.out.others[0].kind, WEIR_OTHER_FRAGMENT);
			continue;
		}
		/* don't fragment, reserved (RFC 6814 does not make it a reason) */
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.n_segs, 1);
	}
	p.spec.ip_frag = 0x2000;
	p.spec.protocol = 1;
	p.spec.payload = "pingpong";
	p.spec.len = 8;
	ck_assert_drop(&p, IP_FRAGMENT);
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_06_ip_options)
{
	uint8_t options[40];

	parsing_open(&p);
	memset(options, 1, sizeof(options));
	p.spec.ip_options = options;
	p.spec.payload = "0123456789";
	p.spec.len = 10;
	for (uint8_t len = 1; len <= 40; len++) {
		uint32_t room = (len + 3u) & ~3u;

		p.spec.ip_options_len = len;
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.segs[0].mark, WEIR_MARK_IP_OPTIONS);
		ck_assert_uint_eq(p.out.segs[0].data_off, 54 + room);
		ck_assert_uint_eq(p.out.segs[0].len, 10);
		ck_assert_uint_eq(p.out.keys[0].rport, 40000);
	}
	p.spec.ip_options_len = 0;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.segs[0].mark, 0);
	parsing_close(&p);
}
END_TEST

START_TEST(protocols)
{
	parsing_open(&p);
	p.spec.payload = "as long as a TCP header and so mistaken for one";
	p.spec.len = 44;
	p.spec.pad = 18;
	for (unsigned int protocol = 1; protocol < 256; protocol++) {
		p.spec.protocol = (uint8_t)protocol;
		if (protocol != 1 && protocol != 6)
			ck_assert_drop(&p, IP_PROTOCOL);
	}
	p.spec.protocol = 1;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.n_others, 1);
	ck_assert_uint_eq(p.out.others[0].kind, WEIR_OTHER_ICMP);
	ck_assert_uint_eq(p.out.others[0].l3_off, 14);
	ck_assert_uint_eq(p.out.others[0].l4_off, 34);
	ck_assert_uint_eq(p.out.others[0].l4_len, 44);
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, destination_must_be_ours);
	UNIT_CASE(s, ethertypes);
	UNIT_CASE(s, arp_is_for_the_neighbour_room);
	UNIT_CASE(s, bare_packets);
	UNIT_CASE(s, pitfall_08_one_domain_however_tagged);
	UNIT_CASE(s, pitfall_08_fields_without_flags);
	UNIT_CASE(s, pitfall_08_priority_tags);
	UNIT_CASE(s, pitfall_08_tag_types_and_depth);
	UNIT_CASE(s, pitfall_04_total_length);
	UNIT_CASE(s, version_and_header_length);
	UNIT_CASE(s, header_checksum_is_always_verified);
	UNIT_CASE(s, pitfall_11_stale_header_of_merged_frames);
	UNIT_CASE(s, addresses);
	UNIT_CASE(s, own_addresses_are_no_source);
	UNIT_CASE(s, pitfall_06_fragments_are_not_segments);
	UNIT_CASE(s, pitfall_06_ip_options);
	UNIT_CASE(s, protocols);
}

UNIT_MAIN("head", add)
