/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>

#include "tests/unit/parsing.h"
#include "wire/head.h"

static struct parsing p;

#define HOP_BY_HOP  0
#define TCP	    6
#define ROUTING	    43
#define FRAGMENT    44
#define ICMP6	    58
#define NONE	    59
#define DESTINATION 60

/* Extension headers one behind another; each is `len` bytes long with PadN in it. */
struct chain {
	uint8_t bytes[1024];
	uint16_t len;
};

static uint8_t *
add_extension(struct chain *chain, uint8_t next, uint32_t len)
{
	uint8_t *extension = chain->bytes + chain->len;

	memset(extension, 0, len);
	extension[0] = next;
	extension[1] = (uint8_t)(len / 8 - 1);
	extension[2] = 1; /* PadN */
	extension[3] = (uint8_t)(len - 4);
	chain->len = (uint16_t)(chain->len + len);
	return extension;
}

static void
use(const struct chain *chain, uint8_t first)
{
	p.spec.extensions = chain->bytes;
	p.spec.extensions_len = chain->len;
	p.spec.first_extension = first;
}

static void
set(uint8_t *to, const char *text)
{
	ck_assert_int_eq(inet_pton(AF_INET6, text, to), 1);
}

#define ck_assert_segment6(p)                                                                      \
	do {                                                                                       \
		ck_assert_taken(p);                                                                \
		ck_assert_uint_eq((p)->out.ip6.n_segs, 1);                                         \
	} while (0)

START_TEST(a_segment_is_described)
{
	const struct weir_seg *seg;
	const struct weir_key *key;

	parsing_open6(&p);
	p.spec.tos = 0xb9;
	p.spec.ttl = 17;
	p.spec.flow_label = 0xfffff;
	p.spec.payload = "weir";
	p.spec.len = 4;
	p.spec.has_ts = 1;
	p.spec.tsval = 77;
	p.spec.pad = 3;
	for (uint16_t split = 0; split < 80; split++) {
		p.spec.split = split;
		ck_assert_segment6(&p);
		seg = &p.out.ip6.segs[0];
		key = &p.out.ip6.keys[0];
		ck_assert_uint_eq(seg->len, 4);
		ck_assert_uint_eq(seg->data_off, 14 + 40 + 32);
		ck_assert_uint_eq(seg->opt_off, 14 + 40 + 20);
		ck_assert_uint_eq(seg->shape, WEIR_OPT_TS);
		ck_assert_uint_eq(seg->tsval, 77);
		ck_assert_uint_eq(seg->tos, 0xb9);
		ck_assert_uint_eq(seg->ttl, 17);
		ck_assert_uint_eq(seg->mark & WEIR_MARK_IP_OPTIONS, 0);
		ck_assert_uint_eq(key->raddr_high[0], 0x20010db8);
		ck_assert_uint_eq(key->raddr_high[1] | key->raddr_high[2], 0);
		ck_assert_uint_eq(key->low.raddr, 2);
		ck_assert_uint_eq(key->low.laddr, 16);
		ck_assert_uint_eq(key->low.rport, 40000);
		ck_assert_uint_eq(key->low.lport, 9000);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_08_tags_are_part_of_the_key)
{
	parsing_open6(&p);
	p.spec.n_tags = 2;
	p.spec.tci[0] = 0x6123;
	p.spec.tci[1] = 0x0456;
	ck_assert_segment6(&p);
	ck_assert_uint_eq(p.out.ip6.keys[0].low.vlan, 0x123456);
	parsing_close(&p);
}
END_TEST

START_TEST(bare_packets_of_ipv6)
{
	parsing_open6(&p);
	parsing_listen(&p, true, FRAME_LOCAL_IP);
	p.parse.own6 = &p.own6;
	p.spec.l3 = 1;
	ck_assert_segment6(&p);
	ck_assert_uint_eq(p.out.ip6.segs[0].data_off, 60);
	p.spec.ip6 = 0;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.n_segs, 1);
	parsing_close(&p);
}
END_TEST

