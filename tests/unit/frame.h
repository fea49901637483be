/* SPDX-License-Identifier: BSD-3-Clause */
/* Builds frames for tests: correct by default, wrong where a field says so. */
#ifndef WEIR_TESTS_FRAME_H
#define WEIR_TESTS_FRAME_H

#include <stdint.h>

#include "flow/buffer.h"

struct frame_spec {
	uint8_t src_mac[6], dst_mac[6];
	uint16_t tci[3];     /* VLAN tags in the frame, outermost first */
	uint16_t tpid[3];    /* 0: 0x8100 */
	uint8_t n_tags;
	uint8_t l3;          /* no Ethernet header */
	uint16_t ethertype;  /* 0: IPv4 */
	uint8_t protocol;    /* 0: TCP; else the payload stands where the TCP header would */
	uint8_t version_ihl; /* 0: true one */
	uint32_t src, dst;   /* IPv4, host order */
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint16_t flags;      /* AE in the ninth bit */
	uint16_t win, urgent;
	uint8_t tos, ttl;
	uint16_t ip_id;
	uint16_t ip_frag;    /* flags and offset as on the wire */
	/* Options are padded to 4 with zero, end of list. */
	const uint8_t *ip_options; uint8_t ip_options_len;
	const uint8_t *tcp_options; uint8_t tcp_options_len;
	uint8_t has_ts;      /* NOP NOP TIMESTAMP before tcp_options */
	uint32_t tsval, tsecr;
	const void *payload; uint32_t len;
	int32_t ip_total_delta; /* added to the true IP total length */
	uint8_t data_offset; /* 0: true one */
	uint8_t bad_ip_csum, bad_tcp_csum, partial_csum;
	uint16_t pad;        /* bytes behind the packet, not zero */
	uint16_t split;      /* >0: a new buffer segment every `split` bytes */
	/* IPv6 instead: what is said of the header above goes for it, too, as far as it can. */
	uint8_t ip6;
	uint8_t src6[16], dst6[16];
	uint32_t flow_label;
	/* Extension headers, whole; the last one names the protocol, which `protocol` repeats. */
	const uint8_t *extensions; uint16_t extensions_len;
	uint8_t first_extension;
};

/* Addresses used unless a test says otherwise. */
#define FRAME_LOCAL_IP   0xc0000201u /* 192.0.2.1 */
#define FRAME_REMOTE_IP  0xc0000202u /* 192.0.2.2 */
extern const uint8_t frame_local_ip6[16];  /* 2001:db8::1 */
extern const uint8_t frame_remote_ip6[16]; /* 2001:db8::2 */
#define FRAME_PAD        0xa5
extern const uint8_t frame_local_mac[6];
extern const uint8_t frame_remote_mac[6];

/* The sum of ICMPv6 is put into a payload of protocol 58, wrong with bad_tcp_csum. */
/* Remote to local, port 40000 to 9000, ACK, window 65535, ttl 64. */
void frame_spec_init(struct frame_spec *spec);

/* NULL when the pool is empty. The caller owns the chain. A buffer that is full is followed by
 * another also without `split`. */
struct rte_mbuf *frame_build(struct weir_pool *pool, const struct frame_spec *spec);

/* Bytes of the frame at `to` (FRAME_MAX of them); returns the length, pad included. */
#define FRAME_MAX (26 + 65535 + 65535)
uint32_t frame_write(const struct frame_spec *spec, uint8_t *to);

/*
 * A chain of `len` bytes in heap memory of exactly their size, so that a sanitizer sees every read
 * beyond; the first buffer holds `split` bytes (0: all), each further one as many. Without a pool;
 * offload fields are 0. Freed by frame_exact_free.
 */
struct rte_mbuf *frame_exact(const uint8_t *bytes, uint32_t len, uint32_t split);
void frame_exact_free(struct rte_mbuf *buf);

/* Internet checksum byte pair by byte pair, as RFC 1071 defines it; host order, inverted. `sum` is
 * what to start from, also in host order. */
uint16_t frame_csum(const uint8_t *bytes, uint32_t len, uint32_t sum);

#endif
