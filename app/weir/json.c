/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include "app/cli/json_writer.h"

#define STAT(name_)                                                                                \
	{                                                                                          \
#name_, offsetof(struct weir_stats, name_)                                         \
	}
#define PORT(name_)                                                                                \
	{                                                                                          \
#name_, offsetof(struct weir_port_stats, name_)                                    \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct json_field engine_fields[] = {
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
    STAT(arp_requests),
    STAT(gateway_changes),
    STAT(icmp_replies),
    STAT(nd_replies),
    STAT(mld_queries),
    STAT(mld_reports),
    STAT(icmp_errors_sent),
    STAT(icmp_errors_limited),
    STAT(icmp_errors),
    STAT(icmp_aborted),
    STAT(path_mtu_lowered),
    STAT(budget_exhausted),
    STAT(fragments),
    STAT(reassembled),
};

static const struct json_field port_fields[] = {
    PORT(rx_packets), PORT(rx_bytes),	  PORT(tx_packets),    PORT(tx_bytes),
    PORT(rx_missed),  PORT(rx_no_buffer), PORT(csum_good),     PORT(csum_bad),
    PORT(csum_none),  PORT(csum_unknown), PORT(csum_verified), PORT(csum_contradictions),
    PORT(impaired),
};

static const struct json_field connection_fields[] = {
    STAT(accepted), STAT(established),	   STAT(syn_received), STAT(time_wait),
    STAT(closed),   STAT(resets_received), STAT(resets_sent),
    STAT(syn_acks), STAT(syn_acks_again), STAT(syn_expired),
    STAT(cookies_sent), STAT(cookies_accepted), STAT(cookies_refused),
    STAT(orphans),  STAT(orphans_reset),   STAT(time_wait_skipped),
    STAT(timeouts), STAT(fins_again),      STAT(keepalives),
    STAT(receive_buffers_raised), STAT(receive_buffers_lowered), STAT(receive_buffers_refused),
    STAT(receive_buffer_max_bytes),
};

static const struct json_field memory_fields[] = {
    STAT(buffers),	STAT(buffers_free),	  STAT(buffers_held), STAT(bytes_unread),
    STAT(bytes_leased), STAT(bytes_out_of_order), STAT(leases),	      STAT(pressure),
    STAT(edges_held),	STAT(collapsed),	  STAT(pruned),	      STAT(refused),
    STAT(state_bytes_per_idle),
    STAT(fragments_held),
};

static const char *const limited_names[5] = {"sender", "application", "memory", "engine", "loss"};

static void
engines(struct json *json, const struct snapshot *snapshot, const struct json_about *about)
{
	json_begin(json, "engines", '[');
	json_begin(json, NULL, '{');
	json_number(json, "lcore", about->lcore);
	json_number(json, "seed", about->seed);
	json_fields(json, &snapshot->stats, engine_fields, COUNT(engine_fields));
	json_ratio(json, "busy_share", (double)snapshot->busy_tsc, (double)snapshot->total_tsc);
	json_end(json, '}');
	json_end(json, ']');
}

