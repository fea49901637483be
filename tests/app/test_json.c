/* SPDX-License-Identifier: BSD-3-Clause */
/* Every counter of struct weir_stats is in the object, once, under its name. */
#include "../unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"

static struct snapshot snapshot;

static char *
write_it(void)
{
	struct json_about about = {.lcore = 1, .seed = 77};
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	json_write(file, &snapshot, &about);
	fclose(file);
	return text;
}

/* A number of its own in each 64-bit place of [from, from + size). */
static void
number(void *from, size_t size, uint64_t *next)
{
	for (size_t i = 0; i + 8 <= size; i += 8, (*next)++)
		memcpy((char *)from + i, next, 8);
}

static uint32_t
times(const char *text, uint64_t value)
{
	char wanted[32];
	size_t len = (size_t)snprintf(wanted, sizeof(wanted), ":%" PRIu64, value);
	uint32_t n = 0;

	for (const char *at = text; (at = strstr(at, wanted)) != NULL; at += len)
		if (strchr(",}]", at[len]) != NULL)
			n++;
	return n;
}

#define FIRST UINT64_C(700000000)

START_TEST(every_counter)
{
	struct weir_stats *stats = &snapshot.stats;
	size_t begin = offsetof(struct weir_stats, polls);
	size_t end = offsetof(struct weir_stats, ports);
	struct weir_port_stats *port = &stats->ports[0];
	uint64_t next = FIRST;
	char *text;

	number((char *)stats + begin, end - begin, &next);
	number(&port->rx_packets,
	       offsetof(struct weir_port_stats, csum_software) -
		   offsetof(struct weir_port_stats, rx_packets),
	       &next);
	memcpy(snapshot.limited_ms, stats->limited_ms, sizeof(snapshot.limited_ms));
	for (stats->n_drops = 0;
	     stats->n_drops < WEIR_STATS_DROPS && weir_stats_drop_name(stats->n_drops) != NULL;)
		stats->n_drops++;
	for (stats->n_reasons = 0; stats->n_reasons < WEIR_STATS_REASONS &&
				   weir_stats_reason_name(stats->n_reasons) != NULL;)
		stats->n_reasons++;
	ck_assert_uint_gt(stats->n_drops, 0);
	ck_assert_uint_gt(stats->n_reasons, 0);
	stats->n_ports = 1;
	text = write_it();
	for (uint64_t value = FIRST; value < next; value++) {
		size_t at = begin + (size_t)(value - FIRST) * 8;
		size_t drops = offsetof(struct weir_stats, drops);
		size_t reasons = offsetof(struct weir_stats, aggregate_reasons);
		bool unnamed =
		    (at >= drops + stats->n_drops * 8 && at < drops + sizeof(stats->drops)) ||
		    (at >= reasons + stats->n_reasons * 8 &&
		     at < reasons + sizeof(stats->aggregate_reasons));

		ck_assert_msg(times(text, value) == (unnamed ? 0 : 1), "offset %zu: %u times", at,
			      times(text, value));
	}
	free(text);
}
END_TEST

/* Depth, strings and commas, as a reader of JSON would see them. */
static uint32_t
top_keys(const char *text)
{
	int depth = 0;
	uint32_t n = 0;
	bool in_string = false;

	for (const char *at = text; *at != '\n'; at++) {
		ck_assert(*at != '\0');
		if (in_string && *at == '\\')
			at++;
		else if (*at == '"')
			in_string = !in_string;
		else if (!in_string && strchr("{[", *at) != NULL)
			depth++;
		else if (!in_string && strchr("}]", *at) != NULL)
			depth--;
		else if (!in_string && *at == ',')
			ck_assert(at[1] == '"' || at[1] == '{');
		else if (!in_string && *at == ':' && depth == 1)
			n++;
		ck_assert_int_ge(depth, 0);
	}
	ck_assert_int_eq(depth, 0);
	return n;
}

START_TEST(shape)
{
	static const char *const keys[] = {"engines",	 "ports",	"drops",
					   "aggregates", "connections", "memory",
					   "balance",	 "max_gap_ms",	"max_late_ms"};
	char *text, name[32];

	memset(&snapshot, 0, sizeof(snapshot));
	snapshot.stats.n_ports = 2;
	strcpy(snapshot.stats.ports[0].name, "a\"b\\c\n");
	snapshot.stats.aggregate_sizes[3] = 5;
	text = write_it();
	ck_assert_uint_eq(top_keys(text), 9);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(name, sizeof(name), "\"%s\":", keys[i]);
		ck_assert_msg(strstr(text, name) != NULL, "%s", name);
	}
	ck_assert(strstr(text, "\"name\":\"a\\\"b\\\\c\\u000a\"") != NULL);
	ck_assert(strstr(text, "\"sizes\":{\"3\":5}") != NULL);
	ck_assert(strstr(text, "\"mean\":0.0000") != NULL);
	ck_assert(strstr(text, "\"seed\":77") != NULL);
	ck_assert(strchr(text, '\n') == text + strlen(text) - 1);
	free(text);
}
END_TEST

START_TEST(balance)
{
	char *text;

	memset(&snapshot, 0, sizeof(snapshot));
	snapshot.stats.packets_received = 10;
	snapshot.stats.packets_delivered = 4;
	snapshot.stats.packets_consumed = 3;
	snapshot.stats.packets_dropped = 2;
	snapshot.stats.packets_queued = 1;
	text = write_it();
	ck_assert(strstr(text, "\"balanced\":true") != NULL);
	free(text);
	snapshot.stats.packets_queued = 0;
	text = write_it();
	ck_assert(strstr(text, "\"balanced\":false") != NULL);
	free(text);
}
END_TEST

START_TEST(verified_bytes)
{
	struct verify_counters *verify = &snapshot.sinks.verify;
	char *text;

	memset(&snapshot, 0, sizeof(snapshot));
	verify->bytes = 12345;
	text = write_it();
	ck_assert(strstr(text, "\"verify\":{\"bytes\":12345,\"wrong_bytes\":0,\"wrong_conns\":0,"
			       "\"first\":null}") != NULL);
	free(text);
	verify->wrong_bytes = 3;
	verify->wrong_conns = 2;
	ck_assert_int_eq(weir_addr_parse("192.0.2.7", &verify->first_remote), 0);
	verify->first_port = 4096;
	verify->first_offset = UINT64_C(1) << 40;
	verify->first_expected = 255;
	verify->first_found = 1;
	text = write_it();
	ck_assert(strstr(text, "\"wrong_bytes\":3,\"wrong_conns\":2,\"first\":{\"address\":"
			       "\"192.0.2.7\",\"port\":4096,\"offset\":1099511627776,"
			       "\"expected\":255,\"found\":1}}") != NULL);
	free(text);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, verified_bytes);
	UNIT_CASE(s, every_counter);
	UNIT_CASE(s, shape);
	UNIT_CASE(s, balance);
}

UNIT_MAIN("app_json", add)
