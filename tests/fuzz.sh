#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Fuzz with libFuzzer, beginning with the kept inputs, all programs at the same time. Takes clang.
#
#   sh tests/fuzz.sh [--seconds N] [--keep] [--cache DIR] [parse | connection]...
#
# Each runs N seconds (30 unless said otherwise). --keep adds what reached new code to the kept inputs
# in tests/fuzz/corpus and leaves out what the others reach, too. With --cache every input that reached
# new code stays in DIR, and the next run with it goes on from there. An input that fails is left in the
# current directory.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

answer_help "$@"
seconds=30
keep=
cache=
names=
while [ $# -gt 0 ]; do
	case $1 in
	--seconds)
		[ $# -gt 1 ] || die "--seconds needs a number"
		seconds=$2
		shift
		;;
	--keep) keep=yes ;;
	--cache)
		[ $# -gt 1 ] || die "--cache needs a directory"
		cache=$2
		shift
		;;
	parse | connection) names="$names $1" ;;
	*) die "unknown argument $1; known are --seconds N, --keep, --cache DIR, parse and connection" ;;
	esac
	shift
done
case $seconds in
'' | *[!0-9]* | 0*) die "--seconds takes a whole number above 0, not \"$seconds\"" ;;
esac
[ -n "$names" ] || names="parse connection"
command -v clang >/dev/null || die "clang is not installed: apt-get install clang"

# The longest input worth its time.
length_of() {
	case $1 in
	parse) echo 700 ;;
	*) echo 1200 ;;
	esac
}

# keep_inputs NAME: the smallest set that reaches what old and new ones reach.
keep_inputs() {
	mkdir "$work/merged-$1"
	run "$build/tests/fuzz_$1" -merge=1 -use_counters=0 "$work/merged-$1" \
		"$root/tests/fuzz/corpus/$1" "${cache:-$work}/$1" >"$work/merge.log" 2>&1 ||
		die "cannot merge the inputs of $1"
	mkdir -p "$root/tests/fuzz/corpus/$1"
	find "$root/tests/fuzz/corpus/$1" -type f -delete
	cp "$work/merged-$1"/* "$root/tests/fuzz/corpus/$1/"
	say "$1: $(find "$root/tests/fuzz/corpus/$1" -type f | wc -l) inputs kept"
}

run_begin fuzz
build_lock build-fuzz
CC=clang
export CC
build_targets=
for name in $names; do
	build_targets="$build_targets tests/fuzz_$name"
done
build build-fuzz -Dbuildtype=debugoptimized -Doptimization=1 -Db_sanitize=address,undefined \
	-Db_lundef=false -Ddebug_checks=true -Ddefault_library=static -Dfuzz=true \
	-Dc_args=-fsanitize=fuzzer-no-link || die "the build failed, see above"
pids=
for name in $names; do
	mkdir "$work/$name"
	found=${cache:-$work}/$name
	mkdir -p "$found" || die "cannot make $found"
	spawn "$build/tests/fuzz_$name" "-max_total_time=$seconds" "-max_len=$(length_of "$name")" \
		-timeout=20 -entropic=0 -print_final_stats=1 "-artifact_prefix=./fuzz-$name-" "$found" \
		"$root/tests/fuzz/corpus/$name" >"$work/$name.log" 2>&1
	pids="$pids $last"
done
failed=0
for pid in $pids; do
	reap "$pid" || failed=1
done
for name in $names; do
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
	cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/$name.log" | tail -n 1)
	if [ -n "$runs" ] && ! grep -qE '^(==.*ERROR|artifact_prefix=.*Test unit)' "$work/$name.log"; then
		say "ok fuzz_$name: $runs inputs in $seconds s, $cover edges reached"
		[ -z "$keep" ] || keep_inputs "$name"
	else
		tail -n 40 "$work/$name.log"
		say "FAILED fuzz_$name"
		failed=1
	fi
done
exit $failed
