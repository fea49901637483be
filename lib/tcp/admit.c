/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limits of a listener: connections, memory, connections of one remote address. Only who has
 * completed a handshake counts, for anybody can send a SYN in another's name. A limit is looked at when
 * the SYN comes, so that nobody is promised what there is no room for, and again when the handshake is
 * over: half-open connections and cookies are more than places.
 */
#include <errno.h>

#include "tcp/tcp.h"

enum weir_drop
weir_admit_ask(const struct weir_tcp *tcp, uint32_t i, const struct weir_key *key)
{
	const struct weir_listener *listener = &tcp->listeners[i];

	if (listener->connections != 0 &&
	    tcp->listener_uses[i].connections >= listener->connections)
		return WEIR_DROP_LISTENER_CONNECTIONS;
	if (weir_budget_listener_pressure(tcp, i) >= 4) /* as of the engine's memory */
		return WEIR_DROP_LISTENER_MEMORY;
	if (listener->per_address != 0 &&
	    weir_peers_count(&tcp->peers, i, key) >= listener->per_address)
		return WEIR_DROP_LISTENER_ADDRESS;
	return WEIR_PARSE_OK;
}

int
weir_admit_begin(struct weir_tcp *tcp, uint32_t i, const struct weir_key *key)
{
	if (tcp->listeners[i].per_address != 0 && weir_peers_add(&tcp->peers, i, key) != 0)
		return -ENOSPC;
	tcp->listener_uses[i].connections++;
	return 0;
}

void
weir_admit_end(struct weir_tcp *tcp, uint32_t i, const struct weir_key *key)
{
	if (tcp->listeners[i].per_address != 0)
		weir_peers_remove(&tcp->peers, i, key);
	tcp->listener_uses[i].connections--;
}
