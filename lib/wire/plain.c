/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/plain.h"

#define DONT_FRAGMENT 0x40

static void
fix(struct weir_plain *plain, uint32_t off, uint8_t byte, uint8_t mask)
{
	plain->want[off] = byte & mask;
	plain->mask[off] = mask;
}

static void
fix_be(struct weir_plain *plain, uint32_t off, uint32_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		fix(plain, off + i, (uint8_t)(value >> 8 * (bytes - 1 - i)), 0xff);
}

void
weir_plain_init(struct weir_plain *plain, const uint8_t mac[WEIR_MAC_BYTES], uint32_t address,
		bool l3, bool has_ts, uint8_t port)
{
	uint32_t ip = l3 ? 0 : WEIR_ETHER_BYTES, tcp = ip + WEIR_IP4_BYTES;
	uint32_t header = WEIR_TCP_BYTES + (has_ts ? WEIR_TS_BYTES : 0);
	const struct weir_seg shared = {
		.wire_segs = 1,
		.opt_off = (uint16_t)(tcp + WEIR_TCP_BYTES),
		.opt_len = has_ts ? WEIR_TS_BYTES : 0,
		.has_ts = has_ts,
		.shape = has_ts ? WEIR_OPT_TS : WEIR_OPT_NONE,
		.port = port,
	};

	memset(plain, 0, sizeof(*plain));
	plain->l3_off = ip;
	plain->l4_off = tcp;
	plain->least = ip + WEIR_IP4_BYTES + header;
	if (plain->least < WEIR_PLAIN_BYTES)
		plain->least = WEIR_PLAIN_BYTES;
	plain->headers = WEIR_IP4_BYTES + header;
	if (address == 0) /* then nothing is plain */
		plain->least = plain->headers = UINT32_MAX;
	plain->ts_mask = has_ts ? UINT32_MAX : 0;
	plain->data_off = tcp + header;
	memcpy(plain->like, &shared.wire_segs, sizeof(plain->like));
	if (!l3) {
		for (uint32_t i = 0; i < WEIR_MAC_BYTES; i++)
			fix(plain, i, mac[i], 0xff);
		fix_be(plain, 12, WEIR_ETHERTYPE_IP4, 2);
	}
	fix(plain, ip, 0x45, 0xff);
	fix(plain, ip + 6, 0, (uint8_t)~DONT_FRAGMENT);
	fix(plain, ip + 7, 0, 0xff);
	fix(plain, ip + 9, WEIR_PROTOCOL_TCP, 0xff);
	fix_be(plain, ip + 16, address, 4);
	fix(plain, tcp + 12, (uint8_t)(header / 4 << 4), 0xf0);
	fix(plain, tcp + 13, WEIR_TCP_ACK, (uint8_t)~WEIR_TCP_PSH);
	if (has_ts)
		fix_be(plain, tcp + WEIR_TCP_BYTES, WEIR_TS_WORD, 4);
	memcpy(plain->run, plain->mask, sizeof(plain->run));
	plain->run[ip + 1] = plain->run[ip + 8] = 0xff; /* DSCP, ECN; TTL */
	memset(plain->run + ip + 12, 0xff, 4);
	memset(plain->run + tcp, 0xff, 4);
	memcpy(plain->alike, plain->run, sizeof(plain->alike));
	memset(plain->alike + ip + 2, 0xff, 2); /* length */
	memset(plain->alike + tcp + 8, 0xff, 4); /* acknowledgment number */
	plain->alike[tcp + 13] = 0xff;
	memset(plain->alike + tcp + 14, 0xff, 2); /* window */
	if (has_ts)
		memset(plain->alike + tcp + WEIR_TCP_BYTES + 4, 0xff, 4);
}

void
weir_plain_init_line(uint8_t line[WEIR_PLAIN_BYTES])
{
	static const struct {
		size_t off;
		size_t bytes;
	} fields[] = {
		{offsetof(struct rte_mbuf, data_off), sizeof(uint16_t)},
		{offsetof(struct rte_mbuf, refcnt), sizeof(uint16_t)},
		{offsetof(struct rte_mbuf, nb_segs), sizeof(uint16_t)},
		{offsetof(struct rte_mbuf, ol_flags), sizeof(uint64_t)},
		{offsetof(struct rte_mbuf, pkt_len), sizeof(uint32_t)},
		{offsetof(struct rte_mbuf, data_len), sizeof(uint16_t)},
		{offsetof(struct rte_mbuf, pool), sizeof(struct rte_mempool *)},
	};

	memset(line, 0, WEIR_PLAIN_BYTES);
	for (uint32_t i = 0; i < RTE_DIM(fields); i++)
		memset(line + fields[i].off, 0xff, fields[i].bytes);
}
_Static_assert(offsetof(struct rte_mbuf, pool) + sizeof(struct rte_mempool *) == WEIR_PLAIN_BYTES,
	       "the last of them ends the first line");
