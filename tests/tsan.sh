#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# One short run of weir, built with ThreadSanitizer in the directory WEIR_BUILD: Linux TCP streams into
# a file sink and a discard sink, with reports and records by SIGUSR1 meanwhile. Engine, control and
# writer thread share the snapshots, the rings and the record.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin tsan
net_veth
mkdir "$work/in"
weir_start --listen "9000:file=$work/in" --listen 9001 --record "$work/record" --stats 1 --seconds 60
weir_wait
sent_digests 2 8388608 7
spawn ip netns exec "$peer_ns" "$work/peer" send --connect "$weir_ip:9001" --conns 2 --bytes 8388608 \
	--seconds 20
beside=$last
spawn sh -c 'for i in 1 2 3 4 5; do sleep 0.3; kill -USR1 "$1"; done' - "$weir_pid"
signals=$last
check "all connections end well" peer send --connect "$weir_ip:9000" --conns 2 --bytes 8388608 --seed 7 \
	--seconds 20 >"$work/peer.out"
reap "$beside"
check "those beside them, too" [ $? = 0 ]
reap "$signals"
check "a record is written meanwhile" [ -s "$work/record" ]
wait_written "$work/in" 16777216
weir_stop
check "content equal" check_content "$work/peer.out" "$work/in" 2 8388608
check "packets balance" check_balance
check "no race is told" [ "$(grep -c ThreadSanitizer "$work/weir.err")" = 0 ]
exit $failed
