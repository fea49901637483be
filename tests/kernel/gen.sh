#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# weir-gen against weir over vhost-user, and against the kernel through af_packet, whole and impaired,
# both also over IPv6, and through tap: streams whose content is checked, request and response, connections, attacks,
# runs that fail and say so, and what a person types wrongly.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

# gen ARGS...: on $gen_vdev in $program_ns; its object is in $work/gen.flat, its messages in
# $work/gen.err. Returns its status.
gen() {
	# shellcheck disable=SC2086
	run timeout -k 5 40 ip netns exec "$program_ns" "${weir%/*}/weir-gen" -l "$gen_core" \
		--no-pci --file-prefix "weir-$$-g" $gen_memory --vdev "$gen_vdev" -- \
		--ip "$gen_ip/$gen_prefix" --connect "$gen_target" --stats 0 --seed 5 --json "$@" \
		>"$work/gen.out" 2>"$work/gen.err"
	gen_status=$?
	awk -f "$root/config/json.awk" "$work/gen.out" >"$work/gen.flat"
	return $gen_status
}

gen_figure() {
	awk -v key="$1" '$1 == key { print $2; found = 1; exit } END { exit !found }' \
		"$work/gen.flat" || {
		cat "$work/gen.err" >&2
		die "weir-gen --json lacks $1"
	}
}

# gen_ip6 ADDRESS TARGET, gen_ip4: from here to there from now on
gen_ip6() {
	gen_ip=$1
	gen_prefix=$prefix6
	gen_target=$2
}
gen_ip4() {
	gen_ip=$1
	gen_prefix=$prefix
	gen_target=$2
}

# gen_good NAME ARGS...: ends well, all acknowledged, no other word on standard error.
gen_good() {
	what_=$1
	shift
	gen "$@" || cat "$work/gen.err"
	check "$what_" [ $gen_status = 0 ]
	check "$what_: complete" same complete "$(gen_figure complete)" true
	check "$what_: acknowledged" same "bytes" "$(gen_figure counters.bytes_acked)" \
		"$(gen_figure counters.bytes_sent)"
	check "$what_: has its time and pace" above_zero seconds gbps segs_per_second
}

# above_zero KEY...: so is each figure of the last run.
above_zero() {
	for key_; do
		awk -v key="$key_" '$1 == key { found = $2 > 0 } END { exit !found }' "$work/gen.flat" || {
			say "$key_ is 0"
			return 1
		}
	done
}

# ordered: the percentiles of the last run grow, and there are as many values as answers.
ordered() {
	awk -v answers="$(gen_figure "counters.$1")" '
	$1 ~ /^latency_ns\./ { sub(/^latency_ns\./, "", $1); of[$1] = $2 }
	END {
		printf "latency of %d: %d %d %d %d %d ns\n", of["count"], of["min"], of["p50"],
			of["p99"], of["p999"], of["max"]
		exit !(of["count"] == answers && answers > 0 && of["min"] > 0 && of["min"] <= of["p50"] &&
			of["p50"] <= of["p99"] && of["p99"] <= of["p999"] && of["p999"] <= of["max"])
	}' "$work/gen.flat"
}

# receiver_start ARGS...: on the kernel's stack in the peer's namespace, at $receiver_at
receiver_at=0.0.0.0
receiver_start() {
	spawn ip netns exec "$peer_ns" taskset -c "$peer_core" "$work/receiver" \
		--listen "$receiver_at:9000" "$@" >"$work/receiver.out"
	receiver_pid=$last
	tries_=0
	until grep -q ready "$work/receiver.out"; do
		tries_=$((tries_ + 1))
		[ $tries_ -lt 50 ] || die "the receiver does not listen"
		sleep 0.1
	done
}

