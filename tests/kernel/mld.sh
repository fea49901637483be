#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A kernel bridge that snoops stands between weir and the kernel: it forwards to a port only the groups
# that were reported there. By MLD of both versions weir is found by its neighbour, and stays so when
# what the bridge has learnt is to be refreshed; without reports nobody finds it.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

switch_ns=weir-$$-s
switch=wr$$br
switch_peer=wr$$c
switch_weir=wr$$d
group=ff02::1:ff00:1

set_ip6() {
	in_ns "$1" sh -c '
		[ -e "/proc/sys/net/ipv6/conf/$1" ] || exit 1
		echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_dad"
		echo 0 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"' - "$2"
}

# switch_port NAMESPACE INTERFACE PORT
switch_port() {
	ip link add "$2" netns "$1" type veth peer name "$3" netns "$switch_ns" ||
		die "cannot make a veth pair"
	ip -n "$switch_ns" link set "$3" master "$switch" up
	ip -n "$1" link set "$2" up
}

# net_switch VERSION: of MLD. A query each second, an answer within half of one, forgotten after three.
net_switch() {
	netns_add "$switch_ns"
	netns_add "$peer_ns"
	netns_add "$weir_ns"
	ip -n "$switch_ns" link add "$switch" type bridge mcast_snooping 1 mcast_querier 1 \
		mcast_mld_version "$1" mcast_query_interval 100 mcast_query_response_interval 50 \
		mcast_startup_query_interval 50 mcast_membership_interval 300 ||
		skip "the kernel has no bridge that snoops"
	set_ip6 "$switch_ns" "$switch" || skip "the kernel has no IPv6"
	switch_port "$peer_ns" "$peer_if" "$switch_peer"
	switch_port "$weir_ns" "$weir_if" "$switch_weir"
	ip -n "$switch_ns" link set "$switch" up
	in_ns "$peer_ns" ethtool -K "$peer_if" tso off gso off gro off tx off >/dev/null ||
		die "cannot switch segmentation offload off on $peer_if"
	vdev="net_af_packet0,iface=$weir_if,blocksz=1048576,framesz=2048,framecnt=4096"
	port_name=net_af_packet0
	program_ns=$weir_ns
	weir_addresses="--ip $weir_ip/$prefix --ip $weir_ip6/$prefix6 --ip $weir_link6/$prefix6"
	ip -n "$peer_ns" addr add "$peer_ip/$prefix" dev "$peer_if"
	set_ip6 "$peer_ns" "$peer_if" &&
		ip -n "$peer_ns" addr add "$peer_ip6/$prefix6" dev "$peer_if" nodad ||
		die "cannot address $peer_if"
	sleep 3 # until the bridge forwards, and trusts in its own queries
}

reported() {
	in_ns "$switch_ns" bridge mdb show dev "$switch" | grep "port $switch_weir" |
		grep -q "$group"
}

# The neighbour is looked for again: what is known of it goes.
found() {
	ip -n "$peer_ns" -6 neigh flush all
	in_ns "$peer_ns" ping -6 -q -c 2 -i 0.3 -W 1 "$weir_ip6" >/dev/null
}

# begins OPTIONS...: weir, until it has reported
begins() {
	weir_start --listen 9000 --seconds 60 "$@"
	weir_wait
	sleep 2
}

test_begin mld
for version in 2 1; do
	say "-- a bridge that asks by version $version --"
	net_switch $version
	begins
	check "the bridge knows the group" reported
	check "the neighbour is found" found
	sleep 5
	check "the bridge still knows the group" reported
	check "the neighbour is still found" found
	weir_stop
	say "queries $(figure engines.0.mld_queries), reports $(figure engines.0.mld_reports)"
	check "queries were answered" [ "$(figure engines.0.mld_queries)" -ge 3 ]
	check "packets balance" check_balance
	check "nothing malformed" same "drops of mld" "$(figure drops.mld)" 0
	sleep 4
	begins --mld off
	check "without reports the bridge knows no group" eval "! reported"
	check "and nobody finds the neighbour" eval "! found"
	weir_stop
	check "no report was sent" same reports "$(figure engines.0.mld_reports)" 0
	for ns in "$peer_ns" "$weir_ns" "$switch_ns"; do
		netns_remove "$ns"
	done
done
exit $failed
