/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/head.h"
#include "wire/parse.h"
#include "wire/plain.h"
#include "wire/plain6.h"
#include "wire/syn.h"
#include "wire/trust.h"

void
weir_parse_init(struct weir_parse *parse, const uint8_t mac[WEIR_MAC_BYTES], uint32_t ip, bool l3,
		uint8_t port)
{
	memset(parse, 0, sizeof(*parse));
	memcpy(parse->mac, mac, sizeof(parse->mac));
	parse->l3 = l3;
	parse->port = port;
	parse->syns_left = UINT32_MAX;
	weir_parse_set_ip(parse, ip, 0);
	weir_plain_init_line(parse->line);
	weir_plain6_init(&parse->plain6[WEIR_OPT_NONE], mac, l3, false, port);
	weir_plain6_init(&parse->plain6[WEIR_OPT_TS], mac, l3, true, port);
}

void
weir_parse_set_ip(struct weir_parse *parse, uint32_t ip, uint32_t prefix_len)
{
	const uint8_t *mac = parse->mac;

	parse->ip = ip;
	parse->broadcast = weir_broadcast4(ip, prefix_len);
	weir_plain_init(&parse->plain[WEIR_OPT_NONE], mac, ip, parse->l3, false, parse->port);
	weir_plain_init(&parse->plain[WEIR_OPT_TS], mac, ip, parse->l3, true, parse->port);
	weir_syn_init(parse);
}

/* No state accepts a segment without any of these, nor a SYN that also ends (RFC 9293 3.10.7). */
static inline bool
flags_valid(uint8_t flags)
{
	if ((flags & (WEIR_TCP_SYN | WEIR_TCP_RST | WEIR_TCP_ACK | WEIR_TCP_FIN)) == 0)
		return false;
	return (flags & WEIR_TCP_SYN) == 0 || (flags & (WEIR_TCP_FIN | WEIR_TCP_RST)) == 0;
}

/* The key without its addresses. */
static inline struct weir_key4
ports_of(const struct weir_head *head)
{
	const uint8_t *tcp = head->bytes + head->l4_off;

	return (struct weir_key4){.rport = weir_load_be16(tcp),
				  .lport = weir_load_be16(tcp + 2),
				  .vlan = head->vlan};
}

static inline struct weir_key4
key4_of(const struct weir_head *head)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	struct weir_key4 key = ports_of(head);

	key.raddr = weir_load_be32(ip + 12);
	key.laddr = weir_load_be32(ip + 16);
	return key;
}

static inline struct weir_key
key6_of(const struct weir_head *head)
{
	const uint8_t *source = head->bytes + head->l3_off + 8;
	struct weir_key key = {.low = ports_of(head)};

	for (uint32_t i = 0; i < 3; i++)
		key.raddr_high[i] = weir_load_be32(source + 4 * i);
	key.low.raddr = weir_load_be32(source + 12);
	key.low.laddr = head->own6;
	return key;
}

/* What the IP header says beyond addresses and lengths. */
static inline void
fill_from_ip(const struct weir_head *head, struct weir_seg *seg)
{
	const uint8_t *ip = head->bytes + head->l3_off;
	bool bare;

	if (head->is6) {
		seg->tos = (uint8_t)(weir_load_be16(ip) >> 4);
		seg->ttl = ip[7];
		bare = head->l4_off == head->l3_off + WEIR_IP6_BYTES;
	} else {
		seg->tos = ip[1];
		seg->ttl = ip[8];
		bare = ip[0] == 0x45;
	}
	seg->mark = bare ? 0 : WEIR_MARK_IP_OPTIONS;
}

/*
 * AE with ECE is what a peer with AccECN (RFC 9768) says in every packet that it has received no mark of:
 * the 5 with which its count begins. We send nothing that could be marked, so it says nothing.
 */
static inline uint8_t
read_flags(const uint8_t *tcp)
{
	const uint8_t say = WEIR_TCP_ECE | WEIR_TCP_CWR | WEIR_TCP_SYN;

	if ((tcp[12] & WEIR_TCP_AE >> 8) != 0 && (tcp[13] & say) == WEIR_TCP_ECE)
		return tcp[13] & (uint8_t)~WEIR_TCP_ECE;
	return tcp[13];
}

