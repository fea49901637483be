/* SPDX-License-Identifier: BSD-3-Clause */
/* Internet checksum (RFC 1071), over chains and incrementally (RFC 1624). */
#ifndef WEIR_WIRE_CHECKSUM_H
#define WEIR_WIRE_CHECKSUM_H

#include <stdint.h>

struct rte_mbuf;

/* One's complement sum folded to 16 bits, not inverted; words in network order as they lie. */
static inline uint16_t
weir_csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum of `len` contiguous bytes added to `sum`; `len` may be odd. Unfolded. */
uint64_t weir_csum_add(const void *p, uint32_t len, uint64_t sum);

/* The same by vectors of so many bytes, 0 none, which must not be wider than the widest that this
 * processor has: 64 (AVX-512), 32 (AVX2) or 0. */
uint64_t weir_csum_add_by(uint32_t vector_bytes, const void *p, uint32_t len, uint64_t sum);
uint32_t weir_csum_widest(void);

/*
 * Sum of the `len` bytes that start `off` bytes into the chain, added to `sum`; segments may start
 * at odd offsets. The range must lie inside the chain. Unfolded.
 */
uint64_t weir_csum_add_chain(const struct rte_mbuf *buf, uint32_t off, uint32_t len, uint64_t sum);

/* Sum of the IPv4 pseudo header; addresses in host order, tcp_len = header + payload. Unfolded. */
uint64_t weir_csum_pseudo4(uint32_t src, uint32_t dst, uint8_t protocol, uint16_t tcp_len);

/* Sum of the IPv6 pseudo header (RFC 8200 8.1); `addresses`: source and destination, 32 bytes as they
 * lie in the header. Unfolded. */
uint64_t weir_csum_pseudo6(const uint8_t *addresses, uint8_t next_header, uint32_t len);

#endif
