/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_peer.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peer_work.h"

#define START_MS 3000

static const char *
settle_in(const struct namespace *space, unsigned int core)
{
	cpu_set_t cores;

	CPU_ZERO(&cores);
	CPU_SET(core, &cores);
	if (namespace_enter(space) != 0)
		return "cannot enter its network namespace";
	if (sched_setaffinity(0, sizeof(cores), &cores) != 0)
		return "cannot move to its core";
	return NULL;
}

static _Noreturn void
child_of(pid_t parent, const struct namespace *space, unsigned int core, const struct peer_job *job,
	 struct peer_counters *counters)
{
	const char *why;
	int error;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	alarm(PEER_SECONDS_MOST);
	why = settle_in(space, core);
	if (why == NULL)
		why = peer_work(job, counters);
	error = errno;
	if (why != NULL)
		snprintf(counters->why, sizeof(counters->why), "%s: %s", why, strerror(error));
	atomic_store(&counters->state, why == NULL ? PEER_DONE : PEER_FAILED);
	_exit(why != NULL);
}

static void
sleep_ms(uint32_t ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

	nanosleep(&t, NULL);
}

/* What it said itself, as far as it did; valid until the next one fails. */
static const char *
say_why(const struct peer *peer, const char *otherwise)
{
	static char text[PEER_WHY_BYTES];

	if (atomic_load(&peer->counters->state) != PEER_FAILED)
		return otherwise;
	memcpy(text, peer->counters->why, sizeof(text));
	return text;
}

static bool
broken(const struct peer *peer)
{
	siginfo_t info = {0};

	if (atomic_load(&peer->counters->state) == PEER_FAILED)
		return true;
	return atomic_load(&peer->counters->state) != PEER_DONE &&
	       waitid(P_PID, (id_t)peer->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == peer->pid;
}

static const char *
wait_ready(const struct peer *peer)
{
	for (uint32_t ms = 0; ms < START_MS; ms++) {
		if (atomic_load(&peer->counters->state) == PEER_READY)
			return NULL;
		if (broken(peer))
			return say_why(peer, "Linux's end of the connection does not start");
		sleep_ms(1);
	}
	return "Linux's end of the connection is not ready within 3 s";
}

const char *
peer_start(struct peer *peer, const struct namespace *space, unsigned int core,
	   const struct peer_job *job)
{
	pid_t parent = getpid();
	const char *why = NULL;
	void *page = mmap(NULL, sizeof(*peer->counters), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*peer = (struct peer){0};
	if (page == MAP_FAILED)
		return "no memory for counters";
	peer->counters = page;
	peer->pid = fork();
	if (peer->pid == 0)
		child_of(parent, space, core, job, peer->counters);
	if (peer->pid < 0)
		why = "cannot start a process";
	else if (job->kind == PEER_RECEIVE || job->kind == PEER_ACCEPT)
		why = wait_ready(peer);
	if (why != NULL)
		peer_stop(peer);
	return why;
}

const char *
peer_trouble(const struct peer *peer)
{
	return broken(peer) ? say_why(peer, "Linux's end of the connection ended early") : NULL;
}

void
peer_stop(struct peer *peer)
{
	if (peer->pid > 0) {
		kill(peer->pid, SIGKILL);
		waitpid(peer->pid, NULL, 0);
	}
	if (peer->counters != NULL)
		munmap(peer->counters, sizeof(*peer->counters));
	*peer = (struct peer){0};
}
