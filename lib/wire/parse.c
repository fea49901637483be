/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/checksum.h"
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

/* The next segment is the first of a run. */
static inline void
begin_run(struct weir_parsed *out, const struct weir_key4 *key)
{
	out->keys[out->n_runs] = *key;
	out->run_first[out->n_runs++] = (uint8_t)out->n_segs;
}

/* The next segment is one of `key`: a key that differs from the one before begins a run. */
static inline void
add_run(struct weir_parsed *out, const struct weir_key4 *key)
{
	if (out->n_runs == 0 || !weir_key4_equal(key, &out->keys[out->n_runs - 1]))
		begin_run(out, key);
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

		add_run(out, &key);
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

static void
add_reject(struct rte_mbuf *buf, enum weir_drop reason, struct weir_parsed *out)
{
	struct weir_reject *reject = &out->rejects[out->n_rejects++];

	*reject = (struct weir_reject){.buf = buf, .reason = reason};
}

/* Of IPv6: what is wrong, and where. */
static void
add_problem(const struct weir_head *head, struct weir_reject *reject)
{
	reject->problem = head->problem;
	reject->l3_off = (uint8_t)head->l3_off;
	reject->problem_off = head->problem_off;
}

/* Any frame, every doubt looked into. */
static void __attribute__((noinline))
parse_frame(struct weir_parse *parse, struct rte_mbuf *buf, struct weir_parsed *out)
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
		add_reject(buf, verdict, out);
		if (verdict == WEIR_DROP_IP6_EXTENSION || verdict == WEIR_DROP_IP_PROTOCOL)
			add_problem(&head, &out->rejects[out->n_rejects - 1]);
		return;
	}
	add_segment(&head, out);
}

/* State of one burst in registers: a store to a descriptor might hit whatever lies in memory. */
struct burst {
	const struct weir_plain *plain; /* by the shape of the last plain frame */
	uint64_t bytes;
	uint32_t credit; /* claims of GOOD that are still believed, `granted` of them at first */
	uint32_t granted;
	uint32_t longest; /* payload of a frame of shape `plain` */
	struct weir_seg *seg; /* the next one */
	bool software; /* the port does not answer for checksums: payload will be read */
	bool open;     /* the segment before was plain */
	uint64_t like; /* the end of its descriptor, as all of its run have it */
	struct weir_plain_before before;
};

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

/* The frame, which is sound, as a segment. */
static void
add_plain(struct weir_parse *parse, const struct weir_plain *plain, struct rte_mbuf *buf,
	  const uint8_t *ip, struct weir_parsed *out)
{
	struct weir_key4 key = weir_plain_key(parse, ip);
	struct weir_seg *seg = &out->segs[out->n_segs];
	uint64_t like[2];
	uint32_t len = weir_load_be16(ip + 2) - plain->headers;

	add_run(out, &key);
	weir_plain_like(plain, ip, like);
	weir_plain_fill(plain, like, buf, ip + WEIR_IP4_BYTES, len, seg);
	seg->follows = 0;
	parse->frame_max = RTE_MAX(parse->frame_max, plain->data_off + len);
	out->n_segs++;
}

/* The shape under which the frame is plain, or NULL. */
static const struct weir_plain *
plain_shape(struct weir_parse *parse, const struct rte_mbuf *buf, const uint8_t *frame)
{
	for (uint8_t shape = WEIR_OPT_NONE; shape <= WEIR_OPT_TS; shape++) {
		if (weir_plain_doubt(&parse->plain[shape], buf, frame) != 0 ||
		    !weir_head_source_valid(
			    parse, weir_load_be32(frame + parse->plain[shape].l3_off + 12)))
			continue;
		parse->shape = shape;
		return &parse->plain[shape];
	}
	return NULL;
}

/* Whatever keeps the first of `n` frames from being taken at once. Returns how many were taken: those
 * of IPv6 behind it go with it, and their bytes into out->bytes. */
