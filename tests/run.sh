#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Build everything and run all tests. As root, on Debian 12:
#
#   sh tests/run.sh [--full] [PART...]      parts: gcc house clang asan tsan fuzz attacks bench kernel
#                                           interop mutate fresh
#   sh tests/run.sh --pitfalls              the numbered pitfalls, the tests of each, their results
#
# --full takes the long forms. The last line is "N passed, N failed, N skipped"; the status is 0 when
# something passed and nothing failed. With CI=true only the skips in tests/skips are allowed.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

answer_help "$@"
all_parts="gcc house clang asan tsan fuzz attacks bench kernel interop mutate fresh"
last_pitfall=56
parts=
full=
pitfalls=
for arg in "$@"; do
	case " --help --full --pitfalls $all_parts " in
	*" $arg "*) ;;
	*) die "unknown argument $arg; known are --help, --full, --pitfalls and the parts $all_parts" ;;
	esac
	case $arg in
	--full) full=--full ;;
	--pitfalls) pitfalls=yes ;;
	*) parts="$parts $arg" ;;
	esac
done
[ -n "$parts" ] || parts=$all_parts
[ -z "$pitfalls" ] || parts="gcc pitfall_scripts"

# result pass|fail|skip NAME [REMARK]
result() {
	printf '%s\n' "$*" >>"$work/results"
	case $1 in
	pass) word_=ok ;;
	fail) word_=FAILED ;;
	skip) word_=skipped ;;
	esac
	shift
	printf '  %-7s %s\n' "$word_" "$*"
}

# The tests of one build directory: every meson test is one result, and the single cases of Check's
# verbose output are kept for the list of pitfalls.
meson_tests() {
	log=$build/meson-logs/testlog.json
	rm -f "$log"
	CK_VERBOSITY=verbose run meson test -C "$build" --no-rebuild --print-errorlogs \
		--timeout-multiplier "$2" >"$work/test.log" 2>&1
	status=$?
	[ $status = 0 ] || grep -vE '^ *[0-9]+/[0-9]+ .* OK ' "$work/test.log" | tail -n 200
	[ -s "$log" ] || {
		result fail "$1 meson-test"
		return
	}
	awk '
	function field(key) {
		if (!match($0, "\"" key "\": \"[^\"]*\""))
			return ""
		return substr($0, RSTART + length(key) + 5, RLENGTH - length(key) - 6)
	}
	function field_number(key) {
		if (!match($0, "\"" key "\": [0-9.]+"))
			return 0
		return sprintf("%.1f", substr($0, RSTART + length(key) + 4, RLENGTH - length(key) - 4))
	}
	{
		name = field("name")
		sub(/^.* \/ /, "", name)
		gsub(/ /, "-", name)
		was = field("result")
		word = was == "OK" || was == "EXPECTEDFAIL" ? "pass" : was == "SKIP" ? "skip" : "fail"
		print word, name, was == "OK" ? "" : was, "(" field_number("duration") " s)"
	}' "$log" >"$work/meson.results"
	while read -r word name why; do
		result "$word" "$1/$name" "$why"
	done <"$work/meson.results"
	sed 's/\\n/\
/g' "$log" | grep -oE '[^ :"]+:[0-9]+:[PFES]:[^:]+:[^:]+:' |
		awk -F: '{ print $5, $3 == "P" ? "pass" : "fail", $1 }' | sort -u >"$work/cases.$1"
}

# build_and_test NAME TIMEOUT_MULTIPLIER MESON_OPTIONS...
build_and_test() {
	what=$1
	patience=$2
	shift 2
	if build "build-$what" "$@"; then
		result pass "build-$what"
		meson_tests "$what" "$patience"
	else
		result fail "build-$what"
	fi
}

part_gcc() {
	CC=gcc
	export CC
	[ -z "$full" ] || export WEIR_SEEDS=10000 # of the property test
	build_and_test gcc 2
	gcc_build=$build
	unset CC WEIR_SEEDS
}

