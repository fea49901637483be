#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A kernel that does not discover path MTUs sends full segments, and a router between it and weir cuts
# them into fragments of 576 bytes; then the same through an impaired link, and while the router
# says again and again that the sender cannot be reached. The port is net_tap: the kernel puts together
# what net_af_packet gets.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

router_ns=weir-$$-p
sender_ns=weir-$$-s
sender_if=wr$$s
router_if=wr$$r
sender_ip=198.18.19.1
router_ip=198.18.19.254
bytes=$((8 * 1048576))
[ -z "$full" ] || bytes=$((64 * 1048576))

# sender -- router, which has net_tap's device too.
net_router() {
	netns_add "$sender_ns"
	ip link add "$sender_if" netns "$sender_ns" type veth peer name "$router_if" \
		netns "$router_ns" || die "cannot make a veth pair"
	{
		in_ns "$sender_ns" ethtool -K "$sender_if" tso off gso off gro off tx off &&
			in_ns "$router_ns" ethtool -K "$router_if" tso off gso off gro off tx off
	} >/dev/null || die "cannot switch segmentation offload off on $sender_if"
	ip -n "$sender_ns" addr add "$sender_ip/24" dev "$sender_if"
	ip -n "$router_ns" addr add "$router_ip/24" dev "$router_if"
	ip -n "$sender_ns" link set "$sender_if" up
	ip -n "$router_ns" link set "$router_if" up
	ip -n "$sender_ns" route add default via "$router_ip"
	in_ns "$router_ns" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	in_ns "$sender_ns" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_no_pmtu_disc'
}

# Once weir runs, and has announced what its port took then: the link gets narrow, the sender is peer.
link_up() {
	peer_ns=$router_ns
	net_tap_up
	ip -n "$router_ns" link set "$tap_if" mtu 576
	peer_ns=$sender_ns
}

# part NAME WEIR_OPTIONS...
part() {
	say "$1"
	shift
	rm -rf "$work/arrived.d"
	stream 4 $bytes "$@"
	say "fragments $(figure engines.0.fragments), packets of them $(figure engines.0.reassembled)"
	check "most of the stream came in fragments" [ "$(figure engines.0.reassembled)" -ge \
		$((4 * bytes / 1460 / 2)) ]
	check "those that wait are bounded" at_most "fragments held" \
		"$(figure memory.fragments_held)" $((8 * 64))
}

# Until the stream is over the router has no way to the sender, now and then: it tells weir so, about
# its ACKs.
unreachable_now_and_then() {
	tries=0
	while [ ! -e "$work/over" ] && [ $tries -lt 300 ]; do
		tries=$((tries + 1))
		ip -n "$router_ns" route add unreachable "$sender_ip/32"
		sleep 0.1
		ip -n "$router_ns" route del unreachable "$sender_ip/32"
		sleep 0.2
	done
}

test_begin fragments
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
net_tap
net_router
when_started=link_up

part "fragments of 576 bytes"
check "three of each packet" [ "$(figure engines.0.fragments)" -ge \
	$((2 * $(figure engines.0.reassembled))) ]
check "no fragment waits at the end" same "fragments held" "$(figure memory.fragments_held)" 0
check "no fragment was lost" same "drops but duplicates" "$(other_drops)" 0

part "through 0.5 % loss, 1 % duplication and 1 % reordering" \
	--impair "seed=1,loss=0.5%,dup=1%,reorder=1%"
check "repeated fragments were known" [ "$(figure drops.fragment_duplicate)" -gt 0 ]

bytes=$((4 * bytes))
unreachable_now_and_then &
children="$children $!"
part "while the router says that the sender is unreachable"
: >"$work/over"
check "weir heard of it" [ "$(figure engines.0.icmp_errors)" -gt 0 ]
check "and nothing ended" same "connections reset" "$(figure connections.resets_sent)" 0
exit $failed
