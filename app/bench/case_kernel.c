/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kernel: bytes per busy cycle beside Linux, which receives over veth on a core of its own. All
 * time that this core is not idle counts, the receiving end of veth included; the sender and its
 * side of veth are on the other core. Linux receives in two ways, and weir is compared with the one
 * that costs Linux less. weir is measured as in bulk and copy, and once over af_packet on the same
 * network: there the kernel's copy into the ring counts too, and what the sending Linux does with
 * each ACK, since it happens in weir's call.
 */
#include <stdio.h>
#include <string.h>

#include "linux_side.h"
#include "live.h"
#include "measure.h"

#define WARM_MS	     200 /* until the windows have grown */
#define WINDOW_MS    500
#define WINDOW_SHORT 60

enum kernel_subject {
	LINUX_RPS,   /* recv() with its copy, the sender's segmentation done before the veth */
	LINUX_NAPI,  /* the same, GRO on the receiver's core too, see veth_threaded() */
	LINUX_TRIM,  /* the kernel drops the bytes instead of copying them */
	LINUX_LARGE, /* the sender hands over frames of up to 64 KiB */
	WEIR_LEASE,
	WEIR_COPY,
	WEIR_AF_PACKET,
	SUBJECTS
};

static const char *const subject_names[SUBJECTS] = {
    "linux, RPS", "linux, threaded NAPI", "linux, not copying", "linux, 64 KiB frames",
    "weir",	  "weir, copying",	  "weir, af_packet",
};

struct trial {
	struct bench *bench;
	const struct veth *net;
	enum kernel_subject subject;
	uint32_t flows;
	uint32_t run;
	bool disturbed; /* another program ran on the core */
	const char *why;
};

static uint32_t
window_ms(const struct trial *trial)
{
	return trial->bench->options->in_short ? WINDOW_SHORT : WINDOW_MS;
}

static double
failed(struct trial *trial, const char *why)
{
	trial->why = why;
	return -1;
}

/* ---- Linux ---- */

static const char *
watch_linux(struct trial *trial, const struct peer *receiver, double *value)
{
	struct linux_span span;
	const char *why;

	linux_side_sleep(WARM_MS);
	why = linux_side_watch(trial->net, receiver, window_ms(trial), &span);
	if (why != NULL)
		return why;
	trial->disturbed |= span.disturbed;
	*value = (double)span.bytes / span.busy_cycles;
	return NULL;
}

static double
round_linux(struct trial *trial)
{
	struct peer_job job = {.kind = PEER_RECEIVE,
			       .address = VETH_KERNEL_IP,
			       .port = LINUX_SIDE_PORT,
			       .flows = trial->flows,
			       .trim = trial->subject == LINUX_TRIM,
			       .congestion = "cubic"};
	const struct veth *net = trial->net;
	struct peer receiver, sender;
	const char *why;
	double value = -1;

	if (!veth_segmentation(net, net->kernel_sender, trial->subject == LINUX_LARGE) ||
	    !veth_threaded(net, trial->subject != LINUX_RPS))
		return failed(trial, "cannot switch the ways of an interface");
	why = peer_start(&receiver, &net->receiver, net->receiver_core, &job);
	if (why != NULL)
		return failed(trial, why);
	job.kind = PEER_SEND;
	why = peer_start(&sender, &net->sender, net->sender_core, &job);
	if (why == NULL) {
		why = watch_linux(trial, &receiver, &value);
		why = peer_trouble(&sender) != NULL ? peer_trouble(&sender) : why;
		peer_stop(&sender);
	}
	peer_stop(&receiver);
	return why != NULL ? failed(trial, why) : value;
}

/* ---- weir ---- */

static double
round_in_memory(struct trial *trial)
{
	struct testbed_config config;
	struct testbed bed;
	struct measure measure = {.bed = &bed};
	const char *why;
	double cycles = -1;

	testbed_config_init(&config, trial->flows, trial->run);
	config.set = TESTBED_CROSS;
	config.sink = trial->subject == WEIR_COPY ? SINK_COPY : SINK_LEASE;
	if (!linux_side_crew(trial->bench, true))
		return failed(trial, "the other lcore does not start");
	why = testbed_open(&bed, &config, &trial->bench->crew);
	if (why == NULL) {
		measure.portions = bench_portions(trial->bench, 256);
		cycles = measure_weir(&measure);
		why = testbed_close(&bed);
	}
	linux_side_crew(trial->bench, false);
	if (cycles <= 0 || why != NULL)
		return failed(trial, why != NULL ? why : measure_not_whole);
	return STREAM_PAYLOAD / cycles;
}