# Without precompiled headers, so that an include that a file lacks is found. Meson fills fresh and
# freed memory of the gcc build's tests; once is enough.
part_clang() {
	CC=clang
	MALLOC_PERTURB_=0
	export CC MALLOC_PERTURB_
	build_and_test clang 2 -Db_pch=false
	unset CC MALLOC_PERTURB_
}

part_asan() {
	CC=gcc
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:${ASAN_OPTIONS:-}
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-}
	export CC ASAN_OPTIONS UBSAN_OPTIONS
	build_and_test asan 6 -Dbuildtype=debugoptimized -Doptimization=1 -Db_sanitize=address,undefined \
		-Ddebug_checks=true -Ddefault_library=static
	unset CC ASAN_OPTIONS UBSAN_OPTIONS
}

# The twins that start threads, and a short run of the tool. DPDK's rings synchronise by fences, which
# ThreadSanitizer does not see; here they are built in their other form, with C11 atomics.
part_tsan() {
	CC=gcc
	TSAN_OPTIONS=halt_on_error=1:${TSAN_OPTIONS:-}
	export CC TSAN_OPTIONS
	threaded=$(grep -l pthread_create "$root"/tests/unit/test_*.c | sed 's|.*/test_||; s|\.c$||')
	# shellcheck disable=SC2086
	build_targets="app/weir $(printf ' tests/test_%s' $threaded)"
	if build build-tsan -Dbuildtype=debugoptimized -Doptimization=1 -Db_sanitize=thread \
		-Ddefault_library=static -Dc_args=-DRTE_USE_C11_MEM_MODEL; then
		result pass build-tsan
		for twin in $threaded; do
			# timeout gives it a process group of its own: Check passes a signal on to all of its group.
			if run timeout -k 5 300 "$build/tests/test_$twin" >"$work/tsan.log" 2>&1; then
				result pass "tsan/$twin"
			else
				tail -n 60 "$work/tsan.log"
				result fail "tsan/$twin"
			fi
		done
		export WEIR_BUILD="$build"
		script tsan/weir "$root/tests/tsan.sh"
		unset WEIR_BUILD
	else
		result fail build-tsan
	fi
	unset CC TSAN_OPTIONS build_targets
}

# script NAME PATH ARGS...: 0 passes, 77 is skipped for the reason in its last line.
script() {
	script_=$1
	shift
	script_began_=$(date +%s)
	run sh "$@" >"$work/script.log" 2>&1
	status=$?
	took_="($(($(date +%s) - script_began_)) s)"
	case $status in
	0) result pass "$script_" "$took_" ;;
	77) result skip "$script_" "$(tail -n 1 "$work/script.log")" ;;
	*)
		tail -n 60 "$work/script.log"
		result fail "$script_" "$took_"
		;;
	esac
	grep -oE '(ok|FAILED) pitfall_[0-9]+_[a-z0-9_]+' "$work/script.log" |
		awk -v script="$script_" '{ print $2, $1 == "ok" ? "pass" : "fail", script }' \
			>>"$work/cases.scripts"
}

# Tests of the built tool need the gcc build, also when that part was not asked for.
need_gcc_build() {
	if [ -z "${gcc_build:-}" ]; then
		CC=gcc
		export CC
		build build-gcc || die "the build failed, see above"
		gcc_build=$build
		unset CC
	fi
	export WEIR_BUILD="$gcc_build"
}

part_house() {
	need_gcc_build
	script house "$root/tests/check-house.sh" "$gcc_build"
}

part_bench() {
	need_gcc_build
	script bench "$root/tests/bench.sh"
}

part_kernel() {
	need_gcc_build
	for file in "$root"/tests/kernel/*.sh; do
		name=${file##*/}
		[ "$name" != begin.sh ] || continue
		script "kernel/${name%.sh}" "$file" $full
		[ "$name" != demo.sh ] || awk '/work-conserving/ { on = 1 } on' "$work/script.log"
	done
}

