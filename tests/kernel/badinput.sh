#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What a person types wrongly gets one line on standard error that names it, and a status that is
# not zero; a full disk too.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin badinput
good="--port net_null0 --ip 198.18.0.1/24"
: >"$work/plainfile"

log_level="--log-level lib.eal:error"

# wrong "EAL OPTIONS" "OPTIONS" WORD: WORD must stand in the one line. DPDK's own lines begin with a
# component in capitals, those of drivers with a function, and are not counted.
wrong() {
	# shellcheck disable=SC2086
	run ${few:-} timeout -k 5 20 "$weir" -l "$engine_core" --no-pci --file-prefix "weir-$$" $1 \
		$log_level -- $2 </dev/null >"$work/weir.out" 2>"$work/raw.err"
	status=$?
	grep -vE '^[A-Z_0-9]+: |^[a-z_]+\(\): ' "$work/raw.err" >"$work/weir.err"
	lines=$(wc -l <"$work/weir.err")
	if [ $status -gt 0 ] && [ $status -lt 124 ] && [ "$lines" = 1 ] &&
		grep -qF -e "$3" "$work/weir.err"; then
		say "ok $2"
		return
	fi
	say "FAILED $2: status $status, $lines lines, '$3' expected in:"
	cat "$work/raw.err"
	failed=1
}

memory="--no-huge -m 256 --no-shconf"
null="$memory --vdev net_null0"
wrong "$null" "$good --listen 9000 --no-such-option" no-such-option
wrong "$null" "$good --listen 9000 stray" stray
wrong "$null" "--port net_null0 --ip 198.18.0.1000/24 --listen 9000" 198.18.0.1000
wrong "$null" "--port net_null0 --ip 198.18.0.1/33 --listen 9000" 198.18.0.1/33
wrong "$null" "--port net_null0 --listen 9000" --ip
wrong "$null" "$good --gateway nowhere --listen 9000" nowhere
wrong "$null" "$good --gateway 198.19.0.1 --listen 9000" "in the network of no --ip"
wrong "$null" "$good --gateway 198.18.0.1 --listen 9000" "own address"
wrong "$null" "$good --gateway 198.18.0.255 --listen 9000" "--gateway: '198.18.0.255' is the network's broadcast"
wrong "$null" "--port net_absent7 --ip 198.18.0.1/24 --listen 9000" net_absent7
wrong "$memory" "--ip 198.18.0.1/24 --listen 9000" port
wrong "$null" "$good --listen 9000 --listen 9000:discard" 9000
wrong "$null" "$good --listen 0" 0
wrong "$null" "$good --listen 65536" 65536
wrong "$null" "$good --listen 9000:shredder" shredder
wrong "$null" "$good --listen 9000:file=" file=
wrong "$null" "$good --listen 9000:file=$work/plainfile/dir" plainfile
wrong "$null" "$good --listen 9000 --aggregate-limit 0" aggregate-limit
wrong "$null" "$good --listen 9000 --aggregate-limit many" aggregate-limit
wrong "$null" "$good --listen 9000 --flush sometimes" sometimes
wrong "$null" "$good --listen 9000 --flush polls=" polls=
wrong "$null" "$good --listen 9000 --ack never" never
wrong "$null" "$good --listen 9000 --rx-queue-segs 0" rx-queue-segs
wrong "$null" "$good --listen 9000 --receive-buffer 1" receive-buffer
wrong "$null" "$good --listen 9000 --budget 0" budget
wrong "$null" "$good --listen 9000 --impair seed=1,mischief=1%" mischief
wrong "$null" "$good --listen 9000 --impair loss=101%" loss
wrong "$null" "$good --listen 9000 --seconds -1" seconds
wrong "$null" "$good --listen 9000 --stats x" stats
wrong "--no-huge -m 8 --no-shconf --vdev net_null0" "$good --listen 9000" "-m 8"
wrong "--no-huge -m many --no-shconf --vdev net_null0" "$good --listen 9000" many
wrong "--no-huge -m 99999999 --no-shconf --vdev net_null0" "$good --listen 9000" "-m 99999999"
wrong "$null" "$good --listen 9000 --listen 9001:verify=x" verify=x
wrong "$null" "--port net_null0 --ip 198.18.0.0/24 --listen 9000" 198.18.0.0/24
wrong "$null" "--port net_null0 --ip 198.18.0.255/24 --listen 9000" broadcast
wrong "$null" "--port net_null0 --ip fe80::1 --listen 9000" fe80::1/64
wrong "$null" "--port net_null0 --ip 127.0.0.1/8 --listen 9000" "loopback address"
wrong "$null" "--port net_null0 --ip 2001:db8::/64 --listen 9000" "all routers"
wrong "$null" "$good --listen 9000 --listen-memory 4K" listen-memory
wrong "$null" "$good --listen 9000 --listen-memory 64K" "at least 136K"
wrong "$null" "--port net_null0 --ip= --listen 9000" empty
wrong "$null --vdev net_null1" "--ip 198.18.0.1/24 --ip 198.18.0.1/24 --listen 9000" twice
wrong "$null --vdev net_null0" "$good --listen 9000" "given twice"
wrong "$null --vdev net_af_packet0" "--ip 198.18.0.1/24 --listen 9000" "no interface"
wrong "$memory --vdev net_af_packet0,iface=absent0" "--ip 198.18.0.1/24 --listen 9000" absent0
wrong "$memory --vdev net_af_packet0,iface=lo,framesz=256" "--ip 198.18.0.1/24 --listen 9000" framesz=256
wrong "$memory --vdev net_af_packet0,iface=lo,qpairs=2" "--ip 198.18.0.1/24 --listen 9000" qpairs=2
wrong "$memory --vdev net_af_xdp0,iface=lo" "--ip 198.18.0.1/24 --listen 9000" hugepages
wrong "$null --vdev net_pcap0,rx_pcap=/nope" "$good --listen 9000" net_pcap0
wrong "$null -a 0000:7f:1f.7" "$good --listen 9000" "-a 0000:7f:1f.7"
wrong "$null --allow=0000:7f:1f.7" "$good --listen 9000" "no such PCI device"
wrong "$memory --vdev crypto_null0" "--ip 198.18.0.1/24 --listen 9000" crypto_null0
wrong "$memory --vdev=" "--ip 198.18.0.1/24 --listen 9000" "names no device"
wrong "$memory --vdev net_memif0,role=client,socket=$work/absent,socket-abstract=no" \
	"--ip 198.18.0.1/24 --listen 9000" "start the other side first"
