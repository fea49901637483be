/* SPDX-License-Identifier: BSD-3-Clause */
/* A port made of the caller's own functions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/port.h"

struct custom {
	struct weir_port port;
	struct weir_port_functions functions;
};

static uint16_t
custom_rx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct custom *custom = ctx;

	return custom->functions.rx_burst(custom->functions.user, bufs, n, now_ns);
}

static uint16_t
custom_tx_burst(void *ctx, struct rte_mbuf **bufs, uint16_t n, uint64_t now_ns)
{
	struct custom *custom = ctx;

	return custom->functions.tx_burst(custom->functions.user, bufs, n, now_ns);
}

static void
custom_close(void *ctx)
{
	free(ctx);
}

int
weir_port_open_custom(const struct weir_port_functions *functions, struct weir_port **port)
{
	struct custom *custom;

	if (functions == NULL || port == NULL || functions->size < sizeof(*functions) ||
	    functions->rx_burst == NULL || functions->tx_burst == NULL)
		return -EINVAL;
	custom = calloc(1, sizeof(*custom));
	if (custom == NULL)
		return -ENOMEM;
	custom->functions = *functions;
	custom->port = (struct weir_port){
	    .rx_burst = custom_rx_burst,
	    .tx_burst = custom_tx_burst,
	    .ctx = custom,
	    .capabilities = functions->l3 ? WEIR_PORT_L3 : 0,
	    .close = custom_close,
	};
	memcpy(custom->port.mac, functions->mac, sizeof(custom->port.mac));
	snprintf(custom->port.name, sizeof(custom->port.name), "custom");
	*port = &custom->port;
	return 0;
}
