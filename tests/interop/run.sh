#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# weir against the kernel's TCP, cell by cell:
#
#   sh tests/interop/run.sh [--full] [--list] [--help] [WORD...]
#
# A WORD keeps the cells that have it in their name (bbr, loss=1%, mtu=9000, tags=two ...); --list only
# names the cells. Each cell is one line, "ok" or "not ok"; what the kernel cannot do is one line, "skip",
# for all cells of it; the last line is "N passed, N failed, N skipped".
#
# A cell names what differs from: cubic, timestamps, SACK and window scaling on, ECN off, MTU 1500, no
# tags, no impairment. Its rows are each value of each dimension alone, and in full the pairs of
# dimensions that act on one another: congestion control, SACK with timestamps (they share the options'
# forty bytes), window scaling and ECN each with every impairment; ECN and congestion control with marks;
# timestamps with SACK with scaling; MSS or MTU with timestamps, tags and impairments. Every row is there
# for each family. The short form has each value once and the pairs that have most to do with one another.
#
# Every cell: both connections end well, SHA-256 equal, what the row says was agreed on (TCP_INFO), no
# stall beyond the sender's timeout, as its kernel's timer rounds it up, plus 200 ms. Cells that differ only in the peer's settings share one
# weir; at its end ("end of ...") packets balance and all buffers are back.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

conns=2
short_bytes=$((4 * 1048576)) # of a connection; twice as many in full
seed=1 # of the impairments
families="v4 v6"
impairments="loss=0.1% loss=1% loss=5% reorder=5% dup=5% corrupt=1%"
layouts="one one-stripped two two-stripped outer-stripped in-turn priority" # as in tagged.c

# ---- the rows ----

# row FORM KEY=VALUE...: one line, that which needs a weir of its own in front.
row() {
	form_=$1
	shift
	for family in $families; do
		cc=cubic ts=on sack=on ws=on ecn=off mss=- mtu=1500 tags=none impair=none setting=-
		for word_ in "$@"; do
			eval "${word_%%=*}=\${word_#*=}"
		done
		program_=weir
		[ "$tags" = none ] || program_=weir-tagged
		say "$mtu $program_ $setting $impair $form_ $family $cc $ts $sack $ws $ecn $mss $tags"
	done
}

rows_short() {
	row short
	for cc_ in cubic reno bbr; do
		row short cc=$cc_
		row short cc=$cc_ impair=loss=1%
		row short cc=$cc_ impair=mixed
	done
	for impair_ in $impairments; do
		row short impair="$impair_"
	done
	for ts_ in on off; do
		for sack_ in on off; do
			row short ts=$ts_ sack=$sack_
			row short ts=$ts_ sack=$sack_ impair=loss=1%
		done
	done
	row short ws=off
	row short ws=off impair=loss=1%
	row short ts=off sack=off ws=off
	row short ecn=on
	row short ecn=on impair=mixed
	row short ecn=on impair=ce=5%
	row short cc=reno ecn=on impair=ce=5%
	row short cc=bbr ecn=on impair=ce=5%
	row short impair=ce=5%
	for ecn_ in off on accurate; do
		row short ecn=$ecn_ setting=ecn=accurate impair=ce=5%
		row short ecn=$ecn_ setting=ecn=off impair=ce=5%
	done
	row short ecn=accurate setting=ecn=accurate
	row short ecn=accurate impair=ce=5%
	row short mss=536
	row short mss=536 impair=mixed
	row short mtu=9000
	row short mtu=9000 impair=mixed
	for tags_ in $layouts; do
		row short tags=$tags_
	done
	row short tags=two impair=mixed
	row short tags=two-stripped impair=mixed
}

