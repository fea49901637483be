#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# weir-bench's cases with Linux in them, in their short form: every row is there, as JSON and with a
# figure, and nothing is left behind, also when it is killed. No figure is judged: a short form says
# nothing of speed.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

# Void rows (status 2, told in one line) are those that other programs disturbed.
ran_through() {
	say "status $1, $(wc -l <"$work/bench.err") lines on standard error"
	cat "$work/bench.err"
	void_=$(grep -c '"valid":false' "$work/bench.out")
	[ "$1" = 0 ] && return
	[ "$1" = 2 ] && [ "$void_" -gt 0 ] && [ "$(wc -l <"$work/bench.err")" = 1 ] &&
		grep -q "^weir-bench: $void_ of [0-9]* rows are void: " "$work/bench.err"
}

# "case row set unit ratio?" of each line; flows tell the two sizes of kernel apart.
shape() {
	while read -r line; do
		printf '%s\n' "$line" | awk -f "$root/config/json.awk" | awk '
		{ key = $1; $1 = ""; value[key] = substr($0, 2) }
		END {
			bad = value["value"] + 0 <= 0 && value["unit"] != "SACKs"
			printf "%s|%s|%s|%s|%s|%s|%s%s\n", value["case"], value["row"], value["flows"],
				value["set"], value["unit"], value["must"], value["aim"],
				bad ? "|NO FIGURE" : ""
		}'
	done <"$work/bench.out" | sort
}

expected() {
	for flows in 1 8; do
		for row in "linux, RPS" "linux, threaded NAPI" "linux, not copying" \
			"linux, 64 KiB frames" "weir, af_packet"; do
			say "kernel|$row|$flows|veth|bytes/cycle||"
		done
		say "kernel|weir|$flows|cross|bytes/cycle|5|8"
		say "kernel|weir, copying|$flows|cross|bytes/cycle|3|4"
	done
	say "accept|linux|64|veth|connections/s||"
	say "accept|weir|64|cross|connections/s|5|10"
	for row in "train, reno" "stretch, reno" "delayed, reno" "train, cubic" "stretch, cubic" \
		"delayed, cubic"; do
		for unit in Mb/s segments aggregates ACKs SACKs; do
			say "policy|$row|1|veth|$unit||"
		done
	done
}

# Interfaces live and die with namespaces; processes are children of the program.
left_of() {
	ps -eo pid=,ppid=,args= | grep -E "^ *[0-9]+ +$1 " && return 1
	ip link | grep -E "wr$1[a-d]" && return 1
	for ns in /proc/[0-9]*/ns/net; do
		nsenter --net="$ns" ip -o link 2>/dev/null | grep -E "wr$1[a-d]" && return 1
	done
	return 0
}

test_begin bench
[ "$peer_core" != "$engine_core" ] || skip "two cores are needed"
bench=$(find "$build" -type f -name weir-bench -perm -u+x | head -n 1)
[ -n "$bench" ] || die "the build in $build made no program called weir-bench"

spawn timeout 100 "$bench" kernel accept policy --short --json >"$work/bench.out" \
	2>"$work/bench.err"
reap "$last"
check "it runs through" ran_through $?
shape >"$work/rows"
expected | sort >"$work/expected"
check "all rows are there, with a figure" diff "$work/expected" "$work/rows"

# The pid is that of the program itself: its interfaces carry it.
spawn sh -c 'exec "$1" kernel >/dev/null 2>&1' - "$bench"
pid=$last
children=
tries=0
while [ -z "$children" ] && [ $tries -lt 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
	children=$(ps -eo ppid=,args= | grep -E "^ *$pid ")
done
check "it works on veth meanwhile" [ -n "$children" ]
kill -KILL "$pid"
reap "$pid"
sleep 0.5
check "nothing is left when it is killed" left_of "$pid"
exit $failed
