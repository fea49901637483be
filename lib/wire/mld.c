/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/mld.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/address6.h"
#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
#include "wire/head.h"

#define ETHERTYPE_IP6 0x86dd
#define VERSION	      0x60000000
#define SOURCE	      8 /* addresses in the header */
#define DESTINATION   24

#define QUERY	130
#define REPORT1 131
#define REPORT2 143

#define QUERY1_BYTES  24
#define QUERY2_BYTES  28
#define REPORT1_BYTES 24
#define REPORT2_BYTES 8 /* without records */
#define RECORD_BYTES  20
#define IS_EXCLUDE    2 /* kinds of a record: a group of which every source is heard */
#define TO_EXCLUDE    4

#define HOP_BY_HOP	   0
#define ALERT_BYTES	   8
#define OPTION_PAD1	   0
#define OPTION_ALERT	   5
#define EXTENSIONS_MOST	   WEIR_IP6_EXTENSIONS_MAX

static const uint8_t all_routers[WEIR_ADDRESS6_BYTES] = {0xff, 0x02, [15] = 0x16}; /* that hear reports */
/* ICMPv6 follows; a message of MLD for routers (RFC 2711); padding. */
static const uint8_t router_alert[ALERT_BYTES] = {WEIR_PROTOCOL_ICMP6, 0, OPTION_ALERT, 2, 0, 0, 1, 0};

bool
weir_mld_is_query(const struct weir_other *other)
{
	uint8_t type;

	return other->l4_len >= QUERY1_BYTES &&
	       weir_chain_copy(other->buf, other->l4_off, 1, &type) == 1 && type == QUERY;
}

/* Among the options of a hop-by-hop header in front of all others. */
static bool
has_alert(const struct weir_other *other, const uint8_t *ip)
{
	uint32_t off = other->l3_off + WEIR_IP6_BYTES, at = 2, len;
	uint8_t bytes[EXTENSIONS_MOST];

	if (ip[6] != HOP_BY_HOP || other->l4_off <= off ||
	    weir_chain_copy(other->buf, off, 2, bytes) != 2)
		return false;
	len = (bytes[1] + 1u) * 8;
	if (len > sizeof(bytes) || len > other->l4_off - off ||
	    weir_chain_copy(other->buf, off, len, bytes) != len)
		return false;
	while (at + 4 <= len) { /* the parser has seen that they end inside */
		if (bytes[at] == OPTION_ALERT)
			return bytes[at + 1] == 2 && weir_load_be16(bytes + at + 2) == 0;
		at += bytes[at] == OPTION_PAD1 ? 1 : 2u + bytes[at + 1];
	}
	return false;
}

static bool
from_link(const struct weir_other *other, const uint8_t *ip)
{
	uint64_t sum = weir_csum_pseudo6(ip + SOURCE, WEIR_PROTOCOL_ICMP6, other->l4_len);

	return ip[7] == 1 && weir_link_local6(ip + SOURCE) && has_alert(other, ip) &&
	       other->buf->pkt_len >= (uint32_t)other->l4_off + other->l4_len &&
	       weir_csum_fold(weir_csum_add_chain(other->buf, other->l4_off, other->l4_len, sum)) ==
		       0xffff;
}

/* Everybody's groups are asked for, or one of ours. */
static bool
concerns(const struct weir_own6 *own, const uint8_t *group)
{
	uint8_t groups[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES];
	uint32_t n = weir_mld_groups(own, groups);

	if (weir_unspecified6(group))
		return true;
	for (uint32_t i = 0; i < n; i++)
		if (weir_address6_equal(groups[i], group))
			return true;
	return false;
}