START_TEST(lengths)
{
	parsing_open6(&p);
	p.spec.payload = "weir";
	p.spec.len = 4;
	p.spec.ip_total_delta = 1;
	ck_assert_drop(&p, FRAME_TRUNCATED);
	p.spec.ip_total_delta = -5; /* into the TCP header */
	ck_assert_drop(&p, TCP_HEADER);
	p.spec.ip_total_delta = -24; /* no payload: a jumbogram or nothing */
	ck_assert_drop(&p, IP_HEADER);
	p.spec.ip_total_delta = 0;
	p.spec.version_ihl = 0x45;
	ck_assert_drop(&p, IP_HEADER);
	parsing_close(&p);
}
END_TEST

/* Every length of a frame that was cut, in one piece and in pieces of seven. */
START_TEST(pitfall_03_cut_anywhere)
{
	uint8_t bytes[256];
	uint32_t len;

	parsing_open6(&p);
	p.spec.payload = "weir";
	p.spec.len = 4;
	len = frame_write(&p.spec, bytes);
	for (uint32_t cut = 0; cut < len; cut++)
		for (uint32_t split = 0; split <= 7; split += 7) {
			struct rte_mbuf *buf = frame_exact(bytes, cut, split);

			parsing_one(&p, buf);
			ck_assert_uint_eq(p.out.n_rejects, 1);
			ck_assert_uint_eq(p.out.rejects[0].reason, WEIR_DROP_FRAME_TRUNCATED);
			frame_exact_free(buf);
		}
	parsing_close(&p);
}
END_TEST

START_TEST(sources)
{
	static const char *const wrong[] = {"::", "::1", "ff02::2", "::ffff:192.0.2.2",
					    "2001:db8::1"};

	parsing_open6(&p);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set(p.spec.src6, wrong[i]);
		ck_assert_drop(&p, IP_SOURCE);
	}
	set(p.spec.src6, "fe80::2");
	ck_assert_segment6(&p);
	parsing_close(&p);
}
END_TEST

START_TEST(destinations)
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t message[8] = {128};

	parsing_open6(&p);
	set(p.own6.address[p.own6.n++], "fe80::1");
	set(p.spec.dst6, "fe80::1");
	ck_assert_segment6(&p);
	ck_assert_uint_eq(p.out.ip6.keys[0].low.laddr, 17);
	set(p.spec.dst6, "2001:db8::3");
	ck_assert_drop(&p, IP_NOT_OURS);
	set(p.spec.dst6, "::ffff:192.0.2.1"); /* our address of IPv4 */
	ck_assert_drop(&p, IP_NOT_OURS);
	set(p.spec.dst6, "ff02::1"); /* TCP is no matter of groups */
	ck_assert_drop(&p, IP_NOT_OURS);
	memcpy(p.spec.dst6, frame_local_ip6, 16);
	memcpy(p.spec.dst_mac, broadcast, 6);
	ck_assert_drop(&p, FRAME_NOT_OURS);
	memcpy(p.spec.dst_mac, "\x33\x33\0\0\0\1", 6);
	ck_assert_drop(&p, FRAME_NOT_OURS); /* one host's packet in a frame to many */
	p.spec.protocol = ICMP6;
	p.spec.payload = message;
	p.spec.len = sizeof(message);
	set(p.spec.dst6, "ff02::1");
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.others[0].kind, WEIR_OTHER_ICMP6);
	set(p.spec.dst6, "ff02::1:ff00:1");
	ck_assert_taken(&p);
	set(p.spec.dst6, "ff02::1:ff00:2");
	ck_assert_drop(&p, IP_NOT_OURS);
	set(p.spec.dst6, "ff02::2");
	ck_assert_drop(&p, IP_NOT_OURS);
	set(p.spec.src6, "::"); /* who has no address yet */
	set(p.spec.dst6, "ff02::1:ff00:1");
	ck_assert_taken(&p);
	p.spec.ip6 = 0; /* IPv4 in such a frame */
	p.spec.protocol = 0;
	ck_assert_drop(&p, FRAME_NOT_OURS);
	p.parse.own6 = NULL;
	p.spec.ip6 = 1;
	ck_assert_drop(&p, FRAME_NOT_OURS);
	memcpy(p.spec.dst_mac, frame_local_mac, 6);
	ck_assert_drop(&p, IP_NOT_OURS);
	parsing_close(&p);
}
END_TEST

