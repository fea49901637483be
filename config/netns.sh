# SPDX-License-Identifier: BSD-3-Clause
# Shell functions shared by the scripts: what a run makes carries its pid, so that it can remove its
# own things, and the things of runs that died, and nothing else. Sourced; `root` is the source tree.

. "$root/config/words.sh"

tmp_base=${TMPDIR:-/tmp}
children=
namespaces=
work=

# ---- processes: only children of this shell are ever ended, each by its pid ----

# A process that runs; one that ended and waits for its parent is no longer one.
pid_runs() {
	[ -d "/proc/$1" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# Start in the background; $last is its pid.
spawn() {
	"$@" &
	last=$!
	children="$children $last"
}

# Wait for one child and forget it. A signal to this shell ends the wait at once.
reap() {
	wait "$1"
	reaped_=$?
	kept_=
	for pid_ in $children; do
		[ "$pid_" = "$1" ] || kept_="$kept_ $pid_"
	done
	children=$kept_
	return $reaped_
}

# Run in the foreground, but so that INT and TERM are answered at once and not after it.
run() {
	spawn "$@"
	reap "$last"
}

# TERM, a while to clean up, then KILL.
pids_end() {
	for pid_ in "$@"; do
		kill -TERM "$pid_" 2>/dev/null
	done
	for pid_ in "$@"; do
		tries_=0
		while pid_runs "$pid_" && [ $tries_ -lt 150 ]; do
			sleep 0.1
			tries_=$((tries_ + 1))
		done
		pid_runs "$pid_" && kill -KILL "$pid_" 2>/dev/null
	done
	return 0
}

# ---- a run: from run_begin NAME to its end, however it ends ----

# Pids come again; what carries one of a process that is none of our scripts is left over.
run_alive() {
	pid_runs "$1" || return 1
	case $(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") in
	*.sh* | *ci/run*) return 0 ;;
	esac
	return 1
}

pid_of_name() {
	name_=${1##*/weir-}
	printf '%s\n' "${name_%%-*}"
}

netns_remove() {
	[ -e "/run/netns/$1" ] || return 0
	# shellcheck disable=SC2046
	pids_end $(ip netns pids "$1" 2>/dev/null)
	ip netns del "$1" 2>/dev/null
	return 0
}

# Remove what runs left that were ended by KILL.
run_sweep() {
	for path_ in /run/netns/weir-[0-9]*-* /run/dpdk/weir-[0-9]* "$tmp_base"/weir-[0-9]*-*; do
		[ -e "$path_" ] || continue
		run_alive "$(pid_of_name "$path_")" && continue
		case $path_ in
		/run/netns/*) netns_remove "${path_##*/}" ;;
		*) rm -rf "$path_" ;;
		esac
	done
	for path_ in /sys/class/net/wr[0-9]*[abt]; do
		[ -e "$path_" ] || continue
		name_=${path_##*/wr}
		run_alive "${name_%[abt]}" || ip link del "${path_##*/}" 2>/dev/null
	done
	return 0
}

run_end() {
	run_status=$?
	trap '' INT TERM HUP
	# $! may be a child that was started in the very moment the signal came, or a pid of long ago.
	[ -z "${!:-}" ] || ! grep -q "^PPid:[[:space:]]*$$\$" "/proc/$!/status" 2>/dev/null ||
		children="$children $!"
	# shellcheck disable=SC2086
	pids_end $children
	wait
	for ns_ in $namespaces; do
		netns_remove "$ns_"
	done
	[ -z "$work" ] || rm -rf "$work"
	trap - EXIT
	exit $run_status
}

# The run's own directory is $work; it goes with the run.
run_begin() {
	trap run_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	run_sweep
	mkdir -m 700 "$tmp_base/weir-$$-$1" ||
		die "cannot make a directory in $tmp_base; point TMPDIR to a writable one"
	work=$tmp_base/weir-$$-$1
	# DPDK puts its runtime files below it instead of /run, where they would stay behind.
	mkdir "$work/run"
	export RUNTIME_DIRECTORY="$work/run"
}

# need_space DIR MIB
need_space() {
	free_=$(df -Pk "$1" | awk 'NR == 2 { print int($4 / 1024) }')
	[ "$free_" -ge "$2" ] ||
		die "$1 has $free_ MiB free, $2 are needed; point TMPDIR to a larger file system"
}

need_root() {
	[ "$(id -u)" = 0 ] || die "must run as root: sudo sh $0"
}

# ---- the network: the kernel's TCP in one namespace, weir's port in another ----

weir_ip=198.18.0.1
peer_ip=198.18.0.2
prefix=24
weir_ip6=2001:db8:18::1
peer_ip6=2001:db8:18::2
weir_link6=fe80::1
prefix6=64
weir_addresses="--ip $weir_ip/$prefix"
peer_ns=weir-$$-p
weir_ns=weir-$$-w
peer_if=wr$$a
weir_if=wr$$b
tap_if=wr$$t

netns_add() {
	namespaces="$namespaces $1"
	ip netns add "$1" || die "cannot make network namespace $1; is this a container without them?"
	in_ns "$1" sh -c '
		[ ! -e /proc/sys/net/ipv6/conf/all/disable_ipv6 ] || {
			echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
			echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
		}
		echo "1024 65535" >/proc/sys/net/ipv4/ip_local_port_range' ||
		die "cannot configure network namespace $1"
	ip -n "$1" link set lo up
}

in_ns() {
	ns_=$1
	shift
	ip netns exec "$ns_" "$@"
}

# A pair of interfaces between the two namespaces. weir's end has no address, so the kernel there
# answers nothing. Segmentation and checksums are done by the sending stack, one frame per segment:
# with offloads on, frames would be longer than the MTU and their checksums partial.
net_veth() {
	netns_add "$peer_ns"
	netns_add "$weir_ns"
	ip link add "$peer_if" netns "$peer_ns" type veth peer name "$weir_if" netns "$weir_ns" ||
		die "cannot make a veth pair"
	in_ns "$peer_ns" ethtool -K "$peer_if" tso off gso off gro off tx off >/dev/null ||
		die "cannot switch segmentation offload off on $peer_if"
	in_ns "$weir_ns" ethtool -K "$weir_if" gro off >/dev/null
	ip -n "$peer_ns" addr add "$peer_ip/$prefix" dev "$peer_if"
	ip -n "$peer_ns" link set "$peer_if" up
	ip -n "$weir_ns" link set "$weir_if" up
	vdev="net_af_packet0,iface=$weir_if,blocksz=1048576,framesz=2048,framecnt=4096"
	port_name=net_af_packet0
	program_ns=$weir_ns
}

# IPv6 on the peer's interface, too, and addresses of it for weir. Duplicates are looked for when a test
# does so itself.
net_ip6() {
	in_ns "$peer_ns" sh -c '
		[ -e "/proc/sys/net/ipv6/conf/$1" ] || exit 1
		echo 0 >"/proc/sys/net/ipv6/conf/$1/accept_dad"
		echo 0 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"' - "$peer_if" || return 1
	ip -n "$peer_ns" addr add "$peer_ip6/$prefix6" dev "$peer_if" nodad || return 1
	weir_addresses="$weir_addresses --ip $weir_ip6/$prefix6 --ip $weir_link6/$prefix6"
}

# net_tap makes its device where the program runs: one namespace for both.
net_tap() {
	netns_add "$peer_ns"
	vdev="net_tap0,iface=$tap_if"
	port_name=net_tap0
	program_ns=$peer_ns
}

# The kernel's end of the tap, as soon as the program has made it.
net_tap_up() {
	tries_=0
	until ip -n "$peer_ns" link show "$tap_if" >/dev/null 2>&1; do
		tries_=$((tries_ + 1))
		[ $tries_ -lt 100 ] || die "$tap_if did not appear within 10 s"
		weir_check
		sleep 0.1
	done
	in_ns "$peer_ns" ethtool -K "$tap_if" tso off gso off gro off >/dev/null 2>&1
	ip -n "$peer_ns" link set "$tap_if" txqueuelen 10000 up
	ip -n "$peer_ns" addr add "$peer_ip/$prefix" dev "$tap_if" || die "cannot address $tap_if"
}

# ---- cores: the peer on the first that this process may use, the engine on the second ----

cores_choose() {
	cores_=$(awk '/^Cpus_allowed_list/ {
		n = split($2, part, ",")
		for (i = 1; i <= n; i++) {
			m = split(part[i], ends, "-")
			for (c = ends[1]; c <= ends[m]; c++)
				print c
		}
	}' /proc/self/status | head -n 2)
	peer_core=${cores_%%
*}
	engine_core=${cores_##*
}
}

# ---- the programs ----

# The kernel peer needs nothing but a C compiler.
peer_build() {
	[ ! -x "$work/peer" ] || return 0
	run "${CC:-cc}" -std=c11 -O2 -D_GNU_SOURCE -I "$root" -o "$work/peer" \
		"$root/tests/tools/peer.c" \
		-lpthread || die "tests/tools/peer.c does not compile"
}

# peer ARGS...: in its namespace, on its core, to its end.
peer() {
	run ip netns exec "$peer_ns" taskset -c "$peer_core" "$work/peer" "$@"
}

# Memory: hugepages that are free anyway, otherwise ordinary pages. None are reserved. Two runs may
# see the same free pages; the tool itself falls back when they are gone.
eal_choose() {
	free_=$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null || echo 0)
	if [ "$free_" -ge $(($1 / 2 + 64)) ]; then
		eal_memory="--in-memory -m $1"
	else
		eal_memory="--no-huge -m $1 --no-shconf"
	fi
}

# weir_start ARGS...: the tool's options without port and address; $weir_pid is its pid. Standard
# output goes to $work/weir.out. Standard error goes to $work/weir.err unless $weir_shown is set.
weir_start() {
	: >"$work/weir.err"
	# shellcheck disable=SC2086
	set -- ip netns exec "$program_ns" ${weir_wrap:-} "$weir" -l "$engine_core" --no-pci \
		--file-prefix "weir-$$" ${eal_memory:---no-huge -m 512 --no-shconf} \
		--vdev "$vdev" --log-level lib.eal:error --log-level lib.telemetry:error \
		--log-level user1:error -- \
		--port "$port_name" $weir_addresses --json "$@"
	if [ -n "${weir_shown:-}" ]; then
		spawn "$@" >"$work/weir.out"
	else
		spawn "$@" >"$work/weir.out" 2>"$work/weir.err"
	fi
	weir_pid=$last
}

weir_failed() {
	tail -n 20 "$work/weir.err" "$work/weir.out" >&2
	die "$1"
}

weir_check() {
	pid_runs "$weir_pid" && return 0
	reap "$weir_pid"
	weir_failed "weir ended early with status $?"
}

# Until it answers a ping: its port is up and its addresses are known.
weir_wait() {
	began_=$(date +%s)
	until in_ns "$peer_ns" ping -q -c 1 -W 1 "$weir_ip" >/dev/null 2>&1; do
		weir_check
		[ $(($(date +%s) - began_)) -lt 10 ] || weir_failed "weir answers no ping within 10 s"
		sleep 0.1
	done
}

# End it politely and flatten its figures to $work/weir.flat, one "path value" per line.
weir_stop() {
	weir_check
	kill -TERM "$weir_pid"
	tries_=0
	while pid_runs "$weir_pid"; do
		tries_=$((tries_ + 1))
		[ $tries_ -lt 300 ] || weir_failed "weir did not end within 30 s of TERM"
		sleep 0.1
	done
	reap "$weir_pid" || weir_failed "weir ended with status $? on TERM"
	awk -f "$root/config/json.awk" "$work/weir.out" >"$work/weir.flat"
	[ -s "$work/weir.flat" ] || weir_failed "weir --json printed no object"
}

# figure PATH: one number of the last run, such as balance.received.
figure() {
	awk -v key="$1" '$1 == key { print $2; found = 1; exit } END { exit !found }' \
		"$work/weir.flat" || die "weir --json lacks $1"
}

# ---- what every run with traffic has to show ----

# Every packet that came in is accounted for.
check_balance() {
	awk -v received="$(figure balance.received)" -v delivered="$(figure balance.delivered)" \
		-v consumed="$(figure balance.consumed)" -v dropped="$(figure balance.dropped)" \
		-v queued="$(figure balance.queued)" 'BEGIN {
		out = delivered + consumed + dropped + queued
		printf "packets %d = delivered %d + consumed %d + dropped %d + queued %d: %s\n",
			received, delivered, consumed, dropped, queued,
			received == out ? "balanced" : "NOT BALANCED"
		exit !(received == out && received > 0)
	}'
}

