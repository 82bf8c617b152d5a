#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every line of the golden file must still be printed, in this order; new lines only at the end.
# usage: layout.sh PROGRAM GOLDEN
set -eu
now=$(mktemp)
trap 'rm -f "$now"' EXIT
"$1" >"$now" || { status=$?; cat "$now"; exit $status; }
head -n "$(wc -l <"$2")" "$now" | diff -u "$2" - || { echo "layout: the ABI has changed"; exit 1; }
new=$(($(wc -l <"$now") - $(wc -l <"$2")))
[ "$new" = 0 ] || { echo "layout: $new new lines; append them to $(basename "$2")"; exit 1; }
echo "layout: $(wc -l <"$2") lines as recorded"
