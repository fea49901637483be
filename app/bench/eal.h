/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_BENCH_EAL_H
#define APP_BENCH_EAL_H

#include <stdbool.h>

/*
 * Start EAL with argv[0, argc), or, when there is no argument but the name, with what every machine
 * takes: its last two cores, no PCI. Hugepages when enough are free. False: it was said why.
 */
bool eal_begin(int argc, char **argv);

#endif
