#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What happens around a running weir: interfaces that go down or away, others that answer for its
# address, signals at odd times, a full standard output. Each gets one line and an end, nothing hangs
# and nothing stays behind.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin trouble

# ended STATUS: it ends within 10 s and with that status.
ended() {
	tries_=0
	while pid_runs "$weir_pid" && [ $tries_ -lt 100 ]; do
		sleep 0.1
		tries_=$((tries_ + 1))
	done
	kill -KILL "$weir_pid" 2>/dev/null
	reap "$weir_pid"
	same status $? "$1"
}

# said TEXT: within 3 s one line says so.
said() {
	tries_=0
	until grep -qF -e "$1" "$work/weir.err"; do
		tries_=$((tries_ + 1))
		[ $tries_ -lt 30 ] || break
		sleep 0.1
	done
	same "lines with '$1'" "$(grep -cF -e "$1" "$work/weir.err")" 1
}

nothing_stays() {
	[ -z "$(find "$work/run" -mindepth 2 2>/dev/null)" ]
}

net_veth
weir_start --listen 9000 --seconds 60
weir_wait
ip -n "$weir_ns" link set "$weir_if" down
check "down is told" said "$weir_if is down"
ip -n "$weir_ns" link set "$weir_if" up
check "up is told" said "$weir_if is up"
ip -n "$peer_ns" link set "$peer_if" down
check "no link is told" said "$weir_if has no link"
ip -n "$peer_ns" link set "$peer_if" up

# A sender whose checksums are left to a device.
in_ns "$peer_ns" ethtool -K "$peer_if" tx on >/dev/null
peer send --connect "$weir_ip:9000" --bytes 1 --seconds 2 >/dev/null 2>&1
check "partial checksums are told" said "ethtool -K DEV tx off"
in_ns "$peer_ns" ethtool -K "$peer_if" tx off >/dev/null

# A second one for the same address; the first goes on.
first_pid=$weir_pid
weir_start --listen 9001 --seconds 60
check "a second weir is refused" ended 1
check "and told why" said "another weir answers"
weir_pid=$first_pid
weir_wait

# Its device goes while it receives.
spawn ip netns exec "$peer_ns" "$work/peer" send --connect "$weir_ip:9000" --bytes 2000000000 \
	--seconds 2
sender=$last
sleep 0.5
ip -n "$weir_ns" link del "$weir_if"
check "a device that has gone ends it" ended 2
reap "$sender"
netns_remove "$peer_ns"
netns_remove "$weir_ns"

net_veth
ip -n "$weir_ns" addr add "$weir_ip/$prefix" dev "$weir_if"
weir_start --listen 9000 --seconds 60
check "the kernel's own address is refused" ended 1
check "and told why" said "the kernel has this address"
ip -n "$weir_ns" addr del "$weir_ip/$prefix" dev "$weir_if"

# Ended while it starts, at five points of its first half second. At the last one it has much to set
# up, and does not begin with it any more.
for ms in 00 08 16 24 40; do
	buffers=16384
	[ $ms != 40 ] || buffers=100000
	weir_start --listen 9000 --seconds 60 --buffers $buffers
	# A shell that has just forked takes the signal for its own and forgets it.
	while [ "$(readlink "/proc/$weir_pid/exe")" = "$(readlink "/proc/$$/exe")" ]; do :; done
	sleep 0.$ms
	kill -TERM "$weir_pid"
	tries_=0
	while pid_runs "$weir_pid" && [ $tries_ -lt 100 ]; do
		sleep 0.1
		tries_=$((tries_ + 1))
	done
	check "TERM after 0.$ms s ends it" [ $tries_ -lt 100 ]
	reap "$weir_pid"
	status=$?
	# Before its main() the signal is the shell's or the system's.
	check "with status 0" [ $status = 0 -o $status = 143 -a $ms -lt 10 ]
	[ $ms != 40 ] || check "before it is ready" same "lines" "$(grep -c ready: "$work/weir.err")" 0
	check "nothing stays" nothing_stays
done

# An impatient second signal, early and late in the end that the first one asked for.
for ms in 000 005 010 020 040 080; do
	weir_start --listen 9000 --seconds 60
	weir_wait
	kill -TERM "$weir_pid"
	sleep 0.$ms
	kill -TERM "$weir_pid" 2>/dev/null
	check "TERM again after 0.$ms s ends it" ended 0
	check "nothing stays" nothing_stays
done

# The terminal goes. What a script starts in the background may ignore it.
weir_wrap="env --default-signal=HUP"
weir_start --listen 9000 --seconds 60
weir_wait
kill -HUP "$weir_pid"
check "HUP ends it" ended 0
weir_wrap="env --ignore-signal=HUP"
weir_start --listen 9000 --seconds 60
weir_wait
kill -HUP "$weir_pid"
sleep 0.5
check "nohup keeps it" pid_runs "$weir_pid"
kill -TERM "$weir_pid"
check "TERM ends it" ended 0

# Standard descriptors that are closed or full.
cat >"$work/wrap" <<'END'
exec "$@" <&- >&-
END
weir_wrap="sh $work/wrap"
weir_start --listen 9000 --seconds 1
check "a closed standard output is lost" ended 2
check "and told" said "--json"
cat >"$work/wrap" <<'END'
exec "$@" >/dev/full
END
weir_start --listen 9000 --seconds 1
check "a full standard output is lost" ended 2
check "and told" said "No space left"
check "nothing stays" nothing_stays

# full PROGRAM ARGS...: its status when standard output is full.
full() {
	run "$@" >/dev/full 2>"$work/weir.err"
	status_=$?
	cat "$work/weir.err"
	return $status_
}

# reports_are_lost PROGRAM OPTIONS...
reports_are_lost() {
	program_=$1
	shift
	full "$build/app/$program_" -l "$engine_core" --no-pci --file-prefix "weir-$$" $eal_memory \
		--vdev net_null0,no-rx=1 -- --ip 198.18.0.1/24 --seconds 3 --stats 1 "$@"
	same status $? 2 && said "--stats: No space left on device: check standard output" &&
		same "lines about it" "$(grep -c "standard output" "$work/weir.err")" 1
}
for program in weir weir-gen weir-bench; do
	full "$build/app/$program" --help
	check "$program --help into a full standard output" same status $? 1
	full "$build/app/$program" --version
	check "$program --version into a full standard output" same status $? 1
	check "and told" said "No space left on device: check standard output"
done
weir_lost() {
	reports_are_lost weir --listen 9000
}
gen_lost() {
	reports_are_lost weir-gen --connect 198.18.0.2:9000
}
check "reports of weir into a full standard output are lost, and told once" weir_lost
check "reports of weir-gen, too" gen_lost
exit $failed
