#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A second kind of port: 64 MiB from the kernel through net_tap.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/tests/kernel/begin.sh"

test_begin tap
[ -c /dev/net/tun ] || skip "no /dev/net/tun"
net_tap
when_started=net_tap_up
stream 4 $((16 * 1048576))
exit $failed
