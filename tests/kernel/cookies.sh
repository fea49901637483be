#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A backlog of one: of the kernel's clients that connect at the same time all but one come in by SYN
# cookies, and every byte of theirs is equal.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin cookies
net_veth
conns=64
bytes=1048576

weir_start --listen 9002:verify --backlog 1 --seconds 60
weir_wait
check "peer ends well" peer send --connect "$weir_ip:9002" --conns $conns --bytes $bytes \
	--seconds 30 --pattern >"$work/peer.out"
tail -n 1 "$work/peer.out"
kill -TERM "$weir_pid"
reap "$weir_pid"
check "status" same "status" $? 0
awk -f "$root/config/json.awk" "$work/weir.out" >"$work/weir.flat"
accepted=$(figure connections.cookies_accepted)
say "$accepted of $conns connections came in by cookies"
check "cookies were answered" test "$accepted" -gt 0
check "none was refused" same "refused" "$(figure connections.cookies_refused)" 0
check "all bytes verified" same "equal" "$(figure connections.verify.bytes)" $((conns * bytes))
check "no byte wrong" same "wrong" "$(figure connections.verify.wrong_bytes)" 0
check "packets balance" check_balance
exit $failed
