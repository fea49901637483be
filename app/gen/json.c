/* SPDX-License-Identifier: BSD-3-Clause */
#include "json.h"

#include "app/cli/json_writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define STAT(name_)                                                                                \
	{                                                                                          \
#name_, offsetof(struct generator_stats, name_)                                    \
	}

static const struct json_field fields[] = {
    STAT(segs_sent),	    STAT(bytes_sent),	   STAT(bytes_acked), STAT(packets_sent),
    STAT(packets_received), STAT(acks_received),   STAT(dup_acks),    STAT(sacks),
    STAT(retransmitted),    STAT(fast_recoveries), STAT(rtos),	      STAT(window_probes),
    STAT(reordered),	    STAT(attack_packets),  STAT(requests),    STAT(connects_tried),
    STAT(opened),	    STAT(closed),	   STAT(failed),      STAT(reset),
    STAT(bad_checksums),    STAT(strangers),	   STAT(no_buffer),   STAT(tx_refused),
};

static void
what_was_asked(struct json *json, const struct json_about *about)
{
	const struct options *options = about->options;

	json_text(json, "mode", options_modes[options->mode]);
	json_text(json, "attack", options_attacks[options->attack]);
	json_number(json, "flows", options->flows);
	json_number(json, "hold", options->hold);
	json_number(json, "run", options->run);
	json_number(json, "mss", about->mss);
	if (options->mode != GENERATOR_STREAM)
		json_number(json, "request", options->request_bytes);
	json_number(json, "seed", options->tool.seed);
	json_number(json, "lcore", about->lcore);
}

static void
rates(struct json *json, const struct generator_stats *stats, const struct json_about *about)
{
	json_seconds(json, "seconds", about->seconds);
	json_ratio(json, "gbps", (double)about->sent_bytes * 8e-9, about->seconds);
	json_ratio(json, "segs_per_second", (double)stats->segs_sent, about->seconds);
	json_ratio(json, "requests_per_second", (double)stats->requests, about->seconds);
	json_ratio(json, "connections_per_second", (double)stats->closed, about->seconds);
	json_ratio(json, "attack_packets_per_second", (double)stats->attack_packets,
		   about->seconds);
}

static void
latencies(struct json *json, const struct histogram *latency)
{
	json_begin(json, "latency_ns", '{');
	json_number(json, "count", latency->count);
	json_number(json, "min", latency->count != 0 ? latency->min : 0);
	json_number(json, "p50", histogram_percentile(latency, 50));
	json_number(json, "p90", histogram_percentile(latency, 90));
	json_number(json, "p99", histogram_percentile(latency, 99));
	json_number(json, "p999", histogram_percentile(latency, 99.9));
	json_number(json, "p9999", histogram_percentile(latency, 99.99));
	json_number(json, "max", latency->max);
	json_ratio(json, "mean", histogram_mean(latency), 1);
	json_end(json, '}');
}

static void
port(struct json *json, const struct json_about *about)
{
	json_begin(json, "port", '{');
	json_text(json, "name", about->port);
	json_number(json, "rx_missed", about->rx_missed);
	json_number(json, "rx_no_buffer", about->rx_no_buffer);
	json_number(json, "impaired", about->impaired);
	json_end(json, '}');
}

void
json_write(FILE *to, const struct snapshot *snapshot, const struct json_about *about)
{
	struct json json = {.to = to};

	json_begin(&json, NULL, '{');
	what_was_asked(&json, about);
	rates(&json, &snapshot->stats, about);
	json_begin(&json, "counters", '{');
	json_fields(&json, &snapshot->stats, fields, COUNT(fields));
	json_end(&json, '}');
	latencies(&json, &snapshot->latency);
	port(&json, about);
	json_ratio(&json, "busy_share", (double)snapshot->busy_tsc, (double)snapshot->total_tsc);
	json_boolean(&json, "complete", about->failure[0] == '\0');
	json_text(&json, "failure", about->failure);
	json_end(&json, '}');
	fputc('\n', to);
}
