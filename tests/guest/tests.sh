#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tests.sh [--runtime runc|crun] [NAME | NAME:TEST[,TEST ...]] ...
# Runs tests of tests/guest and tests/e2e (NAME.py), or of the build's tests (NAME), one after the other, each with the time that it
# took. With a runtime, the other one is put away.
programs=/usr/lib/guest-programs
mkdir -p "$programs"
failed=0

choose() {
    case $1 in
    runc) other=/usr/bin/crun ;;
    crun) other=/usr/sbin/runc ;;
    esac
    for path in /usr/bin/crun /usr/sbin/runc; do
        [ ! -e "$programs/${path##*/}" ] || mv "$programs/${path##*/}" "$path"
    done
    mv "$other" "$programs/"
    export WC_TEST_RUNTIME="$1"
}

run() {
    name=${1%%:*} parts=
    [ "$name" = "$1" ] || parts=$(echo "${1#*:}" | tr , ' ')
    begun=$(date +%s)
    echo "== $1 ${WC_TEST_RUNTIME:-}"
    path=$WC_TEST_SOURCE/tests/guest/$name
    [ -e "$path" ] || path=$WC_TEST_SOURCE/tests/e2e/$name
    case $name in
    # shellcheck disable=SC2086
    network*.py) PYTHONPATH=$WC_TEST_SOURCE/tests/e2e "$WC_TEST_SOURCE/tests/support/netns.sh" python3 "$path" $parts ;;
    # shellcheck disable=SC2086
    *.py) PYTHONPATH=$WC_TEST_SOURCE/tests/e2e python3 "$path" $parts ;;
    *) "$WC_TEST_BUILD/tests/$name" ;;
    esac
    code=$?
    [ "$code" != 75 ] || exit 75 # a reboot is a part of it
    echo "== $1 ${WC_TEST_RUNTIME:-}: exit $code after $(($(date +%s) - begun)) s"
    [ "$code" = 0 ] || [ "$code" = 77 ] || failed=1
}

while [ $# -gt 0 ]; do
    case $1 in
    --runtime) choose "$2"; shift ;;
    *) run "$1" ;;
    esac
    shift
done
exit "$failed"
