/* SPDX-License-Identifier: BSD-3-Clause */
/* What the attacks share: how a finding is told, and that a run ends with everything home. */
#ifndef WEIR_TESTS_ATTACK_ATTACKS_H
#define WEIR_TESTS_ATTACK_ATTACKS_H

#include <stdbool.h>

#include "tests/attack/rig.h"

/* Each prints what it saw, and returns false when something did not hold. `full`: the long form. */
bool attack_flood(bool full);
bool attack_blind(bool full);
bool attack_holes(bool full);
bool attack_tiny(bool full);
bool attack_collide(bool full);

/* `held` or a line that says what did not. */
bool attack_holds(bool held, const char *what);
/* Ends a run: every buffer of all pools is back, and no stream had a wrong byte. */
bool attack_over(struct rig *rig);

#endif
