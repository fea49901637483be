/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/neighbour.h"

#include <stdbool.h>
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"

#define MAC_BYTES     WEIR_MAC_BYTES
#define MACS_BYTES    (2 * MAC_BYTES) /* in front of the first tag */
#define TAG_BYTES     4
#define TPID_VLAN     0x8100 /* 802.1Q */
#define TPID_QINQ     0x88a8 /* 802.1ad */
#define ARP_BYTES     28     /* Ethernet and IPv4 */
#define ARP_REQUEST   1
#define ARP_REPLY     2
#define IPV4_BYTES    20
#define IPV4_DF	      0x4000
#define ICMP_BYTES    8
#define ECHO_REQUEST  8
#define ECHO_REPLY    0
#define TTL	      64
#define ETHERTYPE_IP4 0x0800

/* Every segment is ours alone, header and data. */
static bool
may_write(const struct rte_mbuf *buf)
{
	for (; buf != NULL; buf = buf->next) {
		if (rte_mbuf_refcnt_read(buf) != 1 || !RTE_MBUF_DIRECT(buf))
			return false;
	}
	return true;
}

/* Overwrite bytes that lie inside the chain. */
static void
chain_write(struct rte_mbuf *buf, uint32_t off, const uint8_t *from, uint32_t len)
{
	while (len != 0) {
		struct weir_chunk chunk = weir_chain_at(buf, off, len);

		if (chunk.len == 0)
			return;
		memcpy(chunk.data, from, chunk.len);
		off += chunk.len;
		from += chunk.len;
		len -= chunk.len;
	}
}

/*
 * Cut the padding behind `len` bytes, as far as it lies in the segment where they end: segments
 * that hold nothing else stay, for a device need not like empty ones.
 */
static void
cut_padding(struct rte_mbuf *buf, uint32_t len)
{
	struct rte_mbuf *seg = buf;
	uint32_t left = len;

	for (; left > seg->data_len; seg = seg->next)
		left -= seg->data_len;
	if (seg->next != NULL)
		return;
	seg->data_len = (uint16_t)left;
	buf->pkt_len = len;
}

