/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEIR_TESTS_PLAY_H
#define WEIR_TESTS_PLAY_H

#include "tests/script/stage.h"

/*
 * Play a script with aggregates of at most `limit` segments. True when all went as it says; else
 * `error` holds the line and what was expected and came.
 */
bool play_script(struct stage *stage, const struct script *script, uint32_t limit,
		 struct script_error *error);

/* The same with limits 1 and 20, or the one limit of the script, over IPv4, and once more over IPv6,
 * always with the same outcome. */
bool play_text(struct stage *stage, const char *text, struct script_error *error);

#endif
