/* SPDX-License-Identifier: BSD-3-Clause */
/* Which packets are answered by an error, and how often, through a whole engine. */
#include "tests/unit/cutting.h"
#include "tests/unit/engine_test.h"
#include "wire/chain.h"

#define PROBLEM 4

static struct frame_spec spec;
static uint8_t payload[64], extension[16];

/* A packet to our address whose next header is `protocol`. */
static void
open_asked(uint8_t protocol)
{
	open_default();
	frame_spec_init(&spec);
	spec.ip6 = 1;
	spec.protocol = protocol;
	spec.payload = payload;
	spec.len = sizeof(payload);
	spec.flags = WEIR_TCP_RST; /* where it is one of TCP nobody answers */
}

/* Destination options: one of `type` without data, and padding. */
static void
add_option(uint8_t type)
{
	memset(extension, 0, sizeof(extension));
	extension[2] = type;
	extension[4] = 1;
	extension[5] = 2;
	extension[0] = spec.protocol;
	spec.extensions = extension;
	spec.extensions_len = 8;
	spec.first_extension = 60;
}

/* The packet goes in `n` times; what comes back first is `got`. Returns how many came back. */
static uint32_t
answers(uint32_t n, uint8_t got[128])
{
	struct rte_mbuf *bufs[64];
	uint32_t total = 0, back;

	for (uint32_t i = 0; i < n; i++)
		world_inject(&world, frame_build(&world.pool, &spec));
	do {
		weir_engine_poll(world.engine, world.now_ns);
		back = world.far->rx_burst(world.far->ctx, bufs, 64, world.now_ns);
		if (back != 0 && total == 0)
			weir_chain_copy(bufs[0], 0, RTE_MIN(bufs[0]->pkt_len, 128u), got);
		total += back;
		weir_buf_free_bulk(&world.pool, bufs, back);
	} while (back != 0 || stats_now()->packets_received < n);
	return total;
}

static void
check_problem(const uint8_t *got, uint8_t code, uint8_t pointer)
{
	ck_assert_uint_eq(got[14 + 6], 58);
	ck_assert_uint_eq(got[54], PROBLEM);
	ck_assert_uint_eq(got[55], code);
	ck_assert_uint_eq(got[61], pointer);
	ck_assert_uint_eq(got[62], 0x60); /* the packet */
}

START_TEST(unknown_next_headers)
{
	uint8_t got[128];

	open_asked(17);
	ck_assert_uint_eq(answers(1, got), 1);
	check_problem(got, 1, 6);
	ck_assert_uint_eq(drops_of(WEIR_DROP_IP_PROTOCOL), 1);
	ck_assert_uint_eq(stats_now()->icmp_errors_sent, 1);
	world_close(&world);
	open_asked(17);
	add_option(1);
	extension[3] = 4; /* it pads all */
	ck_assert_uint_eq(answers(1, got), 1);
	check_problem(got, 1, 40);
	world_close(&world);
	open_asked(59); /* no next header: nothing is wrong */
	ck_assert_uint_eq(answers(1, got), 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_IP_PROTOCOL), 1);
	world_close(&world);
}
END_TEST

