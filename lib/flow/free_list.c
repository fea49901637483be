/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/free_list.h"

#include <string.h>

#include "flow/flow.h"

uint32_t
weir_free_list_take(struct weir_free_list *list, void *base, uint32_t stride, uint32_t link_off)
{
	uint32_t i;

	if (list->head != 0) {
		i = list->head - 1;
		memcpy(&list->head, (uint8_t *)base + (size_t)i * stride + link_off,
		       sizeof(list->head));
	} else if (list->touched < list->size) {
		i = list->touched++;
	} else {
		return WEIR_NONE;
	}
	list->used++;
	return i;
}

void
weir_free_list_give(struct weir_free_list *list, void *base, uint32_t stride, uint32_t link_off,
		    uint32_t i)
{
	memcpy((uint8_t *)base + (size_t)i * stride + link_off, &list->head, sizeof(list->head));
	list->head = i + 1;
	list->used--;
}
