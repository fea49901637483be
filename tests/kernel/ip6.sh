#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The kernel over IPv6: it finds weir by neighbour discovery and by it sees that an address is taken,
# pings it, and sends 4 x 16 MiB (--full: 128) to a global and to a link-local address, and through an
# impaired link. Both families at once in the last part.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin ip6
net_veth
net_ip6 || skip "the kernel has no IPv6"
bytes=$((16 * 1048576))
[ -z "$full" ] || bytes=$((128 * 1048576))

# part NAME TO WEIR_OPTIONS...
part() {
	say "$1"
	stream_to=$2
	shift 2
	rm -rf "$work/arrived.d"
	stream 4 $bytes "$@"
}

# The kernel gives up an address that somebody answers for.
duplicate_is_seen() {
	in_ns "$peer_ns" sh -c 'echo 1 >"/proc/sys/net/ipv6/conf/$1/accept_dad"' - "$peer_if"
	ip -n "$peer_ns" addr add "$weir_ip6/128" dev "$peer_if" || return 1
	sleep 3
	ip -n "$peer_ns" -6 addr show dev "$peer_if" dadfailed | grep -q "$weir_ip6" ||
		seen_=no
	ip -n "$peer_ns" addr del "$weir_ip6/128" dev "$peer_if"
	[ "${seen_:-yes}" = yes ]
}

pinged() {
	in_ns "$peer_ns" ping -6 -q -c 3 -i 0.2 -W 2 "$@" >/dev/null
}

weir_start --listen 9000 --seconds 60
weir_wait
check "a global address answers echo" pinged "$weir_ip6"
check "a link-local address answers echo" pinged "$weir_link6%$peer_if"
check "the kernel knows it as a neighbour" \
	eval 'ip -n "$peer_ns" -6 neigh show "$weir_ip6" | grep -q lladdr'
check "the kernel sees that the address is taken" duplicate_is_seen
weir_stop
check "packets balance" check_balance
check "solicitations were answered" [ "$(figure engines.0.nd_replies)" -ge 3 ]
check "nothing malformed" same "drops of nd" "$(figure drops.nd)" 0

part "global addresses" "[$weir_ip6]"
check "aggregates are made" [ "$(figure engines.0.data_segs)" -ge $((2 * $(figure aggregates.count))) ]
part "link-local addresses" "[$weir_link6%$peer_if]"
part "through 1 % loss, 1 % duplication and 2 % reordering" "[$weir_ip6]" \
	--impair "seed=1,loss=1%,dup=1%,reorder=2%"
check "segments were impaired" [ "$(peer_total retrans)" -gt 0 ]
check "no long stall" at_most "longest gap in ms" "$(figure max_gap_ms)" \
	$(($(peer_total rto_ms) + 200))
part "through 1 % corruption and 0.5 % truncation" "[$weir_ip6]" \
	--impair "seed=2,corrupt=1%,truncate=0.5%"
exit $failed
