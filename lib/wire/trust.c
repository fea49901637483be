/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/trust.h"

static uint64_t
pseudo_sum(const struct weir_head *head)
{
	const uint8_t *ip = head->bytes + head->l3_off;

	if (head->is6)
		return weir_csum_pseudo6(ip + 8, WEIR_PROTOCOL_TCP, head->end - head->l4_off);
	return weir_csum_pseudo4(weir_load_be32(ip + 12), weir_load_be32(ip + 16),
				 WEIR_PROTOCOL_TCP, (uint16_t)(head->end - head->l4_off));
}

/* The pseudo header holds the protocol, so a sum is never 0: 0xffff is the only right one, whether
 * the field says 0 or 0xffff where either would do. */
static bool
sum_right(const struct weir_head *head)
{
	return weir_csum_fold(weir_csum_add_chain(head->buf, head->l4_off, head->end - head->l4_off,
						  pseudo_sum(head))) == 0xffff;
}

/* A local virtual peer leaves the rest of the sum to a device that does not exist. */
static bool
only_pseudo_header(const struct weir_head *head)
{
	uint16_t field;

	memcpy(&field, head->bytes + head->l4_off + 16, sizeof(field));
	return field == weir_csum_fold(pseudo_sum(head));
}

static void
contradict(struct weir_csum_trust *trust, enum weir_claim claim)
{
	trust->contradictions[claim]++;
	trust->software = true;
}

static void
observe(struct weir_csum_trust *trust, enum weir_claim claim, bool confirmed)
{
	trust->verified[claim]++;
	if (!confirmed)
		contradict(trust, claim);
}

enum weir_drop
weir_trust_ip_wrong(struct weir_csum_trust *trust, uint64_t ol_flags)
{
	if ((ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		contradict(trust, WEIR_CLAIM_GOOD);
	return WEIR_DROP_IP_CHECKSUM;
}

enum weir_drop
weir_trust_verify(struct weir_csum_trust *trust, const struct weir_head *head)
{
	uint64_t claim = head->buf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	bool right = sum_right(head);

	if (claim == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		observe(trust, WEIR_CLAIM_GOOD, right);
	else if (claim == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		observe(trust, WEIR_CLAIM_BAD, !right);
	if (right)
		return WEIR_PARSE_OK;
	return only_pseudo_header(head) ? WEIR_DROP_TCP_CHECKSUM_PARTIAL : WEIR_DROP_TCP_CHECKSUM;
}
