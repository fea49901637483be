/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tune.h"

#include "tcp/tcp.h"
#include "wire/options.h"
#include "wire/seq.h"

#define WEIR_TUNE_RTT_MOST_MS 4000u /* a longer sample is no round trip, or no path to tune for */
#define WEIR_TUNE_SHORT_MS    8u    /* below it what the clock's milliseconds hide is much */
#define WEIR_TUNE_LATE_MS     100u  /* a round that takes so much longer waited for something else */
#define WEIR_TUNE_BUSY_LOG2   7     /* weir_tune.busy counts 128 ms */
#define WEIR_TUNE_IDLE	      79u   /* of them, 10 s, in which not half of a buffer was needed: it is halved */
#define WEIR_TUNE_NONE	      UINT16_MAX

static bool
is_tuned(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	const struct weir_listener *listener = &tcp->listeners[flow->listener];

	return listener->receive_buffer != listener->receive_buffer_max;
}

/* A short one is rounded up: taken for half of itself it would keep a buffer small for ever. A long one
 * is not: a window that comes at once each round trip would be counted twice in one. */
static void
take_sample(struct weir_tune *tune, uint32_t ms)
{
	if (ms >= WEIR_TUNE_RTT_MOST_MS)
		return;
	ms += ms < WEIR_TUNE_SHORT_MS;
	if (ms < tune->low_ms)
		tune->low_ms = (uint16_t)ms;
	if (tune->rtt_ms == 0 || ms < tune->rtt_ms)
		tune->rtt_ms = (uint16_t)ms;
}

/* From the ACK that the sender had last when it sent this: its own pauses are in it (RFC 7323 4.1),
 * so that the least of a round counts. */
static void
sample_timestamp(const struct weir_tcp *tcp, const struct weir_flow *flow, struct weir_tune *tune,
		 const struct weir_seg *seg)
{
	struct weir_tcp_options options;

	if (!seg->has_ts)
		return;
	weir_seg_options_read(seg, &options);
	if (options.has_ts)
		take_sample(tune, tcp->now_ms + flow->ts_offset - options.tsecr);
}

/* The time that a window's worth took: no byte beyond an edge comes before the ACK that moves the edge
 * has gone there. A sender that does not fill the window makes it long, so that the least of all
 * counts. */
static void
sample_window(const struct weir_tcp *tcp, const struct weir_flow *flow, struct weir_tune *tune)
{
	if (!weir_seq_lt(tune->edge, flow->rcv_nxt))
		return;
	take_sample(tune, tcp->now_ms - tune->edge_ms);
	tune->edge = flow->rcv_adv;
	tune->edge_ms = tcp->now_ms;
}

static uint32_t
taken_bytes(const struct weir_flow *flow)
{
	return (uint32_t)flow->delivered - flow->unread_bytes;
}

static void
begin_round(const struct weir_tcp *tcp, const struct weir_flow *flow, struct weir_tune *tune)
{
	tune->round_ms = tcp->now_ms;
	tune->taken = taken_bytes(flow);
	tune->low_ms = WEIR_TUNE_NONE;
}

static uint16_t
busy_clock(const struct weir_tcp *tcp)
{
	return (uint16_t)(tcp->now_ms >> WEIR_TUNE_BUSY_LOG2);
}

static void
set_copied(struct weir_tune *tune, uint32_t bytes)
{
	uint32_t kib = (bytes >> 10) + ((bytes & 1023) != 0);

	tune->copied_kib = kib < UINT16_MAX ? (uint16_t)kib : UINT16_MAX;
}

static void
note_largest(struct weir_tcp *tcp, uint32_t limit)
{
	if (limit > tcp->stats.receive_buffer_max_bytes)
		tcp->stats.receive_buffer_max_bytes = limit;
}

void
weir_tune_open(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t rtt_ms)
{
	struct weir_tune *tune = &tcp->tunes[flow->id];

	if (!is_tuned(tcp, flow))
		return;
	set_copied(tune, flow->limit); /* growth is beyond that */
	tune->edge = flow->rcv_adv;
	tune->edge_ms = tcp->now_ms;
	tune->busy = busy_clock(tcp);
	tune->rtt_ms = 0;
	begin_round(tcp, flow, tune);
	take_sample(tune, rtt_ms);
	note_largest(tcp, flow->limit);
}

