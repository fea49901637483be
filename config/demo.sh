#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The main job: Linux TCP streams into weir, and every byte arrives. As root, on Debian 12; --help says
# how to call it.
#
# 2 GiB over 8 connections (--short: 256 MiB) from the kernel's TCP in a network namespace, twice:
# once delivering at once, once holding aggregates adaptively. Exit 0 when all that arrived equals
# what was sent, every packet is accounted for, no frame was longer than the MTU and the adaptive
# run has more than 4 segments per aggregate.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

usage() {
	cat <<'END'
sudo sh config/demo.sh [--short | --mib N] [--impair SPEC]

Linux TCP streams 2 GiB over 8 connections from a network namespace into weir, twice: delivering at
once (--flush now), then holding aggregates (--flush adaptive). Each second weir reports; at the end
the SHA-256 of what arrived is compared with that of what was sent. Installs what the build needs.

  --short        256 MiB instead of 2 GiB
  --mib N        N MiB
  --impair SPEC  lose, double, reorder or corrupt on the way in: "seed=1,loss=1%,dup=1%,reorder=2%"
  --help

Needs root, N MiB of room in TMPDIR (/tmp) and 1 GiB of memory; no network card, no hugepages. Exit
status 0: all arrived, every packet is accounted for, no frame was longer than the MTU, more than 4
segments per aggregate in the second run.
END
}

mib=2048
impair=
conns=8
mtu=1500
while [ $# -gt 0 ]; do
	case $1 in
	--short) mib=256 ;;
	--mib)
		shift
		mib=${1:-}
		;;
	--impair)
		shift
		impair=${1:-}
		[ -n "$impair" ] || die "--impair wants a text such as seed=1,loss=1%"
		;;
	--help | -h)
		usage
		exit 0
		;;
	*) die "unknown option $1; --help lists those there are" ;;
	esac
	[ $# = 0 ] || shift
done
case $mib in
'' | 0* | *[!0-9]* | ????????*) die "--mib wants a number of MiB, 1 to 9999999" ;;
esac

# Words as docs/weir.md has them, each once.
impair_is_known() {
	printf '%s\n' "$1" | awk '{
		for (n = split($0, word, ","); n > 0; n--) {
			name = word[n]
			sub(/=.*/, "", name)
			if (seen[name]++)
				exit 1
			if (word[n] !~ /^(loss|dup|reorder|corrupt|truncate|ce)=(100(\.0+)?|[0-9]?[0-9](\.[0-9]+)?)%$/ &&
			    word[n] !~ /^(seed=[0-9]+|both=[01]|delay=(0|[0-9]+(ns|us|ms|s)))$/)
				exit 1
		}
	}'
}
[ -z "$impair" ] || impair_is_known "$impair" ||
	die "--impair $impair is wrong: give words, each once, such as seed=1,loss=1%,dup=1%,reorder=2%"

# One run: flush mode, then its figures to $work/NAME.flat and a line of them to $work/NAME.line.
stream() {
	mkdir "$work/arrived.d"
	say ""
	say "== --flush $1: $conns connections, $mib MiB =="
	weir_shown=yes
	weir_start --listen "9000:file=$work/arrived.d" --flush "$1" --stats 1 --seconds 600 \
		${impair:+--impair "$impair"}
	weir_wait
	peer send --connect "$weir_ip:9000" --conns $conns --bytes $bytes --seed 1 \
		--seconds 300 >"$work/peer.out" || die "the sending kernel reports a failure"
	wait_written "$work/arrived.d" $((bytes * conns))
	weir_stop
	say ""
	check_content "$work/peer.out" "$work/arrived.d" $conns $bytes ||
		complain "$1: content differs"
	check_balance || complain "$1: packets are missing from the balance"
	check_frames "$1"
	rm -rf "$work/arrived.d"
	cp "$work/weir.flat" "$work/$1.flat"
	awk -v bytes=$((bytes * conns)) '$1 == "total" {
		printf "%.2f", bytes * 8 / ($7 < 1 ? 1 : $7) / 1e6 }' "$work/peer.out" >"$work/$1.gbps"
}

complain() {
	say "FAILED: $*"
	failed=1
}

# Untagged Ethernet on both ports.
check_frames() {
	longest=$(awk '$1 ~ /^ports\.[0-9]+\.frame_max$/ && $2 > most { most = $2 } END { print most + 0 }' \
		"$work/weir.flat")
	say "longest frame $longest bytes, MTU $mtu"
	[ "$longest" -gt 0 ] && [ "$longest" -le $((mtu + 14)) ] ||
		complain "$1: longest frame is $longest bytes, $((mtu + 14)) at most expected"
}

# segs / count, with two decimals
per_aggregate() {
	awk '$1 == "aggregates.segs" { segs = $2 } $1 == "aggregates.count" { count = $2 }
		END { printf "%.2f", count ? segs / count : 0 }' "$work/$1.flat"
}

compare() {
	now=$(per_aggregate now)
	adaptive=$(per_aggregate adaptive)
	say ""
	printf '%-24s %16s %12s\n' '' work-conserving adaptive
	printf '%-24s %16s %12s\n' 'segments per aggregate' "$now" "$adaptive"
	printf '%-24s %16s %12s\n' 'Gb/s' "$(cat "$work/now.gbps")" "$(cat "$work/adaptive.gbps")"
	awk -v mean="$adaptive" 'BEGIN { exit !(mean > 4) }' ||
		complain "adaptive has $adaptive segments per aggregate, more than 4 expected"
}

need_root
began=$(date +%s)
failed=0
bytes=$((mib * 1048576 / conns))
run_begin demo
sh "$root/config/setup.sh" demo || exit 1
need_space "$work" $((mib + 128))
if [ -n "${WEIR_BUILD:-}" ]; then
	build=$WEIR_BUILD
else
	say "Building ..."
	build_lock build-demo
	build build-demo -Dtests=false || die "the build failed, see above"
fi
find_weir "$build"
peer_build
cores_choose
eal_choose 512
sent_digests $conns $bytes 1
net_veth
stream now
stream adaptive
compare
say ""
say "demo: $([ $failed = 0 ] && echo passed || echo FAILED) in $(($(date +%s) - began)) s"
exit $failed
