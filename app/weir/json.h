/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_WEIR_JSON_H
#define APP_WEIR_JSON_H

#include <stdio.h>

#include "run.h"

struct json_about {
	uint32_t lcore;
	uint64_t seed;
};

/* Every counter as one object on one line. */
void json_write(FILE *to, const struct snapshot *snapshot, const struct json_about *about);

#endif
