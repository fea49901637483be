/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include <inttypes.h>
#include <string.h>

/* Counters by name and place, so that none is written by hand. */
struct field {
	const char *name;
	size_t offset;
};

#define STAT(name_)                                                                                \
	{                                                                                          \
#name_, offsetof(struct weir_stats, name_)                                         \
	}
#define PORT(name_)                                                                                \
	{                                                                                          \
#name_, offsetof(struct weir_port_stats, name_)                                    \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct field engine_fields[] = {
    STAT(polls),
    STAT(busy_polls),
    STAT(segs),
    STAT(data_segs),
    STAT(bytes),
    STAT(slow_segs),
    STAT(acks_train),
    STAT(trains),
    STAT(acks_single),
    STAT(dup_acks),
    STAT(window_updates),
    STAT(window_rounded_down),
    STAT(ts_missing),
    STAT(options_malformed),
    STAT(answers_limited),
    STAT(events),
    STAT(arp_replies),
    STAT(icmp_replies),
    STAT(budget_exhausted),
};

static const struct field port_fields[] = {
    PORT(rx_packets), PORT(rx_bytes),	  PORT(tx_packets),    PORT(tx_bytes),
    PORT(rx_missed),  PORT(rx_no_buffer), PORT(csum_good),     PORT(csum_bad),
    PORT(csum_none),  PORT(csum_unknown), PORT(csum_verified), PORT(csum_contradictions),
    PORT(impaired),
};

static const struct field connection_fields[] = {
    STAT(accepted), STAT(established),	   STAT(syn_received), STAT(time_wait),
    STAT(closed),   STAT(resets_received), STAT(resets_sent),
};

static const struct field memory_fields[] = {
    STAT(buffers),	STAT(buffers_free),	  STAT(buffers_held), STAT(bytes_unread),
    STAT(bytes_leased), STAT(bytes_out_of_order), STAT(leases),	      STAT(pressure),
    STAT(edges_held),	STAT(collapsed),	  STAT(pruned),	      STAT(state_bytes_per_idle),
};

static const char *const limited_names[5] = {"sender", "application", "memory", "engine", "loss"};

/* A writer that knows whether a comma is due. */
struct json {
	FILE *to;
	bool comma;
};

static void
key(struct json *json, const char *name)
{
	fprintf(json->to, "%s\"%s\":", json->comma ? "," : "", name);
	json->comma = true;
}

static void
number(struct json *json, const char *name, uint64_t value)
{
	key(json, name);
	fprintf(json->to, "%" PRIu64, value);
}

static void
ratio(struct json *json, const char *name, double above, double below)
{
	key(json, name);
	fprintf(json->to, "%.4f", below > 0 ? above / below : 0.0);
}

static void
boolean(struct json *json, const char *name, bool value)
{
	key(json, name);
	fputs(value ? "true" : "false", json->to);
}

/* name NULL: an element of an array. */
static void
begin(struct json *json, const char *name, char bracket)
{
	if (name != NULL)
		key(json, name);
	else if (json->comma)
		fputc(',', json->to);
	fputc(bracket, json->to);
	json->comma = false;
}

static void
end(struct json *json, char bracket)
{
	fputc(bracket, json->to);
	json->comma = true;
}

static void
text(struct json *json, const char *name, const char *value)
{
	key(json, name);
	fputc('"', json->to);
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			fprintf(json->to, "\\%c", c);
		else if (c < 0x20)
			fprintf(json->to, "\\u%04x", c);
		else
			fputc(c, json->to);
	}
	fputc('"', json->to);
}

static void
fields(struct json *json, const void *base, const struct field *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value;

		memcpy(&value, (const char *)base + table[i].offset, sizeof(value));
		number(json, table[i].name, value);
	}
}

static void
engines(struct json *json, const struct snapshot *snapshot, const struct json_about *about)
{
	begin(json, "engines", '[');
	begin(json, NULL, '{');
	number(json, "lcore", about->lcore);
	number(json, "seed", about->seed);
	fields(json, &snapshot->stats, engine_fields, COUNT(engine_fields));
	ratio(json, "busy_share", (double)snapshot->busy_tsc, (double)snapshot->total_tsc);
	end(json, '}');
	end(json, ']');
}