START_TEST(what_stands_above)
{
	static const uint8_t others[] = {1, 17, 50, 51, NONE, 132, 135, 139, 140, 253, 255};

	parsing_open6(&p);
	p.spec.payload = "12345678";
	p.spec.len = 8;
	for (size_t i = 0; i < sizeof(others); i++) {
		p.spec.protocol = others[i];
		ck_assert_drop(&p, IP_PROTOCOL);
	}
	p.spec.protocol = ICMP6;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.others[0].l4_off, 14 + 40);
	ck_assert_uint_eq(p.out.others[0].l4_len, 8);
	parsing_close(&p);
}
END_TEST

/* ---- extension headers ---- */

START_TEST(pitfall_06_extensions_are_passed)
{
	struct chain chain = {.len = 0};

	parsing_open6(&p);
	p.spec.payload = "weir";
	p.spec.len = 4;
	add_extension(&chain, DESTINATION, 8);
	add_extension(&chain, ROUTING, 16);
	memset(add_extension(&chain, DESTINATION, 24) + 2, 0, 22); /* its addresses; none left */
	add_extension(&chain, TCP, 8);
	use(&chain, HOP_BY_HOP);
	for (uint16_t split = 0; split < 120; split++) {
		p.spec.split = split;
		ck_assert_segment6(&p);
		ck_assert_uint_eq(p.out.ip6.segs[0].data_off, 14 + 40 + 56 + 20);
		ck_assert_uint_eq(p.out.ip6.segs[0].len, 4);
		ck_assert(p.out.ip6.segs[0].mark & WEIR_MARK_IP_OPTIONS); /* never merged */
	}
	parsing_close(&p);
}
END_TEST

/* So many bytes, and so many headers. */
START_TEST(extensions_are_bounded)
{
	struct chain chain = {.len = 0};

	parsing_open6(&p);
	add_extension(&chain, TCP, WEIR_IP6_EXTENSIONS_MAX);
	use(&chain, DESTINATION);
	ck_assert_segment6(&p);
	for (uint32_t len = WEIR_IP6_EXTENSIONS_MAX + 8; len <= 256; len += 8) {
		chain.len = 0;
		add_extension(&chain, TCP, len);
		use(&chain, DESTINATION);
		ck_assert_drop(&p, IP6_EXTENSION);
	}
	chain.len = 0; /* many that are atomic fragments: nothing else speaks against them */
	for (int i = 0; i < 4; i++)
		memset(add_extension(&chain, i < 3 ? FRAGMENT : TCP, 8) + 1, 0, 7);
	use(&chain, FRAGMENT);
	ck_assert_segment6(&p);
	chain.bytes[24] = FRAGMENT;
	memset(add_extension(&chain, TCP, 8) + 1, 0, 7);
	use(&chain, FRAGMENT);
	ck_assert_drop(&p, IP6_EXTENSION);
	parsing_close(&p);
}
END_TEST

