/* SPDX-License-Identifier: BSD-3-Clause */
/* lwIP as the receiver of a testbed: one at a time. */
#ifndef APP_BENCH_PEER_LWIP_H
#define APP_BENCH_PEER_LWIP_H

#include "testbed.h"

/* From now on lwIP polls the near end of `bed`, which must not have connections yet; it counts into
 * bed->sink. NULL, or why not. */
const char *peer_lwip_open(struct testbed *bed);
/* Resets all its connections. Before testbed_close(). */
void peer_lwip_close(void);

#endif
