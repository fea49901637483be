#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# An interface with an MTU of 9000: weir announces what its port takes, and the kernel fills it. With
# ring frames of 2048 bytes it announces less, and nothing is cut off.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

# The longest frame is one of a full segment.
longest() {
	same "longest frame" "$(figure ports.0.frame_max)" "$1"
}

test_begin jumbo
net_veth
ip -n "$peer_ns" link set "$peer_if" mtu 9000
ip -n "$weir_ns" link set "$weir_if" mtu 9000

vdev="net_af_packet0,iface=$weir_if,blocksz=1228800,framesz=12288,framecnt=2000"
stream 2 $((8 * 1048576))
check "full jumbo frames" longest 9014
rm -rf "$work/arrived.d"

vdev="net_af_packet0,iface=$weir_if,blocksz=1048576,framesz=2048,framecnt=4096"
stream 2 $((8 * 1048576))
check "what a ring frame holds" longest $((2048 - 88 + 14))
exit $failed
