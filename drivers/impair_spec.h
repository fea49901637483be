/* SPDX-License-Identifier: BSD-3-Clause */
/* What the impairment wrapper shall do, and the reader of its text. */
#ifndef WEIR_DRIVERS_IMPAIR_SPEC_H
#define WEIR_DRIVERS_IMPAIR_SPEC_H

#include <stdint.h>

enum weir_impair_effect {
	WEIR_IMPAIR_LOSS,
	WEIR_IMPAIR_DUP,
	WEIR_IMPAIR_REORDER,
	WEIR_IMPAIR_CORRUPT,
	WEIR_IMPAIR_TRUNCATE,
	WEIR_IMPAIR_CE, /* of ECN-capable packets */
	WEIR_IMPAIR_EFFECTS
};

#define WEIR_IMPAIR_ALWAYS 1000000000u /* rates are in parts of 10^9 */

struct weir_impair_spec {
	uint64_t seed;
	uint64_t delay_ns;
	uint32_t rate[WEIR_IMPAIR_EFFECTS];
	uint32_t both; /* what is sent, too */
};

/*
 * Read "seed=1,loss=1%,delay=200us,...". Words left out mean 0. -EINVAL, *error then points at the
 * word in `text` that is unknown or given before, or whose value is not understood.
 */
int weir_impair_spec_parse(const char *text, struct weir_impair_spec *spec, const char **error);

#endif
