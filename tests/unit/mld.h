/* SPDX-License-Identifier: BSD-3-Clause */
/* Multicast listener discovery byte by byte: queries as a router writes them, and the reports that are
 * to answer them. */
#ifndef WEIR_TESTS_MLD_H
#define WEIR_TESTS_MLD_H

#include <string.h>

#include "tests/unit/frame.h"
#include "wire/key.h"

struct mld_spec {
	uint8_t type, icmp_code;
	uint16_t code; /* maximum response code */
	uint8_t hops;
	uint8_t source[16];
	uint8_t group[16];
	uint8_t alert[8]; /* hop-by-hop header */
	uint32_t len;	  /* of the message */
	bool bad_sum, no_alert;
};

/* For every group, from fe80::fe, of version 2, with ten seconds for an answer. */
static inline struct mld_spec
mld_general(void)
{
	return (struct mld_spec){.type = 130,
				 .code = 10000,
				 .hops = 1,
				 .source = {0xfe, 0x80, [15] = 0xfe},
				 .alert = {58, 0, 5, 2, 0, 0, 1, 0},
				 .len = 28};
}

/* `frame` becomes what carries it to all nodes; the bytes live until the next call. */
static inline void
mld_frame(const struct mld_spec *spec, struct frame_spec *frame)
{
	static uint8_t message[64], alert[8];
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};

	memset(message, 0, sizeof(message));
	message[0] = spec->type;
	message[1] = spec->icmp_code;
	message[4] = (uint8_t)(spec->code >> 8);
	message[5] = (uint8_t)spec->code;
	memcpy(message + 8, spec->group, 16);
	memcpy(alert, spec->alert, sizeof(alert));
	frame_spec_init(frame);
	frame->ip6 = 1;
	frame->protocol = 58;
	frame->ttl = spec->hops;
	frame->payload = message;
	frame->len = spec->len;
	frame->bad_tcp_csum = spec->bad_sum;
	memcpy(frame->src6, spec->source, 16);
	memcpy(frame->dst6, all_nodes, 16);
	memcpy(frame->dst_mac, (const uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
	if (!spec->no_alert) {
		frame->extensions = alert;
		frame->extensions_len = sizeof(alert);
		frame->first_extension = 0;
	}
}

/* The report of the groups of `own`, none of which comes twice; of version 1 that of the first.
 * `message` has 8 + 20 * WEIR_OWN6_MAX bytes and lives as long as `frame`. */
static inline void
mld_report(const struct weir_own6 *own, uint32_t version, bool changed, uint8_t *message,
	   struct frame_spec *frame)
{
	static const uint8_t alert[8] = {58, 0, 5, 2, 0, 0, 1, 0};
	uint8_t group[16] = {0xff, 0x02, [11] = 1, [12] = 0xff};

	memset(message, 0, 8 + 20 * WEIR_OWN6_MAX);
	frame_spec_init(frame);
	memset(frame->src6, 0, 16);
	memset(frame->dst6, 0, 16);
	frame->dst6[0] = 0xff;
	frame->dst6[1] = 0x02;
	frame->dst6[15] = 0x16;
	message[0] = version == 1 ? 131 : 143;
	message[7] = version == 1 ? 0 : (uint8_t)own->n;
	for (uint32_t i = own->n; i-- > 0;) {
		memcpy(group + 13, own->address[i] + 13, 3);
		if (version == 1) {
			memcpy(message + 8, group, 16);
			memcpy(frame->dst6, group, 16);
		} else {
			message[8 + 20 * i] = changed ? 4 : 2;
			memcpy(message + 8 + 20 * i + 4, group, 16);
		}
		if (own->address[i][0] == 0xfe)
			memcpy(frame->src6, own->address[i], 16);
	}
	frame->ip6 = 1;
	frame->protocol = 58;
	frame->ttl = 1;
	frame->payload = message;
	frame->len = version == 1 ? 24 : 8 + 20 * own->n;
	frame->extensions = alert;
	frame->extensions_len = sizeof(alert);
	memcpy(frame->src_mac, frame_local_mac, 6);
	frame->dst_mac[0] = frame->dst_mac[1] = 0x33;
	memcpy(frame->dst_mac + 2, frame->dst6 + 12, 4);
}

#endif