# receiver_stop CLOSED BYTES: that many connections and bytes arrived, all right
receiver_stop() {
	kill -TERM "$receiver_pid"
	reap "$receiver_pid"
	check "receiver: content right, nothing reset" [ $? = 0 ]
	cat "$work/receiver.out"
	check "receiver: connections and bytes" grep -q "^total closed $1 bytes $2 " \
		"$work/receiver.out"
}

# missed NAME STATUS WORD ARGS...: ends with this status and, after what DPDK or a link said, one
# line that holds the word.
missed() {
	what_=$1
	status_=$2
	word_=$3
	shift 3
	gen "$@"
	tail -n 1 "$work/gen.err"
	check "$what_: status" same status "$gen_status" "$status_"
	check "$what_: last line" sh -c 'tail -n 1 "$1" | grep "^weir-gen: " | grep -qF -e "$2"' - \
		"$work/gen.err" "$word_"
	check "$what_: said once" same lines "$(grep -cF -e "$word_" "$work/gen.err")" 1
}

# wrong WORD ARGS...: refused with one line that holds the word, and nothing on standard output
wrong() {
	word_=$1
	shift
	gen "$@"
	if [ $gen_status = 1 ] && [ "$(wc -l <"$work/gen.err")" = 1 ] && [ ! -s "$work/gen.out" ] &&
		grep -qF -e "$word_" "$work/gen.err"; then
		say "ok refused $*"
		return
	fi
	say "FAILED refused $*: status $gen_status, '$word_' expected in:"
	cat "$work/gen.err"
	failed=1
}

test_begin gen
run "${CC:-cc}" -std=c11 -O2 -D_GNU_SOURCE -I "$root" -o "$work/receiver" \
	"$root/tests/tools/receiver.c" || die "tests/tools/receiver.c does not compile"
mib=64
[ -z "$full" ] || mib=1024

say "-- against weir over vhost-user --"
netns_add "$weir_ns"
program_ns=$weir_ns
vdev="net_vhost0,iface=$work/vhost"
port_name=net_vhost0
gen_vdev="net_virtio_user0,path=$work/vhost,queue_size=1024,mac=02:00:00:00:00:09"
gen_core=$peer_core
gen_memory="--no-huge -m 512 --no-shconf --single-file-segments"
gen_ip=$peer_ip
gen_prefix=$prefix
gen_target=$weir_ip:9000
weir_addresses="$weir_addresses --ip $weir_ip6/$prefix6"
weir_start --listen 9000:verify --seconds 280
tries=0
until [ -S "$work/vhost" ]; do
	tries=$((tries + 1))
	[ $tries -lt 100 ] || weir_failed "weir makes no vhost socket"
	sleep 0.1
done
gen_good "stream" --flows 8 --run 8 --bytes $((mib * 131072)) --verify
opened=8
gen_good "stream, 16 sources, no timestamps" --flows 64 --sources 16 --timestamps off --mss 1000 \
	--bytes 100001 --verify
opened=$((opened + 64))
gen_good "idle connections" --flows 1 --hold 500 --seconds 3 --verify # a lost SYN takes one
check "idle connections: opened" same opened "$(gen_figure counters.opened)" 501
opened=$((opened + 501))
gen_good "rr" --flows 4 --seconds 1 --mode rr --verify
check "rr: latency of every request" ordered requests
opened=$((opened + 4))
gen_good "connect" --flows 16 --bytes 100K --mode connect --verify
check "connect: latency of every connection" ordered closed
check "connect: pace" above_zero connections_per_second
check "connect: all" same closed "$(gen_figure counters.closed)" 1600
opened=$((opened + 1600))
gen_good "random RSTs beside streams" --flows 4 --seconds 1 --attack rst --verify
opened=$((opened + 4))
check "random RSTs: sent" [ "$(gen_figure counters.attack_packets)" -gt 1000 ]
gen_ip6 "$peer_ip6" "[$weir_ip6]:9000"
gen_good "IPv6: stream" --flows 8 --run 8 --bytes $((mib * 32768)) --verify
gen_good "IPv6: stream, 16 sources, no timestamps" --flows 64 --sources 16 --timestamps off \
	--mss 1000 --bytes 100001 --verify
