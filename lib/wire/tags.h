/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which protocol identifiers the VLAN tags of a frame carried, so that answers carry the same. They
 * are no part of a flow's key. Two bits a tag, outermost first; tags of VID 0 do not count, as in
 * the key.
 */
#ifndef WEIR_WIRE_TAGS_H
#define WEIR_WIRE_TAGS_H

#include <stdint.h>

struct rte_mbuf;

#define WEIR_TAGS_MAX 2

/* Of `len` bytes from the start of an Ethernet frame. */
uint8_t weir_tags_of_bytes(const uint8_t *frame, uint32_t len);
/* Of a received Ethernet frame. What the port took off was 0x88a8 when it says that there were two,
 * else 0x8100. */
uint8_t weir_tags_of_frame(struct rte_mbuf *buf);
/* The identifier of tag `i`, 0 the outermost. */
uint16_t weir_tags_id(uint8_t tags, uint32_t i);

#endif