static uint32_t
stripped_tags(const struct rte_mbuf *buf)
{
	return ((buf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) +
	       ((buf->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0);
}

/* Is there room to put the stripped tags back? */
static bool
can_tag(const struct rte_mbuf *buf)
{
	uint32_t n = stripped_tags(buf);

	return n == 0 ||
	       (buf->data_len >= MACS_BYTES && rte_pktmbuf_headroom(buf) >= n * TAG_BYTES);
}

static void
put_tag(struct rte_mbuf *buf, uint16_t tpid, uint16_t tci)
{
	uint8_t *old = rte_pktmbuf_mtod(buf, uint8_t *);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(buf, TAG_BYTES);

	memmove(frame, old, MACS_BYTES);
	weir_store_be16(frame + MACS_BYTES, tpid);
	weir_store_be16(frame + MACS_BYTES + 2, tci);
}

/* The reply leaves as plain bytes: what the port said of the request no longer holds. */
static void
put_tags_back(struct rte_mbuf *buf)
{
	uint64_t flags = buf->ol_flags;

	if (flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		put_tag(buf, TPID_VLAN, buf->vlan_tci);
	if (flags & RTE_MBUF_F_RX_QINQ_STRIPPED)
		put_tag(buf, TPID_QINQ, buf->vlan_tci_outer);
	buf->ol_flags = 0;
}

static bool
is_unicast(const uint8_t *mac)
{
	static const uint8_t none[MAC_BYTES];

	return (mac[0] & 1) == 0 && memcmp(mac, none, MAC_BYTES) != 0;
}

static void
put_macs(const struct weir_parse *parse, struct rte_mbuf *buf, const uint8_t *to)
{
	uint8_t macs[MACS_BYTES];

	memcpy(macs, to, MAC_BYTES);
	memcpy(macs + MAC_BYTES, parse->mac, MAC_BYTES);
	chain_write(buf, 0, macs, sizeof(macs));
}

/* Not the limited broadcast, multicast, loopback, this-network, nor ourselves. */
static bool
may_be_peer(const struct weir_parse *parse, uint32_t addr)
{
	uint32_t net = addr >> 24;

	return net != 0 && net != 127 && net < 224 && addr != parse->ip;
}

/* An ARP request for our address that an answer can reach. A sender of 0 probes (RFC 5227). */
static bool
arp_asks_us(const struct weir_parse *parse, const uint8_t *arp)
{
	static const uint8_t ether_ip4[6] = {0, 1, ETHERTYPE_IP4 >> 8, 0, MAC_BYTES, 4};
	uint32_t sender = weir_load_be32(arp + 14);

	return memcmp(arp, ether_ip4, sizeof(ether_ip4)) == 0 &&
	       weir_load_be16(arp + 6) == ARP_REQUEST && weir_load_be32(arp + 24) == parse->ip &&
	       is_unicast(arp + 8) && (sender == 0 || may_be_peer(parse, sender));
}

static bool
arp_handle(const struct weir_parse *parse, const struct weir_other *other)
{
	struct rte_mbuf *buf = other->buf;
	uint8_t arp[ARP_BYTES];

	if (parse->l3 || other->l3_off < MACS_BYTES + 2 ||
	    weir_chain_copy(buf, other->l3_off, ARP_BYTES, arp) != ARP_BYTES ||
	    !arp_asks_us(parse, arp))
		return false;
	put_macs(parse, buf, arp + 8);
	weir_store_be16(arp + 6, ARP_REPLY);
	memcpy(arp + 18, arp + 8, MAC_BYTES + 4);
	memcpy(arp + 8, parse->mac, MAC_BYTES);
	weir_store_be32(arp + 14, parse->ip);
	chain_write(buf, other->l3_off, arp, ARP_BYTES);
	cut_padding(buf, other->l3_off + ARP_BYTES);
	return true;
}

/*
 * The sender's MAC address to `mac`. Neither a request sent to a group (RFC 1122 3.2.2.6) nor one
 * from a group is answered: one frame would be multiplied.
 */
static bool
macs_fit(struct rte_mbuf *buf, uint8_t *mac)
{
	uint8_t macs[MACS_BYTES];

	if (weir_chain_copy(buf, 0, MACS_BYTES, macs) != MACS_BYTES)
		return false;
	memcpy(mac, macs + MAC_BYTES, MAC_BYTES);
	return is_unicast(macs) && is_unicast(mac);
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
	chain_write(buf, off, ip, IPV4_BYTES);
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
	chain_write(buf, off, icmp, ICMP_BYTES);
}

static bool
icmp_handle(const struct weir_parse *parse, const struct weir_other *other)
{
	struct rte_mbuf *buf = other->buf;
	uint8_t mac[MAC_BYTES], ip[IPV4_BYTES], icmp[ICMP_BYTES];

	if (!is_echo(other, icmp) ||
	    weir_chain_copy(buf, other->l3_off, IPV4_BYTES, ip) != IPV4_BYTES ||
	    !may_be_peer(parse, weir_load_be32(ip + 12)) || weir_load_be32(ip + 16) != parse->ip ||
	    (!parse->l3 && !macs_fit(buf, mac)))
		return false;
	if (!parse->l3)
		put_macs(parse, buf, mac);
	put_ip(parse, buf, other->l3_off, ip);
	put_echo_reply(buf, other->l4_off, icmp);
	cut_padding(buf, (uint32_t)other->l4_off + other->l4_len);
	return true;
}

struct weir_neighbour_reply
weir_neighbour_handle(const struct weir_parse *parse, const struct weir_other *other)
{
	struct rte_mbuf *buf = other->buf;
	bool is_arp = other->kind == WEIR_OTHER_ARP;

	if (!may_write(buf) || (!parse->l3 && !can_tag(buf)) ||
	    !(is_arp ? arp_handle(parse, other) : icmp_handle(parse, other)))
		return (struct weir_neighbour_reply){
		    .reason = is_arp ? WEIR_DROP_ARP : WEIR_DROP_ICMP,
		};
	if (parse->l3)
		buf->ol_flags = 0;
	else
		put_tags_back(buf);
	return (struct weir_neighbour_reply){.frame = buf};
}
