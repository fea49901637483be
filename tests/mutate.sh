#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Do the tests notice? Each mutation of tests/mutations/table changes one line; then some test that
# passes without it must fail: a twin of the changed file, which is all that is built, or else any.
# `sh tests/mutate.sh [--seed N --count N] [NAME...]`, without arguments all of them.
#
# Works on a copy. A mutation that does not change exactly one line or does not compile is INVALID; one
# that no test notices has SURVIVED; both fail.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"

answer_help "$@"
seed=
count=
names=
while [ $# -gt 0 ]; do
	case $1 in
	--seed | --count)
		case ${2:-} in
		'' | *[!0-9]*) die "$1 wants a number" ;;
		esac
		[ "$1" = --seed ] && seed=$2 || count=$2
		shift
		;;
	-*) die "unknown option $1; known are --seed N and --count N" ;;
	*) names="$names $1" ;;
	esac
	shift
done

# The table without comments: NAME FILE SED-EXPRESSION
table() {
	grep -vE '^[ 	]*(#|$)' "$root/tests/mutations/table"
}

# Names to run: those given, or --count of them from a start that the seed chooses, spread evenly so
# that neighbours in the table do not come together.
choose() {
	if [ -n "$names" ]; then
		# shellcheck disable=SC2086
		printf '%s\n' $names
	else
		table | awk -v seed="${seed:-0}" -v count="${count:-0}" '
		{ name[NR - 1] = $1 }
		END {
			if (count == 0 || count > NR)
				count = NR
			for (i = 0; i < count; i++)
				print name[int(seed + i * NR / count) % NR]
		}'
	fi
}

copy_tree() {
	mkdir "$work/tree" || exit 1
	(cd "$root" && tar -cf - --exclude='./build*' --exclude=./.git .) | tar -xf - -C "$work/tree"
}

# Optimised a little: the tests count for more than the compiler. Warnings are no errors, since a
# mutation may leave a variable unused.
configure() {
	run meson setup "$work/build" "$work/tree" -Dbuildtype=plain -Dc_args=-O1 -Dwerror=false \
		-Ddefault_library=static -Db_ndebug=false -Db_pch=true >"$work/log" 2>&1
}

compile() {
	run ninja -C "$work/build" "$@" >"$work/log" 2>&1
}

# The tests that bear the name of a file, alone or with a suffix.
twins_of() {
	name_=${1##*/}
	grep -E "^${name_%.[ch]}(_|\$)" "$work/tests" | while read -r twin_; do
		[ ! -f "$root/tests/unit/test_$twin_.c" ] || printf '%s\n' "$twin_"
	done
}

# A mutation may make a loop endless: tests get a quarter of their time limit. $killer is the first
# that failed.
twins_pass() {
	for twin_ in $twins; do
		CK_TIMEOUT_MULTIPLIER=0.25 run timeout -k 5 60 "$work/build/tests/test_$twin_" \
			>"$work/log" 2>&1 || {
			killer=$twin_
			return 1
		}
	done
}

tests_pass() {
	compile meson-test-prereq || return 2
	CK_TIMEOUT_MULTIPLIER=0.25 MALLOC_PERTURB_=0 run meson test -C "$work/build" --no-rebuild \
		--maxfail 1 --timeout-multiplier 2 >"$work/log" 2>&1 && return 0
	killer=$(grep -E '(FAIL|TIMEOUT|ERROR) ' "$work/log" |
		sed -n 's/^ *[0-9]*\/[0-9]* *//; s/ *\(FAIL\|TIMEOUT\|ERROR\).*//; 1p')
	return 1
}

compile_twins() {
	# shellcheck disable=SC2046
	[ -z "$twins" ] || compile $(printf ' tests/test_%s' $twins)
}

# Without any mutation everything passes; of all tests that is asked once, when it matters.
need_clean() {
	if "$@"; then
		return 0
	fi
	tail -n 40 "$work/log"
	die "a test fails or does not build without any mutation"
}

need_clean_tests() {
	[ -n "${clean_tests:-}" ] || need_clean tests_pass
	clean_tests=yes
}

verdict() {
	printf '%s\n' "$*"
	case $1 in
	killed) killed=$((killed + 1)) ;;
	*) bad=$((bad + 1)) ;;
	esac
}

# apply FILE EXPRESSION FROM TO; true when exactly one line differs.
apply() {
	sed -e "$2" "$3" >"$4" 2>/dev/null || return 1
	[ "$(diff "$3" "$4" | grep -c '^[<>]')" = 2 ] &&
		[ "$(diff "$3" "$4" | grep -cE '^[0-9]+c[0-9]+$')" = 1 ]
}

# Every line of the table must still fit the tree, not only the chosen ones.
check_table() {
	table | while read -r name file expression; do
		[ -f "$root/$file" ] && apply "$file" "$expression" "$root/$file" "$work/changed" ||
			say "INVALID $name: does not change exactly one line of $file"
	done
	table | awk 'seen[$1]++ { print "INVALID " $1 ": twice in the table" }'
}

# with_mutation COMMAND...: on the changed tree; 0 means unnoticed, 2 does not compile.
with_mutation() {
	apply "$file" "$expression" "$work/original" "$work/tree/$file"
	"$@"
	status_=$?
	cp "$work/original" "$work/tree/$file"
	return $status_
}

try_twins() {
	compile_twins || return 2
	twins_pass
}

mutate() {
	twins=$(twins_of "$file")
	cp "$work/tree/$file" "$work/original"
	need_clean try_twins
	with_mutation try_twins
	status=$?
	if [ $status = 0 ]; then
		need_clean_tests
		with_mutation tests_pass
		status=$?
	fi
	case $status in
	0) verdict SURVIVED "$1: no test notices it in $file" ;;
	1) verdict killed "$1 by $killer" ;;
	*)
		verdict INVALID "$1: does not compile"
		grep -m 3 error: "$work/log"
		;;
	esac
}

need_root
run_begin mutate
killed=0
bad=0
check_table >"$work/invalid"
if [ -s "$work/invalid" ]; then
	cat "$work/invalid"
	exit 1
fi
choose >"$work/chosen"
[ -s "$work/chosen" ] || die "no mutation chosen"
table | awk '{ print $1 }' | grep -vxFf - "$work/chosen" && die "no such mutation in the table"
copy_tree
configure || {
	tail -n 40 "$work/log"
	die "the copy cannot be configured"
}
meson test -C "$work/build" --list 2>/dev/null | sed 's/^.* \/ //' >"$work/tests"
while read -r name; do
	table | awk -v name="$name" '$1 == name' >"$work/line"
	read -r _ file expression <"$work/line"
	mutate "$name"
done <"$work/chosen"
say "mutations: $killed killed, $bad not"
[ "$bad" = 0 ]
