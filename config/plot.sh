#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Draws what weir-bench --json printed, as PNG, with gnuplot:
#
#   weir-bench limit flows rr profile --json >run.json
#   sh config/plot.sh run.json DIR
#
# DIR/limit.png (cost by aggregation limit, and x + y/k), flows.png (cost by connections), rr.png
# (latency of a lone segment) and rooms.png (cycles of each room). A case without rows is left out and
# named. Exit 0 when something was drawn.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/words.sh"

answer_help "$@"
[ $# = 2 ] || die "give a file of weir-bench --json and a directory for the pictures"
from=$1
to=$2
must_read "$from"
[ ! -e "$to" ] || [ -d "$to" ] || die "$to: is no directory: give one, it is made if it is not there"
command -v gnuplot >/dev/null || sh "$root/config/setup.sh" plot || exit 1
work_alone plot
awk -f "$root/config/rows.awk" "$from" >"$work/table"
[ -s "$work/table" ] || die "$from: no row of weir-bench --json"

# pick CASE AWK_CONDITION: columns are those of rows.awk
pick() {
	awk -F '\t' -v name="$1" '$1 == name && ('"$2"') { '"$3"' }' "$work/table"
}

drawn=0

# draw NAME DATA: gnuplot commands on standard input; in them `data` is the file.
draw() {
	[ -s "$2" ] || {
		printf '%s: no rows for %s.png\n' "$me" "$1" >&2
		cat >/dev/null
		return
	}
	[ -d "$to" ] || mkdir -p "$to" || die "$to: cannot be made"
	{
		printf 'data = "%s"\n' "$2"
		printf 'set terminal png size 900,600 font "sans,11"\nset output "%s/%s.png"\n' "$to" "$1"
		printf 'set grid ytics lc rgb "#dddddd"\nset border 3\nset tics nomirror\n'
		printf 'set style line 1 lw 2 pt 7 ps 1.2 lc rgb "#1f4e79"\n'
		printf 'set style line 2 lw 2 pt 5 ps 1.2 lc rgb "#c0504d"\n'
		cat
	} >"$work/$1.gnuplot"
	gnuplot "$work/$1.gnuplot" || die "gnuplot fails on $1.png"
	drawn=$((drawn + 1))
	printf '%s\n' "$to/$1.png"
}

pick limit '$2 ~ /^limit [0-9]+$/' 'print substr($2, 7), $7' >"$work/limit"
pick limit '$2 ~ /x \+ y\/k$/' 'split(substr($2, 7), k, ","); print k[1], $7' >"$work/fit"
draw limit "$work/limit" <<E2
set title "Cost by aggregation limit"
set xlabel "aggregation limit k, segments"
set ylabel "cycles per segment, whole path"
set logscale x 2
set xrange [0.9:70]
set yrange [0:*]
plot "$work/fit" using 1:2 with lines ls 2 title "x + y/k", data using 1:2 with points ls 1 title "measured"
E2

pick flows '$2 == "weir" && $4 != 1' 'print $3, $7' >"$work/flows"
pick flows '$2 == "weir" && $4 == 1' 'print $3, $7' >"$work/flows1"
draw flows "$work/flows" <<E2
set title "Cost by connections"
set xlabel "connections, in random order"
set ylabel "cycles per segment, whole path"
set logscale x 10
set format x "10^{%L}"
set xrange [0.7:1.5e6]
set yrange [0:*]
set key top left
plot data using 1:2 with linespoints ls 1 title "runs of 8 segments", "$work/flows1" using 1:2 with linespoints ls 2 title "runs of 1"
E2

pick rr '$2 ~ /^aggregation (off|on), p(50|99)$/' 'split($2, w, /[ ,]+/); v[w[3], w[2]] = $7; seen = 1
	} END { if (seen) for (i = 50; i < 100; i += 49)
		print "p" i, v["p" i, "off"], v["p" i, "on"]' >"$work/rr"
draw rr "$work/rr" <<E2
set title "A lone segment, from the port to the application"
set ylabel "cycles"
set yrange [0:*]
set style data histogram
set style histogram clustered gap 1
set style fill solid
set boxwidth 0.8
plot data using 2:xtic(1) lc rgb "#1f4e79" title "aggregation off", data using 3 lc rgb "#c0504d" title "aggregation on"
E2

# One line a stream, one column a room; the first line names the rooms.
awk -F '\t' '$1 == "profile" {
	stream = $3 " x " $4 " " $5
	if (!(stream in have)) {
		have[stream] = 1
		streams[++n] = stream
	}
	if (!($2 in room)) {
		room[$2] = 1
		rooms[++m] = $2
	}
	v[stream, $2] = $7
}
END {
	if (!n)
		exit
	printf "stream"
	for (i = 1; i <= m; i++)
		printf "\t%s", rooms[i]
	for (s = 1; s <= n; s++) {
		printf "\n%s", streams[s]
		for (i = 1; i <= m; i++)
			printf "\t%g", v[streams[s], rooms[i]]
	}
	print ""
}' "$work/table" >"$work/rooms"
columns=$(head -n 1 "$work/rooms" | awk -F '\t' '{ print NF }')
draw rooms "$work/rooms" <<E2
set title "Where the cycles of a segment go (connections x run, stream)"
set ylabel "cycles per segment"
set yrange [0:*]
set datafile separator "\t"
set style data histogram
set style histogram rowstacked
set style fill solid 0.8 border -1
set boxwidth 0.6
set xtics rotate by -20
set key outside right reverse Left invert
set key autotitle columnheader
plot for [i=2:${columns:-2}] data using i:xtic(1)
E2

[ $drawn -gt 0 ] || die "$from: no row of the cases limit, flows, rr and profile"
