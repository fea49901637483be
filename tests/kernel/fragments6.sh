#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The kernel over IPv6 through a forwarder that cuts its segments into fragments of 576 bytes, which no
# router does: in their order, the last one first, and through an impaired link. The port is net_tap:
# the kernel puts together what net_af_packet gets.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

router_ns=weir-$$-p
sender_ns=weir-$$-s
sender_if=wr$$s
router_if=wr$$r
bytes=$((8 * 1048576))
[ -z "$full" ] || bytes=$((64 * 1048576))

# sender -- forwarder -- net_tap's device
net_forwarder() {
	netns_add "$sender_ns"
	ip link add "$sender_if" netns "$sender_ns" type veth peer name "$router_if" \
		netns "$router_ns" || die "cannot make a veth pair"
	in_ns "$sender_ns" ethtool -K "$sender_if" tso off gso off gro off tx off >/dev/null ||
		die "cannot switch segmentation offload off on $sender_if"
	in_ns "$router_ns" ethtool -K "$router_if" gro off >/dev/null
	ip -n "$router_ns" link set "$router_if" up
	ip -n "$sender_ns" link set "$sender_if" up
	ip -n "$sender_ns" addr add "$peer_ip/$prefix" dev "$sender_if"
	peer_ns=$sender_ns
	peer_if=$sender_if
	net_ip6 || skip "the kernel has no IPv6"
	peer_ns=$router_ns
}

# Once weir runs: the forwarder between its device and the sender, who is peer.
forward() {
	peer_ns=$router_ns
	net_tap_up
	ip -n "$router_ns" addr flush dev "$tap_if" # the sender's
	spawn ip netns exec "$router_ns" "$work/fragmenter" "$router_if" "$tap_if" 576 --seconds 200 \
		$how >"$work/fragmenter.out"
	fragmenter_pid=$last
	peer_ns=$sender_ns
	ip -n "$sender_ns" neigh flush all # the device is another one each time
	ip -n "$sender_ns" -6 neigh flush all
}

lost_fragments() {
	awk '/^drops\.(fragment_|ip_fragment|tcp_checksum)/ { n += $2 } END { print n + 0 }' \
		"$work/weir.flat"
}

# part NAME WEIR_OPTIONS...
part() {
	say "$1"
	shift
	rm -rf "$work/arrived.d"
	stream_to="[$weir_ip6]"
	stream 4 $bytes "$@"
	kill -TERM "$fragmenter_pid" 2>/dev/null
	reap "$fragmenter_pid"
	cat "$work/fragmenter.out"
	say "fragments $(figure engines.0.fragments), packets of them $(figure engines.0.reassembled)"
	check "most of the stream came in fragments" [ "$(figure engines.0.reassembled)" -ge \
		$((4 * bytes / 1440 / 2)) ]
	check "those that wait are bounded" at_most "fragments held" \
		"$(figure memory.fragments_held)" $((8 * 64))
}

test_begin fragments6
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
run "${CC:-cc}" -std=c11 -O2 -D_GNU_SOURCE -o "$work/fragmenter" "$root/tests/tools/fragmenter.c" ||
	die "tests/tools/fragmenter.c does not compile"
net_tap
net_forwarder
when_started=forward
how=

part "fragments of 576 bytes"
check "three of each packet" [ "$(figure engines.0.fragments)" -ge \
	$((2 * $(figure engines.0.reassembled))) ]
check "no fragment waits at the end" same "fragments held" "$(figure memory.fragments_held)" 0
check "no fragment was lost" same "fragments lost" "$(lost_fragments)" 0

how=--backwards
part "the last fragment first"
check "no fragment was lost" same "fragments lost" "$(lost_fragments)" 0

part "through 0.5 % loss, 1 % duplication and 1 % reordering" \
	--impair "seed=1,loss=0.5%,dup=1%,reorder=1%"
check "repeated fragments were known" [ "$(figure drops.fragment_duplicate)" -gt 0 ]
exit $failed
