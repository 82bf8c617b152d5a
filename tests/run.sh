#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the library and runs every test.
#
#   tests/run.sh [--long] [--guest] [--preset NAME] [--no-install] [-- CTEST OPTIONS]
#
#   --long         also the soak (WC_SOAK_MINUTES=N, default 10), thousands of crash rounds and long random tests
#   --guest        also what runs in a virtual machine: control groups of version 2, systemd, AppArmor
#   --preset NAME  release (default), debug, asan, tsan or fuzz
#   --no-install   do not install missing packages, even as root
#
# Without root, and where a program is missing, tests that need it are skipped and named at the end.
set -eu

cd "$(dirname "$0")/.."
long=0 guest=0 preset=release install=1
while [ $# -gt 0 ]; do
    case $1 in
    --long) long=1 ;;
    --guest) guest=1 ;;
    --preset) preset=$2; shift ;;
    --no-install) install=0 ;;
    --) shift; break ;;
    -h | --help) sed -n '3,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$1'; see --help" >&2; exit 2 ;;
    esac
    shift
done

packages=--test
[ "$guest" = 0 ] || packages=--guest
[ "$install" = 0 ] || sh cmake/install-packages.sh "$packages"

# "TEST: why" for each that told why it cannot run. The log names a test before its output.
skip_reasons() {
    awk '/^[0-9]+\/[0-9]+ Testing: / { test = $3 }
         sub(/^ *SKIP: /, "") && !(test in told) { told[test] = 1; print test ": " $0 }' "$details" || true
}

echo "== build ($preset)"
# A build directory made elsewhere, or for other sources, is of no use here.
cmake --preset "$preset" >/dev/null 2>&1 || { rm -rf "build/$preset"; cmake --preset "$preset"; }
cmake --build --preset "$preset"

echo "== test"
log=build/$preset/tests.log
set -- --test-dir "build/$preset" --output-on-failure "$@"
# Those in the guest have the label "long-guest".
case $long$guest in
00) set -- "$@" -LE long ;;
10) set -- "$@" -LE guest ;;
01) set -- "$@" -LE '^long$' ;;
esac
WC_TEST_LONG=$long ctest "$@" 2>&1 | tee "$log" || true

failed=$(sed -n 's/^ *[0-9]* - \(.*\) (\(Failed\|Timeout\|SEGFAULT\|Not Run\|Subprocess.*\|.*Exception.*\|ILLEGAL\|BAD_COMMAND\|SIG.*\)).*$/\1/p' "$log" | wc -l)
ran=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#' "$log" || true)
skipped=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#.*\*\*\*Skipped' "$log" || true)
passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test +#.* Passed ' "$log" || true)
[ "$((passed + failed + skipped))" = "$ran" ] || failed=$((ran - passed - skipped))
details=build/$preset/Testing/Temporary/LastTest.log
parts=$(grep -c '^SKIPPED PART: ' "$details" 2>/dev/null || true)
if [ "$((skipped + ${parts:-0}))" -gt 0 ]; then
    echo "Skipped:"
    skip_reasons >"$log.why"
    sed -n 's/^ *[0-9]*\/[0-9]* Test *#[0-9]*: \([^ ]*\) .*\*\*\*Skipped.*/\1/p' "$log" | while read -r name; do
        printf '  %s\n' "$(grep "^$name: " "$log.why" || echo "$name")"
    done
    sed -n 's/^SKIPPED PART: /  /p' "$details"
    skipped=$((skipped + ${parts:-0}))
fi
[ "$ran" -gt 0 ] || { echo "run.sh: no test ran" >&2; exit 1; }
grep -q 'tests passed, .* tests failed out of ' "$log" || {
    echo "run.sh: ctest ended before its last test" >&2
    failed=$((failed + 1))
}
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
