/* SPDX-License-Identifier: BSD-3-Clause */
#include "signals.h"

#include <signal.h>
#include <unistd.h>

static struct run *signalled;

static void
on_record(int number)
{
	(void)number;
	atomic_store_explicit(&signalled->record_wanted, 1, memory_order_relaxed);
}

/* A failed assertion: the frames that led to it. Should the writing hang, the alarm ends it. */
static void
on_abort(int number)
{
	(void)number;
	alarm(5);
	weir_engine_record(signalled->engine, signalled->record);
}

void
signals_catch(struct run *run)
{
	signalled = run;
	if (run->record == NULL)
		return;
	loop_catch(SIGUSR1, on_record, SA_RESTART);
	loop_catch(SIGABRT, on_abort, (int)SA_RESETHAND);
}

void
signals_release(void)
{
	loop_catch(SIGUSR1, SIG_IGN, 0);
	loop_catch(SIGABRT, SIG_DFL, 0);
}
