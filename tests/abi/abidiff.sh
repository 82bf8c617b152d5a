#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compares the library with the recorded ABI of the last release. Anything that abidiff finds, other
# than new symbols and private types, is a break.
#
# usage: abidiff.sh SOURCE_DIR LIBRARY [--record]
set -eu
source=$1 library=$2
baseline=$source/tests/abi/baseline.abi
command -v abidw >/dev/null || { echo "SKIP: abidiff is not installed (abigail-tools)"; exit 77; }
if [ "${3:-}" = --record ]; then
    abidw --headers-dir "$source/include/wincontainer" --drop-private-types --no-comp-dir-path --no-corpus-path \
        --no-show-locs "$library" >"$baseline"
    echo "recorded $baseline"
    exit 0
fi
status=0
abidiff --hd2 "$source/include/wincontainer" --drop-private-types --no-added-syms "$baseline" "$library" || status=$?
[ "$status" = 0 ] || { echo "abidiff: the ABI differs from tests/abi/baseline.abi (status $status); see docs/adding-an-api.md"; exit 1; }
echo "abidiff: same ABI as recorded"
