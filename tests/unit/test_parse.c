/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/parsing.h"
#include "wire/chain.h"

static struct parsing p;
static uint8_t payload[65536];
static uint64_t state = 2;

static void
open_with_payload(uint32_t len)
{
	parsing_open(&p);
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 31 + (i >> 8));
	p.spec.payload = payload;
	p.spec.len = len;
}

/* The descriptor says what p.spec says. */
static void
check_seg(const struct weir_seg *seg, const struct weir_key4 *key)
{
	const struct frame_spec *s = &p.spec;
	uint32_t l4 = (s->l3 ? 0 : 14 + 4u * s->n_tags) + 20 + ((s->ip_options_len + 3u) & ~3u);
	uint32_t options = (s->has_ts ? 12 : 0) + ((s->tcp_options_len + 3u) & ~3u);

	ck_assert_uint_eq(seg->seq, s->seq);
	ck_assert_uint_eq(seg->ack, s->ack);
	ck_assert_uint_eq(seg->len, s->len);
	ck_assert_uint_eq(seg->data_off, l4 + 20 + options);
	ck_assert_uint_eq(seg->opt_off, l4 + 20);
	ck_assert_uint_eq(seg->opt_len, options);
	ck_assert_uint_eq(seg->win, s->win);
	ck_assert_uint_eq(seg->wire_segs, 1);
	ck_assert_uint_eq(seg->flags, s->flags);
	ck_assert_uint_eq(seg->tos, s->tos);
	ck_assert_uint_eq(seg->ttl, s->ttl);
	ck_assert_uint_eq(seg->nb_segs, seg->buf->nb_segs);
	ck_assert_uint_eq(seg->mark, (s->ip_options_len != 0 ? WEIR_MARK_IP_OPTIONS : 0) |
					     (seg->nb_segs > 8 ? WEIR_MARK_CHAIN : 0));
	ck_assert_uint_eq(seg->port | seg->spare[0] | seg->spare[1], 0);
	ck_assert_uint_eq(seg->shape, s->tcp_options_len != 0 ? WEIR_OPT_OTHER
				      : s->has_ts	      ? WEIR_OPT_TS
							      : WEIR_OPT_NONE);
	ck_assert_uint_eq(seg->has_ts, s->has_ts);
	ck_assert_uint_eq(seg->tsval, s->has_ts ? s->tsval : 0);
	ck_assert_uint_eq(key->raddr, s->src);
	ck_assert_uint_eq(key->laddr, s->dst);
	ck_assert_uint_eq(key->rport, s->sport);
	ck_assert_uint_eq(key->lport, s->dport);
}

static void
check_payload(const struct weir_seg *seg)
{
	uint8_t *got = malloc(seg->len + 1);

	ck_assert_uint_eq(weir_chain_copy(seg->buf, seg->data_off, seg->len, got), seg->len);
	ck_assert_int_eq(memcmp(got, p.spec.payload, seg->len), 0);
	free(got);
}

/* The frame of p.spec is taken and its descriptor is right. */
static void
check_frame(void)
{
	struct rte_mbuf *buf = frame_build(&p.pool, &p.spec);

	ck_assert_ptr_nonnull(buf);
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_segs, 1);
	check_seg(&p.out.segs[0], &p.out.keys[0]);
	check_payload(&p.out.segs[0]);
	weir_buf_free(&p.pool, buf);
}

START_TEST(common_frames)
{
	open_with_payload(1448);
	p.spec.seq = 0xfedcba98;
	p.spec.ack = 0x01234567;
	p.spec.win = 0x8001;
	p.spec.tos = 0xb9;
	p.spec.ttl = 3;
	p.spec.tsval = 0xa1b2c3d4;
	p.spec.tsecr = 0x5a6b7c8d;
	for (int has_ts = 0; has_ts < 2; has_ts++)
		for (p.spec.len = 0; p.spec.len <= 1448; p.spec.len += 181) {
			p.spec.has_ts = (uint8_t)has_ts;
			check_frame();
		}
	ck_assert_uint_eq(p.parse.options_malformed, 0);
	parsing_close(&p);
}
END_TEST

