/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tools add to or take from EAL's own arguments, so that they run without hugepages. */
#ifndef APP_CLI_EAL_ARGS_H
#define APP_CLI_EAL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/cli/parse.h"

/* The machine, and what the buffers ask of it. */
struct eal_facts {
	uint64_t hugepages_free_mb;
	uint64_t memory_free_mb; /* ordinary pages */
	uint32_t buffers;
	uint32_t buffer_bytes;
	bool fixed; /* no option makes them fewer */
};

struct eal_args {
	int argc;
	char **argv; /* NULL-ended; strings are those of the caller or of `text` */
	bool no_huge;
	bool log_level;	    /* the user's own --log-level */
	uint64_t memory_mb; /* what -m says or was made to say; 0: not said */
	char text[32];
	char note[OPTIONS_ERROR]; /* not empty: one line to tell the user */
};

/* Memory for the buffers, and for what EAL and the ports take beside them. */
uint64_t eal_args_need_mb(uint32_t buffers, uint32_t buffer_bytes, bool no_huge);

/*
 * Build EAL's arguments from argv[0..argc) (program name first, no "--"). Returns 0, or -1 with one
 * line in `error` (OPTIONS_ERROR bytes). Free with eal_args_free.
 */
int eal_args_build(struct eal_args *args, int argc, char **argv, const struct eal_facts *facts,
		   char *error);
void eal_args_free(struct eal_args *args);

/* Is memory of `args` too small for the buffers? Then -1 and one line in `error`. */
int eal_args_check(const struct eal_args *args, const struct eal_facts *facts, char *error);

/* Data room that a frame of this MTU needs: Ethernet header, two tags, headroom; at least 2176. */
uint32_t eal_args_buffer_bytes(uint32_t mtu);

/* The same from what --vdev says (framesz=, the MTU of iface=), known before EAL has ports. */
uint32_t eal_args_vdev_bytes(int argc, char **argv);

/* Read from /sys and /proc. */
void eal_facts_read(struct eal_facts *facts);

#endif
