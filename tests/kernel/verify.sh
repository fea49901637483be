#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The verify sink: the generator's pattern from the kernel passes, one changed byte is found and told.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin verify
net_veth
bytes=$((4 * 1048576))

# run_verify STATUS PEER_OPTIONS...: weir's figures are in $work/weir.flat, its lines in weir.err.
run_verify() {
	wanted=$1
	shift
	weir_start --listen 9002:verify --seconds 60
	weir_wait
	check "peer ends well" peer send --connect "$weir_ip:9002" --conns 4 --bytes $bytes \
		--seconds 30 "$@" >"$work/peer.out"
	cat "$work/peer.out"
	kill -TERM "$weir_pid"
	reap "$weir_pid"
	check "status" same "status" $? "$wanted"
	awk -f "$root/config/json.awk" "$work/weir.out" >"$work/weir.flat"
}

run_verify 0 --pattern
check "all bytes verified" same "equal" "$(figure connections.verify.bytes)" $((4 * bytes))
check "no byte wrong" same "wrong" "$(figure connections.verify.wrong_bytes)" 0
check "packets balance" check_balance

run_verify 2 --pattern --wrong 3000000
check "all others verified" same "equal" "$(figure connections.verify.bytes)" $((4 * (bytes - 1)))
check "the wrong bytes counted" same "wrong" "$(figure connections.verify.wrong_bytes)" 4
check "their connections counted" same "connections" "$(figure connections.verify.wrong_conns)" 4
check "the first one told" same "offset" "$(figure connections.verify.first.offset)" 3000000
check "one line about it" same "lines" "$(grep -c "byte 3000000 is" "$work/weir.err")" 1
check "which names the connection" grep -qE "^weir: verify: $peer_ip:[0-9]+: byte" "$work/weir.err"
exit $failed
