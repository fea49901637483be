/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/neighbour.h"

#include <stdbool.h>
#include <string.h>

#include <rte_mbuf.h>

#include "engine/reply.h"
#include "flow/buffer.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"

#define MAC_BYTES     WEIR_MAC_BYTES
#define MACS_BYTES    (2 * MAC_BYTES) /* in front of the first tag */
#define ARP_BYTES     28     /* Ethernet and IPv4 */
#define IPV4_BYTES    20
#define IPV4_DF	      0x4000
#define ICMP_BYTES    8
#define ECHO_REQUEST  8
#define ECHO_REPLY    0
#define TTL	      64
#define ETHERTYPE_IP4 0x0800

/* Not the limited broadcast, multicast, loopback, this-network, nor ourselves. */
static bool
may_be_peer(const struct weir_parse *parse, uint32_t addr)
{
	uint32_t net = addr >> 24;

	return net != 0 && net != 127 && net < 224 && addr != parse->ip;
}

static const uint8_t ether_ip4[6] = {0, 1, ETHERTYPE_IP4 >> 8, 0, MAC_BYTES, 4};

bool
weir_neighbour_read_arp(const struct weir_other *other, struct weir_arp *arp)
{
	uint8_t bytes[ARP_BYTES];

	if (weir_chain_copy(other->buf, other->l3_off, ARP_BYTES, bytes) != ARP_BYTES ||
	    memcmp(bytes, ether_ip4, sizeof(ether_ip4)) != 0)
		return false;
	arp->operation = weir_load_be16(bytes + 6);
	memcpy(arp->sender, bytes + 8, MAC_BYTES);
	arp->sender_ip = weir_load_be32(bytes + 14);
	arp->target_ip = weir_load_be32(bytes + 24);
	return true;
}

/* An ARP request for our address that an answer can reach. A sender of 0 probes (RFC 5227). */
static bool
arp_asks_us(const struct weir_parse *parse, const struct weir_arp *arp)
{
	return parse->ip != 0 && arp->operation == WEIR_ARP_REQUEST && arp->target_ip == parse->ip &&
	       weir_reply_unicast(arp->sender) &&
	       (arp->sender_ip == 0 || may_be_peer(parse, arp->sender_ip));
}

static bool
arp_handle(const struct weir_parse *parse, const struct weir_other *other)
{
	struct rte_mbuf *buf = other->buf;
	uint8_t answer[ARP_BYTES];
	struct weir_arp arp;

	if (parse->l3 || other->l3_off < MACS_BYTES + 2 || !weir_neighbour_read_arp(other, &arp) ||
	    !arp_asks_us(parse, &arp))
		return false;
	weir_reply_put_macs(parse, buf, arp.sender);
	memcpy(answer, ether_ip4, sizeof(ether_ip4));
	weir_store_be16(answer + 6, WEIR_ARP_REPLY);
	memcpy(answer + 8, parse->mac, MAC_BYTES);
	weir_store_be32(answer + 14, parse->ip);
	memcpy(answer + 18, arp.sender, MAC_BYTES);
	weir_store_be32(answer + 24, arp.sender_ip);
	weir_reply_write(buf, other->l3_off, answer, ARP_BYTES);
	weir_reply_cut(buf, other->l3_off + ARP_BYTES);
	return true;
}

/* A valid echo request behind an IPv4 header without options (a source route would have to be
 * reversed, RFC 1122 3.2.2.6). */
static bool
is_echo(const struct weir_other *other, uint8_t *icmp)
{
	if (other->l4_off != other->l3_off + IPV4_BYTES || other->l4_len < ICMP_BYTES ||
	    other->buf->pkt_len < (uint32_t)other->l4_off + other->l4_len ||
	    weir_chain_copy(other->buf, other->l4_off, ICMP_BYTES, icmp) != ICMP_BYTES ||
	    icmp[0] != ECHO_REQUEST || icmp[1] != 0)
		return false;
	return weir_csum_fold(weir_csum_add_chain(other->buf, other->l4_off, other->l4_len, 0)) ==
	       0xffff;
}

/* From us to whom it came from; identification 0 with DF (RFC 6864), same DSCP, no ECN. */
static void
put_ip(const struct weir_parse *parse, struct rte_mbuf *buf, uint32_t off, uint8_t *ip)
{
	uint16_t sum;

	ip[1] &= 0xfc;
	weir_store_be16(ip + 4, 0);
	weir_store_be16(ip + 6, IPV4_DF);
	ip[8] = TTL;
	weir_store_be16(ip + 10, 0);
	memcpy(ip + 16, ip + 12, 4);
	weir_store_be32(ip + 12, parse->ip);
	sum = (uint16_t)~weir_csum_fold(weir_csum_add(ip, IPV4_BYTES, 0));
	memcpy(ip + 10, &sum, sizeof(sum));
	weir_reply_write(buf, off, ip, IPV4_BYTES);
}

/* Type 8 becomes 0; the rest of the message, and so of its sum, stays (RFC 1624 eqn. 3). */
static void
put_echo_reply(struct rte_mbuf *buf, uint32_t off, uint8_t *icmp)
{
	uint32_t sum = (uint16_t)~weir_load_be16(icmp + 2);

	sum += (uint16_t) ~(ECHO_REQUEST << 8);
	sum = (sum & 0xffff) + (sum >> 16);
	icmp[0] = ECHO_REPLY;
	weir_store_be16(icmp + 2, (uint16_t)~sum);
	weir_reply_write(buf, off, icmp, ICMP_BYTES);
}

static bool
icmp_handle(const struct weir_parse *parse, const struct weir_other *other)
{
	struct rte_mbuf *buf = other->buf;
	uint8_t mac[MAC_BYTES], ip[IPV4_BYTES], icmp[ICMP_BYTES];

	if (!is_echo(other, icmp) ||
	    weir_chain_copy(buf, other->l3_off, IPV4_BYTES, ip) != IPV4_BYTES ||
	    !may_be_peer(parse, weir_load_be32(ip + 12)) || weir_load_be32(ip + 16) != parse->ip ||
	    (!parse->l3 && !weir_reply_macs(buf, mac)))
		return false;
	if (!parse->l3)
		weir_reply_put_macs(parse, buf, mac);
	put_ip(parse, buf, other->l3_off, ip);
	put_echo_reply(buf, other->l4_off, icmp);
	weir_reply_cut(buf, (uint32_t)other->l4_off + other->l4_len);
	return true;
}

/* The answer in place, when there is one. */
static bool
answer(const struct weir_parse *parse, const struct weir_other *other,
       struct weir_neighbour_reply *reply)
{
	switch (other->kind) {
	case WEIR_OTHER_ARP:
		return arp_handle(parse, other);
	case WEIR_OTHER_ICMP:
		return icmp_handle(parse, other);
	default:
		return weir_neighbour6_handle(parse, other, reply);
	}
}

struct weir_neighbour_reply
weir_neighbour_handle(const struct weir_parse *parse, const struct weir_other *other)
{
	struct weir_neighbour_reply reply = {.reason = WEIR_DROP_ICMP};
	struct rte_mbuf *buf = other->buf;

	if (other->kind == WEIR_OTHER_ARP)
		reply.reason = WEIR_DROP_ARP;
	if (!weir_buf_ours(buf) || (!parse->l3 && !weir_reply_can_tag(buf)) ||
	    !answer(parse, other, &reply))
		return reply;
	if (parse->l3)
		buf->ol_flags = 0;
	else
		weir_reply_put_tags(buf);
	reply.frame = buf;
	return reply;
}