/* A poll that finds nothing costs what it did before there was traffic; all beyond that is work,
 * the softirqs that interrupt it included. */
static double
watch_live(struct trial *trial, struct live *live)
{
	uint64_t bytes, cycles;
	double busy;

	live_run(live, WARM_MS, NULL, NULL);
	bytes = live->sink.bytes;
	cycles = live_run(live, window_ms(trial), NULL, NULL);
	bytes = live->sink.bytes - bytes;
	busy = (double)cycles - (double)live->empty * live->empty_cycles;
	if (bytes == 0 || busy <= 0)
		return failed(trial, "weir received nothing over af_packet");
	return (double)bytes / busy;
}

static double
round_af_packet(struct trial *trial)
{
	struct peer_job job = {.kind = PEER_SEND,
			       .address = VETH_WEIR_IP,
			       .port = LIVE_LISTENER,
			       .flows = trial->flows,
			       .congestion = "cubic"};
	const struct veth *net = trial->net;
	struct peer sender;
	struct live live;
	const char *why, *end;
	double value = -1;

	if (!veth_weir_steered(net, true))
		return failed(trial, "cannot steer received packets to a core (RPS)");
	why = live_open(&live, net, SINK_LEASE, WEIR_ACK_TRAIN);
	if (why != NULL)
		return failed(trial, why);
	why = peer_start(&sender, &net->sender, net->sender_core, &job);
	if (why == NULL) {
		value = watch_live(trial, &live);
		why = peer_trouble(&sender);
		peer_stop(&sender);
	}
	end = live_close(&live);
	why = why != NULL ? why : end;
	return why != NULL ? failed(trial, why) : value;
}

static double
round_of(void *context)
{
	struct trial *trial = context;

	if (trial->subject <= LINUX_LARGE)
		return round_linux(trial);
	if (trial->subject == WEIR_AF_PACKET)
		return round_af_packet(trial);
	return round_in_memory(trial);
}

/* ---- rows ---- */

static void
write_row(struct bench *bench, const struct trial *trial, const struct subject *subject,
	  uint32_t base, double base_value)
{
	bool in_memory = trial->subject == WEIR_LEASE || trial->subject == WEIR_COPY;
	bool copies = trial->subject == WEIR_COPY;
	struct row row = {.flows = trial->flows,
			  .run = in_memory ? trial->run : 0,
			  .set = in_memory ? "cross" : "veth",
			  .value = sample_median(&subject->sample),
			  .spread = sample_spread(&subject->sample),
			  .unit = "bytes/cycle",
			  .lockstep = in_memory};

	snprintf(row.name, sizeof(row.name), "%s", subject_names[trial->subject]);
	if (trial->disturbed)
		row.void_why = linux_side_disturbed;
	if (trial->subject != base)
		measure_against(&row, subject_names[base], base_value,
				in_memory ? ROW_AT_LEAST : ROW_SHOWN, copies ? 3 : 5,
				copies ? 4 : 8);
	bench_row(bench, &row);
}

/* The way of receiving that costs Linux less is what weir is compared with. */
static uint32_t
better(const struct subject *subjects)
{
	return sample_median(&subjects[LINUX_NAPI].sample) >
		       sample_median(&subjects[LINUX_RPS].sample)
		   ? LINUX_NAPI
		   : LINUX_RPS;
}

static bool
run_flows(struct bench *bench, const struct veth *net, uint32_t flows, uint32_t run)
{
	struct subject subjects[SUBJECTS];
	struct trial trials[SUBJECTS];
	uint32_t base;
	bool good;

	for (uint32_t i = 0; i < SUBJECTS; i++) {
		trials[i] = (struct trial){
		    .bench = bench, .net = net, .subject = i, .flows = flows, .run = run};
		subjects[i] = (struct subject){.round = round_of, .context = &trials[i]};
	}
	good = rounds_run(subjects, SUBJECTS, linux_side_rounds(bench));
	base = better(subjects);
	for (uint32_t i = 0; i < SUBJECTS; i++) {
		if (good)
			write_row(bench, &trials[i], &subjects[i], base,
				  sample_median(&subjects[base].sample));
		else if (trials[i].why != NULL)
			bench_say(bench, "%s: %s", subject_names[i], trials[i].why);
	}
	return good;
}

static bool
run_all(struct bench *bench, const struct veth *net)
{
	return run_flows(bench, net, 1, 64) && run_flows(bench, net, 8, 8);
}

bool
case_kernel(struct bench *bench)
{
	return linux_side_run(bench, run_all);
}
