#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# How long a sender waits that nobody answers: weir is stopped for 3 s (--full: 14) amid a transfer, so
# that the kernel's timer alone decides when it sends again. Each wait ends when the timer is due as
# tests/tools/stall.h reckons it; this is what check_stalls and the interop matrix hold waits against.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin silence
net_veth
silent_s=3
[ -z "$full" ] || silent_s=14
# A probe of the last segment waits for another time than the timeout.
in_ns "$peer_ns" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_early_retrans' ||
	die "the kernel's TCP settings cannot be changed in a namespace"
# 64 KiB in 50 ms: slow enough not to be over before.
weir_start --listen 9000:discard --seconds 60 --receive-buffer 65536 --impair "seed=1,delay=25ms,both=1"
weir_wait
spawn ip netns exec "$peer_ns" taskset -c "$peer_core" "$work/peer" send --connect "$weir_ip:9000" \
	--conns 2 --bytes 2500000 --seconds 50 >"$work/peer.out"
peer_pid=$last
sleep 0.7
kill -STOP "$weir_pid"
sleep $silent_s
kill -CONT "$weir_pid"
check "all connections end well" reap "$peer_pid"
cat "$work/peer.out"
weir_stop
check "packets balance" check_balance
check "the sender waited again and again" [ "$(peer_total lost_again)" -ge 2 ]
check "and each time as long as its timer" at_most "most ms beyond the timer" "$(peer_total over_ms)" 20
exit $failed
