/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/head.h"
#include "wire/options.h"
#include "wire/parse.h"
#include "wire/trust.h"

#define PREFETCH_AHEAD 4 /* packets; the headers of a burst come from the device's cold lines */

#define TS_BYTES 12	    /* NOP NOP TIMESTAMP */
#define TS_WORD	 0x0101080a /* its first four */

#define RARE_FLAGS (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED | RTE_MBUF_F_RX_LRO)

/* Not zero when the frame is tagged, not IPv4 or not for us. */
static inline uint32_t
link_doubt(const struct weir_parse *parse, const uint8_t *frame)
{
	uint32_t own, dst;
	uint16_t own_tail, dst_tail;

	memcpy(&own, parse->mac, sizeof(own));
	memcpy(&own_tail, parse->mac + 4, sizeof(own_tail));
	memcpy(&dst, frame, sizeof(dst));
	memcpy(&dst_tail, frame + 4, sizeof(dst_tail));
	return (own ^ dst) | (uint32_t)(own_tail ^ dst_tail) |
	       (uint32_t)(weir_load_be16(frame + 12) ^ WEIR_ETHERTYPE_IP4);
}

/* The twenty bytes of a header without options, straight line. */
static inline uint16_t
ip4_sum(const uint8_t *ip)
{
	uint32_t word[5];

	memcpy(word, ip, sizeof(word));
	return weir_csum_fold((uint64_t)word[0] + word[1] + word[2] + word[3] + word[4]);
}

/* Not zero when the header has options, is a fragment, not TCP, not for us, from a source that
 * needs a closer look, or damaged. */
static inline uint32_t
ip4_doubt(const struct weir_parse *parse, const uint8_t *ip)
{
	return (ip[0] ^ 0x45u) | (weir_load_be16(ip + 6) & WEIR_IP4_FRAGMENT) |
	       (uint32_t)(ip[9] ^ WEIR_PROTOCOL_TCP) | (weir_load_be32(ip + 16) ^ parse->ip) |
	       (uint32_t)((uint8_t)(ip[12] - 1) >= 223) | (uint32_t)(ip[12] == 127) |
	       (ip4_sum(ip) ^ 0xffffu);
}

/*
 * The common frame: untagged IPv4 without options, all headers in the first buffer segment. Every
 * doubt goes into one word; weir_head_read() sorts them out.
 */
static inline bool
common_head(const struct weir_parse *parse, struct rte_mbuf *buf, struct weir_head *head)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	const uint32_t l3_off = parse->l3 ? 0 : WEIR_ETHER_BYTES;
	const uint32_t l4_off = l3_off + WEIR_IP4_BYTES;
	uint32_t doubt, total;

	if (unlikely(buf->data_len < l4_off + WEIR_TCP_BYTES))
		return false;
	total = weir_load_be16(frame + l3_off + 2);
	doubt = parse->l3 ? 0 : link_doubt(parse, frame);
	doubt |= ip4_doubt(parse, frame + l3_off);
	doubt |= (buf->ol_flags & RARE_FLAGS) != 0;
	doubt |= total < WEIR_IP4_BYTES + WEIR_TCP_BYTES;
	doubt |= l3_off + total > buf->pkt_len;
	doubt |= buf->data_len < l4_off + (frame[l4_off + 12] >> 4) * 4u;
	head->buf = buf;
	head->bytes = frame;
	head->l3_off = l3_off;
	head->l4_off = l4_off;
	head->end = l3_off + total;
	head->vlan = 0;
	head->kind = WEIR_HEAD_TCP;
	return doubt == 0;
}

/* No state accepts a segment without any of these, nor a SYN that also ends (RFC 9293 3.10.7). */
static inline bool
flags_valid(uint8_t flags)
{
	if ((flags & (WEIR_TCP_SYN | WEIR_TCP_RST | WEIR_TCP_ACK | WEIR_TCP_FIN)) == 0)
		return false;
	return (flags & WEIR_TCP_SYN) == 0 || (flags & (WEIR_TCP_FIN | WEIR_TCP_RST)) == 0;
}

/*
 * Segments of the wire in a frame that the port merged, rounded up, by shift and subtract: a device
 * may report any size, and the data path does not divide. Without a size one is all that is known
 * here; TCP then goes by the segment size that it measured.
 */
static uint16_t __attribute__((noinline)) merged_segs(uint32_t len, uint16_t segment)
{
	uint32_t rest = len + segment - 1, n = 0;

	if (segment == 0 || len == 0)
		return 1;
	for (int shift = 15; shift >= 0; shift--) {
		if (rest >> shift < segment)
			continue;
		rest -= (uint32_t)segment << shift;
		n |= 1u << shift;
	}
	return (uint16_t)n;
}

static void __attribute__((noinline))
read_other_options(struct weir_parse *parse, const uint8_t *options, struct weir_seg *seg)
{
	struct weir_tcp_options read;

	weir_tcp_options_read(options, seg->opt_len, &read);
	parse->options_malformed += read.malformed;
	seg->shape = WEIR_OPT_OTHER;
	seg->has_ts = read.has_ts;
	seg->tsval = read.tsval;
	seg->tsecr = read.tsecr;
}

static inline void
read_options(struct weir_parse *parse, const uint8_t *options, struct weir_seg *seg)
{
	seg->tsval = seg->tsecr = 0;
	seg->has_ts = 0;
	seg->shape = WEIR_OPT_NONE;
	if (likely(seg->opt_len == TS_BYTES && weir_load_be32(options) == TS_WORD)) {
		seg->shape = WEIR_OPT_TS;
		seg->has_ts = 1;
		seg->tsval = weir_load_be32(options + 4);
		seg->tsecr = weir_load_be32(options + 8);
	} else if (seg->opt_len != 0) {
		read_other_options(parse, options, seg);
	}
}