rows_full() {
	for impair_ in none $impairments mixed; do
		for cc_ in cubic reno bbr; do
			for ecn_ in off on; do
				row full cc=$cc_ ecn=$ecn_ impair="$impair_"
			done
		done
		for sack_ in on off; do
			for ts_ in on off; do
				row full ts=$ts_ sack=$sack_ impair="$impair_"
			done
			row full cc=reno sack=$sack_ impair="$impair_"
			row full cc=bbr sack=$sack_ impair="$impair_"
		done
		row full ws=off impair="$impair_"
		row full mss=536 impair="$impair_"
		row full mss=536 ts=off impair="$impair_"
		row full mtu=9000 impair="$impair_"
		row full mtu=9000 ts=off impair="$impair_"
	done
	for cc_ in cubic reno bbr; do
		for impair_ in ce=0.1% ce=1% ce=20% ce=5%,loss=1%,reorder=2%; do
			row full cc=$cc_ ecn=on impair="$impair_"
		done
	done
	for ecn_ in off on accurate; do
		for cc_ in cubic reno bbr; do
			for impair_ in none ce=5% ce=5%,loss=1%,reorder=2%; do
				row full cc=$cc_ ecn=$ecn_ setting=ecn=accurate impair="$impair_"
			done
			row full cc=$cc_ ecn=$ecn_ setting=ecn=off impair=ce=5%
			row full cc=$cc_ ecn=$ecn_ impair=ce=5%
		done
	done
	row full ecn=on ts=off sack=off impair=ce=5%
	row full ecn=on mtu=9000 impair=ce=5%
	row full ecn=on tags=two impair=ce=5%
	for ws_ in on off; do
		for ts_ in on off; do
			for sack_ in on off; do
				row full ts=$ts_ sack=$sack_ ws=$ws_
				row full ts=$ts_ sack=$sack_ ws=$ws_ impair=mixed
			done
		done
	done
	for tags_ in $layouts; do
		for impair_ in none $impairments mixed; do
			row full tags=$tags_ impair="$impair_"
		done
		for mtu_ in 1500 9000; do
			row full tags=$tags_ mtu=$mtu_ ts=off
			row full tags=$tags_ mtu=$mtu_ mss=536
			row full tags=$tags_ mtu=$mtu_ cc=bbr
		done
	done
}

# The words that differ from the defaults.
cell_name() {
	name="$family $cc"
	for pair_ in "ts $ts on" "sack $sack on" "ws $ws on" "ecn $ecn off" "mss $mss -" "mtu $mtu 1500" \
		"tags $tags none" "weir $setting -"; do
		set -- $pair_
		[ "$2" = "$3" ] || name="$name $1=$2"
	done
	[ "$impair" = none ] || name="$name $impair"
}

# Those of the form that was asked for, each once, and of them those with all words of the filter.
rows_choose() {
	{
		rows_short
		[ -z "$full" ] || rows_full
	} | awk '{ key = $0; sub(/ (short|full) /, " ", key) } !seen[key]++' | sort -s -k 1,4 |
		while read -r mtu program setting impair form family cc ts sack ws ecn mss tags; do
			cell_name
			for word_ in $filter; do
				case " $name " in
				*" $word_ "*) ;;
				*) continue 2 ;;
				esac
			done
			say "$mtu $program $setting $impair $form $family $cc $ts $sack $ws $ecn $mss $tags"
		done
}

# ---- results ----

passed=0
failed=0
skipped=0

# result ok|not\ ok NAME REMARK
result() {
	case $1 in
	ok) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
	say "$1 $2${3:+: $3}"
}

# wrong TEXT: a reason why the cell fails; the first of them stands in its line.
wrong() {
	[ -n "$why" ] || why=$*
}

# ---- one weir and its cells ----

impair_spec() {
	case $1 in
	mixed) say "seed=$seed,loss=1%,dup=1%,reorder=2%,corrupt=0.1%,both=1" ;;
	*) say "seed=$seed,$1,both=1" ;;
	esac
}

# The listener of a layout; weir-tagged goes by its port.
port_of() {
	port=9000
	for layout_ in none $layouts; do
		[ "$layout_" != "$1" ] || return 0
		port=$((port + 1))
	done
}

group_begin() {
	group="mtu=$mtu tool=$program $setting $impair"
	group_impair=$impair
	ip -n "$peer_ns" link set "$peer_if" mtu "$mtu"
	ip -n "$weir_ns" link set "$weir_if" mtu "$mtu"
	ring_="blocksz=1048576,framesz=2048,framecnt=4096"
	[ "$mtu" = 1500 ] || ring_="blocksz=1228800,framesz=12288,framecnt=2000"
	vdev="net_af_packet0,iface=$weir_if,$ring_"
	weir=$build/app/weir
	[ "$program" = weir ] || weir=$build/tests/weir-tagged
	mkdir -p "$work/arrived.d"
	set -- --seconds 600
	[ "$setting" = - ] || set -- "$@" "--$setting"
	[ "$impair" = none ] || set -- "$@" --impair "$(impair_spec "$impair")"
	for tags_ in none $layouts; do
		port_of $tags_
		set -- "$@" --listen "$port:file=$work/arrived.d"
	done
	weir_start "$@"
	weir_wait
}

# Without SACK a sender repairs one loss a round trip, or waits for its timeout: less is enough.
choose_bytes() {
	bytes=$short_bytes
	[ -z "$full" ] || bytes=$((2 * bytes))
	[ "$sack$impair" != offloss=5% ] || bytes=$((bytes / 8))
	sent_digests_of "$bytes"
}

