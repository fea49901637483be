/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/port.h"

#include <stddef.h>

void
weir_port_close(struct weir_port *port)
{
	if (port != NULL)
		port->close(port->ctx);
}
