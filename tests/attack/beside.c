/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Attacks on streams, by fixed steps of virtual time: packets that guess at them, ranges that leave
 * holes, segments of one byte, keys that a poor hash would put together. Content is compared, memory
 * has a bound; cycles a segment are shown.
 */
#include <stdio.h>

#include "tests/attack/attacks.h"

#define MIB (1024.0 * 1024.0)

/* What a run cost the engine since `cycles` and `segs`. */
static double
per_segment(struct rig *rig, uint64_t cycles, uint64_t segs)
{
	uint64_t more = rig_stats(rig)->segs - segs;

	return more == 0 ? 0 : (double)(rig->cycles - cycles) / (double)more;
}

/* ---- blind RST, guessed sequence numbers ---- */

static bool
guess(const char *what, uint8_t attack, uint64_t packets)
{
	static struct rig rig;
	const struct weir_stats *stats;
	uint64_t bytes;
	bool good;

	rig_init(&rig);
	rig.verify = true;
	rig.lanes[RIG_STREAMS].config.flows = 8;
	rig.lanes[RIG_STREAMS].config.attack = attack;
	rig.lanes[RIG_STREAMS].buffers = 32768;
	rig_open(&rig);
	good = attack_holds(rig_connect(&rig, 8), "the streams open");
	while (rig_generated(&rig, RIG_STREAMS)->attack_packets < packets && rig.resets == 0)
		rig_run(&rig, RIG_MS);
	bytes = rig.bytes;
	generator_close(rig.lanes[RIG_STREAMS].generator, (uint64_t)rig.now);
	good &= attack_holds(rig_finish(&rig, 30 * RIG_SECOND), "the streams end");
	rig_run(&rig, RIG_MS);
	stats = rig_stats(&rig);
	good &= attack_holds(rig.resets == 0, "no stream is reset");
	good &= attack_holds(rig.closed == 8, "each stream ends by FIN");
	good &= attack_holds(rig.bytes == rig_generated(&rig, RIG_STREAMS)->bytes_acked,
			     "what was acknowledged was delivered, and nothing else");
	printf("%s: %llu packets beside %.0f MiB in 8 streams: %llu answers withheld, %llu RSTs and %llu "
	       "ACK numbers refused; %llu resets, %llu wrong bytes\n",
	       what, (unsigned long long)rig.generator_stats.attack_packets, (double)bytes / MIB,
	       (unsigned long long)stats->answers_limited,
	       (unsigned long long)stats->drops[WEIR_DROP_TCP_RST_INVALID],
	       (unsigned long long)stats->drops[WEIR_DROP_TCP_ACK_INVALID],
	       (unsigned long long)rig.resets, (unsigned long long)rig.wrong);
	return attack_over(&rig) && good;
}

bool
attack_blind(bool full)
{
	uint64_t packets = full ? 10000000 : 200000;
	bool good = guess("blind RSTs", GENERATOR_ATTACK_RST, packets);

	return guess("guessed numbers", GENERATOR_ATTACK_SEQ, packets) && good;
}

/* ---- holes ---- */

/* `flows` streams of ranges of 1 to 8 bytes, until each has `each` of them. */
static bool
holes(uint32_t flows, uint64_t each)
{
	static struct rig rig;
	uint64_t cycles, segs, most_buffers = 0, most_bytes = 0;
	const struct weir_stats *stats;
	bool good;

	rig_init(&rig);
	rig.lanes[RIG_STREAMS].config.flows = flows;
	rig.lanes[RIG_STREAMS].config.attack = GENERATOR_ATTACK_OOO;
	rig.lanes[RIG_STREAMS].buffers = 32768;
	rig_open(&rig);
	good = attack_holds(rig_connect(&rig, flows), "the streams open");
	cycles = rig.cycles;
	segs = rig_stats(&rig)->segs;
	while (rig_generated(&rig, RIG_STREAMS)->attack_packets < each * flows) {
		rig_run(&rig, RIG_MS);
		stats = rig_stats(&rig);
		if (stats->buffers_held > most_buffers)
			most_buffers = stats->buffers_held;
		if (stats->bytes_out_of_order > most_bytes)
			most_bytes = stats->bytes_out_of_order;
	}
	printf("holes: %u streams, %llu ranges each: %.0f cycles a segment; %llu of %u buffers held at "
	       "most, for %llu bytes; %llu dropped for memory\n",
	       flows, (unsigned long long)each, per_segment(&rig, cycles, segs),
	       (unsigned long long)most_buffers, rig.stack_config.buffers,
	       (unsigned long long)most_bytes,
	       (unsigned long long)(rig.stats.drops[WEIR_DROP_CONN_MEMORY] +
				    rig.stats.drops[WEIR_DROP_NO_MEMORY] +
				    rig.stats.drops[WEIR_DROP_TCP_PRUNED]));
	good &= attack_holds(most_buffers < rig.stack_config.buffers, "buffers have a bound");
	good &= attack_holds(rig.bytes == 0, "nothing behind a hole is handed up");
	good &= attack_holds(rig.stats.established == flows, "no stream is lost");
	return attack_over(&rig) && good;
}