/* The two highest bits of its type say what an option wants (RFC 8200 4.2). */
START_TEST(unknown_options)
{
	static const struct {
		uint8_t type;
		uint32_t one, group;
	} options[] = {{0x1e, 0, 0}, {0x5e, 0, 0}, {0x9e, 1, 1}, {0xde, 1, 0}};
	uint8_t got[128];

	for (uint32_t i = 0; i < RTE_DIM(options); i++)
		for (uint32_t group = 0; group < 2; group++) {
			open_asked(6);
			add_option(options[i].type);
			if (group) {
				memset(spec.dst6, 0, 16);
				spec.dst6[0] = 0xff;
				spec.dst6[1] = 2;
				spec.dst6[15] = 1;
				memcpy(spec.dst_mac, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
			}
			ck_assert_uint_eq(answers(1, got),
					  group ? options[i].group : options[i].one);
			if (stats_now()->icmp_errors_sent != 0)
				check_problem(got, 2, 42);
			world_close(&world);
		}
}
END_TEST

START_TEST(routes_and_places)
{
	uint8_t got[128];

	open_asked(6);
	add_option(1);
	extension[1] = 1; /* 16 bytes */
	extension[2] = 77;
	extension[3] = 1; /* segments left */
	spec.extensions_len = 16;
	spec.first_extension = 43;
	ck_assert_uint_eq(answers(1, got), 1);
	check_problem(got, 0, 42);
	extension[3] = 0;
	ck_assert_uint_eq(answers(1, got), 0);
	world_close(&world);
	open_asked(6);
	add_option(1);
	extension[0] = 0; /* hop-by-hop behind another header */
	extension[3] = 4;
	extension[8] = 6;
	extension[10] = 1;
	extension[11] = 4;
	spec.extensions_len = 16;
	ck_assert_uint_eq(answers(1, got), 1);
	check_problem(got, 1, 40);
	world_close(&world);
}
END_TEST

/* A hundred at once, then one each millisecond. */
START_TEST(few_are_sent)
{
	uint8_t got[128];

	open_asked(17);
	ck_assert_uint_eq(answers(400, got), 100);
	ck_assert_uint_eq(stats_now()->icmp_errors_sent, 100);
	ck_assert_uint_eq(stats_now()->icmp_errors_limited, 300);
	ck_assert_uint_eq(drops_of(WEIR_DROP_IP_PROTOCOL), 400);
	world.now_ns += 7000000;
	ck_assert_uint_eq(answers(20, got), 7);
	world_close(&world);
}
END_TEST

START_TEST(pitfall_47_no_buffer_for_an_error)
{
	uint8_t got[128];

	open_asked(17);
	world.stack->pool.fail_every = 1;
	ck_assert_uint_eq(answers(1, got), 0);
	ck_assert_uint_eq(drops_of(WEIR_DROP_TX_NO_BUFFER), 1);
	world.stack->pool.fail_every = 0;
	ck_assert_uint_eq(answers(1, got), 1);
	world_close(&world);
}
END_TEST

/* A tag that the port took off stands in the answer. */
START_TEST(tags_come_back)
{
	struct rte_mbuf *buf, *back;

	open_asked(17);
	buf = frame_build(&world.pool, &spec);
	buf->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	buf->vlan_tci = 0x6064;
	world_inject(&world, buf);
	weir_engine_poll(world.engine, world.now_ns);
	ck_assert_uint_eq(world.far->rx_burst(world.far->ctx, &back, 1, world.now_ns), 1);
	ck_assert_mem_eq(rte_pktmbuf_mtod_offset(back, uint8_t *, 12), "\x81\x00\x60\x64\x86\xdd", 6);
	weir_buf_free(&world.pool, back);
	world_close(&world);
}
END_TEST

/* Time exceeded, once the first fragment has come and the rest has not (RFC 1122 3.3.2, RFC 8200 4.5). */
START_TEST(fragments_that_wait_for_too_long)
{
	static uint8_t bytes[3000];
	static struct cutting cut;
	uint8_t got[128];

	cutting_start_eal();
	for (uint32_t ip6 = 0; ip6 < 2; ip6++)
		for (uint32_t first = 0; first < 2; first++) {
			uint32_t icmp = ip6 ? 54 : 34;

			open_default();
			frame_spec_init(&spec);
			spec.ip6 = (uint8_t)ip6;
			spec.payload = bytes;
			spec.len = sizeof(bytes);
			cutting_take(&cut, &spec);
			world_inject(&world, cutting_piece(&cut, &world.pool, first ? 0 : 1200,
							   first ? 1200 : 2400));
			spec.protocol = 59; /* nothing comes of this one */
			spec.ip6 = 1;
			ck_assert_uint_eq(answers(1, got), 0);
			ck_assert_uint_eq(stats_now()->fragments_held, 1);
			world.now_ns += 60 * UINT64_C(1000000000);
			ck_assert_uint_eq(answers(1, got), first);
			ck_assert_uint_eq(drops_of(WEIR_DROP_FRAGMENT_TIMEOUT), 1);
			ck_assert_uint_eq(stats_now()->icmp_errors_sent, first);
			if (first) {
				ck_assert_uint_eq(got[icmp], ip6 ? 3 : 11);
				ck_assert_uint_eq(got[icmp + 1], 1);
				ck_assert_uint_eq(got[icmp + 8], ip6 ? 0x60 : 0x45);
			}
			world_close(&world);
		}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, unknown_next_headers);
	UNIT_CASE(s, unknown_options);
	UNIT_CASE(s, routes_and_places);
	UNIT_CASE(s, few_are_sent);
	UNIT_CASE(s, pitfall_47_no_buffer_for_an_error);
	UNIT_CASE(s, tags_come_back);
	UNIT_CASE(s, fragments_that_wait_for_too_long);
}

UNIT_MAIN("icmp_say", add)