opened=$((opened + 72))
gen_good "IPv6: idle connections" --flows 1 --hold 500 --seconds 3 --verify
check "IPv6: idle connections: opened" same opened "$(gen_figure counters.opened)" 501
opened=$((opened + 501))
gen_good "IPv6: rr" --flows 4 --seconds 1 --mode rr --verify
check "IPv6: latency of every request" ordered requests
opened=$((opened + 4))
gen_good "IPv6: connect" --flows 16 --bytes 100K --mode connect --verify
opened=$((opened + 1600))
gen --flows 0 --seconds 1 --attack syn --sources 64 --open-loop 20000
check "IPv6: half-open connections: status" same status $gen_status 0
check "IPv6: half-open connections: sent" [ "$(gen_figure counters.attack_packets)" -gt 1000 ]
check "IPv6: half-open connections: pace" above_zero seconds attack_packets_per_second
gen_ip4 "$peer_ip" "$weir_ip:9000"
weir_stop
check "weir: all connections were its own" same accepted "$(figure connections.accepted)" $opened
check "weir: every byte verified" [ "$(figure connections.verify.bytes)" -gt $((mib * 1048576)) ]
check "weir: no byte wrong" same wrong "$(figure connections.verify.wrong_bytes)" 0
check "weir: packets balance" check_balance
check "weir: half-open connections were seen" [ "$(figure connections.syn_acks)" -gt $((opened + 1000)) ]

say "-- against the kernel over af_packet --"
netns_remove "$weir_ns"
net_veth
gen_vdev=$vdev
gen_core=$engine_core
gen_memory=$eal_memory
gen_ip=$weir_ip
gen_target=$peer_ip:9000
receiver_start --check --seconds 100
gen_good "stream" --flows 4 --run 8 --bytes $((mib * 131072)) --verify
gen_good "impaired both ways" --flows 4 --run 8 --bytes $((mib * 65536)) --verify \
	--impair "seed=1,loss=1%,dup=1%,reorder=2%,both=1"
check "impaired: sent again" [ "$(gen_figure counters.retransmitted)" -gt 0 ]
check "impaired: SACK blocks" [ "$(gen_figure counters.sacks)" -gt 0 ]
gen_good "rr" --flows 2 --bytes 1M --mode rr --verify
check "rr: latency of every request" ordered requests
gen_good "connect" --flows 8 --bytes 64K --mode connect --verify
ip -n "$peer_ns" addr add 203.0.113.1/32 dev lo
gen_target=203.0.113.1:9000
gen_good "through a gateway" --gateway "$peer_ip" --flows 1 --bytes 1M --verify
receiver_stop $((4 + 4 + 2 + 512 + 1)) \
	$((4 * mib * 131072 + 4 * mib * 65536 + 2 * 1048576 + 8 * 65536 + 1048576))
gen_target=$peer_ip:9000
if net_ip6; then
	gen_ip6 "$weir_ip6" "[$peer_ip6]:9000"
	receiver_at="[::]"
	receiver_start --check --seconds 100
	gen_good "IPv6: stream" --flows 4 --run 8 --bytes $((mib * 32768)) --verify
	gen_good "IPv6: impaired both ways" --flows 4 --run 8 --bytes $((mib * 32768)) --verify \
		--impair "seed=1,loss=1%,dup=1%,reorder=2%,both=1"
	check "IPv6: impaired: sent again" [ "$(gen_figure counters.retransmitted)" -gt 0 ]
	gen_good "IPv6: connect" --flows 8 --bytes 64K --mode connect --verify
	check "IPv6: the kernel knows it as a neighbour" \
		eval 'ip -n "$peer_ns" -6 neigh show "$weir_ip6" | grep -q lladdr'
	receiver_stop $((4 + 4 + 512)) $((8 * mib * 32768 + 8 * 65536))
	gen_target="[2001:db8:18::77]:9000"
	missed "IPv6: nobody there" 2 "no connection to [2001:db8:18::77]" --flows 1 --seconds 3
	check "IPv6: nobody there: solicitations named once" same lines \
		"$(grep -c 'answers neighbour solicitations' "$work/gen.err")" 1
	receiver_at=0.0.0.0
	gen_ip4 "$weir_ip" "$peer_ip:9000"