START_TEST(other_options)
{
	static const uint8_t ts_first[] = {8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};
	static const uint8_t syn[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0,
				      0, 9, 0, 0,    0, 0, 1, 3,  3, 7};
	static const uint8_t malformed[] = {8, 10, 0, 0, 0, 9, 0, 0, 0, 8, 7, 1};

	open_with_payload(10);
	p.spec.tcp_options = ts_first;
	p.spec.tcp_options_len = sizeof(ts_first);
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.segs[0].shape, WEIR_OPT_OTHER);
	ck_assert_uint_eq(p.out.segs[0].has_ts, 1);
	ck_assert_uint_eq(p.out.segs[0].tsval, 0x01020304);
	p.spec.tcp_options = syn;
	p.spec.tcp_options_len = sizeof(syn);
	p.spec.flags = WEIR_TCP_SYN;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.segs[0].tsval, 9);
	ck_assert_uint_eq(p.out.segs[0].opt_len, 20);
	ck_assert_uint_eq(p.parse.options_malformed, 0);
	p.spec.tcp_options = malformed;
	p.spec.tcp_options_len = sizeof(malformed);
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.parse.options_malformed, 1);
	ck_assert_uint_eq(p.out.segs[0].tsval, 9); /* stood before the damage */
	p.spec.tcp_options = (const uint8_t[]){1, 1, 1, 1};
	p.spec.tcp_options_len = 4;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.segs[0].shape, WEIR_OPT_OTHER);
	ck_assert_uint_eq(p.out.segs[0].has_ts, 0);
	ck_assert_uint_eq(p.parse.options_malformed, 1);
	parsing_close(&p);
}
END_TEST

