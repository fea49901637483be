#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What `meson install` leaves is enough to build the example server and to run it: as a user does, with
# pkg-config.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin install
run env DESTDIR="$work/root" meson install -C "$build" --no-rebuild --quiet >"$work/install.log" 2>&1 || {
	cat "$work/install.log"
	die "meson install fails"
}
for file in bin/weir bin/weir-gen bin/weir-bench include/weir.h; do
	check "$file is installed" [ -f "$work/root/usr/local/$file" ]
done
pc=$(find "$work/root" -name weir.pc)
check "weir.pc is installed" [ -f "$pc" ]

# weir PKG_CONFIG_OPTIONS...: of the package below $work/root. Those of DPDK are in their place.
weir_flags() {
	PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$work/root/usr/local" "$@" weir
}
check "its version is the program's" same version "$(weir_flags --modversion)" \
	"$("$weir" --version | cut -d' ' -f2)"
# shellcheck disable=SC2046
check "a server is built with it" run "${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -Wall -Wextra \
	-Werror "$root/app/example/server.c" -o "$work/server" $(weir_flags --cflags --libs) \
	$(pkg-config --cflags --libs libdpdk)
library=$(dirname "$(find "$work/root" -name 'libweir.so*' | head -n 1)")

net_veth
: >"$work/weir.err"
spawn ip netns exec "$weir_ns" env LD_LIBRARY_PATH="$library" "$work/server" -l "$engine_core" --no-pci \
	$eal_memory --file-prefix "weir-$$" --vdev "$vdev" -- \
	"$port_name" "$weir_ip" "$prefix" 9000 >"$work/weir.out" 2>"$work/weir.err"
weir_pid=$last
weir_wait
check "streams end well" peer send --connect "$weir_ip:9000" --conns 4 --bytes 4194304
kill -TERM "$weir_pid"
check "the server ends well" reap "$weir_pid"
cat "$work/weir.out"
check "the server leaves no directory of EAL's" [ ! -e "/run/dpdk/weir-$$" ]
check "EAL's chatter is not shown" same lines "$(grep -c '^EAL: ' "$work/weir.err")" 0
check "it has counted every byte" same lines \
	"$(grep -c '^closed (0) after 4194304 bytes$' "$work/weir.out")" 4

check "only its own names are exported" same others \
	"$(nm -D --defined-only "$library"/libweir.so | awk '{ print $3 }' | grep -cv '^weir_\|^WEIR_')" 0
exit $failed
