/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/head.h"
#include "wire/options.h"
#include "wire/parse.h"
#include "wire/plain.h"
#include "wire/trust.h"

#define PREFETCH_AHEAD 8 /* packets; the headers of a burst come from the device's cold lines */

void
weir_parse_init(struct weir_parse *parse, const uint8_t mac[WEIR_MAC_BYTES], uint32_t ip, bool l3,
		uint8_t port)
{
	memset(parse, 0, sizeof(*parse));
	memcpy(parse->mac, mac, sizeof(parse->mac));
	parse->ip = ip;
	parse->l3 = l3;
	parse->port = port;
	weir_plain_init(&parse->plain[WEIR_OPT_NONE], mac, ip, l3, false, port);
	weir_plain_init(&parse->plain[WEIR_OPT_TS], mac, ip, l3, true, port);
}

/* No state accepts a segment without any of these, nor a SYN that also ends (RFC 9293 3.10.7). */
static inline bool
flags_valid(uint8_t flags)
{
	if ((flags & (WEIR_TCP_SYN | WEIR_TCP_RST | WEIR_TCP_ACK | WEIR_TCP_FIN)) == 0)
		return false;
	return (flags & WEIR_TCP_SYN) == 0 || (flags & (WEIR_TCP_FIN | WEIR_TCP_RST)) == 0;
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
}