static inline void
fill_key(const struct weir_head *head, struct weir_key4 *key)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	const uint8_t *tcp = head->bytes + head->l4_off;

	key->raddr = weir_load_be32(ip + 12);
	key->laddr = weir_load_be32(ip + 16);
	key->rport = weir_load_be16(tcp);
	key->lport = weir_load_be16(tcp + 2);
	key->vlan = head->vlan;
}

static inline void
fill_seg(const struct weir_head *head, uint32_t header_len, struct weir_seg *seg)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	const uint8_t *tcp = head->bytes + head->l4_off;
	struct rte_mbuf *buf = head->buf;

	seg->buf = buf;
	seg->seq = weir_load_be32(tcp + 4);
	seg->ack = weir_load_be32(tcp + 8);
	seg->data_off = head->l4_off + header_len;
	seg->len = head->end - seg->data_off;
	seg->win = weir_load_be16(tcp + 14);
	seg->wire_segs = 1;
	if (unlikely((buf->ol_flags & RTE_MBUF_F_RX_LRO) != 0))
		seg->wire_segs = merged_segs(seg->len, buf->tso_segsz);
	seg->opt_off = (uint16_t)(head->l4_off + WEIR_TCP_BYTES);
	seg->opt_len = (uint8_t)(header_len - WEIR_TCP_BYTES);
	seg->flags = tcp[13];
	seg->tos = ip[1];
	seg->ttl = ip[8];
	seg->mark = ip[0] == 0x45 ? 0 : WEIR_MARK_IP_OPTIONS;
	seg->port = 0;
	memset(seg->spare, 0, sizeof(seg->spare));
}

/* The checksum comes before all that only a sound segment may say. */
static inline enum weir_drop
parse_tcp(struct weir_parse *parse, const struct weir_head *head, struct weir_seg *seg,
	  struct weir_key4 *key)
{
	const uint8_t *tcp = head->bytes + head->l4_off;
	uint32_t len = head->end - head->l4_off, header_len;
	enum weir_drop verdict;

	if (unlikely(len < WEIR_TCP_BYTES))
		return WEIR_DROP_TCP_HEADER;
	header_len = (tcp[12] >> 4) * 4u;
	if (unlikely(header_len < WEIR_TCP_BYTES || header_len > len))
		return WEIR_DROP_TCP_HEADER;
	if (!weir_trust_believes(&parse->trust, head->buf->ol_flags)) {
		verdict = weir_trust_verify(&parse->trust, head);
		if (unlikely(verdict != WEIR_PARSE_OK))
			return verdict;
	}
	if (unlikely(!flags_valid(tcp[13])))
		return WEIR_DROP_TCP_FLAGS;
	fill_key(head, key);
	fill_seg(head, header_len, seg);
	read_options(parse, tcp + WEIR_TCP_BYTES, seg);
	return WEIR_PARSE_OK;
}

static void
add_other(const struct weir_head *head, struct weir_parsed *out)
{
	struct weir_other *other = &out->others[out->n_others++];

	other->buf = head->buf;
	other->vlan = head->vlan;
	other->l3_off = (uint16_t)head->l3_off;
	other->l4_off = (uint16_t)head->l4_off;
	other->l4_len = (uint16_t)RTE_MIN(head->end - head->l4_off, (uint32_t)UINT16_MAX);
	other->kind = head->kind == WEIR_HEAD_ARP ? WEIR_OTHER_ARP : WEIR_OTHER_ICMP;
}

static void
add_reject(struct rte_mbuf *buf, enum weir_drop reason, struct weir_parsed *out)
{
	struct weir_reject *reject = &out->rejects[out->n_rejects++];

	reject->buf = buf;
	reject->reason = reason;
}

static inline void
parse_frame(struct weir_parse *parse, struct rte_mbuf *buf, struct weir_parsed *out)
{
	uint8_t scratch[WEIR_HEAD_MAX];
	struct weir_head head;
	enum weir_drop verdict = WEIR_PARSE_OK;

	if (unlikely(!common_head(parse, buf, &head)))
		verdict = weir_head_read(parse, buf, scratch, &head);
	if (likely(verdict == WEIR_PARSE_OK)) {
		if (head.end > parse->frame_max)
			parse->frame_max = head.end;
		if (unlikely(head.kind != WEIR_HEAD_TCP)) {
			add_other(&head, out);
			return;
		}
		verdict = parse_tcp(parse, &head, &out->segs[out->n_segs], &out->keys[out->n_segs]);
	}
	if (likely(verdict == WEIR_PARSE_OK))
		out->n_segs++;
	else
		add_reject(buf, verdict, out);
}

static inline void
prefetch_frame(const struct rte_mbuf *buf)
{
	rte_prefetch0(rte_pktmbuf_mtod(buf, const void *));
}

void
weir_parse_burst(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n,
		 struct weir_parsed *out)
{
	out->n_segs = out->n_others = out->n_rejects = 0;
	for (uint32_t i = 0; i < n && i < PREFETCH_AHEAD; i++)
		prefetch_frame(bufs[i]);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 2 * PREFETCH_AHEAD < n)
			rte_prefetch0(bufs[i + 2 * PREFETCH_AHEAD]);
		if (i + PREFETCH_AHEAD < n)
			prefetch_frame(bufs[i + PREFETCH_AHEAD]);
		parse_frame(parse, bufs[i], out);
	}
}
