/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

const struct bench_case bench_cases[] = {
    {"bulk", "whole path, rx to tx, cycles a segment over the least a receiver does", true,
     case_bulk},
    {"copy", "the whole path with a copying read", true, case_copy},
    {"flows", "the whole path by the number of connections", true, case_flows},
    {"reorder", "throughput with reordered segments over throughput in order", true, case_reorder},
    {"pool", "a large pool of buffers over a small one", true, case_pool},
    {"digest", "the whole path with CRC32C of the payload", true, case_digest},
    {"profile", "where the cycles of a poll go, room by room", true, case_profile},
};
const uint32_t bench_n_cases = sizeof(bench_cases) / sizeof(bench_cases[0]);
