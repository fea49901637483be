/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/icmp.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/address6.h"
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

/* The same of ICMPv6, where errors are all types below 128. */
#define ERRORS6		      128
#define UNREACHABLE6	      1
#define TOO_BIG6	      2
#define BAD_PARAMETER6	      4
#define PROHIBITED6	      1 /* of UNREACHABLE6 */
#define PORT_UNREACHABLE6     4
#define UNKNOWN_NEXT_HEADER6  1 /* of BAD_PARAMETER6: protocol unreachable */

static bool
is6(const struct weir_other *other)
{
	return other->kind == WEIR_OTHER_ICMP6;
}

bool
weir_icmp_is_error(const struct weir_other *other)
{
	uint8_t type;

	if (weir_chain_copy(other->buf, other->l4_off, 1, &type) != 1)
		return false;
	if (is6(other))
		return type < ERRORS6;
	return type == UNREACHABLE || type == SOURCE_QUENCH || type == REDIRECT ||
	       type == TIME_EXCEEDED || type == BAD_PARAMETER;
}

static uint32_t
kind_of4(const uint8_t *icmp)
{
	if (icmp[0] != UNREACHABLE)
		return WEIR_ICMP_SOFT;
	if (icmp[1] == FRAGMENTATION_NEEDED)
		return WEIR_ICMP_TOO_BIG;
	return icmp[1] == PROTOCOL_UNREACHABLE || icmp[1] == PORT_UNREACHABLE ? WEIR_ICMP_HARD
									      : WEIR_ICMP_SOFT;
}

static uint32_t
kind_of6(const uint8_t *icmp)
{
	if (icmp[0] == TOO_BIG6)
		return WEIR_ICMP_TOO_BIG;
	if (icmp[0] == UNREACHABLE6)
		return icmp[1] == PROHIBITED6 || icmp[1] == PORT_UNREACHABLE6 ? WEIR_ICMP_HARD
									      : WEIR_ICMP_SOFT;
	return icmp[0] == BAD_PARAMETER6 && icmp[1] == UNKNOWN_NEXT_HEADER6 ? WEIR_ICMP_HARD
									    : WEIR_ICMP_SOFT;
}

/* The ports as we see them: what we sent is quoted, so its source is here. */
static bool
read_tcp(const struct weir_other *other, uint32_t off, struct weir_icmp_error *error)
{
	uint8_t tcp[QUOTED_MIN];

	if ((uint32_t)other->l4_off + other->l4_len < off + QUOTED_MIN ||
	    weir_chain_copy(other->buf, off, sizeof(tcp), tcp) != sizeof(tcp))
		return false;
	error->key.low.rport = weir_load_be16(tcp + 2);
	error->key.low.lport = weir_load_be16(tcp);
	error->key.low.vlan = other->vlan;
	error->seq = weir_load_be32(tcp + 4);
	return true;
}

static bool
read_quoted4(const struct weir_other *other, struct weir_icmp_error *error)
{
	uint32_t off = (uint32_t)other->l4_off + ICMP_BYTES, ihl;
	uint8_t ip[WEIR_IP4_BYTES];

	if (other->l4_len < ICMP_BYTES + sizeof(ip) ||
	    weir_chain_copy(other->buf, off, sizeof(ip), ip) != sizeof(ip))
		return false;
	ihl = (ip[0] & 0x0f) * 4u;
	if (ip[0] >> 4 != 4 || ihl < WEIR_IP4_BYTES || ip[9] != WEIR_PROTOCOL_TCP ||
	    (weir_load_be16(ip + 6) & OFFSET_MASK) != 0)
		return false;
	error->key = weir_key_of4(&(struct weir_key4){.raddr = weir_load_be32(ip + 16),
						      .laddr = weir_load_be32(ip + 12)});
	error->len = weir_load_be16(ip + 2);
	return read_tcp(other, off + ihl, error);
}

/* We send no extension headers: TCP stands right behind the quoted header. */
static bool
read_quoted6(const struct weir_other *other, const struct weir_own6 *own6,
	     struct weir_icmp_error *error)
{
	uint32_t off = (uint32_t)other->l4_off + ICMP_BYTES, own;
	uint8_t ip[WEIR_IP6_BYTES];

	if (other->l4_len < ICMP_BYTES + sizeof(ip) ||
	    weir_chain_copy(other->buf, off, sizeof(ip), ip) != sizeof(ip) || ip[0] >> 4 != 6 ||
	    ip[6] != WEIR_PROTOCOL_TCP)
		return false;
	own = weir_own6_find(own6, ip + 8);
	if (own == own6->n)
		return false;
	memset(&error->key, 0, sizeof(error->key));
	for (uint32_t i = 0; i < 3; i++)
		error->key.raddr_high[i] = weir_load_be32(ip + 24 + 4 * i);
	error->key.low.raddr = weir_load_be32(ip + 36);
	error->key.low.laddr = own6->first + own;
	error->len = WEIR_IP6_BYTES + weir_load_be16(ip + 4);
	return read_tcp(other, off + WEIR_IP6_BYTES, error);
}

/* What the checksum begins with; false for an error to a group, which nobody sends about one of
 * ours. */
static bool
pseudo_sum(const struct weir_other *other, uint64_t *sum)
{
	uint8_t ip[WEIR_IP6_BYTES];

	*sum = 0;
	if (!is6(other))
		return true;
	if (weir_chain_copy(other->buf, other->l3_off, sizeof(ip), ip) != sizeof(ip) ||
	    weir_multicast6(ip + 24))
		return false;
	*sum = weir_csum_pseudo6(ip + 8, WEIR_PROTOCOL_ICMP6, other->l4_len);
	return true;
}

enum weir_drop
weir_icmp_read(const struct weir_other *other, const struct weir_own6 *own6,
	       struct weir_icmp_error *error)
{
	uint8_t icmp[ICMP_BYTES];
	uint64_t sum;

	if (other->l4_len < ICMP_BYTES ||
	    weir_chain_copy(other->buf, other->l4_off, ICMP_BYTES, icmp) != ICMP_BYTES ||
	    !pseudo_sum(other, &sum) ||
	    weir_csum_fold(weir_csum_add_chain(other->buf, other->l4_off, other->l4_len, sum)) !=
		    0xffff)
		return WEIR_DROP_ICMP;
	if (!is6(other) && (icmp[0] == SOURCE_QUENCH || icmp[0] == REDIRECT))
		return WEIR_DROP_ICMP_IGNORED;
	if (!(is6(other) ? read_quoted6(other, own6, error) : read_quoted4(other, error)))
		return WEIR_DROP_ICMP;
	error->kind = is6(other) ? kind_of6(icmp) : kind_of4(icmp);
	error->mtu = is6(other) ? weir_load_be32(icmp + 4) : weir_load_be16(icmp + 6);
	return WEIR_PARSE_OK;
}
