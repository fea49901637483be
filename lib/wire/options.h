/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP options (RFC 9293 3.1, RFC 7323, RFC 2018), read by a walk that always ends. */
#ifndef WEIR_WIRE_OPTIONS_H
#define WEIR_WIRE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct weir_seg;

struct weir_tcp_options {
	uint32_t tsval;
	uint32_t tsecr;
	uint16_t mss;   /* 0 when absent */
	uint8_t wscale; /* at most 14 (RFC 7323 2.3: larger is taken as 14) */
	bool has_wscale;
	bool has_ts;
	bool sack_permitted;
	bool malformed; /* the walk stopped early; what was read before it counts */
};

/*
 * Read `len` bytes of TCP options (0 to 40) at `p`. Never reads outside them. An option of length 0
 * or 1, or one that runs past the end, stops the walk and sets `malformed`; what stood before it
 * stays valid, as in Linux. MSS 0 counts as absent. Options with a wrong length for their kind are
 * skipped. Any thread.
 */
void weir_tcp_options_read(const uint8_t *p, uint32_t len, struct weir_tcp_options *out);
/* The same of the frame that `seg` describes, however it is split; none where its buffer is too short. */
void weir_seg_options_read(const struct weir_seg *seg, struct weir_tcp_options *out);

#endif
