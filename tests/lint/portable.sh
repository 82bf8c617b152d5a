#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles everything that must not know POSIX or Linux with the Windows cross-compiler, syntax only.
# The libraries' headers are portable, so the host's are lent; none of its system headers is seen.
set -eu

source=${1:-$(dirname "$0")/../..}
cd "$source"
compiler=x86_64-w64-mingw32-gcc
command -v $compiler >/dev/null || { echo "SKIP: $compiler is not installed (gcc-mingw-w64-x86-64)"; exit 77; }

lent=$(mktemp -d)
trap 'rm -rf "$lent"' EXIT
for header in jansson.h jansson_config.h zstd.h zstd_errors.h zdict.h zlib.h zconf.h sqlite3.h archive.h archive_entry.h curl isa-l isa-l.h; do
    for dir in /usr/include /usr/include/$(gcc -print-multiarch 2>/dev/null || echo x86_64-linux-gnu); do
        [ ! -e "$dir/$header" ] || ln -sf "$dir/$header" "$lent/$header"
    done
done

failed=0 count=0
for file in $(find lib -name '*.c' ! -path 'lib/platform/posix/*' ! -path '*/linux/*' | sort); do
    count=$((count + 1))
    $compiler -std=gnu11 -fsyntax-only -Wall -Wextra -Werror -Wno-unknown-pragmas -Wno-format -Wno-format-extra-args -Ilib -Iinclude -isystem "$lent" \
        -DWC_STATIC -DWC_BUILDING -DWC_HAVE_ISAL -DWC_VERSION_TEXT='"0"' -DWC_LIBEXECDIR='""' \
        -D__USE_MINGW_ANSI_STDIO=1 "$file" || failed=$((failed + 1))
done
echo "portable: $count files compiled for Windows, $failed failed"
[ "$count" -gt 0 ] && [ "$failed" = 0 ]
