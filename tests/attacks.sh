#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Attacks with a bound: weir-gen's sender against weir, in memory and in virtual time.
#
#   sh tests/attacks.sh [--full] [flood | blind | holes | tiny | collide]...
#
# Prints what each costs and holds. Fails when content, memory or a connection suffers; never for a
# rate. The rates of flood are worth something on a quiet machine only; --full takes two cores, prints
# the whole curve and sends 10 million packets in each blind attack (about 2 minutes).
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/config/netns.sh"
. "$root/config/build.sh"

answer_help "$@"
if [ -n "${WEIR_BUILD:-}" ]; then
	build=$WEIR_BUILD
else
	build_lock build-gcc
	CC=gcc
	export CC
	build build-gcc || die "the build failed, see above"
fi
exec "$build/tests/attacks" "$@"
