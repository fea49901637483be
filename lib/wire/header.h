/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers of the packets that a connection sends, and the template ACK (Menon & Zwaenepoel 4.2): one
 * header plus the list of what differs between the ACKs of a train.
 */
#ifndef WEIR_WIRE_HEADER_H
#define WEIR_WIRE_HEADER_H

#include <stdint.h>

#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/key.h"

#define WEIR_HEADER_FLAGS 0x10 /* ACK: what a header says */
#define WEIR_HEADER_IP4	  20
#define WEIR_HEADER_MAX 94 /* Ethernet 14, two tags 8, IPv6 40, TCP 20, timestamps 12 */

/*
 * Bytes of an ACK of one connection, complete but for ack, window, TSval, TSecr, flags beyond ACK,
 * seq and the TCP checksum. IPv4: DF set, identification 0 (RFC 6864), header checksum final. IPv6:
 * the flow's label (RFC 6437).
 * base_sum: unfolded-to-32-bit sum of the pseudo header and of the TCP header with seq, ack, window,
 * TSval, TSecr and checksum zero, data offset and flags as for a plain ACK.
 */
struct weir_header {
	uint32_t base_sum;
	uint8_t len;    /* of the whole ACK, timestamps included where the connection uses them */
	uint8_t l3_off; /* 0 on L3 ports, 14, 18 or 22 */
	uint8_t l4_off;
	uint8_t has_ts;
	uint8_t bytes[WEIR_HEADER_MAX + 2];
};
_Static_assert(sizeof(struct weir_header) == 104, "an idle connection pays for it");

/* Who hands us a connection's frames, and how they are tagged. */
struct weir_hop {
	uint8_t mac[6];
	uint8_t tags; /* identifiers, as in wire/tags.h */
};

/* Addresses of the link below a connection. vlan tags in host order, outermost first. */
struct weir_link {
	uint8_t local_mac[6];
	uint8_t remote_mac[6];
	uint16_t tci[2]; /* tag control information, 0 when absent */
	uint8_t n_tags;  /* 0 to 2 */
	uint8_t tags;    /* their identifiers, as in wire/tags.h */
	uint8_t l3;      /* no Ethernet header at all */
	const uint8_t *local6; /* IPv6: the local address */
	uint32_t flow_label;   /* IPv6: 20 bits */
};

/* Fill `out` for the flow `key` on `link`; has_ts: room for NOP NOP TIMESTAMP. */
void weir_header_init(struct weir_header *out, const struct weir_link *link,
		      const struct weir_key4 *key, int has_ts);
/* The same for a flow of IPv6. */
void weir_header_init6(struct weir_header *out, const struct weir_link *link,
		       const struct weir_key *key, int has_ts);

/* The AccECN option (RFC 9768 3.2.3): the first `n` counters in the order of its kind. */
struct weir_accecn_echo {
	uint32_t counters[3]; /* their low 24 bits are sent */
	uint8_t kind;	      /* WEIR_OPT_KIND_ACCECN0, WEIR_OPT_KIND_ACCECN1, or 0: no option */
	uint8_t n;
};
#define WEIR_OPT_KIND_ACCECN0 172 /* bytes that came as ECT(0), CE, ECT(1) */
#define WEIR_OPT_KIND_ACCECN1 174 /* ECT(1), CE, ECT(0) */

/* With the counters as they begin (3.2.1): what a SYN-ACK carries. */
static inline struct weir_accecn_echo
weir_accecn_first(void)
{
	return (struct weir_accecn_echo){
		.kind = WEIR_OPT_KIND_ACCECN0, .n = 3, .counters = {1, 0, 1}};
}

/* What one packet that is built in full says beyond its header. */
struct weir_packet {
	uint32_t seq;
	uint32_t ack;
	uint32_t tsval;
	uint32_t tsecr;
	uint16_t win;
	uint16_t flags;
	uint32_t sacks[4][2];       /* [start, end) */
	uint16_t mss;               /* SYN only, 0: absent */
	int8_t wscale;              /* SYN only, -1: absent */
	uint8_t sack_permitted;     /* SYN only */
	uint8_t ecn;                /* IP ECN codepoint */
	uint8_t n_sacks;            /* 0 to 4, at most 3 with timestamps, one less beside AccECN */
	struct weir_accecn_echo accecn; /* at most 2 counters beside SACK blocks and timestamps */
};
#define WEIR_PACKET_MAX (22 + 40 + 60)

/*
 * Write the whole packet to `to` (WEIR_PACKET_MAX bytes), checksums included. Option order of a SYN:
 * MSS, SACK-permitted, timestamp, NOP, window scale, AccECN. Timestamp where header->has_ts; none in an RST
 * built from a header without. Returns its length.
 */
uint32_t weir_header_build(const struct weir_header *header, const struct weir_packet *packet,
			   uint8_t *to);

/* One ACK of a train. */
struct weir_ack {
	uint32_t ack;
	uint32_t tsecr;
	uint16_t win; /* scaled, as on the wire */
	uint16_t spare[3];
};
_Static_assert(sizeof(struct weir_ack) == 16, "a vector has room for so many of them");

