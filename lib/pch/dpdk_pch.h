/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * With -Db_pch=true compiled once per target, since what DPDK's headers pull in costs more than most
 * files that include them. No file relies on it: the builds without find a missing include.
 */
#ifndef WEIR_DPDK_PCH_H
#define WEIR_DPDK_PCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#endif