START_TEST(extensions_out_of_place)
{
	struct chain chain = {.len = 0};

	parsing_open6(&p);
	add_extension(&chain, HOP_BY_HOP, 8); /* hop-by-hop stands first */
	add_extension(&chain, TCP, 8);
	use(&chain, DESTINATION);
	ck_assert_drop(&p, IP6_EXTENSION);
	use(&chain, HOP_BY_HOP); /* and once */
	ck_assert_drop(&p, IP6_EXTENSION);
	chain.bytes[0] = DESTINATION;
	chain.len = 8;
	add_extension(&chain, DESTINATION, 8);
	add_extension(&chain, TCP, 8);
	use(&chain, DESTINATION); /* three of them */
	ck_assert_drop(&p, IP6_EXTENSION);
	chain.len = 0;
	add_extension(&chain, ROUTING, 8)[3] = 0;
	add_extension(&chain, TCP, 8)[3] = 0;
	use(&chain, ROUTING);
	ck_assert_drop(&p, IP6_EXTENSION);
	chain.len = 0;
	add_extension(&chain, TCP, 24)[3] = 1; /* we are on the way, not at its end (RFC 5095) */
	use(&chain, ROUTING);
	ck_assert_drop(&p, IP6_EXTENSION);
	parsing_close(&p);
}
END_TEST

START_TEST(extension_beyond_the_packet)
{
	struct chain chain = {.len = 0};

	parsing_open6(&p);
	p.spec.protocol = NONE;
	add_extension(&chain, TCP, 8)[1] = 1;
	use(&chain, DESTINATION);
	ck_assert_drop(&p, IP6_EXTENSION);
	chain.len = 4; /* not even its length */
	use(&chain, DESTINATION);
	ck_assert_drop(&p, IP6_EXTENSION);
	chain.len = 0;
	add_extension(&chain, DESTINATION, 8); /* and nothing behind */
	use(&chain, DESTINATION);
	ck_assert_drop(&p, IP6_EXTENSION);
	chain.bytes[0] = TCP;
	ck_assert_drop(&p, TCP_HEADER);
	parsing_close(&p);
}
END_TEST

/* Every kind and every length byte of an option in a header of eight bytes (RFC 8200 4.2). */
START_TEST(pitfall_01_every_option)
{
	struct chain chain = {.len = 0};
	uint8_t *extension;

	parsing_open6(&p);
	extension = add_extension(&chain, TCP, 8);
	use(&chain, DESTINATION);
	for (uint32_t kind = 0; kind < 256; kind++)
		for (uint32_t len = 0; len < 256; len++) {
			bool skipped = kind >> 6 == 0;

			extension[2] = (uint8_t)kind;
			extension[3] = (uint8_t)len;
			memset(extension + 4, 0, 4);
			if (kind == 0) /* Pad1: `len` is the next kind; its own length is 0 */
				ck_assert_uint_eq(parsing_reason(&p),
						  len >> 6 == 0 ? WEIR_DROP_COUNT
								: WEIR_DROP_IP6_EXTENSION);
			else
				ck_assert_uint_eq(parsing_reason(&p),
						  skipped && len <= 4 ? WEIR_DROP_COUNT
								      : WEIR_DROP_IP6_EXTENSION);
		}
	memset(extension + 2, 0, 5);
	extension[7] = 5; /* a kind at the very end, without its length */
	ck_assert_drop(&p, IP6_EXTENSION);
	extension[7] = 0;
	ck_assert_segment6(&p);
	parsing_close(&p);
}
END_TEST

/* What ICMPv6 has to say of a reject, and where (RFC 8200 4.2, 4.4; RFC 4443 3.4). */
static void
check_problem(enum weir_problem problem, uint32_t off)
{
	ck_assert_uint_eq(p.out.n_rejects, 1);
	ck_assert_uint_eq(p.out.rejects[0].problem, problem);
	if (problem == WEIR_PROBLEM_NONE)
		return;
	ck_assert_uint_eq(p.out.rejects[0].problem_off, off);
	ck_assert_uint_eq(p.out.rejects[0].l3_off, 14);
}

