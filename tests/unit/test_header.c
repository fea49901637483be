/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "tests/unit/frame.h"
#include "tests/unit/random.h"
#include "tests/unit/unit.h"
#include "wire/bytes.h"
#include "wire/header.h"
#include "wire/seg.h"

static const struct weir_key4 key = {
    .raddr = FRAME_REMOTE_IP, .laddr = FRAME_LOCAL_IP, .rport = 40000, .lport = 9000};

#define LABEL 0xabcde

/* The same ends over IPv6. */
static const struct weir_key key6 = {
    .raddr_high = {0x20010db8, 0, 0}, .low = {.raddr = 2, .rport = 40000, .lport = 9000}};

static struct weir_link
link_of(uint8_t n_tags, uint8_t l3)
{
	/* of two tags the outer one is 802.1ad */
	struct weir_link link = {.n_tags = n_tags, .l3 = l3, .tags = n_tags == 2};

	memcpy(link.local_mac, frame_local_mac, 6);
	memcpy(link.remote_mac, frame_remote_mac, 6);
	link.tci[0] = n_tags != 0 ? 0x6123 : 0;
	link.tci[1] = n_tags == 2 ? 0x0456 : 0;
	return link;
}

/* All links: number 0 to 3, and 4 to 7 over IPv6. */
static struct weir_header
header_of(int number, int has_ts)
{
	struct weir_link link = link_of((uint8_t)(number % 4 % 3), number % 4 == 3);
	struct weir_header header;

	memset(&header, 0xee, sizeof(header));
	link.local6 = frame_local_ip6;
	link.flow_label = LABEL;
	if (number < 4)
		weir_header_init(&header, &link, &key, has_ts);
	else
		weir_header_init6(&header, &link, &key6, has_ts);
	return header;
}

/* What the frame builder of the tests makes of the same packet. */
static uint32_t
expect(int number, const struct weir_packet *packet, const uint8_t *options, uint8_t len,
       uint8_t *to)
{
	struct weir_link link = link_of((uint8_t)(number % 4 % 3), number % 4 == 3);
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.ip6 = number >= 4;
	spec.flow_label = LABEL;
	memcpy(spec.src6, frame_local_ip6, 16);
	memcpy(spec.dst6, frame_remote_ip6, 16);
	memcpy(spec.src_mac, link.local_mac, 6);
	memcpy(spec.dst_mac, link.remote_mac, 6);
	spec.src = key.laddr;
	spec.dst = key.raddr;
	spec.sport = key.lport;
	spec.dport = key.rport;
	spec.n_tags = link.n_tags;
	spec.l3 = link.l3;
	memcpy(spec.tci, link.tci, sizeof(link.tci));
	spec.tpid[0] = link.n_tags == 2 ? 0x88a8 : 0x8100;
	spec.ip_id = 0;
	spec.ip_frag = 0x4000;
	spec.tos = packet->ecn;
	spec.seq = packet->seq;
	spec.ack = packet->ack;
	spec.flags = packet->flags;
	spec.win = packet->win;
	spec.tcp_options = options;
	spec.tcp_options_len = len;
	return frame_write(&spec, to);
}

static void
check_build(int number, int has_ts, const struct weir_packet *packet, const uint8_t *options,
	    uint8_t len)
{
	struct weir_header header = header_of(number, has_ts);
	uint8_t *built = malloc(WEIR_PACKET_MAX), want[220];
	uint32_t want_len = expect(number, packet, options, len, want);

	ck_assert_uint_eq(weir_header_build(&header, packet, built), want_len);
	ck_assert_mem_eq(built, want, want_len);
	free(built);
}

static uint8_t
put_ts(uint8_t *to, const struct weir_packet *packet)
{
	to[0] = 8;
	to[1] = 10;
	weir_store_be32(to + 2, packet->tsval);
	weir_store_be32(to + 6, packet->tsecr);
	return 10;
}

/* Options of a packet that is no SYN, as RFC 7323 appendix A and RFC 2018 lay them out. */
static uint8_t
plain_options(const struct weir_packet *packet, int has_ts, uint32_t n_sacks, uint8_t *to)
{
	uint8_t len = 0;

	if (has_ts) {
		to[0] = to[1] = 1;
		len = (uint8_t)(2 + put_ts(to + 2, packet));
	}
	if (n_sacks == 0)
		return len;
	to[len++] = 1;
	to[len++] = 1;
	to[len++] = 5;
	to[len++] = (uint8_t)(2 + 8 * n_sacks);
	for (uint32_t i = 0; i < n_sacks; i++)
		for (int edge = 0; edge < 2; edge++, len += 4)
			weir_store_be32(to + len, packet->sacks[i][edge]);
	return len;
}

