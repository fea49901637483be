/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * CRC32C by folding (Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ,
 * 2009), 64 bytes an instruction. Needs AVX-512 and VPCLMULQDQ: with the 16 bytes of PCLMULQDQ
 * folding is no faster than three lanes of the crc32 instruction.
 */
#ifndef APP_BENCH_DIGEST_FOLD_H
#define APP_BENCH_DIGEST_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_FOLD_LEAST 256 /* bytes of one call */
#define DIGEST_FOLD_MOST  4095

/* This processor can; once before the other. */
bool digest_fold_init(void);
/*
 * The register `crc`, not inverted, behind `len` more bytes, which are copied to `to` unless that is
 * NULL. The bytes are folded by themselves and `crc` comes in at the end, so that one call need not
 * wait for the one before.
 */
uint32_t digest_fold(uint32_t crc, uint8_t *to, const uint8_t *data, size_t len);

#endif