static inline void
read_options(struct weir_parse *parse, const uint8_t *options, struct weir_seg *seg)
{
	seg->tsval = 0;
	seg->has_ts = 0;
	seg->shape = WEIR_OPT_NONE;
	if (likely(seg->opt_len == WEIR_TS_BYTES && weir_load_be32(options) == WEIR_TS_WORD)) {
		seg->shape = WEIR_OPT_TS;
		seg->has_ts = 1;
		seg->tsval = weir_load_be32(options + 4);
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
fill_seg(const struct weir_head *head, uint32_t header_len, uint8_t port, struct weir_seg *seg)
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
	seg->nb_segs = buf->nb_segs;
	if (unlikely((buf->ol_flags & RTE_MBUF_F_RX_LRO) != 0))
		seg->wire_segs = weir_seg_parts(seg->len, buf->tso_segsz);
	seg->opt_off = (uint16_t)(head->l4_off + WEIR_TCP_BYTES);
	seg->opt_len = (uint8_t)(header_len - WEIR_TCP_BYTES);
	seg->flags = tcp[13];
	seg->tos = ip[1];
	seg->ttl = ip[8];
	seg->mark = (ip[0] == 0x45 ? 0 : WEIR_MARK_IP_OPTIONS) |
		    (buf->nb_segs <= WEIR_SEG_CHAIN ? 0 : WEIR_MARK_CHAIN);
	seg->port = port;
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
	fill_seg(head, header_len, parse->port, seg);
	read_options(parse, tcp + WEIR_TCP_BYTES, seg);
	return WEIR_PARSE_OK;
}

/* The next segment is one of `key`: a key that differs from the one before begins a run. */
static inline void
add_run(struct weir_parsed *out, const struct weir_key4 *key)
{
	if (out->n_runs != 0 && weir_key4_equal(key, &out->keys[out->n_runs - 1]))
		return;
	out->keys[out->n_runs] = *key;
	out->run_first[out->n_runs++] = (uint8_t)out->n_segs;
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
	other->kind = head->kind == WEIR_HEAD_ARP    ? WEIR_OTHER_ARP
		      : head->kind == WEIR_HEAD_ICMP ? WEIR_OTHER_ICMP
						     : WEIR_OTHER_FRAGMENT;
	other->before = (uint8_t)out->n_segs;
}

static void
add_reject(struct rte_mbuf *buf, enum weir_drop reason, struct weir_parsed *out)
{
	struct weir_reject *reject = &out->rejects[out->n_rejects++];

	reject->buf = buf;
	reject->reason = reason;
}

/* Any frame, every doubt looked into. */
static void __attribute__((noinline))
parse_frame(struct weir_parse *parse, struct rte_mbuf *buf, struct weir_parsed *out)
{
	uint8_t scratch[WEIR_HEAD_MAX];
	struct weir_head head;
	struct weir_key4 key;
	enum weir_drop verdict = weir_head_read(parse, buf, scratch, &head);

	if (verdict == WEIR_PARSE_OK) {
		if (head.end > parse->frame_max)
			parse->frame_max = head.end;
		if (head.kind != WEIR_HEAD_TCP) {
			add_other(&head, out);
			return;
		}
		verdict = parse_tcp(parse, &head, &out->segs[out->n_segs], &key);
	}
	if (verdict == WEIR_DROP_IP_CHECKSUM)
		weir_trust_ip_wrong(&parse->trust, buf->ol_flags);
	if (verdict != WEIR_PARSE_OK) {
		add_reject(buf, verdict, out);
		return;
	}
	add_run(out, &key);
	out->n_segs++;
}

/* State of one burst in registers: a store to a descriptor might hit whatever lies in memory. */
struct burst {
	const struct weir_plain *plain; /* by the shape of the last plain frame */
	uint64_t sender; /* of the run that is open, 0: none */
	uint64_t bytes;
	uint32_t credit; /* claims of GOOD that are still believed, `granted` of them at first */
	uint32_t granted;
	uint32_t longest;
	uint32_t n_segs;
	bool software; /* the port does not answer for checksums: payload will be read */
};

/* Who sent it, as the bytes lie: source address and both ports. */
static inline uint64_t
sender_of(const uint8_t *ip)
{
	uint32_t address, ports;

	memcpy(&address, ip + 12, sizeof(address));
	memcpy(&ports, ip + WEIR_IP4_BYTES, sizeof(ports));
	return (uint64_t)address << 32 | ports;
}

static struct weir_key4
key_of(const struct weir_parse *parse, const uint8_t *ip)
{
	return (struct weir_key4){.raddr = weir_load_be32(ip + 12),
				  .laddr = parse->ip,
				  .rport = weir_load_be16(ip + WEIR_IP4_BYTES),
				  .lport = weir_load_be16(ip + WEIR_IP4_BYTES + 2)};
}

/* A plain frame whose sums the port does not answer for. */
static enum weir_drop
check_plain(struct weir_parse *parse, const struct weir_plain *plain, struct rte_mbuf *buf,
	    const uint8_t *frame)
{
	const struct weir_head head = {
		.buf = buf,
		.bytes = frame,
		.l3_off = plain->l3_off,
		.l4_off = plain->l3_off + WEIR_IP4_BYTES,
		.end = plain->l3_off + weir_load_be16(frame + plain->l3_off + 2),
	};

	if (!weir_head_sum_valid(buf, frame + plain->l3_off, WEIR_IP4_BYTES))
		return weir_trust_ip_wrong(&parse->trust, buf->ol_flags);
	if (weir_trust_believes(&parse->trust, buf->ol_flags))
		return WEIR_PARSE_OK;
	return weir_trust_verify(&parse->trust, &head);
}

/* The shape under which the frame is plain, or NULL. */
static const struct weir_plain *
plain_shape(struct weir_parse *parse, const struct rte_mbuf *buf, const uint8_t *frame)
{
	for (uint8_t shape = WEIR_OPT_NONE; shape <= WEIR_OPT_TS; shape++) {
		if (weir_plain_doubt(&parse->plain[shape], buf, frame) != 0 ||
		    !weir_source_valid(weir_load_be32(frame + parse->plain[shape].l3_off + 12)))
			continue;
		parse->shape = shape;
		return &parse->plain[shape];
	}
	return NULL;
}

/* Whatever keeps a frame from being taken at once. */
static void __attribute__((noinline))
parse_doubtful(struct weir_parse *parse, struct rte_mbuf *buf, struct weir_parsed *out)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	const struct weir_plain *plain = NULL;
	enum weir_drop verdict;
	struct weir_key4 key;

	if ((buf->ol_flags & WEIR_PLAIN_RARE) == 0)
		plain = plain_shape(parse, buf, frame);
	if (plain == NULL) {
		parse_frame(parse, buf, out);
		return;
	}
	verdict = check_plain(parse, plain, buf, frame);
	if (verdict != WEIR_PARSE_OK) {
		add_reject(buf, verdict, out);
		return;
	}
	key = key_of(parse, frame + plain->l3_off);
	add_run(out, &key);
	weir_plain_fill(plain, buf, frame + plain->l3_off, &out->segs[out->n_segs]);
	parse->frame_max = RTE_MAX(parse->frame_max, plain->seg.data_off + out->segs[out->n_segs].len);
	out->n_segs++;
}