/* The walk inside the parser, too: all pairs in front of a full header. */
START_TEST(pitfall_01_option_pairs_in_frames)
{
	uint8_t options[40];

	open_with_payload(1);
	memset(options, 1, sizeof(options));
	p.spec.tcp_options = options;
	p.spec.tcp_options_len = 40;
	for (unsigned int pair = 0; pair < 65536; pair++) {
		uint64_t before = p.parse.options_malformed;
		unsigned int kind = pair >> 8, len = pair & 255;
		bool malformed = kind > 1 && (len < 2 || len > 40);

		if (kind == 1) /* `len` is the next kind and the padding its length 1 */
			malformed = len > 1;
		options[0] = (uint8_t)kind;
		options[1] = (uint8_t)len;
		parsing_flags(&p, RTE_MBUF_F_RX_L4_CKSUM_NONE);
		if (p.out.n_segs != 1 || p.parse.options_malformed - before != malformed)
			ck_abort_msg("kind %u, length %u", kind, len);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_03_data_offset)
{
	open_with_payload(0);
	for (uint32_t len = 0; len <= 44; len++)
		for (uint8_t offset = 1; offset < 16; offset++) {
			p.spec.data_offset = offset;
			p.spec.len = len;
			if (offset < 5 || offset * 4u > 20 + len) {
				ck_assert_drop(&p, TCP_HEADER);
				continue;
			}
			ck_assert_taken(&p);
			ck_assert_uint_eq(p.out.segs[0].len, 20 + len - offset * 4u);
			ck_assert_uint_eq(p.out.segs[0].data_off, 34 + offset * 4u);
		}
	parsing_close(&p);
}
END_TEST

/* The header must not end in the padding, though the bytes are there. */
START_TEST(pitfall_03_header_in_the_padding)
{
	open_with_payload(0);
	p.spec.pad = 40;
	p.spec.data_offset = 6;
	ck_assert_drop(&p, TCP_HEADER);
	p.spec.data_offset = 0;
	ck_assert_taken(&p);
	ck_assert_uint_eq(p.out.segs[0].len, 0);
	parsing_close(&p);
}
END_TEST

static unsigned int
reason_of(struct rte_mbuf *buf)
{
	parsing_one(&p, buf);
	return p.out.n_rejects != 0 ? p.out.rejects[0].reason : WEIR_DROP_COUNT;
}

/* Cut at every length, in one piece and in many; memory ends where the frame does. */
START_TEST(pitfall_03_every_truncation)
{
	static const uint32_t splits[] = {0, 1, 7, 14, 33, 40, 64};
	static const uint8_t ip_options[] = {1, 1, 1, 1, 1};
	uint8_t bytes[300];

	open_with_payload(30);
	p.spec.has_ts = 1;
	p.spec.tcp_options = (const uint8_t[]){5, 10, 0, 0, 0, 1, 0, 0, 0, 2};
	for (uint32_t i = 0; i < RTE_DIM(splits) * 8; i++) {
		uint32_t split = splits[i / 8], len;

		p.spec.n_tags = i % 4 == 3 ? 2 : i % 4 == 1;
		p.spec.tcp_options_len = i & 2 ? 10 : 0;
		p.spec.ip_options = ip_options;
		p.spec.ip_options_len = i & 4 ? 5 : 0;
		len = frame_write(&p.spec, bytes);
		for (uint32_t cut = 0; cut <= len; cut++) {
			struct rte_mbuf *buf = frame_exact(bytes, cut, split);
			unsigned int want =
			    cut == len ? WEIR_DROP_COUNT : WEIR_DROP_FRAME_TRUNCATED;

			ck_assert_uint_eq(reason_of(buf), want);
			frame_exact_free(buf);
		}
	}
	parsing_close(&p);
}
END_TEST

/* Bare IP packets cut at every length. */
START_TEST(pitfall_03_every_truncation_without_link)
{
	uint8_t bytes[200];
	uint32_t len;

	open_with_payload(30);
	p.spec.l3 = 1;
	parsing_listen(&p, true, FRAME_LOCAL_IP);
	len = frame_write(&p.spec, bytes);
	for (uint32_t cut = 0; cut <= len; cut++) {
		struct rte_mbuf *buf = frame_exact(bytes, cut, 0);

		ck_assert_uint_eq(reason_of(buf),
				  cut == len ? WEIR_DROP_COUNT : WEIR_DROP_FRAME_TRUNCATED);
		frame_exact_free(buf);
	}
	parsing_close(&p);
}
END_TEST

/* A right IP packet that ends inside the TCP header, and the frame with it. */
START_TEST(pitfall_03_packet_ends_in_the_header)
{
	uint8_t bytes[100];

	open_with_payload(0);
	for (int32_t len = 0; len <= 20; len++) {
		struct rte_mbuf *buf;

		p.spec.ip_total_delta = len - 20;
		frame_write(&p.spec, bytes);
		buf = frame_exact(bytes, (uint32_t)(34 + len), 0);
		ck_assert_uint_eq(reason_of(buf),
				  len == 20 ? WEIR_DROP_COUNT : WEIR_DROP_TCP_HEADER);
		frame_exact_free(buf);
	}
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_04_padding_is_not_payload)
{
	open_with_payload(0);
	for (uint32_t len = 0; len <= 6; len++)
		for (uint16_t pad = 0; pad <= 70; pad++) {
			p.spec.len = len;
			p.spec.pad = pad;
			check_frame();
		}
	ck_assert_uint_eq(p.parse.frame_max, 60);
	parsing_close(&p);
}
END_TEST

START_TEST(pitfall_05_header_split_anywhere)
{
	open_with_payload(100);
	p.spec.seq = 0x12345678;
	p.spec.tsval = 77;
	for (p.spec.split = 1; p.spec.split <= 142; p.spec.split++)
		for (uint32_t i = 0; i < 8; i++) {
			p.spec.has_ts = i & 1;
			p.spec.n_tags = i & 2;
			p.spec.ip_options = payload + 1;
			p.spec.ip_options_len = i & 4 ? 9 : 0;
			check_frame();
		}
	parsing_close(&p);
}
END_TEST

/* First piece longer or shorter than the rest: one cut at every place, memory exact. */
START_TEST(pitfall_05_one_cut)
{
	uint8_t bytes[200];
	uint32_t len;

	open_with_payload(40);
	p.spec.has_ts = 1;
	len = frame_write(&p.spec, bytes);
	for (uint32_t cut = 1; cut < len; cut++) {
		struct rte_mbuf *buf = frame_exact(bytes, cut, 0);

		buf->next = frame_exact(bytes + cut, len - cut, 0);
		buf->nb_segs = 2;
		buf->pkt_len = len;
		ck_assert_uint_eq(reason_of(buf), WEIR_DROP_COUNT);
		check_seg(&p.out.segs[0], &p.out.keys[0]);
		check_payload(&p.out.segs[0]);
		frame_exact_free(buf);
	}
	parsing_close(&p);
}
END_TEST

/* The longest IP packet, behind two tags: 16 bits do not hold the frame any more. */
START_TEST(pitfall_09_longest_packet)
{
	open_with_payload(65535 - 40);
	p.spec.n_tags = 2;
	p.spec.pad = 100;
	check_frame();
	ck_assert_uint_eq(p.parse.frame_max, 65535 + 22);
	p.spec.n_tags = 0;
	check_frame();
	parsing_close(&p);
}
END_TEST

START_TEST(flags_no_state_accepts)
{
	open_with_payload(0);
	for (unsigned int flags = 0; flags < 256; flags++) {
		bool syn = flags & WEIR_TCP_SYN, fin = flags & WEIR_TCP_FIN;
		bool rst = flags & WEIR_TCP_RST, ack = flags & WEIR_TCP_ACK;

		p.spec.flags = (uint8_t)flags;
		if ((syn && (fin || rst)) || !(syn || fin || rst || ack)) {
			ck_assert_drop(&p, TCP_FLAGS);
			continue;
		}
		ck_assert_taken(&p);
		ck_assert_uint_eq(p.out.segs[0].flags, flags);
	}
	parsing_close(&p);
}
END_TEST

static uint16_t
merged(uint32_t len, uint16_t segment)
{
	struct rte_mbuf *buf;
	uint16_t n;

	p.spec.len = len;
	buf = frame_build(&p.pool, &p.spec);
	buf->ol_flags = RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_NONE;
	buf->tso_segsz = segment;
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.n_segs, 1);
	ck_assert_uint_eq(p.out.segs[0].len, len);
	n = p.out.segs[0].wire_segs;
	weir_buf_free(&p.pool, buf);
	return n;
}

