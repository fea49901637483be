#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The kernel sends through 20 ms of delay: with the buffer fixed at 64 KiB, which holds it up, then
# tuned, with and without timestamps, when the buffer follows what the path holds. All bytes are equal.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin tuning
net_veth
mib=16
[ -z "$full" ] || mib=128

# delayed NAME WEIR_OPTIONS...
delayed() {
	name=$1
	shift
	stream 1 $((mib * 1048576)) --impair "seed=1,delay=20ms" "$@"
	rm -rf "$work/arrived.d"
	largest=$(figure connections.receive_buffer_max_bytes)
	peer_total ms >"$work/$name.ms"
	say "$name: $((mib * 1048576 / ($(cat "$work/$name.ms") + 1))) KB/s, largest buffer $largest bytes," \
		"raised $(figure connections.receive_buffers_raised)," \
		"refused $(figure connections.receive_buffers_refused)"
}

delayed fixed --receive-buffer 64K
check "fixed is not tuned" same "largest buffer" "$largest" 0
delayed tuned
check "tuned by timestamps" [ "$largest" -ge 524288 ]
check "never beyond the most" at_most "largest buffer" "$largest" 4194304
in_ns "$peer_ns" sh -c 'echo 0 >/proc/sys/net/ipv4/tcp_timestamps'
delayed untimed
check "tuned by windows" [ "$largest" -ge 524288 ]
in_ns "$peer_ns" sh -c 'echo 1 >/proc/sys/net/ipv4/tcp_timestamps'
delayed bounded --receive-buffer 64K-256K
check "up to what is given" same "largest buffer" "$largest" 262144
exit $failed
