/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
#include "wire/head.h"

#define ETHERTYPE_ARP	0x0806
#define ETHERTYPE_VLAN	0x8100
#define ETHERTYPE_IPV6	0x86dd
#define ETHERTYPE_QINQ	0x88a8
#define ETHERTYPE_QINQ1 0x9100 /* of switches older than 802.1ad */

#define TAGS_MAX 2
#define VID_MASK 0x0fff
#define VID_BITS 12

static const uint8_t broadcast_mac[WEIR_MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/*
 * One more tag, outermost first. VID 0 carries a priority only and is no domain, so that a VID
 * alone and one beside a priority tag are the same flow.
 */
static void
add_tag(struct weir_head *head, uint16_t tci)
{
	uint32_t vid = tci & VID_MASK;

	if (vid != 0)
		head->vlan = head->vlan << VID_BITS | vid;
}

/* Tags that the port took off stood outside those still in the frame. Returns how many. */
static uint32_t
stripped_tags(struct weir_head *head)
{
	const struct rte_mbuf *buf = head->buf;
	uint32_t n = 0;

	if ((buf->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0) {
		add_tag(head, buf->vlan_tci_outer);
		n++;
	}
	/* Without this flag vlan_tci is a copy of a tag that still stands in the frame. */
	if ((buf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0) {
		add_tag(head, buf->vlan_tci);
		n++;
	}
	return n;
}

static bool
is_tag(uint16_t ethertype)
{
	return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ ||
	       ethertype == ETHERTYPE_QINQ1;
}

/* Walk the tags; *ethertype becomes that of the payload and l3_off its place. */
static enum weir_drop
read_tags(struct weir_head *head, uint32_t have, uint16_t *ethertype)
{
	uint32_t n = stripped_tags(head);

	head->l3_off = WEIR_ETHER_BYTES;
	*ethertype = weir_load_be16(head->bytes + WEIR_ETHER_BYTES - 2);
	while (is_tag(*ethertype)) {
		if (++n > TAGS_MAX)
			return WEIR_DROP_VLAN_DEPTH;
		if (have < head->l3_off + WEIR_TAG_BYTES)
			return WEIR_DROP_FRAME_TRUNCATED;
		add_tag(head, weir_load_be16(head->bytes + head->l3_off));
		*ethertype = weir_load_be16(head->bytes + head->l3_off + 2);
		head->l3_off += WEIR_TAG_BYTES;
	}
	return WEIR_PARSE_OK;
}

/* IPv6 over Ethernet has 33:33 in front of the last word of a group (RFC 2464 7). */
static bool
is_group6(const uint8_t *mac)
{
	return mac[0] == 0x33 && mac[1] == 0x33;
}

/* Ethernet: ours, a broadcast that is ARP, or a group of IPv6. */
static enum weir_drop
read_link(const struct weir_parse *parse, struct weir_head *head, uint32_t have)
{
	enum weir_drop verdict;
	uint16_t ethertype;
	bool unicast;

	if (have < WEIR_ETHER_BYTES)
		return WEIR_DROP_FRAME_TRUNCATED;
	unicast = memcmp(head->bytes, parse->mac, WEIR_MAC_BYTES) == 0;
	head->group = is_group6(head->bytes) && parse->own6 != NULL;
	if (!unicast && !head->group &&
	    memcmp(head->bytes, broadcast_mac, WEIR_MAC_BYTES) != 0)
		return WEIR_DROP_FRAME_NOT_OURS;
	verdict = read_tags(head, have, &ethertype);
	if (verdict != WEIR_PARSE_OK)
		return verdict;
	head->is6 = ethertype == ETHERTYPE_IPV6;
	if (head->is6)
		return unicast || head->group ? WEIR_PARSE_OK : WEIR_DROP_FRAME_NOT_OURS;
	if (ethertype == ETHERTYPE_ARP && !head->group) {
		head->kind = WEIR_HEAD_ARP;
		return WEIR_PARSE_OK;
	}
	if (!unicast)
		return WEIR_DROP_FRAME_NOT_OURS;
	return ethertype == WEIR_ETHERTYPE_IP4 ? WEIR_PARSE_OK : WEIR_DROP_ETHERTYPE;
}

/*
 * Off the plain path the header sum is verified whatever the port claims. Two claims stand: NONE says
 * that the field is not valid by design, and so it is in the rewritten header of a frame that the port
 * merged and found GOOD.
 */
bool
weir_head_sum_valid(const struct rte_mbuf *buf, const uint8_t *ip, uint32_t ihl)
{
	uint64_t claim = buf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (claim == RTE_MBUF_F_RX_IP_CKSUM_NONE)
		return true;
	if (claim == RTE_MBUF_F_RX_IP_CKSUM_GOOD && (buf->ol_flags & RTE_MBUF_F_RX_LRO) != 0)
		return true;
	return weir_csum_fold(weir_csum_add(ip, ihl, 0)) == 0xffff;
}

/* Lengths and sum of the IPv4 header, in the order of RFC 1812 section 5.2.2. */
static enum weir_drop
read_ip4_header(struct weir_head *head)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	uint32_t room = rte_pktmbuf_pkt_len(head->buf) - head->l3_off;
	uint32_t ihl, total;

	if (room < WEIR_IP4_BYTES)
		return WEIR_DROP_FRAME_TRUNCATED;
	ihl = (ip[0] & 0x0f) * 4u;
	if (ip[0] >> 4 != 4 || ihl < WEIR_IP4_BYTES)
		return WEIR_DROP_IP_HEADER;
	if (ihl > room)
		return WEIR_DROP_FRAME_TRUNCATED;
	if (!weir_head_sum_valid(head->buf, ip, ihl))
		return WEIR_DROP_IP_CHECKSUM;
	total = weir_load_be16(ip + 2);
	if (total < ihl)
		return WEIR_DROP_IP_HEADER;
	if (total > room)
		return WEIR_DROP_FRAME_TRUNCATED;
	head->l4_off = head->l3_off + ihl;
	head->end = head->l3_off + total;
	return WEIR_PARSE_OK;
}

static enum weir_drop
read_ip4(const struct weir_parse *parse, struct weir_head *head)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	enum weir_drop verdict = read_ip4_header(head);

	if (verdict != WEIR_PARSE_OK)
		return verdict;
	if (!weir_head_source_valid(parse, weir_load_be32(ip + 12)))
		return WEIR_DROP_IP_SOURCE;
	if (parse->ip == 0 || weir_load_be32(ip + 16) != parse->ip)
		return WEIR_DROP_IP_NOT_OURS;
	if (ip[9] != WEIR_PROTOCOL_TCP && ip[9] != WEIR_PROTOCOL_ICMP)
		return WEIR_DROP_IP_PROTOCOL;
	head->kind = ip[9] == WEIR_PROTOCOL_TCP ? WEIR_HEAD_TCP : WEIR_HEAD_ICMP;
	if ((weir_load_be16(ip + 6) & WEIR_IP4_FRAGMENT) != 0) {
		if (head->kind != WEIR_HEAD_TCP)
			return WEIR_DROP_IP_FRAGMENT;
		head->kind = WEIR_HEAD_FRAGMENT;
	}
	return WEIR_PARSE_OK;
}

/* A bare IP packet says by itself which IP it is. */
static enum weir_drop
read_bare(struct weir_head *head, uint32_t have)
{
	stripped_tags(head);
	if (have == 0)
		return WEIR_DROP_FRAME_TRUNCATED;
	head->is6 = head->bytes[0] >> 4 == 6;
	return WEIR_PARSE_OK;
}

enum weir_drop
weir_head_read(const struct weir_parse *parse, struct rte_mbuf *buf, uint8_t *scratch,
	       struct weir_head *head)
{
	uint32_t have = RTE_MIN(rte_pktmbuf_pkt_len(buf), (uint32_t)WEIR_HEAD_MAX);
	enum weir_drop verdict;

	if (!weir_chain_sound(buf)) /* whatever its length says, the bytes are not there */
		return WEIR_DROP_FRAME_TRUNCATED;
	*head = (struct weir_head){.buf = buf, .kind = WEIR_HEAD_TCP};
	head->bytes = weir_chain_read(buf, 0, have, scratch);
	if (head->bytes == NULL)
		return WEIR_DROP_FRAME_TRUNCATED;
	verdict = parse->l3 ? read_bare(head, have) : read_link(parse, head, have);
	if (verdict != WEIR_PARSE_OK)
		return verdict;
	if (head->kind == WEIR_HEAD_ARP) {
		head->l4_off = head->l3_off;
		head->end = rte_pktmbuf_pkt_len(buf);
		return WEIR_PARSE_OK;
	}
	return head->is6 ? weir_head_read6(parse, head) : read_ip4(parse, head);
}
