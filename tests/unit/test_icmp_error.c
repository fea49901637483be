/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/sim/world.h"
#include "tests/unit/icmp.h"
#include "tests/unit/unit.h"

static struct world world;

#define HARD_CODES 2 /* protocol and port unreachable: 2 and 3 */

/* One error, which leaves through `exit` and is never answered. */
static void
expect(const struct icmp_spec *spec, int exit)
{
	uint8_t message[ICMP_MAX];
	struct frame_spec frame;

	icmp_frame(spec, message, &frame);
	world_inject(&world, frame_build(&world.pool, &frame));
	scene_expect(&world, exit, 1, 0);
}

static const struct weir_stats *
stats_now(void)
{
	return &world.engine->tcp.stats;
}

/* RFC 5927 section 4.1: by the sequence number, in every state. */
START_TEST(only_what_is_on_its_way)
{
	scene_open(&world, 1 << 20);
	for (uint32_t state = WEIR_TCP_ESTABLISHED; state <= SCENE_TIME_WAIT; state++) {
		uint16_t port = (uint16_t)(40000 + state);
		uint32_t una, nxt;
		struct remote remote;
		struct icmp_spec spec;

		scene_enter(&world, &remote, port, state);
		if (state == SCENE_SYN_RECEIVED) { /* the SYN-ACK is on its way */
			una = world.engine->tcp.syns[0].iss;
			nxt = una + 1;
		} else if (state == SCENE_TIME_WAIT) {
			nxt = world.engine->tcp.time_waits[0].snd_nxt;
			una = nxt - 1;
		} else {
			una = scene_flow(&world, &remote)->snd_una;
			nxt = scene_flow(&world, &remote)->snd_nxt;
			ck_assert_uint_eq(nxt - una, state == WEIR_TCP_FIN_WAIT_1 ||
							     state == WEIR_TCP_CLOSING ||
							     state == WEIR_TCP_LAST_ACK);
		}
		spec = icmp_about(port, una - 1);
		expect(&spec, WEIR_DROP_ICMP_STALE);
		spec.seq = nxt + 1;
		expect(&spec, WEIR_DROP_ICMP_STALE);
		spec.seq = una + 0x80000000u;
		expect(&spec, WEIR_DROP_ICMP_STALE);
		for (spec.seq = una; spec.seq - una <= nxt - una; spec.seq++)
			expect(&spec, SCENE_CONSUMED);
	}
	ck_assert_uint_gt(stats_now()->icmp_errors, 0);
	ck_assert_uint_eq(stats_now()->icmp_aborted, 0);
	scene_close(&world);
}
END_TEST

/* RFC 5927 section 5.2: no error of any type and code ends what is synchronised. */
START_TEST(nothing_ends_a_connection)
{
	struct icmp_spec spec;
	struct remote remote;

	scene_open(&world, 1 << 20);
	for (uint32_t state = WEIR_TCP_ESTABLISHED; state < WEIR_TCP_STATE_COUNT; state++) {
		uint16_t port = (uint16_t)(40000 + state);

		scene_enter(&world, &remote, port, state);
		spec = icmp_about(port, remote.rcv_nxt);
		for (uint32_t code = 0; code < 16; code++) {
			spec.code = (uint8_t)code;
			expect(&spec, code == 4 ? WEIR_DROP_ICMP_MTU : SCENE_CONSUMED);
		}
		spec.type = 11;
		expect(&spec, SCENE_CONSUMED);
		spec.type = 12;
		expect(&spec, SCENE_CONSUMED);
		spec.type = 4;
		expect(&spec, WEIR_DROP_ICMP_IGNORED);
		spec.type = 5;
		expect(&spec, WEIR_DROP_ICMP_IGNORED);
		ck_assert_uint_eq(scene_state(&world, &remote), state);
		scene_events(&world, "");
	}
	scene_close(&world);
}
END_TEST

