/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/arena.h"

#include <numaif.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define NODES_MAX 1024
#define WORD_BITS (8 * sizeof(unsigned long))

/* 0 when the length does not fit. */
static size_t
whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return bytes > SIZE_MAX - page ? 0 : (bytes + page - 1) & ~(page - 1);
}

/*
 * A preference: memory elsewhere is slower, no memory is worse, and containers often forbid the
 * call. numa_tonode_memory() would print where this fails.
 */
static void
prefer_node(void *p, size_t len, int node)
{
	unsigned long mask[NODES_MAX / WORD_BITS] = {0};

	if (node < 0 || node >= NODES_MAX)
		return;
	mask[(size_t)node / WORD_BITS] = 1UL << ((size_t)node % WORD_BITS);
	(void)mbind(p, len, MPOL_PREFERRED, mask, NODES_MAX + 1, 0);
}

void *
weir_arena_alloc(size_t bytes, int node)
{
	size_t len = whole_pages(bytes);
	void *p;

	if (len == 0)
		return NULL;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		 0);
	if (p == MAP_FAILED)
		return NULL;
	/*
	 * No transparent huge pages: a stack has a dozen tables sized for their maximum, and 2 MiB
	 * for the first entry of each would cost more memory than a thousand connections, and their
	 * zeroing 100 us in the middle of a poll.
	 */
	(void)madvise(p, len, MADV_NOHUGEPAGE);
	prefer_node(p, len, node);
	return p;
}

void
weir_arena_prefer_huge(void *p, size_t bytes)
{
	(void)madvise(p, whole_pages(bytes), MADV_HUGEPAGE);
}

void
weir_arena_free(void *p, size_t bytes)
{
	if (p != NULL)
		munmap(p, whole_pages(bytes));
}
