/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * policy: Hatori and Oi's tables of network traffic. One connection of a Linux sender with Reno or
 * CUBIC through weir over af_packet, under each ACK policy: what arrived, what TCP saw of it, what
 * went back, and the sender's goodput.
 */
#include <stdio.h>

#include "linux_side.h"
#include "live.h"

#define BYTES	    (UINT64_C(512) << 20)
#define BYTES_SHORT (UINT64_C(32) << 20)
#define MS_MOST	    20000

enum figure { GOODPUT, SEGMENTS, AGGREGATES, ACKS, SACKS, FIGURES };

static const char *const figure_units[FIGURES] = {"Mb/s", "segments", "aggregates", "ACKs",
						  "SACKs"};

static const struct {
	uint16_t policy;
	const char *name;
} policies[] = {
    {WEIR_ACK_TRAIN, "train"}, {WEIR_ACK_STRETCH, "stretch"}, {WEIR_ACK_DELAYED, "delayed"}};

static const char *const senders[] = {"reno", "cubic"};

#define POLICIES (sizeof(policies) / sizeof(policies[0]))
#define SENDERS	 (sizeof(senders) / sizeof(senders[0]))
#define TRIALS	 (POLICIES * SENDERS)

struct trial {
	struct bench *bench;
	const struct veth *net;
	uint16_t policy;
	const char *congestion;
	char name[48];
	uint32_t rounds; /* done */
	struct sample figures[FIGURES];
	const char *why;
};

/* All is there and acknowledged, or nothing will come any more. */
static bool
sender_done(const void *context)
{
	const struct peer *sender = context;

	return atomic_load(&sender->counters->state) == PEER_DONE || peer_trouble(sender) != NULL;
}

/* The first round warms up and does not count, as in rounds_run(). */
static void
keep(struct trial *trial, double goodput, const struct weir_stats *stats)
{
	if (trial->rounds++ == 0)
		return;
	sample_add(&trial->figures[GOODPUT], goodput);
	sample_add(&trial->figures[SEGMENTS], (double)stats->data_segs);
	sample_add(&trial->figures[AGGREGATES], (double)stats->aggregates);
	sample_add(&trial->figures[ACKS], (double)(stats->acks_train + stats->acks_single));
	sample_add(&trial->figures[SACKS], (double)stats->dup_acks);
}

static const char *
transfer(struct trial *trial, struct live *live, const struct peer_job *job, double *goodput)
{
	struct weir_stats stats = {.size = sizeof(stats)};
	const struct veth *net = trial->net;
	const char *why, *trouble;
	struct peer sender;

	why = peer_start(&sender, &net->sender, net->sender_core, job);
	if (why != NULL)
		return why;
	live_run(live, MS_MOST, sender_done, &sender);
	trouble = peer_trouble(&sender);
	if (trouble == NULL && atomic_load(&sender.counters->state) != PEER_DONE)
		trouble = "the transfer does not end within 20 s";
	if (trouble == NULL && (live->sink.wrong || live->sink.bytes != job->bytes))
		trouble = "bytes are missing";
	*goodput = (double)job->bytes * 8e3 / (double)atomic_load(&sender.counters->elapsed_ns);
	peer_stop(&sender);
	weir_stack_stats(live->stack, &stats);
	if (trouble == NULL)
		keep(trial, *goodput, &stats);
	return trouble;
}

static double
round_of(void *context)
{
	struct trial *trial = context;
	struct peer_job job = {.kind = PEER_SEND,
			       .address = VETH_WEIR_IP,
			       .port = LIVE_LISTENER,
			       .flows = 1,
			       .bytes = trial->bench->options->in_short ? BYTES_SHORT : BYTES,
			       .congestion = trial->congestion};
	struct live live;
	double goodput = -1;
	const char *end;

	trial->why = live_open(&live, trial->net, SINK_LEASE, trial->policy);
	if (trial->why != NULL)
		return -1;
	trial->why = transfer(trial, &live, &job, &goodput);
	end = live_close(&live);
	if (trial->why == NULL)
		trial->why = end;
	return trial->why == NULL ? goodput : -1;
}

static void
write_rows(struct bench *bench, const struct trial *trial)
{
	for (uint32_t i = 0; i < FIGURES; i++) {
		struct row row = {.flows = 1,
				  .set = "veth",
				  .value = sample_median(&trial->figures[i]),
				  .spread = sample_spread(&trial->figures[i]),
				  .unit = figure_units[i]};

		snprintf(row.name, sizeof(row.name), "%s", trial->name);
		bench_row(bench, &row);
	}
}

static bool
run_all(struct bench *bench, const struct veth *net)
{
	static struct trial trials[TRIALS];
	struct subject subjects[TRIALS];
	bool good;

	for (uint32_t i = 0; i < TRIALS; i++) {
		trials[i] = (struct trial){.bench = bench,
					   .net = net,
					   .policy = policies[i % POLICIES].policy,
					   .congestion = senders[i / POLICIES]};
		snprintf(trials[i].name, sizeof(trials[i].name), "%s, %s",
			 policies[i % POLICIES].name, trials[i].congestion);
		subjects[i] = (struct subject){.round = round_of, .context = &trials[i]};
	}
	good = rounds_run(subjects, TRIALS, linux_side_rounds(bench));
	for (uint32_t i = 0; i < TRIALS; i++) {
		if (good)
			write_rows(bench, &trials[i]);
		else if (trials[i].why != NULL)
			bench_say(bench, "%s: %s", trials[i].name, trials[i].why);
	}
	return good;
}

bool
case_policy(struct bench *bench)
{
	return linux_side_run(bench, run_all);
}
