/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

void
service_handle(void *user, struct weir_stack *stack, const struct weir_event *events, uint32_t n)
{
	struct sink *sink = user;

	sink_handle(user, stack, events, n);
	for (uint32_t i = 0; i < n; i++)
		if (events[i].type == WEIR_EVENT_FIN)
			sink->wrong |= weir_conn_close(stack, events[i].conn) != 0;
}
