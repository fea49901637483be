/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may hold how much of the engine's buffers. Memory is given for what is held and read, not for
 * what was promised: an idle connection costs nothing, one that nobody reads stops itself, and those
 * that are read always find room.
 *
 *   budget held   a connection may hold
 *   below 3/4     its receive buffer
 *   from 3/4      a few buffers, and what its application has read lately
 *   from 7/8      the same, but nothing if that is nothing
 *
 * "Lately" halves with each period in which data waits for the application; while nothing waits the
 * time does not count.
 */
#include "tcp/tcp.h"

#define WEIR_BUDGET_FIRST_SEGS  16 /* promised by a SYN-ACK */
#define WEIR_BUDGET_FEW         4  /* buffers or segments that a connection gets under pressure */
#define WEIR_BUDGET_BUFS_MIN    64 /* buffers a connection may hold, however small its receive buffer */
#define WEIR_BUDGET_PERIOD_LOG2 7  /* what was read counts half after 128 ms */

static uint32_t
level(uint64_t held, uint64_t budget)
{
	if (held * 4 < budget * 3)
		return 0;
	if (held * 8 < budget * 7)
		return 1;
	if (held * 16 < budget * 15)
		return 2;
	return held * 32 < budget * 31 ? 3 : 4;
}

uint32_t
weir_budget_pressure(const struct weir_tcp *tcp)
{
	return level(tcp->held_bufs, tcp->budget_bufs);
}

uint32_t
weir_budget_listener_pressure(const struct weir_tcp *tcp, uint32_t listener)
{
	uint32_t budget = tcp->listeners[listener].budget_bufs;

	return budget == 0 ? 0 : level(tcp->listener_uses[listener].held_bufs, budget);
}

uint32_t
weir_budget_flow_pressure(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	uint32_t pressure = weir_budget_pressure(tcp), own;

	if (!(flow->opts & WEIR_FLOW_CHARGED))
		return pressure;
	own = weir_budget_listener_pressure(tcp, flow->listener);
	return own > pressure ? own : pressure;
}

bool
weir_budget_listener_is_roomy(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	return !(flow->opts & WEIR_FLOW_CHARGED) ||
	       tcp->listener_uses[flow->listener].held_bufs + bufs <=
		       tcp->listeners[flow->listener].budget_bufs / 2;
}

/* Buffers that are left of the engine's budget and, where there is one, of the listener's. */
static int64_t
left_bufs(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	int64_t left = (int64_t)tcp->budget_bufs - tcp->held_bufs, own;

	if (!(flow->opts & WEIR_FLOW_CHARGED))
		return left;
	own = (int64_t)tcp->listeners[flow->listener].budget_bufs -
	      tcp->listener_uses[flow->listener].held_bufs;
	return own < left ? own : left;
}

static uint32_t
waiting_bytes(const struct weir_flow *flow)
{
	return flow->unread_bytes + flow->leased_bytes;
}

/* What the application has read lately. */
static uint32_t
read_bytes(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	uint32_t periods = (tcp->now_ms - flow->read_ms) >> WEIR_BUDGET_PERIOD_LOG2;

	if (waiting_bytes(flow) == 0)
		return flow->read_bytes;
	return periods < 32 ? flow->read_bytes >> periods : 0;
}

void
weir_budget_read(const struct weir_tcp *tcp, struct weir_flow *flow, uint32_t bytes)
{
	uint32_t periods = (tcp->now_ms - flow->read_ms) >> WEIR_BUDGET_PERIOD_LOG2;
	uint64_t read = (periods < 32 ? flow->read_bytes >> periods : 0) + (uint64_t)bytes;

	flow->read_bytes = read < flow->limit ? (uint32_t)read : flow->limit;
	flow->read_ms += periods << WEIR_BUDGET_PERIOD_LOG2;
}

/* The share that does not depend on how much was read. */
static uint32_t
few(uint32_t pressure, uint32_t read)
{
	return pressure < 2 || read != 0 ? WEIR_BUDGET_FEW : 0;
}

