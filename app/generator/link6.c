/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbour discovery (RFC 4861): a solicitation for the next hop, and answers for all sources. */
#include <errno.h>
#include <stdlib.h>

#include "app/generator/state.h"
#include "wire/address6.h"
#include "wire/checksum.h"

#define ETHERTYPE_IP6	0x86dd
#define VERSION		0x60000000
#define ICMP6		58
#define SOLICITATION	135
#define ADVERTISEMENT	136
#define MESSAGE_BYTES	24 /* without options */
#define OPTION_BYTES	8
#define OPTION_SOURCE	1 /* link addresses */
#define OPTION_TARGET	2
#define FLAG_SOLICITED	0x40000000
#define FLAG_OVERRIDE	0x20000000
#define DISCOVERY_HOPS	255 /* nobody behind a router can have sent it */
#define SOURCE		8   /* addresses in the IP header */
#define DESTINATION	24
#define TARGET		8 /* in the message */
#define FRAME_BYTES	(GEN_ETHER + GEN_IP6 + MESSAGE_BYTES + OPTION_BYTES)

static bool
is_on_link(const struct generator_config *config)
{
	for (uint32_t i = 0; i < config->prefix_len; i++)
		if (((config->target6[i / 8] ^ config->address6[i / 8]) << i % 8 & 0x80) != 0)
			return false;
	return true;
}

/* The groups in which our addresses are asked for. */
static int
join_groups(const struct generator *g)
{
	uint32_t n = g->config.sources;
	uint8_t group[16], source[16], (*macs)[6];

	if (g->port->groups == NULL)
		return 0;
	macs = malloc((n + 1) * sizeof(*macs));
	if (macs == NULL)
		return -ENOMEM;
	weir_group_mac6(weir_all_nodes6, macs[n]);
	for (uint32_t i = 0; i < n; i++) {
		gen_source6(g, g->config.address + i, source);
		weir_solicited_node6(source, group);
		weir_group_mac6(group, macs[i]);
	}
	g->port->groups(g->port->ctx, (const uint8_t(*)[6])macs, n + 1);
	free(macs);
	return 0;
}

int
gen_link6_open(struct generator *g)
{
	const struct generator_config *config = &g->config;

	memcpy(g->next_hop6, is_on_link(config) ? config->target6 : config->gateway6, 16);
	if (!g->resolved && weir_unspecified6(g->next_hop6))
		return -EINVAL;
	return g->l3 ? 0 : join_groups(g);
}

/* A message about `target`, with our link address as its one option. */
static void
send_message(struct generator *g, const uint8_t *to_mac, const uint8_t *from, const uint8_t *to,
	     uint8_t type, uint32_t flags, const uint8_t *target)
{
	uint8_t frame[FRAME_BYTES] = {0}, *ip = frame + GEN_ETHER, *message = ip + GEN_IP6;
	uint16_t sum;

	memcpy(frame, to_mac, 6);
	memcpy(frame + 6, g->mac, 6);
	weir_store_be16(frame + 12, ETHERTYPE_IP6);
	weir_store_be32(ip, VERSION);
	weir_store_be16(ip + 4, MESSAGE_BYTES + OPTION_BYTES);
	ip[6] = ICMP6;
	ip[7] = DISCOVERY_HOPS;
	memcpy(ip + SOURCE, from, 16);
	memcpy(ip + DESTINATION, to, 16);
	message[0] = type;
	weir_store_be32(message + 4, flags);
	memcpy(message + TARGET, target, 16);
	message[MESSAGE_BYTES] = type == SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
	message[MESSAGE_BYTES + 1] = 1;
	memcpy(message + MESSAGE_BYTES + 2, g->mac, 6);
	sum = (uint16_t)~weir_csum_fold(
	    weir_csum_add(message, MESSAGE_BYTES + OPTION_BYTES,
			  weir_csum_pseudo6(ip + SOURCE, ICMP6, MESSAGE_BYTES + OPTION_BYTES)));
	memcpy(message + 2, &sum, sizeof(sum));
	gen_send_bytes(g, frame, sizeof(frame));
}

void
gen_link6_solicit(struct generator *g)
{
	uint8_t group[16], mac[6];

	weir_solicited_node6(g->next_hop6, group);
	weir_group_mac6(group, mac);
	send_message(g, mac, g->config.address6, group, SOLICITATION, 0, g->next_hop6);
}

/* RFC 4861 7.1: what makes a message of either kind valid. */
static bool
message_valid(const struct rte_mbuf *buf, const uint8_t *ip, uint32_t bytes)
{
	uint32_t len = weir_load_be16(ip + 4);
	const uint8_t *message = ip + GEN_IP6;

	return bytes >= GEN_IP6 + MESSAGE_BYTES && len >= MESSAGE_BYTES &&
	       GEN_ETHER + GEN_IP6 + len <= buf->pkt_len && ip[7] == DISCOVERY_HOPS &&
	       message[1] == 0 && !weir_multicast6(message + TARGET) &&
	       weir_csum_fold(weir_csum_add_chain(buf, GEN_ETHER + GEN_IP6, len,
						  weir_csum_pseudo6(ip + SOURCE, ICMP6, len))) ==
		   0xffff;
}

static bool
is_own(const struct generator *g, const uint8_t *address)
{
	return memcmp(address, g->config.address6, 12) == 0 &&
	       weir_load_be32(address + 12) - g->config.address < g->config.sources;
}

/* To whom it came from; all nodes hear the answer to somebody who has no address yet (7.2.4). */
static void
answer(struct generator *g, const uint8_t *frame, const uint8_t *target)
{
	const uint8_t *source = frame + GEN_ETHER + SOURCE;
	bool nobody = weir_unspecified6(source);
	uint8_t mac[6];

	memcpy(mac, frame + 6, sizeof(mac));
	if (nobody)
		weir_group_mac6(weir_all_nodes6, mac);
	send_message(g, mac, target, nobody ? weir_all_nodes6 : source, ADVERTISEMENT,
		     nobody ? FLAG_OVERRIDE : FLAG_OVERRIDE | FLAG_SOLICITED, target);
}

/* The sender's link address is the one that the frame came from: nobody relays between us. */
void
gen_link6_take(struct generator *g, const struct rte_mbuf *buf, const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + GEN_ETHER, *message = ip + GEN_IP6, *target = message + TARGET;

	if (!message_valid(buf, ip, len - GEN_ETHER) || (frame[6] & 1) != 0)
		return;
	if (message[0] == SOLICITATION && is_own(g, target) && !is_own(g, ip + SOURCE))
		answer(g, frame, target);
	else if (message[0] == ADVERTISEMENT && !g->resolved &&
		 memcmp(target, g->next_hop6, 16) == 0)
		gen_link_resolved(g, frame + 6);
}