# The digests of what both connections send; they depend on the number of bytes.
sent_digests_of() {
	[ ! -f "$work/sent.of.$1.0" ] || return 0
	sent_digests $conns "$1" 7
	for i_ in 0 1; do
		cp "$work/sent.$i_" "$work/sent.of.$1.$i_"
	done
}

# All that the tool has to show at its end.
group_end() {
	why=
	kill -TERM "$weir_pid" 2>/dev/null
	reap "$weir_pid" || wrong "weir ended with status $?: $(tail -n 1 "$work/weir.err")"
	awk -f "$root/config/json.awk" "$work/weir.out" >"$work/weir.flat"
	if [ ! -s "$work/weir.flat" ]; then
		wrong "weir printed no figures: $(tail -n 1 "$work/weir.err")"
	else
		check_balance >"$work/balance" || wrong "$(cat "$work/balance")"
		for key_ in memory.buffers_held memory.bytes_unread memory.leases \
			connections.syn_received; do
			[ "$(figure $key_)" = 0 ] || wrong "$key_ is $(figure $key_)"
		done
		case $group in
		*"none" | *" ecn=off ce="*) ;; # nothing to do, or nobody who may be marked
		*) [ "$(figure ports.0.impaired)" -gt 0 ] || wrong "nothing was impaired" ;;
		esac
	fi
	case $group_impair in
	*corrupt* | mixed) ;; # may change a port, and with it the layout
	*) ! grep -q '^tagged:' "$work/weir.err" || wrong "$(grep '^tagged:' "$work/weir.err")" ;;
	esac
	[ -n "$why" ] || {
		result ok "end of $group" "$(figure balance.received) packets balance, buffers back"
		return
	}
	result "not ok" "end of $group" "$why"
}

# The kernel's settings of a cell: they count for connections opened from now on.
peer_settings() {
	n_() {
		case $1 in
		off) say 0 ;;
		on) say 1 ;;
		accurate) say 3 ;; # asks for AccECN
		esac
	}
	# A probe of the last segment waits up to 200 ms, and the timeout begins again behind it: where it may
	# get lost, the rule about waits could not be held against the timeout that the kernel shows. ECN
	# is asked for by a retransmitted SYN, too.
	probe_=3
	case $impair in
	*loss* | corrupt* | mixed) probe_=0 ;;
	esac
	in_ns "$peer_ns" sh -c 'cd /proc/sys/net/ipv4 && echo $1 >tcp_timestamps && echo $2 >tcp_sack &&
		echo $3 >tcp_window_scaling && echo $4 >tcp_ecn && echo $5 >tcp_early_retrans &&
		echo 0 >tcp_ecn_fallback' - \
		"$(n_ "$ts")" "$(n_ "$sack")" "$(n_ "$ws")" "$(n_ "$ecn")" $probe_ ||
		die "the kernel's TCP settings cannot be changed in a namespace"
}

# check_marks CE: so many of the sender's packets were told to it as marked. RFC 3168 6.1.3: there is an
# echo, and the sender's CWR ends it.
check_marks() {
	echoed_=$ecn,$impair
	[ "$setting" != ecn=off ] || echoed_=off
	case $echoed_ in
	on,ce=0.1%) [ $(($1 * 2 * mss_)) -lt "$bytes" ] || wrong "the echo goes on: $1 packets" ;;
	on,ce=* | accurate,ce=*) [ "$1" -gt 0 ] || wrong "no mark was echoed" ;;
	*) [ "$1" = 0 ] || wrong "$1 packets echoed as marked" ;;
	esac
}

# check_agreed OPTIONS MSS: as the row says.
check_agreed() {
	want_=0
	[ "$ts" = off ] || want_=$((want_ | 1))
	[ "$sack" = off ] || want_=$((want_ | 2))
	[ "$ws" = off ] || want_=$((want_ | 4))
	[ "$ecn" = off ] || [ "$setting" = ecn=off ] || want_=$((want_ | 8))
	[ $(($1 & 15)) = $want_ ] || wrong "options agreed on are $1, $want_ expected"
	most_=$((mtu - 40))
	[ "$family" = v4 ] || most_=$((mtu - 60))
	[ "$mss" = - ] || most_=$mss
	[ "$ts" = off ] || most_=$((most_ - 12))
	[ "$2" = $most_ ] || wrong "the sender's segments hold $2 bytes, $most_ expected"
}

