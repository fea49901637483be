#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# config/reproduce.sh and config/plot.sh on a recorded run, tests/reproduce.json: every cell is filled
# with the recorded figure, a row that is missing is named, and the pictures are pictures. Needs
# neither root nor a build.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
rows=$root/tests/reproduce.json
work=$(mktemp -d "${TMPDIR:-/tmp}/weir-$$-reproduce-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
failed=0

check() {
	name=$1
	shift
	if "$@"; then
		printf 'ok %s\n' "$name"
	else
		printf 'FAILED %s\n' "$name"
		failed=1
	fi
}

fails() {
	! "$@"
}

reproduce() {
	sh "$root/config/reproduce.sh" "$@"
}

# A run that must be refused; what it says is kept.
refused() {
	! "$@" >"$work/said" 2>&1
}

# Without a stored answer: what the row's own line holds stands in the document.
cell() {
	value=$(grep "\"row\":\"limit 4\",.*\"unit\":\"cycles/segment\"" "$rows" |
		sed 's/.*"value":\([0-9.]*\).*/\1/')
	fit=$(grep "\"row\":\"limit 4, x + y/k\"" "$rows" | sed 's/.*"value":\([0-9.]*\).*/\1/')
	grep -F "| 4 | $(printf '%.0f' "$value") | $(printf '%.0f' "$fit") |" "$work/document"
}

# 3 columns of the policy table are divisions of others: segments / ACKs is 2.00 with train.
divided() {
	grep -qE '^\| train, Reno \|.*\| 2\.00 \|' "$work/document"
}

# A picture: PNG's first bytes and header, 900 x 600, and more in it than one colour.
picture() {
	[ "$(od -An -tx1 -N 24 "$1" | tr -d ' \n')" = \
		"89504e470d0a1a0a0000000d49484452000003840000""0258" ] && [ "$(wc -c <"$1")" -gt 4000 ]
}

check "the document is written" reproduce --from "$rows" --to "$work/document"
check "no cell is left" fails grep -nE '@[{A-Z]' "$work/document"
check "a cell holds its row's figure" cell
check "a cell that is a division" divided
check "void rows are marked" grep -qF "(void)" "$work/document"

grep -v '"row":"every 2nd poll, size"' "$rows" >"$work/short"
check "a missing row is refused" refused reproduce --from "$work/short" --to -
check "and named" grep -qF "absent: delay|every 2nd poll, size|1|64|near" "$work/said"
: >"$work/empty"
check "an empty run is refused" refused reproduce --from "$work/empty" --to -

check "the committed template names rows that weir-bench has" sh -c '
	grep -o "@{[^}]*}" "$1" | sed "s/^@{//; s/}$//; s| // |\n|" | sed "s/#ratio$//" |
		grep -vE "^(kernel|policy)\|" | cut -d "|" -f 1-5 | sort -u >"$2/named"
	cut -d "|" -f 1-5 "$3" | sort -u >"$2/known"
	comm -23 "$2/named" "$2/known" | tee "$2/unknown"
	[ ! -s "$2/unknown" ]' - "$root/docs/reproduction.in" "$work" "$root/tests/bench.rows"

command -v gnuplot >/dev/null || {
	printf 'skipped: no gnuplot\n'
	exit $((failed ? 1 : 77))
}
check "pictures are drawn" sh "$root/config/plot.sh" "$rows" "$work/png"
for name in limit flows rr rooms; do
	check "$name.png" picture "$work/png/$name.png"
done
grep '"case":"rr"' "$rows" >"$work/rr"
check "of what is there" sh "$root/config/plot.sh" "$work/rr" "$work/some"
check "and no more" [ "$(ls "$work/some")" = rr.png ]
check "no picture of nothing" refused sh "$root/config/plot.sh" "$work/empty" "$work/none"
exit $failed
