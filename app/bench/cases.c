/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

const struct bench_case bench_cases[] = {
    {"bulk", "whole path, rx to tx, cycles a segment over the least a receiver does", true,
     case_bulk},
    {"profile", "where the cycles of a poll go, room by room", true, case_profile},
};
const uint32_t bench_n_cases = sizeof(bench_cases) / sizeof(bench_cases[0]);
