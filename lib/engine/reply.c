/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine/reply.h"

#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"

#define MAC_BYTES  WEIR_MAC_BYTES
#define MACS_BYTES (2 * MAC_BYTES) /* in front of the first tag */
#define TAG_BYTES  4
#define TPID_VLAN  0x8100 /* 802.1Q */
#define TPID_QINQ  0x88a8 /* 802.1ad */

void
weir_reply_write(struct rte_mbuf *buf, uint32_t off, const uint8_t *from, uint32_t len)
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

void
weir_reply_cut(struct rte_mbuf *buf, uint32_t len)
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

bool
weir_reply_can_tag(const struct rte_mbuf *buf)
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

void
weir_reply_put_tags(struct rte_mbuf *buf)
{
	uint64_t flags = buf->ol_flags;

	if (flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		put_tag(buf, TPID_VLAN, buf->vlan_tci);
	if (flags & RTE_MBUF_F_RX_QINQ_STRIPPED)
		put_tag(buf, TPID_QINQ, buf->vlan_tci_outer);
	buf->ol_flags = 0;
}

bool
weir_reply_unicast(const uint8_t *mac)
{
	static const uint8_t none[MAC_BYTES];

	return (mac[0] & 1) == 0 && memcmp(mac, none, MAC_BYTES) != 0;
}

void
weir_reply_put_macs(const struct weir_parse *parse, struct rte_mbuf *buf, const uint8_t *to)
{
	uint8_t macs[MACS_BYTES];

	memcpy(macs, to, MAC_BYTES);
	memcpy(macs + MAC_BYTES, parse->mac, MAC_BYTES);
	weir_reply_write(buf, 0, macs, sizeof(macs));
}

bool
weir_reply_macs(struct rte_mbuf *buf, uint8_t *mac)
{
	uint8_t macs[MACS_BYTES];

	if (weir_chain_copy(buf, 0, MACS_BYTES, macs) != MACS_BYTES)
		return false;
	memcpy(mac, macs + MAC_BYTES, MAC_BYTES);
	return weir_reply_unicast(macs) && weir_reply_unicast(mac);
}
