/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_CLI_SEED_H
#define APP_CLI_SEED_H

#include <stdint.h>

/* From the system's random numbers; from its clock when there are none. */
uint64_t seed_from_system(void);

#endif
