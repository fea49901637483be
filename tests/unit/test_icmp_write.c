/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/parsing.h"
#include "wire/chain.h"
#include "wire/icmp_write.h"

#define ROOM	 2048
#define REDIRECT 137

static struct parsing p;
static uint8_t payload[2000];
static uint8_t got[ROOM];
static struct weir_icmp_say say;

/* A packet of UDP over IPv6; what is said of it is that its next header is not known. */
static void
open_unknown(bool l3)
{
	parsing_open6(&p);
	parsing_listen(&p, l3, FRAME_LOCAL_IP);
	p.parse.own6 = &p.own6;
	p.spec.l3 = l3;
	p.spec.protocol = 17;
	p.spec.payload = payload;
	p.spec.len = 100;
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 13);
	say = (struct weir_icmp_say){.type = 4, .code = 1, .pointer = 6};
}

/* What is said about the frame of p.spec, with `room` for it. */
static uint32_t
said(uint32_t room)
{
	uint32_t l3_off = p.spec.l3 ? 0 : 14 + 4u * p.spec.n_tags, len;
	struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);

	memset(got, 0xee, sizeof(got));
	len = weir_icmp_write(&p.parse, buf, l3_off, &say, got, room);
	if (len < sizeof(got))
		ck_assert_uint_eq(got[len], 0xee);
	weir_buf_free(&p.pool, buf);
	return len;
}

/* It is, byte by byte: to whom the packet came from, quoting `quoted` bytes of it. */
static void
check_said(uint32_t quoted, uint32_t room)
{
	static uint8_t whole[FRAME_MAX], want[FRAME_MAX], message[2000];
	uint32_t l3_off = p.spec.l3 ? 0 : 14 + 4u * p.spec.n_tags, len;
	struct frame_spec spec = p.spec;

	frame_write(&p.spec, whole);
	memset(message, 0, 8);
	message[0] = say.type;
	message[1] = say.code;
	message[7] = (uint8_t)say.pointer;
	memcpy(message + 8, whole + l3_off, quoted);
	spec.protocol = p.spec.ip6 ? 58 : 1;
	spec.payload = message;
	spec.len = 8 + quoted;
	spec.ttl = 64;
	spec.tos = p.spec.ip6 ? 0 : 0xc0;
	spec.ip_frag = 0x4000;
	spec.ip_id = 0;
	spec.split = spec.extensions_len = 0;
	spec.src = p.spec.dst;
	spec.dst = p.spec.src;
	memcpy(spec.src6, p.spec.dst6[0] == 0xff ? frame_local_ip6 : p.spec.dst6, 16);
	memcpy(spec.dst6, p.spec.src6, 16);
	memcpy(spec.src_mac, frame_local_mac, 6);
	memcpy(spec.dst_mac, p.spec.src_mac, 6);
	if (!p.spec.ip6) {
		uint16_t sum = frame_csum(message, spec.len, 0);

		message[2] = (uint8_t)(sum >> 8);
		message[3] = (uint8_t)sum;
	}
	len = frame_write(&spec, want);
	ck_assert_uint_eq(said(room), len);
	ck_assert_mem_eq(got, want, len);
}

START_TEST(about_ip6)
{
	for (int l3 = 0; l3 < 2; l3++) {
		open_unknown(l3 != 0);
		check_said(140, ROOM);
		p.spec.split = 30;
		check_said(140, ROOM);
		parsing_close(&p);
	}
	open_unknown(false);
	p.spec.n_tags = 2;
	p.spec.tci[0] = 100;
	p.spec.tci[1] = 7;
	check_said(140, ROOM);
	parsing_close(&p);
}
END_TEST

/* As much as every path lets through, and as there is room for; padding is no part of it. */
START_TEST(as_much_as_fits)
{
	open_unknown(false);
	p.spec.len = 1400;
	check_said(1232, ROOM);
	check_said(500, 14 + 48 + 500);
	p.spec.len = 20;
	p.spec.pad = 30;
	ck_assert_uint_eq(said(ROOM), 14 + 48 + 60);
	parsing_close(&p);
}
END_TEST