START_TEST(a_hard_one_ends_the_handshake)
{
	struct icmp_spec spec;
	struct remote remote;

	scene_open(&world, 1 << 20);
	for (uint32_t i = 0; i < HARD_CODES; i++) {
		scene_enter(&world, &remote, (uint16_t)(40000 + i), SCENE_SYN_RECEIVED);
		spec = icmp_about((uint16_t)(40000 + i), world.engine->tcp.syns[0].iss);
		ck_assert_uint_eq(stats_now()->syn_received, 1);
		expect(&spec, SCENE_CONSUMED); /* host unreachable: soft */
		ck_assert_uint_eq(stats_now()->syn_received, 1);
		spec.code = 4;
		spec.mtu = 68;
		spec.len = 60;
		expect(&spec, WEIR_DROP_ICMP_MTU);
		spec.code = (uint8_t)(2 + i);
		expect(&spec, SCENE_CONSUMED);
		ck_assert_uint_eq(stats_now()->syn_received, 0);
		ck_assert_uint_eq(stats_now()->icmp_aborted, i + 1);
		expect(&spec, WEIR_DROP_ICMP_NO_FLOW);
		scene_pass(&world, 5 * SCENE_SEC, 0); /* its timer is gone, too */
	}
	scene_close(&world);
}
END_TEST

START_TEST(of_no_connection)
{
	struct icmp_spec spec;
	struct remote remote;

	scene_open(&world, 1 << 20);
	scene_enter(&world, &remote, 40000, WEIR_TCP_ESTABLISHED);
	spec = icmp_about(40000, remote.rcv_nxt);
	spec.dport = 40001;
	expect(&spec, WEIR_DROP_ICMP_NO_FLOW);
	spec.dport = 40000;
	spec.dst++;
	expect(&spec, WEIR_DROP_ICMP_NO_FLOW);
	spec.dst--;
	spec.protocol = 17;
	expect(&spec, WEIR_DROP_ICMP);
	scene_close(&world);
}
END_TEST

/* ---- path MTU ---- */

static struct icmp_spec
too_big(uint32_t seq, uint32_t mtu, uint32_t len)
{
	struct icmp_spec spec = icmp_about(40000, seq);

	spec.code = 4;
	spec.mtu = (uint16_t)mtu;
	spec.len = (uint16_t)len;
	return spec;
}

/* SACK blocks of the duplicate ACK when there are `holes` of them. */
static uint32_t
blocks_sent(const struct remote *remote, uint32_t holes)
{
	for (uint32_t i = 0; i < holes; i++)
		remote_send(&world, remote, remote->snd_nxt + 1000 + i * 2000, 0, 100);
	world_poll(&world, 1000);
	return world_last(&world)->n_sacks;
}

START_TEST(a_narrow_path_costs_sack_blocks)
{
	static const struct {
		bool ts;
		uint32_t mtu, len, blocks;
	} cases[] = {
		{true, 79, 80, 2}, {true, 72, 80, 2}, {true, 71, 80, 1}, {true, 68, 80, 1},
		{true, 0, 80, 1}, /* a router older than RFC 1191 */
		{true, 68, 72, 1}, {false, 79, 80, 4}, {false, 76, 80, 4}, {false, 75, 76, 3},
		{false, 68, 76, 3},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct icmp_spec spec;
		struct remote remote;

		scene_open(&world, 1 << 20);
		remote_init(&remote, 40000);
		remote.ts = cases[i].ts;
		remote_open(&world, &remote);
		ck_assert_uint_eq(blocks_sent(&remote, 5), cases[i].ts ? 3 : 4);
		spec = too_big(remote.rcv_nxt, cases[i].mtu, cases[i].len);
		expect(&spec, SCENE_CONSUMED);
		ck_assert_uint_eq(stats_now()->path_mtu_lowered,
				  cases[i].blocks < (cases[i].ts ? 3u : 4u));
		remote.snd_nxt += 100000;
		ck_assert_uint_eq(blocks_sent(&remote, 1), cases[i].blocks);
		spec.mtu = 79; /* it does not widen */
		spec.len = 80;
		expect(&spec, SCENE_CONSUMED);
		remote.snd_nxt += 3000;
		ck_assert_uint_eq(blocks_sent(&remote, 1), cases[i].blocks);
		scene_close(&world);
	}
}
END_TEST