static uint32_t __attribute__((noinline))
parse_doubtful(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out)
{
	struct rte_mbuf *buf = bufs[0];
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	const struct weir_plain *plain = NULL;
	enum weir_drop verdict;

	if ((buf->ol_flags & WEIR_PLAIN_RARE) == 0 && weir_chain_sound(buf))
		plain = plain_shape(parse, buf, frame);
	if (plain == NULL) {
		uint32_t taken = weir_plain6_take(parse, bufs, n, out);

		for (uint32_t i = 1; i < taken; i++)
			out->bytes += bufs[i]->pkt_len;
		if (taken == 0)
			parse_frame(parse, buf, out);
		return RTE_MAX(taken, 1u);
	}
	verdict = check_plain(parse, plain, buf, frame);
	if (verdict != WEIR_PARSE_OK)
		add_reject(buf, verdict, out);
	else
		add_plain(parse, plain, buf, frame + plain->l3_off, out);
	return 1;
}

static void
note_longest(struct weir_parse *parse, const struct burst *burst)
{
	if (burst->longest != 0)
		parse->frame_max =
			RTE_MAX(parse->frame_max, burst->plain->data_off + burst->longest);
}

/* Nothing is known of what the next frame follows. */
static inline void
close_run(struct burst *burst)
{
	burst->open = false;
	burst->before.last = 1;
}

/* Put down what is in registers, look closely at the first of `n` frames, take it up again. Returns
 * how many were taken. */
static inline uint32_t
burst_doubt(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct burst *burst,
	    struct weir_parsed *out)
{
	uint32_t before = (uint32_t)(burst->seg - out->segs), taken;

	if (burst->software && n > 1)
		weir_plain_fetch_payload(bufs[1]);
	parse->trust.claims[WEIR_CLAIM_GOOD] += burst->granted - burst->credit;
	note_longest(parse, burst);
	out->n_segs = before;
	taken = parse_doubtful(parse, bufs, n, out);
	burst->seg = &out->segs[out->n_segs];
	burst->granted = burst->credit = weir_trust_credit(&parse->trust);
	burst->plain = &parse->plain[parse->shape];
	burst->longest = 0;
	close_run(burst);
	if (out->n_segs != before) /* ARP and the like are claimed by nobody */
		burst->software = parse->trust.software ||
				  (bufs[0]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
					  RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN;
	return taken;
}

/* The run of the plain frame, which the next segment belongs to: that of the segment before, or a new
 * one. False: nobody can have sent it. */
static inline bool
find_run(const struct weir_parse *parse, const uint8_t *ip, const uint64_t like[2],
	 struct burst *burst, struct weir_parsed *out)
{
	const struct weir_key4 key = weir_plain_key(parse, ip);
	bool same = burst->open && weir_key4_equal(&key, &out->keys[out->n_runs - 1]);

	if (likely(same && burst->like == like[1]))
		return true;
	if (!same) {
		if (unlikely(!weir_head_source_valid(parse, key.raddr)))
			return false;
		out->n_segs = (uint32_t)(burst->seg - out->segs);
		if (burst->open)
			begin_run(out, &key);
		else
			add_run(out, &key);
	}
	burst->open = true;
	burst->like = like[1];
	burst->before.last = 1;
	return true;
}

/* All of it lies in one buffer, and the port is believed when it calls the sums good. */
static inline bool
is_simple(const struct burst *burst, const struct rte_mbuf *buf)
{
	return (buf->ol_flags & WEIR_PLAIN_CLAIMS) == WEIR_PLAIN_GOOD && burst->credit != 0 &&
	       buf->nb_segs == 1 && buf->data_len >= burst->plain->least;
}

/* False: it has to be looked at closely. */
static inline __attribute__((always_inline)) bool
parse_one(const struct weir_parse *parse, struct rte_mbuf *buf, struct burst *burst,
	  struct weir_parsed *out, weir_plain_compare *differs)
{
	const struct weir_plain *plain = burst->plain;
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	const uint8_t *ip = frame + plain->l3_off;
	struct weir_seg *seg = burst->seg;
	uint64_t like[2];
	uint32_t len;

