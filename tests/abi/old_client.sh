#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a program that was built with frozen headers, with a store of its own.
# usage: old_client.sh PROGRAM SOURCE_DIR
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$2/tests/support/make_layout.py" "$work/layout" old >/dev/null
"$1" "$work"