/* RFC 3810 5.1.3. */
static uint32_t
delay_of(uint32_t code)
{
	if (code < 0x8000)
		return code;
	return ((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}

bool
weir_mld_read(const struct weir_other *other, const struct weir_own6 *own,
	      struct weir_mld_query *query)
{
	uint8_t ip[WEIR_IP6_BYTES], message[QUERY1_BYTES];
	uint32_t code;

	if (weir_chain_copy(other->buf, other->l3_off, sizeof(ip), ip) != sizeof(ip) ||
	    !from_link(other, ip) ||
	    (other->l4_len != QUERY1_BYTES && other->l4_len < QUERY2_BYTES) ||
	    weir_chain_copy(other->buf, other->l4_off, sizeof(message), message) != sizeof(message) ||
	    message[1] != 0 || !concerns(own, message + 8))
		return false;
	code = weir_load_be16(message + 4);
	query->version = other->l4_len == QUERY1_BYTES ? 1 : 2;
	query->delay_ms = query->version == 1 ? code : delay_of(code);
	return true;
}

uint32_t
weir_mld_groups(const struct weir_own6 *own, uint8_t groups[WEIR_OWN6_MAX][WEIR_ADDRESS6_BYTES])
{
	uint32_t n = 0, same;

	for (uint32_t i = 0; i < own->n; i++) {
		weir_solicited_node6(own->address[i], groups[n]);
		for (same = 0; !weir_address6_equal(groups[same], groups[n]); same++)
			;
		n += same == n;
	}
	return n;
}

static const uint8_t *
source_of(const struct weir_own6 *own)
{
	static const uint8_t nobody[WEIR_ADDRESS6_BYTES];

	for (uint32_t i = 0; i < own->n; i++)
		if (weir_link_local6(own->address[i]))
			return own->address[i];
	return nobody;
}

/* Returns the length of the message. */
static uint32_t
write_report(uint32_t version, bool changed, const uint8_t groups[][WEIR_ADDRESS6_BYTES],
	     uint32_t n, uint8_t *message)
{
	if (version == 1) {
		memset(message, 0, REPORT1_BYTES);
		message[0] = REPORT1;
		memcpy(message + 8, groups[0], WEIR_ADDRESS6_BYTES);
		return REPORT1_BYTES;
	}
	memset(message, 0, REPORT2_BYTES + n * RECORD_BYTES);
	message[0] = REPORT2;
	weir_store_be16(message + 6, (uint16_t)n);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *record = message + REPORT2_BYTES + i * RECORD_BYTES;

		record[0] = changed ? TO_EXCLUDE : IS_EXCLUDE;
		memcpy(record + 4, groups[i], WEIR_ADDRESS6_BYTES);
	}
	return REPORT2_BYTES + n * RECORD_BYTES;
}

uint32_t
weir_mld_write(const struct weir_own6 *own, const uint8_t mac[WEIR_MAC_BYTES], uint32_t version,
	       bool changed, const uint8_t groups[][WEIR_ADDRESS6_BYTES], uint32_t n, uint8_t *to)
{
	uint8_t *ip = to + WEIR_ETHER_BYTES, *message = ip + WEIR_IP6_BYTES + ALERT_BYTES;
	const uint8_t *destination = version == 1 ? groups[0] : all_routers;
	uint32_t len = write_report(version, changed, groups, n, message);
	uint16_t sum;

	weir_group_mac6(destination, to);
	memcpy(to + WEIR_MAC_BYTES, mac, WEIR_MAC_BYTES);
	weir_store_be16(to + 2 * WEIR_MAC_BYTES, ETHERTYPE_IP6);
	weir_store_be32(ip, VERSION);
	weir_store_be16(ip + 4, (uint16_t)(ALERT_BYTES + len));
	ip[6] = HOP_BY_HOP;
	ip[7] = 1;
	memcpy(ip + SOURCE, source_of(own), WEIR_ADDRESS6_BYTES);
	memcpy(ip + DESTINATION, destination, WEIR_ADDRESS6_BYTES);
	memcpy(ip + WEIR_IP6_BYTES, router_alert, ALERT_BYTES);
	sum = (uint16_t)~weir_csum_fold(weir_csum_add(
		message, len, weir_csum_pseudo6(ip + SOURCE, WEIR_PROTOCOL_ICMP6, len)));
	memcpy(message + 2, &sum, sizeof(sum));
	return WEIR_ETHER_BYTES + WEIR_IP6_BYTES + ALERT_BYTES + len;
}
