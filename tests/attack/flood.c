/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN flood: 64 streams, offered at half the rate that the engine takes when it has nothing else to
 * do, beside SYNs from 65,536 addresses, and clients that connect meanwhile. Time is what the engine's
 * own polls take. Shown up to where half of the streams is lost; only what is printed depends on rates.
 */
#include <stdio.h>

#include "tests/attack/attacks.h"

#define FLOWS	    64
#define PAYLOAD	    1448
#define INFLIGHT    (12 * PAYLOAD) /* of a stream at most, as a congestion window would have it */
#define WARM_NS	    (30 * RIG_MS)
#define CLIENTS	    16
#define CLIENT_PPS  4000
#define SYN_ONLY    20000000
#define CURVE_STEPS 16

struct point {
	double gbps;
	double busy; /* share of the engine's time */
	double cycles_per_packet;
	double missed[RIG_SIDES]; /* share of what was sent */
	uint64_t cookies, connected;
};

/* What has happened so far, to be taken off. */
struct mark {
	double now;
	uint64_t bytes, cookies, accepted, cycles, busy, packets;
	uint64_t sent[RIG_SIDES], missed[RIG_SIDES];
};

static struct rig rig;
static bool cross;
static uint64_t long_polls;

static void
mark(struct mark *mark)
{
	const struct weir_stats *stats = rig_stats(&rig);

	*mark = (struct mark){.now = rig.now,
			      .bytes = rig.bytes,
			      .cookies = stats->cookies_sent,
			      .accepted = rig.accepted,
			      .cycles = rig.cycles,
			      .busy = rig.busy_cycles,
			      .packets = stats->packets_received};
	for (uint32_t i = 0; i < RIG_SIDES; i++) {
		mark->missed[i] = rig.lanes[i].missed;
		if (rig.lanes[i].generator != NULL)
			mark->sent[i] = rig_generated(&rig, i)->packets_sent;
	}
}

static struct point
between(const struct mark *a, const struct mark *b)
{
	double ns = b->now - a->now;
	struct point point = {
		.gbps = (double)(b->bytes - a->bytes) * 8 / ns,
		.busy = (double)(b->busy - a->busy) / (ns * rig.cycles_per_ns),
		.cycles_per_packet =
			(double)(b->cycles - a->cycles) / (double)(b->packets - a->packets),
		.cookies = b->cookies - a->cookies,
		.connected = b->accepted - a->accepted,
	};

	for (uint32_t i = 0; i < RIG_SIDES; i++)
		if (b->sent[i] != a->sent[i])
			point.missed[i] = (double)(b->missed[i] - a->missed[i]) /
					  (double)(b->sent[i] - a->sent[i]);
	return point;
}

/* `syn_pps` SYNs a second beside `offered` segments a second, 0: as many as the engine takes. */
static bool
measure(uint64_t syn_pps, uint32_t flows, uint64_t offered, uint64_t ns, struct point *point)
{
	struct mark before, after;
	bool good;

	rig_init(&rig);
	rig.cross = cross;
	rig.stack_config.flows = 4096;
	rig.lanes[RIG_STREAMS].config.flows = flows;
	rig.lanes[RIG_STREAMS].config.inflight_bytes = INFLIGHT;
	rig.lanes[RIG_STREAMS].pps = offered;
	if (syn_pps != 0) {
		rig_attack(&rig, GENERATOR_ATTACK_SYN, syn_pps);
		rig_clients(&rig, CLIENTS, CLIENT_PPS);
	}
	rig_open(&rig);
	good = attack_holds(rig_connect(&rig, flows), "the streams open");
	rig.counted = true;
	rig.lanes[RIG_CLIENTS].waits = true; /* whose SYN is lost asks again after a second only */
	rig_run(&rig, WARM_NS);
	rig.lanes[RIG_CLIENTS].waits = false;
	mark(&before);
	rig_run(&rig, ns);
	mark(&after);
	*point = between(&before, &after);
	long_polls += rig.long_polls;
	good &= attack_holds(rig.stats.syn_received <= rig.listen_config.backlog,
			     "the backlog stays within its bound");
	good &= attack_holds(rig.stats.established <= flows + CLIENTS, "no connection is forged");
	good &= attack_holds(rig.resets == 0, "no connection is reset");
	return attack_over(&rig) && good;
}

static bool
show(uint64_t syn_pps, uint64_t offered, double half, uint64_t ns, double *kept)
{
	struct point point;
	bool good = measure(syn_pps, FLOWS, offered, ns, &point);

	*kept = point.gbps / half;
	printf("  %9.2f %9.2f %7.1f %% %6.0f %% %10.2f %10.1f %% %8.1f %% %11.0f\n",
	       (double)syn_pps / 1e6, point.gbps, 100 * *kept, 100 * point.busy,
	       (double)point.cookies / (double)ns * 1e3, 100 * point.missed[RIG_ATTACKER],
	       100 * point.missed[RIG_STREAMS], (double)point.connected / (double)ns * 1e9);
	return good;
}

static bool
curve(bool full, uint64_t offered, double half, uint64_t ns)
{
	static const double rates[CURVE_STEPS] = {0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10, 12, 16, 20};
	double kept = 1, at_two = 0;
	bool good = true;

	printf("  SYNs M/s  streams Gb/s  kept    busy  cookies M/s  SYNs missed  data missed  "
	       "clients/s\n");
	for (uint32_t i = 0; i < CURVE_STEPS && kept > 0.5; i++) {
		if (!full && rates[i] != 0 && rates[i] != 2)
			continue;
		good &= show((uint64_t)(rates[i] * 1e6), offered, half, ns, &kept);
		if (rates[i] == 2)
			at_two = kept;
	}
	printf("flood: at 2 million SYNs a second the streams keep %.1f %%\n", 100 * at_two);
	printf("flood: %llu polls were interrupted by the machine (over %u us) and count as usual ones\n",
	       (unsigned long long)long_polls, RIG_LONG_US);
	return good;
}

bool
attack_flood(bool full)
{
	uint64_t ns = (full ? 300 : 60) * RIG_MS, offered;
	struct point saturated, syns;
	bool good;

	cross = full;
	good = measure(0, FLOWS, 0, ns, &saturated);

	good &= measure(SYN_ONLY, 1, 1000, ns, &syns);
	offered = (uint64_t)(saturated.gbps * 1e9 / 8 / PAYLOAD / 2);
	printf("flood: saturated by %u streams: %.2f Gb/s, %.0f cycles a packet; a SYN alone: %.0f "
	       "cycles, %.2f M/s\n",
	       FLOWS, saturated.gbps, saturated.cycles_per_packet, syns.cycles_per_packet,
	       (double)syns.cookies / (double)ns * 1e3);
	return good & curve(full, offered, saturated.gbps / 2, ns);
}
