#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A listener with limits: of the kernel's clients that connect at the same time only as many come in as may,
# the others try again and come in when there is room; every byte of all of them is equal.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin limits
net_veth
conns=12
bytes=4194304

# limited NAME DROP OPTIONS: drops of that name, no other refusal, and everything arrives.
limited() {
	name=$1
	drop=$2
	shift 2
	weir_start --listen 9002:verify "$@" --seconds 90
	weir_wait
	check "$name: peer ends well" peer send --connect "$weir_ip:9002" --conns $conns \
		--bytes $bytes --seconds 60 --pattern >"$work/peer.out"
	kill -TERM "$weir_pid"
	reap "$weir_pid"
	check "$name: status" same "status" $? 0
	awk -f "$root/config/json.awk" "$work/weir.out" >"$work/weir.flat"
	say "$name: $(figure "drops.$drop") packets refused"
	check "$name: some were refused" test "$(figure "drops.$drop")" -gt 0
	check "$name: all came in" same "accepted" "$(figure connections.accepted)" $conns
	check "$name: all have gone" same "established" "$(figure connections.established)" 0
	check "$name: all bytes verified" same "equal" "$(figure connections.verify.bytes)" \
		$((conns * bytes))
	check "$name: packets balance" check_balance
}

limited connections listener_connections --listen-connections 3 --listen-memory 2M
limited addresses listener_address --listen-per-address 3
exit $failed
