/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows as others read them: JSON to the letter, targets in both directions. */
#include "../unit/unit.h"

#include <math.h>
#include <string.h>

#include "rows.h"

static struct row
example(void)
{
	return (struct row){.in_case = "bulk",
			    .name = "weir",
			    .flows = 8,
			    .run = 8,
			    .set = "cross",
			    .value = 96,
			    .unit = "cycles/segment",
			    .against = "F+A/2",
			    .ratio = 1.42,
			    .target = ROW_AT_MOST,
			    .must = 1.6,
			    .aim = 1.3,
			    .spread = 0.03};
}

static char *
json_of(const struct row *row)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	row_write_json(file, row);
	fclose(file);
	return text;
}

static void
expect_json(const struct row *row, const char *expected)
{
	char *text = json_of(row);

	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(json_with_target)
{
	struct row row = example();

	expect_json(&row,
		    "{\"case\":\"bulk\",\"row\":\"weir\",\"flows\":8,\"run\":8,\"set\":\"cross\","
		    "\"value\":96,\"unit\":\"cycles/segment\",\"against\":\"F+A/2\","
		    "\"ratio\":1.42,\"must\":1.6,\"aim\":1.3,\"pass\":true,\"spread\":0.03,"
		    "\"valid\":true}\n");
	row.ratio = 1.61;
	row.lockstep = true;
	row.in_short = true;
	expect_json(&row,
		    "{\"case\":\"bulk\",\"row\":\"weir\",\"flows\":8,\"run\":8,\"set\":\"cross\","
		    "\"value\":96,\"unit\":\"cycles/segment\",\"against\":\"F+A/2\","
		    "\"ratio\":1.61,\"must\":1.6,\"aim\":1.3,\"pass\":false,\"spread\":0.03,"
		    "\"valid\":true,\"lockstep\":true,\"short\":true}\n");
}
END_TEST

START_TEST(json_of_shown_rows)
{
	struct row row = example();

	row.target = ROW_SHOWN;
	expect_json(&row,
		    "{\"case\":\"bulk\",\"row\":\"weir\",\"flows\":8,\"run\":8,\"set\":\"cross\","
		    "\"value\":96,\"unit\":\"cycles/segment\",\"against\":\"F+A/2\","
		    "\"ratio\":1.42,\"spread\":0.03,\"valid\":true}\n");
	row.against = NULL;
	expect_json(&row,
		    "{\"case\":\"bulk\",\"row\":\"weir\",\"flows\":8,\"run\":8,\"set\":\"cross\","
		    "\"value\":96,\"unit\":\"cycles/segment\",\"spread\":0.03,"
		    "\"valid\":true}\n");
}
END_TEST

START_TEST(json_of_void_rows)
{
	struct row row = example();

	row.void_why = "headroom below 1.5";
	row.headroom = 1.25;
	row.ratio = INFINITY;
	expect_json(&row,
		    "{\"case\":\"bulk\",\"row\":\"weir\",\"flows\":8,\"run\":8,\"set\":\"cross\","
		    "\"value\":96,\"unit\":\"cycles/segment\",\"against\":\"F+A/2\","
		    "\"ratio\":0,\"must\":1.6,\"aim\":1.3,\"pass\":false,\"spread\":0.03,"
		    "\"valid\":false,\"headroom\":1.25,\"void\":\"headroom below 1.5\"}\n");
}
END_TEST

START_TEST(targets)
{
	struct row row = example();

	row.ratio = 1.6;
	ck_assert(row_passes(&row));
	row.ratio = 1.6001;
	ck_assert(!row_passes(&row));
	row.target = ROW_AT_LEAST;
	ck_assert(row_passes(&row));
	row.ratio = 1.5999;
	ck_assert(!row_passes(&row));
	row.target = ROW_SHOWN;
	ck_assert(row_passes(&row));
	row.target = ROW_AT_LEAST;
	row.ratio = 9;
	row.void_why = "so";
	ck_assert(!row_passes(&row));
}
END_TEST

START_TEST(table_line)
{
	struct row row = example();
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	row.ratio = 1.7;
	row.void_why = "because";
	row_write_line(file, &row);
	fclose(file);
	ck_assert_ptr_nonnull(strstr(text, "weir "));
	ck_assert_ptr_nonnull(strstr(text, "1.700 of F+A/2, must <= 1.6, aim 1.3: MISSED"));
	ck_assert_ptr_nonnull(strstr(text, "VOID: because"));
	ck_assert_int_eq(text[size - 1], '\n');
	free(text);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, json_with_target);
	UNIT_CASE(s, json_of_shown_rows);
	UNIT_CASE(s, json_of_void_rows);
	UNIT_CASE(s, targets);
	UNIT_CASE(s, table_line);
}

UNIT_MAIN("app_bench_rows", add)
