#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The API reference builds without a warning, and has a page for every header. usage: reference.sh SOURCE
set -eu
command -v doxygen >/dev/null || { echo "SKIP: doxygen is not installed"; exit 77; }
cd "$1"
WC_REFERENCE_DIR=$(mktemp -d)
export WC_REFERENCE_DIR
trap 'rm -rf "$WC_REFERENCE_DIR"' EXIT
doxygen docs/reference/Doxyfile
for header in include/wincontainer/*.h; do
    name=$(basename "$header" .h)
    grep -rqs "$name.h" "$WC_REFERENCE_DIR/html/files.html" || { echo "no page for $name.h" >&2; exit 1; }
done
