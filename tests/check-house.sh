#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The rules of the house that a script can see. `sh tests/check-house.sh [BUILD_DIR]`; with a build
# directory the symbols of the archive are looked at too. One line per breach.
set -u
cd "$(dirname "$0")/.." || exit 1
archive_dir=${1:-}
breaches=$(mktemp "${TMPDIR:-/tmp}/weir-$$-house-XXXXXX") || exit 1
trap 'rm -f "$breaches"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

breach() {
	printf '%s\n' "$*" >>"$breaches"
}

# All C files below the given directories.
c_files() {
	for dir in "$@"; do
		[ ! -d "$dir" ] || find "$dir" -name '*.[ch]' -type f
	done | sort
}

# wire < flow < tcp < engine < the implementation of weir.h; weir.h itself is only a contract, known
# from tcp on. drivers and app see what the design names. tests see everything.
includes() {
	for file in $(c_files lib drivers app); do
		sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file" | sed "s|^|$file |"
	done | awk '
	BEGIN {
		rank["wire"] = 1; rank["flow"] = 2; rank["tcp"] = 3; rank["engine"] = 4
	}
	function room(path,    part) {
		split(path, part, "/")
		return part[1]
	}
	{
		where = $1
		what = $2
		to = room(what)
		good = 0
		if (where ~ /^lib\/[a-z]+\//) {
			split(where, part, "/")
			from = part[2]
			if (what == "weir.h")
				good = rank[from] >= 3
			else if (to in rank)
				good = rank[to] <= rank[from]
			if (from == "engine" && what == "engine/port.h")
				good = 1
		} else if (where ~ /^lib\/[^\/]+$/) {
			good = (to in rank) || what == "weir.h"
			if (where == "lib/weir.h")
				good = 0
		} else if (where ~ /^drivers\//) {
			good = what == "weir.h" || to == "wire" || what == "flow/buffer.h" ||
				what == "engine/port.h" || to == "drivers" || what !~ /\//
		} else if (where ~ /^app\/(generator|gen|bench)\//) {
			good = 1
		} else if (where ~ /^app\//) {
			good = what == "weir.h" || what ~ /^app\/cli\// || what !~ /\// ||
				(what == "app/generator/pattern.h" && where ~ /^app\/weir\//)
		}
		if (!good)
			printf "%s includes %s\n", where, what
	}' >>"$breaches"
	grep -nE '# *include *<(rte_|numa)' lib/weir.h >>"$breaches"
	grep -nE '# *include *<rte_(ethdev|eth_|bus_)' $(c_files lib) /dev/null >>"$breaches"
}

# File and function length. A function's braces stand in the first column, nothing else's do.
lengths() {
	for file in $(c_files lib drivers app tests); do
		awk -v file="$file" '
		FNR == 1 && $0 !~ /SPDX-License-Identifier: BSD-3-Clause/ {
			print file ": first line is not the licence"
		}
		/^\{/ { start = FNR; name = before }
		/^\}/ && start {
			if (FNR - start - 1 > 80)
				print file ":" start ": " name " has " FNR - start - 1 " lines, 80 at most"
			start = 0
		}
		{ before = $0 }
		END {
			if (FNR > 600)
				print file ": " FNR " lines, 600 at most"
		}' "$file"
	done >>"$breaches"
	median=$(for file in $(c_files lib drivers); do
		awk '/^\{/ { start = FNR } /^\}/ && start { print FNR - start - 1; start = 0 }' "$file"
	done | sort -n | awk '{ n[NR] = $1 } END { print NR ? n[int((NR + 1) / 2)] : 0 }')
	[ "$median" -le 12 ] || breach "lib, drivers: median function has $median lines, 12 at most"
}

# Each file of the library with code in it has its twin. A header counts when it defines functions,
# but for the two that stand for all files of their directory.
twins() {
	for file in $(c_files lib drivers); do
		case $file in
		lib/tcp/tcp.h | lib/engine/engine.h) continue ;;
		lib/*/*.c | drivers/*.c) ;;
		lib/*/*.h | drivers/*.h)
			grep -q '^static inline' "$file" || continue
			[ ! -f "${file%.h}.c" ] || continue
			;;
		*) continue ;;
		esac
		name=${file##*/}
		[ -f "tests/unit/test_${name%.[ch]}.c" ] ||
			breach "$file has no twin tests/unit/test_${name%.[ch]}.c"
	done
}

# The words are written in two halves so that this file does not contain them.
marks() {
	grep -rnE '\<(TO''DO|FIX''ME|XX''X|HA''CK)\>|#if'' 0|not impl''emented' \
		lib app drivers config tests docs 2>/dev/null >>"$breaches"
}

# The library prints nothing, ends nothing, and takes time, cores and chance as arguments.
ambient() {
	grep -nE '(^|[^_a-zA-Z0-9])(v?f?printf|puts|perror|exit|_exit|RTE_LOG|rte_log|rte_exit)\(' \
		$(c_files lib drivers) /dev/null >>"$breaches"
	grep -nE '(^|[^_a-zA-Z0-9])(clock_gettime|gettimeofday|time|rte_rdtsc[a-z_]*|rte_get_(tsc|timer)_cycles|rte_lcore_id|rte_rand[a-z_]*|s?rand(om)?|getrandom)\(' \
		$(c_files lib drivers) /dev/null >>"$breaches"
	grep -nE 'MBUF_FAST_FREE|__rte_packed|rte_atomic(16|32|64)|ALLOW_EXPERIMENTAL_API' \
		$(c_files lib drivers app) lib/meson.build app/meson.build meson.build /dev/null 2>/dev/null >>"$breaches"
}

# A function that only fetches ahead is one without effect to gcc, which leaves out the call: that of
# DPDK it has to keep.
fetches() {
	grep -n '__builtin_prefetch' $(c_files lib drivers) /dev/null >>"$breaches"
}

symbols() {
	[ -n "$archive_dir" ] || return 0
	archive=$(find "$archive_dir" -name libweir.a | head -n 1)
	[ -n "$archive" ] || {
		breach "no libweir.a in $archive_dir"
		return
	}
	nm -g --defined-only "$archive" 2>/dev/null |
		awk 'NF == 3 && $3 !~ /^weir_/ { print "symbol " $3 " does not start with weir_" }' |
		sort -u >>"$breaches"
}

# weir.h alone, by each compiler that is here, as C11 and as C++.
header() {
	for how in "gcc -x c -std=c11" "gcc -x c++ -std=c++11" "clang -x c -std=c11" \
		"clang -x c++ -std=c++11"; do
		command -v "${how%% *}" >/dev/null || continue
		$how -Wall -Wextra -Wpedantic -Werror -Wno-pragma-once-outside-header -fsyntax-only \
			lib/weir.h >>"$breaches" 2>&1 || breach "lib/weir.h: $how fails"
	done
}

includes
lengths
twins
marks
ambient
fetches
symbols
header
cat "$breaches"
n=$(wc -l <"$breaches")
printf 'house: %s breaches, median function %s lines\n' "$n" "$median"
[ "$n" = 0 ]
