/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes as a frame, in buffers of exactly their size: the parser must stay inside, lose nothing
 * and describe only what is there. Its first bytes say how the frame is laid out and what the port
 * claims of it; sums may be put right, so that mutations get behind them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/neighbour.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/frame.h"
#include "wire/fragment.h"
#include "wire/icmp.h"
#include "wire/options.h"
#include "wire/parse.h"

#define SETUP 4

#define must(holds)                                                                                \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "parse: %s does not hold\n", #holds);                      \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void
put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* The sum of what stands behind an IP header: TCP's or ICMPv6's. */
static void
mend_upper(uint8_t *at, uint32_t len, uint32_t off, const uint8_t *pseudo, uint32_t pseudo_len)
{
	if (len < off + 2)
		return;
	put16(at + off, 0);
	put16(at + off, frame_csum(at, len, (uint16_t)~frame_csum(pseudo, pseudo_len, 0)));
}

static void
mend_ip4(uint8_t *ip, uint32_t len)
{
	uint32_t header, total;
	uint8_t pseudo[12];

	if (len < 20)
		return;
	header = (ip[0] & 15) * 4u;
	total = (uint32_t)ip[2] << 8 | ip[3];
	if (header < 20 || header > len)
		return;
	put16(ip + 10, 0);
	put16(ip + 10, frame_csum(ip, header, 0));
	if (total > len || total < header + 20 || ip[9] != 6)
		return;
	memcpy(pseudo, ip + 12, 8);
	pseudo[8] = 0;
	pseudo[9] = 6;
	put16(pseudo + 10, total - header);
	mend_upper(ip + header, total - header, 16, pseudo, sizeof(pseudo));
}

/* Through whatever might be extension headers. */
static void
mend_ip6(uint8_t *ip, uint32_t len)
{
	uint32_t off = 40, total = 40u + ((uint32_t)ip[4] << 8 | ip[5]);
	uint8_t next = ip[6], pseudo[40] = {0};

	if (total > len)
		return;
	while ((next == 0 || next == 43 || next == 44 || next == 60) && off + 8 <= total) {
		uint32_t size = next == 44 ? 8 : (ip[off + 1] + 1u) * 8;

		next = ip[off];
		off += size;
	}
	if (off > total || (next != 6 && next != 58))
		return;
	memcpy(pseudo, ip + 8, 32);
	put16(pseudo + 34, total - off);
	pseudo[39] = next;
	mend_upper(ip + off, total - off, next == 6 ? 16 : 2, pseudo, sizeof(pseudo));
}

/* IP, TCP and ICMPv6 sums of a frame that is long enough to have them. */
static void
mend_sums(uint8_t *ip, uint32_t len)
{
	if (len != 0 && ip[0] >> 4 == 4)
		mend_ip4(ip, len);
	else if (len >= 40 && ip[0] >> 4 == 6)
		mend_ip6(ip, len);
}

/* What the options say must not depend on what lies behind them. */
static void
check_options(const uint8_t *p, uint32_t len)
{
	struct weir_tcp_options first, second;
	uint8_t *alone = malloc(len != 0 ? len : 1);

	must(alone != NULL);
	memcpy(alone, p, len);
	weir_tcp_options_read(p, len, &first);
	weir_tcp_options_read(alone, len, &second);
	must(first.mss == second.mss && first.wscale == second.wscale &&
	     first.has_ts == second.has_ts && first.malformed == second.malformed &&
	     first.wscale <= 14);
	free(alone);
}

static void
check_segment(const struct weir_seg *seg, const uint8_t *bytes, uint32_t len)
{
	must(seg->data_off <= len && seg->len <= len - seg->data_off);
	must(seg->opt_len <= 40 && (uint32_t)seg->opt_off + seg->opt_len <= seg->data_off);
	must(seg->wire_segs >= 1);
	check_options(bytes + seg->opt_off, seg->opt_len);
}

/* A fragment is inside its frame and its datagram, an error quotes what it may. */
static void
check_other(const struct weir_parse *parse, const struct weir_other *other, uint32_t len)
{
	static const struct weir_own6 none;
	struct weir_fragment fragment;
	struct weir_icmp_error error;
	enum weir_drop verdict;

	must((uint32_t)other->l4_off + other->l4_len <= len);
	if (other->kind == WEIR_OTHER_FRAGMENT) {
		verdict = weir_fragment_read(other, 0, &fragment);
		if (verdict != WEIR_PARSE_OK)
			return;
		must(fragment.start < fragment.end && fragment.end <= WEIR_DATAGRAM_MAX);
		must(fragment.end - fragment.start <= len - fragment.l4_off);
		must(fragment.last || fragment.end % WEIR_FRAGMENT_UNIT == 0);
	} else if (other->kind != WEIR_OTHER_ARP && weir_icmp_is_error(other)) {
		verdict = weir_icmp_read(other, parse->own6 != NULL ? parse->own6 : &none, &error);
		must(verdict != WEIR_PARSE_OK || error.kind <= WEIR_ICMP_TOO_BIG);
	} else {
		(void)weir_neighbour_handle(parse, other);
	}
}

