/* SPDX-License-Identifier: BSD-3-Clause */
/* The mark that a filling queue sets on packets whose transport can answer it (RFC 3168 section 5). */
#ifndef WEIR_DRIVERS_IMPAIR_MARK_H
#define WEIR_DRIVERS_IMPAIR_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;

/* Whether the IP packet at l3_off carries ECT(0) or ECT(1): neither Not-ECT nor marked already. */
bool weir_impair_capable(struct rte_mbuf *buf, uint32_t l3_off);

/* Set CE on a packet that is capable and seen by nobody else; an IPv4 header keeps a sum as right or
 * wrong as it was (RFC 1624). */
void weir_impair_mark(struct rte_mbuf *buf, uint32_t l3_off);

#endif
