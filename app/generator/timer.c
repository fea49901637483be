/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One deadline per connection, in a wheel that is sorted lazily: moving a deadline only writes it
 * to the flow, and the wheel finds out when the flow's slot comes round, at most one turn later.
 */
#include "app/generator/state.h"

#define RTO_MAX_MS   60000u		   /* RFC 6298 2.5 */
#define LATE_MOST_NS (100 * GEN_NS_PER_MS) /* what a pause may leave to be made up for */
#define BACKOFF_MAX  8

void
gen_wheel_init(struct generator *g)
{
	for (uint32_t i = 0; i < GEN_SLOTS; i++)
		g->wheel[i] = GEN_NONE;
	g->wheel_tick = 1; /* a deadline of 0 is none */
}

static void
insert(struct generator *g, struct gen_flow *f)
{
	uint32_t tick = f->deadline;
	uint32_t *slot;

	if (weir_seq_lt(tick, g->wheel_tick + 1))
		tick = g->wheel_tick + 1;
	if (weir_seq_lt(g->wheel_tick + GEN_SLOTS - 1, tick))
		tick = g->wheel_tick + GEN_SLOTS - 1;
	slot = &g->wheel[tick % GEN_SLOTS];
	f->wheel_next = *slot;
	*slot = gen_index(g, f);
	f->flags |= GEN_IN_WHEEL;
	g->wheel_count++;
}

void
gen_arm(struct generator *g, struct gen_flow *f, uint32_t delay_ms)
{
	f->deadline = g->tick + (delay_ms + GEN_TICK_MS - 1) / GEN_TICK_MS;
	if (!(f->flags & GEN_IN_WHEEL))
		insert(g, f);
}

void
gen_arm_rto(struct generator *g, struct gen_flow *f)
{
	uint32_t backoff = f->retries < BACKOFF_MAX ? f->retries : BACKOFF_MAX;
	uint64_t rto_ms = (uint64_t)f->rto_ms << backoff;

	gen_arm(g, f, rto_ms < RTO_MAX_MS ? (uint32_t)rto_ms : RTO_MAX_MS);
}

/* RFC 6298 section 2. */
void
gen_rtt_sample(struct generator *g, struct gen_flow *f, uint64_t rtt_ns)
{
	uint64_t rto_ms;
	uint32_t rtt_us = rtt_ns < 60000000000u ? (uint32_t)(rtt_ns / 1000) : 60000000u;

	if (rtt_us == 0)
		rtt_us = 1;
	if (f->srtt_us == 0) {
		f->srtt_us = rtt_us;
		f->rttvar_us = rtt_us / 2;
	} else {
		uint32_t off = rtt_us > f->srtt_us ? rtt_us - f->srtt_us : f->srtt_us - rtt_us;

		f->rttvar_us = f->rttvar_us - f->rttvar_us / 4 + off / 4;
		f->srtt_us = f->srtt_us - f->srtt_us / 8 + rtt_us / 8;
	}
	rto_ms = (f->srtt_us + 4ull * f->rttvar_us) / 1000 + 1;
	if (rto_ms < g->config.rto_min_ms)
		rto_ms = g->config.rto_min_ms;
	f->rto_ms = rto_ms < RTO_MAX_MS ? (uint32_t)rto_ms : RTO_MAX_MS;
}

/* Whatever was sent may be lost: go back to the first byte that is not acknowledged. */
static void
go_back(struct generator *g, struct gen_flow *f)
{
	g->stats.rtos++;
	gen_recovery_end(g, f); /* the peer may have thrown it away again (RFC 2018 section 8) */
	f->next = f->una;
	f->dup_acks = 0;
	f->timed_ns = 0;
	f->run_left = 0;
	gen_ready(g, f);
}

/* Zero window: an old sequence number is answered with the window as it is now (RFC 9293 3.8.6.1).
 */
static void
probe(struct generator *g, struct gen_flow *f)
{
	g->stats.window_probes++;
	gen_send_control(g, f, f->una - 1, WEIR_TCP_ACK);
}

static void
on_timeout(struct generator *g, struct gen_flow *f)
{
	if (f->state != GEN_SYN_SENT && f->state != GEN_OPEN)
		return;
	if (f->retries >= g->config.retries_most) {
		if (f->state == GEN_OPEN)
			gen_send_control(g, f, f->high, WEIR_TCP_RST);
		gen_end(g, f, GEN_END_FAILED);
		return;
	}
	f->retries++;
	if (f->state == GEN_SYN_SENT)
		gen_send_control(g, f, f->una, WEIR_TCP_SYN);
	else if (f->una != f->high)
		go_back(g, f);
	else if (!(f->flags & GEN_FIN_SENT))
		probe(g, f);
	gen_arm_rto(g, f);
}

/* Everything that stands in one slot: late ones again, the rest are due or were disarmed. */
static void
expire_slot(struct generator *g, uint32_t *slot)
{
	uint32_t index = *slot;

	*slot = GEN_NONE;
	while (index != GEN_NONE) {
		struct gen_flow *f = &g->flows[index];

		index = f->wheel_next;
		f->flags &= (uint8_t)~GEN_IN_WHEEL;
		g->wheel_count--;
		if (f->deadline == 0)
			continue;
		if (weir_seq_lt(g->wheel_tick, f->deadline)) {
			insert(g, f);
			continue;
		}
		f->deadline = 0;
		on_timeout(g, f);
	}
}

void
gen_expire(struct generator *g)
{
	uint32_t now = g->tick;

	if (g->wheel_count == 0) {
		g->wheel_tick = now;
		return;
	}
	if (weir_seq_lt(g->wheel_tick + GEN_SLOTS, now))
		g->wheel_tick = now - GEN_SLOTS; /* one whole turn sees everything */
	while (weir_seq_lt(g->wheel_tick, now)) {
		g->wheel_tick++;
		expire_slot(g, &g->wheel[g->wheel_tick % GEN_SLOTS]);
	}
}

uint64_t
gen_wheel_deadline(const struct generator *g)
{
	if (g->wheel_count == 0)
		return UINT64_MAX;
	for (uint32_t tick = g->wheel_tick + 1; tick != g->wheel_tick + GEN_SLOTS; tick++)
		if (g->wheel[tick % GEN_SLOTS] != GEN_NONE)
			return g->start_ns + (uint64_t)(tick - 1) * GEN_TICK_NS;
	return g->start_ns + (uint64_t)(g->wheel_tick + GEN_SLOTS) * GEN_TICK_NS;
}

uint32_t
gen_pace(struct generator *g, uint64_t pps, uint32_t most)
{
	uint64_t due;

	if (g->paced_ns == 0 || g->now_ns - g->paced_ns > LATE_MOST_NS)
		g->paced_ns = g->now_ns - (g->paced_ns == 0 ? 0 : LATE_MOST_NS);
	due = (g->now_ns - g->paced_ns) * pps / GEN_NS_PER_S;
	if (due > most)
		due = most;
	g->paced_ns += due * GEN_NS_PER_S / pps;
	return (uint32_t)due;
}
