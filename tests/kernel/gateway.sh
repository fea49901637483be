#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A peer in another network is answered through --gateway, whose link address changes while a stream
# runs. Without --gateway it is answered the way its SYN came, and such a stream ends there.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

bytes=8388608

# moved SECONDS WEIR_OPTIONS...: a stream of a few seconds, in the first of which the peer's link address
# changes; its kernel announces that and takes no more frames to the old one. The sender's status.
moved() {
	seconds_=$1
	shift
	rm -rf "$work/arrived.d"
	mkdir "$work/arrived.d"
	weir_start --listen "9000:file=$work/arrived.d" --receive-buffer 64K \
		--impair seed=1,delay=20ms --seconds 100 "$@"
	weir_wait
	spawn ip netns exec "$peer_ns" "$work/peer" send --connect "$weir_ip:9000" --bytes $bytes \
		--seed 7 --seconds "$seconds_" >"$work/peer.out"
	sender_=$last
	sleep 1
	links=$((links + 1))
	ip -n "$peer_ns" link set "$peer_if" address "02:00:00:00:ee:0$links"
	reap "$sender_"
}

test_begin gateway
links=0
net_veth
# The peer stands behind the gateway: its address is in no network of weir's.
ip -n "$peer_ns" addr add 203.0.113.9/32 dev lo
ip -n "$peer_ns" route add "$weir_ip/32" dev "$peer_if" src 203.0.113.9
in_ns "$peer_ns" sh -c 'echo 1 >"/proc/sys/net/ipv4/conf/$1/arp_notify"' - "$peer_if"
sent_digests 1 $bytes 7

check "the stream ends well" moved 60 --gateway "$peer_ip"
cat "$work/peer.out"
wait_written "$work/arrived.d" $bytes
weir_stop
check "content equal" check_content "$work/peer.out" "$work/arrived.d" 1 $bytes
check "packets balance" check_balance
check "the gateway was asked" [ "$(figure engines.0.arp_requests)" -ge 1 ]
check "its link address was learnt and changed" same changes "$(figure engines.0.gateway_changes)" 2

not() {
	! "$@"
}
check "without a gateway it does not" not moved 4
kill -TERM "$weir_pid"
reap "$weir_pid"
exit $failed