	burst->bytes += buf->pkt_len;
	if (unlikely(!is_simple(burst, buf)))
		return false;
	len = weir_load_be16(ip + 2) - plain->headers;
	if (unlikely(len > buf->data_len - plain->data_off))
		return false;
	if (unlikely(differs(frame, plain->want, plain->mask)))
		return false;
	weir_plain_like(plain, ip, like);
	if (unlikely(!find_run(parse, ip, like, burst, out)))
		return false;
	burst->credit--;
	weir_plain_fill(plain, like, buf, ip + WEIR_IP4_BYTES, len, seg);
	seg->follows = weir_plain_follows(&burst->before, seg->seq, seg->ack, len, seg->tsval,
					  seg->flags);
	burst->longest = len > burst->longest ? len : burst->longest;
	burst->seg++;
	return true;
}

/* The frames from `bufs` on that form a block with the one before; returns the first that does not. */
static inline __attribute__((always_inline)) struct rte_mbuf **
parse_block(const struct weir_parse *parse, struct rte_mbuf **bufs, struct rte_mbuf **end,
	    struct burst *burst, weir_plain_compare *differs)
{
	uint32_t most = RTE_MIN((uint32_t)(end - bufs), burst->credit);
	uint32_t n = weir_plain_take_block(parse, burst->plain, bufs, most, burst->seg,
					   &burst->before.next, differs);

	burst->seg[-1].alike = (uint8_t)n;
	burst->bytes += (uint64_t)n * bufs[-1]->pkt_len;
	burst->credit -= n;
	burst->seg += n;
	return bufs + n;
}

/* Without a look at the buffer, which is on its way, too: frames mostly begin where the last one did. */
static inline void
prefetch_frame(const struct weir_parse *parse, const struct rte_mbuf *buf)
{
	rte_prefetch0((const uint8_t *)buf + parse->frame_off);
}

static inline __attribute__((always_inline)) void
parse_all(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out,
	  weir_plain_compare *differs)
{
	struct burst burst = {.plain = &parse->plain[parse->shape], .seg = out->segs};
	struct rte_mbuf **end = bufs + n, **last = end - (n != 0);
	struct rte_mbuf **ahead = bufs + RTE_MIN((uint32_t)(last - bufs), (uint32_t)WEIR_PLAIN_AHEAD);

	burst.granted = burst.credit = weir_trust_credit(&parse->trust);
	close_run(&burst);
	out->n_runs = out->n_others = out->n_rejects = 0;
	out->bytes = 0;
	while (bufs != end) {
		prefetch_frame(parse, *ahead);
		if (likely(parse_one(parse, *bufs, &burst, out, differs))) {
			bufs++;
			if (bufs != end && burst.before.last == 0 &&
			    weir_plain_may_continue(burst.plain, bufs[-1], *bufs, burst.before.next))
				bufs = parse_block(parse, bufs, end, &burst, differs);
			ahead = RTE_MIN(bufs + WEIR_PLAIN_AHEAD, last);
			continue;
		}
		if (burst.credit != 0 &&
		    weir_syn_take(parse, *bufs, (uint32_t)(burst.seg - out->segs), out)) {
			burst.credit--;
			bufs++;
		} else {
			bufs += burst_doubt(parse, bufs, (uint32_t)(end - bufs), &burst, out);
		}
		ahead = RTE_MIN(bufs + WEIR_PLAIN_AHEAD, last);
	}
	parse->trust.claims[WEIR_CLAIM_GOOD] += burst.granted - burst.credit;
	note_longest(parse, &burst);
	if (n != 0)
		parse->frame_off = weir_plain_frame_off(*last);
	out->bytes += burst.bytes;
	out->n_segs = (uint32_t)(burst.seg - out->segs);
	out->run_first[out->n_runs] = (uint8_t)out->n_segs;
	if (unlikely(out->syns.n != 0))
		weir_syn_fill(parse, &out->syns);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void
parse_by_32(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out)
{
	parse_all(parse, bufs, n, out, weir_plain_differs_32);
}

__attribute__((target("avx512f"))) static void
parse_by_64(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out)
{
	parse_all(parse, bufs, n, out, weir_plain_differs_64);
}
#endif

void
weir_parse_burst(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n,
		 struct weir_parsed *out)
{
	out->ip6.n_segs = out->ip6.n_runs = out->syns.n = 0;
	for (uint32_t i = 0; i < n; i++)
		rte_prefetch1(bufs[i]);
	for (uint32_t i = 0; i < n && i < WEIR_PLAIN_AHEAD; i++)
		prefetch_frame(parse, bufs[i]);
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f"))
		parse_by_64(parse, bufs, n, out);
	else if (__builtin_cpu_supports("avx2"))
		parse_by_32(parse, bufs, n, out);
	else
#endif
		parse_all(parse, bufs, n, out, weir_plain_differs);
}