static void
check_parsed(const struct weir_parse *parse, const struct weir_parsed *parsed,
	     const struct rte_mbuf *buf, const uint8_t *bytes, uint32_t len)
{
	must(parsed->n_segs + parsed->ip6.n_segs + parsed->syns.n + parsed->n_others +
		     parsed->n_rejects ==
	     1);
	must(parsed->syns.n == 0); /* the first claims are not believed */
	if (parsed->ip6.n_segs != 0) {
		must(parsed->ip6.segs[0].buf == buf);
		must(parsed->ip6.n_runs == 1 && parsed->ip6.run_first[1] == 1);
		must(parsed->ip6.keys[0].low.laddr == parse->own6->first);
		must(!weir_key_is4(&parsed->ip6.keys[0]));
		check_segment(&parsed->ip6.segs[0], bytes, len);
	} else if (parsed->n_segs != 0) {
		must(parsed->segs[0].buf == buf);
		check_segment(&parsed->segs[0], bytes, len);
	} else if (parsed->n_others != 0) {
		must(parsed->others[0].buf == buf);
		check_other(parse, &parsed->others[0], len);
	} else {
		must(parsed->rejects[0].buf == buf);
		must(parsed->rejects[0].reason < WEIR_DROP_COUNT);
	}
}

/* A frame that was found good byte by byte is described the same where the port is believed. */
static void
check_believed(const struct weir_parse *like, const struct weir_parsed *parsed,
	       const uint8_t *bytes, uint32_t len)
{
	static struct weir_parsed believed;
	struct rte_mbuf *buf = frame_exact(bytes, len, 0);
	struct weir_seg seg = parsed->segs[0];
	const struct weir_key4 *key;
	const struct weir_seg *got;
	struct weir_parse parse;

	weir_parse_init(&parse, like->mac, like->ip, like->l3, like->port);
	parse.trust.claims[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST + 1;
	parse.trust.verified[WEIR_CLAIM_GOOD] = WEIR_CLAIM_FIRST;
	buf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	for (uint32_t i = 0; i < 2; i++) { /* the second time its shape is known */
		weir_parse_burst(&parse, &buf, 1, &believed);
		must(believed.n_segs + believed.syns.n == 1);
		got = believed.syns.n != 0 ? believed.syns.segs : believed.segs;
		key = believed.syns.n != 0 ? believed.syns.keys : believed.keys;
		seg.buf = buf;
		seg.nb_segs = 1; /* it lies in one piece now */
		seg.mark &= (uint8_t)~WEIR_MARK_CHAIN;
		must(memcmp(got, &seg, sizeof(seg)) == 0);
		must(weir_key4_equal(key, &parsed->keys[0]));
	}
	frame_exact_free(buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t claims[] = {
		RTE_MBUF_F_RX_L4_CKSUM_UNKNOWN, RTE_MBUF_F_RX_L4_CKSUM_NONE,
		RTE_MBUF_F_RX_L4_CKSUM_GOOD, RTE_MBUF_F_RX_L4_CKSUM_BAD};
	static struct weir_own6 own6 = {.first = 8, .n = 1};
	static struct weir_parsed parsed;
	struct weir_parse parse;
	struct rte_mbuf *buf;
	uint8_t *bytes;
	uint32_t len;

	if (size < SETUP || size > SETUP + 2048)
		return 0;
	len = (uint32_t)size - SETUP;
	bytes = malloc(len != 0 ? len : 1);
	must(bytes != NULL);
	memcpy(bytes, data + SETUP, len);
	weir_parse_init(&parse, frame_local_mac, FRAME_LOCAL_IP, data[0] & 1, 0);
	memcpy(own6.address[0], frame_local_ip6, sizeof(own6.address[0]));
	parse.own6 = &own6;
	if ((data[0] & 2) != 0 && len > (parse.l3 ? 0u : 14u))
		mend_sums(bytes + (parse.l3 ? 0 : 14), len - (parse.l3 ? 0 : 14));
	buf = frame_exact(bytes, len, data[1]);
	buf->ol_flags = claims[data[0] >> 2 & 3];
	if (data[0] & 16)
		buf->ol_flags |= RTE_MBUF_F_RX_LRO;
	if (data[0] & 32)
		buf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	if (data[0] & 64)
		buf->ol_flags |= RTE_MBUF_F_RX_QINQ | RTE_MBUF_F_RX_QINQ_STRIPPED;
	buf->tso_segsz = data[2];
	buf->vlan_tci = buf->vlan_tci_outer = data[3];
	weir_parse_burst(&parse, &buf, 1, &parsed);
	if (parsed.n_segs != 0 && (data[0] & ~3) == 0)
		check_believed(&parse, &parsed, bytes, len);
	check_parsed(&parse, &parsed, buf, bytes, len);
	frame_exact_free(buf);
	free(bytes);
	return 0;
}
