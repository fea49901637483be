/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC32C (RFC 3720 B.4) by the crc32 instruction, three lanes at once because its latency is three
 * cycles. Any x86-64 with SSE4.2, which DPDK asks for. */
#ifndef APP_BENCH_DIGEST_H
#define APP_BENCH_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* Once before the others. */
void digest_init(void);
/* Begin with 0; a later call goes on where one ended. */
uint32_t digest_crc32c(uint32_t crc, const void *data, size_t len);
/* The same, and a copy to `to`, in one pass. */
uint32_t digest_copy_crc32c(uint32_t crc, void *to, const void *data, size_t len);

#endif
