# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the tests against the kernel: what each of them needs. WEIR_BUILD names a build
# directory; without it the tree is built. Exit 77 means skipped, the last line says why.
. "$root/config/netns.sh"
. "$root/config/build.sh"

full=
[ "${1:-}" != --full ] || full=yes
failed=0

test_begin() {
	need_root
	run_begin "$1"
	if [ -n "${WEIR_BUILD:-}" ]; then
		build=$WEIR_BUILD
	else
		sh "$root/config/setup.sh" tests || exit 1
		build_lock build-gcc
		build build-gcc || die "the build failed, see above"
	fi
	find_weir "$build"
	peer_build
	cores_choose
	eal_memory="--no-huge -m 512 --no-shconf"
}

skip() {
	say "skipped: $*"
	exit 77
}

# check NAME COMMAND...
check() {
	name_=$1
	shift
	if "$@"; then
		say "ok $name_"
	else
		say "FAILED $name_"
		failed=1
	fi
}

# at_most NAME VALUE LIMIT, both integers
at_most() {
	say "$1 is $2, at most $3 allowed"
	[ "$2" -le "$3" ]
}

same() {
	say "$1 is $2, $3 expected"
	[ "$2" = "$3" ]
}

# peer_total WORD: from the last line that the peer printed
peer_total() {
	awk -v key="$1" '$1 == "total" { for (i = 2; i < NF; i += 2) if ($i == key) print $(i + 1) }' \
		"$work/peer.out"
}

# Drops by name that losses and duplicates on the way do not explain: any is a segment that arrived
# and was not taken.
other_drops() {
	awk '$1 ~ /^drops\./ && $1 !~ /\.(impair|tcp_old|tcp_paws)$/ { n += $2 } END { print n + 0 }' \
		"$work/weir.flat"
}

# check_stalls: nothing stands still longer than the sender's retransmission timeout plus 200 ms. The
# timeout is the one that `ss -ti` shows in that moment: when the link loses the retransmission, too,
# the sender doubles it (RFC 6298 5.5) and waits again, and the rule holds for each wait with its own
# timeout. The kernel's timer fires up to an eighth later (tests/tools/stall.h): a timeout of
# 13056 ms does so after 13312 ms, even where nobody is left who could answer. So that weir cannot hide
# behind a second wait, it must be the link's: as rare as losing one packet in a hundred twice, while
# every segment that reached weir was taken at once or was a duplicate. Neither end sees a stall that
# the other does not see.
check_stalls() {
	check "no wait beyond its timeout" at_most "most ms beyond the timeout in force" \
		"$(peer_total over_ms)" 200
	check "the receiver saw no longer stall" at_most "longest gap in ms" \
		"$(figure max_gap_ms)" $(($(peer_total stall_ms) + 200))
	check "the sender saw no longer stall" at_most "longest time without progress in ms" \
		"$(peer_total stall_ms)" $(($(figure max_gap_ms) + 200))
	check "no segment was refused" same "drops but duplicates" "$(other_drops)" 0
	check "second waits are rare" at_most "retransmissions by timeout lost again" \
		"$(peer_total lost_again)" 3
	[ "$(peer_total lost_again)" = 0 ] ||
		check "and the link's" at_most "most ms on the way" "$(figure max_late_ms)" 200
}

# stream CONNS BYTES WEIR_OPTIONS...: send to a file sink and compare content and balance. The
# network is up, and with a tap $when_started brings its kernel side up.
stream() {
	conns_=$1
	bytes_=$2
	shift 2
	need_space "$work" $((conns_ * bytes_ / 1048576 + 128))
	sent_digests "$conns_" "$bytes_" 7
	mkdir "$work/arrived.d"
	weir_start --listen "9000:file=$work/arrived.d" --seconds 280 "$@"
	${when_started:-true}
	weir_wait
	check "all connections end well" peer send --connect "${stream_to:-$weir_ip}:9000" --conns "$conns_" \
		--bytes "$bytes_" --seed 7 --seconds 240 >"$work/peer.out"
	cat "$work/peer.out"
	wait_written "$work/arrived.d" $((conns_ * bytes_))
	weir_stop
	check "content equal" check_content "$work/peer.out" "$work/arrived.d" "$conns_" "$bytes_"
	check "packets balance" check_balance
}
