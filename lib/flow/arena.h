/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control-path memory of an engine: zeroed, page-backed on first touch, on one NUMA node. Tables are
 * sized for their maximum and cost only what is used.
 */
#ifndef WEIR_FLOW_ARENA_H
#define WEIR_FLOW_ARENA_H

#include <stddef.h>

/* `bytes` zeroed bytes, cache-line aligned, on NUMA node `node` where that has room (-1: any). NULL
 * when refused. */
void *weir_arena_alloc(size_t bytes, int node);

/* What has not been touched of it comes in huge pages from now on, where the kernel has them. */
void weir_arena_prefer_huge(void *p, size_t bytes);

/* Give back what weir_arena_alloc(bytes, ...) returned; NULL is fine. */
void weir_arena_free(void *p, size_t bytes);

#endif
