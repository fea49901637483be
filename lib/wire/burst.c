/* SPDX-License-Identifier: BSD-3-Clause */
/* A burst of frames: plain ones at once, in runs and blocks, the others one by one through parse.c. */
#include <rte_mbuf.h>

#include "wire/bytes.h"
#include "wire/chain.h"
#include "wire/head.h"
#include "wire/parse.h"
#include "wire/plain.h"
#include "wire/plain6.h"
#include "wire/syn.h"
#include "wire/trust.h"

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

	weir_parsed_add_run(out, &key);
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
			weir_parse_frame(parse, buf, out);
		return RTE_MAX(taken, 1u);
	}
	verdict = check_plain(parse, plain, buf, frame);
	if (verdict != WEIR_PARSE_OK)
		weir_parsed_reject(buf, verdict, out);
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
			weir_parsed_begin_run(out, &key);
		else
			weir_parsed_add_run(out, &key);
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

/* The frames from `bufs` on that form a block with the one before, and those blocks behind it that differ
 * from it in their place only; returns the first that does neither. */
static inline __attribute__((always_inline)) struct rte_mbuf **
parse_blocks(const struct weir_parse *parse, struct rte_mbuf **bufs, struct rte_mbuf **end,
	     struct burst *burst, weir_plain_compare *differs)
{
	bool elsewhere;

	for (;;) {
		uint32_t most = RTE_MIN((uint32_t)(end - bufs), burst->credit);
		struct weir_seg *block = &burst->seg[-1];
		uint32_t n = weir_plain_take_block(parse, burst->plain, bufs, most, burst->seg,
						   &burst->before.next, &elsewhere, differs);

		block->alike = (uint8_t)n;
		burst->seg += n;
		bufs += n;
		if (likely(!elsewhere)) {
			burst->bytes += (uint64_t)n * bufs[-1]->pkt_len;
			burst->credit -= n;
			return bufs;
		}
		weir_plain_elsewhere(burst->plain, block, *bufs++, burst->seg++, &burst->before);
		burst->bytes += (n + UINT64_C(1)) * bufs[-1]->pkt_len;
		burst->credit -= n + 1;
	}
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
				bufs = parse_blocks(parse, bufs, end, &burst, differs);
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