wrong "$memory --vdev net_vhost0,iface=$work/absent/socket" "--ip 198.18.0.1/24 --listen 9000" \
	"make the directory first"
echo precious >"$work/precious"
wrong "$memory --vdev net_vhost0,iface=$work/precious" "--ip 198.18.0.1/24 --listen 9000" "$work/precious"
check "a file in a socket's place stays" grep -q precious "$work/precious"
wrong "$null --file-prefix a/b" "$good --listen 9000" "--file-prefix 'a/b'"
wrong "$null --proc-type=secondary" "$good --listen 9000" proc-type
log_level=
wrong "$null --seconds 1" "$good --listen 9000" "those of weir behind it"
log_level="--log-level lib.eal:error"
wrong "$null" "$good --listen 9000 -l 1" "EAL's go before --"
wrong "stray $null" "$good --listen 9000" stray
log_level="--log-level chatty"
wrong "$null" "$good --listen 9000" "'chatty' is no level"
log_level="--log-level lib.eal:error"
wrong "$null" "$good --listen 9000 --impair $(printf '%04000d' 0)" "give words, each once, such as"
cat >"$work/few" <<'END'
ulimit -n 63 && exec "$@"
END
few="sh $work/few"
wrong "$null" "$good --listen 9000" "raise it to 64 at least (ulimit -n)"
few=
mkfifo "$work/pipe"
wrong "$null" "$good --listen 9000 --record $work/pipe" "$work/pipe"
ln -s nowhere "$work/link"
wrong "$null" "$good --listen 9000 --record $work/link" "link to nowhere"
wrong "$null" "$good --listen 9000 --record $work" "$work"
wrong "$null" "$good --listen 9000 --record $work/absent/file" absent
wrong "$null" "$good --listen 9000:file=$work/pipe" "$work/pipe"
wrong "$null" "$good --listen 9000:file=/dev/null" /dev/null
wrong "$null" "$good --listen 9000:file=/proc" "in which files can be made"
check "options without -- are told" sh -c '"$1" -l 1 --ip 198.18.0.1/24 --listen 9000 2>&1 | grep -qF -e "-- is missing"' - "$weir"

# no_room NAME: a stream of 16 MiB to a directory that has no room for it, by $work/wrap.
net_veth
mkdir "$work/full"
weir_wrap="sh $work/wrap"
no_room() {
	weir_start --listen "9000:file=$work/full" --seconds 60
	weir_wait
	peer send --connect "$weir_ip:9000" --bytes 16777216 --seconds 5 >/dev/null 2>&1
	kill -TERM "$weir_pid" 2>/dev/null
	reap "$weir_pid"
	status=$?
	grep -vE '^[A-Z_0-9]+: |^weir: ready: ' "$work/weir.err" >"$work/lines"
	check "$1: status" same status $status 2
	cat "$work/lines"
	check "$1: one line" same lines "$(wc -l <"$work/lines")" 1
	check "$1: names the directory" grep -F "$work/full" "$work/lines"
}

# A full disk. The file system is private to the program and goes with it.
cat >"$work/wrap" <<END
mount -t tmpfs -o size=4m none "$work/full" && exec "\$@"
END
no_room "full disk"
# What weir may write to one file: 4 MiB, in blocks of 512 bytes.
cat >"$work/wrap" <<END
ulimit -f 8192 && exec "\$@"
END
no_room "file size limit"
check "file size limit: names the mend" grep -F "ulimit -f" "$work/lines"
check "file size limit: nothing is left" same files "$(ls "$work/full")" ""
exit $failed
