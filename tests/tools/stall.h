/* SPDX-License-Identifier: BSD-3-Clause */
/* What samples of TCP_INFO, which is what `ss -ti` shows, say of a sender's waits. */
#ifndef WEIR_TESTS_STALL_H
#define WEIR_TESTS_STALL_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct stall {
	uint64_t acked_bytes;
	uint64_t began_ns;   /* last progress */
	uint64_t wait_ns;    /* the same, or the timeout since */
	uint64_t sampled_ns; /* last looked at */
	uint32_t rto_us;     /* in force during this wait */
	uint32_t backoff;
	uint32_t retransmits; /* by timeout, since the last progress */
	uint64_t longest_us;
	int64_t over_us;     /* worst of a wait - what the timer makes of rto */
	uint32_t lost_again; /* timeouts behind a timeout */
};

/*
 * A kernel timer fires at the end of a slot of the timer wheel, which is the coarser the longer the
 * timeout: at 250 ticks a second 4 ms below 252 ms, 32 ms below 2016 ms, 256 ms below 16 s. By so much
 * the retransmission may be later than `ss -ti` says, whatever the other side does.
 */
static inline int64_t
stall_timer_grain_us(uint32_t timeout_us)
{
	uint64_t tick_us, grain = 1;
	struct timespec tick;

	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	tick_us = (uint64_t)tick.tv_nsec / 1000;
	for (uint64_t first = 63; timeout_us / tick_us >= first; first *= 8)
		grain *= 8;
	return (int64_t)(grain * tick_us);
}

/* A wait for an acknowledgment is over: by one, or by a timeout. It lasted until the sample before at
 * least; what came later is the sampler's own time, which may be long on a busy machine. */
static inline void
stall_wait_ends(struct stall *stall, uint64_t now_ns, uint32_t factor)
{
	int64_t waited_us = (int64_t)(stall->sampled_ns - stall->wait_ns) / 1000;
	int64_t over_us = waited_us - stall->rto_us - stall_timer_grain_us(stall->rto_us);

	if (stall->rto_us != 0 && over_us > stall->over_us)
		stall->over_us = over_us;
	if (stall->backoff != 0 && waited_us > stall->rto_us / 4 * 3)
		stall->lost_again++;
	stall->wait_ns = now_ns;
	stall->rto_us *= factor; /* what the next wait begins with */
}

static inline void
stall_sample(struct stall *stall, const struct tcp_info *info, uint64_t now_ns)
{
	bool progress = info->tcpi_bytes_acked != stall->acked_bytes;

	if (progress && (now_ns - stall->began_ns) / 1000 > stall->longest_us &&
	    stall->began_ns != 0)
		stall->longest_us = (now_ns - stall->began_ns) / 1000;
	if (progress || info->tcpi_unacked == 0) {
		stall_wait_ends(stall, now_ns, 0);
		stall->began_ns = now_ns;
		stall->acked_bytes = info->tcpi_bytes_acked;
	} else if (info->tcpi_backoff > stall->backoff ||
		   info->tcpi_retransmits > stall->retransmits) {
		stall_wait_ends(stall, now_ns, 2); /* a SACK block may take back backoff, but not the timer */
	}
	stall->backoff = info->tcpi_backoff;
	stall->retransmits = info->tcpi_retransmits;
	stall->sampled_ns = now_ns;
	if (info->tcpi_rto > stall->rto_us)
		stall->rto_us = info->tcpi_rto;
}

#endif