/* A train: `n` pure ACKs that share everything but struct weir_ack. */
struct weir_ack_template {
	const struct weir_header *header;
	const struct weir_ack *acks;
	uint32_t n;
	uint32_t seq;
	uint32_t tsval;
	uint32_t flags; /* WEIR_TCP_ACK, with WEIR_TCP_ECE where owed, or with the ACE field */
};

/* What all ACKs of one train share beside their header, and its sum. In the order of the wire: the
 * header itself is copied from where it lies, since what has just been written in pieces would be
 * waited for when it is read in wider ones. */
struct weir_ack_image {
	const struct weir_header *header;
	uint64_t sum; /* unfolded, without ack, window and TSecr */
	uint32_t seq;
	uint32_t tsval;
	uint32_t len;
	uint16_t bits; /* data offset with AE, flags */
	uint8_t l4_off;
	uint8_t has_ts;
};

static inline __attribute__((always_inline)) struct weir_ack_image
weir_header_image(const struct weir_ack_template *train)
{
	const struct weir_header *header = train->header;
	uint32_t flags = __builtin_bswap16((uint16_t)train->flags);
	struct weir_ack_image image = {.header = header,
				       .seq = __builtin_bswap32(train->seq),
				       .tsval = header->has_ts ? __builtin_bswap32(train->tsval) : 0,
				       .len = header->len,
				       .l4_off = header->l4_off,
				       .has_ts = header->has_ts};

	/* As they lie, AE is in the first byte, where the header has none; out go its flags (RFC 1624). */
	image.bits = (uint16_t)(header->bytes[header->l4_off + 12] | flags);
	image.sum = (uint64_t)header->base_sum + image.seq + image.tsval + flags +
		    (uint16_t)~(WEIR_HEADER_FLAGS << 8);
	return image;
}

/* In whole words, the last of which overlap: a length that is not known to the compiler costs more.
 * Three times 32 are enough for WEIR_HEADER_MAX. */
static inline void
weir_header_copy(uint8_t *to, const uint8_t *from, uint32_t len)
{
	memcpy(to, from, 32);
	memcpy(to + len - 32, from + len - 32, 32);
	if (len > 64)
		memcpy(to + 32, from + 32, 32);
}

/* The same for up to WEIR_PACKET_MAX. */
static inline void
weir_packet_copy(uint8_t *to, const uint8_t *from, uint32_t len)
{
	weir_header_copy(to, from, len);
	if (len > 96)
		memcpy(to + 64, from + 64, 32);
}

/* Write one ACK, image->len bytes, to `to`, which has room for WEIR_HEADER_MAX: copy, patch, checksum
 * from the sum (RFC 1624). */
static inline void
weir_header_ack(const struct weir_ack_image *image, const struct weir_ack *ack, uint8_t *to)
{
	uint32_t number = __builtin_bswap32(ack->ack), tsecr = __builtin_bswap32(ack->tsecr);
	uint16_t win = __builtin_bswap16(ack->win), field;
	uint8_t *tcp = to + image->l4_off;
	uint64_t sum = image->sum + number + win;

	weir_header_copy(to, image->header->bytes, image->len);
	memcpy(tcp + 4, &image->seq, sizeof(image->seq));
	memcpy(tcp + 8, &number, sizeof(number));
	memcpy(tcp + 12, &image->bits, sizeof(image->bits));
	memcpy(tcp + 14, &win, sizeof(win));
	if (image->has_ts) {
		memcpy(tcp + 24, &image->tsval, sizeof(image->tsval));
		memcpy(tcp + 28, &tsecr, sizeof(tsecr));
		sum += tsecr;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	field = (uint16_t)~(sum + (sum >> 16));
	memcpy(tcp + 16, &field, sizeof(field));
}

/* Packets without data that differ in the right edge of their first SACK block alone: the duplicate
 * ACKs of a run behind a hole. */
struct weir_sack_image {
	uint8_t bytes[WEIR_PACKET_MAX]; /* where there is a block, that edge and the checksum mean nothing */
	uint32_t sum;	   /* of all but that edge, folded; undefined where there is no block */
	uint32_t len;	   /* of a packet */
	uint32_t edge_off; /* 0: there is no block */
	uint32_t sum_off;
};

/* `packet`: neither SYN nor AccECN nor an ECN codepoint, at most as many blocks as there is room for. */
void weir_sack_image(struct weir_sack_image *image, const struct weir_header *header,
		     const struct weir_packet *packet);

/* Write one, image->len bytes, to `to`, which has room for WEIR_PACKET_MAX. */
static inline void
weir_sack_write(const struct weir_sack_image *image, uint32_t edge, uint8_t *to)
{
	uint32_t word = __builtin_bswap32(edge);
	uint32_t sum = image->sum + (word & 0xffff) + (word >> 16);
	uint16_t field;

	weir_packet_copy(to, image->bytes, image->len);
	if (image->edge_off == 0)
		return;
	sum = (sum & 0xffff) + (sum >> 16);
	field = (uint16_t)~(sum + (sum >> 16));
	memcpy(to + image->edge_off, &word, sizeof(word));
	memcpy(to + image->sum_off, &field, sizeof(field));
}

#endif