static struct weir_packet
random_packet(uint16_t flags)
{
	struct weir_packet packet = {.seq = random_u32(),
				     .ack = random_u32(),
				     .tsval = random_u32(),
				     .tsecr = random_u32(),
				     .win = (uint16_t)random_u32(),
				     .flags = flags,
				     .wscale = -1};

	for (int i = 0; i < 8; i++)
		packet.sacks[i / 2][i % 2] = random_u32();
	return packet;
}

START_TEST(layout_of_every_link)
{
	static const uint8_t l3_off[] = {14, 18, 22, 0};

	for (int number = 0; number < 8; number++)
		for (int has_ts = 0; has_ts < 2; has_ts++) {
			struct weir_header header = header_of(number, has_ts);
			uint32_t l4_off = l3_off[number % 4] + (number < 4 ? 20u : 40u);

			ck_assert_uint_eq(header.l3_off, l3_off[number % 4]);
			ck_assert_uint_eq(header.l4_off, l4_off);
			ck_assert_uint_eq(header.len, l4_off + 20 + (has_ts ? 12 : 0));
			ck_assert_uint_eq(header.has_ts, has_ts);
			ck_assert_uint_le(header.len, WEIR_HEADER_MAX);
		}
}
END_TEST

START_TEST(plain_packets_with_sacks)
{
	static const uint8_t flags[] = {WEIR_TCP_ACK, WEIR_TCP_ACK | WEIR_TCP_FIN,
					WEIR_TCP_RST | WEIR_TCP_ACK, WEIR_TCP_RST,
					WEIR_TCP_ACK | WEIR_TCP_ECE};
	uint8_t options[40];

	for (uint32_t i = 0; i < 8 * 2 * 5 * 5; i++) {
		int number = i % 8, has_ts = i / 8 % 2;
		uint32_t n_sacks = i / 16 % 5, most = has_ts ? 3 : 4;
		struct weir_packet packet = random_packet(flags[i / 80]);
		uint8_t len;

		packet.n_sacks = (uint8_t)n_sacks;
		packet.ecn = (uint8_t)(i % 3);
		len = plain_options(&packet, has_ts, n_sacks < most ? n_sacks : most, options);
		check_build(number, has_ts, &packet, options, len);
	}
}
END_TEST

/* RFC 9768 3.2.3: of either kind and every length, in front of the SACK blocks, which get one place less. */
START_TEST(accecn_beside_sacks)
{
	uint8_t want[44];

	for (uint32_t i = 0; i < 8 * 2 * 4 * 5; i++) {
		int number = i % 8, has_ts = i / 8 % 2;
		uint32_t n = i / 16 % 4, n_sacks = i / 64, most = has_ts ? 2 : 3;
		struct weir_packet packet = random_packet(WEIR_TCP_ACK), blocks;
		uint8_t len = plain_options(&packet, has_ts, 0, want);

		if (has_ts && n == 3 && n_sacks > 1)
			continue; /* not asked for: there is no room */
		packet.n_sacks = (uint8_t)n_sacks;
		packet.accecn.kind = i % 3 != 0 ? WEIR_OPT_KIND_ACCECN0 : WEIR_OPT_KIND_ACCECN1;
		packet.accecn.n = (uint8_t)n;
		want[len++] = i % 3 != 0 ? 172 : 174;
		want[len++] = (uint8_t)(2 + 3 * n);
		for (uint32_t k = 0; k < 3; k++) {
			packet.accecn.counters[k] = random_u32();
			if (k < n)
				for (int shift = 16; shift >= 0; shift -= 8)
					want[len++] = (uint8_t)(packet.accecn.counters[k] >> shift);
		}
		while (len % 4 != 0)
			want[len++] = 1;
		blocks = packet;
		len = (uint8_t)(len + plain_options(&blocks, 0, n_sacks < most ? n_sacks : most,
						    want + len));
		ck_assert_uint_le(len, 40);
		check_build(number, has_ts, &packet, want, len);
	}
}
END_TEST