START_TEST(merged_frames_count_their_segments)
{
	static const uint16_t sizes[] = {1, 2, 3, 536, 1448, 1460, 8948, 32768, 65495, 65535};

	open_with_payload(0);
	for (size_t i = 0; i < RTE_DIM(sizes); i++) {
		uint32_t size = sizes[i];

		ck_assert_uint_eq(merged(0, sizes[i]), 1);
		for (uint32_t len = 1; len <= 65495; len += 1 + len / 3)
			ck_assert_uint_eq(merged(len, sizes[i]), (len + size - 1) / size);
		for (uint32_t n = 1; n <= 3 && (n + 1) * size < 65495; n++) {
			ck_assert_uint_eq(merged(n * size, sizes[i]), n);
			ck_assert_uint_eq(merged(n * size + 1, sizes[i]), n + 1);
		}
	}
	ck_assert_uint_eq(merged(10000, 0), 1);
	ck_assert_uint_eq(merged(65495, 1), 65495);
	parsing_close(&p);
}
END_TEST

/* The size of a merged frame's segments is nobody's business when it is not merged. */
START_TEST(segment_size_needs_its_flag)
{
	struct rte_mbuf *buf;

	open_with_payload(1448);
	buf = frame_build(&p.pool, &p.spec);
	buf->tso_segsz = 100;
	parsing_one(&p, buf);
	ck_assert_uint_eq(p.out.segs[0].wire_segs, 1);
	weir_buf_free(&p.pool, buf);
	parsing_close(&p);
}
END_TEST

START_TEST(frame_max_is_that_of_good_ip_packets)
{
	open_with_payload(1000);
	p.spec.bad_ip_csum = 1;
	ck_assert_drop(&p, IP_CHECKSUM);
	ck_assert_uint_eq(p.parse.frame_max, 0);
	p.spec.bad_ip_csum = 0;
	p.spec.pad = 50;
	check_frame();
	ck_assert_uint_eq(p.parse.frame_max, 1054);
	p.spec.len = 100;
	check_frame();
	ck_assert_uint_eq(p.parse.frame_max, 1054);
	p.spec.n_tags = 2;
	p.spec.len = 1000;
	check_frame();
	ck_assert_uint_eq(p.parse.frame_max, 1062);
	parsing_close(&p);
}
END_TEST