# What the peer tells of each connection, and what became of it.
check_conns() {
	equal=0
	while read -r word_ index_ _ from_ _ options_ _ mss_ _ ce_; do
		[ "$word_" = agreed ] || continue
		check_agreed "$options_" "$mss_"
		check_marks "$ce_"
		set -- "$work"/arrived.d/*-"$from_"-*
		if [ $# != 1 ] || [ ! -f "$1" ]; then
			wrong "no single file of port $from_"
		elif [ "$(sha256sum <"$1" | cut -c 1-64)" = "$(cat "$work/sent.of.$bytes.$index_")" ]; then
			equal=$((equal + 1))
		else
			wrong "content differs from port $from_"
		fi
	done <"$work/peer.out"
	[ $equal = $conns ] || wrong "content equal for $equal of $conns connections"
}

# No wait for longer than the sender's timer plus 200 ms; see check_stalls in tests/kernel/begin.sh.
check_wait() {
	[ "$(peer_total over_ms)" -le 200 ] ||
		wrong "the sender waited $(peer_total over_ms) ms longer than its timeout"
}

run_cell() {
	why=
	pid_runs "$weir_pid" || wrong "weir has ended: $(tail -n 1 "$work/weir.err")"
	peer_settings
	choose_bytes
	port_of "$tags"
	to_=$weir_ip
	[ "$family" = v4 ] || to_="[$weir_ip6]"
	mss_=
	[ "$mss" = - ] || mss_="--mss $mss"
	# shellcheck disable=SC2086
	[ -n "$why" ] || peer send --connect "$to_:$port" --conns $conns --bytes "$bytes" --seed 7 \
		--congestion "$cc" --seconds 60 $mss_ >"$work/peer.out" 2>"$work/peer.err" ||
		wrong "the peer failed: $(tail -n 1 "$work/peer.err")"
	[ -n "$why" ] || check_conns
	[ ! -s "$work/peer.out" ] || check_wait
	rm -f "$work"/arrived.d/*
	if [ -n "$why" ]; then
		result "not ok" "$name" "$why"
	else
		result ok "$name" "$(peer_total ms) ms, $(peer_total retrans) sent again"
	fi
}

# What this kernel cannot do, once in $work/lacks for each value of a dimension: "WORD REASON".
find_lacks() {
	: >"$work/lacks"
	for cc_ in cubic reno bbr; do
		modprobe "tcp_$cc_" 2>/dev/null
		grep -qw $cc_ /proc/sys/net/ipv4/tcp_available_congestion_control ||
			say "$cc_ this kernel has no tcp_$cc_" >>"$work/lacks"
	done
	net_ip6 || say "v6 this kernel has no IPv6" >>"$work/lacks"
	in_ns "$peer_ns" sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_ecn' 2>/dev/null ||
		say "ecn=accurate this kernel's tcp_ecn takes no 3 (AccECN)" >>"$work/lacks"
}

# The word in the name of this cell that the kernel lacks, if any; the cells of each are counted.
lacking() {
	lack=
	while read -r word_ _; do
		case " $name " in
		*" $word_ "*) lack=$word_ ;;
		esac
	done <"$work/lacks"
	[ -n "$lack" ] && printf '%s\n' "$lack" >>"$work/lacking"
}

# One line for each thing that is lacking.
tell_lacks() {
	while read -r word_ why_; do
		cells_=$(grep -cx "$word_" "$work/lacking")
		[ "$cells_" = 0 ] || say "skip $word_: $why_, $cells_ cells"
		skipped=$((skipped + cells_))
	done <"$work/lacks"
}

run_groups() {
	last_key=
	while read -r mtu program setting impair form family cc ts sack ws ecn mss tags <&3; do
		cell_name
		! lacking || continue
		key="$mtu $program $setting $impair"
		if [ "$key" != "$last_key" ]; then
			[ -z "$last_key" ] || group_end
			group_begin
			last_key=$key
		fi
		run_cell
	done 3<"$work/rows"
	[ -z "$last_key" ] || group_end
}

full=
list=
filter=
for arg in "$@"; do
	case $arg in
	--help)
		sed -n '3,/^set/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	--full) full=yes ;;
	--list) list=yes ;;
	-*) die "unknown argument $arg; known are --full, --list, --help and words of the cells" ;;
	*) filter="$filter $arg" ;;
	esac
done

test_begin interop
rows_choose >"$work/rows"
[ -s "$work/rows" ] || die "no cell has all of these words:$filter"
if [ -n "$list" ]; then
	while read -r mtu program setting impair form family cc ts sack ws ecn mss tags; do
		cell_name
		say "$name"
	done <"$work/rows"
	exit 0
fi
net_veth
: >"$work/lacking"
find_lacks
run_groups
tell_lacks
say "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $passed -gt 0 ]
