#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# config/reproduce.sh and config/plot.sh on a recorded run, tests/reproduce.json: every cell is filled
# with the recorded figure, a row that is missing is named, and the pictures are pictures. Needs
# neither root nor a build.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/words.sh"

rows=$root/tests/reproduce.json
work_alone reproduce
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

# one_line WORD COMMAND...: refused in one line that holds WORD, in less than two seconds.
one_line() {
	word=$1
	shift
	refused timeout 2 "$@" && [ "$(wc -l <"$work/said")" = 1 ] && grep -qF "$word" "$work/said"
}

# Each script that a person calls says what it is.
helps() {
	sh "$root/$1" --help >"$work/said" 2>&1 && grep -qF "${1##*/}" "$work/said" &&
		! grep -qE '^(#|set|root=)' "$work/said"
}

reproduce_sh=$root/config/reproduce.sh
check "--rows that cannot be is told at once" \
	one_line "none/rows" sh "$reproduce_sh" --rows "$work/none/rows"
check "and --to" one_line "none/document" sh "$reproduce_sh" --to "$work/none/document"
check "and a directory" one_line "is a directory" sh "$reproduce_sh" --to "$work"
check "and --from" one_line "none/rows" sh "$reproduce_sh" --from "$work/none/rows"
check "table.sh: no such document" \
	one_line "none/document" sh "$root/config/table.sh" "$rows" "$work/none/document"
check "table.sh: a document without a place" \
	one_line "<!-- table -->" sh "$root/config/table.sh" "$rows" "$work/document"
check "plot.sh: no such file" \
	one_line "none/rows" sh "$root/config/plot.sh" "$work/none/rows" "$work/none"
check "plot.sh: a file for a directory" \
	one_line "is no directory" sh "$root/config/plot.sh" "$rows" "$work/document"
for script in config/demo.sh config/reproduce.sh config/plot.sh config/instructions.sh config/table.sh \
	tests/run.sh tests/fuzz.sh tests/mutate.sh tests/fresh.sh; do
	check "$script --help" helps "$script"
done

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
head -n 1 "$rows" | sed 's/"case":"[a-z]*"/"case":"merge"/' >"$work/other"
check "nor of other cases" refused sh "$root/config/plot.sh" "$work/other" "$work/none"
check "and no directory for it" [ ! -e "$work/none" ]
exit $failed
