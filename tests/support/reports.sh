#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What sanitizers found in any process that a test started, also where nobody reads its output.
#
#   reports.sh begin DIR   forgets earlier reports
#   reports.sh end DIR     shows all that came since; fails when there is one
set -eu

case $1 in
begin)
    rm -rf "$2"
    mkdir -p "$2"
    chmod 1777 "$2" # of other users' processes, too
    ;;
end)
    found=0
    for report in "$2"/*; do
        [ -s "$report" ] || continue
        found=$((found + 1))
        echo "== ${report##*/}"
        cat "$report"
    done
    echo "$found reports"
    [ "$found" = 0 ]
    ;;
*)
    echo "usage: reports.sh begin|end DIR" >&2
    exit 2
    ;;
esac
