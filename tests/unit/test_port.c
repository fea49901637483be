/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/port.h"
#include "tests/unit/unit.h"

static void
note(void *ctx)
{
	++*(int *)ctx;
}

START_TEST(close_reaches_the_driver_once)
{
	int closed = 0;
	struct weir_port port = {.ctx = &closed, .close = note};

	weir_port_close(&port);
	ck_assert_int_eq(closed, 1);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
	weir_port_close(NULL);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, close_reaches_the_driver_once);
	UNIT_CASE(s, closing_nothing_is_fine);
}

UNIT_MAIN("port", add)
