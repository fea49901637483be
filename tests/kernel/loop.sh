#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# 10,000 connections opened, used and closed: buffers, connections and memory are back where they
# were after a start without any connection.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

# The figures of memory that are amounts, not counts of events.
amounts() {
	grep '^memory\.' "$work/weir.flat" | grep -vE '(edges_held|collapsed|pruned|_max|peak)' | sort
}

times=10000
test_begin loop
net_veth
weir_start --listen 9000:discard --seconds 60
weir_wait
weir_stop
amounts >"$work/before"

weir_start --listen 9000:discard --seconds 280
weir_wait
check "all connections end well" peer loop --connect "$weir_ip:9000" --conns 32 --times $times \
	--bytes 3000 --seconds 240 >"$work/peer.out"
cat "$work/peer.out"
sleep 0.5
weir_stop
amounts >"$work/after"

check "connections closed" same "peer's count" "$(peer_total done)" $times
check "connections accepted" same "weir's count" "$(figure connections.accepted)" $times
check "none is left" same "established" "$(figure connections.established)" 0
check "none is half open" same "syn_received" "$(figure connections.syn_received)" 0
check "amounts are known" [ -s "$work/before" ]
check "memory is back" diff "$work/before" "$work/after"
check "packets balance" check_balance
exit $failed
