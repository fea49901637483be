/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair_mark.h"

#include <stddef.h>

#include <rte_mbuf.h>

#include "wire/chain.h"

#define CE	 3 /* both bits of the ECN field */
#define IP4_SUM	 10
#define IP6_ECN	 4 /* bits of byte 1 below the ECN field of IPv6: the flow label's */

static uint8_t *
byte_at(struct rte_mbuf *buf, uint32_t off)
{
	return weir_chain_at(buf, off, 1).data;
}

/* 4, 6, or whatever else stands there. */
static uint8_t
version(struct rte_mbuf *buf, uint32_t l3_off)
{
	return *byte_at(buf, l3_off) >> 4;
}

static uint8_t
ecn_shift(struct rte_mbuf *buf, uint32_t l3_off)
{
	return version(buf, l3_off) == 6 ? IP6_ECN : 0;
}

bool
weir_impair_capable(struct rte_mbuf *buf, uint32_t l3_off)
{
	uint8_t ecn;

	if (rte_pktmbuf_pkt_len(buf) < l3_off + IP4_SUM + 2)
		return false;
	ecn = *byte_at(buf, l3_off + 1) >> ecn_shift(buf, l3_off) & CE;
	return ecn != 0 && ecn != CE;
}

/* The sum of a header of which one word has grown by `more`. */
static void
correct_sum(struct rte_mbuf *buf, uint32_t off, uint32_t more)
{
	uint8_t *high = byte_at(buf, off), *low = byte_at(buf, off + 1);
	uint32_t sum = (uint16_t)~(*high << 8 | *low) + more;

	sum = ~((sum & 0xffff) + (sum >> 16));
	*high = (uint8_t)(sum >> 8);
	*low = (uint8_t)sum;
}

void
weir_impair_mark(struct rte_mbuf *buf, uint32_t l3_off)
{
	uint8_t *field = byte_at(buf, l3_off + 1), shift = ecn_shift(buf, l3_off), before = *field;

	*field |= (uint8_t)(CE << shift);
	if (version(buf, l3_off) == 4)
		correct_sum(buf, l3_off + IP4_SUM, (uint32_t)(*field - before));
}
