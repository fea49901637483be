# SPDX-License-Identifier: BSD-3-Clause
# Sourced by every script: how it speaks, and what it answers to a person's words.

me=${0##*/}

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s: %s\n' "$me" "$*" >&2
	exit 1
}

# answer_help "$@": --help prints the comment at the head of the script and ends it.
answer_help() {
	for word_ in "$@"; do
		case $word_ in
		--help | -h)
			sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$0"
			exit 0
			;;
		esac
	done
}

# Before the work: can FILE be read, or written? One that is there already, or made in its directory.
must_read() {
	[ -f "$1" ] && [ -r "$1" ] || die "$1: cannot be read: give a file that is there"
}

must_write() {
	if [ -d "$1" ]; then
		die "$1: is a directory: give a file"
	elif [ -e "$1" ]; then
		[ -w "$1" ] || die "$1: cannot be written: give another file"
	else
		[ -d "$(dirname "$1")" ] || die "$1: its directory is not there: make it first"
		[ -w "$(dirname "$1")" ] || die "$1: cannot be made there: give another directory"
	fi
}

# A directory of its own, $work, for a script that starts nothing: it goes with the script.
work_alone() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/weir-$$-$1-XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}
