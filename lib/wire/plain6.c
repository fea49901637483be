/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/plain6.h"

#include "wire/address6.h"
#include "wire/plain.h"
#include "wire/trust.h"

#define ETHERTYPE_IP6  0x86dd

/* Places in the IP header. */
#define LENGTH	    4
#define NEXT	    6
#define HOPS	    7
#define SOURCE	    8
#define DESTINATION 24

/* Places in the TCP header, and what is fixed of the word that begins with the data offset. */
#define OFFSET	     12
#define OPTIONS	     20
#define TSVAL_END    28
#define OFFSET_FLAGS (0xf000 | (0xff & ~WEIR_TCP_PSH))

/* The open run: its first frame, and what is the same in all of its descriptors. */
struct run {
	const struct weir_plain *plain; /* its shape; NULL: none is open */
	const uint8_t *frame;
	uint64_t like[2];
	struct weir_plain_before before;
	struct weir_seg *block; /* that the last segment began or belongs to */
	uint32_t credit; /* claims of GOOD that are still believed, `granted` of them at first */
	uint32_t granted;
};

static void
fix(struct weir_plain *plain, uint32_t off, uint32_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		plain->want[off + i] = (uint8_t)((uint64_t)value >> 8 * (bytes - 1 - i));
	memset(plain->mask + off, 0xff, bytes);
}

void
weir_plain6_init(struct weir_plain *plain, const uint8_t mac[WEIR_MAC_BYTES], bool l3, bool has_ts,
		 uint8_t port)
{
	uint32_t ip = l3 ? 0 : WEIR_ETHER_BYTES, tcp = ip + WEIR_IP6_BYTES;
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
	plain->headers = WEIR_TCP_BYTES + shared.opt_len;
	plain->data_off = tcp + plain->headers;
	/* What a timestamp says is read where there is none, too. */
	plain->least = has_ts ? plain->data_off : tcp + TSVAL_END;
	plain->ts_mask = has_ts ? UINT32_MAX : 0;
	memcpy(plain->like, &shared.wire_segs, sizeof(plain->like));
	if (!l3) {
		memcpy(plain->want, mac, WEIR_MAC_BYTES);
		memset(plain->mask, 0xff, WEIR_MAC_BYTES);
		fix(plain, 12, ETHERTYPE_IP6, 2);
	}
	fix(plain, ip, 0x60, 1);
	plain->mask[ip] = 0xf0;
	fix(plain, ip + NEXT, WEIR_PROTOCOL_TCP, 1);
	memcpy(plain->run, plain->mask, sizeof(plain->run));
	memset(plain->run + ip, 0xff, LENGTH); /* traffic class and label */
	memset(plain->run + ip + NEXT, 0xff, tcp + 4 - (ip + NEXT)); /* hops, addresses, ports */
}

/* Data offset, flags and what the options begin with may lie behind the bytes compared at once. */
static inline uint32_t
tcp_differs(const struct weir_plain *plain, const uint8_t *tcp)
{
	uint32_t want = plain->headers / 4 << 12 | WEIR_TCP_ACK;

	return ((weir_load_be16(tcp + OFFSET) ^ want) & OFFSET_FLAGS) |
	       ((weir_load_be32(tcp + OPTIONS) ^ WEIR_TS_WORD) & plain->ts_mask);
}

/* The shape under which the frame begins a run, NULL: it is not plain. *own: the number of the address
 * that it goes to. */
static inline __attribute__((always_inline)) const struct weir_plain *
shape_of(const struct weir_parse *parse, const uint8_t *frame, uint32_t *own,
	 weir_plain_compare *differs)
{
	const uint8_t *ip = frame + parse->plain6[0].l3_off, *tcp = ip + WEIR_IP6_BYTES;
	const struct weir_plain *plain = &parse->plain6[tcp[OFFSET] >> 4 != WEIR_TCP_BYTES / 4];

	if (differs(frame, plain->want, plain->mask) || tcp_differs(plain, tcp) != 0 ||
	    !weir_head_source6_valid(parse, ip + SOURCE))
		return NULL;
	*own = weir_own6_find(parse->own6, ip + DESTINATION);
	return *own == parse->own6->n ? NULL : plain;
}

static void
add_key(struct weir_parsed6 *out, uint32_t n_segs, const uint8_t *ip, uint32_t local)
{
	const uint8_t *tcp = ip + WEIR_IP6_BYTES;
	struct weir_key key = {.low = {.raddr = weir_load_be32(ip + SOURCE + 12),
				       .laddr = local,
				       .rport = weir_load_be16(tcp),
				       .lport = weir_load_be16(tcp + 2)}};

	for (uint32_t i = 0; i < 3; i++)
		key.raddr_high[i] = weir_load_be32(ip + SOURCE + 4 * i);
	if (out->n_runs != 0 && weir_key_equal(&key, &out->keys[out->n_runs - 1]))
		return;
	out->keys[out->n_runs] = key;
	out->run_first[out->n_runs++] = (uint8_t)n_segs;
}

static void
open_run(struct run *run, const struct weir_plain *plain, const uint8_t *frame)
{
	const uint8_t *ip = frame + plain->l3_off;

	run->plain = plain;
	run->frame = frame;
	run->like[0] = plain->like[0];
	run->like[1] = plain->like[1] |
		       (uint64_t)(uint8_t)(weir_load_be16(ip) >> 4) << WEIR_SEG_MERGE_BIT(tos) |
		       (uint64_t)ip[HOPS] << WEIR_SEG_MERGE_BIT(ttl);
	run->before.last = 1;
}

