/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_BENCH_SERVICE_H
#define APP_BENCH_SERVICE_H

#include "sink.h"

/* A weir_event_handler; `user` is a struct sink. As sink_handle(), and closes when the peer has. */
void service_handle(void *user, struct weir_stack *stack, const struct weir_event *events,
		    uint32_t n);

#endif
