#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The main job in its short form, 256 MiB (--full: all 2 GiB).
root=$(cd "$(dirname "$0")/../.." && pwd)
[ "${1:-}" != --full ] || exec sh "$root/config/demo.sh"
exec sh "$root/config/demo.sh" --short
