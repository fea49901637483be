/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SYN-ACKs of one kind by copy and patch: in a flood all but a few fields are the same, so that the
 * header is built once and checksums come from a prepared sum (RFC 1624). IPv4.
 */
#ifndef WEIR_WIRE_SYN_ACK_H
#define WEIR_WIRE_SYN_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/header.h"

/* What SYN-ACKs made from one image share. */
struct weir_syn_ack_kind {
	uint32_t laddr;
	uint32_t vlan;
	uint16_t lport;
	uint16_t win;
	uint16_t mss;
	uint16_t flags;
	int8_t wscale;
	uint8_t sack_permitted;
	uint8_t has_ts;
	uint8_t port;
	uint8_t tags; /* as in wire/tags.h */
	uint8_t made; /* 1: there is an image of it */
	uint8_t accecn; /* 1: the AccECN option, with the counters as they begin */
	uint8_t spare;
};
_Static_assert(sizeof(struct weir_syn_ack_kind) == 24, "compared byte by byte, so no padding");

/* And what each has of its own, in host order. */
struct weir_syn_ack {
	uint8_t remote_mac[6];
	uint16_t rport;
	uint32_t raddr;
	uint32_t seq;
	uint32_t ack;
	uint32_t tsval;
	uint32_t tsecr;
};

struct weir_syn_ack_image {
	struct weir_syn_ack_kind kind;
	uint64_t ip_sum;  /* unfolded, without raddr */
	uint64_t tcp_sum; /* unfolded, without what struct weir_syn_ack says */
	uint8_t len;
	uint8_t l3_off; /* 0: without a link header */
	uint8_t l4_off;
	uint8_t ts_off; /* of TSval, from the start */
	uint8_t bytes[WEIR_PACKET_MAX + 6];
};

/* Make the image of `kind` for a peer behind `link`, whose remote address does not matter. */
void weir_syn_ack_image(struct weir_syn_ack_image *image, const struct weir_syn_ack_kind *kind,
			const struct weir_link *link);

#define WEIR_SYN_ACK_MAX 96 /* Ethernet 14, two tags 8, IPv4 20, TCP 52, and what copying may touch */

/* Write the packet to `to`, which has room for WEIR_SYN_ACK_MAX bytes; returns its length. */
uint32_t weir_syn_ack_write(const struct weir_syn_ack_image *image,
			    const struct weir_syn_ack *syn_ack, uint8_t *to);

#endif
