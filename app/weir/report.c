/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <inttypes.h>

#define DROPS_SHOWN 8

static double
share(uint64_t part, uint64_t whole)
{
	return whole != 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

static double
ratio(uint64_t above, uint64_t below)
{
	return below != 0 ? (double)above / (double)below : 0.0;
}

static uint64_t
acks(const struct weir_stats *stats)
{
	return stats->acks_train + stats->acks_single;
}

static void
write_rates(FILE *to, const struct weir_stats *before, const struct weir_stats *now, double seconds)
{
	uint64_t segs = now->data_segs - before->data_segs;
	uint64_t merged = now->aggregated_segs - before->aggregated_segs;

	fprintf(to, "  received     %8.3f Gb/s  %10.0f segments/s  %6.2f segments/aggregate\n",
		(double)(now->bytes - before->bytes) * 8e-9 / seconds, (double)segs / seconds,
		ratio(merged, now->aggregates - before->aggregates));
	fprintf(to, "  ACKs         %8.0f /s    %8.0f in %.0f trains/s, %.0f single, %.0f dup\n",
		(double)(acks(now) - acks(before)) / seconds,
		(double)(now->acks_train - before->acks_train) / seconds,
		(double)(now->trains - before->trains) / seconds,
		(double)(now->acks_single - before->acks_single) / seconds,
		(double)(now->dup_acks - before->dup_acks) / seconds);
}

static void
write_connections(FILE *to, const struct snapshot *now)
{
	const struct weir_stats *stats = &now->stats;

	fprintf(to,
		"  connections  %" PRIu64 " established, %" PRIu64 " opening, %" PRIu64
		" time-wait; %" PRIu64 " accepted, %" PRIu64 " closed, longest gap %" PRIu64
		" ms\n",
		stats->established, stats->syn_received, stats->time_wait, stats->accepted,
		stats->closed, stats->max_gap_ms);
}

/* The largest by the interval first would jump about: by number, and the sum of the rest. */
static void
write_drops(FILE *to, const struct weir_stats *before, const struct weir_stats *now)
{
	uint64_t sum = 0, rest = 0;
	uint32_t shown = 0;

	for (uint32_t i = 0; i < now->n_drops && i < WEIR_STATS_DROPS; i++)
		sum += now->drops[i];
	fprintf(to, "  drops        %" PRIu64, sum);
	for (uint32_t i = 0; i < now->n_drops && i < WEIR_STATS_DROPS; i++) {
		if (now->drops[i] == 0)
			continue;
		if (shown == DROPS_SHOWN) {
			rest += now->drops[i];
			continue;
		}
		fprintf(to, "%s %s %" PRIu64, shown == 0 ? ":" : ",", weir_stats_drop_name(i),
			now->drops[i]);
		if (now->drops[i] != before->drops[i])
			fprintf(to, " (+%" PRIu64 ")", now->drops[i] - before->drops[i]);
		shown++;
	}
	if (rest != 0)
		fprintf(to, ", other %" PRIu64, rest);
	fputc('\n', to);
}

static void
write_memory(FILE *to, const struct weir_stats *now)
{
	static const char *const levels[] = {"none", "edges stand", "collapse", "prune", "refuse"};

	fprintf(to,
		"  memory       %" PRIu64 " of %" PRIu64 " buffers free, %.1f MB unread, %.1f MB "
		"leased, %.1f MB out of order, pressure %s\n",
		now->buffers_free, now->buffers, (double)now->bytes_unread / 1e6,
		(double)now->bytes_leased / 1e6, (double)now->bytes_out_of_order / 1e6,
		levels[now->pressure < 5 ? now->pressure : 4]);
}

/* Nothing to say where buffers are fixed. */
static void
write_buffers(FILE *to, const struct weir_stats *now)
{
	if (now->receive_buffer_max_bytes == 0)
		return;
	fprintf(to,
		"  buffers      largest receive buffer %.1f MB; %" PRIu64 " raised, %" PRIu64
		" lowered, %" PRIu64 " refused for memory\n",
		(double)now->receive_buffer_max_bytes / 1e6, now->receive_buffers_raised,
		now->receive_buffers_lowered, now->receive_buffers_refused);
}

static void
write_time(FILE *to, const struct snapshot *before, const struct snapshot *now)
{
	static const char *const names[5] = {"sender", "application", "memory", "engine", "loss"};
	uint64_t spent[5], sum = 0;

	for (uint32_t i = 0; i < 5; i++) {
		/* Less than before: a connection beyond those looked at has closed. */
		bool grew = now->limited_ms[i] > before->limited_ms[i];

		spent[i] = grew ? now->limited_ms[i] - before->limited_ms[i] : 0;
		sum += spent[i];
	}
	fprintf(to, "  time         engine busy %.0f %%; flows limited by",
		share(now->busy_tsc - before->busy_tsc, now->total_tsc - before->total_tsc));
	for (uint32_t i = 0; i < 5; i++)
		fprintf(to, "%s %s %.0f %%", i == 0 ? "" : ",", names[i], share(spent[i], sum));
	fputc('\n', to);
}

static void
write_files(FILE *to, const struct sink_counters *sinks)
{
	if (sinks->stored + sinks->incomplete + sinks->failed == 0)
		return;
	fprintf(to,
		"  files        %" PRIu64 " stored, %" PRIu64 " incomplete, %" PRIu64 " failed\n",
		sinks->stored, sinks->incomplete, sinks->failed);
}

static void
write_verified(FILE *to, const struct verify_counters *verify)
{
	char address[WEIR_ADDR_TEXT];

	if (verify->bytes + verify->wrong_bytes == 0)
		return;
	fprintf(to, "  verified     %.1f MB equal, %" PRIu64 " bytes wrong", (double)verify->bytes / 1e6,
		verify->wrong_bytes);
	if (verify->wrong_bytes != 0)
		fprintf(to, " in %" PRIu64 " connections, first %s:%u at byte %" PRIu64,
			verify->wrong_conns,
			weir_addr_format(&verify->first_remote, address, sizeof(address)),
			verify->first_port, verify->first_offset);
	fputc('\n', to);
}

void
report_write(FILE *to, const struct snapshot *before, const struct snapshot *now, uint64_t start_ns,
	     bool clear)
{
	double seconds = (double)(now->now_ns - before->now_ns) * 1e-9;

	if (seconds <= 0)
		return;
	if (clear)
		fputs("\033[H\033[J", to);
	fprintf(to, "weir %7.1f s\n", (double)(now->now_ns - start_ns) * 1e-9);
	write_rates(to, &before->stats, &now->stats, seconds);
	write_connections(to, now);
	write_drops(to, &before->stats, &now->stats);
	write_memory(to, &now->stats);
	write_buffers(to, &now->stats);
	write_time(to, before, now);
	write_files(to, &now->sinks);
	write_verified(to, &now->sinks.verify);
	fflush(to);
}
