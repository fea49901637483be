#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Where the instructions of a poll go: runs a case of weir-bench under callgrind, which counts
# instructions and not time, and prints the share of each function. As root, on Debian 12:
#
#   sh config/instructions.sh [CASE]        default: merge; weir-bench --help lists the cases
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

answer_help "$@"
[ $# -le 1 ] || die "give one case of weir-bench"
case=${1:-merge}
case $case in
-*) die "unknown option $case; a case of weir-bench is all that is taken" ;;
esac
need_root
sh "$root/config/setup.sh" bench || exit 1
run_begin instructions
if [ -n "${WEIR_BUILD:-}" ]; then
	build=$WEIR_BUILD
else
	build_lock build-gcc
	build build-gcc || die "the build failed, see above"
fi
run valgrind --tool=callgrind --toggle-collect=weir_engine_poll --callgrind-out-file="$work/out" \
	"$build/app/weir-bench" "$case" --short >"$work/log" 2>&1 || {
	tail -n 5 "$work/log" >&2
	die "weir-bench $case failed under valgrind"
}
callgrind_annotate --threshold=99 "$work/out" | awk '
/PROGRAM TOTALS/ { print "share of the instructions of weir_engine_poll"; on = 1; next }
on && /^ *[0-9,]+ \( *[0-9.]+%\)/ {
	share = $0
	sub(/^[^(]*\( */, "", share)
	sub(/%.*/, "", share)
	name = $0
	sub(/^.*\) +/, "", name)
	sub(/ \[.*/, "", name)
	sub(/^.*:/, "", name)
	if (share >= 0.5)
		printf "%6.1f %%  %s\n", share, name
}'