/* The most that the flow's windows can express, and its listener wants. */
static uint32_t
most_bytes(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	uint32_t most = tcp->listeners[flow->listener].receive_buffer_max;

	return (flow->opts & WEIR_FLOW_WS) != 0 || most < UINT16_MAX ? most : UINT16_MAX;
}

static void
raise_limit(struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes)
{
	uint32_t share = weir_budget_share(tcp, flow);

	if (bytes > share) {
		tcp->stats.receive_buffers_refused++;
		bytes = share;
	}
	if (bytes <= flow->limit)
		return;
	flow->limit = bytes;
	tcp->stats.receive_buffers_raised++;
	note_largest(tcp, bytes);
}

/* By half: what was promised stays so, the edge stands until the smaller buffer has caught up. */
static void
lower_limit(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_tune *tune, uint32_t bytes)
{
	uint32_t least = tcp->listeners[flow->listener].receive_buffer, half = flow->limit / 2;

	if (bytes < half)
		bytes = half;
	if (bytes < least)
		bytes = least;
	if (bytes >= flow->limit)
		return;
	flow->limit = bytes;
	tune->busy = busy_clock(tcp);
	tcp->stats.receive_buffers_lowered++;
}

/*
 * What the next round trip will bring, twice: half is on its way while the other is read. A sender in
 * slow start doubles, so growth is taken to go on as it did; but no more than doubling is.
 */
static uint64_t
needed_bytes(const struct weir_tune *tune, uint32_t copied)
{
	uint32_t before = (uint32_t)tune->copied_kib << 10;
	uint32_t growth = copied > before ? copied - before : 0;

	if (growth > copied / 2)
		growth = copied / 2;
	return 2 * ((uint64_t)copied + 2 * (uint64_t)growth);
}

/* `late`: the round took so long that it asks for nothing. */
static void
end_round(struct weir_tcp *tcp, struct weir_flow *flow, struct weir_tune *tune, uint32_t copied,
	  bool late)
{
	uint64_t needed = needed_bytes(tune, copied);
	uint32_t most = most_bytes(tcp, flow), bytes = needed < most ? (uint32_t)needed : most;

	set_copied(tune, copied);
	if (bytes >= flow->limit / 2)
		tune->busy = busy_clock(tcp);
	if (bytes > flow->limit && !late && flow->unread_bytes < flow->limit / 2)
		raise_limit(tcp, flow, bytes);
	else if (bytes < flow->limit / 2 &&
		 ((uint16_t)(busy_clock(tcp) - tune->busy) >= WEIR_TUNE_IDLE ||
		  weir_budget_flow_pressure(tcp, flow) != 0))
		lower_limit(tcp, flow, tune, bytes);
}

/*
 * A round takes a round trip at least, and until something is back that the application took after it
 * began: who writes to a disk what he has on lease needs a buffer for the way to the disk, too. A round
 * that took far longer asks for nothing: the sender paused, a segment was lost, or the application is
 * slow. Nor does one at whose end half of the buffer is unread: a larger one would only fill, too.
 */
void
weir_tune_arrival(struct weir_tcp *tcp, struct weir_flow *flow, const struct weir_seg *seg)
{
	struct weir_tune *tune = &tcp->tunes[flow->id];
	uint32_t elapsed_ms, taken, back;

	if (!is_tuned(tcp, flow)) /* nothing else is looked at: each line of a flow counts */
		return;
	elapsed_ms = tcp->now_ms - tune->round_ms;
	taken = taken_bytes(flow);
	back = taken - flow->leased_bytes;
	if (flow->opts & WEIR_FLOW_TS)
		sample_timestamp(tcp, flow, tune, seg);
	else
		sample_window(tcp, flow, tune);
	if (tune->rtt_ms != 0) {
		if (elapsed_ms < tune->rtt_ms || !weir_seq_lt(tune->taken, back))
			return;
		end_round(tcp, flow, tune, taken - tune->taken,
			  elapsed_ms > tune->rtt_ms + WEIR_TUNE_LATE_MS);
	}
	if ((flow->opts & WEIR_FLOW_TS) != 0 && tune->low_ms != WEIR_TUNE_NONE)
		tune->rtt_ms = tune->low_ms;
	begin_round(tcp, flow, tune);
}