/* Anything that a right frame can be, at random. */
START_TEST(random_right_frames)
{
	static const uint8_t flags[] = {0x10, 0x18, 0x11, 0x02, 0x12, 0x04, 0x14, 0xd0, 0x30};
	uint8_t ip_options[40], options[40];

	open_with_payload(0);
	memset(ip_options, 1, sizeof(ip_options));
	memset(options, 1, sizeof(options));
	for (int i = 0; i < 4000; i++) {
		struct frame_spec *s = &p.spec;

		s->l3 = parsing_below(&state, 5) == 0;
		s->n_tags = (uint8_t)(parsing_below(&state, 2) ? parsing_below(&state, 3) : 0);
		s->n_tags = s->l3 ? 0 : s->n_tags;
		s->src = 0xc6336400 + parsing_below(&state, 256);
		s->dst = parsing_below(&state, 1u << 31);
		parsing_listen(&p, s->l3, s->dst);
		s->sport = (uint16_t)parsing_below(&state, 65536);
		s->dport = (uint16_t)parsing_below(&state, 65536);
		s->seq = (uint32_t)parsing_random(&state);
		s->ack = (uint32_t)parsing_random(&state);
		s->flags = flags[parsing_below(&state, RTE_DIM(flags))];
		s->win = (uint16_t)parsing_below(&state, 65536);
		s->tos = (uint8_t)parsing_below(&state, 256);
		s->ttl = (uint8_t)parsing_below(&state, 256);
		s->ip_frag = parsing_below(&state, 2) ? 0x4000 : 0;
		s->ip_options = ip_options;
		s->ip_options_len = (uint8_t)(parsing_below(&state, 4) == 0 ? parsing_below(&state, 41) : 0);
		s->has_ts = (uint8_t)parsing_below(&state, 2);
		s->tsval = (uint32_t)parsing_random(&state);
		s->tsecr = (uint32_t)parsing_random(&state);
		s->tcp_options = options;
		s->tcp_options_len = (uint8_t)(parsing_below(&state, 4) == 0 ? parsing_below(&state, 29) : 0);
		s->payload = payload + parsing_below(&state, 1000);
		s->len = parsing_below(&state, 4) == 0 ? 0 : parsing_below(&state, 3000);
		s->pad = (uint16_t)(parsing_below(&state, 3) == 0 ? parsing_below(&state, 60) : 0);
		s->split = (uint16_t)(parsing_below(&state, 3) == 0 ? 2 + parsing_below(&state, 200) : 0);
		check_frame();
	}
	parsing_close(&p);
}
END_TEST

static void
check_inside(const struct rte_mbuf *buf)
{
	const struct weir_seg *seg = &p.out.segs[0];

	if (p.out.n_segs == 0)
		return;
	ck_assert_uint_le(seg->data_off, rte_pktmbuf_pkt_len(buf));
	ck_assert_uint_le(seg->len, rte_pktmbuf_pkt_len(buf) - seg->data_off);
	ck_assert_uint_eq(seg->opt_off + seg->opt_len, seg->data_off);
}

/* Damaged frames of exact size, checksums believed, so that every field is reached. */
START_TEST(random_damage_stays_inside)
{
	uint8_t bytes[400];

	open_with_payload(60);
	for (int i = 0; i < 60000; i++) {
		struct rte_mbuf *buf;
		uint32_t len;

		p.spec.has_ts = (uint8_t)parsing_below(&state, 2);
		p.spec.n_tags = (uint8_t)parsing_below(&state, 4);
		p.spec.ip_options_len = (uint8_t)(parsing_below(&state, 2) ? parsing_below(&state, 41) : 0);
		p.spec.ip_options = payload;
		len = frame_write(&p.spec, bytes);
		for (uint32_t n = parsing_below(&state, 4); n != 0; n--)
			bytes[12 + parsing_below(&state, 80)] = (uint8_t)parsing_below(&state, 256);
		len -= parsing_below(&state, 8) == 0 ? parsing_below(&state, len) : 0;
		buf = frame_exact(bytes, len, parsing_below(&state, 2) ? 1 + parsing_below(&state, 90) : 0);
		buf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_NONE | RTE_MBUF_F_RX_L4_CKSUM_NONE;
		if (parsing_below(&state, 4) == 0)
			buf->ol_flags = parsing_random(&state);
		buf->tso_segsz = (uint16_t)parsing_below(&state, 65536);
		parsing_one(&p, buf);
		check_inside(buf);
		frame_exact_free(buf);
	}
	parsing_close(&p);
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, common_frames);
	UNIT_CASE(s, other_options);
	UNIT_CASE(s, pitfall_01_option_pairs_in_frames);
	UNIT_CASE(s, pitfall_03_data_offset);
	UNIT_CASE(s, pitfall_03_header_in_the_padding);
	UNIT_CASE(s, pitfall_03_every_truncation);
	UNIT_CASE(s, pitfall_03_every_truncation_without_link);
	UNIT_CASE(s, pitfall_03_packet_ends_in_the_header);
	UNIT_CASE(s, pitfall_04_padding_is_not_payload);
	UNIT_CASE(s, pitfall_05_header_split_anywhere);
	UNIT_CASE(s, pitfall_05_one_cut);
	UNIT_CASE(s, pitfall_09_longest_packet);
	UNIT_CASE(s, flags_no_state_accepts);
	UNIT_CASE(s, merged_frames_count_their_segments);
	UNIT_CASE(s, segment_size_needs_its_flag);
	UNIT_CASE(s, frame_max_is_that_of_good_ip_packets);
	UNIT_CASE(s, random_right_frames);
	UNIT_CASE(s, random_damage_stays_inside);
}

UNIT_MAIN("parse", add)
