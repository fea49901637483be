/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Programs on Linux's TCP, each a child of this process with one thread, on one core and in one
 * namespace. They end with this process, and by themselves after PEER_SECONDS_MOST.
 */
#ifndef APP_BENCH_KERNEL_PEER_H
#define APP_BENCH_KERNEL_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "namespace.h"

#define PEER_SECONDS_MOST 80
#define PEER_FLOWS_MOST	  1024
#define PEER_WHY_BYTES	  96

enum peer_kind {
	PEER_SEND,    /* `flows` connections, as fast as they take it */
	PEER_RECEIVE, /* accepts connections and reads them until their end */
	PEER_CONNECT, /* `flows` at a time: open, send `bytes`, close */
	PEER_ACCEPT,  /* accept, read until the end, close */
};

struct peer_job {
	enum peer_kind kind;
	uint32_t address; /* where to, or where to listen */
	uint16_t port;
	uint32_t flows;
	uint64_t bytes; /* PEER_SEND: in all, then it waits for their end; 0: endless */
	bool trim;	/* PEER_RECEIVE: received bytes are discarded in the kernel (MSG_TRUNC) */
	const char *congestion; /* PEER_SEND; NULL: the system's own choice */
};

enum peer_state { PEER_STARTING, PEER_READY, PEER_DONE, PEER_FAILED };

struct peer_counters {
	_Atomic uint32_t state;
	_Atomic uint64_t bytes;	      /* sent or received */
	_Atomic uint64_t connections; /* that ended well */
	_Atomic uint64_t elapsed_ns;  /* PEER_SEND with `bytes`: first connect to last end */
	char why[PEER_WHY_BYTES];     /* PEER_FAILED */
};

struct peer {
	pid_t pid;
	struct peer_counters *counters; /* shared with it */
};

/* Listening ones are ready when this returns. NULL, or why not: then nothing is left. */
const char *peer_start(struct peer *peer, const struct namespace *space, unsigned int core,
		       const struct peer_job *job);

/* NULL while all is well, or why it failed; the text is valid until another one fails. */
const char *peer_trouble(const struct peer *peer);

/* End it; does nothing on one that is not started. */
void peer_stop(struct peer *peer);

#endif
