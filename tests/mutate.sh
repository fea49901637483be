#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Do the tests notice? Each mutation of tests/mutations/table changes one line; then some unit test
# must fail. `sh tests/mutate.sh [--seed N --count N] [NAME...]`, without arguments all of them.
#
# Works on a copy. A mutation that does not change exactly one line or does not compile is INVALID; one
# that no test notices has SURVIVED; both fail.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"

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
		-Ddefault_library=static -Db_ndebug=false >"$work/log" 2>&1
}

compile() {
	run ninja -C "$work/build" "${1:-meson-test-prereq}" >"$work/log" 2>&1
}

# A mutation may make a loop endless: tests get a quarter of their time limit.
tests_pass() {
	CK_TIMEOUT_MULTIPLIER=0.25 run meson test -C "$work/build" --no-rebuild --maxfail 1 \
		--timeout-multiplier 2 "$@" >"$work/log" 2>&1
}

# The twin of the changed file first: it is built alone, and mostly it is the one that notices.
noticed() {
	twin_=${1##*/}
	twin_=${twin_%.[ch]}
	if grep -qx "$twin_" "$work/tests"; then
		compile "tests/test_$twin_" || return 2
		tests_pass "$twin_" || return 0
	fi
	compile || return 2
	! tests_pass
}

verdict() {
	printf '%s\n' "$*"
	case $1 in
	killed) killed=$((killed + 1)) ;;
	*) bad=$((bad + 1)) ;;
	esac
}

# The first test that failed.
killer() {
	grep -E '(FAIL|TIMEOUT|ERROR) ' "$work/log" |
		sed -n 's/^ *[0-9]*\/[0-9]* *//; s/ *\(FAIL\|TIMEOUT\|ERROR\).*//; 1p'
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

mutate() {
	file=$work/tree/$2
	cp "$file" "$work/original"
	apply "$2" "$3" "$work/original" "$file"
	noticed "$2"
	case $? in
	0) verdict killed "$1 by $(killer)" ;;
	1) verdict SURVIVED "$1: no test notices it in $2" ;;
	*)
		verdict INVALID "$1: does not compile"
		grep -m 3 error: "$work/log"
		;;
	esac
	cp "$work/original" "$file"
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
configure && compile || {
	tail -n 40 "$work/log"
	die "the copy does not build"
}
meson test -C "$work/build" --list 2>/dev/null | sed 's/^.* \/ //' >"$work/tests"
tests_pass || {
	tail -n 40 "$work/log"
	die "a test fails without any mutation"
}
while read -r name; do
	table | awk -v name="$name" '$1 == name' >"$work/line"
	read -r _ file_name expression <"$work/line"
	mutate "$name" "$file_name" "$expression"
done <"$work/chosen"
say "mutations: $killed killed, $bad not"
[ "$bad" = 0 ]
