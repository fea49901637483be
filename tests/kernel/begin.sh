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
	check "all connections end well" peer send --connect "$weir_ip:9000" --conns "$conns_" \
		--bytes "$bytes_" --seed 7 --seconds 240 >"$work/peer.out"
	cat "$work/peer.out"
	wait_written "$work/arrived.d" $((conns_ * bytes_))
	weir_stop
	check "content equal" check_content "$work/peer.out" "$work/arrived.d" "$conns_" "$bytes_"
	check "packets balance" check_balance
}