/* Put down what is in registers, look closely, take it up again. */
static inline void
burst_doubt(struct weir_parse *parse, struct rte_mbuf *buf, struct burst *burst,
	    struct weir_parsed *out)
{
	uint32_t before = burst->n_segs;

	parse->trust.claims[WEIR_CLAIM_GOOD] += burst->granted - burst->credit;
	out->n_segs = burst->n_segs;
	parse_doubtful(parse, buf, out);
	burst->n_segs = out->n_segs;
	burst->granted = burst->credit = weir_trust_credit(&parse->trust);
	burst->plain = &parse->plain[parse->shape];
	burst->sender = 0;
	if (burst->n_segs != before) /* ARP and the like are claimed by nobody */
		burst->software = parse->trust.software ||
				  (buf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
					  RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN;
}

static inline void
parse_one(struct weir_parse *parse, struct rte_mbuf *buf, struct burst *burst,
	  struct weir_parsed *out)
{
	const struct weir_plain *plain = burst->plain;
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	const uint8_t *ip = frame + plain->l3_off;
	struct weir_seg *seg = &out->segs[burst->n_segs];
	uint64_t doubt = weir_plain_doubt(plain, buf, frame);
	uint32_t end;

	doubt |= (buf->ol_flags & WEIR_PLAIN_CLAIMS) ^ WEIR_PLAIN_GOOD;
	burst->bytes += buf->pkt_len;
	if (unlikely(doubt != 0 || burst->credit == 0)) {
		burst_doubt(parse, buf, burst, out);
		return;
	}
	if (sender_of(ip) != burst->sender || burst->sender == 0) {
		struct weir_key4 key = key_of(parse, ip);

		if (unlikely(!weir_source_valid(key.raddr))) {
			burst_doubt(parse, buf, burst, out);
			return;
		}
		out->n_segs = burst->n_segs;
		add_run(out, &key);
		burst->sender = sender_of(ip);
	}
	burst->credit--;
	weir_plain_fill(plain, buf, ip, seg);
	end = plain->seg.data_off + seg->len;
	burst->longest = end > burst->longest ? end : burst->longest;
	burst->n_segs++;
}

static inline void
prefetch_frame(const struct rte_mbuf *buf)
{
	rte_prefetch0(rte_pktmbuf_mtod(buf, const void *));
}

/* What a checksum in software will read of the first segment, behind the first two lines. */
static void __attribute__((noinline))
prefetch_payload(const struct rte_mbuf *buf)
{
	const uint8_t *data = rte_pktmbuf_mtod(buf, const uint8_t *);

	for (uint32_t off = 2 * RTE_CACHE_LINE_SIZE; off < buf->data_len; off += RTE_CACHE_LINE_SIZE)
		rte_prefetch0(data + off);
}

void
weir_parse_burst(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n,
		 struct weir_parsed *out)
{
	struct burst burst = {.plain = &parse->plain[parse->shape]};

	burst.granted = burst.credit = weir_trust_credit(&parse->trust);
	out->n_segs = out->n_runs = out->n_others = out->n_rejects = 0;
	for (uint32_t i = 0; i < n; i++)
		rte_prefetch0(bufs[i]);
	for (uint32_t i = 0; i < n && i < PREFETCH_AHEAD; i++)
		prefetch_frame(bufs[i]);
	for (uint32_t i = 0; i < n; i++) {
		prefetch_frame(bufs[i + PREFETCH_AHEAD < n ? i + PREFETCH_AHEAD : n - 1]);
		if (unlikely(burst.software && i + 1 < n))
			prefetch_payload(bufs[i + 1]);
		parse_one(parse, bufs[i], &burst, out);
	}
	parse->trust.claims[WEIR_CLAIM_GOOD] += burst.granted - burst.credit;
	parse->frame_max = RTE_MAX(parse->frame_max, burst.longest);
	out->bytes = burst.bytes;
	out->n_segs = burst.n_segs;
	out->run_first[out->n_runs] = (uint8_t)out->n_segs;
}