# The digests of what each connection sends: $work/sent.I
sent_digests() {
	n_=0
	while [ $n_ -lt "$1" ]; do
		run sh -c '"$1" data --index "$2" --bytes "$3" --seed "$4" | sha256sum | cut -c 1-64' - \
			"$work/peer" $n_ "$2" "$3" >"$work/sent.$n_" || die "cannot compute a digest"
		n_=$((n_ + 1))
	done
}

# check_content PEER_OUTPUT DIR CONNS BYTES: for every connection, by its port, the digest of the
# file that weir wrote against the digest of what the peer sent.
check_content() {
	equal_=0
	while read -r word_ index_ _ port_ _ bytes_ _; do
		[ "$word_" = conn ] || continue
		set -- "$1" "$2" "$3" "$4" "$2"/*-"$port_"-*
		[ $# = 5 ] && [ -f "$5" ] || die "no single file of port $port_ in $2"
		run sh -c 'sha256sum <"$1" | cut -c 1-64' - "$5" >"$work/arrived"
		if [ "$bytes_" = "$4" ] && cmp -s "$work/arrived" "$work/sent.$index_"; then
			equal_=$((equal_ + 1))
		else
			say "connection $index_ (port $port_): sent $(cat "$work/sent.$index_")," \
				"arrived $(cat "$work/arrived"), $(wc -c <"$5") bytes"
		fi
	done <"$1"
	say "SHA-256 equal for $equal_ of $3 connections"
	[ "$equal_" = "$3" ]
}

# The writer may still be behind the last acknowledgment: wait until DIR holds BYTES.
wait_written() {
	tries_=0
	until [ "$(cat "$1"/* 2>/dev/null | wc -c)" -ge "$2" ]; do
		tries_=$((tries_ + 1))
		if [ $tries_ -ge 40 ]; then
			say "the files are not complete 20 s after the last acknowledgment"
			return 0
		fi
		weir_check
		sleep 0.5
	done
}
