/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

const struct bench_case bench_cases[] = {
    {"bulk", "whole path, rx to tx, cycles a segment over the least a receiver does", true,
     case_bulk},
    {"copy", "the whole path with a copying read", true, case_copy},
    {"lwip", "payload per busy cycle beside lwIP, software checksums", true, case_lwip},
    {"gro", "parse, lookup and aggregation beside rte_gro", true, case_gro},
    {"merge", "aggregates formed against the fewest possible on the same polls", true, case_merge},
    {"onoff", "aggregation and ACK templates off and on, rooms 5 to 9", true, case_onoff},
    {"limit", "the whole path by the aggregation limit", true, case_limit},
    {"flows", "the whole path by the number of connections", true, case_flows},
    {"ack", "an ACK of a train, and the share of all ACKs", true, case_ack},
    {"queue", "the receive queue beside a ring of the same elements", true, case_queue},
    {"rr", "a lone segment from the port to the application", true, case_rr},
    {"delay", "holding open aggregates: size, cost and waiting", true, case_delay},
    {"reorder", "throughput with reordered segments over throughput in order", true, case_reorder},
    {"pool", "a large pool of buffers over a small one", true, case_pool},
    {"digest", "the whole path with CRC32C of the payload", true, case_digest},
    {"memory", "an idle connection", true, case_memory},
    {"profile", "where the cycles of a poll go, room by room", true, case_profile},
    {"kernel", "bytes per busy cycle beside Linux on veth, whose cost is in", false, case_kernel},
    {"accept", "connections per second of a busy core beside Linux on veth", false, case_accept},
    {"policy", "what each ACK policy does to Linux senders with Reno and CUBIC", false,
     case_policy},
};
const uint32_t bench_n_cases = sizeof(bench_cases) / sizeof(bench_cases[0]);
