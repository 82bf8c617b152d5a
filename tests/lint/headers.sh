#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles alone, as C99 and as C++, with every warning an error.
set -eu

cd "${1:-$(dirname "$0")/../..}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v g++ >/dev/null || { echo "SKIP: g++ is not installed"; exit 77; }
for header in include/wincontainer/*.h; do
    name=$(basename "$header")
    printf '#include <wincontainer/%s>\nint main(void) { return 0; }\n' "$name" >"$work/t.c"
    cp "$work/t.c" "$work/t.cpp"
    gcc -std=c99 -Wall -Wextra -pedantic -Werror -Iinclude -fsyntax-only "$work/t.c"
    g++ -std=c++11 -Wall -Wextra -pedantic -Werror -Iinclude -fsyntax-only "$work/t.cpp"
    count=$((${count:-0} + 1))
done
echo "headers: $count compile alone as C99 and C++"