static inline void
fill_seg(const struct weir_head *head, uint32_t header_len, uint8_t port, struct weir_seg *seg)
{
	const uint8_t *tcp = head->bytes + head->l4_off;
	struct rte_mbuf *buf = head->buf;

	seg->buf = buf;
	seg->seq = weir_load_be32(tcp + 4);
	seg->ack = weir_load_be32(tcp + 8);
	seg->data_off = head->l4_off + header_len;
	seg->len = head->end - seg->data_off;
	seg->win = weir_load_be16(tcp + 14);
	seg->wire_segs = 1;
	seg->nb_segs = buf->nb_segs;
	if (unlikely((buf->ol_flags & RTE_MBUF_F_RX_LRO) != 0))
		seg->wire_segs = weir_seg_parts(seg->len, buf->tso_segsz);
	seg->opt_off = (uint16_t)(head->l4_off + WEIR_TCP_BYTES);
	seg->opt_len = (uint8_t)(header_len - WEIR_TCP_BYTES);
	seg->flags = read_flags(tcp);
	fill_from_ip(head, seg);
	seg->mark |= buf->nb_segs <= WEIR_SEG_CHAIN ? 0 : WEIR_MARK_CHAIN;
	seg->port = port;
	seg->follows = 0;
	seg->alike = 0;
	memset(seg->spare, 0, sizeof(seg->spare));
}

/* The checksum comes before all that only a sound segment may say. */
static inline enum weir_drop
parse_tcp(struct weir_parse *parse, const struct weir_head *head, struct weir_seg *seg)
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
	fill_seg(head, header_len, parse->port, seg);
	weir_parse_options(parse, tcp + WEIR_TCP_BYTES, seg);
	if (unlikely((seg->flags & WEIR_TCP_SYN) != 0 && !weir_syn_allowed(parse)))
		return WEIR_DROP_SYN_FLOOD;
	return WEIR_PARSE_OK;
}

/* The segment behind the last one of IPv6 is one of `key`. */
static void
add_segment6(struct weir_parsed6 *out, const struct weir_key *key)
{
	if (out->n_runs == 0 || !weir_key_equal(key, &out->keys[out->n_runs - 1])) {
		out->keys[out->n_runs] = *key;
		out->run_first[out->n_runs++] = (uint8_t)out->n_segs;
	}
	out->run_first[out->n_runs] = (uint8_t)++out->n_segs;
}

static void
add_segment(const struct weir_head *head, struct weir_parsed *out)
{
	if (head->is6) {
		const struct weir_key key = key6_of(head);

		add_segment6(&out->ip6, &key);
	} else {
		const struct weir_key4 key = key4_of(head);

		weir_parsed_add_run(out, &key);
		out->n_segs++;
	}
}

static uint8_t
other_kind(uint32_t kind)
{
	switch (kind) {
	case WEIR_HEAD_ARP:
		return WEIR_OTHER_ARP;
	case WEIR_HEAD_ICMP:
		return WEIR_OTHER_ICMP;
	case WEIR_HEAD_ICMP6:
		return WEIR_OTHER_ICMP6;
	default:
		return WEIR_OTHER_FRAGMENT;
	}
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
	other->kind = other_kind(head->kind);
	other->before = (uint8_t)(head->is6 ? out->ip6.n_segs : out->n_segs);
}

/* Of IPv6: what is wrong, and where. */
static void
add_problem(const struct weir_head *head, struct weir_reject *reject)
{
	reject->problem = head->problem;
	reject->l3_off = (uint8_t)head->l3_off;
	reject->problem_off = head->problem_off;
}

void
weir_parse_frame(struct weir_parse *parse, struct rte_mbuf *buf, struct weir_parsed *out)
{
	uint8_t scratch[WEIR_HEAD_MAX];
	struct weir_head head;
	enum weir_drop verdict = weir_head_read(parse, buf, scratch, &head);

	if (verdict == WEIR_PARSE_OK) {
		if (head.end > parse->frame_max)
			parse->frame_max = head.end;
		if (head.kind != WEIR_HEAD_TCP) {
			add_other(&head, out);
			return;
		}
		verdict = parse_tcp(parse, &head,
				    head.is6 ? &out->ip6.segs[out->ip6.n_segs]
					     : &out->segs[out->n_segs]);
	}
	if (verdict == WEIR_DROP_IP_CHECKSUM)
		weir_trust_ip_wrong(&parse->trust, buf->ol_flags);
	if (verdict != WEIR_PARSE_OK) {
		weir_parsed_reject(buf, verdict, out);
		if (verdict == WEIR_DROP_IP6_EXTENSION || verdict == WEIR_DROP_IP_PROTOCOL)
			add_problem(&head, &out->rejects[out->n_rejects - 1]);
		return;
	}
	add_segment(&head, out);
}
