/* SPDX-License-Identifier: BSD-3-Clause */
/* Who asks whether we are there is answered, but not without end. */
#include "tests/unit/engine_test.h"

/* Polls until all was heard, the first time `advance_ns` later; returns how many frames came back. */
static uint32_t
answers(uint64_t advance_ns)
{
	struct rte_mbuf *bufs[64];
	uint32_t answered = 0;
	uint16_t n;

	world.now_ns += advance_ns;
	while (weir_engine_poll(world.engine, world.now_ns) != 0)
		while ((n = world.far->rx_burst(world.far->ctx, bufs, 64, world.now_ns)) != 0) {
			answered += n;
			weir_buf_free_bulk(&world.pool, bufs, n);
		}
	return answered;
}

static void
ask_by_arp(void)
{
	static const uint8_t frame[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0,	  0, 0, 9,    0x08, 0x06,
		0,    1,    8,	  0,	6,    4,    0,	  1, 0x02, 0, 0, 0,    0,    9,
		192,  0,    2,	  200,	0,    0,    0,	  0, 0,	   0, 192, 0, 2,   1};
	struct rte_mbuf *buf = weir_buf_alloc(&world.pool);

	ck_assert_ptr_nonnull(buf);
	memcpy(rte_pktmbuf_mtod(buf, uint8_t *), frame, sizeof(frame));
	buf->pkt_len = buf->data_len = sizeof(frame);
	world_inject(&world, buf);
}

static void
ask_by_solicitation(void)
{
	uint8_t message[24] = {135, [8] = 0x20, 0x01, 0x0d, 0xb8, [23] = 1};
	struct frame_spec spec;

	frame_spec_init(&spec);
	spec.ip6 = 1;
	spec.protocol = 58;
	spec.ttl = 255;
	spec.payload = message;
	spec.len = sizeof(message);
	world_inject(&world, frame_build(&world.pool, &spec));
}

/* The same of those who ask for our link address: a thousand and 24 at once, then 16 a millisecond, of
 * both families together; echo has a bound of its own. */
START_TEST(who_asks_for_our_address_is_answered_so_many_a_second)
{
	uint32_t answered = 0, sent = 0;
	struct frame_spec spec;

	open_default();
	for (uint32_t round = 0; round < 4; round++) {
		for (uint32_t i = 0; i < 300; i++, sent += 2) {
			ask_by_arp();
			ask_by_solicitation();
		}
		answered += answers(1000);
	}
	ck_assert_uint_eq(answered, 1024);
	frame_spec_init(&spec);
	spec.protocol = 1;
	spec.payload = "\x08\0\xf7\xff\0\0\0";
	spec.len = 8;
	world_inject(&world, frame_build(&world.pool, &spec));
	ck_assert_uint_eq(answers(1000), 1);
	for (uint32_t ms = 0; ms < 100; ms++) {
		for (uint32_t i = 0; i < 10; i++, sent += 2) {
			ask_by_arp();
			ask_by_solicitation();
		}
		answered += answers(1000000);
	}
	ck_assert_uint_ge(answered, 1024 + 99 * 16);
	ck_assert_uint_le(answered, 1024 + 101 * 16);
	ck_assert_uint_eq(stats_now()->arp_replies + stats_now()->nd_replies, answered);
	ck_assert_uint_gt(stats_now()->arp_replies, 600);
	ck_assert_uint_gt(stats_now()->nd_replies, 600);
	ck_assert_uint_eq(drops_of(WEIR_DROP_NEIGHBOUR_LIMITED), sent - answered);
	ck_assert_uint_eq(drops_of(WEIR_DROP_ICMP_LIMITED), 0);
	world_close(&world);
}
END_TEST

/* What is sent because somebody asks is bounded: a hundred at once, then one a millisecond. */
START_TEST(echo_requests_are_answered_so_many_a_second)
{
	struct frame_spec spec;
	uint32_t sent = 0, answered = 0;

	open_default();
	frame_spec_init(&spec);
	spec.protocol = 1;
	spec.payload = "\x08\0\xf7\xff\0\0\0";
	spec.len = 8;
	for (uint32_t ms = 0; ms < 300; ms++) {
		for (uint32_t i = 0; i < 3; i++, sent++)
			world_inject(&world, frame_build(&world.pool, &spec));
		answered += answers(1000000);
	}
	ck_assert_uint_eq(stats_now()->icmp_replies, answered);
	ck_assert_uint_eq(drops_of(WEIR_DROP_ICMP_LIMITED), sent - answered);
	ck_assert_uint_ge(answered, 100 + 290);
	ck_assert_uint_le(answered, 100 + 300);
	world_close(&world);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, echo_requests_are_answered_so_many_a_second);
	UNIT_CASE(s, who_asks_for_our_address_is_answered_so_many_a_second);
}

UNIT_MAIN("poll_answers", add)