else
	say "no IPv6 in this kernel: its part is left out"
fi

say "-- runs that fail --"
missed "nobody listens" 2 "refuses connections" --flows 4 --seconds 5
gen_target=198.18.0.77:9000
missed "nobody there" 2 "no connection to 198.18.0.77" --flows 1 --seconds 3
check "nobody there: ARP named once" same lines "$(grep -c 'answers ARP' "$work/gen.err")" 1
gen_target=$peer_ip:9000
receiver_start --slow 1000
missed "not all in time" 2 "--bytes" --flows 1 --bytes 1G --seconds 1
kill -TERM "$receiver_pid"
reap "$receiver_pid"

say "-- over tap, ended by a signal --"
netns_remove "$peer_ns"
net_tap
gen_vdev=$vdev
cat >"$work/tap" <<END
exec ip netns exec "$program_ns" "${weir%/*}/weir-gen" -l "$gen_core" --no-pci \\
	--file-prefix "weir-$$-g" $gen_memory --vdev "$gen_vdev" -- --ip "$gen_ip/$prefix" \\
	--connect "$gen_target" --stats 0 --flows 2 --verify --json
END
receiver_start --check --seconds 30 # before there is anybody to refuse a connection
spawn sh "$work/tap" >"$work/gen.out" 2>"$work/gen.err"
gen_pid=$last
weir_pid=$last
net_tap_up
sleep 1.5
kill -TERM "$gen_pid"
reap "$gen_pid"
check "tap: ends well at SIGTERM" same status "$?" 0
awk -f "$root/config/json.awk" "$work/gen.out" >"$work/gen.flat"
receiver_stop 2 "$(gen_figure counters.bytes_sent)"

say "-- what is wrong --"
gen_vdev=net_null0
wrong no-such-option --no-such-option
wrong stray stray
wrong 198.18.0.1000 --ip 198.18.0.1000/24
wrong 198.18.0.1/33 --ip 198.18.0.1/33
wrong "has no port" --connect 198.18.0.2
wrong 65536 --connect 198.18.0.2:65536
wrong brackets --connect 2001:db8::1:9000
wrong "one family" --connect "[2001:db8::1]:9000"
wrong "give --gateway" --connect 203.0.113.1:9000
wrong "own addresses" --connect "$gen_ip:9000"
wrong 198.18.9.9 --gateway 198.18.9.9
wrong "--sources 2" --flows 65000
wrong 1048576 --flows 1048576
wrong "1 to 1024" --run 1025
wrong "--mss" --mss 0
wrong "on or off" --timestamps perhaps
wrong "--bytes" --bytes none
wrong "--seconds" --seconds -1
wrong stream --mode backwards
wrong mischief --impair seed=1,mischief=1%
wrong collide --attack politely
wrong "--open-loop" --open-loop 0
wrong "leave one" --mode rr --attack tiny
wrong "brackets are for IPv6" --connect "[198.18.0.2]:9000"
wrong "--request goes with" --request 2K
wrong "--verify means nothing" --attack syn --verify
wrong "--stats" --stats never
wrong "--seed" --seed x
wrong "--buffers" --buffers 1
wrong net_absent7 --port net_absent7
wrong "give at most 1448" --mss 1449
gen_memory="--no-huge -m 8 --no-shconf"
wrong "-m 8" --flows 1
exit $failed