/* RFC 5927 section 7.2, and less than any link has. */
START_TEST(a_packet_that_fits_was_not_refused)
{
	struct icmp_spec spec;
	struct remote remote;

	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	for (uint32_t len = 40; len <= 100; len += 4) {
		for (uint32_t mtu = 1; mtu < 2000; mtu += 1 + (mtu > 120) * 97) {
			if (mtu >= 68 && mtu < len && len <= 80)
				continue;
			spec = too_big(remote.rcv_nxt, mtu, len);
			expect(&spec, WEIR_DROP_ICMP_MTU);
		}
	}
	ck_assert_uint_eq(stats_now()->path_mtu_lowered, 0);
	ck_assert_uint_eq(blocks_sent(&remote, 5), 3);
	scene_close(&world);
}
END_TEST

/* Every link of IPv6 takes 1280 bytes, so that too big is never true; the rest is as above. */
START_TEST(of_ip6)
{
	struct icmp_spec spec;
	struct remote remote;

	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote.ip6 = true;
	remote_open(&world, &remote);
	spec = icmp_about6(40000, remote.rcv_nxt);
	spec.dst = remote.ip;
	for (uint32_t code = 0; code < 8; code++) {
		spec.code = (uint8_t)code;
		expect(&spec, SCENE_CONSUMED);
	}
	spec.seq++;
	expect(&spec, WEIR_DROP_ICMP_STALE);
	spec.seq--;
	spec.dport++;
	expect(&spec, WEIR_DROP_ICMP_NO_FLOW);
	spec.dport--;
	spec.type = 2;
	for (uint32_t mtu = 0; mtu < 2000; mtu += 40) {
		spec.mtu = (uint16_t)mtu;
		spec.len = 100;
		expect(&spec, WEIR_DROP_ICMP_MTU);
	}
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_ESTABLISHED);
	ck_assert_uint_eq(blocks_sent(&remote, 5), 3);
	scene_close(&world);
}
END_TEST

/* A million guesses by one who does not see the connection: none is right, nothing changes. */
START_TEST(blind_guesses_do_nothing)
{
	uint32_t state = 1;
	struct remote remote;

	scene_open(&world, 1 << 20);
	remote_init(&remote, 40000);
	remote_open(&world, &remote);
	for (uint32_t round = 0; round < 20000; round++) {
		for (uint32_t i = 0; i < 50; i++) {
			struct icmp_spec spec;
			uint8_t message[ICMP_MAX];
			struct frame_spec frame;

			state = state * 1664525u + 1013904223u;
			spec = too_big(state == remote.rcv_nxt ? 0 : state, 68, 80);
			spec.code = (uint8_t)(state % 16);
			icmp_frame(&spec, message, &frame);
			world_inject(&world, frame_build(&world.pool, &frame));
		}
		ck_assert_uint_eq(world_poll(&world, 1000), 0);
	}
	ck_assert_uint_eq(stats_now()->drops[WEIR_DROP_ICMP_STALE], 1000000);
	ck_assert_uint_eq(stats_now()->icmp_errors, 0);
	ck_assert_uint_eq(scene_state(&world, &remote), WEIR_TCP_ESTABLISHED);
	scene_close(&world);
}
END_TEST

static void
add_cases(Suite *suite)
{
	UNIT_CASE(suite, only_what_is_on_its_way);
	UNIT_CASE(suite, nothing_ends_a_connection);
	UNIT_CASE(suite, a_hard_one_ends_the_handshake);
	UNIT_CASE(suite, of_no_connection);
	UNIT_CASE(suite, a_narrow_path_costs_sack_blocks);
	UNIT_CASE(suite, a_packet_that_fits_was_not_refused);
	UNIT_CASE(suite, of_ip6);
	UNIT_CASE(suite, blind_guesses_do_nothing);
}
UNIT_MAIN("icmp_error", add_cases)