START_TEST(syn_options_in_order)
{
	uint8_t want[40];

	for (uint32_t i = 0; i < 256; i++) {
		int number = (int)(i % 4 + i / 64 % 2 * 4), has_ts = i / 4 % 2;
		struct weir_packet packet = random_packet(WEIR_TCP_SYN | WEIR_TCP_ACK);
		uint8_t len = 0;

		packet.n_sacks = 3; /* no SACK blocks in a SYN */
		if (i & 8) {
			packet.mss = 1460;
			memcpy(want, "\2\4\5\264", 4);
			len = 4;
		}
		if (i & 16) {
			packet.sack_permitted = 1;
			want[len++] = 4;
			want[len++] = 2;
		}
		if (has_ts)
			len = (uint8_t)(len + put_ts(want + len, &packet));
		if (i & 32) {
			packet.wscale = (int8_t)(i % 15);
			want[len++] = 1;
			want[len++] = 3;
			want[len++] = 3;
			want[len++] = (uint8_t)packet.wscale;
		}
		if (i & 128) {
			packet.accecn = weir_accecn_first();
			memcpy(want + len, "\254\013\0\0\1\0\0\0\0\0\1", 11);
			len = (uint8_t)(len + 11);
		}
		while (len % 4 != 0)
			want[len++] = 1;
		check_build(number, has_ts, &packet, want, len);
	}
}
END_TEST

/* The full set as hosts send it needs no padding. */
START_TEST(full_syn_is_twenty_bytes)
{
	struct weir_header header = header_of(0, 1);
	struct weir_packet packet = random_packet(WEIR_TCP_SYN | WEIR_TCP_ACK);
	uint8_t bytes[WEIR_PACKET_MAX];

	packet.mss = 1460;
	packet.sack_permitted = 1;
	packet.wscale = 7;
	ck_assert_uint_eq(weir_header_build(&header, &packet, bytes), 14 + 20 + 20 + 20);
	ck_assert_uint_eq(bytes[14 + 20 + 12] >> 4, 10);
}
END_TEST

/* One ACK through the template against the same packet built in full. */
static void
check_ack(const struct weir_header *header, const struct weir_packet *packet)
{
	const struct weir_ack ack = {packet->ack, packet->tsecr, packet->win, {0xffff, 0xffff, 0xffff}};
	const struct weir_ack_template train = {header,	     &ack,	    1,
						packet->seq, packet->tsval, packet->flags};
	uint8_t *got = malloc(header->len), want[WEIR_PACKET_MAX];
	struct weir_ack_image image;

	ck_assert_uint_eq(weir_header_build(header, packet, want), header->len);
	image = weir_header_image(&train);
	ck_assert_uint_eq(image.len, header->len);
	weir_header_ack(&image, &ack, got);
	ck_assert_mem_eq(got, want, header->len);
	free(got);
}

START_TEST(pitfall_11_template_is_the_packet_in_full)
{
	static const uint16_t flags[] = {WEIR_TCP_ACK, WEIR_TCP_ACK | WEIR_TCP_ECE,
					 WEIR_TCP_ACK | WEIR_TCP_PSH, WEIR_TCP_ACK | WEIR_TCP_AE,
					 WEIR_TCP_ACK | WEIR_TCP_AE | WEIR_TCP_CWR | WEIR_TCP_ECE};

	for (uint32_t i = 0; i < 24000; i++) {
		struct weir_header header = header_of(i % 8, i / 8 % 2);
		struct weir_packet packet = random_packet(flags[i / 16 % 5]);

		if (i % 5 == 0)
			packet.ack = UINT32_MAX;
		if (i % 7 == 0)
			packet.seq = 0;
		check_ack(&header, &packet);
	}
}
END_TEST

static uint16_t
sum_field(const uint8_t *bytes, const struct weir_header *header)
{
	return weir_load_be16(bytes + header->l4_off + 16);
}

