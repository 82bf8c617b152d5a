#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Brings what is recorded of the ABI up to an intended append: the lines of the layout, the frozen headers of the
# release that is not out yet, and the baseline of abidiff. Refuses when recorded lines have changed. Build first, and
# once more afterwards, since the frozen headers are compiled.
#
# usage: follow.sh BUILD_DIR
set -eu
build=$1
here=$(cd "$(dirname "$0")" && pwd)
source=$here/../..
release=0.1
now=$(mktemp)
trap 'rm -f "$now"' EXIT
"$build/tests/abi_layout_print" >"$now"
head -n "$(wc -l <"$here/layout.golden")" "$now" | diff -u "$here/layout.golden" - ||
    { echo "layout: what is recorded has changed; only appends are followed"; exit 1; }
cp "$now" "$here/layout.golden"
cp "$source"/include/wincontainer/*.h "$here/frozen/$release/wincontainer/"
"$here/abidiff.sh" "$source" "$build/lib/libwincontainer.so" --record