/* The receive buffer, or what was promised, by more than rounding, before it was made smaller. */
static uint32_t
own_limit(const struct weir_flow *flow)
{
	uint32_t promised = waiting_bytes(flow) + (flow->rcv_adv - flow->rcv_nxt);

	return promised > flow->limit + flow->limit / 16 ? promised : flow->limit;
}

static bool
own_limit_admits(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	uint32_t held = flow->held_bufs + bufs;

	return held <= WEIR_BUDGET_BUFS_MIN ||
	       (uint64_t)held * tcp->charge_bytes <= 2 * (uint64_t)own_limit(flow);
}

enum weir_budget_answer
weir_budget_ask(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t bufs)
{
	uint32_t pressure = weir_budget_flow_pressure(tcp, flow), read;
	uint64_t most;

	if (!own_limit_admits(tcp, flow, bufs))
		return WEIR_BUDGET_OWN_LIMIT;
	if (tcp->held_bufs + bufs > tcp->budget_bufs)
		return WEIR_BUDGET_SHORT;
	if (left_bufs(tcp, flow) < bufs)
		return WEIR_BUDGET_LISTENER;
	if (pressure == 0)
		return WEIR_BUDGET_ADMITTED;
	read = read_bytes(tcp, flow);
	most = (uint64_t)few(pressure, read) * tcp->charge_bytes + 2 * (uint64_t)read;
	if (flow->held_bufs == 0 ? most != 0
				 : (uint64_t)(flow->held_bufs + bufs) * tcp->charge_bytes <= most)
		return WEIR_BUDGET_ADMITTED;
	return pressure == weir_budget_pressure(tcp) ? WEIR_BUDGET_SHORT : WEIR_BUDGET_LISTENER;
}

/* Never more than the memory that is there, but two segments, so that who is read moves. */
static uint64_t
bounded_by_memory(int64_t bufs, uint64_t bytes, uint32_t mss)
{
	int64_t left = bufs * WEIR_WINDOW_PER_BUFFER;

	if (left < 2 * (int64_t)mss)
		left = 2 * (int64_t)mss;
	return bytes < (uint64_t)left ? bytes : (uint64_t)left;
}

int32_t
weir_budget_promise(const struct weir_tcp *tcp, const struct weir_flow *flow, uint32_t mss,
		    enum weir_limit *closes)
{
	uint32_t pressure = weir_budget_flow_pressure(tcp, flow), read = read_bytes(tcp, flow);
	uint64_t most = flow->limit, used = waiting_bytes(flow);

	if (pressure != 0 && (uint64_t)few(pressure, read) * mss + read < most)
		most = (uint64_t)few(pressure, read) * mss + read;
	most = bounded_by_memory(left_bufs(tcp, flow), most, mss);
	*closes = most < flow->limit ? WEIR_LIMIT_MEMORY : WEIR_LIMIT_APPLICATION;
	return (int32_t)((int64_t)most - (int64_t)used); /* both are at most 2^30 and its 16th */
}

uint32_t
weir_budget_share(const struct weir_tcp *tcp, const struct weir_flow *flow)
{
	int64_t left = left_bufs(tcp, flow) * (WEIR_WINDOW_PER_BUFFER / 2);

	if (weir_budget_flow_pressure(tcp, flow) != 0)
		return 0;
	return left < INT32_MAX ? (uint32_t)left : INT32_MAX;
}

uint32_t
weir_budget_first_window(const struct weir_tcp *tcp, uint32_t limit, uint32_t mss)
{
	uint32_t segs = weir_budget_pressure(tcp) == 0 ? WEIR_BUDGET_FIRST_SEGS : WEIR_BUDGET_FEW;
	int64_t left = (int64_t)tcp->budget_bufs - tcp->held_bufs;
	uint64_t most = bounded_by_memory(left, (uint64_t)segs * mss, mss);

	return (uint32_t)(most < limit ? most : limit);
}