bool
attack_holes(bool full)
{
	bool good = holes(1, full ? 200000 : 20000);

	return holes(64, full ? 20000 : 1000) && good;
}

/* ---- one byte a segment ---- */

static bool
tiny(bool stalled, uint64_t bytes)
{
	static struct rig rig;
	uint64_t cycles, segs, most = 0;
	bool good;

	rig_init(&rig);
	rig.verify = true;
	rig.stalled = stalled;
	rig.lanes[RIG_STREAMS].config.attack = GENERATOR_ATTACK_TINY;
	rig.lanes[RIG_STREAMS].config.bytes_per_flow = bytes;
	rig.lanes[RIG_STREAMS].buffers = 65536;
	rig_open(&rig);
	good = attack_holds(rig_connect(&rig, 64), "the streams open");
	cycles = rig.cycles;
	segs = rig_stats(&rig)->segs;
	for (uint32_t ms = 0; ms < 200 && stalled; ms++) {
		rig_run(&rig, RIG_MS);
		if (rig_stats(&rig)->buffers_held > most)
			most = rig.stats.buffers_held;
	}
	rig_release(&rig);
	good &= attack_holds(rig_finish(&rig, 120 * RIG_SECOND), "the streams end");
	rig_run(&rig, RIG_MS);
	printf("tiny: 64 streams of %llu segments of one byte%s: %.0f cycles a segment; %llu of %u buffers "
	       "held at most, %llu segments copied together\n",
	       (unsigned long long)bytes, stalled ? ", at first not read" : "",
	       per_segment(&rig, cycles, segs), (unsigned long long)most, rig.stack_config.buffers,
	       (unsigned long long)rig.stats.collapsed);
	good &= attack_holds(most < rig.stack_config.buffers, "buffers have a bound");
	good &= attack_holds(rig.bytes == 64 * bytes, "every byte arrives");
	return attack_over(&rig) && good;
}

bool
attack_tiny(bool full)
{
	bool good = tiny(false, full ? 100000 : 5000);

	return tiny(true, full ? 50000 : 5000) && good;
}

/* ---- keys ---- */

static bool
keys(const char *what, uint32_t flows, uint8_t attack, uint64_t bytes)
{
	static struct rig rig;
	uint64_t cycles, segs;
	bool good;

	rig_init(&rig);
	rig.verify = true;
	rig.stack_config.flows = 2 * flows;
	rig.stack_config.time_wait_entries = flows;
	rig.lanes[RIG_STREAMS].config.flows = flows;
	rig.lanes[RIG_STREAMS].config.sources = attack == GENERATOR_ATTACK_NONE ? flows / 64 : 1;
	rig.lanes[RIG_STREAMS].config.attack = attack;
	rig.lanes[RIG_STREAMS].config.address = 0x0a000400;
	rig.lanes[RIG_STREAMS].config.bytes_per_flow = bytes;
	rig.lanes[RIG_STREAMS].buffers = 32768;
	rig_open(&rig);
	cycles = rig.cycles;
	segs = rig_stats(&rig)->segs;
	good = attack_holds(rig_finish(&rig, 120 * RIG_SECOND), "the streams end");
	rig_run(&rig, RIG_MS);
	printf("keys: %u streams whose keys %s: %.0f cycles a segment, %llu refused for want of a place\n",
	       flows, what, per_segment(&rig, cycles, segs),
	       (unsigned long long)rig_stats(&rig)->drops[WEIR_DROP_SYN_REFUSED]);
	good &= attack_holds(rig.accepted == flows, "each stream has its place");
	good &= attack_holds(rig.stats.drops[WEIR_DROP_SYN_REFUSED] == 0, "none is refused");
	good &= attack_holds(rig.bytes == flows * bytes, "every byte arrives");
	return attack_over(&rig) && good;
}

bool
attack_collide(bool full)
{
	uint32_t flows = full ? 32768 : 4096;
	bool good = keys("are alike in sum and difference", flows, GENERATOR_ATTACK_COLLIDE, 10000);

	return keys("are any", flows, GENERATOR_ATTACK_NONE, 10000) && good;
}
