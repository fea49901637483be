/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "engine/port.h"
#include "tests/unit/unit.h"

struct seen {
	struct rte_mbuf *frame;
	struct rte_mbuf **bufs;
	uint64_t now_ns;
	uint16_t n;
};

static uint16_t
give(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct seen *seen = user;

	seen->now_ns = now_ns;
	seen->n = n;
	bufs[0] = seen->frame;
	return 1;
}

static uint16_t
take_half(void *user, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct seen *seen = user;

	seen->now_ns = now_ns;
	seen->bufs = bufs;
	return n / 2;
}

static struct weir_port_functions
functions_init(struct seen *seen)
{
	return (struct weir_port_functions){
	    .size = sizeof(struct weir_port_functions),
	    .rx_burst = give,
	    .tx_burst = take_half,
	    .user = seen,
	    .mac = {2, 0, 0, 0, 9, 9},
	};
}

START_TEST(incomplete_functions_are_refused)
{
	struct seen seen = {0};
	struct weir_port_functions good = functions_init(&seen), bad;
	struct weir_port *port;

	bad = good;
	bad.size = sizeof(bad) - 1;
	ck_assert_int_eq(weir_port_open_custom(&bad, &port), -EINVAL);
	bad = good;
	bad.rx_burst = NULL;
	ck_assert_int_eq(weir_port_open_custom(&bad, &port), -EINVAL);
	bad = good;
	bad.tx_burst = NULL;
	ck_assert_int_eq(weir_port_open_custom(&bad, &port), -EINVAL);
	ck_assert_int_eq(weir_port_open_custom(NULL, &port), -EINVAL);
	ck_assert_int_eq(weir_port_open_custom(&good, NULL), -EINVAL);
}
END_TEST

START_TEST(struct_is_copied)
{
	struct rte_mbuf frame, *bufs[4] = {0};
	struct seen seen = {.frame = &frame};
	struct weir_port_functions functions = functions_init(&seen);
	struct weir_port *port;

	ck_assert_int_eq(weir_port_open_custom(&functions, &port), 0);
	memset(&functions, 0, sizeof(functions));
	ck_assert_uint_eq(port->rx_burst(port->ctx, bufs, 4, 77), 1);
	ck_assert_ptr_eq(bufs[0], &frame);
	ck_assert_uint_eq(seen.n, 4);
	ck_assert_uint_eq(seen.now_ns, 77);
	ck_assert_uint_eq(port->mac[4], 9);
	ck_assert_uint_eq(port->capabilities, 0);
	weir_port_close(port);
}
END_TEST

START_TEST(pitfall_49_custom_port_may_take_fewer)
{
	struct rte_mbuf frame, *bufs[4] = {&frame, &frame, &frame, &frame};
	struct seen seen = {0};
	struct weir_port_functions functions = functions_init(&seen);
	struct weir_port *port;

	ck_assert_int_eq(weir_port_open_custom(&functions, &port), 0);
	ck_assert_uint_eq(port->tx_burst(port->ctx, bufs, 4, 78), 2);
	ck_assert_ptr_eq(seen.bufs, bufs);
	ck_assert_uint_eq(seen.now_ns, 78);
	weir_port_close(port);
}
END_TEST

START_TEST(l3_mode_is_declared)
{
	struct seen seen = {0};
	struct weir_port_functions functions = functions_init(&seen);
	struct weir_port *port;

	functions.l3 = 1;
	ck_assert_int_eq(weir_port_open_custom(&functions, &port), 0);
	ck_assert_uint_eq(port->capabilities, WEIR_PORT_L3);
	weir_port_close(port);
	weir_port_close(NULL);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, incomplete_functions_are_refused);
	UNIT_CASE(s, struct_is_copied);
	UNIT_CASE(s, pitfall_49_custom_port_may_take_fewer);
	UNIT_CASE(s, l3_mode_is_declared);
}

UNIT_MAIN("custom", add)
