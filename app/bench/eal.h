/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_BENCH_EAL_H
#define APP_BENCH_EAL_H

/*
 * Start EAL with argv[0, argc) as they are, or, when there is no argument but the name, with what
 * every machine takes: two lcores, no PCI, hugepages when enough are free. 0, or -1 with one line
 * in `error` (OPTIONS_ERROR bytes).
 */
int eal_start(int argc, char **argv, char *error);

#endif