static void
ports(struct json *json, const struct weir_stats *stats)
{
	json_begin(json, "ports", '[');
	for (uint32_t i = 0; i < stats->n_ports && i < WEIR_STATS_PORTS; i++) {
		const struct weir_port_stats *port = &stats->ports[i];

		json_begin(json, NULL, '{');
		json_text(json, "name", port->name);
		json_fields(json, port, port_fields, COUNT(port_fields));
		json_boolean(json, "csum_software", port->csum_software != 0);
		json_number(json, "frame_max", port->frame_max);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void
drops(struct json *json, const struct weir_stats *stats)
{
	json_begin(json, "drops", '{');
	for (uint32_t i = 0; i < stats->n_drops && i < WEIR_STATS_DROPS; i++)
		json_number(json, weir_stats_drop_name(i), stats->drops[i]);
	json_end(json, '}');
}

static void
aggregates(struct json *json, const struct weir_stats *stats)
{
	char name[16];

	json_begin(json, "aggregates", '{');
	json_number(json, "count", stats->aggregates);
	json_number(json, "segs", stats->aggregated_segs);
	json_ratio(json, "mean", (double)stats->aggregated_segs, (double)stats->aggregates);
	json_begin(json, "sizes", '{');
	for (uint32_t i = 0; i < WEIR_STATS_SIZES; i++) {
		if (stats->aggregate_sizes[i] == 0)
			continue;
		snprintf(name, sizeof(name), "%u", i);
		json_number(json, name, stats->aggregate_sizes[i]);
	}
	json_end(json, '}');
	json_begin(json, "reasons", '{');
	for (uint32_t i = 0; i < stats->n_reasons && i < WEIR_STATS_REASONS; i++)
		json_number(json, weir_stats_reason_name(i), stats->aggregate_reasons[i]);
	json_end(json, '}');
	json_end(json, '}');
}

static void
verified(struct json *json, const struct verify_counters *verify)
{
	char address[WEIR_ADDR_TEXT];

	json_begin(json, "verify", '{');
	json_number(json, "bytes", verify->bytes);
	json_number(json, "wrong_bytes", verify->wrong_bytes);
	json_number(json, "wrong_conns", verify->wrong_conns);
	if (verify->wrong_bytes == 0) {
		json_key(json, "first");
		fputs("null", json->to);
	} else {
		json_begin(json, "first", '{');
		weir_addr_format(&verify->first_remote, address, sizeof(address));
		json_text(json, "address", address);
		json_number(json, "port", verify->first_port);
		json_number(json, "offset", verify->first_offset);
		json_number(json, "expected", verify->first_expected);
		json_number(json, "found", verify->first_found);
		json_end(json, '}');
	}
	json_end(json, '}');
}

static void
connections(struct json *json, const struct snapshot *snapshot)
{
	json_begin(json, "connections", '{');
	json_fields(json, &snapshot->stats, connection_fields, COUNT(connection_fields));
	json_begin(json, "limited_ms", '{');
	for (uint32_t i = 0; i < 5; i++)
		json_number(json, limited_names[i], snapshot->limited_ms[i]);
	json_end(json, '}');
	json_begin(json, "files", '{');
	json_number(json, "stored", snapshot->sinks.stored);
	json_number(json, "incomplete", snapshot->sinks.incomplete);
	json_number(json, "failed", snapshot->sinks.failed);
	json_end(json, '}');
	verified(json, &snapshot->sinks.verify);
	json_end(json, '}');
}

static void
memory(struct json *json, const struct weir_stats *stats)
{
	json_begin(json, "memory", '{');
	json_fields(json, stats, memory_fields, COUNT(memory_fields));
	json_end(json, '}');
}

static void
balance(struct json *json, const struct weir_stats *stats)
{
	json_begin(json, "balance", '{');
	json_number(json, "received", stats->packets_received);
	json_number(json, "delivered", stats->packets_delivered);
	json_number(json, "consumed", stats->packets_consumed);
	json_number(json, "dropped", stats->packets_dropped);
	json_number(json, "queued", stats->packets_queued);
	json_boolean(json, "balanced",
		     stats->packets_received == stats->packets_delivered + stats->packets_consumed +
						    stats->packets_dropped + stats->packets_queued);
	json_end(json, '}');
}

void
json_write(FILE *to, const struct snapshot *snapshot, const struct json_about *about)
{
	struct json json = {.to = to};

	json_begin(&json, NULL, '{');
	engines(&json, snapshot, about);
	ports(&json, &snapshot->stats);
	drops(&json, &snapshot->stats);
	aggregates(&json, &snapshot->stats);
	connections(&json, snapshot);
	memory(&json, &snapshot->stats);
	balance(&json, &snapshot->stats);
	json_number(&json, "max_gap_ms", snapshot->stats.max_gap_ms);
	json_number(&json, "max_late_ms", snapshot->stats.max_late_ms);
	json_end(&json, '}');
	fputc('\n', to);
}
