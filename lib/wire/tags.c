/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/tags.h"

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"

#define MACS_BYTES 12
#define TAG_BYTES  4
#define VID_MASK   0xfff
#define HEAD_BYTES (MACS_BYTES + WEIR_TAGS_MAX * TAG_BYTES)

static const uint16_t identifiers[] = {0x8100, 0x88a8, 0x9100};

struct tags {
	uint8_t codes;
	uint32_t n;
};

static void
add_tag(struct tags *tags, uint8_t code, uint16_t tci)
{
	if ((tci & VID_MASK) != 0 && tags->n < WEIR_TAGS_MAX)
		tags->codes |= (uint8_t)(code << 2 * tags->n++);
}

static void
walk(struct tags *tags, const uint8_t *frame, uint32_t len)
{
	for (uint32_t off = MACS_BYTES; off + TAG_BYTES <= len; off += TAG_BYTES) {
		uint16_t type = weir_load_be16(frame + off);
		uint8_t code = 0;

		while (code < RTE_DIM(identifiers) && identifiers[code] != type)
			code++;
		if (code == RTE_DIM(identifiers))
			return;
		add_tag(tags, code, weir_load_be16(frame + off + 2));
	}
}

uint8_t
weir_tags_of_bytes(const uint8_t *frame, uint32_t len)
{
	struct tags tags = {0};

	walk(&tags, frame, len);
	return tags.codes;
}

uint8_t
weir_tags_of_frame(struct rte_mbuf *buf)
{
	uint8_t scratch[HEAD_BYTES];
	uint32_t len = RTE_MIN(buf->pkt_len, (uint32_t)HEAD_BYTES);
	const uint8_t *frame = weir_chain_read(buf, 0, len, scratch);
	struct tags tags = {0};

	if ((buf->ol_flags & RTE_MBUF_F_RX_QINQ_STRIPPED) != 0)
		add_tag(&tags, 1, buf->vlan_tci_outer);
	if ((buf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0)
		add_tag(&tags, 0, buf->vlan_tci);
	if (frame != NULL)
		walk(&tags, frame, len);
	return tags.codes;
}

uint16_t
weir_tags_id(uint8_t tags, uint32_t i)
{
	return identifiers[tags >> 2 * i & 3];
}
