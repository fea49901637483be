/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/icmp.h"

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
#include "wire/head.h"

#define ICMP_BYTES  8
#define QUOTED_MIN  8 /* of the TCP header: ports and sequence number (RFC 792) */
#define OFFSET_MASK 0x1fff

/* Types. */
#define UNREACHABLE    3
#define SOURCE_QUENCH  4
#define REDIRECT       5
#define TIME_EXCEEDED  11
#define BAD_PARAMETER  12

/* Codes of UNREACHABLE. */
#define PROTOCOL_UNREACHABLE 2
#define PORT_UNREACHABLE     3
#define FRAGMENTATION_NEEDED 4

bool
weir_icmp_is_error(const struct weir_other *other)
{
	uint8_t type;

	if (weir_chain_copy(other->buf, other->l4_off, 1, &type) != 1)
		return false;
	return type == UNREACHABLE || type == SOURCE_QUENCH || type == REDIRECT ||
	       type == TIME_EXCEEDED || type == BAD_PARAMETER;
}

static uint32_t
kind_of(const uint8_t *icmp)
{
	if (icmp[0] != UNREACHABLE)
		return WEIR_ICMP_SOFT;
	if (icmp[1] == FRAGMENTATION_NEEDED)
		return WEIR_ICMP_TOO_BIG;
	return icmp[1] == PROTOCOL_UNREACHABLE || icmp[1] == PORT_UNREACHABLE ? WEIR_ICMP_HARD
									      : WEIR_ICMP_SOFT;
}

/* The connection as we see it: what we sent is quoted, so its source is here. */
static bool
read_quoted(const struct weir_other *other, struct weir_icmp_error *error)
{
	uint32_t off = (uint32_t)other->l4_off + ICMP_BYTES, left = other->l4_len - ICMP_BYTES, ihl;
	uint8_t ip[WEIR_IP4_BYTES], tcp[QUOTED_MIN];

	if (left < WEIR_IP4_BYTES || weir_chain_copy(other->buf, off, sizeof(ip), ip) != sizeof(ip))
		return false;
	ihl = (ip[0] & 0x0f) * 4u;
	if (ip[0] >> 4 != 4 || ihl < WEIR_IP4_BYTES || ip[9] != WEIR_PROTOCOL_TCP ||
	    (weir_load_be16(ip + 6) & OFFSET_MASK) != 0 || left < ihl + QUOTED_MIN ||
	    weir_chain_copy(other->buf, off + ihl, sizeof(tcp), tcp) != sizeof(tcp))
		return false;
	error->key = weir_key_of4(&(struct weir_key4){
		.raddr = weir_load_be32(ip + 16),
		.laddr = weir_load_be32(ip + 12),
		.rport = weir_load_be16(tcp + 2),
		.lport = weir_load_be16(tcp),
		.vlan = other->vlan,
	});
	error->seq = weir_load_be32(tcp + 4);
	error->len = weir_load_be16(ip + 2);
	return true;
}

enum weir_drop
weir_icmp_read(const struct weir_other *other, struct weir_icmp_error *error)
{
	uint8_t icmp[ICMP_BYTES];

	if (other->l4_len < ICMP_BYTES ||
	    weir_chain_copy(other->buf, other->l4_off, ICMP_BYTES, icmp) != ICMP_BYTES ||
	    weir_csum_fold(weir_csum_add_chain(other->buf, other->l4_off, other->l4_len, 0)) !=
		    0xffff)
		return WEIR_DROP_ICMP;
	if (icmp[0] == SOURCE_QUENCH || icmp[0] == REDIRECT)
		return WEIR_DROP_ICMP_IGNORED;
	if (!read_quoted(other, error))
		return WEIR_DROP_ICMP;
	error->kind = kind_of(icmp);
	error->mtu = weir_load_be16(icmp + 6);
	return WEIR_PARSE_OK;
}
