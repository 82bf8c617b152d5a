#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The README's first command, on a copy of the sources: a newcomer gets from there to a running container.
# usage: quickstart.sh SOURCE_DIR
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What tests have left there may be closed to us.
tar -C "$1" --ignore-failed-read --exclude=./build --exclude=./.git -cf - . | tar -C "$work" -xf - || exit 1

"$work/examples/quickstart.sh" >"$work/out" 2>&1
code=$?
failed=0
expect() { grep -q -- "$1" "$work/out" || { echo "quickstart: '$1' is not in its output"; failed=1; }; }
[ $code = 0 ] || { echo "quickstart: exit code $code"; failed=1; }
if { [ "$(id -u)" = 0 ] || [ -n "${WC_TEST_USER:-}" ]; } && { command -v runc || command -v crun; } >/dev/null; then
    for text in '^hello from' '^an error line$' '^(exit code 3)$' '^read from the host$' 'uid=.*(wc)' \
        '/x: Read-only' '^step 3$'; do
        expect "$text"
    done
else
    for text in '^hello$' 'an error line' '^(exit code 3)$' '^step 2$'; do
        expect "$text"
    done
fi
expect 'docker load and podman load read it'
expect '== Done'
[ $failed = 0 ] || { cat "$work/out"; exit 1; }
echo "quickstart: every step did what it says"
