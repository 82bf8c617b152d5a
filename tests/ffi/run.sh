#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one foreign-language smoke test against the shared library: pull, run, read the output, a
# progress callback, and a cancel from another thread. As root with an OCI runtime on the real backend,
# otherwise on the mock.
# usage: run.sh python|go|java BUILD_DIR SOURCE_DIR
set -eu
language=$1 build=$2 source=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skip() { echo "SKIP: $*"; exit 77; }

python3 "$source/tests/support/busybox_image.py" "$work/image" smoke || exit $?
export WC_ROOT=$work/root WC_IMAGE=oci:$work/image:smoke WC_LIBRARY=$build/lib/libwincontainer.so.0
if [ "$(id -u)" = 0 ] && { command -v runc || command -v crun; } >/dev/null; then
    export WC_BACKEND=process
else
    export WC_BACKEND=mock
    echo "SKIPPED PART: ffi_$language on real containers: no root or no OCI runtime"
fi

case $language in
python)
    command -v python3 >/dev/null || skip "python3 is not installed"
    python3 "$source/tests/ffi/python/smoke.py"
    ;;
go)
    command -v go >/dev/null || skip "go is not installed (golang-go)"
    cp "$source/tests/ffi/go/main.go" "$source/tests/ffi/go/go.mod" "$work/"
    cd "$work"
    CGO_ENABLED=1 GOFLAGS=-mod=mod GOPROXY=off GOCACHE=${GOCACHE:-$build/go-cache} CGO_CFLAGS="-I$source/include" \
        CGO_LDFLAGS="-L$build/lib -lwincontainer -Wl,-rpath,$build/lib" go build -o smoke .
    GODEBUG=cgocheck=1 ./smoke
    ;;
java)
    command -v javac >/dev/null || skip "javac is not installed (default-jdk-headless)"
    home=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
    javac -h "$work" -d "$work" "$source/tests/ffi/java/Smoke.java"
    ${CC:-gcc} -std=c11 -Wall -Wextra -Werror -shared -fPIC -I"$work" -I"$source/include" -I"$home/include" \
        -I"$home/include/linux" -o "$work/libsmoke.so" "$source/tests/ffi/java/smoke.c" -L"$build/lib" -lwincontainer \
        -Wl,-rpath,"$build/lib"
    java -Xcheck:jni -Djava.library.path="$work" -cp "$work" Smoke
    ;;
esac
