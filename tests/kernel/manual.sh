#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# docs/weir.md tells of every option that --help lists, and of every key that --json prints.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin manual
manual=$root/docs/weir.md

# told WORD...: each stands in the manual as code.
told() {
	for word in "$@"; do
		grep -qF -e "\`$word\`" -e "\`$word " "$manual" || {
			say "docs/weir.md lacks $word"
			return 1
		}
	done
}

"$weir" --help >"$work/help"
options=$(grep -oE '^ +--[a-z-]+' "$work/help" | grep -vE -e '--(help|version)')
check "options are listed" [ "$(printf '%s\n' $options | wc -l)" -gt 15 ]
check "options are explained" told $options

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
exit $failed
