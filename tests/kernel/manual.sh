#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The manuals tell of every option that --help lists, with the same range and default, of nothing that
# it does not list, and of every key that --json prints.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin manual

# told WORD...: each stands in $manual as code.
told() {
	for word in "$@"; do
		grep -qF -e "\`$word\`" -e "\`$word " "$manual" || {
			say "$manual lacks $word"
			return 1
		}
	done
}

# One line for each option of $work/help: its name and what is said of it.
help_options() {
	awk '
	/^  +--[a-z]/ { if (line != "") print line; line = $0; next }
	/^$/ || /^[^ ]/ { if (line != "") print line; line = ""; next }
	line != "" { line = line " " $0 }
	END { if (line != "") print line }' "$work/help" | sed 's/^ *//; s/   */ /g' |
		grep -vE '^--(help|version)'
}

# The cells of the option's row in $manual, without marks of code.
row_of() {
	grep -E "^\| \`$1[ \`[]" "$manual" | sed 's/`//g; s/\\|/ or /g'
}

# Ranges and defaults that --help names stand in the option's row.
same_figures() {
	bad_=0
	while read -r option_ said_; do
		row_=$(row_of "$option_")
		[ -n "$row_" ] || {
			say "$manual has no row for $option_"
			bad_=1
		}
		for range_ in $(printf '%s\n' "$said_" | grep -oE '[0-9]+[KMG]? to [0-9]+[KMG]?' | tr ' ' _); do
			case $row_ in
			*"$(printf '%s' "$range_" | tr _ ' ')"*) ;;
			*)
				say "$option_: $manual does not say $range_"
				bad_=1
				;;
			esac
		done
		for default_ in $(printf '%s\n' "$said_" | sed -nE \
			's/.*default:? ([0-9]+[KMG]?(-[0-9]+[KMG]?)?|on|off)([^-0-9a-zA-Z].*|$)/\1/p; s/.*[ (]([a-z]+) \(default.*/\1/p'); do
			printf '%s\n' "$row_" | awk -F'|' -v want="$default_" '
				{ n = split($4, word, /[ ,:;]+/); for (i = 1; i <= n; i++) if (word[i] == want) found = 1 }
				END { exit !found }' || {
				say "$option_: $manual does not say that $default_ is the default"
				bad_=1
			}
		done
	done <"$work/options"
	return $bad_
}

# No row tells of an option that is not there.
no_other_option() {
	grep -oE '^\| `--[a-z-]+' "$manual" | tr -d '|` ' | sort -u >"$work/rows"
	awk '{ print $1 }' "$work/options" | sort -u >"$work/names"
	comm -23 "$work/rows" "$work/names" >"$work/more"
	[ ! -s "$work/more" ] || {
		cat "$work/more"
		return 1
	}
}

# options_of TOOL DOCUMENT LEAST
options_of() {
	manual=$root/docs/$2
	"$build/app/$1" --help >"$work/help" || die "$1 --help fails"
	help_options >"$work/options"
	check "$1: options are listed" [ "$(wc -l <"$work/options")" -ge "$3" ]
	check "$1: options are explained, with their ranges and defaults" same_figures
	check "$1: no other option is" no_other_option
}

# The words of a table of $work/help or of a document, one a line.
cases_of_help() {
	sed -n '/^Cases/,$p' "$work/help" | awk 'NF > 1 && /^  / { sub(/\*$/, "", $1); print $1 }'
}
cases_of_manual() {
	sed -n '/^## Cases/,/^## /p' "$manual" | sed -nE 's/^\| `([a-z]+)` .*/\1/p'
}

options_of weir-bench weir-bench.md 4
cases_of_help >"$work/cases.help"
cases_of_manual >"$work/cases.manual"
check "weir-bench: cases are listed" [ "$(wc -l <"$work/cases.help")" -ge 15 ]
check "weir-bench: cases are explained, in their order" cmp "$work/cases.help" "$work/cases.manual"
options_of weir-gen weir-gen.md 20
options_of weir weir.md 25

run "$weir" -l "$engine_core" --no-pci --file-prefix "weir-$$" $eal_memory --vdev net_null0,no-rx=1 -- \
	--ip 198.18.0.1/24 --listen 9000 --seconds 1 --json >"$work/json" 2>"$work/weir.err" ||
	die "weir does not run: $(tail -n 1 "$work/weir.err")"
awk -f "$root/config/json.awk" "$work/json" | awk '{ print $1 }' >"$work/keys"
# The names below drops and reasons are lists of their own, numbers are places in arrays.
keys=$(grep -vE '^(drops|aggregates\.(sizes|reasons))\.' "$work/keys" | tr . '\n' | grep -v '^[0-9]' |
	sort -u)
check "keys are printed" [ "$(printf '%s\n' $keys | wc -l)" -gt 60 ]
check "keys are explained" told $keys
sed -nE 's/^drops\.//p' "$work/keys" >"$work/drops"
check "drops are printed" [ "$(wc -l <"$work/drops")" -gt 30 ]
while read -r name; do
	grep -q "^| \`$name\` | ." "$manual" || check "drop $name is explained" false
done <"$work/drops"
for name in $(sed -nE 's/^aggregates\.reasons\.//p' "$work/keys"); do
	check "reason $name is explained" told "$name"
done

# Nobody answers it: that is told, and the object comes all the same.
manual=$root/docs/weir-gen.md
run "$build/app/weir-gen" -l "$engine_core" --no-pci --file-prefix "weir-$$" $eal_memory \
	--vdev net_null0,no-rx=1 -- --ip 198.18.0.1/24 --connect 198.18.0.2:9000 --seconds 1 --stats 0 \
	--json >"$work/json" 2>"$work/gen.err"
keys=$(awk -f "$root/config/json.awk" "$work/json" | awk '{ print $1 }' | tr . '\n' | sort -u)
check "keys of weir-gen are printed" [ "$(printf '%s\n' $keys | wc -l)" -gt 45 ]
check "keys of weir-gen are explained" told $keys
exit $failed