static void
ports(struct json *json, const struct weir_stats *stats)
{
	begin(json, "ports", '[');
	for (uint32_t i = 0; i < stats->n_ports && i < WEIR_STATS_PORTS; i++) {
		const struct weir_port_stats *port = &stats->ports[i];

		begin(json, NULL, '{');
		text(json, "name", port->name);
		fields(json, port, port_fields, COUNT(port_fields));
		boolean(json, "csum_software", port->csum_software != 0);
		number(json, "frame_max", port->frame_max);
		end(json, '}');
	}
	end(json, ']');
}

static void
drops(struct json *json, const struct weir_stats *stats)
{
	begin(json, "drops", '{');
	for (uint32_t i = 0; i < stats->n_drops && i < WEIR_STATS_DROPS; i++)
		number(json, weir_stats_drop_name(i), stats->drops[i]);
	end(json, '}');
}

static void
aggregates(struct json *json, const struct weir_stats *stats)
{
	char name[16];

	begin(json, "aggregates", '{');
	number(json, "count", stats->aggregates);
	number(json, "segs", stats->aggregated_segs);
	ratio(json, "mean", (double)stats->aggregated_segs, (double)stats->aggregates);
	begin(json, "sizes", '{');
	for (uint32_t i = 0; i < WEIR_STATS_SIZES; i++) {
		if (stats->aggregate_sizes[i] == 0)
			continue;
		snprintf(name, sizeof(name), "%u", i);
		number(json, name, stats->aggregate_sizes[i]);
	}
	end(json, '}');
	begin(json, "reasons", '{');
	for (uint32_t i = 0; i < stats->n_reasons && i < WEIR_STATS_REASONS; i++)
		number(json, weir_stats_reason_name(i), stats->aggregate_reasons[i]);
	end(json, '}');
	end(json, '}');
}

static void
connections(struct json *json, const struct snapshot *snapshot)
{
	begin(json, "connections", '{');
	fields(json, &snapshot->stats, connection_fields, COUNT(connection_fields));
	begin(json, "limited_ms", '{');
	for (uint32_t i = 0; i < 5; i++)
		number(json, limited_names[i], snapshot->limited_ms[i]);
	end(json, '}');
	begin(json, "files", '{');
	number(json, "stored", snapshot->sinks.stored);
	number(json, "incomplete", snapshot->sinks.incomplete);
	number(json, "failed", snapshot->sinks.failed);
	end(json, '}');
	end(json, '}');
}

static void
memory(struct json *json, const struct weir_stats *stats)
{
	begin(json, "memory", '{');
	fields(json, stats, memory_fields, COUNT(memory_fields));
	end(json, '}');
}

static void
balance(struct json *json, const struct weir_stats *stats)
{
	begin(json, "balance", '{');
	number(json, "received", stats->packets_received);
	number(json, "delivered", stats->packets_delivered);
	number(json, "consumed", stats->packets_consumed);
	number(json, "dropped", stats->packets_dropped);
	number(json, "queued", stats->packets_queued);
	boolean(json, "balanced",
		stats->packets_received == stats->packets_delivered + stats->packets_consumed +
					       stats->packets_dropped + stats->packets_queued);
	end(json, '}');
}

void
json_write(FILE *to, const struct snapshot *snapshot, const struct json_about *about)
{
	struct json json = {.to = to};

	begin(&json, NULL, '{');
	engines(&json, snapshot, about);
	ports(&json, &snapshot->stats);
	drops(&json, &snapshot->stats);
	aggregates(&json, &snapshot->stats);
	connections(&json, snapshot);
	memory(&json, &snapshot->stats);
	balance(&json, &snapshot->stats);
	number(&json, "max_gap_ms", snapshot->stats.max_gap_ms);
	end(&json, '}');
	fputc('\n', to);
}
