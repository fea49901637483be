#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The targets of weir-bench and what a run of it printed, as a table of Markdown:
#
#   weir-bench all --json >run.json; weir-bench kernel accept --json >>run.json
#   sh config/table.sh run.json [FILE]
#
# With FILE the table is put there between the lines <!-- table --> and <!-- end -->; no figure of it
# is typed by hand.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)

. "$root/config/words.sh"

answer_help "$@"
[ $# = 1 ] || [ $# = 2 ] || die "give a file of weir-bench --json and, perhaps, a document to fill"
must_read "$1"
[ $# = 1 ] || must_read "$2"
[ $# = 1 ] || must_write "$2"
work_alone table
awk -f "$root/config/rows.awk" "$1" >"$work/rows"
[ -s "$work/rows" ] || die "$1: no row of weir-bench --json"

# Rows with a target; then the rooms of the stream that the others are measured on.
awk -F '\t' '
function stream() {
	return ($3 == "" ? "" : $3 " x " $4 ", ") $5
}
$9 != "" {
	if (!targets++) {
		print "| Case | Row | Flows x run, set | Value | Ratio | Must | Aim | |"
		print "|---|---|---|---|---|---|---|---|"
	}
	# Some ratios must be high and some low: the aim lies on the good side of the must.
	up = $10 > $9 || (($10 == $9) && $1 == "merge")
	good = up ? $8 >= $9 : $8 <= $9
	aimed = up ? $8 >= $10 : $8 <= $10
	printf "| `%s` | %s | %s | %.4g %s | %.3g | %s | %s | %s |\n", $1, $2, stream(), $7, $6, $8, $9,
		$10, $12 != "true" ? "void" : aimed ? "aim" : good ? "must" : "missed"
}
$1 == "profile" && $3 == 64 && $4 == 8 && $5 == "cross" { room[++rooms] = $2; cycles[rooms] = $7 }
END {
	if (rooms) {
		print ""
		print "| Room, 64 x 8, cross | Cycles/segment |"
		print "|---|---|"
		for (i = 1; i <= rooms; i++)
			printf "| %s | %.3g |\n", room[i], cycles[i]
	}
}' "$work/rows" >"$work/table"
if [ $# = 1 ]; then
	cat "$work/table"
	exit 0
fi
grep -q '^<!-- table -->$' "$2" && grep -q '^<!-- end -->$' "$2" ||
	die "$2 has no lines <!-- table --> and <!-- end -->"
awk -v table="$work/table" '
/^<!-- end -->$/ { skip = 0 }
!skip { print }
/^<!-- table -->$/ { while ((getline line <table) > 0) print line; skip = 1 }' "$2" >"$work/document" &&
	cat "$work/document" >"$2" || die "$2: cannot be written"
