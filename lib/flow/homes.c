/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/homes.h"

uint8_t
weir_homes_learn(struct weir_homes *homes, const struct rte_mbuf *buf, uint8_t port)
{
	struct rte_mempool **home = &homes->pools[port + 1];

	if (*home != NULL || !weir_buf_is_of(buf, buf->pool))
		return 0;
	*home = buf->pool;
	return (uint8_t)(port + 1);
}

void
weir_homes_turn(struct weir_homes *homes, struct weir_pool *pool, uint8_t home, uint32_t n)
{
	/* Ports may receive into one mempool. */
	if (homes->pools[home] != homes->pools[homes->home] || homes->n + n > WEIR_HOMES_WAIT)
		weir_homes_flush(homes, pool);
	homes->home = home;
}
