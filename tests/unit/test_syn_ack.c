/* SPDX-License-Identifier: BSD-3-Clause */
/* SYN-ACKs by copy and patch are those that are built in full, byte by byte. */
#include <string.h>

#include "tests/unit/unit.h"
#include "wire/header.h"
#include "wire/seg.h"
#include "wire/siphash.h"
#include "wire/syn_ack.h"

static uint64_t state = 5;

static uint32_t
draw(void)
{
	return (uint32_t)weir_seed_next(&state);
}

static struct weir_syn_ack_kind
draw_kind(void)
{
	return (struct weir_syn_ack_kind){
		.laddr = draw(),
		.vlan = draw() % 3 == 0 ? 0 : draw() % 2 == 0 ? draw() & 0xfff : draw() & 0xffffff,
		.lport = (uint16_t)draw(),
		.win = (uint16_t)draw(),
		.mss = draw() % 8 == 0 ? 0 : (uint16_t)draw(),
		.flags = WEIR_TCP_SYN | WEIR_TCP_ACK | (draw() % 2 ? WEIR_TCP_ECE : 0) |
			 (draw() % 2 ? WEIR_TCP_AE : 0),
		.wscale = (int8_t)(draw() % 16) - 1,
		.sack_permitted = draw() % 2,
		.has_ts = draw() % 2,
		.made = 1,
		.accecn = draw() % 2,
	};
}

static struct weir_link
draw_link(const struct weir_syn_ack_kind *kind)
{
	struct weir_link link = {.l3 = draw() % 4 == 0};

	for (uint32_t i = 0; i < 6; i++) {
		link.local_mac[i] = (uint8_t)draw();
		link.remote_mac[i] = (uint8_t)draw();
	}
	if (kind->vlan >> 12 != 0) {
		link.n_tags = 2;
		link.tci[0] = (uint16_t)(kind->vlan >> 12);
		link.tci[1] = kind->vlan & 0xfff;
	} else if (kind->vlan != 0) {
		link.n_tags = 1;
		link.tci[0] = (uint16_t)kind->vlan;
	}
	return link;
}

static struct weir_syn_ack
draw_own(void)
{
	struct weir_syn_ack own = {.rport = (uint16_t)draw(),
				   .raddr = draw(),
				   .seq = draw(),
				   .ack = draw(),
				   .tsval = draw(),
				   .tsecr = draw()};

	for (uint32_t i = 0; i < 6; i++)
		own.remote_mac[i] = (uint8_t)draw();
	if (draw() % 8 == 0) /* sums that wrap */
		own.raddr = own.seq = own.ack = own.tsval = own.tsecr = UINT32_MAX;
	return own;
}

static uint32_t
build_in_full(const struct weir_syn_ack_kind *kind, const struct weir_link *link,
	      const struct weir_syn_ack *own, uint8_t *to)
{
	const struct weir_key4 key = {.raddr = own->raddr,
				      .laddr = kind->laddr,
				      .rport = own->rport,
				      .lport = kind->lport,
				      .vlan = kind->vlan};
	struct weir_packet packet = {.seq = own->seq,
					   .ack = own->ack,
					   .tsval = own->tsval,
					   .tsecr = own->tsecr,
					   .win = kind->win,
					   .flags = kind->flags,
					   .mss = kind->mss,
					   .wscale = kind->wscale,
					   .sack_permitted = kind->sack_permitted};
	struct weir_link theirs = *link;
	struct weir_header header;

	if (kind->accecn)
		packet.accecn = weir_accecn_first();
	memcpy(theirs.remote_mac, own->remote_mac, 6);
	weir_header_init(&header, &theirs, &key, kind->has_ts);
	return weir_header_build(&header, &packet, to);
}

START_TEST(same_as_built_in_full)
{
	for (uint32_t i = 0; i < 20000; i++) {
		struct weir_syn_ack_kind kind = draw_kind();
		struct weir_link link = draw_link(&kind);
		struct weir_syn_ack_image image;

		weir_syn_ack_image(&image, &kind, &link);
		ck_assert_int_eq(memcmp(&image.kind, &kind, sizeof(kind)), 0);
		for (uint32_t k = 0; k < 4; k++) {
			struct weir_syn_ack own = draw_own();
			uint8_t want[WEIR_PACKET_MAX], got[WEIR_PACKET_MAX];
			uint32_t len = build_in_full(&kind, &link, &own, want);

			memset(got, 0xee, sizeof(got));
			ck_assert_uint_eq(weir_syn_ack_write(&image, &own, got), len);
			ck_assert_int_eq(memcmp(got, want, len), 0);
		}
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, same_as_built_in_full);
}

UNIT_MAIN("syn_ack", add)
