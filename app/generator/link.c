/* SPDX-License-Identifier: BSD-3-Clause */
/* The link: ARP (RFC 826) for the next hop, and answers for all source addresses; see link6.c, too. */
#include <errno.h>
#include <string.h>

#include "app/generator/state.h"
#include "wire/bytes.h"

#define ARP_BYTES      28
#define ETHERTYPE_ARP  0x0806
#define REQUEST	       1
#define REPLY	       2
#define RETRY_NS       (1000 * GEN_NS_PER_MS)
#define OPERATION      6
#define SENDER	       8
#define SENDER_ADDRESS 14
#define TARGET	       18
#define TARGET_ADDRESS 24

static const uint8_t ether_ip4[6] = {0, 1, 8, 0, 6, 4};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t nobody[6];

static bool
is_on_link(const struct generator_config *config)
{
	uint32_t mask = config->prefix_len == 0 ? 0 : ~0u << (32 - config->prefix_len);

	return ((config->target ^ config->address) & mask) == 0;
}

int
gen_link_open(struct generator *g)
{
	const struct generator_config *config = &g->config;

	g->l3 = (g->port->capabilities & WEIR_PORT_L3) != 0;
	g->ether = g->l3 ? 0 : GEN_ETHER;
	memcpy(g->mac, memcmp(config->mac, nobody, 6) != 0 ? config->mac : g->port->mac, 6);
	memcpy(g->next_hop_mac, config->target_mac, 6);
	g->resolved = g->l3 || memcmp(config->target_mac, nobody, 6) != 0;
	g->ask_due_ns = g->now_ns;
	if (config->ip6)
		return gen_link6_open(g);
	g->next_hop = is_on_link(config) ? config->target : config->gateway;
	return g->resolved || g->next_hop != 0 ? 0 : -EINVAL;
}

static void
send_arp(struct generator *g, uint16_t operation, uint32_t from, const uint8_t *to_mac, uint32_t to)
{
	uint8_t frame[GEN_ETHER + ARP_BYTES], *arp = frame + GEN_ETHER;

	memcpy(frame, to_mac != NULL ? to_mac : everybody, 6);
	memcpy(frame + 6, g->mac, 6);
	weir_store_be16(frame + 12, ETHERTYPE_ARP);
	memcpy(arp, ether_ip4, sizeof(ether_ip4));
	weir_store_be16(arp + OPERATION, operation);
	memcpy(arp + SENDER, g->mac, 6);
	weir_store_be32(arp + SENDER_ADDRESS, from);
	memcpy(arp + TARGET, to_mac != NULL ? to_mac : nobody, 6);
	weir_store_be32(arp + TARGET_ADDRESS, to);
	gen_send_bytes(g, frame, sizeof(frame));
}

void
gen_link_poll(struct generator *g)
{
	if (g->resolved || g->now_ns < g->ask_due_ns)
		return;
	g->ask_due_ns = g->now_ns + RETRY_NS;
	if (g->config.ip6)
		gen_link6_solicit(g);
	else
		send_arp(g, REQUEST, g->config.address, NULL, g->next_hop);
}

void
gen_link_resolved(struct generator *g, const uint8_t mac[6])
{
	memcpy(g->next_hop_mac, mac, 6);
	g->resolved = true;
	gen_link_header(g);
}

void
gen_link_arp(struct generator *g, const uint8_t *frame, uint32_t len)
{
	const uint8_t *arp = frame + GEN_ETHER;
	uint32_t sender, target;

	if (len < GEN_ETHER + ARP_BYTES || memcmp(arp, ether_ip4, sizeof(ether_ip4)) != 0 ||
	    (arp[SENDER] & 1) != 0)
		return;
	sender = weir_load_be32(arp + SENDER_ADDRESS);
	target = weir_load_be32(arp + TARGET_ADDRESS);
	if (weir_load_be16(arp + OPERATION) == REQUEST &&
	    target - g->config.address < g->config.sources) {
		send_arp(g, REPLY, target, arp + SENDER, sender);
	} else if (weir_load_be16(arp + OPERATION) == REPLY && sender == g->next_hop &&
		   !g->resolved) {
		gen_link_resolved(g, arp + SENDER);
	}
}
