#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs into an empty directory and uses only what is there: examples and a loadable backend by the exported
# CMake target and by pkg-config, wcctl with its helper, man page and completions.
# usage: install.sh BUILD_DIR SOURCE_DIR
set -eu
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/usr
fail() { echo "install: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$prefix" >"$work/log" || { cat "$work/log"; exit 1; }
lib=$(dirname "$(find "$prefix" -name 'libwincontainer.so.0')")
export LD_LIBRARY_PATH=$lib

for file in bin/wcctl libexec/wincontainer/wc-helper share/man/man1/wcctl.1 include/wincontainer/wincontainer.h \
    share/bash-completion/completions/wcctl share/zsh/site-functions/_wcctl share/fish/vendor_completions.d/wcctl.fish; do
    [ -e "$prefix/$file" ] || fail "$file is not installed"
done

by_cmake() {
    cmake -S "$source/examples/$1" -B "$work/$1" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1 &&
        cmake --build "$work/$1" >>"$work/log" 2>&1 || { cat "$work/log"; fail "$1 does not build by find_package"; }
}
by_cmake small
by_cmake backend-null

export PKG_CONFIG_PATH=$lib/pkgconfig
version=$(pkg-config --modversion wincontainer)
# shellcheck disable=SC2046
${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror "$source/examples/small/pull_and_run.c" -o "$work/pull_and_run" \
    $(pkg-config --define-variable=prefix="$prefix" --cflags --libs wincontainer)
env -u LD_LIBRARY_PATH "$prefix/bin/wcctl" version | grep -q "$version" || fail "wcctl and wincontainer.pc disagree on the version"

python3 "$source/tests/support/busybox_image.py" "$work/image" test || exit $?
export WC_ROOT=$work/root
"$work/small/mock_test" "oci:$work/image:test" | grep -q 'all steps behaved'
WC_BACKEND=mock "$work/pull_and_run" "oci:$work/image:test" outln:hello >"$work/out"
[ "$(cat "$work/out")" = hello ] || fail "pull_and_run printed '$(cat "$work/out")'"
# A third party's backend in the installed program: its containers run, do nothing, and end when they are killed.
null() { "$prefix/bin/wcctl" --root "$WC_ROOT" --load-backend "$work/backend-null/backend-null.so" --backend null "$@"; }
null run -d --name of-null --network none "$(null images -q | head -1)" anything >/dev/null
null ps | grep -q of-null || fail "the loaded backend's container does not run"
null kill of-null >/dev/null
[ "$(null wait of-null)" = 137 ] || fail "the loaded backend's container ended with $(null wait of-null)"
null rm of-null >/dev/null
"$work/small/watch_events" 0 | grep -q 'container die' || fail "no event of the run"

# The README's program, as it stands there but for where the image comes from. Its store is the default one, so
# where it runs, that is one of its own.
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$source/README.md" |
    sed "s|\"alpine:3.19\"|\"oci:$work/image:test\"|" >"$work/hello.c"
grep -q "oci:$work/image:test" "$work/hello.c" || fail "README.md has no program that pulls alpine:3.19"
# shellcheck disable=SC2046
${CC:-cc} -std=c99 -Wall -Wextra -pedantic -Werror "$work/hello.c" -o "$work/hello" \
    $(pkg-config --define-variable=prefix="$prefix" --cflags --libs wincontainer)
in_a_store_of_its_own() {
    unshare -m sh -ec "mount --make-rprivate /
        for dir in /var/lib /run; do mount -t tmpfs none \$dir; done
        exec \"\$@\"" sh "$@"
}
if [ "$(id -u)" = 0 ] && command -v runc >/dev/null && in_a_store_of_its_own true 2>/dev/null; then
    in_a_store_of_its_own sh -c "'$work/hello' && '$prefix/bin/wcctl' ps -a -q && '$prefix/bin/wcctl' images -q | wc -l" >"$work/out" 2>&1
    [ "$(cat "$work/out")" = "hello
1" ] || fail "the README's program printed, left as containers, and as images: '$(cat "$work/out")'"
fi

if [ "$(id -u)" = 0 ] && command -v runc >/dev/null; then
    [ "$("$prefix/bin/wcctl" --root "$WC_ROOT" run --rm --network none "$(
        "$prefix/bin/wcctl" --root "$WC_ROOT" images -q | head -1)" echo installed)" = installed ] ||
        fail "the installed wcctl cannot run a container"
fi
echo "install: version $version, examples and wcctl work from $(basename "$prefix")"
