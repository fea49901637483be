/* SPDX-License-Identifier: BSD-3-Clause */
/* Turning a request into its answer in place, in the buffer that brought it. Private to engine/. */
#ifndef WEIR_ENGINE_REPLY_H
#define WEIR_ENGINE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/parse.h"

struct rte_mbuf;

/* Overwrite bytes that lie inside the chain. */
void weir_reply_write(struct rte_mbuf *buf, uint32_t off, const uint8_t *from, uint32_t len);

/*
 * Cut the padding behind `len` bytes, as far as it lies in the segment where they end: segments
 * that hold nothing else stay, for a device need not like empty ones.
 */
void weir_reply_cut(struct rte_mbuf *buf, uint32_t len);

/* Is there room to put the stripped tags back? */
bool weir_reply_can_tag(const struct rte_mbuf *buf);
/* The reply leaves as plain bytes: what the port said of the request no longer holds. */
void weir_reply_put_tags(struct rte_mbuf *buf);

bool weir_reply_unicast(const uint8_t *mac);
/* From the port to `to`. */
void weir_reply_put_macs(const struct weir_parse *parse, struct rte_mbuf *buf, const uint8_t *to);
/*
 * The sender's MAC address to `mac`. Neither a request sent to a group (RFC 1122 3.2.2.6) nor one
 * from a group is answered: one frame would be multiplied.
 */
bool weir_reply_macs(struct rte_mbuf *buf, uint8_t *mac);

#endif