/* The port's word does not settle it. */
static enum weir_drop __attribute__((noinline))
verify(struct weir_parse *parse, const struct weir_plain *plain, struct rte_mbuf *buf,
       struct run *run)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	uint32_t l4_off = plain->l3_off + WEIR_IP6_BYTES;
	const struct weir_head head = {
		.buf = buf,
		.bytes = frame,
		.l3_off = plain->l3_off,
		.l4_off = l4_off,
		.end = l4_off + weir_load_be16(frame + plain->l3_off + LENGTH),
		.is6 = true,
	};
	enum weir_drop verdict = WEIR_PARSE_OK;

	parse->trust.claims[WEIR_CLAIM_GOOD] += run->granted - run->credit;
	if (!weir_trust_believes(&parse->trust, buf->ol_flags))
		verdict = weir_trust_verify(&parse->trust, &head);
	run->granted = run->credit = weir_trust_credit(&parse->trust);
	return verdict;
}

static inline bool
is_believed(const struct rte_mbuf *buf, struct run *run)
{
	if ((buf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD ||
	    run->credit == 0)
		return false;
	run->credit--;
	return true;
}

/* Does the segment, which may stand behind the block in an aggregate, belong to it? */
static inline __attribute__((always_inline)) bool
is_alike(const struct weir_parse *parse, const struct weir_seg *block, const struct weir_seg *seg,
	 weir_plain_compare *differs)
{
	return seg->ack == block->ack && seg->tsval == block->tsval && seg->len == block->len &&
	       seg->win == block->win && seg->flags == block->flags &&
	       !differs((const uint8_t *)seg->buf, (const uint8_t *)block->buf, parse->line) &&
	       weir_plain_frame_off(seg->buf) == weir_plain_frame_off(block->buf);
}

/* Whether the frame is plain; *seg moves on when it is a segment, too. */
static inline __attribute__((always_inline)) bool
take_one(struct weir_parse *parse, struct rte_mbuf *buf, struct run *run, struct weir_parsed *out,
	 struct weir_seg **seg, weir_plain_compare *differs)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	const uint8_t *ip = frame + parse->plain6[0].l3_off;
	const struct weir_plain *plain = run->plain;
	uint32_t len, own = 0;

	if ((buf->ol_flags & WEIR_PLAIN_RARE) != 0 || buf->nb_segs != 1 ||
	    buf->data_len < parse->plain6[0].least)
		return false;
	if (plain == NULL || differs(frame, run->frame, plain->run) ||
	    tcp_differs(plain, ip + WEIR_IP6_BYTES) != 0) {
		run->plain = NULL;
		plain = shape_of(parse, frame, &own, differs);
	}
	if (unlikely(plain == NULL || buf->data_len < plain->least))
		return false;
	len = weir_load_be16(ip + LENGTH) - plain->headers;
	if (unlikely(len > buf->data_len - plain->data_off))
		return false;
	if (unlikely(!is_believed(buf, run))) {
		enum weir_drop verdict = verify(parse, plain, buf, run);

		if (verdict != WEIR_PARSE_OK) {
			weir_parsed_reject(buf, verdict, out);
			return true;
		}
	}
	if (run->plain == NULL) {
		open_run(run, plain, frame);
		add_key(&out->ip6, (uint32_t)(*seg - out->ip6.segs), ip, parse->own6->first + own);
	}
	weir_plain_fill(plain, run->like, buf, ip + WEIR_IP6_BYTES, len, *seg);
	(*seg)->follows = weir_plain_follows(&run->before, (*seg)->seq, (*seg)->ack, len,
					     (*seg)->tsval, (*seg)->flags);
	if ((*seg)->follows && is_alike(parse, run->block, *seg, differs))
		run->block->alike++;
	else
		run->block = *seg;
	parse->frame_max = RTE_MAX(parse->frame_max, plain->data_off + len);
	(*seg)++;
	return true;
}

static inline __attribute__((always_inline)) uint32_t
take_all(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out,
	 weir_plain_compare *differs)
{
	struct weir_seg *seg = &out->ip6.segs[out->ip6.n_segs];
	struct run run = {0};
	uint32_t i;

	run.granted = run.credit = weir_trust_credit(&parse->trust);
	for (i = 0; i < n; i++) {
		if (i + WEIR_PLAIN_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(bufs[i + WEIR_PLAIN_AHEAD], const void *));
		if (!take_one(parse, bufs[i], &run, out, &seg, differs))
			break;
	}
	parse->trust.claims[WEIR_CLAIM_GOOD] += run.granted - run.credit;
	out->ip6.n_segs = (uint32_t)(seg - out->ip6.segs);
	out->ip6.run_first[out->ip6.n_runs] = (uint8_t)out->ip6.n_segs;
	return i;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static uint32_t
take_by_32(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out)
{
	return take_all(parse, bufs, n, out, weir_plain_differs_32);
}

__attribute__((target("avx512f"))) static uint32_t
take_by_64(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n, struct weir_parsed *out)
{
	return take_all(parse, bufs, n, out, weir_plain_differs_64);
}
#endif

uint32_t
weir_plain6_take(struct weir_parse *parse, struct rte_mbuf **bufs, uint32_t n,
		 struct weir_parsed *out)
{
	if (parse->own6 == NULL)
		return 0;
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f"))
		return take_by_64(parse, bufs, n, out);
	if (__builtin_cpu_supports("avx2"))
		return take_by_32(parse, bufs, n, out);
#endif
	return take_all(parse, bufs, n, out, weir_plain_differs);
}
