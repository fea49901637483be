/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/cli/loop.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

static struct loop *signalled;

static void
on_end(int number)
{
	if (atomic_fetch_add_explicit(&signalled->signals, 1, memory_order_relaxed) == 1)
		loop_catch(number, SIG_DFL, 0);
	loop_stop(signalled);
}

void
loop_catch(int number, void (*handler)(int), int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = handler;
	action.sa_flags = flags;
	sigaction(number, &action, NULL);
}

void
loop_catch_signals(struct loop *loop)
{
	struct sigaction hangup;

	signalled = loop;
	loop_catch(SIGINT, on_end, SA_RESTART);
	loop_catch(SIGTERM, on_end, SA_RESTART);
	/* nohup means it. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		loop_catch(SIGHUP, on_end, SA_RESTART);
	loop_catch(SIGPIPE, SIG_IGN, 0);
	loop_catch(SIGXFSZ, SIG_IGN, 0); /* a limit of file sizes is one more disk that is full */
}

void
loop_begin(struct loop *loop)
{
	loop->first_tsc = loop->last_tsc = rte_rdtsc();
}

uint64_t
loop_now_ns(const struct loop *loop)
{
	return tsc_clock_ns(&loop->clock, loop->last_tsc);
}

void
loop_turned(struct loop *loop, bool worked)
{
	uint64_t start = loop->last_tsc;

	loop->last_tsc = rte_rdtsc();
	if (worked)
		loop->busy_tsc += loop->last_tsc - start;
}

bool
loop_asked(const struct loop *loop)
{
	return atomic_load_explicit(&loop->wanted, memory_order_acquire) !=
	       atomic_load_explicit(&loop->given, memory_order_relaxed);
}

/* One thread asks, and no more before it was given. */
void
loop_give(struct loop *loop)
{
	atomic_store_explicit(&loop->given,
			      atomic_load_explicit(&loop->wanted, memory_order_relaxed),
			      memory_order_release);
}

void
loop_end(struct loop *loop)
{
	atomic_store_explicit(&loop->done, 1, memory_order_release);
}

void
loop_stop(struct loop *loop)
{
	atomic_store_explicit(&loop->stop, 1, memory_order_relaxed);
}

bool
loop_done(const struct loop *loop)
{
	return atomic_load_explicit(&loop->done, memory_order_acquire) != 0;
}

bool
loop_ask(struct loop *loop)
{
	uint32_t wanted = atomic_fetch_add_explicit(&loop->wanted, 1, memory_order_release) + 1;

	while (atomic_load_explicit(&loop->given, memory_order_acquire) != wanted) {
		if (loop_done(loop))
			return false;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	return true;
}
