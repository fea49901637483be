/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN flood: 64 streams, offered at half the rate that the engine takes when it has nothing else to
 * do, beside SYNs from 65,536 addresses, and clients that connect meanwhile. Time is what the engine's
 * own polls take. Shown up to where half of the streams is lost; only what is printed depends on rates.
 */
#include <stdio.h>

#include <rte_lcore.h>

#include "app/bench/eal.h"
#include "tests/attack/attacks.h"

#define FLOWS	    64
#define PAYLOAD	    1448
#define INFLIGHT    (12 * PAYLOAD) /* of a stream at most, as a congestion window would have it */
#define TOUCH_NS    (5 * RIG_MS) /* of SYNs alone, uncounted: the system gives memory at first use */
#define WARM_NS	    (30 * RIG_MS)
#define CLIENTS	    16
#define CLIENT_PPS  4000
#define SYN_ONLY    20000000
#define SILENT_NS   (2 * RIG_SECOND)
#define CURVE_STEPS 14

#define SATURATED_NS (60 * RIG_MS)
#define STEADY	     0.1 /* by how much the engine's saturated rate may change meanwhile */
#define TRIES	     6

/* What happened while something was measured. */
struct point {
	double ns;
	uint64_t bytes, cycles, packets, polls;
	uint64_t sent, resent, timeouts; /* segments of the streams, those sent again, and why they wait */
	uint64_t cookies, dropped, accepted;
	uint64_t missed[RIG_SIDES];	 /* packets for which the ring had no room */
};

static struct rig rig;
static struct crew *crew; /* NULL: one core has to do */
static uint64_t long_polls, changes;

static struct point
so_far(void)
{
	const struct weir_stats *stats = rig_stats(&rig);
	const struct generator_stats *streams = rig_generated(&rig, RIG_STREAMS);
	struct point point = {.ns = rig.now,
			      .bytes = rig.bytes,
			      .cycles = rig.busy_cycles,
			      .packets = stats->packets_received,
			      .polls = stats->busy_polls,
			      .sent = streams->segs_sent,
			      .resent = streams->retransmitted,
			      .timeouts = streams->rtos,
			      .cookies = stats->cookies_sent,
			      .dropped = stats->drops[WEIR_DROP_SYN_FLOOD],
			      .accepted = rig.accepted};

	for (uint32_t i = 0; i < RIG_SIDES; i++)
		point.missed[i] = rig.lanes[i].missed;
	return point;
}

static void
take_off(struct point *point, const struct point *before)
{
	point->ns -= before->ns;
	point->bytes -= before->bytes;
	point->cycles -= before->cycles;
	point->packets -= before->packets;
	point->polls -= before->polls;
	point->sent -= before->sent;
	point->resent -= before->resent;
	point->timeouts -= before->timeouts;
	point->cookies -= before->cookies;
	point->dropped -= before->dropped;
	point->accepted -= before->accepted;
	for (uint32_t i = 0; i < RIG_SIDES; i++)
		point->missed[i] -= before->missed[i];
}

static double
gbps(const struct point *point)
{
	return (double)point->bytes * 8 / point->ns;
}

static double
cycles_per_packet(const struct point *point)
{
	return (double)point->cycles / (double)point->packets;
}

/* `n` of them, a second, in millions. */
static double
millions(const struct point *point, uint64_t n)
{
	return (double)n / point->ns * 1e3;
}

/* The streams are open, and the attacker has begun. */
static bool
begin(uint64_t syn_pps, uint64_t offered)
{
	bool good;

	rig_init(&rig);
	rig.crew = crew;
	rig.stack_config.flows = 4096;
	rig.lanes[RIG_STREAMS].config.flows = FLOWS;
	rig.lanes[RIG_STREAMS].config.inflight_bytes = INFLIGHT;
	rig.lanes[RIG_STREAMS].pps = offered;
	if (syn_pps != 0) {
		rig_attack(&rig, GENERATOR_ATTACK_SYN, syn_pps);
		rig_clients(&rig, CLIENTS, CLIENT_PPS);
	}
	rig_open(&rig);
	good = attack_holds(rig_connect(&rig, FLOWS), "the streams open");
	rig.lanes[RIG_CLIENTS].waits = true; /* whose SYN is lost asks again after a second only */
	rig.lanes[RIG_STREAMS].waits = true;
	rig_run(&rig, TOUCH_NS);
	rig.lanes[RIG_STREAMS].waits = false;
	rig.counted = true;
	return good;
}

static bool
end(struct point *point, uint64_t ns)
{
	const struct point before = so_far();
	bool good;

	rig_run(&rig, ns);
	*point = so_far();
	take_off(point, &before);
	long_polls += rig.long_polls;
	good = attack_holds(rig.stats.syn_received <= rig.listen_config.backlog,
			    "the backlog stays within its bound");
	good &= attack_holds(rig.stats.established <= FLOWS + CLIENTS, "no connection is forged");
	good &= attack_holds(rig.resets == 0, "no connection is reset");
	return attack_over(&rig) && good;
}

