#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The kernel sends 64 MiB (--full: 512) through 1 % loss, 1 % duplication and 2 % reordering. All of
# it arrives, and no connection stands still longer than the sender's own timeout explains.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin impaired
net_veth
mib=64
[ -z "$full" ] || mib=512
stream 4 $((mib * 262144)) --impair "seed=1,loss=1%,dup=1%,reorder=2%"
check "segments were impaired" [ "$(peer_total retrans)" -gt 0 ]
check_stalls
exit $failed
