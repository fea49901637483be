/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <inttypes.h>

/* The two ends of the interval. */
struct span {
	const struct generator_stats *from;
	const struct generator_stats *to;
	double seconds;
};

#define RATE(span, field) ((double)((span)->to->field - (span)->from->field) / (span)->seconds)

static void
write_rates(FILE *to, const struct span *span)
{
	fprintf(to,
		"  acknowledged %8.3f Gb/s  %10.0f segments/s sent, %.0f again, %.0f timeouts\n",
		RATE(span, bytes_acked) * 8e-9, RATE(span, segs_sent), RATE(span, retransmitted),
		RATE(span, rtos));
	fprintf(to, "  received     %8.0f ACKs/s, %.0f dup, %.0f SACK blocks\n",
		RATE(span, acks_received), RATE(span, dup_acks), RATE(span, sacks));
}

static void
write_connections(FILE *to, const struct options *options, const struct span *span)
{
	const struct generator_stats *stats = span->to;

	fprintf(to,
		"  connections  %u established; %" PRIu64 " opened, %" PRIu64 " closed, %" PRIu64
		" reset, %" PRIu64 " failed",
		stats->established, stats->opened, stats->closed, stats->reset, stats->failed);
	if (options->mode == GENERATOR_CONNECT)
		fprintf(to, "; %.0f closed/s", RATE(span, closed));
	fputc('\n', to);
	if (options->attack != GENERATOR_ATTACK_NONE)
		fprintf(to, "  attack       %.0f packets/s, %" PRIu64 " answers to nobody\n",
			RATE(span, attack_packets), stats->strangers);
}

static void
write_windows(FILE *to, const struct span *span, const struct generator_windows *windows)
{
	fprintf(to, "  windows      %.2f MB, %.2f MB in flight; %u of %u shut, %.0f probes/s\n",
		(double)windows->bytes / 1e6, (double)windows->inflight_bytes / 1e6, windows->shut,
		windows->flows, RATE(span, window_probes));
}

static void
write_latency(FILE *to, const struct options *options, const struct span *span,
	      const struct histogram *latency)
{
	if (options->mode == GENERATOR_STREAM)
		return;
	if (options->mode == GENERATOR_RR)
		fprintf(to, "  requests     %8.0f /s\n", RATE(span, requests));
	fprintf(to, "  latency      p50 %.1f us, p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f\n",
		(double)histogram_percentile(latency, 50) / 1e3,
		(double)histogram_percentile(latency, 90) / 1e3,
		(double)histogram_percentile(latency, 99) / 1e3,
		(double)histogram_percentile(latency, 99.9) / 1e3, (double)latency->max / 1e3);
}

void
report_write(FILE *to, const struct options *options, const struct snapshot *before,
	     const struct snapshot *now, uint64_t start_ns, bool clear)
{
	struct span span = {
	    .from = &before->stats,
	    .to = &now->stats,
	    .seconds = (double)(now->now_ns - before->now_ns) * 1e-9,
	};
	uint64_t total = now->total_tsc - before->total_tsc;

	if (span.seconds <= 0)
		return;
	if (clear)
		fputs("\033[H\033[J", to);
	fprintf(to, "weir-gen %7.1f s\n", (double)(now->now_ns - start_ns) * 1e-9);
	write_rates(to, &span);
	write_connections(to, options, &span);
	write_windows(to, &span, &now->windows);
	write_latency(to, options, &span, &now->latency);
	fprintf(to,
		"  time         busy %.0f %%; %" PRIu64 " times no buffer, %" PRIu64
		" times the port was full\n",
		total != 0 ? 100.0 * (double)(now->busy_tsc - before->busy_tsc) / (double)total : 0,
		now->stats.no_buffer, now->stats.tx_refused);
	fflush(to);
}
