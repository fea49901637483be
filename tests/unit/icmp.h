/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors as a router would write them, for the tests of who reads them. */
#ifndef WEIR_TESTS_ICMP_H
#define WEIR_TESTS_ICMP_H

#include <string.h>

#include "tests/unit/frame.h"

#define ICMP_ROUTER_IP 0xcb007101u /* 203.0.113.1 */
#define ICMP_MAX       128

/* An error, and the packet that it quotes: one of ours to the remote, unless a test says otherwise. */
struct icmp_spec {
	uint8_t type, code;
	uint16_t mtu;
	uint32_t src, dst; /* of the quoted packet */
	uint16_t sport, dport;
	uint32_t seq;
	uint16_t len;	    /* of the quoted packet, as it says */
	uint8_t protocol;   /* of the quoted packet */
	uint8_t version_ihl;
	uint16_t fragment;  /* its flags and offset */
	uint32_t quoted;    /* bytes of its TCP header that are there */
	bool bad_sum;
	bool ip6; /* ICMPv6: src and dst are the last words of addresses like those of frame.h */
};

static inline void
icmp_put(uint8_t *to, uint32_t value, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
}

/* Host unreachable, about an ACK. */
static inline struct icmp_spec
icmp_about(uint16_t remote_port, uint32_t seq)
{
	return (struct icmp_spec){.type = 3,
				  .code = 1,
				  .src = FRAME_LOCAL_IP,
				  .dst = FRAME_REMOTE_IP,
				  .sport = 9000,
				  .dport = remote_port,
				  .seq = seq,
				  .len = 52,
				  .protocol = 6,
				  .version_ihl = 0x45,
				  .quoted = 8};
}

/* The same of ICMPv6. */
static inline struct icmp_spec
icmp_about6(uint16_t remote_port, uint32_t seq)
{
	struct icmp_spec spec = icmp_about(remote_port, seq);

	spec.type = 1;
	spec.code = 0;
	spec.src = 1;
	spec.dst = 2;
	spec.len = 72;
	spec.ip6 = true;
	return spec;
}

/* The message of ICMPv6, whose sum the frame's builder puts. */
static inline uint32_t
icmp_write6(const struct icmp_spec *spec, uint8_t message[ICMP_MAX])
{
	uint8_t *ip = message + 8, *tcp = ip + 40;

	memset(message, 0, ICMP_MAX);
	message[0] = spec->type;
	message[1] = spec->code;
	icmp_put(message + 4, spec->mtu, 4);
	ip[0] = 0x60;
	icmp_put(ip + 4, spec->len - 40u, 2);
	ip[6] = spec->protocol;
	memcpy(ip + 8, frame_local_ip6, 12);
	icmp_put(ip + 20, spec->src, 4);
	memcpy(ip + 24, frame_remote_ip6, 12);
	icmp_put(ip + 36, spec->dst, 4);
	icmp_put(tcp, spec->sport, 2);
	icmp_put(tcp + 2, spec->dport, 2);
	icmp_put(tcp + 4, spec->seq, 4);
	return 48 + spec->quoted;
}

/* The message; returns its length. */
static inline uint32_t
icmp_write(const struct icmp_spec *spec, uint8_t message[ICMP_MAX])
{
	uint8_t *ip = message + 8, *tcp = ip + (spec->version_ihl & 15) * 4;
	uint32_t len = (uint32_t)(tcp - message) + spec->quoted;

	memset(message, 0, ICMP_MAX);
	message[0] = spec->type;
	message[1] = spec->code;
	icmp_put(message + 6, spec->mtu, 2);
	ip[0] = spec->version_ihl;
	icmp_put(ip + 2, spec->len, 2);
	icmp_put(ip + 6, spec->fragment, 2);
	ip[8] = 64;
	ip[9] = spec->protocol;
	icmp_put(ip + 12, spec->src, 4);
	icmp_put(ip + 16, spec->dst, 4);
	icmp_put(tcp, spec->sport, 2);
	icmp_put(tcp + 2, spec->dport, 2);
	icmp_put(tcp + 4, spec->seq, 4);
	icmp_put(message + 2, frame_csum(message, len, 0) ^ (spec->bad_sum ? 0x0100u : 0), 2);
	return len;
}

/* `frame` becomes the packet that carries it; the message lives as long. */
static inline void
icmp_frame(const struct icmp_spec *spec, uint8_t message[ICMP_MAX], struct frame_spec *frame)
{
	frame_spec_init(frame);
	frame->src = ICMP_ROUTER_IP;
	frame->ip6 = spec->ip6;
	frame->src6[15] = 0xfe;
	frame->protocol = spec->ip6 ? 58 : 1;
	frame->bad_tcp_csum = spec->ip6 && spec->bad_sum;
	frame->payload = message;
	frame->len = spec->ip6 ? icmp_write6(spec, message) : icmp_write(spec, message);
}

#endif