START_TEST(who_is_told_what)
{
	static const struct {
		uint8_t kind;
		enum weir_problem problem;
	} kinds[] = {{0x45, WEIR_PROBLEM_NONE},
		     {0x85, WEIR_PROBLEM_OPTION_OF_ALL},
		     {0xc5, WEIR_PROBLEM_OPTION}};
	struct chain chain = {.len = 0};
	uint8_t *extension;

	parsing_open6(&p);
	extension = add_extension(&chain, TCP, 8);
	use(&chain, DESTINATION);
	memset(extension + 2, 0, 6);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		extension[4] = kinds[i].kind;
		ck_assert_drop(&p, IP6_EXTENSION);
		check_problem(kinds[i].problem, 44);
	}
	extension[4] = 0;
	use(&chain, ROUTING);
	extension[3] = 1;
	ck_assert_drop(&p, IP6_EXTENSION);
	check_problem(WEIR_PROBLEM_HEADER, 42);
	extension[3] = 0;
	extension[0] = HOP_BY_HOP;
	add_extension(&chain, TCP, 8);
	use(&chain, DESTINATION);
	ck_assert_drop(&p, IP6_EXTENSION);
	check_problem(WEIR_PROBLEM_NEXT_HEADER, 40);
	frame_spec_init(&p.spec);
	p.spec.ip6 = 1;
	p.spec.protocol = 17;
	p.spec.payload = "12345678";
	p.spec.len = 8;
	ck_assert_drop(&p, IP_PROTOCOL);
	check_problem(WEIR_PROBLEM_NEXT_HEADER, 6);
	p.spec.protocol = NONE;
	ck_assert_drop(&p, IP_PROTOCOL);
	check_problem(WEIR_PROBLEM_NONE, 0);
	p.spec.ip6 = 0;
	p.spec.protocol = 17;
	ck_assert_drop(&p, IP_PROTOCOL);
	check_problem(WEIR_PROBLEM_NONE, 0);
	parsing_close(&p);
}
END_TEST

START_TEST(fragments_and_what_is_none)
{
	struct chain chain = {.len = 0};
	uint8_t *fragment;

	parsing_open6(&p);
	fragment = add_extension(&chain, TCP, 8);
	use(&chain, FRAGMENT);
	memset(fragment + 1, 0, 7);
	fragment[1] = 0xff;	/* reserved, no length */
	fragment[3] = 0x06;	/* reserved bits */
	fragment[7] = 0x42;	/* identification */
	ck_assert_segment6(&p); /* all of it in one: RFC 6946 */
	for (uint32_t bit = 0; bit < 16; bit++) { /* more, two reserved ones, the offset */
		fragment[2] = (uint8_t)(1u << bit >> 8);
		fragment[3] = (uint8_t)(1u << bit);
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.n_others, bit != 1 && bit != 2);
		if (p.out.n_others != 0)
			ck_assert_uint_eq(p.out.others[0].kind, WEIR_OTHER_FRAGMENT);
	}
	fragment[0] = 58; /* of ICMPv6, or of headers that the fragment begins with */
	ck_assert_drop(&p, IP_FRAGMENT);
	fragment[0] = DESTINATION;
	ck_assert_drop(&p, IP_FRAGMENT);
	parsing_close(&p);
}
END_TEST

/* ---- checksums ---- */

