#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The papers' tables next to ours: runs weir-bench and writes docs/reproduction.md from
# docs/reproduction.in. As root, on Debian 12, on a machine that does nothing else; 4 minutes.
#
#   sh config/reproduce.sh [--rows FILE] [--from FILE] [--to FILE] [--short]
#
# --rows FILE keeps what weir-bench printed, for config/plot.sh and for --from; --from FILE takes
# such a file and runs nothing (no root needed); --to FILE writes there instead ("-": standard
# output); --short measures nothing worth reading. Exit 0 when every cell has its figure.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

answer_help "$@"
cases="onoff limit flows rr delay profile kernel policy"
from=
keep=
to=$root/docs/reproduction.md
short=
while [ $# -gt 0 ]; do
	case $1 in
	--short) short=--short ;;
	--rows | --from | --to)
		[ $# -gt 1 ] || die "$1 wants a file"
		case $1 in
		--rows) keep=$2 ;;
		--from) from=$2 ;;
		--to) to=$2 ;;
		esac
		shift
		;;
	*) die "unknown option $1; known are --rows FILE, --from FILE, --to FILE, --short and --help" ;;
	esac
	shift
done
[ -z "$from" ] || must_read "$from"
[ -z "$keep" ] || must_write "$keep"
[ "$to" = - ] || must_write "$to"

# Each case by itself: one that fails does not take the others with it.
measure() {
	if [ -n "${WEIR_BUILD:-}" ]; then
		build=$WEIR_BUILD
	else
		sh "$root/config/setup.sh" demo || exit 1
		build_lock build-demo
		build build-demo -Dtests=false || die "the build failed, see above"
	fi
	bench=$(find "$build" -type f -name weir-bench -perm -u+x | head -n 1)
	[ -n "$bench" ] || die "the build in $build made no program called weir-bench"
	for case_ in $cases; do
		printf 'weir-bench %s\n' "$case_" >&2
		run "$bench" "$case_" --json $short >>"$work/rows"
		status_=$?
		# 2 with rows: some are void, and marked so
		[ $status_ = 0 ] || { [ $status_ = 2 ] && grep -q "\"case\":\"$case_\"" "$work/rows"; } ||
			die "weir-bench $case_ ended with status $status_"
	done
}

machine() {
	sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1
}

[ -n "$from" ] || need_root
run_begin reproduce
if [ -n "$from" ]; then
	cp "$from" "$work/rows"
else
	measure
	printf '{"machine":"%s, kernel %s","version":"%s"}\n' "$(machine)" "$(uname -r | cut -d - -f 1)" \
		"$(git -C "$root" describe --always 2>/dev/null)" >>"$work/rows"
fi
[ -z "$keep" ] || cp "$work/rows" "$keep" || die "$keep: cannot be written"
awk -f "$root/config/rows.awk" "$work/rows" >"$work/table"
[ -s "$work/table" ] || die "no row of weir-bench --json in ${from:-what it printed}"
awk -v rows="$work/table" -f "$root/config/reproduction.awk" "$work/table" \
	"$root/docs/reproduction.in" >"$work/filled" || die "rows are missing, see above"
about=$(sed -n 's/^{"machine":"\([^"]*\)","version":"\([^"]*\)"}$/\2 on \1/p' "$work/rows" | tail -n 1)
about=$(printf '%s' "${about:-an unnamed machine}" | sed 's/[&|\\]/\\&/g')
sed "s|@MACHINE@|$about|" "$work/filled" >"$work/document"
if [ "$to" = - ]; then
	cat "$work/document"
else
	cat "$work/document" >"$to" || die "$to: cannot be written"
fi
