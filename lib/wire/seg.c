/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire/seg.h"

void
weir_segs_write(struct weir_seg *segs, uint32_t n)
{
	for (uint32_t i = 0; i < n;) {
		struct weir_seg *block = &segs[i];
		uint32_t len = 1u + block->alike;

		for (uint32_t k = 1; k < len; k++)
			weir_seg_write(block, k, &block[k]);
		block->alike = 0;
		i += len;
	}
}
