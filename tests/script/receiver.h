/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a receiver has and must report, byte by byte: RFC 9293 3.10.7.4 for the ACK, RFC 2018 section
 * 4 for the order of SACK blocks, RFC 2883 section 4 for D-SACK.
 */
#ifndef WEIR_TESTS_RECEIVER_H
#define WEIR_TESTS_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#define RECEIVER_BYTES	 2048
#define RECEIVER_HISTORY 16

struct receiver {
	bool has[RECEIVER_BYTES]; /* by sequence number, the first byte has 1 */
	uint32_t nxt;
	uint32_t most; /* blocks that fit beside the other options */
	uint32_t history[RECEIVER_HISTORY]; /* where segments arrived, the latest first */
	uint32_t n_history;
	uint32_t delivered; /* bytes that became readable, until the caller takes them */
};

void receiver_init(struct receiver *receiver, bool timestamps);
/* [start, end) arrives: appends the ACK that must answer it, as a line of a script. */
void receiver_take(struct receiver *receiver, uint32_t start, uint32_t end, char *to,
		   uint32_t size);

#endif
