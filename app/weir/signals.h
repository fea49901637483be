/* SPDX-License-Identifier: BSD-3-Clause */
/* The signals that only weir knows: those that write the record. */
#ifndef APP_WEIR_SIGNALS_H
#define APP_WEIR_SIGNALS_H

#include "run.h"

/* Once `run` is whole: SIGUSR1 and a failed assertion write its record. Without one SIGUSR1 is
 * ignored. */
void signals_catch(struct run *run);

/* Before the stack goes: what would look at it. */
void signals_release(void);

#endif
