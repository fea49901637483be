/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "flow/flow.h"
#include "tcp/accecn.h"
#include "tests/unit/unit.h"
#include "weir.h"

#define E0 (1u << WEIR_ECN_ECT0)
#define E1 (1u << WEIR_ECN_ECT1)
#define CE (1u << WEIR_ECN_CE)

static void
count(struct weir_accecn *accecn, uint8_t tos, uint32_t len)
{
	const struct weir_seg seg = {.tos = tos, .len = len};

	weir_accecn_count(accecn, &seg);
}

/* RFC 9768 3.2, 3.2.1: payload by codepoint, whatever the DSCP; nothing else counts. */
START_TEST(payload_by_codepoint)
{
	struct weir_accecn accecn;
	uint32_t want[4] = {0, 1, 1, 0};

	memset(&accecn, 0xee, sizeof(accecn));
	weir_accecn_open(&accecn);
	ck_assert_mem_eq(accecn.bytes, want, sizeof(want));
	for (uint32_t i = 0; i < 3000; i++) {
		uint8_t tos = (uint8_t)(i * 7);
		uint32_t len = i % 5 == 0 ? 0 : i * 100;

		count(&accecn, tos, len);
		want[tos & 3] += (tos & 3) != 0 ? len : 0;
		ck_assert_mem_eq(accecn.bytes, want, sizeof(want));
	}
}
END_TEST

/* 3.2.3.3: never while nothing moved; a change twice, marks always, all else every eighth time. */
START_TEST(which_acks_tell)
{
	static const struct {
		uint8_t tos;
		uint8_t due;
	} acks[] = {{0, 0}, {2, 1}, {2, 1}, {2, 0}, {0, 0}, {0, 0}, {3, 1}, {3, 1}, {3, 1}, {0, 0},
		    {3, 1}, {2, 1}, {0, 0}, {2, 1}, {2, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0}, {2, 0},
		    {2, 0}, {2, 1}, {2, 0}, {1, 1}, {1, 1}, {1, 0}};
	struct weir_flow flow = {.ack_policy = WEIR_ACK_TRAIN};
	struct weir_accecn accecn;

	weir_accecn_open(&accecn);
	for (uint32_t i = 0; i < sizeof(acks) / sizeof(acks[0]); i++) {
		bool due;

		count(&accecn, acks[i].tos, 100);
		due = weir_accecn_is_due(&accecn, &flow);
		ck_assert_msg(due == acks[i].due, "ACK %u", i);
		if (due) {
			ck_assert(weir_accecn_is_due(&accecn, &flow)); /* and again */
			ck_assert_uint_ne(weir_accecn_take(&accecn, 3).kind, 0);
		}
	}
}
END_TEST

/* Where ACKs are few each of them tells what moved since the last one. */
START_TEST(few_acks_tell_all)
{
	struct weir_flow flow = {.ack_policy = WEIR_ACK_STRETCH};
	struct weir_accecn accecn;

	weir_accecn_open(&accecn);
	for (uint32_t i = 0; i < 100; i++) {
		bool moved = i % 3 != 0;

		flow.ack_policy = i % 2 ? WEIR_ACK_STRETCH : WEIR_ACK_DELAYED;
		count(&accecn, moved ? WEIR_ECN_ECT0 : WEIR_ECN_NOT_ECT, 100);
		ck_assert_int_eq(weir_accecn_is_due(&accecn, &flow), moved);
		if (moved)
			weir_accecn_take(&accecn, 3);
	}
}
END_TEST

/* Table 5: which counters, in which order, for every set that ever moved and every one that is new. */
START_TEST(every_length_and_order)
{
	for (uint32_t ever = 1; ever < 8; ever++)
		for (uint32_t fresh = 1; fresh < 8; fresh++)
			for (uint32_t most = 1; most <= 3; most++) {
				struct weir_accecn accecn = {.bytes = {0, 11, 22, 33},
							     .ever = (uint8_t)(ever << 1),
							     .fresh = (uint8_t)(fresh << 1)};
				uint32_t told = 0, set = ever << 1;
				struct weir_accecn_echo echo;

				if ((fresh & ~ever) != 0)
					continue;
				echo = weir_accecn_take(&accecn, most);
				ck_assert_uint_le(echo.n, most);
				if (echo.kind == 0) { /* then not even what is new fits */
					set = fresh << 1;
					ck_assert(((set & E0) && (set & E1) && most < 3) ||
						  ((set & CE) && most < 2));
					ck_assert_uint_eq(accecn.fresh, fresh << 1);
					continue;
				}
				for (uint32_t i = 0; i < echo.n; i++) {
					static const uint8_t order0[] = {22, 33, 11};

					ck_assert_uint_eq(echo.counters[i],
							  echo.kind == 172 ? order0[i] : order0[2 - i]);
					told |= 1u << echo.counters[i] / 11;
				}
				ck_assert_uint_eq(fresh << 1 & ~told, 0);
				if (most == 3)
					ck_assert_uint_eq(set & ~told, 0);
				ck_assert_uint_eq(accecn.fresh, 0);
			}
}
END_TEST

/* 3.2.3.2.2: three times lost, unless many others were not. */
START_TEST(acks_that_never_arrive)
{
	for (uint32_t between = 1; between < 200; between++) {
		struct weir_flow flow = {.ack_policy = WEIR_ACK_TRAIN};
		struct weir_accecn accecn;

		weir_accecn_open(&accecn);
		for (uint32_t round = 1; round <= 3; round++) {
			ck_assert(!weir_accecn_is_blocked(&accecn)); /* the last one did not carry it */
			for (uint32_t i = 0; i < between; i++) {
				count(&accecn, WEIR_ECN_CE, 1);
				ck_assert(weir_accecn_is_due(&accecn, &flow));
				weir_accecn_take(&accecn, 3);
			}
			ck_assert_int_eq(weir_accecn_is_blocked(&accecn), round == 3 && between < 64);
			ck_assert(!weir_accecn_is_due(&accecn, &flow));
		}
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, payload_by_codepoint);
	UNIT_CASE(s, which_acks_tell);
	UNIT_CASE(s, few_acks_tell_all);
	UNIT_CASE(s, every_length_and_order);
	UNIT_CASE(s, acks_that_never_arrive);
}

UNIT_MAIN("accecn", add)
