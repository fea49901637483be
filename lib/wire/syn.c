/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/syn.h"

#include "wire/plain.h"

#define ECN_SETUP (WEIR_TCP_ECE | WEIR_TCP_CWR) /* RFC 3168 6.1.1 */

void
weir_syn_init(struct weir_parse *parse)
{
	struct weir_plain *syn = &parse->syn;
	const uint32_t tcp = parse->plain[WEIR_OPT_NONE].l3_off + WEIR_IP4_BYTES;

	*syn = parse->plain[WEIR_OPT_NONE];
	syn->want[tcp + 12] = syn->mask[tcp + 12] = 0; /* any options */
	syn->want[tcp + 13] = WEIR_TCP_SYN;
	syn->mask[tcp + 13] = (uint8_t)~ECN_SETUP;
}

static inline uint32_t
header_bytes(const uint8_t *tcp)
{
	return (tcp[12] >> 4) * 4u;
}

/* All of it lies in one buffer, it is whole, and brings nothing but its options. */
static inline bool
is_plain(const struct weir_plain *syn, const struct rte_mbuf *buf, const uint8_t *frame)
{
	const uint8_t *ip = frame + syn->l3_off;
	uint32_t header = header_bytes(ip + WEIR_IP4_BYTES), total = weir_load_be16(ip + 2);

	return !weir_plain_differs(frame, syn->want, syn->mask) && header >= WEIR_TCP_BYTES &&
	       total == WEIR_IP4_BYTES + header && syn->l3_off + total <= buf->data_len;
}

static inline struct weir_key4
key_of(const struct weir_parse *parse, const uint8_t *ip)
{
	return (struct weir_key4){.raddr = weir_load_be32(ip + 12),
				  .laddr = parse->ip,
				  .rport = weir_load_be16(ip + WEIR_IP4_BYTES),
				  .lport = weir_load_be16(ip + WEIR_IP4_BYTES + 2)};
}

/* Its run is open: it has to stay in there. Nor does it pass a fragment, whose packet may be of its
 * key and takes its place in the burst later. */
static inline bool
has_a_place(const struct weir_parsed *out, const struct weir_key4 *key)
{
	if (out->n_runs != 0 && weir_key4_equal(key, &out->keys[out->n_runs - 1]))
		return true;
	for (uint32_t i = 0; i < out->n_others; i++)
		if (out->others[i].kind == WEIR_OTHER_FRAGMENT)
			return true;
	return false;
}

bool
weir_syn_take(struct weir_parse *parse, struct rte_mbuf *buf, uint32_t before,
	      struct weir_parsed *out)
{
	const uint8_t *frame = rte_pktmbuf_mtod(buf, const uint8_t *);
	struct weir_parsed_syns *syns = &out->syns;
	struct weir_key4 key;

	if ((buf->ol_flags & WEIR_PLAIN_CLAIMS) != WEIR_PLAIN_GOOD || buf->nb_segs != 1 || buf->data_len < parse->syn.least || !is_plain(&parse->syn, buf, frame))
		return false;
	key = key_of(parse, frame + parse->syn.l3_off);
	if (!weir_head_source_valid(parse, key.raddr) || has_a_place(out, &key))
		return false;
	if (!weir_syn_allowed(parse)) {
		weir_parsed_reject(buf, WEIR_DROP_SYN_FLOOD, out);
		return true;
	}
	rte_prefetch0(frame + WEIR_PLAIN_BYTES);
	syns->segs[syns->n].buf = buf;
	syns->keys[syns->n] = key;
	syns->before[syns->n++] = (uint8_t)before;
	return true;
}

static void
fill(struct weir_parse *parse, struct weir_seg *seg)
{
	const struct weir_plain *syn = &parse->syn;
	const uint8_t *ip = rte_pktmbuf_mtod_offset(seg->buf, const uint8_t *, syn->l3_off);
	const uint8_t *tcp = ip + WEIR_IP4_BYTES;
	uint32_t header = header_bytes(tcp);
	uint64_t like[2];

	weir_plain_like(syn, ip, like);
	weir_plain_fill(syn, like, seg->buf, tcp, 0, seg);
	seg->data_off = syn->l3_off + WEIR_IP4_BYTES + header;
	seg->opt_len = (uint8_t)(header - WEIR_TCP_BYTES);
	weir_parse_options(parse, tcp + WEIR_TCP_BYTES, seg);
	if (seg->data_off > parse->frame_max)
		parse->frame_max = seg->data_off;
}

void
weir_syn_fill(struct weir_parse *parse, struct weir_parsed_syns *syns)
{
	for (uint32_t i = 0; i < syns->n; i++)
		fill(parse, &syns->segs[i]);
}
