/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool
bad(char *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, VERDICT_TEXT, format, args);
	va_end(args);
	return false;
}

void
verdict_cause(const struct options *options, enum patience_cause cause, const char *port,
	      char *text)
{
	const char *target = options->target_text;
	const char *question = options->target.family == 6 ? "neighbour solicitations" : "ARP";

	if (cause == PATIENCE_GONE)
		bad(text, "the device of %s has gone: make it again", port);
	else if (cause == PATIENCE_LINK)
		bad(text, "%s has no link: bring its other end up", port);
	else if (cause == PATIENCE_UNRESOLVED && options->gateway.family != 0)
		bad(text, "nobody answers %s for %s: check --gateway and --port %s", question,
		    options->gateway_text, port);
	else if (cause == PATIENCE_UNRESOLVED)
		bad(text, "nobody answers %s for %.*s: check --connect and --port %s", question,
		    (int)(strrchr(target, ':') - target), target, port);
	else
		bad(text, "nothing comes from %s: check that the receiver is still there", target);
}

/* All that each flow had to send, whether in one connection or in many. */
static bool
sent_all(const struct options *options, const struct generator_stats *stats)
{
	if (options->mode == GENERATOR_CONNECT)
		return stats->closed >= options->flows * (options->bytes / options->request_bytes);
	return stats->bytes_acked >= options->flows * options->bytes;
}

static bool
connections_good(const struct options *options, const struct generator_stats *stats, char *text)
{
	if (stats->opened == 0 && stats->reset != 0)
		return bad(text, "%s refuses connections: start a receiver on that port",
			   options->target_text);
	if (stats->opened == 0)
		return bad(text,
			   "no connection to %s was established: check that the receiver is "
			   "there",
			   options->target_text);
	if (stats->reset != 0)
		return bad(text,
			   "%" PRIu64 " connection%s reset by %s: see what the receiver says",
			   stats->reset, stats->reset == 1 ? " was" : "s were",
			   options->target_text);
	if (stats->failed != 0)
		return bad(text, "%" PRIu64 " connection%s timed out: check the path to %s",
			   stats->failed, stats->failed == 1 ? "" : "s", options->target_text);
	return true;
}

static bool
bytes_good(const struct options *options, const struct verdict_facts *facts, char *text)
{
	const struct generator_stats *stats = &facts->stats;

	if (options->attack == GENERATOR_ATTACK_OOO || options->open_loop_pps != 0)
		return true; /* they leave holes by intention */
	if (stats->bytes_acked < stats->bytes_sent)
		return bad(text,
			   "%" PRIu64 " of %" PRIu64 " bytes were not acknowledged: check "
			   "that the receiver reads them",
			   stats->bytes_sent - stats->bytes_acked, stats->bytes_sent);
	if (options->bytes != 0 && !facts->interrupted && !sent_all(options, stats))
		return bad(text, "--bytes were not all sent within --seconds %u: give more time",
			   options->tool.seconds);
	return true;
}

/* SYNs have no connections to judge; but somebody has to be there. */
static bool
attack_good(const struct options *options, const struct verdict_facts *facts, char *text)
{
	if (facts->stats.attack_packets != 0 || facts->interrupted)
		return true;
	return bad(text, "nothing was sent: nobody answers for %s: check that the receiver is there",
		   options->target_text);
}

bool
verdict(const struct options *options, const struct verdict_facts *facts, char *text)
{
	if (facts->cause != PATIENCE_GOOD) {
		char cause[VERDICT_TEXT];

		verdict_cause(options, facts->cause, facts->port, cause);
		if (facts->cause == PATIENCE_GONE)
			return bad(text, "given up: %.230s", cause);
		return bad(text, "given up after %u s: %.220s",
			   (unsigned int)(PATIENCE_LIMIT_NS / 1000000000), cause);
	}
	if (options->attack == GENERATOR_ATTACK_SYN)
		return attack_good(options, facts, text);
	if (facts->interrupted && facts->stats.opened == 0 && facts->stats.reset == 0)
		return true;
	return connections_good(options, &facts->stats, text) && bytes_good(options, facts, text);
}
