/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/impair_mark.h"

#include <rte_mbuf.h>

#include "tests/unit/impairing.h"

#define IP 14

/* RFC 3168 5: only ECT(0) and ECT(1) may become CE; the header sum stays right, wherever the header is
 * cut in two. */
START_TEST(capable_packets_are_marked)
{
	struct frame_spec spec;
	uint8_t bytes[FRAME_LEN], seen[20];

	for (uint32_t tos = 0; tos < 256; tos++)
		for (uint32_t split = 0; split < IP + 20; split++) {
			struct rte_mbuf *buf;
			uint32_t len;

			frame_spec_init(&spec);
			spec.tos = (uint8_t)tos;
			spec.ip_id = (uint16_t)(tos * 251 + split * 7);
			len = frame_write(&spec, bytes);
			buf = frame_exact(bytes, len, split);
			ck_assert_int_eq(weir_impair_capable(buf, IP),
					 (tos & 3) == 1 || (tos & 3) == 2);
			if (weir_impair_capable(buf, IP)) {
				weir_impair_mark(buf, IP);
				weir_chain_copy(buf, IP, 20, seen);
				ck_assert_uint_eq(seen[1], tos | 3);
				ck_assert_uint_eq(frame_csum(seen, 20, 0), 0);
				ck_assert(!weir_impair_capable(buf, IP));
			}
			frame_exact_free(buf);
		}
}
END_TEST

/* A sum that was wrong stays wrong: marking repairs nothing. */
START_TEST(wrong_sums_stay_wrong)
{
	struct frame_spec spec;
	uint8_t bytes[FRAME_LEN], seen[20];
	struct rte_mbuf *buf;
	uint32_t len;

	frame_spec_init(&spec);
	spec.tos = 2;
	spec.bad_ip_csum = 1;
	len = frame_write(&spec, bytes);
	buf = frame_exact(bytes, len, 0);
	weir_impair_mark(buf, IP);
	weir_chain_copy(buf, IP, 20, seen);
	ck_assert_uint_ne(frame_csum(seen, 20, 0), 0);
	frame_exact_free(buf);
}
END_TEST

/* The field of IPv6 lies across two bytes; what is beside it stays. */
START_TEST(ip6_is_marked)
{
	uint8_t bytes[40] = {0x6a, 0x2c};
	struct rte_mbuf *buf = frame_exact(bytes, sizeof(bytes), 0);

	ck_assert(weir_impair_capable(buf, 0));
	weir_impair_mark(buf, 0);
	ck_assert_uint_eq(rte_pktmbuf_mtod(buf, uint8_t *)[0], 0x6a);
	ck_assert_uint_eq(rte_pktmbuf_mtod(buf, uint8_t *)[1], 0x3c);
	ck_assert_uint_eq(rte_pktmbuf_mtod(buf, uint8_t *)[10], 0);
	ck_assert(!weir_impair_capable(buf, 0));
	frame_exact_free(buf);
}
END_TEST

START_TEST(short_packets_are_let_alone)
{
	uint8_t bytes[IP + 11] = {0};

	bytes[IP] = 0x45;
	bytes[IP + 1] = 2;
	for (uint32_t len = IP; len <= sizeof(bytes); len++) {
		struct rte_mbuf *buf = frame_exact(bytes, len, 0);

		ck_assert(!weir_impair_capable(buf, IP));
		frame_exact_free(buf);
	}
}
END_TEST

/* Through the wrapper: each marked frame is counted, others are not. */
START_TEST(marked_at_the_rate)
{
	struct fixture f;
	uint32_t marked = 0;

	set_up(&f, "seed=3,ce=10%");
	for (int i = 0; i < 1000; i++) {
		f.spec.tos = i % 2 != 0 ? 2 : 0;
		arrive(&f, 32);
		ck_assert_uint_eq(poll_port(&f, 1, BURST), 32);
		for (uint32_t k = 0; k < f.n_out; k++)
			marked += (rte_pktmbuf_mtod(f.out[k], uint8_t *)[15] & 3) == 3;
		free_out(&f);
	}
	/* 16000 at 10 %: standard deviation 38. */
	ck_assert_uint_ge(marked, 1600 - 200);
	ck_assert_uint_le(marked, 1600 + 200);
	ck_assert_uint_eq(impaired(&f), marked);
	tear_down(&f);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, capable_packets_are_marked);
	UNIT_CASE(s, wrong_sums_stay_wrong);
	UNIT_CASE(s, ip6_is_marked);
	UNIT_CASE(s, short_packets_are_let_alone);
	UNIT_CASE(s, marked_at_the_rate);
}

UNIT_MAIN("impair_mark", add)
