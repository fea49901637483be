/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/reply.h"
#include "tests/unit/asking.h"

START_TEST(bytes_are_written_across_segments)
{
	uint8_t from[20], got[64];
	struct fixture f;
	struct bytes b = {.len = 40};
	struct rte_mbuf *buf;

	set_up(&f);
	memset(from, 0xaa, sizeof(from));
	for (uint32_t split = 1; split <= 40; split++) {
		memset(b.at, 0x11, b.len);
		buf = frame_of(&f, &b, split);
		weir_reply_write(buf, 9, from, sizeof(from));
		memset(b.at + 9, 0xaa, sizeof(from));
		ck_assert_uint_eq(weir_chain_copy(buf, 0, sizeof(got), got), 40);
		ck_assert_mem_eq(got, b.at, 40);
		weir_buf_free(&f.pool, buf);
	}
	tear_down(&f);
}
END_TEST

START_TEST(groups_are_no_hosts)
{
	ck_assert(weir_reply_unicast(frame_remote_mac));
	ck_assert(!weir_reply_unicast(broadcast));
	ck_assert(!weir_reply_unicast(group_mac));
	ck_assert(!weir_reply_unicast(no_mac));
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, bytes_are_written_across_segments);
	UNIT_CASE(s, groups_are_no_hosts);
}

UNIT_MAIN("reply", add)