/* `syn_pps` SYNs a second beside `offered` segments a second, 0: as many as the engine takes. */
static bool
measure(uint64_t syn_pps, uint64_t offered, uint64_t ns, struct point *point)
{
	bool good = begin(syn_pps, offered);

	rig_run(&rig, WARM_NS);
	rig.lanes[RIG_CLIENTS].waits = false;
	return end(point, ns) && good;
}

/* As many SYNs as the engine takes, all of which it answers: connections have been silent for long. */
static bool
measure_syns(uint64_t ns, struct point *point)
{
	bool good = begin(SYN_ONLY, 0);

	rig.lanes[RIG_STREAMS].waits = true;
	rig.now += SILENT_NS;
	rig_run(&rig, WARM_NS);
	return end(point, ns) && good;
}

static bool
is_steady(const struct point *before, const struct point *after)
{
	double ratio = gbps(after) / gbps(before);

	return ratio > 1 - STEADY && ratio < 1 + STEADY;
}

/*
 * Beside `syn_pps` SYNs a second half of what the engine takes when it is saturated, which is measured
 * right before and behind: the machine may change between the two, and then half of what it was says
 * nothing. It is all done again then, a few times.
 */
static bool
measure_between(uint64_t syn_pps, uint64_t ns, struct point *saturated, struct point *point,
		uint64_t *offered)
{
	struct point after;
	bool good = measure(0, 0, SATURATED_NS, &after);

	for (uint32_t i = 0; i < TRIES; i++) {
		*saturated = after;
		*offered = (uint64_t)(gbps(saturated) * 1e9 / 8 / PAYLOAD / 2);
		good &= measure(syn_pps, *offered, ns, point);
		good &= measure(0, 0, SATURATED_NS, &after);
		if (is_steady(saturated, &after))
			return good;
		changes++;
	}
	return good;
}

static bool
show(uint64_t syn_pps, uint64_t ns, double *kept)
{
	struct point saturated, point;
	uint64_t offered;
	bool good = measure_between(syn_pps, ns, &saturated, &point, &offered);

	*kept = gbps(&point) * 2 / gbps(&saturated);
	printf("  %8.2f %9.2f %6.0f %10.2f %5.1f %% %5.1f %% %6llu %8llu %8.2f %7.2f %6llu %6llu %6.1f %9.0f\n",
	       (double)syn_pps / 1e6, gbps(&saturated), cycles_per_packet(&saturated), gbps(&point),
	       100 * *kept, 100 * (double)point.sent / (double)offered / point.ns * 1e9,
	       (unsigned long long)point.resent, (unsigned long long)point.timeouts,
	       millions(&point, point.cookies), millions(&point, point.dropped),
	       (unsigned long long)point.missed[RIG_ATTACKER],
	       (unsigned long long)point.missed[RIG_STREAMS],
	       (double)point.packets / (double)point.polls, 1e6 * millions(&point, point.accepted));
	fflush(stdout);
	return good;
}

static bool
curve(bool full, uint64_t ns)
{
	static const double rates[CURVE_STEPS] = {0, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16, 20};
	double kept = 1, at_two = 0;
	bool good = true;

	printf("                saturated         streams    sent of                 SYNs M/s      ring full for  packets\n"
	       "  SYNs M/s      Gb/s cycles       Gb/s    kept   offer  again timeouts answered dropped   SYNs   data  a poll clients/s\n");
	for (uint32_t i = 0; i < CURVE_STEPS && kept > 0.5; i++) {
		if (!full && rates[i] != 0 && rates[i] != 2)
			continue;
		good &= show((uint64_t)(rates[i] * 1e6), ns, &kept);
		if (rates[i] == 2)
			at_two = kept;
	}
	printf("flood: at 2 million SYNs a second the streams keep %.1f %%\n", 100 * at_two);
	printf("flood: %llu times again since the machine had changed by more than %.0f %%; %llu polls were "
	       "interrupted (over %u us) and count as usual ones\n",
	       (unsigned long long)changes, 100 * STEADY, (unsigned long long)long_polls, RIG_LONG_US);
	return good;
}

static bool
flood(bool full)
{
	uint64_t ns = (full ? 200 : 60) * RIG_MS;
	struct point syns;
	bool good = measure_syns(SATURATED_NS, &syns);

	printf("flood: %u streams beside SYNs; a SYN alone: %.0f cycles, %.2f M/s\n", FLOWS,
	       cycles_per_packet(&syns), millions(&syns, syns.cookies));
	return good & curve(full, ns);
}

/* The long form: on two cores where there are two. */
bool
attack_flood(bool full)
{
	static char name[] = "attacks";
	static char *words[] = {name};
	static struct crew other;
	unsigned int lcore;
	bool good;

	if (!full)
		return flood(false);
	if (!eal_begin(1, words))
		return false;
	lcore = rte_get_next_lcore(-1, 1, 0);
	if (lcore < RTE_MAX_LCORE && crew_start(&other, lcore) == 0)
		crew = &other;
	good = flood(true);
	if (crew != NULL)
		crew_stop(crew);
	crew = NULL;
	return good;
}