START_TEST(about_ip4)
{
	open_unknown(false);
	p.spec.ip6 = 0;
	p.spec.protocol = 0;
	say = (struct weir_icmp_say){.type = 11, .code = 1};
	check_said(140, ROOM);
	p.spec.len = 1400;
	check_said(548, ROOM);
	p.spec.dst++;
	ck_assert_uint_eq(said(ROOM), 0);
	p.spec.dst--;
	p.spec.src = 0xe0000001;
	ck_assert_uint_eq(said(ROOM), 0);
	p.spec.src = FRAME_REMOTE_IP;
	p.spec.protocol = 1;
	ck_assert_uint_eq(said(ROOM), 0);
	parsing_close(&p);
}
END_TEST

/* Nothing about what went to a group, but of what RFC 4443 2.4 e.3 excepts. */
START_TEST(groups)
{
	open_unknown(false);
	memset(p.spec.dst6, 0, 16);
	p.spec.dst6[0] = 0xff;
	p.spec.dst6[1] = 2;
	p.spec.dst6[15] = 1;
	memcpy(p.spec.dst_mac, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
	ck_assert_uint_eq(said(ROOM), 0);
	say.to_groups = true;
	check_said(140, ROOM);
	memcpy(p.spec.dst6, frame_local_ip6, 16); /* the link's group alone */
	check_said(140, ROOM);
	say.to_groups = false;
	ck_assert_uint_eq(said(ROOM), 0);
	parsing_close(&p);
}
END_TEST

/* Nothing to groups, nobody, or about what is not to us. */
START_TEST(nobody_to_tell)
{
	open_unknown(false);
	say.to_groups = true;
	p.spec.src_mac[0] |= 1;
	ck_assert_uint_eq(said(ROOM), 0);
	p.spec.src_mac[0] &= 0xfe;
	memset(p.spec.src6, 0, 16);
	ck_assert_uint_eq(said(ROOM), 0);
	p.spec.src6[0] = 0xff;
	ck_assert_uint_eq(said(ROOM), 0);
	memcpy(p.spec.src6, frame_remote_ip6, 16);
	p.spec.dst6[15] = 9;
	ck_assert_uint_eq(said(ROOM), 0);
	memcpy(p.spec.dst6, frame_local_ip6, 16);
	p.parse.own6 = NULL;
	ck_assert_uint_eq(said(ROOM), 0);
	p.parse.own6 = &p.own6;
	ck_assert_uint_gt(said(ROOM), 0);
	parsing_close(&p);
}
END_TEST

/* Nothing about an error or a redirect, wherever it stands; an echo request is neither. */
START_TEST(no_error_about_an_error)
{
	static const uint8_t extension[8] = {58, 0, 1, 4};

	open_unknown(false);
	for (uint32_t i = 0; i < 2; i++) {
		p.spec.protocol = 58;
		payload[0] = 1;
		ck_assert_uint_eq(said(ROOM), 0);
		payload[0] = 127;
		ck_assert_uint_eq(said(ROOM), 0);
		payload[0] = REDIRECT;
		ck_assert_uint_eq(said(ROOM), 0);
		payload[0] = 128;
		ck_assert_uint_gt(said(ROOM), 0);
		p.spec.extensions = extension;
		p.spec.extensions_len = sizeof(extension);
		p.spec.first_extension = 60;
	}
	payload[0] = 128;
	p.spec.len = 0; /* nobody can tell */
	ck_assert_uint_eq(said(ROOM), 0);
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, about_ip6);
	UNIT_CASE(s, as_much_as_fits);
	UNIT_CASE(s, about_ip4);
	UNIT_CASE(s, groups);
	UNIT_CASE(s, nobody_to_tell);
	UNIT_CASE(s, no_error_about_an_error);
}

UNIT_MAIN("icmp_write", add)
