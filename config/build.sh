# SPDX-License-Identifier: BSD-3-Clause
# Builds with meson; sourced after netns.sh.

# Choose where to build: $build_base is the source tree, so that a second run is quick, or the run's
# own directory while another run holds the tree's NAME or the tree cannot be written.
build_lock() {
	build_base=$work
	if mkdir -p "$root/$1" 2>/dev/null; then
		exec 9<"$root/$1"
		if flock -n 9; then
			build_base=$root
		else
			exec 9<&-
			say "$1 is in use by another run: building in $work"
		fi
	fi
}

# build NAME OPTIONS...: configure where that was not done with the same options, and compile.
# $build is the directory, $build_targets names the parts where not all are wanted. Output is shown
# only when something fails.
build() {
	build=$build_base/$1
	shift
	wish_="$root $* CC=${CC:-} $(pkg-config --modversion libdpdk 2>/dev/null)"
	mkdir -p "$build"
	if [ ! -f "$build/build.ninja" ] || [ "$wish_" != "$(cat "$build/weir-options" 2>/dev/null)" ]; then
		# The directory itself stays: it carries the lock.
		find "$build" -mindepth 1 -delete
		run meson setup "$build" "$root" -Db_pch=true "$@" >"$work/build.log" 2>&1 || {
			cat "$work/build.log" >&2
			return 1
		}
		printf '%s\n' "$wish_" >"$build/weir-options"
	fi
	# shellcheck disable=SC2086
	run ninja -C "$build" ${build_targets:-} >"$work/build.log" 2>&1 || {
		grep -v '^\[[0-9]*/[0-9]*\] ' "$work/build.log" | cut -c 1-400 | head -n 60 >&2
		return 1
	}
}

# The tool inside a build directory.
find_weir() {
	weir=$(find "$1" -type f -name weir -perm -u+x | head -n 1)
	[ -n "$weir" ] || die "the build in $1 made no program called weir"
}
