/* SPDX-License-Identifier: BSD-3-Clause */
/* Scripts that are written by a program, each from a model of its own that shares no code with the
 * library. */
#ifndef WEIR_TESTS_FAMILY_H
#define WEIR_TESTS_FAMILY_H

#include <stdint.h>

/* Takes one script; `text` is the writer's again afterwards. */
struct family_taker {
	void (*take)(void *user, const char *name, const char *text);
	void *user;
};

/* Every state x flag combination x place of the sequence number x length x acknowledgment. */
void family_states(const struct family_taker *taker);
/* All orders in which five segments can arrive, one by one and at once. */
void family_orders(const struct family_taker *taker);
/* All relations of two and of three intervals, with and without a hole before them. */
void family_overlaps(const struct family_taker *taker);

#endif