START_TEST(pitfall_10_checksums_of_ipv6)
{
	parsing_open6(&p);
	p.spec.payload = "thirteen byte";
	p.spec.len = 13;
	for (int byte = 0; byte < 16; byte++) {
		ck_assert_segment6(&p);
		p.spec.src6[byte] ^= 0x40; /* it is in the sum, and stays another host's */
		ck_assert_segment6(&p);
		p.spec.src6[byte] ^= 0x40;
	}
	p.spec.bad_tcp_csum = 1;
	ck_assert_drop(&p, TCP_CHECKSUM);
	p.spec.bad_tcp_csum = 0;
	p.spec.partial_csum = 1;
	ck_assert_drop(&p, TCP_CHECKSUM_PARTIAL);
	parsing_flags(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	ck_assert_uint_eq(p.out.ip6.n_segs, 1);
	ck_assert_uint_eq(p.parse.trust.none, 1);
	ck_assert(!p.parse.trust.software);
	parsing_flags(&p, RTE_MBUF_F_RX_L4_CKSUM_GOOD); /* a lie */
	ck_assert_uint_eq(p.out.n_rejects, 1);
	ck_assert(p.parse.trust.software);
	ck_assert_uint_eq(p.parse.trust.contradictions[WEIR_CLAIM_GOOD], 1);
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_10_claims_are_believed_after_a_while)
{
	parsing_open6(&p);
	for (uint32_t i = 0; i < WEIR_CLAIM_FIRST; i++)
		parsing_flags(&p, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	ck_assert_uint_eq(p.parse.trust.verified[WEIR_CLAIM_GOOD], WEIR_CLAIM_FIRST);
	p.spec.bad_tcp_csum = 1;
	parsing_flags(&p, RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	ck_assert_uint_eq(p.out.ip6.n_segs, 1);
	ck_assert_uint_eq(p.parse.trust.verified[WEIR_CLAIM_GOOD], WEIR_CLAIM_FIRST);
	parsing_close(&p);
}
END_TEST

/* Runs of both families in one burst do not disturb each other. */
START_TEST(families_in_one_burst)
{
	struct rte_mbuf *bufs[12];

	parsing_open6(&p);
	for (uint32_t i = 0; i < 12; i++) {
		p.spec.ip6 = i % 2 == 0;
		p.spec.sport = (uint16_t)(40000 + i / 6);
		bufs[i] = frame_build(&p.pool, &p.spec);
	}
	weir_parse_burst(&p.parse, bufs, 12, &p.out);
	ck_assert_uint_eq(p.out.n_segs, 6);
	ck_assert_uint_eq(p.out.n_runs, 2);
	ck_assert_uint_eq(p.out.ip6.n_segs, 6);
	ck_assert_uint_eq(p.out.ip6.n_runs, 2);
	for (uint32_t run = 0; run < 2; run++) {
		ck_assert_uint_eq(p.out.run_first[run], 3 * run);
		ck_assert_uint_eq(p.out.ip6.run_first[run], 3 * run);
		ck_assert_uint_eq(p.out.keys[run].rport, 40000 + run);
		ck_assert_uint_eq(p.out.ip6.keys[run].low.rport, 40000 + run);
	}
	ck_assert_uint_eq(p.out.ip6.run_first[2], 6);
	for (uint32_t i = 0; i < 12; i++) {
		const struct weir_seg *segs = i % 2 == 0 ? p.out.ip6.segs : p.out.segs;

		ck_assert_ptr_eq(segs[i / 2].buf, bufs[i]);
		weir_buf_free(&p.pool, bufs[i]);
	}
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, a_segment_is_described);
	UNIT_CASE(s, pitfall_08_tags_are_part_of_the_key);
	UNIT_CASE(s, bare_packets_of_ipv6);
	UNIT_CASE(s, lengths);
	UNIT_CASE(s, pitfall_03_cut_anywhere);
	UNIT_CASE(s, sources);
	UNIT_CASE(s, destinations);
	UNIT_CASE(s, what_stands_above);
	UNIT_CASE(s, pitfall_06_extensions_are_passed);
	UNIT_CASE(s, extensions_are_bounded);
	UNIT_CASE(s, extensions_out_of_place);
	UNIT_CASE(s, extension_beyond_the_packet);
	UNIT_CASE(s, pitfall_01_every_option);
	UNIT_CASE(s, who_is_told_what);
	UNIT_CASE(s, fragments_and_what_is_none);
	UNIT_CASE(s, pitfall_10_checksums_of_ipv6);
	UNIT_CASE(s, pitfall_10_claims_are_believed_after_a_while);
	UNIT_CASE(s, families_in_one_burst);
}

UNIT_MAIN("head6", add)
