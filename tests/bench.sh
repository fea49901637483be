#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# weir-bench in its short form, for completeness and correctness, never for a time: every row of
# tests/bench.rows is there once and is one well-formed object; the payload of each stream was compared
# (weir-bench ends with 2 otherwise). Exit 77 means skipped, the last line says why.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/tests/kernel/begin.sh"

# Objects that are not of the form that readers rely on.
malformed() {
	grep -vE '^\{"case":"[a-z]+","row":"[^"\\]+","flows":[0-9]+,"run":[0-9]+,"set":"(near|cross|memory)","value":[-+.e0-9]+,"unit":"[^"\\]+"(,"against":"[^"\\]+","ratio":[-+.e0-9]+(,"must":[.0-9]+,"aim":[.0-9]+,"pass":(true|false))?)?,"spread":[-+.e0-9]+,"valid":(true|false)(,"lockstep":true)?,"short":true(,"headroom":[.0-9]+)?(,"void":"[^"\\]+")?\}$' "$1"
}

# What a row is of: case, row, flows, run, set, and whether it has a target.
names() {
	sed -E 's/^\{"case":"([^"]*)","row":"([^"]*)","flows":([0-9]+),"run":([0-9]+),"set":"([a-z]*)".*"must":([.0-9]+).*/\1|\2|\3|\4|\5|\6/
		s/^\{"case":"([^"]*)","row":"([^"]*)","flows":([0-9]+),"run":([0-9]+),"set":"([a-z]*)".*/\1|\2|\3|\4|\5|/' "$1" | sort
}

test_begin bench
bench=$(find "$build" -type f -name weir-bench -perm -u+x | head -n 1)
[ -n "$bench" ] || die "the build in $build made no program called weir-bench"
[ "$(nproc)" -ge 2 ] || skip "the set cross needs two cores"
grep -qw clflushopt /proc/cpuinfo || skip "the set memory needs clflushopt"

run timeout 170 "$bench" all --short --json >"$work/rows"
check "all cases run to their end" [ $? = 0 ]
malformed "$work/rows" >"$work/malformed"
check "every row is one object of the known form" [ ! -s "$work/malformed" ]
cat "$work/malformed"
names "$work/rows" >"$work/names"
check "every expected row is there" diff "$root/tests/bench.rows" "$work/names"
check "every row is valid" same "rows that are not" "$(grep -c '"valid":false' "$work/rows")" 0
check "a device, which no case takes, is refused" [ \
	"$("$bench" --vdev net_null0 -- merge 2>&1 | grep -c 'vdev net_null0: no case takes a device')" = 1 ]
check "a wrong case is refused" [ "$("$bench" tofu 2>&1 | grep -c 'is no case')" = 1 ]
exit $failed
