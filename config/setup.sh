#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Install the Debian packages that are missing: sh config/setup.sh demo|tests|plot|bench|fresh
set -u

demo="meson ninja-build pkg-config gcc libc6-dev libdpdk-dev libnuma-dev iproute2 ethtool iputils-ping
util-linux"
tests="$demo procps g++ clang libclang-rt-14-dev check binutils liblwip-dev gnuplot-nox"

fail() {
	printf 'setup.sh: %s\n' "$*" >&2
	exit 1
}

case ${1:-tests} in
--help | -h)
	sed -n "3s/^# //p" "$0"
	exit 0
	;;
demo) wanted=$demo ;;
tests) wanted=$tests ;;
plot) wanted="gnuplot-nox" ;;
bench) wanted="$tests valgrind" ;;
fresh) wanted="$tests debootstrap" ;;
*) fail "first argument must be demo, tests, plot, bench or fresh" ;;
esac

list_missing() {
	missing=
	for package in $wanted; do
		# shellcheck disable=SC2016
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
			missing="$missing $package"
	done
}

command -v dpkg-query >/dev/null ||
	fail "no Debian: install the equivalents of: $(printf '%s ' $wanted)"
list_missing
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || fail "must run as root to install:$missing"

# Two runs at once: the second waits here and finds everything installed.
exec 8</var/lib/apt && flock 8
list_missing
[ -n "$missing" ] || exit 0

export DEBIAN_FRONTEND=noninteractive
printf 'Installing%s\n' "$missing"
apt-get -qq update </dev/null || fail "apt-get update failed; is there a network and a mirror?"
for package in $missing; do
	apt-get -qq install -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
		"$package" </dev/null >/dev/null || fail "package $package could not be installed"
done
