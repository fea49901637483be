/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define MIB (1024 * 1024)

static size_t
resident_pages(void *p, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (bytes + page - 1) / page, sum = 0;
	unsigned char *in = calloc(n, 1);

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(mincore(p, bytes, in), 0);
	for (size_t i = 0; i < n; i++)
		sum += in[i] & 1;
	free(in);
	return sum;
}

START_TEST(is_zeroed_and_aligned)
{
	static const size_t sizes[] = {1, 64, 4095, 4096, 4097, 3 * MIB + 5};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *p = weir_arena_alloc(sizes[i], -1);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % 64, 0);
		ck_assert_uint_eq(p[0], 0);
		ck_assert_int_eq(memcmp(p, p + 1, sizes[i] - 1), 0);
		memset(p, 0xff, sizes[i]);
		weir_arena_free(p, sizes[i]);
	}
}
END_TEST

/* A table for a million flows of which one is used costs one page, also at the end of it. */
START_TEST(costs_only_what_is_touched)
{
	size_t bytes = 512u * MIB;
	uint8_t *p = weir_arena_alloc(bytes, -1);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(resident_pages(p, bytes), 0);
	p[0] = 1;
	p[bytes / 2] = 1;
	p[bytes - 1] = 1;
	ck_assert_uint_eq(resident_pages(p, bytes), 3);
	weir_arena_free(p, bytes);
}
END_TEST

/* Does the kernel say `flag` of the pages from `p` on? */
static bool
has_flag(const void *p, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char line[512];
	bool inside = false, has = false;

	ck_assert_ptr_nonnull(smaps);
	while (fgets(line, sizeof(line), smaps) != NULL) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (uintptr_t)p - start < end - start;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, flag) != NULL;
	}
	ck_assert_int_eq(fclose(smaps), 0);
	return has;
}

/* Asked for where the kernel has them, and only when somebody does; untouched it costs nothing. */
START_TEST(huge_pages_are_a_preference)
{
	bool kernel_has = access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
	uint8_t *p = weir_arena_alloc(64u * MIB, -1);

	ck_assert_ptr_nonnull(p);
	ck_assert(!has_flag(p, " hg"));
	weir_arena_prefer_huge(p, 64u * MIB);
	ck_assert_uint_eq(has_flag(p, " hg"), kernel_has);
	ck_assert_uint_eq(resident_pages(p, 64u * MIB), 0);
	p[32 * MIB] = 1;
	ck_assert_uint_eq(p[32 * MIB - 1] + p[32 * MIB + 1], 0);
	weir_arena_free(p, 64u * MIB);
}
END_TEST

/* A node is a preference: naming one, existing or not, never refuses memory. */
START_TEST(node_is_a_preference)
{
	static const int nodes[] = {0, 1, 63, 1023, 1024, 1 << 20};

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		uint32_t *p = weir_arena_alloc(MIB, nodes[i]);

		ck_assert_ptr_nonnull(p);
		p[0] = 7;
		p[MIB / 4 - 1] = 8;
		ck_assert_uint_eq(p[0] + p[MIB / 4 - 1], 15);
		weir_arena_free(p, MIB);
	}
}
END_TEST

START_TEST(refuses_the_impossible)
{
	ck_assert_ptr_null(weir_arena_alloc(0, -1));
	ck_assert_ptr_null(weir_arena_alloc(SIZE_MAX, -1));
	ck_assert_ptr_null(weir_arena_alloc(SIZE_MAX / 2, -1));
	weir_arena_free(NULL, 0);
	weir_arena_free(NULL, 100);
}
END_TEST

START_TEST(free_gives_back_every_page)
{
	size_t bytes = 4 * MIB + 1;

	for (int i = 0; i < 200; i++) {
		uint8_t *p = weir_arena_alloc(bytes, -1);

		ck_assert_ptr_nonnull(p);
		p[bytes - 1] = 1;
		weir_arena_free(p, bytes);
		/* Nothing is mapped there any more, the last, partly used page included. */
		ck_assert_int_eq(mincore(p + 4 * MIB, 1, (unsigned char[1]){0}), -1);
		ck_assert_int_eq(mincore(p, bytes, (unsigned char[1026]){0}), -1);
	}
}
END_TEST

static void
add(Suite *s)
{
	UNIT_CASE(s, is_zeroed_and_aligned);
	UNIT_CASE(s, costs_only_what_is_touched);
	UNIT_CASE(s, huge_pages_are_a_preference);
	UNIT_CASE(s, node_is_a_preference);
	UNIT_CASE(s, refuses_the_impossible);
	UNIT_CASE(s, free_gives_back_every_page);
}

UNIT_MAIN("arena", add)