/* Every window, so that every checksum comes out, 0 among them; 0xffff never does. */
START_TEST(pitfall_11_every_checksum_value)
{
	for (int has_ts = 0; has_ts < 2; has_ts++) {
		struct weir_header header = header_of(0, has_ts);
		struct weir_packet packet = random_packet(WEIR_TCP_ACK);
		struct weir_ack ack = {packet.ack, packet.tsecr, 0, {0}};
		struct weir_ack_template train = {&header,    &ack,	    1,
						  packet.seq, packet.tsval, packet.flags};
		uint32_t zeroes = 0, ones = 0;
		struct weir_ack_image image;

		image = weir_header_image(&train);
		for (uint32_t win = 0; win < 65536; win++) {
			uint8_t got[WEIR_PACKET_MAX], want[WEIR_PACKET_MAX];

			packet.win = ack.win = (uint16_t)win;
			weir_header_ack(&image, &ack, got);
			weir_header_build(&header, &packet, want);
			if (memcmp(got, want, header.len) != 0)
				ck_abort_msg("window %u differs", win);
			zeroes += sum_field(got, &header) == 0;
			ones += sum_field(got, &header) == 0xffff;
		}
		ck_assert_uint_ge(zeroes, 1);
		ck_assert_uint_eq(ones, 0);
	}
}
END_TEST

/* Packets of one image against the same packets built in full. */
static void
check_copies(const struct weir_header *header, struct weir_packet *packet)
{
	struct weir_sack_image image;

	weir_sack_image(&image, header, packet);
	for (uint32_t k = 0; k < 3; k++) {
		uint8_t *got = malloc(image.len), want[WEIR_PACKET_MAX];

		packet->sacks[0][1] = k == 0 ? UINT32_MAX : packet->sacks[0][1] * 31 + 7;
		ck_assert_uint_eq(weir_header_build(header, packet, want), image.len);
		weir_sack_write(&image, packet->sacks[0][1], got);
		ck_assert_mem_eq(got, want, image.len);
		free(got);
	}
}

START_TEST(copies_are_the_packet_but_for_an_edge)
{
	static const uint16_t flags[] = {WEIR_TCP_ACK, WEIR_TCP_ACK | WEIR_TCP_ECE,
					 WEIR_TCP_ACK | WEIR_TCP_FIN, WEIR_TCP_RST,
					 WEIR_TCP_ACK | WEIR_TCP_AE | WEIR_TCP_CWR | WEIR_TCP_ECE};

	for (uint32_t i = 0; i < 24000; i++) {
		struct weir_header header = header_of(i % 8, i / 8 % 2);
		struct weir_packet packet = random_packet(flags[i / 80 % 5]);

		packet.n_sacks = (uint8_t)(i / 16 % (header.has_ts ? 4 : 5));
		for (uint32_t k = 0; k < packet.n_sacks; k++) {
			packet.sacks[k][0] = packet.seq * (k + 1) + packet.ack;
			packet.sacks[k][1] = i % 7 == 0 ? UINT32_MAX : packet.sacks[k][0] * 17;
		}
		check_copies(&header, &packet);
	}
}
END_TEST

/* The whole wire form once, byte by byte, without any code in between. */
START_TEST(known_ack)
{
	static const uint8_t want[] = {
	    0x02, 0,	0,    0,    0,	 2, 0x02, 0, 0,	 0, 0,	  1,	0x08, 0x00, /* Ethernet */
	    0x45, 0,	0,    40,   0,	 0, 0x40, 0, 64, 6, 0xb6, 0xcc,		    /* IPv4 */
	    192,  0,	2,    1,    192, 0, 2,	  2,				    /* addresses */
	    0x23, 0x28, 0x9c, 0x40, 0,	 0, 0,	  1, 0,	 0, 0,	  2,	0x50, 0x10, /* TCP */
	    0x10, 0,	0x5c, 0x65, 0,	 0,
	};
	const struct weir_packet packet = {
	    .seq = 1, .ack = 2, .win = 0x1000, .flags = WEIR_TCP_ACK, .wscale = -1};
	struct weir_header header = header_of(0, 0);
	uint8_t bytes[WEIR_PACKET_MAX];

	ck_assert_uint_eq(weir_header_build(&header, &packet, bytes), sizeof(want));
	ck_assert_mem_eq(bytes, want, sizeof(want));
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, layout_of_every_link);
	UNIT_CASE(s, plain_packets_with_sacks);
	UNIT_CASE(s, accecn_beside_sacks);
	UNIT_CASE(s, syn_options_in_order);
	UNIT_CASE(s, full_syn_is_twenty_bytes);
	UNIT_CASE(s, pitfall_11_template_is_the_packet_in_full);
	UNIT_CASE(s, pitfall_11_every_checksum_value);
	UNIT_CASE(s, copies_are_the_packet_but_for_an_edge);
	UNIT_CASE(s, known_ack);
}

UNIT_MAIN("header", add)
