/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_BENCH_PEER_WORK_H
#define APP_BENCH_PEER_WORK_H

#include "kernel_peer.h"

/* What a peer does, to its end: NULL, or what failed, with errno. */
const char *peer_work(const struct peer_job *job, struct peer_counters *counters);

#endif