# What the kernel lacks is a skip of its own, with its reason.
part_interop() {
	need_gcc_build
	script interop "$root/tests/interop/run.sh" $full
	sed -n 's/^skip //p' "$work/script.log" | tr ' ' '_' | sed 's/:_/ /' >"$work/interop.skips"
	while read -r name why; do
		result skip "interop/$name" "$why"
	done <"$work/interop.skips"
	tail -n 1 "$work/script.log"
}

part_pitfall_scripts() {
	need_gcc_build
	for file in $(grep -l 'check "*pitfall_' "$root"/tests/kernel/*.sh); do
		name=${file##*/}
		script "kernel/${name%.sh}" "$file"
	done
}

part_mutate() {
	if [ -n "$full" ]; then
		script mutate "$root/tests/mutate.sh"
	else
		seed=$(date +%j)
		script mutate "$root/tests/mutate.sh" --seed "$seed" --count 3
	fi
	grep -E '^(killed|SURVIVED|INVALID)' "$work/script.log"
}

part_fuzz() {
	if [ -n "$full" ]; then # goes on where the last long run ended
		script fuzz "$root/tests/fuzz.sh" --seconds 300 \
			--cache "${XDG_CACHE_HOME:-$HOME/.cache}/weir-fuzz"
	else
		script fuzz "$root/tests/fuzz.sh" --seconds 30
	fi
	grep -E '^(ok|FAILED) ' "$work/script.log"
}

part_attacks() {
	need_gcc_build
	script attacks "$root/tests/attacks.sh" $full
	cat "$work/script.log"
}

part_fresh() {
	need_gcc_build
	if [ -n "$full" ]; then
		script fresh "$root/tests/fresh.sh"
	else
		script fresh "$root/tests/fresh.sh" --quick
	fi
}

list_pitfalls() {
	say ""
	say "Pitfalls:"
	cat "$work"/cases.* 2>/dev/null | sort -u >"$work/cases"
	grep -rhoE 'pitfall_[0-9]{2}_[a-z0-9_]+' "$root/tests" --include='*.c' --include='*.sh' |
		sort -u >"$work/named"
	awk -v last="$last_pitfall" '
	FILENAME ~ /cases$/ { was[$1] = was[$1] == "fail" ? "fail" : $2; next }
	{
		n = substr($1, 9, 2) + 0
		count[n]++
		test[n, count[n]] = $1
	}
	END {
		for (n = 1; n <= last; n++) {
			if (!count[n]) {
				printf "%2d open\n", n
				open++
			}
			for (i = 1; i <= count[n]; i++) {
				name = test[n, i]
				printf "%2d %-7s %s\n", n, name in was ? was[name] : "not run", name
			}
		}
		printf "%d of %d have a test, %d are open\n", last - open, last, open
	}' "$work/cases" "$work/named"
}

finish() {
	passed=$(grep -c '^pass ' "$work/results")
	failed=$(grep -c '^fail ' "$work/results")
	skipped=$(grep -c '^skip ' "$work/results")
	if [ "${CI:-}" = true ]; then
		grep '^skip ' "$work/results" >"$work/skipped"
		while read -r _ name _; do
			grep -qE "^$name [^ ]" "$root/tests/skips" || {
				say "skipped without a reason in tests/skips: $name"
				failed=$((failed + 1))
			}
		done <"$work/skipped"
	fi
	[ "$failed" = 0 ] || {
		say "Failed:"
		sed -n 's/^fail /  /p' "$work/results"
	}
	say "Total: $(($(date +%s) - run_began)) s"
	say "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

need_root
run_began=$(date +%s)
sh "$root/config/setup.sh" tests || exit 1
run_begin tests
: >"$work/results"
build_lock build-gcc
for part in $parts; do
	began=$(date +%s)
	say "== $part =="
	"part_$part"
	say "== $part: $(($(date +%s) - began)) s =="
done
[ -z "$pitfalls" ] || list_pitfalls
finish
exit $?
