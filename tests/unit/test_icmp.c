/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/icmp.h"

#include "tests/unit/icmp.h"
#include "tests/unit/parsing.h"

static struct parsing p;

/* What the message is read as. */
static enum weir_drop
read_spec(const struct icmp_spec *spec, struct weir_icmp_error *error)
{
	uint8_t message[ICMP_MAX];
	struct frame_spec frame;
	struct rte_mbuf *buf;
	enum weir_drop verdict;

	icmp_frame(spec, message, &frame);
	frame.pad = p.spec.pad;
	frame.split = p.spec.split;
	frame.n_tags = p.spec.n_tags;
	frame.tci[0] = p.spec.tci[0];
	buf = frame_build(&p.pool, &frame);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_others, 1);
	ck_assert_uint_eq(p.out.others[0].kind, spec->ip6 ? WEIR_OTHER_ICMP6 : WEIR_OTHER_ICMP);
	ck_assert(weir_icmp_is_error(&p.out.others[0]));
	verdict = weir_icmp_read(&p.out.others[0], &p.own6, error);
	weir_buf_free(&p.pool, buf);
	return verdict;
}

#define ck_assert_reads(spec, id)                                                                  \
	ck_assert_str_eq(weir_drop_name(read_spec(&(spec), &error)), weir_drop_name(WEIR_DROP_##id))

START_TEST(says_of_which_packet)
{
	struct icmp_spec spec = icmp_about(40000, 0x12345678);
	struct weir_icmp_error error;

	parsing_open(&p);
	p.spec.n_tags = 1;
	p.spec.tci[0] = 7;
	for (p.spec.split = 0; p.spec.split < 60; p.spec.split += 7) {
		memset(&error, 0xee, sizeof(error));
		ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
		ck_assert(weir_key_is4(&error.key));
		ck_assert_uint_eq(error.key.low.raddr, FRAME_REMOTE_IP);
		ck_assert_uint_eq(error.key.low.laddr, FRAME_LOCAL_IP);
		ck_assert_uint_eq(error.key.low.rport, 40000);
		ck_assert_uint_eq(error.key.low.lport, 9000);
		ck_assert_uint_eq(error.key.low.vlan, 7);
		ck_assert_uint_eq(error.seq, 0x12345678);
		ck_assert_uint_eq(error.len, 52);
		ck_assert_uint_eq(error.kind, WEIR_ICMP_SOFT);
	}
	parsing_close(&p);
}
END_TEST

/* RFC 1122 sections 3.2.2.1 and 4.2.3.9. */
START_TEST(kinds)
{
	struct icmp_spec spec = icmp_about(40000, 1);
	struct weir_icmp_error error;

	parsing_open(&p);
	for (uint32_t code = 0; code < 256; code++) {
		spec.code = (uint8_t)code;
		spec.mtu = (uint16_t)(1000 + code);
		ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
		ck_assert_uint_eq(error.kind, code == 4			? WEIR_ICMP_TOO_BIG
					      : code == 2 || code == 3 ? WEIR_ICMP_HARD
								       : WEIR_ICMP_SOFT);
		ck_assert_uint_eq(error.mtu, 1000 + code);
	}
	spec.code = 3;
	spec.type = 11;
	ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
	ck_assert_uint_eq(error.kind, WEIR_ICMP_SOFT);
	spec.type = 12;
	ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
	ck_assert_uint_eq(error.kind, WEIR_ICMP_SOFT);
	spec.type = 4;
	ck_assert_reads(spec, ICMP_IGNORED);
	spec.type = 5;
	ck_assert_reads(spec, ICMP_IGNORED);
	parsing_close(&p);
}
END_TEST

START_TEST(questions_are_no_errors)
{
	struct icmp_spec spec = icmp_about(40000, 1);

	parsing_open(&p);
	for (uint32_t type = 0; type < 256; type++) {
		uint8_t message[ICMP_MAX];
		struct frame_spec frame;
		struct rte_mbuf *buf;

		spec.type = (uint8_t)type;
		icmp_frame(&spec, message, &frame);
		buf = frame_build(&p.pool, &frame);
		parsing_one(&p, buf);
		ck_assert_int_eq(weir_icmp_is_error(&p.out.others[0]),
				 type == 3 || type == 4 || type == 5 || type == 11 || type == 12);
		weir_buf_free(&p.pool, buf);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(malformed_ones)
{
	const struct icmp_spec good = icmp_about(40000, 1);
	struct weir_icmp_error error;
	struct icmp_spec spec = good;

	parsing_open(&p);
	spec.bad_sum = true;
	ck_assert_reads(spec, ICMP);
	spec = good;
	for (spec.quoted = 0; spec.quoted < 8; spec.quoted++) {
		p.spec.pad = (uint16_t)(spec.quoted * 4); /* padding is no quotation */
		ck_assert_reads(spec, ICMP);
	}
	p.spec.pad = 0;
	spec = good;
	spec.protocol = 17;
	ck_assert_reads(spec, ICMP);
	spec = good;
	spec.fragment = 1;
	ck_assert_reads(spec, ICMP);
	spec.fragment = 0x4000; /* don't fragment */
	ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
	for (uint32_t first = 0; first < 256; first++) {
		spec.version_ihl = (uint8_t)first;
		if (first >> 4 == 4 && (first & 15) >= 5)
			ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
		else
			ck_assert_reads(spec, ICMP);
	}
	parsing_close(&p);
}
END_TEST

/* RFC 4443 sections 3.1 to 3.4, RFC 5461. */
START_TEST(of_icmp6)
{
	struct icmp_spec spec = icmp_about6(40000, 0x12345678);
	struct weir_icmp_error error;

	parsing_open6(&p);
	for (p.spec.split = 0; p.spec.split < 90; p.spec.split += 11) {
		memset(&error, 0xee, sizeof(error));
		ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
		ck_assert(!weir_key_is4(&error.key));
		ck_assert_uint_eq(error.key.raddr_high[0], 0x20010db8);
		ck_assert_uint_eq(error.key.raddr_high[1] | error.key.raddr_high[2], 0);
		ck_assert_uint_eq(error.key.low.raddr, 2);
		ck_assert_uint_eq(error.key.low.laddr, 16); /* the number of our address */
		ck_assert_uint_eq(error.key.low.rport, 40000);
		ck_assert_uint_eq(error.key.low.lport, 9000);
		ck_assert_uint_eq(error.seq, 0x12345678);
		ck_assert_uint_eq(error.len, 72);
		ck_assert_uint_eq(error.kind, WEIR_ICMP_SOFT);
	}
	p.spec.split = 0;
	for (uint32_t type = 1; type < 128; type++) {
		for (spec.code = 0; spec.code < 8; spec.code++) {
			bool hard = (type == 1 && (spec.code == 1 || spec.code == 4)) ||
				    (type == 4 && spec.code == 1);

			spec.type = (uint8_t)type;
			spec.mtu = 1280;
			ck_assert_uint_eq(read_spec(&spec, &error), WEIR_PARSE_OK);
			ck_assert_uint_eq(error.kind, type == 2 ? WEIR_ICMP_TOO_BIG
						      : hard	? WEIR_ICMP_HARD
								: WEIR_ICMP_SOFT);
			ck_assert_uint_eq(error.mtu, 1280);
		}
	}
	spec = icmp_about6(40000, 1);
	spec.bad_sum = true;
	ck_assert_reads(spec, ICMP);
	spec.bad_sum = false;
	spec.protocol = 44;
	ck_assert_reads(spec, ICMP);
	spec.protocol = 6;
	spec.src = 3; /* not ours */
	ck_assert_reads(spec, ICMP);
	spec.src = 1;
	for (spec.quoted = 0; spec.quoted < 8; spec.quoted++)
		ck_assert_reads(spec, ICMP);
	parsing_close(&p);
}
END_TEST

/* Every length of the message, in a buffer of just that size for a sanitizer to watch. */
START_TEST(cut_anywhere)
{
	struct icmp_spec spec = icmp_about(40000, 1);
	uint8_t message[ICMP_MAX];
	uint32_t len = icmp_write(&spec, message);

	for (uint32_t n = 1; n < len; n++) {
		struct weir_icmp_error error;
		struct rte_mbuf *buf;
		struct weir_other other;

		icmp_put(message + 2, 0, 2);
		icmp_put(message + 2, frame_csum(message, n, 0), 2);
		buf = frame_exact(message, n, 0);
		other = (struct weir_other){.buf = buf, .l4_len = (uint16_t)n};
		ck_assert_uint_eq(weir_icmp_read(&other, &p.own6, &error), WEIR_DROP_ICMP);
		frame_exact_free(buf);
	}
}
END_TEST

static void
add_cases(Suite *suite)
{
	UNIT_CASE(suite, says_of_which_packet);
	UNIT_CASE(suite, kinds);
	UNIT_CASE(suite, questions_are_no_errors);
	UNIT_CASE(suite, malformed_ones);
	UNIT_CASE(suite, of_icmp6);
	UNIT_CASE(suite, cut_anywhere);
}
UNIT_MAIN("icmp", add_cases)
