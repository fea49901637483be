/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "drivers/impair_spec.h"
#include "engine/port.h"
#include "tests/unit/unit.h"

START_TEST(specification_is_read)
{
	struct weir_impair_spec spec;
	const char *error;

	ck_assert_int_eq(weir_impair_spec_parse("seed=18446744073709551615,loss=1%,dup=0.25%,"
						"reorder=100%,corrupt=0.0000001%,truncate=0%,"
						"ce=50%,delay=200us,both=1",
						&spec, &error),
			 0);
	ck_assert_ptr_null(error);
	ck_assert_uint_eq(spec.seed, UINT64_MAX);
	ck_assert_uint_eq(spec.rate[WEIR_IMPAIR_LOSS], 10000000);
	ck_assert_uint_eq(spec.rate[WEIR_IMPAIR_DUP], 2500000);
	ck_assert_uint_eq(spec.rate[WEIR_IMPAIR_REORDER], WEIR_IMPAIR_ALWAYS);
	ck_assert_uint_eq(spec.rate[WEIR_IMPAIR_CORRUPT], 1);
	ck_assert_uint_eq(spec.rate[WEIR_IMPAIR_TRUNCATE], 0);
	ck_assert_uint_eq(spec.rate[WEIR_IMPAIR_CE], WEIR_IMPAIR_ALWAYS / 2);
	ck_assert_uint_eq(spec.delay_ns, 200000);
	ck_assert_uint_eq(spec.both, 1);
	ck_assert_int_eq(weir_impair_spec_parse("delay=5ms", &spec, &error), 0);
	ck_assert_uint_eq(spec.delay_ns, 5000000);
	ck_assert_uint_eq(spec.both, 0);
	ck_assert_int_eq(weir_impair_spec_parse("delay=60s", &spec, &error), 0);
	ck_assert_int_eq(weir_impair_spec_parse("delay=0", &spec, &error), 0);
	ck_assert_int_eq(weir_impair_spec_parse("", &spec, &error), 0);
	ck_assert_uint_eq(spec.seed, 0);
}
END_TEST

START_TEST(bad_word_is_named)
{
	static const struct {
		const char *text;
		uint32_t error; /* offset of the word */
	} bad[] = {
	    {"los=1%", 0},
	    {"loss=1%,dup", 8},
	    {"loss=1%,,dup=1%", 8},
	    {"loss=1%,", 8},
	    {",", 0},
	    {"loss=1%,loss=2%", 8},
	    {"loss=1%,dup=1%,loss=1%", 15},
	    {"seed=1,loss=1%,seed=1", 15},
	    {"delay=1us,delay=1us", 10},
	    {"both=1,both=1", 7},
	    {"loss=101%", 0},
	    {"loss=100.1%", 0},
	    {"dup=1%,loss=1", 7},
	    {"loss=%", 0},
	    {"loss=1.%", 0},
	    {"loss=.5%", 0},
	    {"loss=-1%", 0},
	    {"loss=1%%", 0},
	    {"loss= 1%", 0},
	    {"seed=", 0},
	    {"seed=x", 0},
	    {"seed=18446744073709551616", 0},
	    {"delay=5", 0},
	    {"delay=5min", 0},
	    {"delay=61s", 0},
	    {"delay=us", 0},
	    {"seed=1,delay=1us ", 7},
	    {"both=2", 0},
	    {"both=", 0},
	    {"=", 0},
	    {"loss=99999999999999999999%", 0},
	    {"delay=18446744073709551615s", 0},
	};
	struct weir_port inner = {0}, *port;

	for (size_t i = 0; i < RTE_DIM(bad); i++) {
		const char *error = NULL;

		ck_assert_int_eq(weir_port_open_impair(&inner, bad[i].text, &port, &error),
				 -EINVAL);
		ck_assert_msg(error == bad[i].text + bad[i].error, "%s", bad[i].text);
		ck_assert_int_eq(weir_port_open_impair(&inner, bad[i].text, &port, NULL), -EINVAL);
	}
	ck_assert_int_eq(weir_port_open_impair(NULL, "", &port, NULL), -EINVAL);
	ck_assert_int_eq(weir_port_open_impair(&inner, NULL, &port, NULL), -EINVAL);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, specification_is_read);
	UNIT_CASE(s, bad_word_is_named);
}

UNIT_MAIN("impair_spec", add)
