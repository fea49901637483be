#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Nothing stays behind: what the machine has is listed before and after a demo that ends by itself,
# by INT, by TERM, by KILL with another run after it, and two at once.
#
#   sh tests/fresh.sh [--quick]                     --quick: little data, INT and KILL only
#   sh tests/fresh.sh --debootstrap [demo|tests]    both commands of the README, or one of them, in
#                                                   a fresh Debian 12 root
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

usage="sh tests/fresh.sh [--quick | --debootstrap [demo|tests]]"
mode=${1:-}
case "$*" in
'' | --quick) ;;
--debootstrap) fresh_commands="config/demo.sh tests/run.sh" ;;
"--debootstrap demo") fresh_commands=config/demo.sh ;;
"--debootstrap tests") fresh_commands=tests/run.sh ;;
--help)
	say "$usage"
	exit 0
	;;
*) die "unknown arguments $*; usage: $usage" ;;
esac
failed=0
demos=

# Names that carry a pid count only when it is that of one of our demos: another run may go on beside
# this one.
only_ours() {
	while read -r kind name; do
		owner=$(printf '%s\n' "$name" | sed -nE 's/.*(weir-|\/wr|^wr)([0-9]+).*/\2/p')
		case " $demos " in
		*" $owner "*) printf '%s %s\n' "$kind" "$name" ;;
		*) [ -n "$owner" ] || printf '%s %s\n' "$kind" "$name" ;;
		esac
	done
}

# One line per thing; of the temporary directory only what bears our name.
inventory() {
	{
		ls /run/netns 2>/dev/null | sed 's/^/netns /'
		ls /sys/class/net | sed 's/^/link /'
		find /run/dpdk 2>/dev/null | sed 's/^/file /'
		find "$tmp_base" -maxdepth 1 -name 'weir-*' | sed 's/^/file /'
		find /dev/hugepages -maxdepth 1 -type f 2>/dev/null | sed 's/^/file /'
		awk '{ print "mount " $2 }' /proc/mounts
		# weir and the peer, as the scripts start them
		for pid in /proc/[0-9]*; do
			cat "$pid/cmdline" 2>/dev/null | tr '\0' ' ' |
				grep -oE -- '(--file-prefix |/)weir-[0-9]+[- ].*' | sed 's/^/process /'
		done
	} | only_ours
	for pages in /sys/kernel/mm/hugepages/*/nr_hugepages; do
		[ ! -r "$pages" ] || printf 'pages %s %s\n' "$pages" "$(cat "$pages")"
	done
}

compare() {
	inventory | sort >"$work/after"
	if diff "$work/before" "$work/after"; then
		say "ok $1: nothing stays behind"
	else
		say "FAILED $1: see the lines above (> is what stays)"
		failed=1
	fi
}

# A demo with signals as a person's shell gives them: a background job of a script ignores INT.
demo() {
	spawn env --default-signal=INT,TERM sh "$root/config/demo.sh" $size >"$work/demo.$1" 2>&1
	demos="$demos $last"
}

expect() {
	reap "$2"
	got=$?
	if [ "$got" = "$3" ]; then
		say "ok $1: status $got"
	else
		say "FAILED $1: status $got, $3 expected"
		tail -n 20 "$work/demo.$4"
		failed=1
	fi
}

# Midway: the namespace of the demo with pid $1 has a program in it.
wait_midway() {
	tries=0
	until [ -n "$(ip netns pids "weir-$1-w" 2>/dev/null)" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] && pid_runs "$1" || return 0
		sleep 0.1
	done
	sleep 1
}

ended_by() {
	demo one
	victim=$last
	wait_midway "$victim"
	pid_runs "$victim" || say "the demo was faster than the signal $1"
	kill -s "$1" "$victim"
	case $1 in
	INT) expect "ended by INT" "$victim" 130 one ;;
	TERM) expect "ended by TERM" "$victim" 143 one ;;
	KILL) expect "ended by KILL" "$victim" 137 one ;;
	esac
}

run_normal() {
	demo one
	expect "normal run" "$last" 0 one
	compare "normal run"
}

run_killed() {
	ended_by KILL
	inventory | sort >"$work/after"
	cmp -s "$work/before" "$work/after" &&
		say "(nothing was left even before the next run)"
	demo one
	expect "the run after KILL" "$last" 0 one
	compare "KILL and the run after it"
}

run_two() {
	demo one
	first=$last
	demo two
	expect "first of two at once" "$first" 0 one
	expect "second of two at once" "$last" 0 two
	compare "two at once"
}

# Both commands in a root that has nothing but what debootstrap puts there. /proc, /sys and /run are
# mounted in a mount namespace of their own and go with it.
fresh_root() {
	sh "$root/config/setup.sh" fresh || skip_debootstrap
	need_space "$work" 6000
	run debootstrap --variant=minbase bookworm "$work/root" >"$work/debootstrap.log" 2>&1 || {
		tail -n 5 "$work/debootstrap.log"
		die "debootstrap failed"
	}
	cp /etc/apt/sources.list "$work/root/etc/apt/" 2>/dev/null
	cp -r /etc/apt/sources.list.d /etc/apt/apt.conf.d "$work/root/etc/apt/" 2>/dev/null
	cp /etc/resolv.conf "$work/root/etc/" 2>/dev/null
	mkdir "$work/root/weir"
	(cd "$root" && tar -cf - --exclude='./build*' --exclude=./.git .) | tar -xf - -C "$work/root/weir"
	for command in $fresh_commands; do
		began=$(date +%s)
		run unshare -m sh -c '
			mount --bind "$1" "$1" && # ip netns exec wants the root to be a mount
			mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" &&
			mount --rbind /dev "$1/dev" && mount -t tmpfs tmpfs "$1/run" &&
			cd / && exec chroot "$1" env -u TMPDIR -u WEIR_BUILD sh "/weir/$2"' - \
			"$work/root" "$command" >"$work/fresh.log" 2>&1
		status=$?
		[ $status = 0 ] && lines=30 || lines=300
		tail -n $lines "$work/fresh.log"
		if [ $status = 0 ]; then
			say "ok $command in a fresh root ($(($(date +%s) - began)) s)"
		else
			say "FAILED $command in a fresh root: status $status"
			failed=1
		fi
	done
}

skip_debootstrap() {
	say "skipped: debootstrap cannot be installed"
	exit 77
}

need_root
run_begin fresh
if [ "$mode" = --debootstrap ]; then
	fresh_root
	exit $failed
fi
# Built once here, so that the runs below are about running.
if [ -z "${WEIR_BUILD:-}" ]; then
	sh "$root/config/setup.sh" demo || exit 1
	build_lock build-demo
	build build-demo -Dtests=false || die "the build failed, see above"
	export WEIR_BUILD="$build"
fi
size=--short
[ "$mode" != --quick ] || size="--mib 64"
inventory | sort >"$work/before"
if [ "$mode" != --quick ]; then
	run_normal
	ended_by TERM
	compare "TERM"
fi
ended_by INT
compare "INT"
run_killed
[ "$mode" = --quick ] || run_two
exit $failed
