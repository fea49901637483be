/* SPDX-License-Identifier: BSD-3-Clause */
/* LIFO of the free entries of a lazily touched array. Private to one engine. */
#ifndef WEIR_FLOW_FREE_LIST_H
#define WEIR_FLOW_FREE_LIST_H

#include <stdint.h>

struct weir_free_list {
	uint32_t head; /* index + 1 */
	uint32_t touched;
	uint32_t size;
	uint32_t used;
};

/* An entry of the array at `base`, whose entries are `stride` bytes apart and, while free, are linked by
 * a word at `link_off`; WEIR_NONE when none is left. */
uint32_t weir_free_list_take(struct weir_free_list *list, void *base, uint32_t stride,
			     uint32_t link_off);
void weir_free_list_give(struct weir_free_list *list, void *base, uint32_t stride,
			 uint32_t link_off, uint32_t i);

#endif
